//! What is asked of one source.

use super::{
    allowed::{allowed, framerate, resolution},
    facts::{At, Claim},
    findings::Problem,
    walk::Walk,
};
use crate::{
    diagnostic::Severity,
    document::{Form, Place},
    path::KeyPath,
    schema::{self, Kind, Node},
    value::{Table, Value},
};

const GIGA: u64 = 1_000_000_000;

/// Bytes of raw pictures a second above which they are likely to be dropped.
const MANY_BYTES: u64 = GIGA;

/// Bytes of raw pictures a second that no computer can carry from one part to the next.
const MOST_BYTES: u64 = 4 * GIGA;

impl<'d> Walk<'d, '_, '_> {
    pub(super) fn source(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        let Some(table) = value.as_table() else { return };
        let part = |name: &str| {
            let (index, _, value) = table.get_full(name)?;
            Some((value, place.parts.get(index)?))
        };
        // Another type has other keys; what is wrong with them nobody can tell here.
        if let Some((kind, place)) = part("type")
            && kind.as_str().is_some()
            && place.form != Form::Date
            && let Err(problem) = allowed(Kind::SourceType, kind)
        {
            self.origin = place.origin;
            self.names.push("type");
            self.about_key(place.span.clone(), problem);
            self.names.pop();
            return;
        }
        self.keys(node, value, place);
        if let Some((value, place)) = part("resolution") {
            self.origin = place.origin;
            self.names.push("resolution");
            let format = table.get("format").and_then(Value::as_str).unwrap_or("I420");
            self.even(value, place, format);
            self.names.pop();
        }
        self.data_rate(table, place);
        if let Some((value, place)) = part("rtsp") {
            self.mount_point(value, place);
        }
    }

    /// Formats that keep one colour for several pixels need sides that divide.
    fn even(&mut self, value: &Value, place: &Place, format: &str) {
        let Some((width, height)) = value.as_str().and_then(resolution) else { return };
        let (wide, high) = match format {
            "I420" | "NV12" => (true, true),
            "YUY2" | "UYVY" => (true, false),
            _ => (false, false),
        };
        if (wide && width % 2 == 1) || (high && height % 2 == 1) {
            let sides = if high { "an even width and height" } else { "an even width" };
            let message = format!("needs {sides} in format {format}, not {width}x{height}");
            self.about_key(place.span.clone(), Problem::new("bad_value", message));
        }
    }

    /// Raw pictures that no computer can move.
    fn data_rate(&mut self, table: &Table, place: &Place) {
        let value = |name: &str| match table.get(name) {
            Some(value) => Some(value.clone()),
            None => schema::at(&KeyPath::new(["sources", "*", name]))?.key?.preset.value(),
        };
        let (Some(size), Some(rate), Some(format)) =
            (value("resolution"), value("framerate"), value("format"))
        else {
            return;
        };
        let size = size.as_str().and_then(resolution);
        let (Some((width, height)), Ok((above, below))) = (size, framerate(&rate)) else { return };
        let bits: u64 = match format.as_str() {
            Some("I420" | "NV12") => 12,
            Some("YUY2" | "UYVY") => 16,
            Some("RGB" | "BGR") => 24,
            Some("RGBA" | "BGRA") => 32,
            Some("GRAY8") => 8,
            _ => return,
        };
        // Sides have at most 4096 pixels and there are at most 120 frames, far below u64::MAX.
        let picture = u64::from(width) * u64::from(height) * bits / 8;
        let rate_of = picture.saturating_mul(u64::from(above)) / u64::from(below).max(1);
        let severity = match rate_of {
            rate if rate > MOST_BYTES => Severity::Error,
            rate if rate > MANY_BYTES => Severity::Warning,
            _ => return,
        };
        let shown = |bytes: u64| format!("{}.{} GB", bytes / GIGA, bytes % GIGA / (GIGA / 10));
        let frames = rate.as_str().map_or_else(|| rate.to_string(), str::to_owned);
        let what = match severity {
            Severity::Error => format!("more than {} cannot be carried", shown(MOST_BYTES)),
            _ => format!("above {} pictures are likely to be dropped", shown(MANY_BYTES)),
        };
        let message = format!(
            "{width}x{height} in format {} at {frames} frames a second are {} of raw pictures a \
             second; {what}",
            format.as_str().unwrap_or_default(),
            shown(rate_of)
        );
        let at = ["resolution", "framerate", "format"].into_iter().find_map(|name| {
            let (index, _, _) = table.get_full(name)?;
            Some((name, place.parts.get(index)?))
        });
        let Some((name, place)) = at else { return };
        self.origin = place.origin;
        self.names.push(name);
        self.warn(severity, place.span.clone(), Problem::new("data_rate", message));
        self.names.pop();
    }

    fn mount_point(&mut self, value: &'d Value, place: &Place) {
        let Some(text) = value.as_str() else { return };
        self.facts.mount_point = Some(Box::new(Claim::new(text, At::value(place))));
    }
}

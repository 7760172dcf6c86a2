//! What is asked of one source.

use super::{
    allowed::{allowed, resolution},
    facts::{At, Claim},
    findings::Problem,
    walk::Walk,
};
use crate::{
    document::{Form, Place},
    schema::{Kind, Node},
    value::Value,
};

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

    fn mount_point(&mut self, value: &'d Value, place: &Place) {
        let Some(text) = value.as_str() else { return };
        let at = At::value(place);
        self.facts.mount_point = Some(Claim { text: text.to_owned(), same: None, at });
    }
}

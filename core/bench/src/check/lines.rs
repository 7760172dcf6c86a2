//! The line to an instrument: when two addresses are the same, and what it can carry.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use super::{drivers::Driver, findings::Problem, walk::Walk, words};
use crate::{
    diagnostic::Severity,
    document::Place,
    duration,
    value::{Table, Value},
};

/// One spelling for all spellings of an address; `None` for one that has no form.
pub(super) fn same(text: &str) -> Option<String> {
    if let Some(place) = text.strip_prefix("tcp://") {
        let (host, port) = place.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        let upper = host.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
        let host = if upper { Cow::Owned(host.to_lowercase()) } else { Cow::Borrowed(host) };
        let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let address = match bare {
            "localhost" => Cow::Borrowed("loopback"),
            _ => match bare.parse::<IpAddr>().map(|address| address.to_canonical()) {
                Ok(address) if address.is_loopback() => Cow::Borrowed("loopback"),
                // Others than those of version 6 have one spelling.
                Ok(address) if bare.contains(':') => Cow::Owned(address.to_string()),
                Ok(_) | Err(_) => Cow::Borrowed(bare),
            },
        };
        return Some(format!("tcp://{address}:{port}"));
    }
    // A path without `serial://` is told of, and is that port all the same.
    let path = text.strip_prefix("serial://").or(text.starts_with("/dev/").then_some(text))?;
    let path = path.strip_prefix('/')?;
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    Some(format!("serial:///{}", names.join("/")))
}

impl Walk<'_, '_, '_> {
    /// Warns if questions take longer than the time until they are asked again.
    pub(super) fn poll_load(&mut self, table: &Table, place: &Place, driver: &Driver) {
        let Some(line) = driver.line.as_ref().filter(|line| !line.polls.is_empty()) else { return };
        let Some((index, _, address)) = table.get_full("address") else { return };
        let (Some(address), Some(mut at)) = (address.as_str(), place.parts.get(index)) else {
            return;
        };
        let mut names = vec!["address"];
        let wire = table.get_full("wire");
        let set =
            wire.and_then(|(index, _, wire)| Some((wire.as_table()?, place.parts.get(index)?)));
        let baud = set.and_then(|(wire, place)| {
            let (index, _, baud) = wire.get_full("baud")?;
            let Value::Int(baud) = baud else { return None };
            Some((u32::try_from(*baud).ok().filter(|baud| *baud > 0)?, place.parts.get(index)?))
        });
        let gap = set.and_then(|(wire, _)| duration::parse(wire.get("gap")?.as_str()?));
        let gap = gap.unwrap_or(line.gap);
        let serial = address.starts_with("serial:");
        if !serial && !address.starts_with("tcp:") {
            return;
        }
        let speed = baud.map_or(line.baud, |(baud, _)| baud);
        if let Some((_, place)) = baud.filter(|_| serial) {
            at = place;
            names = vec!["wire", "baud"];
        }
        let on_wire = |bytes: usize| {
            #[allow(
                clippy::cast_precision_loss,
                reason = "replies are far below 2^52 bytes, where this starts to round"
            )]
            let bits = bytes as f64 * f64::from(line.bits);
            if serial && speed > 0 { bits / f64::from(speed) } else { 0.0 }
        };
        let used: f64 = line
            .polls
            .iter()
            .filter(|poll| poll.every > Duration::ZERO)
            .map(|poll| (on_wire(poll.bytes) + gap.as_secs_f64()) / poll.every.as_secs_f64())
            .sum();
        if used <= 1.0 {
            return;
        }
        let how = if serial { format!("at {speed} baud ") } else { String::new() };
        let message = format!(
            "{} asks {} questions, which {how}with {} between them take {used:.1} times as long as \
             there is: values will be older than the driver means them to be; {}a shorter gap or a \
             slower poll in the driver helps",
            driver.name,
            line.polls.len(),
            words::quantity(gap.as_secs_f64() * 1e3, Some("ms")),
            if serial { "a faster line, " } else { "" },
        );
        self.origin = at.origin;
        self.names.extend(&names);
        let problem = Problem::new("poll_too_fast", message);
        self.warn(Severity::Warning, at.span.clone(), problem);
        self.names.truncate(self.names.len().saturating_sub(names.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn spellings_of_one_line_are_the_same() {
        for (one, other) in [
            ("tcp://PSU.lab:5555", "tcp://psu.lab.:05555"),
            ("tcp://localhost:1", "tcp://127.0.0.1:1"),
            ("tcp://[::1]:1", "tcp://localhost:1"),
            ("tcp://[2001:DB8:0::1]:1", "tcp://[2001:db8::1]:1"),
            ("tcp://[::ffff:192.0.2.1]:1", "tcp://192.0.2.1:1"),
            ("serial:///dev/ttyUSB0", "/dev/ttyUSB0"),
            ("serial:///dev//ttyUSB0", "serial:///dev/x/.././ttyUSB0"),
        ] {
            assert_eq!(same(one), same(other), "{one} {other}");
            assert!(same(one).is_some());
        }
        for (one, other) in [
            ("tcp://a:1", "tcp://a:2"),
            ("tcp://a:1", "tcp://b:1"),
            ("serial:///dev/ttyUSB0", "serial:///dev/ttyusb0"),
        ] {
            assert_ne!(same(one), same(other));
        }
        assert_eq!(same("usb:1:2"), None);
    }
}

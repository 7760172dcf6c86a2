//! Whether a value is one that a key takes, told from the value alone.

use super::{findings::Problem, plain, words};
use crate::{
    duration,
    path::KeyPath,
    schema::{FRAMES, Kind, LATER_SOURCE_TYPES, MODULE_TYPES, SIDE, SOURCE_TYPES},
    value::Value,
};

/// Whether a key of a kind takes a value. Kinds that need to know more than the value, such as
/// [`Kind::Driver`], are only checked for being text here.
pub(crate) fn allowed(kind: Kind, value: &Value) -> Result<(), Problem> {
    match kind {
        Kind::Text | Kind::Driver | Kind::TemplateName => text(value, "text").map(drop),
        Kind::Condition => text(value, "a condition as text").map(drop),
        Kind::Choice(choices) => choice(value, choices),
        Kind::Whole(least, greatest) => whole(value, least, greatest),
        Kind::Switch => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(wrong_type("true or false", value)),
        },
        Kind::Duration(least, greatest) => span_of_time(value, least, greatest, false),
        Kind::DurationOrOff(least, greatest) => span_of_time(value, least, greatest, true),
        Kind::Texts | Kind::Files | Kind::Actions => texts(value, "a list of texts").map(drop),
        Kind::Paths => paths(value),
        Kind::Role if value.as_str().is_some() => Ok(()),
        Kind::Role => texts(value, "a name or a list of names").map(drop),
        Kind::Format => format(value),
        Kind::Address => address(text(value, "an address as text")?),
        Kind::SourceType => source_type(text(value, "text")?),
        Kind::ModuleType => module_type(text(value, "text")?),
        Kind::MountPoint => mount_point(text(value, "text such as \"/pattern\"")?),
        Kind::Resolution => {
            resolution(text(value, "text such as \"1280x720\"")?).map(drop).ok_or_else(|| {
                let (least, greatest) = SIDE;
                let example = "takes width and height such as \"1280x720\"";
                bad(&format!("{example}, each from {least} to {greatest}"), value)
            })
        }
        Kind::Framerate => framerate(value).map(drop),
        Kind::Group
        | Kind::Line
        | Kind::Named(_)
        | Kind::Instrument
        | Kind::Source
        | Kind::Module
        | Kind::Template
        | Kind::With
        | Kind::Roles
        | Kind::Setpoints
        | Kind::Limits => match value {
            Value::Table(_) => Ok(()),
            _ => Err(wrong_type("a table", value)),
        },
    }
}

/// `takes a number, not text`
pub(crate) fn wrong_type(wanted: &str, value: &Value) -> Problem {
    let found = match value {
        Value::Bool(switch) => switch.to_string(),
        Value::String(text) => format!("text ({})", words::quoted(text)),
        Value::Int(number) => format!("a whole number ({number})"),
        Value::Float(number) => format!("a number ({})", Value::Float(*number)),
        Value::Array(_) | Value::Table(_) => format!("a {}", value.type_name()),
    };
    Problem::new("wrong_type", format!("takes {wanted}, not {found}"))
}

/// `takes “off” or “on”, not “onn”`
pub(crate) fn not_a_choice<'c>(
    text: &str,
    choices: impl IntoIterator<Item = &'c str> + Clone,
) -> Problem {
    let meant = words::nearest(text, choices.clone());
    let count = choices.clone().into_iter().count();
    // A long list helps only who has no idea.
    let wanted = match meant {
        Some(_) if count > 10 => format!("one of {count} words"),
        _ => words::either(choices),
    };
    let message = format!("takes {wanted}, not {}", words::quoted(text));
    Problem::new("not_a_choice", message).suggest(meant)
}

fn bad(takes: &str, value: &Value) -> Problem {
    let found = value.as_str().map_or_else(|| value.to_string(), words::quoted);
    Problem::new("bad_value", format!("{takes}, not {found}"))
}

fn text<'v>(value: &'v Value, wanted: &str) -> Result<&'v str, Problem> {
    value.as_str().ok_or_else(|| wrong_type(wanted, value))
}

fn texts<'v>(value: &'v Value, wanted: &str) -> Result<Vec<&'v str>, Problem> {
    let items = match value {
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    };
    items.ok_or_else(|| {
        let odd = match value {
            Value::Array(items) => items.iter().find(|item| item.as_str().is_none()),
            _ => None,
        };
        wrong_type(wanted, odd.unwrap_or(value))
    })
}

fn paths(value: &Value) -> Result<(), Problem> {
    for text in texts(value, "a list of paths such as [\"modules.log.roles.what\"]")? {
        text.parse::<KeyPath>().map_err(|error| {
            let found = words::quoted(&error.text);
            let example = "such as \"modules.log.roles.what\"";
            Problem::new("bad_value", format!("takes paths of keys {example}, not {found}"))
        })?;
    }
    Ok(())
}

fn choice(value: &Value, choices: &[&str]) -> Result<(), Problem> {
    match value.as_str() {
        Some(text) if choices.contains(&text) => Ok(()),
        Some(text) => Err(not_a_choice(text, choices.iter().copied())),
        None => Err(wrong_type(&words::either(choices.iter().copied()), value)),
    }
}

fn whole(value: &Value, least: i64, greatest: i64) -> Result<(), Problem> {
    match value {
        Value::Int(number) if (least..=greatest).contains(number) => Ok(()),
        Value::Int(number) => Err(Problem::new(
            "out_of_range",
            format!("takes a whole number from {least} to {greatest}, not {number}"),
        )),
        _ => Err(wrong_type("a whole number", value)),
    }
}

fn span_of_time(value: &Value, least: &str, greatest: &str, or_off: bool) -> Result<(), Problem> {
    let wanted = if or_off {
        "a duration such as \"2min\", or \"off\""
    } else {
        "a duration such as \"250ms\""
    };
    let given = text(value, wanted)?;
    if or_off && given == "off" {
        return Ok(());
    }
    let Some(time) = duration::parse(given) else {
        return Err(bad(&format!("takes {wanted} (us, ms, s, min, h, d)"), value));
    };
    let below = duration::parse(least).is_some_and(|least| time < least);
    let above = duration::parse(greatest).is_some_and(|greatest| time > greatest);
    if below || above {
        let message = format!("takes a duration from {least} to {greatest}, not {given}");
        return Err(Problem::new("out_of_range", message));
    }
    Ok(())
}

fn format(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Int(1) => Ok(()),
        Value::Int(newer) if *newer > 1 => Err(Problem::new(
            "unsupported",
            format!(
                "is {newer}: the file was written for a newer Setpoint; this one reads format 1"
            ),
        )),
        Value::Int(number) => {
            Err(Problem::new("out_of_range", format!("is 1 today, not {number}")))
        }
        _ => Err(wrong_type("a whole number", value)),
    }
}

fn address(text: &str) -> Result<(), Problem> {
    let forms = "takes tcp://HOST:PORT, serial:///dev/… or sim:";
    // Messages are kept and shown where no password may be.
    let bad = |why: &str| {
        let found = match plain::has_password(text) {
            true => "an address with a user and a password".to_owned(),
            false => words::quoted(text),
        };
        Err(Problem::new("bad_address", format!("{forms}, not {found}{why}")))
    };
    if text == "sim:" {
        Ok(())
    } else if let Some(place) = text.strip_prefix("tcp://") {
        let Some((host, port)) = place.rsplit_once(':') else {
            return bad(": the port is missing");
        };
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            bad(": a port is a number from 1 to 65535")
        } else if !host_is_well_formed(host) {
            bad(": that is not a host name or address")
        } else {
            Ok(())
        }
    } else if let Some(path) = text.strip_prefix("serial://") {
        if path.len() > 1 && path.starts_with('/') && !path.contains(char::is_control) {
            Ok(())
        } else {
            bad(": the path of a serial port begins with a slash, so there are three in a row")
        }
    } else if text.starts_with("usb:") {
        let message = "takes no usb: address in this version; give the port's name under \
                       serial:///dev/serial/by-id/";
        Err(Problem::new("unsupported", message))
    } else if text.starts_with("/dev/") {
        let meant = Some(format!("serial://{text}"));
        Err(Problem::new("bad_address", format!("{forms}, not {}", words::quoted(text)))
            .suggest(meant))
    } else {
        bad("")
    }
}

fn host_is_well_formed(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.len() <= 253 && host.bytes().all(allowed)
}

fn source_type(text: &str) -> Result<(), Problem> {
    if SOURCE_TYPES.contains(&text) {
        Ok(())
    } else if LATER_SOURCE_TYPES.contains(&text) {
        let works = words::either(SOURCE_TYPES.iter().copied());
        let message = format!("“{text}” does not work in this version; {works} does");
        Err(Problem::new("unsupported", message))
    } else {
        Err(no_such_type(text, SOURCE_TYPES, LATER_SOURCE_TYPES))
    }
}

fn module_type(text: &str) -> Result<(), Problem> {
    if MODULE_TYPES.contains(&text) { Ok(()) } else { Err(no_such_type(text, MODULE_TYPES, &[])) }
}

fn no_such_type(text: &str, types: &[&str], later: &[&str]) -> Problem {
    let wanted = words::either(types.iter().copied());
    let message = format!("takes {wanted}; there is no type {}", words::quoted(text));
    let known = types.iter().chain(later).copied();
    Problem::new("unknown_type", message).suggest(words::nearest(text, known))
}

fn mount_point(text: &str) -> Result<(), Problem> {
    let path = text.strip_prefix('/').unwrap_or_default();
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    if !path.is_empty() && path.bytes().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "takes a slash and letters, digits, “-”, “_” or “.”, such as \"/pattern\", not {}",
        words::quoted(text)
    );
    let meant = (!text.starts_with('/') && !text.is_empty() && text.bytes().all(allowed))
        .then(|| format!("/{text}"));
    Err(Problem::new("bad_value", message).suggest(meant))
}

/// Width and height of `1280x720`.
pub(crate) fn resolution(text: &str) -> Option<(u32, u32)> {
    let side = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let pixels: u32 = digits.parse().ok()?;
        (plain && (SIDE.0..=SIDE.1).contains(&pixels)).then_some(pixels)
    };
    let (width, height) = text.split_once('x')?;
    Some((side(width)?, side(height)?))
}

/// Frames a second as a fraction.
pub(crate) fn framerate(value: &Value) -> Result<(u32, u32), Problem> {
    let (least, greatest) = FRAMES;
    let wanted =
        format!("takes frames a second from {least} to {greatest}, such as 30 or \"30000/1001\"");
    let rate = match value {
        Value::Int(number) => u32::try_from(*number).ok().map(|number| (number, 1)),
        Value::String(text) => text.split_once('/').and_then(|(above, below)| {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let both = digits(above) && digits(below);
            both.then(|| Some((above.parse().ok()?, below.parse().ok()?))).flatten()
        }),
        _ => return Err(wrong_type("a whole number or a fraction as text", value)),
    };
    // GStreamer's fractions are of signed numbers of 32 bits.
    let fits = |number: u32| i32::try_from(number).is_ok();
    match rate {
        Some((above, below)) if !fits(above) || !fits(below) => {
            let message = format!("{wanted}: {value} has more digits than a fraction can hold");
            Err(Problem::new("out_of_range", message))
        }
        Some((above, below))
            if below > 0
                && u64::from(above) >= u64::from(least) * u64::from(below)
                && u64::from(above) <= u64::from(greatest) * u64::from(below) =>
        {
            Ok((above, below))
        }
        Some(_) => Err(Problem::new("out_of_range", format!("{wanted}, not {value}"))),
        None if matches!(value, Value::Int(_)) => {
            Err(Problem::new("out_of_range", format!("{wanted}, not {value}")))
        }
        None => Err(bad(&wanted, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_three_forms() {
        for good in [
            "sim:",
            "tcp://192.0.2.21:5555",
            "tcp://[2001:db8::1]:5555",
            "tcp://psu-3.lab:1",
            "serial:///dev/serial/by-id/usb-FTDI-if00",
        ] {
            assert_eq!(address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "sim",
            "sim:x",
            "tcp://host",
            "tcp://:1",
            "tcp://host:0",
            "tcp://host:65536",
            "tcp://host:+1",
            "tcp://2001:db8::1:5555",
            "tcp://a b:1",
            "serial://dev/ttyUSB0",
            "serial:///",
            "/dev/ttyUSB0",
            "http://x:1",
        ] {
            assert_eq!(address(bad).unwrap_err().code, "bad_address", "{bad}");
        }
        assert_eq!(address("usb:1234:5678").unwrap_err().code, "unsupported");
    }

    #[test]
    fn framerates_are_whole_or_fractions() {
        assert_eq!(framerate(&Value::Int(30)), Ok((30, 1)));
        assert_eq!(framerate(&"30000/1001".into()), Ok((30_000, 1_001)));
        for bad in ["0/1", "1/0", "121/1", "1/2", "30", "-30/1", "a/b", "+30/1", "99999999999/1"] {
            assert!(framerate(&bad.into()).is_err(), "{bad}");
        }
        assert!(framerate(&Value::Int(0)).is_err());
        assert!(framerate(&Value::Int(i64::MAX)).is_err());
        assert!(framerate(&Value::Float(30.0)).is_err());
    }

    #[test]
    fn resolutions_are_plain_numbers_with_an_x() {
        assert_eq!(resolution("1280x720"), Some((1280, 720)));
        for bad in ["1280", "1280X720", "8x8", "5000x720", "x", "+640x480", "640x480x2", "640 x480"]
        {
            assert_eq!(resolution(bad), None, "{bad}");
        }
    }
}

//! Addresses as other programs write them.

/// What a foreign address comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Today's form.
    Address(String),
    /// A network host, and no port in it.
    Host(String),
    /// None that can be translated, and why.
    Unclear(&'static str),
}

pub(super) fn translate(text: &str) -> Found {
    let text = text.trim();
    let lower = text.to_lowercase();
    if text == "sim:" || lower.starts_with("tcp://") && network(&text[6..]).is_some() {
        return Found::Address(format!("{}{}", &lower[..4], &text[4..]));
    }
    if lower.starts_with("serial:///") {
        return Found::Address(format!("serial{}", &text[6..]));
    }
    for scheme in ["socket://", "tcp://", "tcp:"] {
        if lower.starts_with(scheme) {
            return host(&text[scheme.len()..]);
        }
    }
    for scheme in ["serial://", "serial:", "file://"] {
        if lower.starts_with(scheme) {
            return translate_path(&text[scheme.len()..]);
        }
    }
    if lower.starts_with("usb:") {
        return Found::Address(text.to_owned());
    }
    if text.contains("::") && !text.starts_with('[') {
        return visa(text);
    }
    if text.starts_with('/') || lower.starts_with("tty") || lower.starts_with("com") {
        return translate_path(text);
    }
    host(text)
}

fn translate_path(path: &str) -> Found {
    if is_windows_port(path) {
        return Found::Unclear(
            "COM ports are of Windows; here a port has a name such as \
             serial:///dev/serial/by-id/NAME",
        );
    }
    if path.starts_with('/') {
        return Found::Address(format!("serial://{path}"));
    }
    let device = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if path.starts_with("tty") && device {
        return Found::Address(format!("serial:///dev/{path}"));
    }
    if path.contains('.') { host(path) } else { Found::Unclear("it is no address that is known") }
}

fn is_windows_port(text: &str) -> bool {
    let text = text.strip_prefix(r"\\.\").unwrap_or(text);
    text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("com"))
        && text.get(3..).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// `HOST:PORT`, or a host alone.
fn host(text: &str) -> Found {
    if is_windows_port(text) {
        return translate_path(text);
    }
    if network(text).is_some() {
        return Found::Address(format!("tcp://{text}"));
    }
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    if !text.is_empty()
        && text.bytes().all(name)
        && text.contains(|c: char| c.is_ascii_alphanumeric())
    {
        return Found::Host(text.to_owned());
    }
    Found::Unclear("it is no address that is known")
}

/// Host and port, where there are both. The port may be out of range: a check says so.
fn network(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let digits = !port.is_empty() && port.len() <= 9 && port.bytes().all(|b| b.is_ascii_digit());
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let named = !host.is_empty() && host.bytes().all(name);
    (digits && (bracketed || named)).then_some((host, port))
}

/// `TCPIP0::HOST::PORT::SOCKET`, `ASRL/dev/ttyUSB0::INSTR`
fn visa(text: &str) -> Found {
    let parts: Vec<&str> = text.split("::").collect();
    let kind = parts.first().map(|kind| kind.to_uppercase()).unwrap_or_default();
    match parts.as_slice() {
        [_, host, port, last]
            if kind.starts_with("TCPIP")
                && last.eq_ignore_ascii_case("SOCKET")
                && network(&format!("{host}:{port}")).is_some() =>
        {
            Found::Address(format!("tcp://{host}:{port}"))
        }
        [first, ..] if kind.starts_with("ASRL/") => {
            Found::Address(format!("serial://{}", first.get(4..).unwrap_or_default()))
        }
        _ if kind.starts_with("TCPIP") => Found::Unclear(
            "VXI-11 and HiSLIP are not spoken here; most such devices have a port for plain \
             commands too, tcp://HOST:5025",
        ),
        _ => Found::Unclear("VISA names other than TCPIP…SOCKET and ASRL/dev/… lead nowhere here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_many_forms() {
        for (given, expected) in [
            ("sim:", "sim:"),
            ("tcp://192.0.2.21:5555", "tcp://192.0.2.21:5555"),
            ("TCP://psu.lab:5555", "tcp://psu.lab:5555"),
            ("socket://psu.lab:5555", "tcp://psu.lab:5555"),
            ("192.0.2.21:5555", "tcp://192.0.2.21:5555"),
            ("psu-3:5555", "tcp://psu-3:5555"),
            ("[2001:db8::1]:5555", "tcp://[2001:db8::1]:5555"),
            ("psu:70000", "tcp://psu:70000"),
            ("/dev/ttyUSB0", "serial:///dev/ttyUSB0"),
            ("ttyUSB0", "serial:///dev/ttyUSB0"),
            ("serial:///dev/ttyS1", "serial:///dev/ttyS1"),
            ("serial:/dev/ttyS1", "serial:///dev/ttyS1"),
            ("TCPIP0::192.0.2.1::5025::SOCKET", "tcp://192.0.2.1:5025"),
            ("ASRL/dev/ttyUSB0::INSTR", "serial:///dev/ttyUSB0"),
            ("usb:1234:5678", "usb:1234:5678"),
        ] {
            assert_eq!(translate(given), Found::Address(expected.to_owned()), "{given}");
        }
        for given in ["192.0.2.21", "psu.lab", "comet.lab"] {
            assert_eq!(translate(given), Found::Host(given.to_owned()));
        }
        for given in [
            "COM3",
            "com12",
            r"\\.\COM10",
            "ASRL3::INSTR",
            "TCPIP::h::INSTR",
            "GPIB0::9::INSTR",
            "",
            "a b",
            "ü",
            "http://x:1",
            "tcp://",
            "tcp:ü",
            "::",
            "🎥🎥",
        ] {
            assert!(matches!(translate(given), Found::Unclear(_)), "{given}");
        }
    }
}

//! Where an instrument is: `tcp://HOST:PORT`, `serial:///dev/NAME`, `sim:`.

use std::{fmt, str::FromStr};

/// A parsed address. `Display` writes what `FromStr` reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A raw socket.
    Tcp {
        /// Host name or IP address; IPv6 without brackets.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// A serial line.
    Serial {
        /// The device file, absolute.
        path: String,
    },
    /// The simulator that every driver comes with.
    Sim,
}

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{text}” is not an address: {reason}; write tcp://HOST:PORT, serial:///dev/NAME, or sim: for \
     the simulator"
)]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |reason| AddressError { text: text.to_owned(), reason };
        if text == "sim:" {
            return Ok(Self::Sim);
        }
        if let Some(path) = text.strip_prefix("serial://") {
            if !path.starts_with('/') || path.len() < 2 {
                return Err(wrong("the device file must be an absolute path"));
            }
            return Ok(Self::Serial { path: path.to_owned() });
        }
        let Some(rest) = text.strip_prefix("tcp://") else {
            return Err(wrong("the part before the colon is not known"));
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(|| wrong("the port is missing"))?;
        let port: u16 = port.parse().map_err(|_| wrong("the port is not a number to 65535"))?;
        if port == 0 {
            return Err(wrong("port 0 cannot be connected to"));
        }
        let bare = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or_else(|| wrong("a ] is missing"))?,
            None if host.contains(':') => return Err(wrong("an IPv6 address needs [ ] around it")),
            None => host,
        };
        if bare.is_empty() || bare.contains(|c: char| c.is_whitespace() || c == '/' || c == '@') {
            return Err(wrong("the host is not a name or an IP address"));
        }
        Ok(Self::Tcp { host: bare.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(out, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(out, "tcp://{host}:{port}"),
            Self::Serial { path } => write!(out, "serial://{path}"),
            Self::Sim => out.write_str("sim:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written_back() {
        for text in
            ["sim:", "tcp://192.0.2.21:5555", "tcp://[::1]:5025", "serial:///dev/serial/by-id/x"]
        {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refused_with_a_reason() {
        for text in [
            "",
            "sim",
            "tcp://host",
            "tcp://:5555",
            "tcp://h:99999",
            "tcp://h:0",
            "tcp://::1:5",
            "serial://ttyUSB0",
            "gpib::4",
            "tcp://a b:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}

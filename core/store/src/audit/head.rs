//! `audit.head`: number and hash of the last record, so that one that is cut off or changed shows.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Bytes of a head: 20 digits, a space, 64 digits, a line end.
const LENGTH: usize = 86;

/// Number and hash of a record that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
}

/// What was found in the place of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Head(Head),
    /// Nothing: a log of an older version, or it was removed.
    None,
    /// It vouches for nothing: why, to be put behind its name.
    Useless(String),
    /// Whether it is there and what is in it, the system does not tell.
    Unreadable(String),
}

impl Found {
    pub(super) fn read(path: &Path) -> Self {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::None,
            Err(error) => return Self::Unreadable(format!("cannot be read: {error}")),
        };
        match Head::parse(&bytes) {
            Some(head) => Self::Head(head),
            None => Self::Useless(if bytes.iter().all(|byte| *byte == 0) {
                "is empty, as a power cut may leave it".to_owned()
            } else if is_beginning(&bytes) {
                "is half of what it was, as a power cut may leave it".to_owned()
            } else {
                "holds something else than it should".to_owned()
            }),
        }
    }

    pub(super) fn head(&self) -> Option<&Head> {
        match self {
            Self::Head(head) => Some(head),
            _ => None,
        }
    }

    /// Why nothing vouches for the end of a log with so many lines, in a sentence; `None` if
    /// something does, or there is nothing to vouch for.
    pub(super) fn doubt(&self, lines: u64) -> Option<String> {
        let why = match self {
            Self::Head(_) => return None,
            Self::None | Self::Unreadable(_) if lines == 0 => return None,
            Self::None => "is not there",
            Self::Useless(why) | Self::Unreadable(why) => why,
        };
        Some(format!(
            "audit.head {why}: whether records were cut off behind record {lines} cannot be told."
        ))
    }
}

/// Whether what there is could become a head.
fn is_beginning(bytes: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        0..20 => byte.is_ascii_digit(),
        20 => *byte == b' ',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes.len() < LENGTH && bytes.iter().enumerate().all(fits)
}

impl Head {
    /// Out of a line as it is written; none is about a record 0.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() == LENGTH)?;
        let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        let digits = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
        digits.then(|| Self { seq, hash: hash.to_owned() })
    }

    /// Puts it in the place of the one before. The log is on the disk already; this may get there
    /// when it likes, so that a record still costs one wait.
    pub(super) fn write(&self, path: &Path) {
        if let Err(error) = self.try_write(path) {
            tracing::debug!(file = %path.display(), %error, "the end of the audit log is not vouched for");
        }
    }

    fn try_write(&self, path: &Path) -> io::Result<()> {
        // Always the same length: written over in one go, nothing is ever cut off.
        let line = format!("{:020} {}\n", self.seq, self.hash);
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        file.write_all(line.as_bytes())?;
        // What somebody added behind it would make it useless from now on.
        let length = line.len() as u64;
        if file.metadata()?.len() != length { file.set_len(length) } else { Ok(()) }
    }

    /// What is wrong with a log that does not have this record, in a sentence; `lines` is what it
    /// has, `changed` whether it has another one of that number.
    pub(super) fn contradicted(&self, lines: u64, changed: bool) -> String {
        if changed {
            return format!("Record {} is not the one that was written.", self.seq);
        }
        match lines + 1 {
            first if first == self.seq => format!("Record {first} is missing at its end."),
            first => format!("Records {first} to {} are missing at its end.", self.seq),
        }
    }
}

//! File names of revisions: `config-20261121T104207.123Z-1a2b3c4d-before-beam-time.toml`.

use std::fmt;

use jiff::{Timestamp, fmt::strtime};

const STAMP: &str = "%Y%m%dT%H%M%S%.3fZ";

/// A time to the millisecond, as it is in file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stamp(Timestamp);

impl From<Timestamp> for Stamp {
    fn from(at: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
    }
}

impl From<Stamp> for Timestamp {
    fn from(stamp: Stamp) -> Self {
        stamp.0
    }
}

/// What the file name of a revision says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionName {
    pub(super) stamp: Stamp,
    pub(super) short_hash: String,
    pub(super) label: Option<String>,
}

impl VersionName {
    /// Reads a file name; `None` if it is not that of a revision.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("config-")?.strip_suffix(".toml")?;
        let (stamp, rest) = rest.split_once('-')?;
        let (short_hash, label) = match rest.split_once('-') {
            Some((hash, label)) => (hash, Some(label.to_owned())),
            None => (rest, None),
        };
        let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if short_hash.len() != 8 || !short_hash.chars().all(is_hex) {
            return None;
        }
        let civil = strtime::parse(STAMP, stamp).ok()?.to_datetime().ok()?;
        let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self { stamp: at.into(), short_hash: short_hash.to_owned(), label })
    }

    /// What stays the same when someone puts a label into the name.
    pub(super) fn key(&self) -> String {
        format!("{}-{}", self.stamp.0.strftime(STAMP), self.short_hash)
    }
}

impl fmt::Display for VersionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config-{}", self.key())?;
        if let Some(label) = &self.label {
            write!(f, "-{label}")?;
        }
        f.write_str(".toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [
            "config-20261121T104207.123Z-1a2b3c4d.toml",
            "config-20261121T104207.000Z-00000000-before-beam.time_2.toml",
        ] {
            assert_eq!(VersionName::parse(name).unwrap().to_string(), name);
        }
        let name = VersionName::parse("config-20261121T104207.123Z-1a2b3c4d-x.toml").unwrap();
        assert_eq!(Timestamp::from(name.stamp).to_string(), "2026-11-21T10:42:07.123Z");
        assert_eq!(name.key(), "20261121T104207.123Z-1a2b3c4d");
    }

    #[test]
    fn other_files_are_not_revisions() {
        for name in [
            "bench.toml",
            "config-20261121T104207.123Z-1a2b3c4d.toml~",
            "config-20261121T104207.123Z-1a2b3c4.toml",
            "config-20261321T104207.123Z-1a2b3c4d.toml",
            "config-yesterday-1a2b3c4d.toml",
            ".config-20261121T104207.123Z-1a2b3c4d.toml.setpoint-0a1b2c3d.tmp",
        ] {
            assert_eq!(VersionName::parse(name), None, "{name}");
        }
    }
}

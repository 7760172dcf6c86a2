//! The way to a key: `instruments.psu.set.ch1.voltage`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The names from the top of the file to a key. Written, parsed and serialised as TOML writes a
/// dotted key: `instruments."odd name".type`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct KeyPath(Vec<String>);

/// A text that is not a dotted key.
#[derive(Debug, thiserror::Error)]
#[error("“{text}” is not a path of keys such as instruments.psu.set.ch1.voltage")]
pub struct PathError {
    /// What was given.
    pub text: String,
}

impl KeyPath {
    /// From names, outermost first.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The names, outermost first.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the top of the file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This path and one name more.
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }

    /// This path without its last name; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The last name.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Whether `self` is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The instrument and parameter that `instruments.<id>.set.<parameter>` names, the parameter
    /// as its driver writes it (`ch1.voltage`).
    pub fn as_setpoint(&self) -> Option<(&str, String)> {
        match self.0.as_slice() {
            [top, id, set, parameter @ ..]
                if top == "instruments" && set == "set" && !parameter.is_empty() =>
            {
                Some((id, parameter.join(".")))
            }
            _ => None,
        }
    }

    /// The path of an instrument's setpoint; `parameter` is dotted, as its driver writes it.
    pub fn setpoint(instrument: &str, parameter: &str) -> Self {
        let mut names = vec!["instruments".to_owned(), instrument.to_owned(), "set".to_owned()];
        names.extend(parameter.split('.').map(str::to_owned));
        Self(names)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(out, "{dot}{}", toml_edit::Key::new(name.as_str()))?;
        }
        Ok(())
    }
}

impl FromStr for KeyPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let keys = toml_edit::Key::parse(text).map_err(|_| PathError { text: text.to_owned() })?;
        Ok(Self(keys.into_iter().map(|key| key.get().to_owned()).collect()))
    }
}

impl Serialize for KeyPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

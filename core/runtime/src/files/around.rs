//! What is around the texts of a bench: on the disk, as it is known, or what once was.

use std::sync::Arc;

use setpoint_bench::layers::{Surroundings, Unreadable, WithTexts};
use setpoint_store::DiskSurroundings;

use crate::doubt::DOT_ENV;

/// What was there when the files were read last.
#[derive(Debug)]
pub(super) struct Known {
    /// All but `.env`.
    pub(super) names: Vec<String>,
    pub(super) dot_env: Option<Arc<str>>,
    /// Why nothing else is known.
    pub(super) why: String,
}

/// What is around the texts of a bench: on the disk, or as it is known.
pub(super) struct Around {
    pub(super) disk: DiskSurroundings,
    /// The bench file's.
    pub(super) name: Arc<str>,
    pub(super) known: Option<Arc<Known>>,
    /// What `.env` is taken to hold, whatever it does.
    pub(super) dot_env: Option<Arc<str>>,
}

impl Surroundings for Around {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        if let Some(dot_env) = self.dot_env.as_ref().filter(|_| name == DOT_ENV) {
            return Ok(dot_env.clone());
        }
        let Some(known) = &self.known else { return self.disk.file(name) };
        if name == DOT_ENV {
            return known.dot_env.clone().ok_or(Unreadable::Missing);
        }
        // An overlay that there was not is none; of anything else nobody knows.
        let stem = self.name.strip_suffix(".toml").unwrap_or(&self.name);
        let overlay = name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'));
        Err(if overlay { Unreadable::Missing } else { Unreadable::Other(known.why.clone()) })
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        let Some(known) = &self.known else { return self.disk.matching(pattern) };
        let names: Vec<&str> = known.names.iter().map(String::as_str).collect();
        self.disk.among(pattern, &names)
    }

    fn allows(&self, path: &str) -> bool {
        self.disk.allows(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.disk.variable(name)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.disk.variables()
    }
}

/// The files of a text that ran once, and none beside them: for going back to it.
pub(super) struct Closed<'s> {
    pub(super) texts: WithTexts<'s>,
    pub(super) names: Vec<&'s str>,
    pub(super) inner: &'s Around,
}

impl Surroundings for Closed<'_> {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        if name == DOT_ENV || self.names.contains(&name) {
            return self.texts.file(name);
        }
        Err(Unreadable::Missing)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        self.inner.disk.among(pattern, &self.names)
    }

    fn allows(&self, path: &str) -> bool {
        self.inner.allows(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.inner.variable(name)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.inner.variables()
    }
}

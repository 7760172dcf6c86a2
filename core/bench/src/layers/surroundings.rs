//! What layers take from outside: files and variables.

use std::{collections::HashMap, sync::Arc};

/// Everything that reading a bench in layers asks of the outside. Names of files are relative to
/// the folder of the main file, parted by slashes, and never lead out of that folder; an absolute
/// one is asked for only where [`Surroundings::allows`] says so.
pub trait Surroundings {
    /// The text of a file.
    ///
    /// # Errors
    /// [`Unreadable`], which tells a file that is not there from one that cannot be read.
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable>;

    /// The names of all files that a pattern such as `cameras/*.toml` matches, sorted. `*` and `?`
    /// do not match a slash, `**` matches any folders, `[ab]` one of several characters; a name
    /// that begins with a dot is matched only by a pattern that says so.
    ///
    /// # Errors
    /// [`Unreadable::Other`] if the pattern is not one, or a folder cannot be listed.
    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable>;

    /// Whether a file outside of the bench's folder may be included: `path` is absolute, without
    /// `.` and `..`.
    fn allows(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// One variable of the process environment; `None` if it is not set or not text.
    fn variable(&self, name: &str) -> Option<String>;

    /// All variables of the process environment whose names begin with `SETPOINT__`.
    fn variables(&self) -> Vec<(String, String)>;

    /// A secret by its name. Until there are other keepers of secrets it comes from the process
    /// environment: `SETPOINT_SECRET_NAME`, else `NAME`.
    fn secret(&self, name: &str) -> Option<String> {
        self.variable(&format!("{SECRET}{name}")).or_else(|| self.variable(name))
    }
}

/// What the name of a variable begins with that holds a secret and nothing else.
pub(super) const SECRET: &str = "SETPOINT_SECRET_";

/// Why a file gives no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There is nothing of that name.
    #[error("it does not exist")]
    Missing,
    /// It holds bytes that are not UTF-8.
    #[error(
        "it is not UTF-8 text, first at line {line}, column {column}; save it in the encoding UTF-8"
    )]
    NotUtf8 {
        /// Line of the first bad byte, from 1.
        line: usize,
        /// Column of the first bad byte in characters, from 1.
        column: usize,
    },
    /// It is not in the bench's folder, whatever its name says; the sentence says where it is.
    #[error("{0}")]
    Outside(String),
    /// It is there and must not be used, because of who else could have written it.
    #[error("{0}")]
    NotAllowed(String),
    /// Anything else, in a sentence for people.
    #[error("{0}")]
    Other(String),
}

impl Unreadable {
    /// The stable name of the finding for a file that is there and gives no text.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Outside(_) => "include_outside",
            Self::NotAllowed(_) => "not_allowed",
            Self::Missing | Self::NotUtf8 { .. } | Self::Other(_) => "unreadable",
        }
    }
}

/// Surroundings as they would be with other texts in some files: for checking what is not saved
/// yet.
pub struct WithTexts<'a> {
    texts: HashMap<String, Arc<str>>,
    inner: &'a dyn Surroundings,
}

impl<'a> WithTexts<'a> {
    /// The same as `inner`, so far.
    pub fn new(inner: &'a dyn Surroundings) -> Self {
        Self { texts: HashMap::new(), inner }
    }

    /// From now on the file has this text; its name is relative to the bench's folder. Patterns
    /// match it only if it is there already.
    pub fn put(&mut self, file: &str, text: impl Into<Arc<str>>) {
        self.texts.insert(file.to_owned(), text.into());
    }
}

impl Surroundings for WithTexts<'_> {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        self.texts.get(name).cloned().map_or_else(|| self.inner.file(name), Ok)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        self.inner.matching(pattern)
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

    fn secret(&self, name: &str) -> Option<String> {
        self.inner.secret(name)
    }
}

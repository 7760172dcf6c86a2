//! Changing keys in a text, every byte that is not concerned kept.

mod annotate;
mod batch;
mod expected;
mod inline;
mod insert;
mod keys;
mod layout;
mod list;
mod number;
mod order;
mod pass;
mod puts;
mod references;
mod remove;
mod rename;
mod render;
mod replace;
mod shift;
mod spelling;
#[cfg(test)]
mod tests;
mod touches;
mod way;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use self::{expected::Expected, keys::Keys, pass::Pass};
pub use self::{references::references, touches::touches};
use crate::{
    document::{self, Document},
    path::KeyPath,
    value::Value,
};

/// What one key is to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The key.
    pub path: KeyPath,
    /// Its value from now on; `None` removes it, and with it everything below it.
    pub value: Option<Value>,
}

/// One change to a text: of what it says, or of where and under which name it says so.
#[derive(Debug, Clone, PartialEq)]
pub enum TextEdit {
    /// Sets or removes a key.
    Put(Edit),
    /// Gives a key another last name, in every header and dotted key that spells it. What refers
    /// to it is not changed; see [`references`].
    Rename {
        /// The key as it is called now.
        path: KeyPath,
        /// Its last name from now on.
        name: String,
    },
    /// Puts a key somewhere else, with its comments and the bytes of its value.
    Move {
        /// The key.
        path: KeyPath,
        /// Where to.
        to: Spot,
    },
}

/// Where a key is moved to.
#[derive(Debug, Clone, PartialEq)]
pub enum Spot {
    /// In front of the key of this name in the same table.
    Before(String),
    /// Behind the key of this name in the same table.
    After(String),
    /// To the end of another table, which is made if it is not there.
    Into(KeyPath),
}

impl TextEdit {
    /// Sets a key.
    pub fn set(path: KeyPath, value: impl Into<Value>) -> Self {
        Self::Put(Edit { path, value: Some(value.into()) })
    }

    /// Removes a key and everything below it.
    pub fn remove(path: KeyPath) -> Self {
        Self::Put(Edit { path, value: None })
    }

    /// Gives a key another last name.
    pub fn rename(path: KeyPath, name: impl Into<String>) -> Self {
        Self::Rename { path, name: name.into() }
    }

    /// The edits that make a key another one: a new name, a new table, or both.
    pub fn moved(path: KeyPath, to: &KeyPath) -> Vec<Self> {
        let (Some(name), Some(table)) = (to.last(), to.parent()) else {
            // There is no such key, which the first of them says.
            return vec![Self::Move { path, to: Spot::Into(to.clone()) }];
        };
        let mut edits = Vec::new();
        let mut now = path.clone();
        if path.parent().as_ref() != Some(&table) {
            now = table.child(path.last().unwrap_or_default());
            edits.push(Self::Move { path, to: Spot::Into(table) });
        }
        if now.last() != Some(name) {
            edits.push(Self::rename(now, name));
        }
        edits
    }

    /// The key that is changed, as it is called before.
    pub fn path(&self) -> &KeyPath {
        match self {
            Self::Put(edit) => &edit.path,
            Self::Rename { path, .. } | Self::Move { path, .. } => path,
        }
    }

    /// The key after the edit; of one that is set or removed, the same.
    pub fn target(&self) -> KeyPath {
        let path = self.path();
        match self {
            Self::Rename { name, .. } => path.parent().unwrap_or_default().child(name),
            Self::Move { to: Spot::Into(table), .. } => {
                table.child(path.last().unwrap_or_default())
            }
            Self::Move { .. } | Self::Put(_) => path.clone(),
        }
    }

    /// The key that one is to stand beside.
    pub fn anchor(&self) -> Option<KeyPath> {
        match self {
            Self::Move { path, to: Spot::Before(name) | Spot::After(name) } => {
                Some(path.parent().unwrap_or_default().child(name))
            }
            _ => None,
        }
    }

    /// Every key that it is about.
    fn keys(&self) -> Vec<KeyPath> {
        let keys = [Some(self.path().clone()), Some(self.target()), self.anchor()];
        keys.into_iter().flatten().collect()
    }
}

impl From<Edit> for TextEdit {
    fn from(edit: Edit) -> Self {
        Self::Put(edit)
    }
}

/// How texts are edited.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// Leave remarks in the text: `# Added dynamically: …` above what is added, `# Removed: …`
    /// where a component was, `# changed …, was …` behind a changed value. The time that they
    /// tell, in UTC to the second: `2026-01-31T12:00:00Z`.
    pub annotate: Option<&'o str>,
}

/// Why a text could not be edited.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML to begin with.
    #[error("the text is not TOML: {0}")]
    Syntax(String),
    /// A key on the way is not a table.
    #[error("{path} cannot be set: {blocker} is a {found}, not a table")]
    NotATable {
        /// The key to be set.
        path: KeyPath,
        /// The key in its way.
        blocker: KeyPath,
        /// What that holds.
        found: &'static str,
    },
    /// There is nothing to remove.
    #[error("{path} cannot be removed: it is not in the file")]
    Missing {
        /// The key to be removed.
        path: KeyPath,
    },
    /// There is nothing to rename or to move.
    #[error("{path} cannot be renamed or moved: {absent} is not in the file")]
    Absent {
        /// The key to be renamed or moved.
        path: KeyPath,
        /// The key that is not there: itself, or the one that it is to stand beside.
        absent: KeyPath,
    },
    /// The new name or place is taken.
    #[error("{path} cannot become {taken}: that is in the file already; remove it first")]
    Taken {
        /// The key to be renamed or moved.
        path: KeyPath,
        /// What it would be called.
        taken: KeyPath,
    },
    /// A table would hold itself.
    #[error("{path} cannot be moved into {into}, which is a part of it")]
    IntoItself {
        /// The table to be moved.
        path: KeyPath,
        /// Where to.
        into: KeyPath,
    },
    /// Plain keys stand before tables with headers.
    #[error("{path} cannot stand next to {beside}: keys come before tables that have headers")]
    NotBeside {
        /// The key to be moved.
        path: KeyPath,
        /// Where to.
        beside: KeyPath,
    },
    /// A name is longer than a key may have.
    #[error("a name in the key is {bytes} bytes long; a key may have {}", document::LONGEST_KEY)]
    LongName {
        /// Its length.
        bytes: usize,
    },
    /// The time for remarks is none.
    #[error("“{0}” is not a time in UTC such as 2026-01-31T12:00:00Z")]
    Time(String),
    /// Edits of the same keys, one after the other, of which each would need the text to be read.
    #[error(
        "too many of these edits build on each other, {path} among them: make them in several steps"
    )]
    TooMany {
        /// The key that was next.
        path: KeyPath,
    },
    /// The edited text would not read back as asked; nothing was changed. A defect of this crate.
    #[error("{path} cannot be edited in place here; please edit the file by hand")]
    NotProven {
        /// The first key that would read back otherwise.
        path: KeyPath,
    },
}

/// Edits that build on each other need the text to be read in between: so many bytes at most.
const MOST_READ: usize = 256 << 20;

/// The text with all edits in it, in order; or none of them. See [`apply_with`].
///
/// # Errors
/// See [`EditError`].
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let edits: Vec<TextEdit> = edits.iter().cloned().map(TextEdit::Put).collect();
    apply_with(text, &edits, &Options::default())
}

/// The text with all edits in it, in order; or none of them.
///
/// A changed value is replaced where it stands, written the way the old one was. An added key
/// follows the last one of its table; a removed one goes with its line. Comments on lines of
/// their own stay. What comes out was read again and says what was asked for.
///
/// The text may be a part of a file that is a text of its own, such as all headers and keys of one
/// component; see [`touches`].
///
/// # Errors
/// See [`EditError`].
pub fn apply_with(
    text: &str,
    edits: &[TextEdit],
    options: &Options<'_>,
) -> Result<String, EditError> {
    if let Some(time) = options.annotate.filter(|time| !annotate::is_time(time)) {
        return Err(EditError::Time(time.to_owned()));
    }
    if let Some(bytes) = edits.iter().map(longest_name).max()
        && bytes > document::LONGEST_KEY
    {
        return Err(EditError::LongName { bytes });
    }
    let first = Document::parse(text).map_err(|error| EditError::Syntax(error.to_string()))?;
    let mut expected = Expected::new(first.values());
    let mut jobs = expected.jobs(edits)?;
    let mut current: Option<Document> = None;
    let mut read = 0_usize;
    // A text that nothing is left of begins the next pass with a line end, which is not its own.
    let mut lent = false;
    loop {
        let document = current.as_ref().unwrap_or(&first);
        let mut pass = Pass::new(document, options.annotate);
        // What meets something that is not in the text yet waits for the next pass, and so does
        // what comes after that and concerns the same keys.
        let mut waiting = VecDeque::new();
        let mut held = Keys::default();
        for job in jobs {
            let paths = job.paths();
            let rest = if paths.iter().any(|path| held.concern(path)) {
                Some(job)
            } else {
                pass.take(job)?
            };
            if let Some(rest) = rest {
                paths.iter().for_each(|path| held.note(path));
                waiting.push_back(rest);
            }
        }
        jobs = pass.finish().into();
        jobs.append(&mut waiting);
        let text = pass.written();
        let text = if lent { without_first_line_end(text) } else { text };
        let Some(next) = jobs.front() else {
            let text = with_ending_of(first.text(), text);
            return expected.holds(&text, edits).map(|()| text);
        };
        read = read.saturating_add(text.len());
        if read > MOST_READ {
            return Err(EditError::TooMany { path: next.path() });
        }
        let not_proven = |_| EditError::NotProven { path: next.path() };
        lent = is_empty(&text) && first.text().contains('\n');
        let text = with_line_end_of(first.text(), text);
        current = Some(Document::parse(&text).map_err(not_proven)?);
    }
}

/// Bytes of the longest name that an edit puts into a text.
fn longest_name(edit: &TextEdit) -> usize {
    fn of_path(path: &KeyPath) -> usize {
        path.names().iter().map(String::len).max().unwrap_or(0)
    }
    fn of_value(value: &Value) -> usize {
        match value {
            Value::Table(table) => {
                let names = table.iter().map(|(name, value)| name.len().max(of_value(value)));
                names.max().unwrap_or(0)
            }
            Value::Array(items) => items.iter().map(of_value).max().unwrap_or(0),
            _ => 0,
        }
    }
    match edit {
        TextEdit::Put(Edit { path, value: Some(value) }) => of_path(path).max(of_value(value)),
        TextEdit::Rename { name, .. } => name.len(),
        TextEdit::Move { to: Spot::Into(path), .. } => of_path(path),
        TextEdit::Put(_) | TextEdit::Move { .. } => 0,
    }
}

/// A text whose last line has an end if that of the one before it has, unless one of them is empty.
fn with_ending_of(before: &str, mut text: String) -> String {
    if is_empty(before) || is_empty(&text) || before.ends_with('\n') == text.ends_with('\n') {
        return text;
    }
    if before.ends_with('\n') {
        text.push_str(layout::line_end(before, before.len()));
    } else {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    text
}

/// Whether nothing is left of a text, but for its byte order mark.
fn is_empty(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').is_empty()
}

fn without_first_line_end(mut text: String) -> String {
    let at = text.len() - text.trim_start_matches('\u{feff}').len();
    let rest = text.get(at..).unwrap_or_default();
    let end = ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end)).map_or(0, |end| end.len());
    text.replace_range(at..at + end, "");
    text
}

/// A text that still tells how lines end, for the next pass.
fn with_line_end_of(before: &str, mut text: String) -> String {
    if before.contains('\n') && !text.contains('\n') {
        text.push_str(layout::line_end(before, before.len()));
    }
    text
}

//! What differs between two benches, key by key, and between two texts, line by line.

mod keys;
mod lines;
mod pairs;
mod parts;
mod unified;
mod words;

use serde::{Deserialize, Serialize};

pub use keys::diff;
pub(crate) use keys::is_component;
pub use lines::side_by_side;
pub use parts::{MOST_PARTS, PartChange, by_part, common_path, part_changes, part_name, part_of};
pub use unified::{Entry, one_column, unified};

use crate::{edit::Edit, layers::quiet, path::KeyPath, value::Value};

/// How a key differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only in the second bench.
    Added,
    /// Only in the first.
    Removed,
    /// In both, with another value.
    Changed,
}

/// What a change does to what is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing runs differently.
    None,
    /// Set while everything runs.
    Live,
    /// A stream changes shape, its viewers stay connected.
    Renegotiate,
    /// This one component starts again, nothing else notices.
    Restart,
    /// A device or stream is opened.
    Connect,
    /// A device or stream is closed.
    Disconnect,
}

/// One key that differs. Serialises to the shape that `diff --format json` prints, in which what
/// is secret is dots, as in [`Change::shown`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Shown")]
pub struct Change {
    /// How it differs.
    pub kind: ChangeKind,
    /// The key; a whole instrument, source or module that was added or removed is one change.
    pub path: KeyPath,
    /// Its value in the first bench.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old: Option<Value>,
    /// Its value in the second.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new: Option<Value>,
    /// What it does to what is running.
    pub effect: Effect,
}

/// A change as programs get to see it.
#[derive(Serialize)]
struct Shown {
    kind: ChangeKind,
    path: KeyPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
    effect: Effect,
}

impl From<Change> for Shown {
    fn from(change: Change) -> Self {
        let Change { kind, path, old, new, effect } = change.shown();
        Self { kind, path, old, new, effect }
    }
}

impl Change {
    /// The change as it may be shown: dots in place of values of keys that are secret by
    /// themselves.
    #[must_use]
    pub fn shown(&self) -> Self {
        let quiet = |value: &Option<Value>| value.as_ref().map(|value| quiet(&self.path, value));
        Self { old: quiet(&self.old), new: quiet(&self.new), path: self.path.clone(), ..*self }
    }

    /// The edit that makes the first bench say what the second says of this key.
    pub fn edit(&self) -> Edit {
        Edit { path: self.path.clone(), value: self.new.clone() }
    }

    /// Whether it is about a key, one above it or one below it.
    pub fn concerns(&self, path: &KeyPath) -> bool {
        self.path.starts_with(path) || path.starts_with(&self.path)
    }
}

/// A stretch of a line in a side-by-side view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The characters.
    pub text: String,
    /// Whether this is what differs inside a changed line.
    pub emphasised: bool,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// It is the last one, and nothing ends it.
    Open,
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
}

impl LineEnd {
    /// The characters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// One line of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Number in its own text, from 1.
    pub number: usize,
    /// The line without its end, cut where emphasis begins and ends.
    pub pieces: Vec<Piece>,
    /// How it ends; lines are not told apart by it.
    pub end: LineEnd,
}

impl Line {
    /// The line without its end.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// One row of a side-by-side view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The same line on both sides.
    Same(Line, Line),
    /// A line that was changed, removed (`None` on the right) or added (`None` on the left).
    Differs(Option<Line>, Option<Line>),
    /// This many unchanged lines are left out.
    Folded(usize),
}

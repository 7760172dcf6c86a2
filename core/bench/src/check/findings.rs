//! Findings while they are being collected.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Severity},
    document::{Cursor, SyntaxError},
};

/// More findings than this help nobody; the rest is counted.
const MOST: usize = 10_000;

/// What is wrong with one value, apart from where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    /// What follows the key's name in the sentence: `takes a number, not text`.
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), suggestion: None }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

/// One finding before its line and column are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which of the texts it is in, as [`Place::origin`](crate::document::Place) counts them.
    pub origin: u16,
    /// Where in that text, in bytes.
    pub bytes: Range<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of the kind of finding.
    pub code: &'static str,
    /// The key it is about, as a dotted path.
    pub path: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Finding {
    /// Something that is not TOML.
    pub fn syntax(origin: u16, error: &SyntaxError) -> Self {
        Self {
            origin,
            bytes: error.bytes.clone(),
            severity: Severity::Error,
            code: "syntax",
            path: String::new(),
            message: error.message.clone(),
            suggestion: None,
        }
    }
}

/// Findings of one component: the first ten thousand, and the number of the rest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    list: Vec<Finding>,
    left_out: usize,
    errors: bool,
}

impl Findings {
    /// One more.
    pub fn add(&mut self, finding: Finding) {
        self.errors |= finding.severity == Severity::Error;
        if self.list.len() < MOST {
            self.list.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// All of another's, after those that are there.
    pub fn append(&mut self, other: Findings) {
        self.errors |= other.errors;
        self.left_out += other.left_out;
        let room = MOST.saturating_sub(self.list.len());
        self.left_out += other.list.len().saturating_sub(room);
        self.list.extend(other.list.into_iter().take(room));
    }

    /// Where a file cannot be read as a whole, nothing can be said to be missing.
    pub(crate) fn leave_out_what_may_be_there(&mut self) {
        self.list.retain(|finding| finding.code != "missing_key");
    }

    /// Whether there is an error among them, listed or not.
    pub fn any_error(&self) -> bool {
        self.errors
    }

    /// Those that are listed, in the order in which they were found.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// The same, to be moved to where their component stands.
    pub fn list_mut(&mut self) -> &mut [Finding] {
        &mut self.list
    }

    /// In file order, with lines and columns; `texts` are names and texts of the files, by origin.
    pub fn finish(mut self, texts: &[(&str, &str)]) -> Vec<Diagnostic> {
        if let (Some(last), true) = (texts.len().checked_sub(1), self.left_out > 0) {
            let end = texts.last().map_or(0, |(_, text)| text.len());
            self.list.push(Finding {
                origin: u16::try_from(last).unwrap_or(u16::MAX),
                bytes: end..end,
                severity: if self.errors { Severity::Error } else { Severity::Warning },
                code: "too_many",
                path: String::new(),
                message: format!("{} more findings are not listed", self.left_out),
                suggestion: None,
            });
        }
        self.list.sort_by_key(|finding| (finding.origin, finding.bytes.start));
        let mut at = None;
        let place = |finding: Finding| {
            let (file, text) = texts.get(usize::from(finding.origin)).copied().unwrap_or_default();
            // Findings of one text follow each other, so that each text is walked once.
            let cursor = match &mut at {
                Some((origin, cursor)) if *origin == finding.origin => cursor,
                _ => &mut at.insert((finding.origin, Cursor::new(text))).1,
            };
            Diagnostic {
                severity: finding.severity,
                code: finding.code.to_owned(),
                path: finding.path,
                message: finding.message,
                file: file.to_owned(),
                span: cursor.span(finding.bytes),
                suggestion: finding.suggestion,
            }
        };
        self.list.into_iter().map(place).collect()
    }
}

//! Findings while they are being collected.

use std::ops::Range;

use super::whole::Between;
use crate::{
    diagnostic::{Diagnostic, Severity, Span},
    document::{Cursor, SyntaxError},
};

/// More findings than this help nobody; the rest is counted.
pub(crate) const MOST: usize = 10_000;

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

impl Finding {
    fn placed(self, file: &str, span: Span) -> Diagnostic {
        Diagnostic {
            severity: self.severity,
            code: self.code.to_owned(),
            path: self.path,
            message: self.message,
            file: file.to_owned(),
            span,
            suggestion: self.suggestion,
        }
    }

    /// Moves it on by that many bytes.
    pub(crate) fn move_by(&mut self, bytes: u32) {
        self.bytes.start += bytes as usize;
        self.bytes.end += bytes as usize;
    }
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

    /// Keeps those of which `review` says so; it may change them.
    pub(crate) fn retain(&mut self, review: impl FnMut(&mut Finding) -> bool) {
        self.list.retain_mut(review);
    }

    /// All of another's, of a text that begins at a byte of this one.
    pub(crate) fn append_from(&mut self, other: &Findings, start: u32) {
        self.errors |= other.errors;
        self.left_out += other.left_out;
        for finding in &other.list {
            let mut finding = finding.clone();
            finding.move_by(start);
            self.add(finding);
        }
    }

    /// What was found between components.
    pub fn append_between(&mut self, between: Between) {
        self.errors |= between.errors;
        self.left_out += between.left_out;
        between.list.into_iter().for_each(|(_, finding)| self.add(finding));
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

    /// In file order, with lines and columns. `lines` tells of a byte where to begin counting: the
    /// last beginning of a line before it that is known, and the number of lines before that.
    pub(crate) fn finish_by_lines(
        mut self,
        file: &str,
        text: &str,
        lines: &dyn Fn(usize) -> (usize, u32),
    ) -> Vec<Diagnostic> {
        self.tell_left_out(0, text);
        self.list.sort_by_key(|finding| finding.bytes.start);
        let mut at: Option<(usize, Cursor<'_>)> = None;
        let place = |finding: Finding| {
            let (start, line) = lines(finding.bytes.start);
            let cursor = match &mut at {
                Some((from, cursor)) if *from == start => cursor,
                _ => &mut at.insert((start, Cursor::at(text, start, line))).1,
            };
            let span = cursor.span(finding.bytes.clone());
            finding.placed(file, span)
        };
        self.list.into_iter().map(place).collect()
    }

    fn tell_left_out(&mut self, origin: u16, text: &str) {
        if self.left_out == 0 {
            return;
        }
        self.list.push(Finding {
            origin,
            bytes: text.len()..text.len(),
            severity: if self.errors { Severity::Error } else { Severity::Warning },
            code: "too_many",
            path: String::new(),
            message: format!("{} more findings are not listed", self.left_out),
            suggestion: None,
        });
    }

    /// In file order, with lines and columns; `texts` are names and texts of the files, by origin.
    pub fn finish(mut self, texts: &[(&str, &str)]) -> Vec<Diagnostic> {
        if let Some((last, (_, text))) = texts.iter().enumerate().next_back() {
            self.tell_left_out(u16::try_from(last).unwrap_or(u16::MAX), text);
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
            let span = cursor.span(finding.bytes.clone());
            finding.placed(file, span)
        };
        self.list.into_iter().map(place).collect()
    }
}

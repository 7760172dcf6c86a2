//! Findings while they are being collected.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Severity},
    document::Cursor,
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

pub(crate) struct Finding {
    pub(crate) bytes: Range<usize>,
    pub(crate) severity: Severity,
    pub(crate) path: String,
    pub(crate) problem: Problem,
}

#[derive(Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    left_out: usize,
    errors: bool,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.errors |= finding.severity == Severity::Error;
        if self.list.len() < MOST {
            self.list.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    pub(crate) fn any_error(&self) -> bool {
        self.errors
    }

    /// In file order; `end` is where the text ends.
    pub(crate) fn sorted(mut self, end: usize) -> Vec<Finding> {
        if self.left_out > 0 {
            self.list.push(Finding {
                bytes: end..end,
                severity: if self.errors { Severity::Error } else { Severity::Warning },
                path: String::new(),
                problem: Problem::new(
                    "too_many",
                    format!("{} more findings are not listed", self.left_out),
                ),
            });
        }
        self.list.sort_by_key(|finding| finding.bytes.start);
        self.list
    }

    /// In file order, with lines and columns.
    pub(crate) fn finish(self, file: &str, text: &str) -> Vec<Diagnostic> {
        let mut cursor = Cursor::new(text);
        let place = |finding: Finding| Diagnostic {
            severity: finding.severity,
            code: finding.problem.code.to_owned(),
            path: finding.path,
            message: finding.problem.message,
            file: file.to_owned(),
            span: cursor.span(finding.bytes),
            suggestion: finding.problem.suggestion,
        };
        self.sorted(text.len()).into_iter().map(place).collect()
    }
}

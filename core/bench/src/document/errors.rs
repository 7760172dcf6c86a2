//! What is not TOML in a text, in words.

use std::{collections::HashSet, fmt::Write as _, ops::Range};

use toml_parser::{ErrorSink, Expected, ParseError};

use super::{
    build::{DUPLICATE, TOO_DEEP},
    lines::{Cursor, Lines},
};
use crate::diagnostic::Span;

/// More mistakes of one text than this are not told one by one.
pub const MOST_ERRORS: usize = 100;

/// Mistakes that are kept until it is known which of them count.
const MOST_KEPT: usize = 10_000;

/// Why and where a text is not TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", span.line, span.column)]
pub struct SyntaxError {
    /// What was met, and what was expected.
    pub message: String,
    /// The stretch of text that cannot be read.
    pub span: Span,
    /// The same in bytes.
    pub bytes: Range<usize>,
}

impl SyntaxError {
    pub(super) fn at(text: &str, bytes: Range<usize>, message: String) -> Self {
        let span = Lines::new(text).span(text, bytes.clone());
        Self { message, span, bytes }
    }
}

/// Takes what the parser reports.
#[derive(Default)]
pub(super) struct Collected(Vec<ParseError>);

impl ErrorSink for Collected {
    fn report_error(&mut self, error: ParseError) {
        if self.0.len() < MOST_KEPT {
            self.0.push(error);
        }
    }
}

impl Collected {
    /// In order of the text. Of several mistakes in one line the first is told: the others mostly
    /// follow from it.
    pub(super) fn finish(self, text: &str) -> Vec<SyntaxError> {
        let place = |error: &ParseError| {
            let span = error.unexpected().or(error.context()).unwrap_or_default();
            let start = span.start().min(text.len());
            start..span.end().clamp(start, text.len())
        };
        let mut all: Vec<(Range<usize>, ParseError)> =
            self.0.into_iter().map(|error| (place(&error), error)).collect();
        all.sort_by_key(|(bytes, _)| bytes.start);
        let mut cursor = Cursor::new(text);
        let mut lines = HashSet::new();
        let mut told = Vec::new();
        for (bytes, error) in all {
            let span = cursor.span(bytes.clone());
            if told.len() < MOST_ERRORS && lines.insert(span.line) {
                told.push(SyntaxError { message: describe(text, &bytes, &error), span, bytes });
            }
        }
        told
    }
}

/// The parser's words for what is wrong, made plain where they are terse.
fn describe(text: &str, bytes: &Range<usize>, error: &ParseError) -> String {
    let met = text.get(bytes.clone()).unwrap_or_default();
    let message = match error.description() {
        DUPLICATE => return format!("“{}” is there already; a key may stand once", short(met)),
        TOO_DEEP => return "keys and brackets are nested too deeply here".to_owned(),
        "string values must be quoted" if met.is_empty() => {
            return "there is no value after “=”".to_owned();
        }
        "string values must be quoted" => {
            return format!("text stands in quotation marks: \"{}\"", short(met));
        }
        other => other,
    };
    let mut message = message.to_owned();
    if let Some(expected) = error.expected().filter(|expected| !expected.is_empty()) {
        message.push_str(", expected ");
        for (index, one) in expected.iter().enumerate() {
            message.push_str(match index {
                0 => "",
                _ if index + 1 == expected.len() => " or ",
                _ => ", ",
            });
            // Writing to a text cannot fail.
            let _ = match one {
                Expected::Literal("\n") => write!(message, "the end of the line"),
                Expected::Literal(literal) => write!(message, "“{literal}”"),
                Expected::Description(what) => write!(message, "{what}"),
                _ => write!(message, "something else"),
            };
        }
    }
    if !met.is_empty() && !met.contains(['\n', '\r']) {
        let _ = write!(message, " at “{}”", short(met));
    }
    message
}

fn short(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

//! From byte offsets to lines and columns.

use std::ops::Range;

use crate::diagnostic::Span;

const MARK: &str = "\u{feff}";

/// Where each line begins.
#[derive(Debug, Clone)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let first = if text.starts_with(MARK) { MARK.len() } else { 0 };
        let rest = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(first).chain(rest.map(|(offset, _)| offset + 1)).collect())
    }

    pub(super) fn span(&self, text: &str, bytes: Range<usize>) -> Span {
        let line = self.0.partition_point(|start| *start <= bytes.start).saturating_sub(1);
        let begin = self.0.get(line).copied().unwrap_or(0);
        let mut cursor = Cursor { text, offset: begin, line: small(line + 1), column: 1 };
        cursor.span(bytes)
    }
}

/// Walks a text once and tells lines and columns of stretches that come in order. One walk costs
/// the length of the text, however long its lines are.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Cursor<'t> {
    /// At the beginning.
    pub(crate) fn new(text: &'t str) -> Self {
        let offset = if text.starts_with(MARK) { MARK.len() } else { 0 };
        Self { text, offset, line: 1, column: 1 }
    }

    /// At the beginning of a line, with that many lines before it.
    pub(crate) fn at(text: &'t str, offset: usize, lines: u32) -> Self {
        match offset {
            0 => Self::new(text),
            _ => Self { text, offset, line: lines.saturating_add(1), column: 1 },
        }
    }

    /// Lines and columns of a stretch that does not begin before the last one asked for.
    pub(crate) fn span(&mut self, bytes: Range<usize>) -> Span {
        self.advance(bytes.start);
        let Self { line, column, .. } = *self;
        let mut end = Cursor { text: self.text, ..*self };
        end.advance(bytes.end);
        Span { line, column, end_line: end.line, end_column: end.column }
    }

    fn advance(&mut self, to: usize) {
        let to = to.min(self.text.len());
        let passed = self.text.as_bytes().get(self.offset..to).unwrap_or_default();
        for byte in passed {
            match byte {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.column = 1;
                }
                // What follows the first byte of a character does not count.
                0x80..=0xbf => {}
                _ => self.column = self.column.saturating_add(1),
            }
        }
        self.offset = self.offset.max(to);
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

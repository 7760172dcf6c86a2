//! The texts that findings are about, by file name.

use std::collections::HashMap;

const MARK: char = '\u{feff}';

/// Texts by the name that findings carry.
#[derive(Debug, Default)]
pub struct Sources<'t>(HashMap<String, Source<'t>>);

/// One text, and where its lines begin.
#[derive(Debug)]
pub struct Source<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Line, letters before and byte offset of the place looked for last.
    last: (usize, usize, usize),
}

impl<'t> Sources<'t> {
    /// The text of one file.
    pub fn of(name: &str, text: &'t str) -> Self {
        let mut sources = Self::default();
        sources.add(name, text);
        sources
    }

    /// One more.
    pub fn add(&mut self, name: &str, text: &'t str) {
        self.0.insert(name.to_owned(), Source::new(text));
    }

    /// The text of a file, if it is known and not empty.
    pub fn get(&mut self, name: &str) -> Option<&mut Source<'t>> {
        self.0.get_mut(name).filter(|source| !source.text.is_empty())
    }
}

impl<'t> Source<'t> {
    fn new(text: &'t str) -> Self {
        let first = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(first).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts, last: (0, 0, 0) }
    }

    /// A line by its number, from 1, without its end and without a byte order mark.
    pub fn line(&self, number: usize) -> Option<&'t str> {
        let index = number.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// Byte offset in its line of a column, from 1; at most the line's length. Places asked for
    /// in file order cost one walk over a line together, however long it is.
    pub fn offset(&mut self, number: usize, column: usize) -> usize {
        let Some(line) = self.line(number) else { return 0 };
        let wanted = column.saturating_sub(1);
        let (passed, from) = match self.last {
            (last, passed, from) if last == number && passed <= wanted => (passed, from),
            _ => (0, 0),
        };
        let rest = line.get(from..).unwrap_or_default();
        let offset = match rest.char_indices().nth(wanted - passed) {
            Some((at, _)) => from + at,
            None => return line.len(),
        };
        self.last = (number, wanted, offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_neither_mark_nor_end() {
        let source = Source::new("\u{feff}ä = 1\r\nb\n\nlast");
        let lines: Vec<_> = (0..6).map(|number| source.line(number)).collect();
        assert_eq!(lines, [None, Some("ä = 1"), Some("b"), Some(""), Some("last"), None]);
    }

    #[test]
    fn columns_count_letters_in_any_order() {
        let mut source = Source::new("äöü = 1\nxyz");
        for (line, column, offset) in
            [(1, 1, 0), (1, 3, 4), (1, 2, 2), (1, 99, 10), (2, 3, 2), (1, 4, 6), (7, 1, 0)]
        {
            assert_eq!(source.offset(line, column), offset, "{line}:{column}");
        }
    }
}

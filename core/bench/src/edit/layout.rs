//! Lines and statements of a text.

use std::{cell::RefCell, collections::HashMap, ops::Range};

use crate::{
    document::{Document, Form, Place},
    path::KeyPath,
};

/// Where headers and `key = value` statements stand, in file order.
pub(super) struct Layout {
    statements: Vec<Range<usize>>,
    /// Where headers begin.
    headers: Vec<usize>,
    ends: RefCell<HashMap<KeyPath, Option<usize>>>,
}

impl Layout {
    pub(super) fn new(document: &Document) -> Self {
        let mut all = Vec::new();
        for part in &document.root().parts {
            statements(part, &mut |bytes, is_header| all.push((bytes, is_header)));
        }
        all.sort_by_key(|(bytes, _)| bytes.start);
        let headers = all.iter().filter(|(_, header)| *header).map(|(bytes, _)| bytes.start);
        Self {
            headers: headers.collect(),
            statements: all.into_iter().map(|(bytes, _)| bytes).collect(),
            ends: RefCell::default(),
        }
    }

    pub(super) fn first_header(&self) -> Option<usize> {
        self.headers.first().copied()
    }

    /// The end of the last statement below a table, its header included.
    pub(super) fn end_below(&self, path: &KeyPath, place: &Place) -> Option<usize> {
        if path.is_empty() {
            return self.statements.last().map(|bytes| bytes.end);
        }
        *self.ends.borrow_mut().entry(path.clone()).or_insert_with(|| {
            let mut end = None;
            statements(place, &mut |bytes, _| end = end.max(Some(bytes.end)));
            end
        })
    }

    /// Where a table can be added after the one that holds a statement: the beginning of a line,
    /// or the end of the text.
    pub(super) fn after_table(&self, text: &str, statement_end: usize) -> usize {
        let next = self.headers.partition_point(|header| *header < statement_end);
        let next = self.headers.get(next).copied().unwrap_or(text.len());
        let before = self.statements.partition_point(|bytes| bytes.start < next);
        let last = before.checked_sub(1).and_then(|index| self.statements.get(index));
        let here = next_line(text, last.map_or(0, |bytes| bytes.end));
        // Comments that follow at once belong to the table, unless they lead on to the next.
        let mut at = here;
        while line(text, at).trim_start().starts_with('#') {
            at = next_line(text, at);
        }
        if line(text, at).trim().is_empty() { at } else { here }
    }
}

/// Calls `found` for each statement of a place and below it, and tells whether it is a header.
pub(super) fn statements(place: &Place, found: &mut impl FnMut(Range<usize>, bool)) {
    match place.form {
        Form::Headed => found(place.span.clone(), true),
        Form::Implied | Form::Dotted | Form::Repeated => {}
        Form::Plain
        | Form::Date
        | Form::List
        | Form::Inline
        | Form::InlineDotted
        | Form::Broken => {
            let start = place.key.as_ref().map_or(place.span.start, |key| key.start);
            return found(start..place.span.end, false);
        }
    }
    for part in &place.parts {
        statements(part, found);
    }
}

/// The statements under a table's own header: without those of tables below it.
pub(super) fn own<'p>(place: &'p Place, found: &mut Vec<&'p Place>) {
    for part in &place.parts {
        match part.form {
            Form::Dotted => own(part, found),
            Form::Headed | Form::Implied | Form::Repeated => {}
            _ => found.push(part),
        }
    }
}

/// The beginning of the line that an offset is on, after a byte order mark.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    before.rfind('\n').map_or(mark, |end| end + 1)
}

/// The beginning of the line after the one that an offset is on; the end of the text if that is
/// the last.
pub(super) fn next_line(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |end| offset + end + 1)
}

/// The rest of the line from an offset on, without its end.
pub(super) fn line(text: &str, offset: usize) -> &str {
    text.get(offset..).unwrap_or_default().lines().next().unwrap_or_default()
}

/// How the text ends its lines, told from the one before an offset.
pub(super) fn line_end(text: &str, offset: usize) -> &'static str {
    let before = text.get(..offset).unwrap_or_default();
    let end = before.rfind('\n').or_else(|| text.find('\n')).unwrap_or(0);
    if text.get(..end).is_some_and(|before| before.ends_with('\r')) { "\r\n" } else { "\n" }
}

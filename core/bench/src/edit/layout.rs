//! Lines and statements of a text, each looked for when it is first needed.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};

use super::{annotate, inline};
use crate::document::{Document, Form, Place};

/// What is known of the lines of one text.
#[derive(Default)]
pub(super) struct Layout {
    all: OnceCell<All>,
    ends: RefCell<HashMap<Vec<String>, Option<usize>>>,
    own: RefCell<HashMap<Vec<String>, Rc<Own>>>,
    after: RefCell<HashMap<usize, usize>>,
    before_tables: OnceCell<Option<usize>>,
    removed: OnceCell<HashMap<String, Vec<Range<usize>>>>,
    items: RefCell<HashMap<usize, Rc<Vec<Item>>>>,
}

/// One key between braces.
pub(super) struct Item {
    /// Where it begins, the first name of its key included.
    pub(super) start: usize,
    pub(super) value: Range<usize>,
}

/// Where headers and `key = value` statements stand, in file order.
struct All {
    statements: Vec<Range<usize>>,
    /// Where headers begin.
    headers: Vec<usize>,
}

/// The keys under a table's own header, in file order.
#[derive(Default)]
pub(super) struct Own {
    pub(super) keys: Vec<OwnKey>,
    /// The last of each name.
    named: HashMap<String, usize>,
}

/// One statement.
pub(super) struct OwnKey {
    /// The last name of its key.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

impl Own {
    /// A key to write another of a name like: one that is called the same, else the last.
    pub(super) fn like(&self, spelt: &str) -> Option<&OwnKey> {
        let same = self.named.get(spelt).and_then(|index| self.keys.get(*index));
        same.or(self.keys.last())
    }
}

impl Layout {
    fn all(&self, document: &Document) -> &All {
        self.all.get_or_init(|| {
            let mut all = Vec::new();
            for part in &document.root().parts {
                statements(part, &mut |bytes, is_header| all.push((bytes, is_header)));
            }
            all.sort_by_key(|(bytes, _)| bytes.start);
            let headers = all.iter().filter(|(_, header)| *header).map(|(bytes, _)| bytes.start);
            All {
                headers: headers.collect(),
                statements: all.into_iter().map(|(bytes, _)| bytes).collect(),
            }
        })
    }

    /// Where keys of the top table can be added in front of all other tables and of the comments
    /// right above the first; `None` if there are no tables.
    pub(super) fn before_tables(&self, document: &Document) -> Option<usize> {
        *self.before_tables.get_or_init(|| {
            let header = self.all(document).headers.first()?;
            let text = document.text();
            Some(with_comments(text, line_start(text, *header), 0))
        })
    }

    /// The end of the last statement below a table, its header included.
    pub(super) fn end_below(
        &self,
        document: &Document,
        names: &[String],
        place: &Place,
    ) -> Option<usize> {
        if names.is_empty() {
            return self.all(document).statements.last().map(|bytes| bytes.end);
        }
        *self.ends.borrow_mut().entry(names.to_vec()).or_insert_with(|| {
            let mut end = None;
            statements(place, &mut |bytes, _| end = end.max(Some(bytes.end)));
            end
        })
    }

    /// The keys between the braces of a table, in the order they stand.
    pub(super) fn items(&self, text: &str, table: &Place) -> Rc<Vec<Item>> {
        if let Some(items) = self.items.borrow().get(&table.span.start) {
            return items.clone();
        }
        let all = inline::items(table);
        let starts = inline::starts(text, table, &all);
        let item = |(start, place): (usize, &Place)| Item { start, value: place.span.clone() };
        let items = Rc::new(starts.into_iter().zip(all).map(item).collect());
        self.items.borrow_mut().insert(table.span.start, Rc::clone(&items));
        items
    }

    /// The keys under a table's own header.
    pub(super) fn own(&self, text: &str, names: &[String], place: &Place) -> Rc<Own> {
        if let Some(own) = self.own.borrow().get(names) {
            return own.clone();
        }
        let mut found = Vec::new();
        own(place, &mut found);
        found.sort_by_key(|place| place.span.start);
        let keys = found.into_iter().map(|place| OwnKey {
            key: place.key.clone().unwrap_or(place.span.start..place.span.start),
            value: place.span.clone(),
        });
        let mut own = Own { keys: keys.collect(), named: HashMap::new() };
        for (index, key) in own.keys.iter().enumerate() {
            own.named.insert(text.get(key.key.clone()).unwrap_or_default().to_owned(), index);
        }
        let own = Rc::new(own);
        self.own.borrow_mut().insert(names.to_vec(), own.clone());
        own
    }

    /// Where a table can be added after the one that holds a statement: the beginning of a line,
    /// or the end of the text.
    pub(super) fn after_table(&self, document: &Document, statement_end: usize) -> usize {
        let (all, text) = (self.all(document), document.text());
        let next = all.headers.partition_point(|header| *header < statement_end);
        let next = all.headers.get(next).copied().unwrap_or(text.len());
        *self.after.borrow_mut().entry(next).or_insert_with(|| {
            let before = all.statements.partition_point(|bytes| bytes.start < next);
            let last = before.checked_sub(1).and_then(|index| all.statements.get(index));
            after_comments(text, next_line(text, last.map_or(0, |bytes| bytes.end)))
        })
    }

    /// The beginning of the comments right above a statement.
    pub(super) fn comments_above(&self, document: &Document, statement: usize) -> usize {
        let (all, text) = (self.all(document), document.text());
        let before = all.statements.partition_point(|bytes| bytes.start < statement);
        let last = before.checked_sub(1).and_then(|index| all.statements.get(index));
        let from = last.map_or(0, |bytes| next_line(text, bytes.end));
        let line_at = line_start(text, statement);
        let at = with_comments(text, line_at, from);
        // What the first line of a text says is about the text.
        let is_title = at == line_start(text, 0) && !annotate::is_added(line(text, at));
        if is_title { line_at } else { at }
    }

    /// Whether a statement follows another with none in between.
    pub(super) fn follows(&self, document: &Document, first: usize, second: usize) -> bool {
        let all = self.all(document);
        let index =
            |start| all.statements.partition_point(|bytes: &Range<usize>| bytes.start < start);
        index(first) + 1 == index(second)
    }

    /// Lines that say that a component of this name was removed.
    pub(super) fn removed(&self, document: &Document, id: &str) -> &[Range<usize>] {
        let lines = self.removed.get_or_init(|| {
            let all = self.all(document);
            annotate::removed_lines(document.text(), |at| {
                let before = all.statements.partition_point(|bytes| bytes.start <= at);
                let last = before.checked_sub(1).and_then(|index| all.statements.get(index));
                last.is_none_or(|bytes| bytes.end <= at)
            })
        });
        lines.get(id).map(Vec::as_slice).unwrap_or_default()
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
fn own<'p>(place: &'p Place, found: &mut Vec<&'p Place>) {
    for part in &place.parts {
        match part.form {
            Form::Dotted => own(part, found),
            Form::Headed | Form::Implied | Form::Repeated => {}
            _ => found.push(part),
        }
    }
}

/// From the beginning of a line up to that of the comments right above it, `from` at the least.
fn with_comments(text: &str, line_at: usize, from: usize) -> usize {
    let mut at = line_at;
    while at > from {
        let before = line_start(text, at.saturating_sub(1));
        if before >= at || before < from || !line(text, before).trim_start().starts_with('#') {
            break;
        }
        at = before;
    }
    at
}

/// Comments that follow at once belong to what is before them, unless they lead on to the next.
pub(super) fn after_comments(text: &str, here: usize) -> usize {
    let mut at = here;
    while line(text, at).trim_start().starts_with('#') {
        at = next_line(text, at);
    }
    if line(text, at).trim().is_empty() { at } else { here }
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

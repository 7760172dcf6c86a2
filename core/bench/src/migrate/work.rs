//! A migration while it is under way: the page, and an account of every key.

use std::ops::Range;

use super::{
    Carried, Note, What,
    node::{self, Comments, Data, Node, Tree},
    page::{self, At, Page},
};
use crate::{
    Catalogue, KeyPath, Value,
    check::{allowed, words},
    document::Cursor,
    schema,
};

pub(super) struct Work {
    pub(super) page: Page,
    /// Names of the drivers there are.
    pub(super) types: Vec<String>,
    carried: Vec<Carried>,
    notes: Vec<(Range<usize>, Note)>,
}

/// A key of the input.
#[derive(Clone, Copy)]
pub(super) struct Key<'n> {
    /// Its whole path.
    pub(super) from: &'n str,
    /// Its name.
    pub(super) name: &'n str,
    pub(super) node: &'n Node,
}

impl Work {
    pub(super) fn new(catalogue: &dyn Catalogue, tree: &mut Tree) -> Self {
        let mut page = Page::default();
        page.head = std::mem::take(&mut tree.head);
        page.tail = std::mem::take(&mut tree.tail);
        let types = catalogue.types();
        let mut work = Self { page, types, carried: Vec::new(), notes: Vec::new() };
        for (at, what) in std::mem::take(&mut tree.remarks) {
            let advice = "look whether what it stood for is still meant";
            work.note(at, "", What::NotCarriedOver, None, what, advice);
        }
        work
    }

    /// A value under a key of today's format, as it was or put in other words.
    pub(super) fn put(&mut self, at: At, key: &str, value: &Value, from: Key<'_>) {
        self.put_quietly(at, key, value, from);
        self.refusal(at, key, value, from);
    }

    /// The same where a note of its own says what is the matter with the value.
    pub(super) fn put_quietly(&mut self, at: At, key: &str, value: &Value, from: Key<'_>) {
        let comments = from.node.all_comments();
        self.write(at, key, &value.to_string(), &comments, from);
    }

    /// A value put together from several, each of which the caller enters into the account.
    /// `false` if the key is there already; all of them are then lost.
    #[must_use]
    pub(super) fn put_parts(&mut self, at: At, key: &str, value: &Value, from: Key<'_>) -> bool {
        let comments = from.node.all_comments();
        let written = self.page.key(at, key, &value.to_string(), &comments);
        if written {
            self.refusal(at, key, value, from);
        } else {
            self.lose_twice(at, key, from);
        }
        written
    }

    /// A value just as it was.
    pub(super) fn keep(&mut self, at: At, key: &str, from: Key<'_>) {
        let comments = from.node.all_comments();
        if let Some(what) = from.node.oddity() {
            let why = format!("a bench file cannot hold {what}");
            return self.lose(at, from, why, "write the value that is meant");
        }
        self.write(at, key, &from.node.written(), &comments, from);
        if let Some(value) = from.node.value() {
            self.refusal(at, key, &value, from);
        }
    }

    fn write(&mut self, at: At, key: &str, value: &str, comments: &Comments, from: Key<'_>) {
        let to = dotted(&self.page.path(at), key);
        if self.page.key(at, key, value, comments) {
            self.carried(from, to);
        } else {
            self.lose_twice(at, key, from);
        }
    }

    /// Another key came to the same one before.
    pub(super) fn lose_twice(&mut self, at: At, key: &str, from: Key<'_>) {
        let to = dotted(&self.page.path(at), key);
        let why = format!("{to} has been written already, from another key");
        self.lose(at, from, why, "decide which of the two is right");
    }

    /// Says so where today's format does not take a value.
    fn refusal(&mut self, at: At, key: &str, value: &Value, from: Key<'_>) {
        let to = dotted(&self.page.path(at), key);
        let Ok(path) = to.parse::<KeyPath>() else { return };
        let Some(known) = schema::at(&path) else { return };
        if let Err(problem) = allowed(known.kind(), value) {
            let name = path.last().unwrap_or_default();
            let why = format!("{name} {}", problem.message);
            let advice = match problem.suggestion {
                Some(meant) => format!("perhaps {} is meant", Value::from(meant)),
                None if problem.code == "unsupported" => {
                    "it is kept so that nothing is missing unseen; take it out to run the rest"
                        .to_owned()
                }
                None => "correct it before the bench is run".to_owned(),
            };
            self.note(from.node.at.clone(), from.from, What::CarriedOver, Some(to), why, advice);
        }
    }

    /// An entry in the account: this key is in the migrated text there.
    pub(super) fn carried(&mut self, from: Key<'_>, to: impl Into<String>) {
        self.carried.push(Carried { from: from.from.to_owned(), to: to.into() });
    }

    /// A key that is part of something else now; its comments stay where it stood.
    pub(super) fn absorbed(&mut self, at: At, from: Key<'_>, to: impl Into<String>) {
        let comments = from.node.all_comments();
        if !comments.is_empty() {
            self.page.remark(at, comments.lines());
        }
        self.carried(from, to);
    }

    /// What was done differently from what the input says.
    pub(super) fn changed(&mut self, from: Key<'_>, to: &str, why: String, advice: &str) {
        let to = Some(to.to_owned());
        self.note(from.node.at.clone(), from.from, What::Changed, to, why, advice);
    }

    /// What is there and will not run until someone has seen to it.
    pub(super) fn attention(&mut self, from: Key<'_>, to: &str, why: String, advice: &str) {
        let to = Some(to.to_owned());
        self.note(from.node.at.clone(), from.from, What::CarriedOver, to, why, advice);
    }

    /// A key that has no place in today's format: a comment where it stood, and a note.
    pub(super) fn lose(
        &mut self,
        at: At,
        from: Key<'_>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let Comments { mut above, beside, below } = from.node.all_comments();
        // Outside of a table the whole path says whose it was.
        let outside = self.page.path(at).is_empty();
        let name = if outside { from.from.to_owned() } else { node::key(from.name) };
        let mut line = page::lost(&name, &from.node.shown());
        for comment in beside {
            line.push_str("  ");
            line.push_str(&comment);
        }
        above.push(line);
        above.extend(below);
        self.page.remark(at, above);
        let (why, advice) = (why.into(), advice.into());
        self.note(from.node.at.clone(), from.from, What::NotCarriedOver, None, why, advice);
    }

    /// A part of a value that was put together from several: its comments went with that.
    pub(super) fn lose_part(&mut self, at: At, from: Key<'_>, why: String, advice: &str) {
        let line = page::lost(from.name, &from.node.shown());
        self.page.remark(at, vec![line]);
        self.note(from.node.at.clone(), from.from, What::NotCarriedOver, None, why, advice);
    }

    /// The same for a whole table that the input spreads over several lines: a comment for each.
    pub(super) fn lose_table(&mut self, from: Key<'_>, why: &str, advice: &str) {
        let at = self.page.apart();
        match &from.node.data {
            Data::Map(entries) if !entries.is_empty() => {
                let own = from.node.comments.clone();
                self.page.remark(at, own.lines());
                for (name, node) in entries {
                    let Comments { above, beside, below } = node.all_comments();
                    let mut lines = above;
                    let path = node::below(&node::key(from.name), name);
                    let mut line = page::lost(&path, &node.shown());
                    for comment in beside {
                        line.push_str("  ");
                        line.push_str(&comment);
                    }
                    lines.push(line);
                    lines.extend(below);
                    self.page.remark(at, lines);
                }
                let at = from.node.at.clone();
                self.note(at, from.from, What::NotCarriedOver, None, why.to_owned(), advice);
            }
            _ => self.lose(at, from, why, advice),
        }
    }

    pub(super) fn note(
        &mut self,
        at: Range<usize>,
        path: &str,
        what: What,
        to: Option<String>,
        why: String,
        advice: impl Into<String>,
    ) {
        let path = path.to_owned();
        let note = Note { path, line: 0, column: 0, what, to, why, advice: advice.into() };
        self.notes.push((at, note));
    }

    /// The migrated text, the notes in the order of the input, the account.
    pub(super) fn finish(self, text: &str) -> (String, Vec<Note>, Vec<Carried>) {
        let mut notes = self.notes;
        notes.sort_by_key(|(at, _)| at.start);
        let mut cursor = Cursor::new(text);
        let notes = notes
            .into_iter()
            .map(|(at, note)| {
                let span = cursor.span(at.start..at.start);
                Note { line: span.line, column: span.column, ..note }
            })
            .collect();
        (self.page.text(), notes, self.carried)
    }
}

impl<'n> Key<'n> {
    /// Why a value of the wrong kind stays as it is.
    pub(super) fn found(self) -> String {
        match self.node.text() {
            Some(text) => words::quoted(text),
            None => words::quoted(&self.node.shown()),
        }
    }
}

fn dotted(path: &KeyPath, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

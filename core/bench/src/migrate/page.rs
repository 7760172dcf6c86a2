//! The migrated text while it is being put together.

use std::collections::{HashMap, HashSet};

use super::node::Comments;
use crate::path::KeyPath;

/// A bench file to be.
#[derive(Default)]
pub(super) struct Page {
    pub(super) head: Vec<String>,
    /// Keys above all tables.
    pub(super) top: Vec<Line>,
    sections: Vec<Section>,
    by_path: HashMap<KeyPath, usize>,
    pub(super) tail: Vec<String>,
}

/// Which table lines go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At(usize);

#[derive(Default)]
struct Section {
    /// Empty for comments that stand by themselves.
    path: KeyPath,
    comments: Comments,
    lines: Vec<Line>,
    keys: HashSet<String>,
}

/// One key, or comments.
pub(super) struct Line {
    /// `ch1.voltage = 3.3`; empty for comments alone.
    text: String,
    comments: Comments,
}

impl Page {
    /// The table of a path; it is begun where there is none yet.
    pub(super) fn table(&mut self, path: &KeyPath) -> At {
        if let Some(index) = self.by_path.get(path) {
            return At(*index);
        }
        self.by_path.insert(path.clone(), self.sections.len());
        self.sections.push(Section { path: path.clone(), ..Section::default() });
        At(self.sections.len() - 1)
    }

    /// Comments that belong to no table, at this place.
    pub(super) fn between(&mut self) -> At {
        match self.sections.last() {
            Some(last) if last.path.is_empty() => At(self.sections.len() - 1),
            _ => self.apart(),
        }
    }

    /// The same, with a blank line above.
    pub(super) fn apart(&mut self) -> At {
        self.sections.push(Section::default());
        At(self.sections.len() - 1)
    }

    pub(super) fn path(&self, at: At) -> KeyPath {
        self.sections.get(at.0).map(|section| section.path.clone()).unwrap_or_default()
    }

    /// Comments of a table's header.
    pub(super) fn about(&mut self, at: At, comments: Comments) {
        if let Some(section) = self.sections.get_mut(at.0) {
            section.comments.add(comments);
        }
    }

    /// One key; `key` is dotted, as it is written. `false` if the table has it already.
    #[must_use]
    pub(super) fn key(&mut self, at: At, key: &str, value: &str, comments: &Comments) -> bool {
        let Some(section) = self.sections.get_mut(at.0) else { return false };
        if !section.keys.insert(key.to_owned()) {
            return false;
        }
        section.lines.push(Line::key(key, value, comments.clone()));
        true
    }

    /// Lines of comment.
    pub(super) fn remark(&mut self, at: At, lines: Vec<String>) {
        if let Some(section) = self.sections.get_mut(at.0) {
            section.lines.push(Line::remark(lines));
        }
    }

    /// The whole text.
    pub(super) fn text(self) -> String {
        let mut out = Out::default();
        out.lines(&self.head);
        out.stop_blank();
        out.line("format = 1");
        for line in &self.top {
            out.key(line);
        }
        for section in &self.sections {
            out.blank();
            out.lines(&section.comments.above);
            if !section.path.is_empty() {
                out.with(&format!("[{}]", section.path), &section.comments.beside);
            }
            for line in &section.lines {
                out.key(line);
            }
            if !section.comments.below.is_empty() {
                out.lines(&section.comments.below);
            }
        }
        if !self.tail.is_empty() {
            out.blank();
            out.lines(&self.tail);
        }
        out.0.truncate(out.0.trim_end().len());
        out.0.push('\n');
        out.0
    }
}

impl Line {
    pub(super) fn key(key: &str, value: &str, comments: Comments) -> Self {
        Self { text: format!("{key} = {value}"), comments }
    }

    pub(super) fn remark(lines: Vec<String>) -> Self {
        let comments = Comments { above: lines, ..Comments::default() };
        Self { text: String::new(), comments }
    }
}

#[derive(Default)]
struct Out(String);

impl Out {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// Comments, and blank lines between them.
    fn lines(&mut self, lines: &[String]) {
        for line in lines {
            if line.is_empty() {
                self.blank();
            } else {
                self.line(line);
            }
        }
    }

    fn with(&mut self, text: &str, beside: &[String]) {
        self.0.push_str(text);
        for comment in beside {
            self.0.push_str("  ");
            self.0.push_str(comment);
        }
        self.0.push('\n');
    }

    fn key(&mut self, line: &Line) {
        self.lines(&line.comments.above);
        if !line.text.is_empty() {
            self.with(&line.text, &line.comments.beside);
        }
        self.lines(&line.comments.below);
    }

    /// One blank line, not two.
    fn blank(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    fn stop_blank(&mut self) {
        while self.0.ends_with("\n\n") {
            self.0.pop();
        }
    }
}

/// The comment that stands in the place of what could not be carried over.
pub(super) fn lost(name: &str, value: &str) -> String {
    format!("# not carried over: {name} = {value}")
}

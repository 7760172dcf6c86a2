//! One reading of a text and the edits that can be planned by it.

use super::{
    EditError,
    batch::{Batch, Patch, Patches},
    inline, insert,
    keys::Keys,
    layout::Layout,
    order::Order,
    puts::{self, Put},
    rename, shift,
    way::Way,
};
use crate::{document::Document, path::KeyPath};

/// Something to be done to a text.
pub(super) enum Job {
    /// Values to be set or removed, none of them above another.
    Puts(Vec<Put>),
    Rename {
        path: KeyPath,
        name: String,
    },
    /// To another table and its last name there.
    Into {
        path: KeyPath,
        to: KeyPath,
    },
    /// Next to another key of its table.
    Beside {
        path: KeyPath,
        name: String,
        before: bool,
    },
}

impl Job {
    /// The first key that it is about.
    pub(super) fn path(&self) -> KeyPath {
        match self {
            Self::Puts(puts) => puts.first().map(|put| put.path.clone()).unwrap_or_default(),
            Self::Rename { path, .. } | Self::Into { path, .. } | Self::Beside { path, .. } => {
                path.clone()
            }
        }
    }

    /// Every key that it is about.
    pub(super) fn paths(&self) -> Vec<KeyPath> {
        let beside = |path: &KeyPath, name: &str| path.parent().unwrap_or_default().child(name);
        match self {
            Self::Puts(puts) => puts.iter().map(|put| put.path.clone()).collect(),
            Self::Rename { path, name } | Self::Beside { path, name, .. } => {
                vec![path.clone(), beside(path, name)]
            }
            Self::Into { path, to } => vec![path.clone(), to.clone()],
        }
    }
}

pub(super) struct Pass<'d> {
    pub(super) document: &'d Document,
    pub(super) layout: Layout,
    pub(super) batch: Batch,
    pub(super) now: Option<&'d str>,
    /// What moving keys between braces comes to, for all of them in one go.
    moved: Vec<Put>,
    /// Tables in braces whose keys change places, and what was asked for.
    orders: Vec<(usize, Order, Vec<Job>)>,
    /// The keys that do.
    ordered: Keys,
}

impl<'d> Pass<'d> {
    pub(super) fn new(document: &'d Document, now: Option<&'d str>) -> Self {
        Self {
            document,
            layout: Layout::default(),
            batch: Batch::default(),
            now,
            moved: Vec::new(),
            orders: Vec::new(),
            ordered: Keys::default(),
        }
    }

    /// The text with everything in it that was taken.
    pub(super) fn written(&self) -> String {
        self.batch.written(self.document.text(), self.now)
    }

    /// Plans something; what has to wait for the next pass comes back.
    pub(super) fn take(&mut self, job: Job) -> Result<Option<Job>, EditError> {
        let paths = job.paths();
        if paths.iter().any(|path| self.batch.keys.concern(path)) {
            return Ok(Some(job));
        }
        if let Job::Beside { path, name, before } = &job
            && self.between_braces(path, name, *before)
        {
            paths.iter().for_each(|path| self.ordered.note(path));
            if let Some((_, _, asked)) = self.orders.last_mut() {
                asked.push(job);
            }
            return Ok(None);
        }
        if paths.iter().any(|path| self.ordered.concern(path)) {
            return Ok(Some(job));
        }
        // Tables that this makes are not to be made by another.
        let mut made = Vec::new();
        let left = match job {
            Job::Puts(puts) => {
                let later = puts::take(self, puts);
                (!later.is_empty()).then_some(Job::Puts(later))
            }
            Job::Rename { path, name } => {
                let patches = rename::patches(&self.way(&path), &name);
                let left = !self.batch.take(patches.into());
                left.then_some(Job::Rename { path, name })
            }
            Job::Beside { path, name, before } => {
                let patches = self.beside(&path, &name, before)?;
                let left = !self.batch.take(patches.into());
                left.then_some(Job::Beside { path, name, before })
            }
            Job::Into { path, to } => {
                let way = self.way(&to);
                made.push(insert::made(&way, false));
                made.push(way.above(way.depth() + 1));
                match shift::into(&self.quiet(&path), &self.quiet(&to)) {
                    shift::Shift::Nothing => None,
                    shift::Shift::Patches(patches) => {
                        let left = !self.batch.take(patches.into());
                        left.then_some(Job::Into { path, to })
                    }
                    shift::Shift::Puts(puts) => {
                        self.moved.extend(puts);
                        None
                    }
                }
            }
        };
        for path in paths.iter().chain(&made) {
            self.batch.keys.note(path);
        }
        Ok(left)
    }

    /// Puts a key between braces in front of another or behind it, with others of that table;
    /// false if it is not there. The table comes last among those that are reordered.
    fn between_braces(&mut self, path: &KeyPath, name: &str, before: bool) -> bool {
        let other = path.parent().unwrap_or_default().child(name);
        let mut orders = std::mem::take(&mut self.orders);
        let (way, anchor) = (self.way(path), self.way(&other));
        let table = way.braces().and_then(|braces| way.places.get(braces).copied());
        let there = other != *path && way.exists() && anchor.exists();
        let done = there && table.is_some();
        if let Some(table) = table.filter(|_| there) {
            let start = table.span.start;
            let known = orders.iter().position(|(at, ..)| *at == start);
            let (_, mut order, asked) = match known {
                Some(index) => orders.swap_remove(index),
                None => (start, Order::new(&way, table), Vec::new()),
            };
            order.put(way.last(), anchor.last(), before);
            orders.push((start, order, asked));
        }
        self.orders = orders;
        done
    }

    /// Plans what was put off until everything is known; what has to wait for the next pass comes
    /// back.
    pub(super) fn finish(&mut self) -> Vec<Job> {
        let mut left = Vec::new();
        for (_, order, asked) in std::mem::take(&mut self.orders) {
            if !self.batch.take(order.patches(self.document.text()).into()) {
                left.extend(asked);
            }
        }
        let moved = std::mem::take(&mut self.moved);
        let later = puts::take(self, moved);
        if !later.is_empty() {
            left.push(Job::Puts(later));
        }
        left
    }

    pub(super) fn way<'p>(&'p self, path: &'p KeyPath) -> Way<'p> {
        Way::find(self.document, &self.layout, path, self.now)
    }

    /// A way on which no remarks are left.
    fn quiet<'p>(&'p self, path: &'p KeyPath) -> Way<'p> {
        Way::find(self.document, &self.layout, path, None)
    }

    fn beside(&self, path: &KeyPath, name: &str, before: bool) -> Result<Vec<Patch>, EditError> {
        let other = path.parent().unwrap_or_default().child(name);
        if other == *path {
            return Ok(Vec::new());
        }
        let (way, anchor) = (self.way(path), self.way(&other));
        if !way.exists() || !anchor.exists() {
            // An empty table that went with its last key.
            return Ok(Vec::new());
        }
        shift::beside(&way, &anchor, before)
            .ok_or_else(|| EditError::NotBeside { path: path.clone(), beside: other.clone() })
    }

    /// Adds and removes keys between one pair of braces.
    pub(super) fn braces(&mut self, table: &KeyPath, gone: &[KeyPath], added: &[String]) -> bool {
        let way = self.way(table);
        let text = self.document.text();
        let gone: Vec<Way<'_>> = gone.iter().map(|path| self.way(path)).collect();
        let items: Vec<_> = gone.iter().flat_map(|way| inline::items_of(way.last())).collect();
        let list = inline::patches(text, way.last(), &items, added);
        let changed = way.statement().map(|place| (place.span.end, None));
        self.batch.take(Patches { list, changed })
    }
}

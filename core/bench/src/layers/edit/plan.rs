//! Which file each edit goes to.

use std::collections::{BTreeMap, HashMap};

use super::{LayerEditError, written::written};
use crate::{
    edit::{Edit, EditError, TextEdit},
    layers::LayeredReading,
    path::KeyPath,
    value::Value,
};

/// Edits while they are given to files.
pub(super) struct Plan<'r> {
    reading: &'r LayeredReading,
    /// What the bench says before, with what is written in place of secrets.
    shown: &'r Value,
    pub(super) by_origin: BTreeMap<u16, Vec<TextEdit>>,
    /// Keys that earlier edits concern, and in which text.
    touched: HashMap<KeyPath, u16>,
    /// Keys above those.
    above: HashMap<KeyPath, u16>,
}

impl<'r> Plan<'r> {
    pub(super) fn new(reading: &'r LayeredReading, shown: &'r Value) -> Self {
        Self {
            reading,
            shown,
            by_origin: BTreeMap::new(),
            touched: HashMap::new(),
            above: HashMap::new(),
        }
    }

    /// Gives an edit, and where it changes some keys of a table alone those of them, to files.
    pub(super) fn add(
        &mut self,
        path: &KeyPath,
        value: Option<&Value>,
    ) -> Result<(), LayerEditError> {
        let old = self.shown.get(path);
        if let Some(origin) = self.before(path) {
            // Only the text with that edit in it tells more.
            self.put(origin, path, value.map(|value| written(path, value)));
            return Ok(());
        }
        match (value, old) {
            (Some(Value::Table(new)), Some(Value::Table(old))) => {
                let gone = old.iter().filter(|(name, _)| !new.contains_key(name));
                for (name, _) in gone {
                    self.add(&path.child(name.to_owned()), None)?;
                }
                for (name, value) in new {
                    if !old.get(name).is_some_and(|old| old.means(value)) {
                        self.add(&path.child(name.to_owned()), Some(value))?;
                    }
                }
                Ok(())
            }
            (Some(new), Some(old)) if new.means(old) => Ok(()),
            (Some(new), _) => {
                let (origin, exists) = self.reading.target(path)?;
                let old = self.reading.resolved.get(path);
                let new = if exists { self.appended(path, new, old)? } else { new.clone() };
                self.touch(path, origin);
                self.put(origin, path, Some(written(path, &new)));
                Ok(())
            }
            (None, _) => self.remove(path),
        }
    }

    /// The text that an earlier edit of this key, of one above or of one below it went to.
    fn before(&self, path: &KeyPath) -> Option<u16> {
        let names = path.names();
        let prefix = |depth: usize| KeyPath::new(names.iter().take(depth).cloned());
        self.above
            .get(path)
            .or_else(|| (1..=names.len()).find_map(|depth| self.touched.get(&prefix(depth))))
            .copied()
    }

    fn touch(&mut self, path: &KeyPath, origin: u16) {
        self.touched.insert(path.clone(), origin);
        let mut key = path.clone();
        while let Some(parent) = key.parent() {
            if parent.is_empty() {
                break;
            }
            self.above.insert(parent.clone(), origin);
            key = parent;
        }
    }

    fn put(&mut self, origin: u16, path: &KeyPath, value: Option<Value>) {
        let edit = TextEdit::Put(Edit { path: path.clone(), value });
        self.by_origin.entry(origin).or_default().push(edit);
    }

    /// What the highest file has to say, if what it says goes behind the lists of others.
    fn appended(
        &self,
        path: &KeyPath,
        new: &Value,
        old: Option<&Value>,
    ) -> Result<Value, LayerEditError> {
        let pieces = self.reading.pieces(path);
        let (Some(top), Value::Array(new), Some(Value::Array(old))) = (pieces.first(), new, old)
        else {
            return Ok(new.clone());
        };
        let Value::Array(own) = top.value else { return Ok(Value::Array(new.clone())) };
        if !self.reading.appends(top, path) {
            return Ok(Value::Array(new.clone()));
        }
        let below = old.len().saturating_sub(own.len());
        let same = |(a, b): (&Value, &Value)| a.means(b);
        if new.len() >= below && new.iter().zip(old).take(below).all(same) {
            return Ok(Value::Array(new.iter().skip(below).cloned().collect()));
        }
        Err(LayerEditError::NotProven { path: path.clone() })
    }

    fn remove(&mut self, path: &KeyPath) -> Result<(), LayerEditError> {
        let pieces = self.reading.pieces(path);
        if pieces.is_empty() {
            let file = self.reading.main.clone();
            let error = EditError::Missing { path: path.clone() };
            return Err(LayerEditError::File { file, error });
        }
        for piece in &pieces {
            if let Some(template) = piece.template {
                let template = template.to_owned();
                let (path, asked) = (path.clone(), "removed");
                return Err(LayerEditError::FromTemplate { path, template, asked });
            }
            self.reading.in_file(path, piece)?;
        }
        for piece in &pieces {
            self.put(piece.place.origin, path, None);
        }
        if let Some(piece) = pieces.last() {
            self.touch(path, piece.place.origin);
        }
        Ok(())
    }
}

//! Edits go to the file that holds a key.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    LayeredReading, expand,
    merge::Piece,
    origin::{LayerKind, part},
    prove,
    surroundings::{Surroundings, WithTexts},
    whole,
};
use crate::{
    catalogue::Catalogue,
    edit::{Edit, EditError, apply},
    path::KeyPath,
    value::Value,
};

/// The file that an edit of a key goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The file, relative to the bench's folder.
    pub file: Arc<str>,
    /// The same as findings name it.
    pub name: Arc<str>,
    /// Which kind of layer it is.
    pub kind: LayerKind,
    /// Whether the key is there already. If not, it would be added: it is in no file, or only in
    /// a template, which an edit leaves as it is.
    pub exists: bool,
}

/// Why the files of a bench could not be edited. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayerEditError {
    /// A variable decides, and files are below variables.
    #[error("{path} is set by {variable} ({layer}): change it there, or take it away there first")]
    SetByVariable {
        /// The key.
        path: KeyPath,
        /// The variable's name; `--env` for the command line.
        variable: String,
        /// `environment`, or the name of the `.env` file.
        layer: String,
    },
    /// A component cannot take away what its template gives.
    #[error("{path} cannot be removed: it comes from template {template}")]
    FromTemplate {
        /// The key.
        path: KeyPath,
        /// The template.
        template: String,
    },
    /// One of the files could not be edited.
    #[error("{file}: {error}")]
    File {
        /// The file's name.
        file: String,
        /// Why not.
        error: EditError,
    },
    /// With the edits in, the layers would come to something else than was asked for.
    #[error(
        "{path} cannot be edited: with all layers it would not come out as asked; please edit the files by hand"
    )]
    NotProven {
        /// The first key that would be different.
        path: KeyPath,
    },
}

/// Writes edits into one text; [`apply`] is one.
pub type Apply<'f> = dyn Fn(&str, &[Edit]) -> Result<String, EditError> + 'f;

impl LayeredReading {
    /// The file that an edit of a key goes to: the one whose value holds; else the one that holds
    /// the key's component; else the main file.
    ///
    /// # Errors
    /// [`LayerEditError::SetByVariable`] if no file decides.
    pub fn holder(&self, path: &KeyPath) -> Result<Holder, LayerEditError> {
        let (origin, exists) = self.target(path)?;
        let origin = self.origins.get(usize::from(origin));
        Ok(Holder {
            file: origin.map_or_else(|| "".into(), |origin| origin.file.clone()),
            name: origin.map_or_else(|| "".into(), |origin| origin.name.clone()),
            kind: origin.map_or(LayerKind::Main, |origin| origin.kind),
            exists,
        })
    }

    /// The new texts of all files that edits change, by their names relative to the bench's
    /// folder. What comes out was put together again: every key has the value that was asked for,
    /// and no other key another than before.
    ///
    /// Values are effective ones: a text that holds `${` is written so that it comes out as it is.
    /// What a template gives is overridden in the component. Keys that say how layers go together
    /// (`templates`, `template`, `with`, `append`, `bench.include`, `bench.environment`) are
    /// written as they are, and change what else they change.
    ///
    /// # Errors
    /// See [`LayerEditError`].
    pub fn edit_layers(
        &self,
        edits: &[Edit],
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
    ) -> Result<Vec<(String, String)>, LayerEditError> {
        self.edit_layers_by(edits, surroundings, catalogue, &apply)
    }

    /// The same with another way to write edits into one text: one that leaves remarks, say.
    ///
    /// # Errors
    /// See [`LayerEditError`].
    pub fn edit_layers_by(
        &self,
        edits: &[Edit],
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
        apply: &Apply<'_>,
    ) -> Result<Vec<(String, String)>, LayerEditError> {
        let mut plan = Plan {
            reading: self,
            by_origin: BTreeMap::new(),
            touched: HashMap::new(),
            above: HashMap::new(),
        };
        for edit in edits {
            plan.add(&edit.path, edit.value.as_ref())?;
        }
        let mut texts = HashMap::new();
        let mut changed = Vec::new();
        for (origin, edits) in plan.by_origin {
            let Some(origin) = self.origins.get(usize::from(origin)) else { continue };
            let failed = |error| LayerEditError::File { file: origin.name.to_string(), error };
            let text = apply(&origin.text, &edits).map_err(failed)?;
            if *text != *origin.text {
                texts.insert(origin.file.clone(), text.as_str().into());
                changed.push((origin.file.to_string(), text));
            }
        }
        self.prove(edits, &texts, surroundings, catalogue)?;
        Ok(changed)
    }

    fn prove(
        &self,
        edits: &[Edit],
        texts: &HashMap<Arc<str>, Arc<str>>,
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
    ) -> Result<(), LayerEditError> {
        let mut edited = WithTexts::new(surroundings);
        for origin in self.origins.iter().filter(|origin| origin.kind.is_file()) {
            let text = texts.get(&origin.file).cloned().unwrap_or_else(|| origin.text.clone());
            edited.put(&origin.file, text);
        }
        let after = super::read_layers(&self.main, &edited, self.asked.as_deref(), catalogue);
        let values = &after.resolved;
        if edits.iter().any(|edit| is_about_layers(&edit.path)) {
            // These change other keys too, and which is not for an edit to know.
            for edit in edits {
                let found = if is_about_layers(&edit.path) {
                    after.pieces(&edit.path).first().map(|piece| piece.value)
                } else {
                    values.get(&edit.path)
                };
                let good = match (&edit.value, found) {
                    (Some(wanted), Some(found)) => wanted.means(found),
                    (wanted, found) => wanted.is_none() && found.is_none(),
                };
                if !good {
                    return Err(LayerEditError::NotProven { path: edit.path.clone() });
                }
            }
            return Ok(());
        }
        let expected = prove::expected(&self.resolved, edits);
        match prove::difference(Some(&expected), Some(values), &mut Vec::new()) {
            Some(path) => Err(LayerEditError::NotProven { path }),
            None => Ok(()),
        }
    }

    /// The text that an edit of a key goes to, and whether it has the key.
    fn target(&self, path: &KeyPath) -> Result<(u16, bool), LayerEditError> {
        let pieces = self.pieces(path);
        match pieces.first() {
            Some(piece) if piece.template.is_none() => {
                self.in_file(path, piece)?;
                Ok((piece.place.origin, true))
            }
            _ => Ok((self.component_file(path), false)),
        }
    }

    fn in_file(&self, path: &KeyPath, piece: &Piece<'_>) -> Result<(), LayerEditError> {
        let Some(origin) = self.origins.get(usize::from(piece.place.origin)) else { return Ok(()) };
        if origin.kind.is_file() {
            return Ok(());
        }
        let name = piece.place.key.clone().and_then(|key| origin.text.get(key));
        let variable = match origin.kind {
            LayerKind::CommandLine => "--env",
            _ => name.unwrap_or_default(),
        };
        Err(LayerEditError::SetByVariable {
            path: path.clone(),
            variable: variable.to_owned(),
            layer: origin.name.to_string(),
        })
    }

    /// The file for a key that is in none: where its component is said to be what it is.
    fn component_file(&self, path: &KeyPath) -> u16 {
        let depth = path
            .names()
            .first()
            .map_or(0, |top| if whole::is_group(top) || top == "templates" { 2 } else { 1 });
        let component = KeyPath::new(path.names().iter().take(depth).cloned());
        let all = self.pieces(&component);
        let files: Vec<&Piece<'_>> = all
            .iter()
            .rev()
            .filter(|piece| {
                self.origins
                    .get(usize::from(piece.place.origin))
                    .is_some_and(|it| it.kind.is_file())
            })
            .collect();
        let says = |piece: &&&Piece<'_>| {
            ["type", "template"].iter().any(|name| part(piece.value, piece.place, name).is_some())
        };
        let is_main = |piece: &&&Piece<'_>| piece.place.origin == 0;
        let chosen = files
            .iter()
            .find(says)
            .or_else(|| files.iter().find(is_main))
            .or_else(|| files.first());
        chosen.map_or(0, |piece| piece.place.origin)
    }
}

/// Edits while they are given to files.
struct Plan<'r> {
    reading: &'r LayeredReading,
    by_origin: BTreeMap<u16, Vec<Edit>>,
    /// Keys that earlier edits concern, and in which text.
    touched: HashMap<KeyPath, u16>,
    /// Keys above those.
    above: HashMap<KeyPath, u16>,
}

impl Plan<'_> {
    fn add(&mut self, path: &KeyPath, value: Option<&Value>) -> Result<(), LayerEditError> {
        let raw = is_about_layers(path);
        let old = self.reading.resolved.get(path).filter(|_| !raw);
        if let Some(origin) = self.before(path) {
            // Only the text with that edit in it tells more.
            self.put(
                origin,
                path,
                value.map(|value| if raw { value.clone() } else { escaped(value) }),
            );
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
            (Some(new), old) => {
                let (origin, exists) = self.reading.target(path)?;
                let new = if exists { self.appended(path, new, old)? } else { new.clone() };
                self.touch(path, origin);
                self.put(origin, path, Some(if raw { new } else { escaped(&new) }));
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
        self.by_origin.entry(origin).or_default().push(Edit { path: path.clone(), value });
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
                return Err(LayerEditError::FromTemplate { path: path.clone(), template });
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

/// Whether a key says how layers go together, and is no value of the bench.
fn is_about_layers(path: &KeyPath) -> bool {
    let names: Vec<&str> = path.names().iter().map(String::as_str).collect();
    match names.as_slice() {
        ["templates" | "append", ..] | ["bench", "include" | "environment", ..] => true,
        [group, _, "template" | "with", ..] => whole::is_group(group),
        _ => false,
    }
}

/// Values whose texts come out as these when variables are put in.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(expand::escape(text)),
        Value::Array(items) => Value::Array(items.iter().map(escaped).collect()),
        Value::Table(table) => {
            let parts = table.iter().map(|(name, value)| (name.to_owned(), escaped(value)));
            Value::Table(parts.collect())
        }
        plain => plain.clone(),
    }
}

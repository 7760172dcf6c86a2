//! Edits go to the file that holds a key.

mod plan;
mod shift;
mod written;

use std::{collections::HashMap, sync::Arc};

use self::plan::Plan;
pub use self::written::as_written;
pub(super) use self::written::{asking_for_secrets, is_about_layers, written};
use super::{
    LayeredReading,
    merge::Piece,
    origin::{LayerKind, part},
    prove,
    surroundings::{Surroundings, WithTexts},
    whole,
};
use crate::{
    catalogue::Catalogue,
    edit::{self, Edit, EditError, Options, TextEdit},
    path::KeyPath,
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
    /// A component cannot take away, rename or move what its template gives.
    #[error("{path} cannot be {asked}: it comes from template {template}")]
    FromTemplate {
        /// The key.
        path: KeyPath,
        /// The template.
        template: String,
        /// `removed`, `renamed` or `moved`.
        asked: &'static str,
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

/// Writes edits into one text; [`edit::apply_with`] is one.
pub type Apply<'f> = dyn Fn(&str, &[TextEdit]) -> Result<String, EditError> + 'f;

/// Texts that edits changed, by their files' names.
type Texts = HashMap<Arc<str>, Arc<str>>;

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
    /// Edits are made in their order. Values are effective ones, written as [`as_written`] has
    /// them. What a template gives is overridden in the component. A key that is renamed or moved
    /// is so in every file that has it. Keys that say how layers go together (`templates`,
    /// `template`, `with`, `append`, `bench.include`, `bench.environment`) are written as they
    /// are, and change what else they change.
    ///
    /// # Errors
    /// See [`LayerEditError`].
    pub fn edit_layers(
        &self,
        edits: &[TextEdit],
        options: &Options<'_>,
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
    ) -> Result<Vec<(String, String)>, LayerEditError> {
        let apply = |text: &str, edits: &[TextEdit]| edit::apply_with(text, edits, options);
        self.edit_layers_by(edits, surroundings, catalogue, &apply)
    }

    /// The same with another way to write edits into one text.
    ///
    /// # Errors
    /// See [`LayerEditError`].
    pub fn edit_layers_by(
        &self,
        edits: &[TextEdit],
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
        apply: &Apply<'_>,
    ) -> Result<Vec<(String, String)>, LayerEditError> {
        let is_put = |edit: &TextEdit| matches!(edit, TextEdit::Put(_));
        let outside = Outside { surroundings, catalogue };
        // Where a key is and what else has it is known of the layers as they are by then.
        let mut now: Option<Self> = None;
        for run in edits.chunk_by(|one, next| is_put(one) == is_put(next)) {
            let before = now.as_ref().unwrap_or(self);
            let after = if run.first().is_some_and(is_put) {
                before.put(run, outside, apply)?
            } else {
                before.shift(run, outside, apply)?
            };
            now = Some(after);
        }
        let Some(now) = now else { return Ok(Vec::new()) };
        let text_before = |file: &Arc<str>| self.origins.iter().find(|it| it.file == *file);
        let changed = now.origins.iter().filter(|origin| {
            origin.kind.is_file()
                && text_before(&origin.file).is_some_and(|before| before.text != origin.text)
        });
        Ok(changed.map(|it| (it.file.to_string(), it.text.to_string())).collect())
    }

    /// The layers with values set and removed.
    fn put(
        &self,
        edits: &[TextEdit],
        outside: Outside<'_>,
        apply: &Apply<'_>,
    ) -> Result<Self, LayerEditError> {
        let puts = edits.iter().filter_map(|edit| match edit {
            TextEdit::Put(edit) => Some(edit),
            _ => None,
        });
        let puts: Vec<&Edit> = puts.collect();
        let shown = self.masked_values();
        let mut plan = Plan::new(self, &shown);
        for edit in &puts {
            plan.add(&edit.path, edit.value.as_ref())?;
        }
        let mut texts = Texts::new();
        for (origin, edits) in plan.by_origin {
            let Some(origin) = self.origins.get(usize::from(origin)) else { continue };
            let failed = |error| LayerEditError::File { file: origin.name.to_string(), error };
            let text = apply(&origin.text, &edits).map_err(failed)?;
            texts.insert(origin.file.clone(), text.into());
        }
        let after = self.with_texts(&texts, outside);
        prove::puts(&puts, shown, &after)?;
        Ok(after)
    }

    /// The layers with other texts in some files.
    fn with_texts(&self, texts: &Texts, outside: Outside<'_>) -> Self {
        let mut edited = WithTexts::new(outside.surroundings);
        for origin in self.origins.iter().filter(|origin| origin.kind.is_file()) {
            let text = texts.get(&origin.file).unwrap_or(&origin.text);
            edited.put(&origin.file, text.clone());
        }
        super::read_layers(&self.main, &edited, self.asked.as_deref(), outside.catalogue)
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

/// What is around the files of a bench.
#[derive(Clone, Copy)]
struct Outside<'o> {
    surroundings: &'o dyn Surroundings,
    catalogue: &'o dyn Catalogue,
}

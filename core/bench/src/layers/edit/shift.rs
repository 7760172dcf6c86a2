//! Keys that get another name or another place, in every file that has them.

use std::sync::Arc;

use super::{Apply, LayerEditError, Outside, Texts, is_about_layers};
use crate::{
    document::Document,
    edit::{EditError, TextEdit},
    layers::{LayeredReading, prove},
    path::KeyPath,
    value::Value,
};

/// One file while keys in it change places.
struct File<'r> {
    file: &'r Arc<str>,
    name: &'r Arc<str>,
    text: &'r Arc<str>,
    values: Value,
    edits: Vec<TextEdit>,
}

impl LayeredReading {
    /// The layers with keys renamed and moved.
    pub(super) fn shift(
        &self,
        edits: &[TextEdit],
        outside: Outside<'_>,
        apply: &Apply<'_>,
    ) -> Result<Self, LayerEditError> {
        let files = self.origins.iter().filter(|origin| origin.kind.is_file());
        let mut files: Vec<File<'_>> = files
            .map(|origin| File {
                file: &origin.file,
                name: &origin.name,
                text: &origin.text,
                values: Document::recover(&origin.text).into_values(),
                edits: Vec::new(),
            })
            .collect();
        let mut expected = self.resolved.clone();
        for edit in edits {
            self.may_shift(edit)?;
            let (path, to) = (edit.path(), edit.target());
            let refused =
                |name: &str, error| Err(LayerEditError::File { file: name.to_owned(), error });
            let Some(holder) = files.iter().find(|file| file.values.get(path).is_some()) else {
                let (path, absent) = (path.clone(), path.clone());
                return refused(&self.main, EditError::Absent { path, absent });
            };
            if to != *path && expected.get(&to).is_some() {
                // It may be another file that has it.
                let has = files.iter().find(|file| file.values.get(&to).is_some());
                let error = EditError::Taken { path: path.clone(), taken: to };
                return refused(has.unwrap_or(holder).name, error);
            }
            let holder = holder.name;
            let anchor = edit.anchor();
            let mut found = false;
            for file in &mut files {
                let has = |path: &KeyPath| file.values.get(path).is_some();
                if !has(path) || anchor.as_ref().is_some_and(|anchor| !has(anchor)) {
                    continue;
                }
                prove::shift(&mut file.values, path, &to);
                file.edits.push(edit.clone());
                found = true;
            }
            if !found {
                let absent = anchor.unwrap_or_default();
                return refused(holder, EditError::Absent { path: path.clone(), absent });
            }
            prove::shift(&mut expected, path, &to);
        }
        let mut texts = Texts::new();
        for file in files.iter().filter(|file| !file.edits.is_empty()) {
            let failed = |error| LayerEditError::File { file: file.name.to_string(), error };
            let text = apply(file.text, &file.edits).map_err(failed)?;
            texts.insert(file.file.clone(), text.into());
        }
        let after = self.with_texts(&texts, outside);
        let about_layers =
            |edit: &TextEdit| is_about_layers(edit.path()) || is_about_layers(&edit.target());
        if edits.iter().any(about_layers) {
            // These change other keys too, and which is not for an edit to know. That each text
            // says what it was to say is proven.
            return Ok(after);
        }
        prove::same(&expected, &after.resolved)?;
        Ok(after)
    }

    /// Only what files say can be given another name or place.
    fn may_shift(&self, edit: &TextEdit) -> Result<(), LayerEditError> {
        let path = edit.path();
        let asked = if matches!(edit, TextEdit::Rename { .. }) { "renamed" } else { "moved" };
        for piece in self.pieces(path) {
            if let Some(template) = piece.template {
                let (path, template) = (path.clone(), template.to_owned());
                return Err(LayerEditError::FromTemplate { path, template, asked });
            }
            self.in_file(path, &piece)?;
        }
        Ok(())
    }
}

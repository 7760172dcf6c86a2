//! Changing keys in a text, every byte that is not concerned kept.

mod batch;
mod insert;
mod layout;
mod plan;
mod prove;
mod remove;
mod render;
mod replace;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::{batch::Batch, plan::Plan};
use crate::{document::Document, path::KeyPath, value::Value};

/// One change to a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The key.
    pub path: KeyPath,
    /// Its value from now on; `None` removes it, and with it everything below it.
    pub value: Option<Value>,
}

/// Why a text could not be edited.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML to begin with.
    #[error("the text is not TOML: {0}")]
    Syntax(String),
    /// A key on the way is not a table.
    #[error("{path} cannot be set: {blocker} is a {found}, not a table")]
    NotATable {
        /// The key to be set.
        path: KeyPath,
        /// The key in its way.
        blocker: KeyPath,
        /// What that holds.
        found: &'static str,
    },
    /// There is nothing to remove.
    #[error("{path} cannot be removed: it is not in the file")]
    Missing {
        /// The key to be removed.
        path: KeyPath,
    },
    /// The edited text would not read back as asked; nothing was changed. A defect of this crate.
    #[error("{path} cannot be edited in place here; please edit the file by hand")]
    NotProven {
        /// The first key that would read back otherwise.
        path: KeyPath,
    },
}

/// The text with all edits in it, in order; or none of them.
///
/// A changed value is replaced where it stands, written the way the old one was. An added key
/// follows the last one of its table; a removed one goes with its line. Comments on lines of
/// their own stay. What comes out was read again and says what was asked for.
///
/// # Errors
/// See [`EditError`].
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let parse = |text: &str| Document::parse(text).map_err(|error| error.to_string());
    let mut document = parse(text).map_err(EditError::Syntax)?;
    let expected = prove::expected(document.values(), edits);
    let mut batch = Batch::default();
    let mut todo: Vec<Edit> = edits.iter().rev().cloned().collect();
    while let Some(edit) = todo.pop() {
        if !batch.concerns(&edit.path) {
            match plan::plan(&document, batch.layout(&document), &edit)? {
                Plan::Nothing => continue,
                Plan::First(instead) => {
                    todo.extend(instead.into_iter().rev());
                    continue;
                }
                Plan::Patches(patches) => {
                    if batch.take(&edit.path, patches) {
                        continue;
                    }
                }
            }
        }
        // It meets something that is not in the text yet.
        let text = batch.written(document.text());
        let not_proven = |_| EditError::NotProven { path: edit.path.clone() };
        document = parse(&text).map_err(not_proven)?;
        batch = Batch::default();
        todo.push(edit);
    }
    let text = batch.written(document.text());
    prove::holds(&text, &expected, edits).map(|()| text)
}

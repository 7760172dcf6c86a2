//! Two benches that come from one: both changes in one text, and the keys where they clash.

mod clash;
mod renames;
mod walk;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    diff::{Change, diff},
    document::Document,
    edit::{Edit, EditError, apply},
    path::KeyPath,
    value::Value,
};

/// Whose value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the file says.
    File,
    /// What was to be put into it.
    Mine,
}

/// A key that both sides changed, each to something else. The one meaning of a clash: whatever
/// merges, stages or shows clashes shows these.
///
/// A whole instrument, source or module clashes where one side removed it and the other changed
/// it; else single keys do, lists as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clash {
    /// The key.
    pub path: KeyPath,
    /// Its value before both changes; `None`: it was not there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base: Option<Value>,
    /// The file's value; `None`: the file has removed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<Value>,
    /// The value that was to be put into the file; `None`: it was to be removed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mine: Option<Value>,
    /// The new name of a component that one side did not remove but renamed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renamed: Option<KeyPath>,
}

/// What becomes of one key that three benches may hold; see [`reconcile`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reconciled {
    /// What makes the file's value the merged one, in the order of the file, then of mine.
    pub edits: Vec<Edit>,
    /// What is for a person to decide; the edits leave it as the file has it.
    pub clashes: Vec<Clash>,
}

/// A merged text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Merged {
    /// The file's text with my changes in it; the file's value where both clash.
    pub text: String,
    /// What that changes in the file.
    pub changes: Vec<Change>,
    /// What is still to be decided.
    pub clashes: Vec<Clash>,
}

/// Why texts could not be merged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MergeError {
    /// My changes cannot be written into the file's text.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A decision about a key that does not clash.
    #[error("{path} does not clash; decide about one of the keys that do")]
    NoClash {
        /// The key.
        path: KeyPath,
    },
}

/// The file's text with what I changed since `base` in it. What only one side changed is taken
/// from that side; what both changed alike is no clash, nor is another order of keys, `3` for
/// `3.0`, or a table without keys. Comments, order and style are the file's.
///
/// # Errors
/// See [`EditError`]: a change of mine that cannot be written into the file's text.
pub fn merge(base: &Value, file: &Document, mine: &Value) -> Result<Merged, MergeError> {
    let top = KeyPath::default();
    let Reconciled { edits, mut clashes } =
        reconcile(&top, Some(base), Some(file.values()), Some(mine));
    renames::tell(&mut clashes, base, file.values(), mine);
    let (text, changes) = written(file.text(), file.values(), &edits)?;
    Ok(Merged { text, changes, clashes })
}

/// The merge of one key: what to do to the file's value, and where that is for a person to
/// decide. `None` where a bench does not have the key.
pub fn reconcile(
    path: &KeyPath,
    base: Option<&Value>,
    file: Option<&Value>,
    mine: Option<&Value>,
) -> Reconciled {
    walk::walk(path, base, file, mine)
}

/// The merged text with clashes decided. Those that no choice is about stay, with the file's
/// value.
///
/// # Errors
/// A choice about a key that is not among the clashes; a value that cannot be written into the
/// text.
pub fn resolve(merged: &Merged, choices: &[(KeyPath, Side)]) -> Result<Merged, MergeError> {
    let mut sides: HashMap<&KeyPath, Side> = HashMap::with_capacity(choices.len());
    for (path, side) in choices {
        sides.insert(path, *side);
    }
    let mut edits = Vec::new();
    let mut open = Vec::new();
    for clash in &merged.clashes {
        match sides.remove(&clash.path) {
            None => open.push(clash.clone()),
            Some(Side::File) => {}
            Some(Side::Mine) => {
                edits.push(Edit { path: clash.path.clone(), value: clash.mine.clone() });
            }
        }
    }
    // In the order given: what is said is the same each time.
    if let Some((path, _)) = choices.iter().find(|(path, _)| sides.contains_key(path)) {
        return Err(MergeError::NoClash { path: path.clone() });
    }
    let before =
        Document::parse(&merged.text).map_err(|error| EditError::Syntax(error.to_string()))?;
    let (text, changes) = written(&merged.text, before.values(), &edits)?;
    let changes = merged.changes.iter().cloned().chain(changes).collect();
    Ok(Merged { text, changes, clashes: open })
}

/// The text with edits in it, and what they change.
fn written(text: &str, values: &Value, edits: &[Edit]) -> Result<(String, Vec<Change>), EditError> {
    if edits.is_empty() {
        return Ok((text.to_owned(), Vec::new()));
    }
    let text = apply(text, edits)?;
    let after = Document::parse(&text).map_err(|error| EditError::Syntax(error.to_string()))?;
    let changes = diff(values, after.values());
    Ok((text, changes))
}

//! Reading a revision without the list of them.

use std::sync::Arc;

use jiff::Timestamp;

use super::{changed, label, name::VersionName};
use crate::{StoreError, atomic, folder::BenchFolder};

/// The text of a kept revision by what is known of it: for whoever cannot wait for the list, which
/// may be in use for as long as its disk takes. A file that was labelled meanwhile is not found.
///
/// # Errors
/// When its file was changed, damaged or removed.
pub fn text_of(
    folder: &BenchFolder,
    at: Timestamp,
    short_hash: &str,
    label: Option<&str>,
) -> Result<Arc<str>, StoreError> {
    let name = VersionName {
        stamp: at.into(),
        short_hash: short_hash.to_owned(),
        label: label.map(label::for_file),
    };
    let path = folder.versions().join(name.to_string());
    let file = atomic::read(&path)?;
    if file.hash.short() == short_hash { Ok(file.text) } else { Err(changed(path)) }
}

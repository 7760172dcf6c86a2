//! The kept inputs of a fuzz target, without its fuzzer.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Runs a property on everything in `corpus/TARGET`.
///
/// # Panics
/// If there is nothing in it, or the property does not hold for some of it, naming the files.
pub fn replay(target: &str, property: fn(&[u8])) {
    // Both crates that replay are two folders below the top one.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.retain(|file| {
        let input = fs::read(file).unwrap();
        catch_unwind(AssertUnwindSafe(|| property(&input))).is_err()
    });
    assert!(files.is_empty(), "{} of {target} break what must hold: {files:#?}", files.len());
}

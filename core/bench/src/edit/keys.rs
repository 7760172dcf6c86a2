//! Keys that something is done to.

use std::collections::HashSet;

use crate::path::KeyPath;

/// Some keys, and all above them.
#[derive(Default)]
pub(super) struct Keys {
    keys: HashSet<Vec<String>>,
    above: HashSet<Vec<String>>,
}

impl Keys {
    /// Whether a key is one of them, above one of them or below.
    pub(super) fn concern(&self, path: &KeyPath) -> bool {
        let names = path.names();
        self.above.contains(names)
            || (0..=names.len())
                .filter_map(|count| names.get(..count))
                .any(|names| self.keys.contains(names))
    }

    pub(super) fn note(&mut self, path: &KeyPath) {
        let names = path.names();
        self.keys.insert(names.to_vec());
        for above in (0..names.len()).rev().filter_map(|count| names.get(..count)) {
            if !self.above.insert(above.to_vec()) {
                break;
            }
        }
    }
}

//! `[templates]`

use super::{Key, Kind as K, key};

pub(super) const KEYS: &[Key] = &[
    key(
        "templates",
        K::Named("a template"),
        "Keys that several instruments, sources or modules have in common.",
    ),
    key(
        "templates.*",
        K::Template,
        "What a component with `template = \"NAME\"` begins with: any of its keys, its own values \
         going before these; `parameters` gives the placeholders and their defaults.",
    ),
];

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
        "What a component with `template = \"NAME\"` begins with: any keys that it may have; its own \
         go before these. A text may hold placeholders, `$(channel)`, that the component fills by \
         `with = { channel = 1 }`; a `with` here gives their defaults. A template may have a \
         `template` of its own.",
    ),
];

//! The top of the file and `[bench]`.

use super::{Key, Kind as K, key};

pub(super) const KEYS: &[Key] = &[
    key("format", K::Format, "The format that the file is written in; older ones are migrated.")
        .whole(1),
    key(
        "append",
        K::Paths,
        "Lists that this file adds to the ones of the layers below it, where it would otherwise \
         replace them, by their paths: `[\"modules.log.roles.what\"]`.",
    ),
    key("bench", K::Group, "What the bench is called and which files belong to it."),
    key("bench.name", K::Text, "What people call the bench; without it, the name of the file."),
    key(
        "bench.environment",
        K::Text,
        "Which environment the bench runs in: production is checked more strictly.",
    )
    .text("development"),
    key(
        "bench.include",
        K::Files,
        "Further files of the same bench, relative to this one; `*` stands for any name.",
    ),
];

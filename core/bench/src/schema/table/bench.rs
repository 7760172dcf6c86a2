//! The top of the file and `[bench]`.

use super::{Key, Kind as K, key};

pub(super) const KEYS: &[Key] = &[
    key("format", K::Format, "The format that the file is written in; older ones are migrated.")
        .whole(1),
    key(
        "append",
        K::Paths,
        "Lists of this file that go behind those of the layers below it, where they would \
         otherwise replace them, by their paths: `[\"modules.log.roles.what\"]`.",
    ),
    key("bench", K::Group, "What the bench is called and which files belong to it."),
    key("bench.name", K::Text, "What people call the bench; without it, the name of the file."),
    key(
        "bench.environment",
        K::Text,
        "Which environment the bench runs in, if neither `--env` nor the variable `SETPOINT_ENV` \
         says so: `bench.NAME.toml` beside the file is laid over it, and production is checked \
         more strictly.",
    )
    .text("development"),
    key(
        "bench.include",
        K::Files,
        "Further files of the same bench, which are laid below this one, later ones over earlier \
         ones. They are named relative to this one and lie in its folder or below; `*` stands for \
         any name, `**` for any folders.",
    ),
];

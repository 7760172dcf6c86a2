//! `[runtime]`

use super::{Key, Kind as K, key};
use crate::diff::Effect as E;

pub(super) const KEYS: &[Key] = &[
    key("runtime", K::Group, "How Setpoint itself behaves.").effect(E::Live),
    key(
        "runtime.hot_reload",
        K::Choice(&["apply", "propose", "off"]),
        "What a saved file does: it is applied by itself, it is checked and waits with its \
         differences until an operator reloads it (`propose`), or it is not followed until \
         someone asks for a reload (`off`).",
    )
    .by_environment("propose", "apply")
    .effect(E::Live),
    key(
        "runtime.quiet",
        K::Duration("0ms", "10s"),
        "How long the file must be still after a bare write before it is read; a finished save \
         is read at once.",
    )
    .text("50ms")
    .effect(E::Live),
    key(
        "runtime.watch",
        K::Choice(&["auto", "native", "poll"]),
        "How the file is watched: `auto` takes what the operating system offers and polls where \
         that is not enough, `native` relies on it on every disk, `poll` asks once a second.",
    )
    .text("auto")
    .effect(E::Live),
    key(
        "runtime.snapshot_retention",
        K::Whole(1, 100_000),
        "How many unlabelled revisions are kept; labelled ones stay.",
    )
    .whole(10)
    .unit("revisions")
    .effect(E::Live),
    key(
        "runtime.transaction_timeout",
        K::Duration("1s", "7d"),
        "How long staged changes may be left alone before they become a draft, which has to be \
         taken up again.",
    )
    .text("5min")
    .effect(E::Live),
    key(
        "runtime.confirm",
        K::DurationOrOff("1s", "24h"),
        "How long a commit waits to be confirmed before it undoes itself.",
    )
    .text("off")
    .idle("this version does not undo a commit that nobody confirms"),
    key(
        "runtime.annotate",
        K::Switch,
        "Whether edits leave comments in the file that say what was added, removed or changed, \
         and when.",
    )
    .switch(false)
    .effect(E::Live),
    key(
        "runtime.log_level",
        K::Choice(&["error", "warn", "info", "debug", "trace"]),
        "How much is logged.",
    )
    .text("info")
    .effect(E::Live),
];

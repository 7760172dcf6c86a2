//! `[modules.<id>]`

use super::{Key, Kind as K, from_template, key};
use crate::diff::Effect;

/// Types of module.
pub(crate) const MODULE_TYPES: &[&str] = &["interlock", "recorder"];

const INTERLOCK: &[&str] = &["interlock"];
const RECORDER: &[&str] = &["recorder"];

const FROM_TEMPLATE: [Key; 2] = from_template(
    ["modules.*.template", "modules.*.with"],
    "The template whose keys the module begins with.",
    Effect::None,
);

pub(super) const KEYS: &[Key] = &[
    key(
        "modules",
        K::Named("a module"),
        "What works with instruments by itself, by the names you give it.",
    ),
    key("modules.*", K::Module, "An interlock or a recorder.")
        .idle("modules are not run by this version"),
    FROM_TEMPLATE[0],
    FROM_TEMPLATE[1],
    key(
        "modules.*.type",
        K::ModuleType,
        "What kind of module it is: an `interlock` acts when a condition holds, a `recorder` \
         writes readings to a file.",
    )
    .required(),
    key(
        "modules.*.roles",
        K::Roles,
        "Which instruments and sources it uses, under which names of its own.",
    )
    .required(),
    key("modules.*.roles.*", K::Role, "What fills one role: a name, or a list of names."),
    key(
        "modules.*.when",
        K::Condition,
        "The condition that trips it, over its roles' parameters: \
         `sensor.a.temperature > 320 for 2s`.",
    )
    .required()
    .only(INTERLOCK),
    key(
        "modules.*.then",
        K::Actions,
        "What is set when it trips, in this order: `[\"trip.ch1.output = off\"]`.",
    )
    .required()
    .only(INTERLOCK),
    key("modules.*.every", K::Duration("10ms", "7d"), "How often a line is written.")
        .text("1s")
        .only(RECORDER),
    key(
        "modules.*.to",
        K::Text,
        "The file it writes, relative to the bench file; `%Y`, `%m`, `%d`, `%H`, `%M`, `%S` stand \
         for the time.",
    )
    .required()
    .only(RECORDER),
    key(
        "modules.*.enabled",
        K::Switch,
        "Whether it is run; with `false` it stays in the file and does nothing.",
    )
    .switch(true),
    key("modules.*.label", K::Text, "What people call it."),
];

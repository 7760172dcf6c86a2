//! `[instruments.<id>]`

use super::{Key, Kind as K, from_template, key};
use crate::diff::Effect as E;

const FROM_TEMPLATE: [Key; 2] = from_template(
    ["instruments.*.template", "instruments.*.with"],
    "The template whose keys the instrument begins with.",
    E::Restart,
);

pub(super) const KEYS: &[Key] = &[
    key("instruments", K::Named("an instrument"), "The devices, by the names you give them.")
        .effect(E::Connect),
    key("instruments.*", K::Instrument, "A device on a serial line or a socket, or its simulator.")
        .effect(E::Connect),
    FROM_TEMPLATE[0],
    FROM_TEMPLATE[1],
    key("instruments.*.type", K::Driver, "The name of its driver; `setpoint drivers` lists them.")
        .required()
        .effect(E::Restart),
    key("instruments.*.address", K::Address, "Where it is; `sim:` is the driver's own simulator.")
        .required()
        .effect(E::Restart),
    key(
        "instruments.*.enabled",
        K::Switch,
        "Whether it is run; with `false` it stays in the file and is left alone.",
    )
    .switch(true)
    .effect(E::Connect),
    key("instruments.*.label", K::Text, "What people call it."),
    key(
        "instruments.*.on_reconnect",
        K::Choice(&["compare", "reapply", "ignore"]),
        "What happens when it answers (again): `compare` shows what differs, `reapply` also sets \
         it, hazardous parameters excepted, `ignore` only reads.",
    )
    .text("compare")
    .effect(E::Live),
    key(
        "instruments.*.wire",
        K::Line,
        "Settings of the line that replace the driver's; commands cannot be replaced.",
    )
    .effect(E::Restart),
    key(
        "instruments.*.wire.reply_timeout",
        K::Duration("1ms", "10min"),
        "How long a reply may take.",
    )
    .effect(E::Restart),
    key(
        "instruments.*.wire.gap",
        K::Duration("0ms", "1min"),
        "The least silence between two messages.",
    )
    .effect(E::Restart),
    key("instruments.*.wire.baud", K::Whole(50, 4_000_000), "The speed of a serial line.")
        .unit("baud")
        .effect(E::Restart),
    key("instruments.*.wire.tx_end", K::Text, "What ends a message that is sent: `\"\\r\\n\"`.")
        .effect(E::Restart),
    key("instruments.*.wire.rx_end", K::Text, "What ends a reply: `\"\\n\"`.").effect(E::Restart),
    key(
        "instruments.*.limits",
        K::Limits,
        "Ranges by parameter, `ch1.voltage = [0.0, 3.6]`: least and greatest value that may be \
         set. They may narrow what the driver allows, never widen it.",
    )
    .effect(E::Live),
    key(
        "instruments.*.set",
        K::Setpoints,
        "Values by parameter, `ch1.voltage = 3.3`, set and read back; what is not named here is \
         left as the device has it.",
    )
    .effect(E::Live),
];

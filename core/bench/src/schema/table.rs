//! The table of keys.

use super::{Key, Kind, Kind as K, Preset, Preset as P};
use crate::diff::{Effect, Effect as E};

const NO_RTSP: &str = "this version does not serve streams over RTSP";

/// Names of the test patterns that a source can show, by GStreamer's `videotestsrc`.
pub(crate) const PATTERNS: &[&str] = &[
    "smpte",
    "snow",
    "black",
    "white",
    "red",
    "green",
    "blue",
    "checkers-1",
    "checkers-2",
    "checkers-4",
    "checkers-8",
    "circular",
    "blink",
    "smpte75",
    "zone-plate",
    "gamut",
    "chroma-zone-plate",
    "solid-color",
    "ball",
    "smpte100",
    "bar",
    "pinwheel",
    "spokes",
    "gradient",
    "colors",
    "smpte-rp-219",
];

const FORMATS: &[&str] = &["I420", "NV12", "YUY2", "UYVY", "RGB", "BGR", "RGBA", "BGRA", "GRAY8"];

/// Every key that a bench file may have.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("format",                         K::Format,                                        P::Whole(1),            E::None),

    key("bench",                          K::Group,                                         P::Absent,              E::None),
    key("bench.name",                     K::Text,                                          P::Absent,              E::None),
    key("bench.environment",              K::Text,                                          P::Text("development"), E::None),
    key("bench.include",                  K::Texts,                                         P::Absent,              E::None),

    key("runtime",                        K::Group,                                         P::Absent,              E::Live),
    key("runtime.hot_reload",             K::Choice(&["apply", "propose", "off"]),          P::Text("apply"),       E::Live),
    key("runtime.quiet",                  K::Duration("0ms", "10s"),                        P::Text("50ms"),        E::Live),
    idle("runtime.watch",                 K::Choice(&["auto", "native", "poll"]),           P::Text("auto"),        "this version decides by itself how it watches the file"),
    key("runtime.snapshot_retention",     K::Whole(1, 100_000),                             P::Whole(10),           E::Live),
    idle("runtime.transaction_timeout",   K::Duration("1s", "7d"),                          P::Text("5min"),        "staged changes do not run out of time in this version"),
    idle("runtime.confirm",               K::DurationOrOff("1s", "24h"),                    P::Text("off"),         "this version does not undo a commit that nobody confirms"),
    key("runtime.log_level",              K::Choice(&["error", "warn", "info", "debug", "trace"]), P::Text("info"), E::Live),

    idle("rtsp",                          K::Group,                                         P::Absent,              NO_RTSP),
    key("rtsp.address",                   K::Text,                                          P::Text("127.0.0.1"),   E::None),
    key("rtsp.port",                      K::Whole(1, 65_535),                              P::Whole(8554),         E::None),

    key("instruments",                    K::Named("an instrument"),                        P::Absent,              E::Connect),
    key("instruments.*",                  K::Instrument,                                    P::Absent,              E::Connect),
    key("instruments.*.type",             K::Driver,                                        P::Required,            E::Restart),
    key("instruments.*.address",          K::Address,                                       P::Required,            E::Restart),
    key("instruments.*.enabled",          K::Switch,                                        P::Switch(true),        E::Connect),
    key("instruments.*.label",            K::Text,                                          P::Absent,              E::None),
    key("instruments.*.on_reconnect",     K::Choice(&["compare", "reapply", "ignore"]),     P::Text("compare"),     E::Live),
    key("instruments.*.wire",             K::Line,                                          P::Absent,              E::Restart),
    key("instruments.*.wire.reply_timeout", K::Duration("1ms", "10min"),                    P::Absent,              E::Restart),
    key("instruments.*.wire.gap",         K::Duration("0ms", "1min"),                       P::Absent,              E::Restart),
    key("instruments.*.wire.baud",        K::Whole(50, 4_000_000),                          P::Absent,              E::Restart),
    key("instruments.*.wire.tx_end",      K::Text,                                          P::Absent,              E::Restart),
    key("instruments.*.wire.rx_end",      K::Text,                                          P::Absent,              E::Restart),
    key("instruments.*.limits",           K::Limits,                                        P::Absent,              E::Live),
    key("instruments.*.set",              K::Setpoints,                                     P::Absent,              E::Live),

    key("sources",                        K::Named("a source"),                             P::Absent,              E::Connect),
    key("sources.*",                      K::Source,                                        P::Absent,              E::Connect),
    key("sources.*.type",                 K::SourceType,                                    P::Required,            E::Restart),
    key("sources.*.pattern",              K::Choice(PATTERNS),                              P::Text("smpte"),       E::Live),
    key("sources.*.resolution",           K::Resolution,                                    P::Text("1280x720"),    E::Renegotiate),
    key("sources.*.framerate",            K::Framerate,                                     P::Whole(30),           E::Renegotiate),
    key("sources.*.format",               K::Choice(FORMATS),                               P::Text("I420"),        E::Renegotiate),
    idle("sources.*.rtsp",                K::MountPoint,                                    P::Absent,              NO_RTSP),
    key("sources.*.preview",              K::Switch,                                        P::Switch(true),        E::Live),
    key("sources.*.enabled",              K::Switch,                                        P::Switch(true),        E::Connect),
    key("sources.*.label",                K::Text,                                          P::Absent,              E::None),

    key("modules",                        K::Named("a module"),                             P::Absent,              E::None),
    key("modules.*",                      K::Module,                                        P::Absent,              E::None),
];

const fn key(path: &'static str, kind: Kind, preset: Preset, effect: Effect) -> Key {
    Key { path, kind, preset, effect, idle: None }
}

/// A key that is known and checked, and that this version does nothing with.
const fn idle(path: &'static str, kind: Kind, preset: Preset, why: &'static str) -> Key {
    Key { path, kind, preset, effect: Effect::None, idle: Some(why) }
}

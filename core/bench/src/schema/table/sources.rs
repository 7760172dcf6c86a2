//! `[sources.<id>]`

use super::{Key, Kind as K, from_template, key, rtsp::NOT_SERVED};
use crate::diff::Effect as E;

/// Types of source that run.
pub(crate) const SOURCE_TYPES: &[&str] = &["test_pattern"];

/// Types of source that files may name in a later version.
pub(crate) const LATER_SOURCE_TYPES: &[&str] = &["file", "directory", "camera", "rtsp", "pipeline"];

/// Names of the test patterns that a source can show, by GStreamer's `videotestsrc`.
const PATTERNS: &[&str] = &[
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

const FROM_TEMPLATE: [Key; 2] = from_template(
    ["sources.*.template", "sources.*.with"],
    "The template whose keys the source begins with.",
    E::Restart,
);

pub(super) const KEYS: &[Key] = &[
    key("sources", K::Named("a source"), "Where pictures come from, by the names you give them.")
        .effect(E::Connect),
    key("sources.*", K::Source, "A source of pictures.").effect(E::Connect),
    FROM_TEMPLATE[0],
    FROM_TEMPLATE[1],
    key("sources.*.type", K::SourceType, "What kind of source it is.")
        .required()
        .effect(E::Restart),
    key("sources.*.pattern", K::Choice(PATTERNS), "Which test pattern it shows.")
        .text("smpte")
        .effect(E::Live)
        .only(&["test_pattern"]),
    key(
        "sources.*.resolution",
        K::Resolution,
        "Width and height of its pictures; formats that share colours between pixels need even \
         ones.",
    )
    .text("1280x720")
    .unit("pixels")
    .effect(E::Renegotiate),
    key("sources.*.framerate", K::Framerate, "How many pictures a second it gives.")
        .whole(30)
        .unit("frames a second")
        .effect(E::Renegotiate),
    key("sources.*.format", K::Choice(FORMATS), "How a pixel is stored, by GStreamer's names.")
        .text("I420")
        .effect(E::Renegotiate),
    key("sources.*.rtsp", K::MountPoint, "The mount point that it is served at over RTSP.")
        .idle(NOT_SERVED),
    key("sources.*.preview", K::Switch, "Whether the panel shows it.").switch(true).effect(E::Live),
    key(
        "sources.*.enabled",
        K::Switch,
        "Whether it is run; with `false` it stays in the file and gives no pictures.",
    )
    .switch(true)
    .effect(E::Connect),
    key("sources.*.label", K::Text, "What people call it."),
];

//! `[rtsp]`

use super::{Key, Kind as K, key};

/// Why nothing of it does anything yet.
pub(super) const NOT_SERVED: &str = "this version does not serve streams over RTSP";

pub(super) const KEYS: &[Key] = &[
    key("rtsp", K::Group, "Where sources are served as RTSP streams.").idle(NOT_SERVED),
    key(
        "rtsp.address",
        K::Text,
        "The address to listen on: `127.0.0.1` for this computer alone, `0.0.0.0` for everyone.",
    )
    .text("127.0.0.1"),
    key("rtsp.port", K::Whole(1, 65_535), "The TCP port to listen on.").whole(8554),
    key(
        "rtsp.token",
        K::Text,
        "What a viewer has to know; better a `${secret:NAME}` than the plain text.",
    )
    .secret(),
];

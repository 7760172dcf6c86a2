//! What a source says of itself: plain data, swapped whole.

use jiff::Timestamp;
use serde::Serialize;

/// Whether pictures come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Pictures come at the rate asked for.
    Live,
    /// They come, at less than three quarters of that rate.
    Slow,
    /// None for a second and five frame times; the last one is shown.
    Frozen,
    /// There is no picture, a stand-in is shown.
    Fallback,
    /// The first one is awaited.
    Starting,
    /// `enabled = false`
    Disabled,
}

/// One source as it is now. Everything in it is measured or named by the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceStatus {
    /// Name in the bench file.
    pub id: String,
    /// `test_pattern`
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether pictures come.
    pub state: SourceState,
    /// Width of the source's pictures in pixels, from its negotiated caps.
    pub width: Option<u32>,
    /// Height, likewise.
    pub height: Option<u32>,
    /// Raw video format, likewise: `I420`.
    pub format: Option<String>,
    /// Frames a second, counted over the last second or more.
    pub framerate: Option<f64>,
    /// Frames that arrived since it started.
    pub frames: u64,
    /// Frames that were replaced unseen in the preview slot while someone was looking at it.
    pub drops: u64,
    /// When the last one arrived.
    pub at: Option<Timestamp>,
    /// Clients that watch it through RTSP.
    pub viewers: u32,
    /// Address of its RTSP stream, while served.
    pub rtsp_url: Option<String>,
    /// What last went wrong.
    pub error: Option<String>,
}

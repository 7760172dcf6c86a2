//! Picture sources and preview frames.
//!
//! A [`Source`] runs GStreamer pipelines and puts the pictures they make into a [`FrameSlot`],
//! which holds the newest only. It has no queue, so a slow reader never delays a picture.
//!
//! | part | holds |
//! |---|---|
//! | [`source`] | [`Source`]: start, reconfigure, status, stop |
//! | [`config`] | [`SourceConfig`]: what is asked of one, and the size it is shown at |
//! | [`frame`] | [`Frame`] and [`FrameSlot`] |
//! | [`status`] | [`SourceStatus`]: what a source says of itself |
//! | [`error`] | [`VideoError`] |
//! | `producer` | one pipeline, from the first element to the preview |
//! | `shared` | which pipeline may publish, and what was measured of it |
//! | `rate` | frames a second, counted |
//!
//! Promises: a change that fails leaves the pictures as they were; a replaced pipeline publishes
//! nothing after its successor's first picture; sequence numbers have no gap across a change;
//! dropping a source stops its pipelines and its thread. No input makes this crate panic.
//!
//! Starting, changing and dropping a source may block (opening a device does): call them from a
//! thread that may wait. [`Source::status`] and [`FrameSlot::latest`] never wait for a pipeline.

pub mod config;
pub mod error;
pub mod frame;
mod producer;
mod rate;
mod shared;
pub mod source;
pub mod status;

pub use config::SourceConfig;
pub use error::VideoError;
pub use frame::{Frame, FrameSlot};
pub use producer::init;
pub use source::{Source, Waker};
pub use status::{SourceState, SourceStatus};

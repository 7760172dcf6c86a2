//! Pictures for a preview, and the slot that holds the newest.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// One picture: RGBA, 8 bits a channel, rows from the top without padding, opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
    /// Counts the source's pictures from 1; a higher one is newer.
    pub sequence: u64,
    /// When it arrived.
    pub at: Timestamp,
}

/// A picture that nobody looks at for this long is not missed.
const WATCHED: Duration = Duration::from_secs(1);

/// Holds the latest picture only: a slow reader misses pictures, it never delays any.
#[derive(Debug, Clone, Default)]
pub struct FrameSlot(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    latest: Option<Arc<Frame>>,
    seen: bool,
    looked: Option<Instant>,
    drops: u64,
}

impl FrameSlot {
    /// Puts a picture in, in place of the one before.
    pub fn put(&self, frame: Frame) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = slot.looked.is_some_and(|looked| looked.elapsed() < WATCHED);
        if watched && slot.latest.is_some() && !slot.seen {
            slot.drops += 1;
        }
        slot.latest = Some(Arc::new(frame));
        slot.seen = false;
    }

    /// The newest picture. It stays in the slot.
    pub fn latest(&self) -> Option<Arc<Frame>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.seen = true;
        slot.looked = Some(Instant::now());
        slot.latest.clone()
    }

    /// Takes the picture out: there is none for now.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).latest = None;
    }

    /// Pictures that were replaced unseen while someone was looking.
    pub fn drops(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drops
    }
}

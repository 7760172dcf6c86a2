//! Where screens find the newest picture of each source.

use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use setpoint_video::{Frame, FrameSlot};

/// The preview slots of all sources. The lock is held for a look-up only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frames(Arc<RwLock<IndexMap<String, FrameSlot>>>);

impl Frames {
    /// The newest picture of a source.
    pub(crate) fn latest(&self, source: &str) -> Option<Arc<Frame>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(source)?.latest()
    }

    /// The slot a source's pictures go to from now on.
    pub(crate) fn set(&self, source: &str, slot: FrameSlot) {
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        slots.insert(source.to_owned(), slot);
    }

    /// Forgets a source.
    pub(crate) fn remove(&self, source: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).shift_remove(source);
    }
}

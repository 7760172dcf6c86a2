//! What the check of one component hands on to the check of the whole bench.

use std::ops::Range;

use crate::document::Place;

/// Where something stands: a stretch of bytes in one of the texts. Half the size of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    /// Which of the texts.
    pub origin: u16,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl At {
    /// A stretch of the text that a place is in.
    pub fn new(origin: u16, bytes: &Range<usize>) -> Self {
        // Texts have 16 MiB at most.
        let small = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { origin, start: small(bytes.start), end: small(bytes.end) }
    }

    /// The value of a place.
    pub fn value(place: &Place) -> Self {
        Self::new(place.origin, &place.span)
    }

    /// As a range of bytes.
    pub fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text of a component that others may not have too, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// As written.
    pub text: String,
    /// What it is compared by, where that differs.
    pub same: Option<String>,
    /// Where.
    pub at: At,
}

impl Claim {
    /// What it is compared by.
    pub fn key(&self) -> &str {
        self.same.as_deref().unwrap_or(&self.text)
    }
}

/// What the check of the whole bench has to know of one component.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The line that an enabled instrument has for itself; simulated ones have none.
    pub line: Option<Claim>,
    /// Where a source is served.
    pub mount_point: Option<Claim>,
}

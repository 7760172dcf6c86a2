//! What is asked of a source.

use std::str::FromStr;

use gstreamer as gst;
use gstreamer_video::VideoFormat;

use crate::error::VideoError;

/// Greatest width and height of a preview picture, in pixels.
pub const PREVIEW: (u32, u32) = (480, 270);

/// Greatest width and height of a source, in pixels.
pub const LARGEST: u32 = 8192;

/// A test-pattern source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Which pattern: `smpte`, `ball`, `red`, …
    pub pattern: String,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second, as a fraction.
    pub framerate: (u32, u32),
    /// Raw video format: `I420`.
    pub format: String,
    /// Whether pictures go to the slot; without it frames are only counted.
    pub preview: bool,
}

impl SourceConfig {
    /// The size its pictures are shown at: within [`PREVIEW`], same shape, even, never enlarged.
    pub fn preview_size(&self) -> (u32, u32) {
        let (width, height) = (u64::from(self.width.max(1)), u64::from(self.height.max(1)));
        let (most_wide, most_high) = (u64::from(PREVIEW.0), u64::from(PREVIEW.1));
        let (wide, high) = if width <= most_wide && height <= most_high {
            (width, height)
        } else if width * most_high >= height * most_wide {
            (most_wide, height * most_wide / width)
        } else {
            (width * most_high / height, most_high)
        };
        let even = |side: u64| u32::try_from((side & !1).max(2)).unwrap_or(2);
        (even(wide), even(high))
    }

    /// Seconds from one frame to the next.
    pub(crate) fn frame_time_s(&self) -> f64 {
        f64::from(self.framerate.1) / f64::from(self.framerate.0.max(1))
    }

    /// The caps it asks of its first element. GStreamer must be initialised.
    ///
    /// # Errors
    /// [`VideoError::Setting`] for a size, rate or format that cannot be.
    pub(crate) fn caps(&self) -> Result<gst::Caps, VideoError> {
        let side = |what, value: u32| match i32::try_from(value) {
            Ok(side) if (1..=LARGEST).contains(&value) => Ok(side),
            _ => Err(VideoError::Setting {
                what,
                value: value.to_string(),
                why: "it goes from 1 to 8192 pixels",
            }),
        };
        let (width, height) = (side("the width", self.width)?, side("the height", self.height)?);
        let rate = match (i32::try_from(self.framerate.0), i32::try_from(self.framerate.1)) {
            (Ok(frames @ 1..), Ok(seconds @ 1..)) => gst::Fraction::new(frames, seconds),
            _ => {
                return Err(VideoError::Setting {
                    what: "the frame rate",
                    value: format!("{}/{}", self.framerate.0, self.framerate.1),
                    why: "it is a fraction of two whole numbers above 0",
                });
            }
        };
        // A text that holds a NUL would not survive the way into C.
        let known = !self.format.contains('\0') && VideoFormat::from_str(&self.format).is_ok();
        if !known || self.format == "ENCODED" {
            return Err(VideoError::Setting {
                what: "the format",
                value: format!("“{}”", self.format),
                why: "it is a raw video format such as I420, NV12, YUY2 or RGB",
            });
        }
        Ok(gst::Caps::builder("video/x-raw")
            .field("format", self.format.as_str())
            .field("width", width)
            .field("height", height)
            .field("framerate", rate)
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(width: u32, height: u32) -> SourceConfig {
        SourceConfig {
            pattern: "smpte".into(),
            width,
            height,
            framerate: (30, 1),
            format: "I420".into(),
            preview: true,
        }
    }

    #[test]
    fn preview_keeps_the_shape_and_fits() {
        for (asked, shown) in [
            ((1280, 720), (480, 270)),
            ((640, 480), (360, 270)),
            ((4000, 100), (480, 12)),
            ((100, 4000), (6, 270)),
            ((321, 101), (320, 100)),
            ((1, 1), (2, 2)),
            ((8192, 1), (480, 2)),
        ] {
            assert_eq!(sized(asked.0, asked.1).preview_size(), shown, "{asked:?}");
        }
    }

    #[test]
    fn impossible_settings_are_refused_with_their_name() {
        crate::init().unwrap();
        let mut wrong = vec![];
        for (width, height) in [(0, 10), (10, 0), (8193, 10), (u32::MAX, 10)] {
            wrong.push(sized(width, height));
        }
        for framerate in [(0, 1), (30, 0), (u32::MAX, 1)] {
            wrong.push(SourceConfig { framerate, ..sized(64, 64) });
        }
        for format in ["", "I421", "ENCODED", "I420\0"] {
            wrong.push(SourceConfig { format: format.into(), ..sized(64, 64) });
        }
        for config in wrong {
            let error = config.caps().unwrap_err();
            assert!(matches!(error, VideoError::Setting { .. }), "{config:?}: {error}");
        }
        assert!(sized(64, 64).caps().is_ok());
    }
}

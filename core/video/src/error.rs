//! What can go wrong with pictures.

/// Why a source or the library behind it cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VideoError {
    /// The library itself does not start.
    #[error("GStreamer cannot be started: {cause}")]
    Init {
        /// What it said.
        cause: String,
    },
    /// A plugin is not installed.
    #[error(
        "the GStreamer element “{element}” is missing: install the Debian package {package}, \
         or the one that holds it on this system"
    )]
    MissingElement {
        /// `videotestsrc`
        element: &'static str,
        /// `gstreamer1.0-plugins-base`
        package: &'static str,
    },
    /// The installed element lacks something that this crate relies on.
    #[error("the GStreamer element “{element}” has no usable property “{property}”")]
    Property {
        /// `videotestsrc`
        element: &'static str,
        /// `pattern`
        property: &'static str,
    },
    /// There is no such test pattern.
    #[error("there is no test pattern “{pattern}”; there are {known}")]
    Pattern {
        /// What was asked for.
        pattern: String,
        /// The ones that exist, separated by commas.
        known: String,
    },
    /// A size, rate or format that cannot be.
    #[error("{what} cannot be {value}: {why}")]
    Setting {
        /// `the frame rate`
        what: &'static str,
        /// What was asked for.
        value: String,
        /// What is allowed.
        why: &'static str,
    },
    /// The pipeline ended or broke before it gave a picture, or while it ran.
    #[error("{message}")]
    Pipeline {
        /// Which element, and what it said.
        message: String,
    },
    /// The pipeline runs and gives nothing.
    #[error("no picture came within {waited_ms} ms")]
    NoPicture {
        /// How long was waited.
        waited_ms: u64,
    },
    /// The source was dropped meanwhile.
    #[error("the source was stopped")]
    Stopped,
}

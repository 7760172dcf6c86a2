//! Names for the signs of the icon font; draw them with [`super::theme::icon`].

/// The mark of the program.
pub const MARK: &str = "\u{e1d6}";
/// The bench.
pub const BENCH: &str = "\u{e464}";
/// Staged changes.
pub const CHANGES: &str = "\u{e3b4}";
/// Revisions.
pub const HISTORY: &str = "\u{e1a0}";
/// What happened.
pub const ACTIVITY: &str = "\u{e000}";
/// Light theme.
pub const SUN: &str = "\u{e472}";
/// Dark theme.
pub const MOON: &str = "\u{e330}";
/// Close, take back.
pub const CLOSE: &str = "\u{e4f6}";
/// Dangerous.
pub const WARNING: &str = "\u{e4e0}";
/// Open a file.
pub const OPEN: &str = "\u{e256}";
/// Start.
pub const PLAY: &str = "\u{e3d0}";
/// Read again.
pub const RELOAD: &str = "\u{e036}";
/// Go back.
pub const UNDO: &str = "\u{e038}";
/// From old to new.
pub const ARROW_RIGHT: &str = "\u{e06c}";
/// Up.
pub const ARROW_UP: &str = "\u{e08e}";
/// Down.
pub const ARROW_DOWN: &str = "\u{e03e}";
/// Kept for good.
pub const STAR: &str = "\u{e46a}";
/// An instrument.
pub const PLUGS: &str = "\u{eb56}";
/// Copy.
pub const COPY: &str = "\u{e1ca}";

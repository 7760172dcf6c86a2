//! What frames every page: top bar, rail, status bar.

mod leaving;
mod rail;
mod reload;
mod status_bar;
mod top_bar;

pub use leaving::leaving;
pub use rail::rail;
pub use reload::{ReloadWords, reload_words};
pub use status_bar::status_bar;
pub use top_bar::top_bar;

/// Below this width in points the rail shows signs only.
pub const NARROW: f32 = 1180.0;

//! The window.
//!
//! | part | holds |
//! |---|---|
//! | [`app`] | the program behind the window: opens benches, carries intents out |
//! | [`slot`], [`opening`] | the one bench of the window, and what is on its way |
//! | [`session`] | one open bench: requests under way and their answers |
//! | [`answers`] | what is asked of a bench beside its status: here, or on its way |
//! | [`search`] | the words of a search: `author:ada since:2h voltage` |
//! | [`screen`] | everything that is drawn, as a function of a [`pages::View`] |
//! | [`shell`] | top bar, rail, status bar |
//! | [`pages`] | one file or folder a page |
//! | [`widgets`] | what pages share |
//! | [`intent`] | what a person wants |
//! | [`shortcuts`] | every action that has a key |
//! | [`theme`], [`fonts`], [`icons`] | how it looks |
//! | [`format`](mod@format) | numbers, times, values as text |
//! | [`video`] | pictures on their way to the graphics card |
//!
//! Promises: drawing reads one status value and waits for nothing; pages say what is wanted and
//! do nothing themselves; whatever can be clicked has a name.

pub mod answers;
pub mod app;
pub mod fonts;
pub mod format;
pub mod icons;
pub mod intent;
pub mod opening;
pub mod pages;
pub mod screen;
pub mod search;
pub mod session;
pub mod shell;
pub mod shortcuts;
pub mod slot;
pub mod theme;
pub mod video;
pub mod widgets;

pub use app::{Look, PanelOptions, run};
pub use pages::Page;
pub use screen::Screen;

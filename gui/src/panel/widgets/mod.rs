//! Widgets that several pages use. Each names itself to screen readers and tests, and takes its
//! colours from [`super::theme`].

pub mod button;
pub mod card;
pub mod cells;
pub mod code;
pub mod field;
pub mod input;
pub mod notice;
pub mod picker;
pub mod pill;
pub mod sparkline;
pub mod table;
pub mod text;
pub mod toast;
pub mod toggle;
pub mod tone;

pub use button::{ActionButton, icon_button};
pub use card::{card, card_header};
pub use cells::cell_at;
pub use field::{FieldEvent, ValueField};
pub use input::text_input;
pub use notice::Notice;
pub use picker::picker;
pub use pill::Pill;
pub use sparkline::sparkline;
pub use text::{label, page_title, two_lines, width_of};
pub use toast::{Toast, Toasts};
pub use toggle::toggle;
pub use tone::{Mark, Tone, paint_mark};

//! The bench file as a language.
//!
//! Pure functions over text: no disk, no clock, no device. A bench file comes in as text, what
//! goes out is a typed [`Bench`], [`Diagnostic`]s with their place in the file, [`Change`]s
//! between two benches, and texts with edits in them that keep every other byte.
//!
//! | part | holds |
//! |---|---|
//! | [`value`] | [`Value`], the plain data a file holds, keys in file order |
//! | [`path`] | [`KeyPath`], `instruments.psu.set.ch1.voltage` |
//! | [`diagnostic`] | [`Diagnostic`], [`Severity`], [`Span`]: one finding and its place |
//! | [`catalogue`] | [`Catalogue`], through which facts about instrument types come in |
//! | [`model`] | [`Bench`], the typed bench |
//! | [`document`] | [`Document`]: text, values and the span of every key |
//! | [`schema`] | which keys exist, their types, ranges, defaults and effects |
//! | [`check`](mod@check) | [`read`]: text in, bench and all findings out |
//! | [`diff`](mod@diff) | what differs, key by key; and line by line |
//! | [`duration`] | `"250ms"` as a duration |
//! | [`expression`] | conditions and settings that modules hold |
//! | [`layers`] | a bench out of several files, templates and variables |
//! | [`edit`](mod@edit) | set, remove, rename and move keys in a text, every other byte kept |
//! | [`merge`](mod@merge) | two benches that come from one: both changes, and where they clash |
//! | [`migrate`](mod@migrate) | older and foreign files brought to today's format |
//!
//! Promises: every finding of a file is reported at once and in file order; a text that does not
//! check gives no `Bench`; an edit changes the lines it concerns and no others.

mod bench_text;
pub mod catalogue;
pub mod check;
pub mod diagnostic;
pub mod diff;
pub mod document;
pub mod duration;
pub mod edit;
pub mod expression;
pub mod layers;
pub mod merge;
pub mod migrate;
pub mod model;
pub mod path;
mod pieces;
pub mod schema;
mod table;
pub mod value;

pub use bench_text::BenchText;
pub use catalogue::{Catalogue, LineFacts, ParameterFacts, ParameterKind, Poll};
pub use check::{Reading, read};
pub use diagnostic::{Diagnostic, Severity, Span};
pub use diff::{Change, ChangeKind, Effect, diff};
pub use document::Document;
pub use edit::{Edit, EditError, TextEdit, apply, apply_with};
pub use merge::{Clash, Merged, merge};
pub use migrate::{Migration, migrate};
pub use model::Bench;
pub use path::KeyPath;
pub use value::Value;

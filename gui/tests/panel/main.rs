//! The panel, drawn and clicked without a bench behind it.
#![allow(clippy::unwrap_used, reason = "a fixture that fails is a test that fails")]

mod bench;
#[path = "../common/mod.rs"]
mod common;
mod fixture;
mod shell;
mod snapshots;
mod stage;

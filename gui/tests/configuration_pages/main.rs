//! The pages Changes, History and Activity, drawn and clicked with nothing running behind them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod activity;
mod aside;
mod busy;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod facts;
mod fixture;
mod history;
mod searches;

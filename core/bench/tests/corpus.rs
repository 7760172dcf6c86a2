//! Inputs that the fuzzers of `fuzz/` found worth keeping: what must hold for any input holds for
//! them. `cargo xtask soak` looks for more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "../../../fuzz/src/bench_language/mod.rs"]
mod properties;
#[path = "../../../fuzz/src/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn documents() {
    replay("document", properties::document);
}

#[test]
fn layers() {
    replay("layers", properties::layers);
}

#[test]
fn merges() {
    replay("merge", properties::merge);
}

#[test]
fn edits() {
    replay("edit", properties::edit);
}

//! Inputs that the fuzzer of driver files found worth keeping: what must hold for any input holds
//! for them. `cargo xtask soak` looks for more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "../../../fuzz/src/driver_template.rs"]
mod properties;
#[path = "../../../fuzz/src/replay.rs"]
mod replay;

#[test]
fn driver_files_and_templates() {
    replay::replay("driver_template", properties::driver_template);
}

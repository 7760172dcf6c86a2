//! What must hold for any input, one function for each fuzz target.
//!
//! The fuzzers in `fuzz_targets` look for inputs that break these; the tests `corpus` of
//! `setpoint-bench` and `setpoint-instruments` include the same files and replay what is kept in
//! `corpus`, so that no fuzzer is needed for that.

#![allow(clippy::panic, clippy::unwrap_used, reason = "that is how a property fails")]

pub mod bench_language;
pub mod driver_template;

//! What keeping a bench costs, next to floors measured in the same run.
//!
//! `cargo bench -p setpoint-store --bench store`. Each part is a file of its own.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may stop")]

mod revisions;
mod watch;

fn main() {
    revisions::main();
    watch::main();
}

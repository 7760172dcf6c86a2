//! What keeping a bench costs, next to floors measured in the same run.
//!
//! `cargo bench -p setpoint-store --bench store`. Each part is a file of its own; `-- history` runs
//! that one alone.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may stop")]

mod history;
mod revisions;
mod watch;

use std::time::Instant;

fn main() {
    // History comes last: threads of it that end would be counted where watching idles.
    let parts: [(&str, fn()); 3] =
        [("revisions", revisions::main), ("watch", watch::main), ("history", history::main)];
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, part) in parts {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            part();
        }
    }
}

/// Milliseconds that something takes.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1_000.0
}

fn median_of(rounds: usize, mut work: impl FnMut()) -> f64 {
    median((0..rounds).map(|_| timed(&mut work)).collect())
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

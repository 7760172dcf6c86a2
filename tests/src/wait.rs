//! Waiting for something to become so.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for anything that works, on a machine that does much else.
pub const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer, and returns it.
///
/// # Panics
/// If there is none within [`DEADLINE`]; the message says what was waited for.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain: {what}");
        thread::sleep(PAUSE);
    }
}

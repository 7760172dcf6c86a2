//! No beginning of a text is believed before it has been still for a second.

use std::{fs, thread, time::Duration};

use setpoint_store::FileSeen;

use crate::bench::*;

/// As the watcher holds it.
const HOLD: Duration = Duration::from_secs(1);

#[test]
fn every_prefix_left_in_place_is_held_for_a_second() {
    let cuts: Vec<usize> = (0..FIRST.len()).collect();
    // As many at a time as the system gives watches for.
    for cuts in cuts.chunks(10) {
        thread::scope(|scope| {
            for &cut in cuts {
                scope.spawn(move || {
                    let bench = Bench::new();
                    let torn = &FIRST[..cut];
                    fs::write(&bench.file, torn).unwrap();
                    assert!(matches!(bench.next(), FileSeen::Settling), "cut at {cut}");
                    let FileSeen::Text { text, first_sign, .. } = bench.next() else {
                        panic!("no text, cut at {cut}");
                    };
                    assert_eq!(&*text, torn);
                    assert!(first_sign.elapsed() >= HOLD, "cut at {cut}");
                });
            }
        });
    }
}

//! What watching costs while nothing happens.

use std::{fs, process::Command, thread, time::Duration};

use setpoint_store::Beside;

use crate::bench::*;

const ALONE: &str = "SETPOINT_TEST_ALONE";
const NAME: &str = "idle::nothing_wakes_it_but_the_periodic_question";

/// How often each thread of this process that has to do with watching was put to sleep.
fn sleeps() -> u64 {
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        let name = fs::read_to_string(task.join("comm")).unwrap();
        if name.starts_with("setpoint-watch") || name.starts_with("notify") {
            let status = fs::read_to_string(task.join("status")).unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt")).unwrap();
            sum += line.split_whitespace().last().unwrap().parse::<u64>().unwrap();
        }
    }
    sum
}

#[test]
fn nothing_wakes_it_but_the_periodic_question() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this process watch as well.
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stdout);
        let wrong = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success() && told.contains("1 passed"), "{told}\n{wrong}");
        return;
    }
    let bench = Bench::new();
    fs::write(bench.path("optics.toml"), FIRST).unwrap();
    bench.watcher.set_beside(Beside {
        files: vec![("optics.toml".to_owned(), None), (".env".to_owned(), None)],
        patterns: vec!["bench.*.toml".to_owned(), "drivers/*.toml".to_owned()],
    });
    assert_eq!(bench.beside(), ["optics.toml"]);
    // Its own reading makes events, which are to have come.
    bench.expect_nothing();
    let before = sleeps();
    let seconds = 6;
    thread::sleep(Duration::from_secs(seconds));
    let woken = sleeps() - before;
    // One question a second; every ten seconds one more, with the events of its reading.
    assert!(woken <= seconds + 1 + 6, "woken {woken} times in {seconds} s");
    bench.expect_nothing();
}

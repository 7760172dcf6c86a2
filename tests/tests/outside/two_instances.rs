//! One bench, one instance.

use setpoint_tests::{Bench, Server, program};

#[test]
fn the_second_instance_says_so_and_leaves_the_first_alone() {
    let (bench, server) = Server::demo();
    let run_file = bench.run_file();
    let path = bench.path().display().to_string();

    let outcome = program::run(&bench, &["serve", &path]);

    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("bench.toml"), "{outcome:?}");
    let pid = server.process.child.id().to_string();
    assert!(outcome.stderr.contains(&pid), "who has it is named: {outcome:?}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(bench.run_file(), run_file, "run.json still names the first");
    server.api.until_instrument("psu", "connected");
}

#[test]
fn two_benches_run_side_by_side() {
    let (one, two) = (Bench::demo(), Bench::demo());
    let (first, second) = (Server::start(&one), Server::start(&two));
    assert_ne!(first.api.url, second.api.url);
    let edits = [("instruments.psu.set.ch1.voltage", 5.5.into())];
    first.api.until_instrument("psu", "connected");
    first.api.change(&edits, "").good();
    second.wire("psu").until(":SOUR1:VOLT?", 3.3);
    first.wire("psu").until(":SOUR1:VOLT?", 5.5);
}

//! One bench, one instance.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Stdio,
};

use setpoint_tests::{Bench, Process, Server, program, until};

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

/// A bench in a folder of its own whose file is a link.
fn linked(bench: &Bench, name: &str, to: &str) -> String {
    let folder = bench.folder().join(name);
    fs::create_dir(&folder).expect("a folder can be made");
    let path = folder.join("bench.toml");
    symlink(to, &path).expect("a link can be made");
    path.display().to_string()
}

#[test]
fn a_bench_that_is_reached_through_a_link_elsewhere_is_one_bench() {
    let (bench, mut server) = Server::demo();
    let link = linked(&bench, "linked", "../bench.toml");
    let refused = program::run(&bench, &["serve", &link]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let who = format!(
        "another Setpoint has {link} open (process {}): use that one, or close it first",
        server.process.child.id()
    );
    assert!(refused.stderr.contains(&who), "{refused:?}");
    let kept = bench.folder().join("linked/.setpoint");
    assert!(!kept.exists(), "nothing is left beside the link");
    // Nor is the file changed as if nobody ran it.
    let change = "instruments.psu.set.ch1.voltage=3.4";
    let refused = program::run(&bench, &["set", &link, change]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("another Setpoint has"), "{refused:?}");
    assert_eq!(bench.text(), setpoint_tests::bench::demo_text());

    // Killed, it holds nothing.
    server.process.kill();
    let changed = program::run(&bench, &["set", &link, change]);
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert!(changed.stdout.contains("nobody runs it"), "{changed:?}");
}

#[test]
fn benches_with_links_into_one_folder_run_side_by_side() {
    let bench = Bench::demo();
    let store = bench.folder().join("store");
    fs::create_dir(&store).expect("a folder can be made");
    for name in ["one.toml", "two.toml"] {
        fs::copy(bench.path(), store.join(name)).expect("it can be copied");
    }
    fs::set_permissions(&store, fs::Permissions::from_mode(0o555)).expect("it is ours");
    let paths = ["one", "two"].map(|name| linked(&bench, name, &format!("../store/{name}.toml")));
    let mut servers = paths.map(|path| {
        let mut command = program::command(&bench);
        command.args(["serve", &path]).stdout(Stdio::null());
        (Process::start(&bench, command), path)
    });
    for (server, path) in &mut servers {
        until("both run", || {
            assert!(!server.has_ended(), "{}", server.stderr());
            (program::run(&bench, &["status", path]).code == Some(0)).then_some(())
        });
    }
    for (server, _) in &mut servers {
        assert!(server.terminate().success());
    }
    fs::set_permissions(&store, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let left = bench.home().join("setpoint/run");
    assert_eq!(fs::read_dir(left).expect("it was used").count(), 0, "no lock is left behind");
}

//! A bench that runs while its file is gone, or cannot be written: it is reached all the same, and
//! whoever changes it is told.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use setpoint_tests::{
    Api, Bench, Outcome, Process, Server,
    bench::demo_text,
    program::{self, ends, good, json, run},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";

#[test]
fn it_is_reached_while_its_file_is_gone() {
    let (bench, server) = Server::demo();
    fs::remove_file(bench.path()).expect("it was there");
    until("the file is missed", || {
        let problem = server.api.get("/v1/status")["reload"]["problem"].to_string();
        problem.contains("is gone").then_some(())
    });
    let status = good(&bench, "status", &[]);
    assert!(status.contains("is gone") && status.contains("setpoint sync FILE"), "{status}");
    assert_eq!(good(&bench, "get", &[VOLTAGE]), "3.3\n");
    good(&bench, "pause", &[]);
    good(&bench, "resume", &[]);
    good(&bench, "transaction", &["begin"]);
    let refused = ends(&bench, "reload", &[], 3);
    assert!(refused.stderr.contains("still runs r1"), "{refused:?}");
    assert!(!bench.path().exists(), "nothing that was asked for makes it anew");

    good(&bench, "sync", &[]);
    assert_eq!(bench.text(), demo_text());

    // A change makes it anew as well, and says so.
    fs::remove_file(bench.path()).expect("it was there");
    let set = ends(&bench, "set", &[&format!("{VOLTAGE}=3.4")], 0);
    assert!(set.stderr.contains("bench.toml was gone; it is written anew"), "{set:?}");
    assert_eq!(bench.text(), demo_text().replace("3.300", "3.400"));
    let events = good(&bench, "events", &[]);
    assert!(events.contains("bench.toml was gone; it is written anew, as r2"), "{events}");
    assert_eq!(json(&bench, "set", &[&format!("{VOLTAGE}=3.5")])["file_was_gone"], false);
}

#[test]
fn a_bench_that_was_started_without_its_file_is_reached() {
    let bench = Bench::demo();
    Server::start(&bench).stop();
    fs::remove_file(bench.path()).expect("it was there");
    let server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    good(&bench, "status", &[]);
    good(&bench, "sync", &[]);
    assert_eq!(bench.text(), demo_text());
}

#[test]
fn whoever_makes_a_change_is_told_that_it_could_not_be_written() {
    let bench = Bench::without_file();
    let (kept, away) = (bench.folder().join("kept"), bench.folder().join("away"));
    fs::create_dir(&kept).expect("a folder can be made");
    fs::write(kept.join("bench.toml"), demo_text()).expect("the bench file can be written");
    symlink("kept/bench.toml", bench.path()).expect("a link can be made");
    let server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    fs::rename(&kept, &away).expect("it can be renamed");

    let told = |outcome: Outcome, id: &str| {
        let said = format!("{id} runs and is not in {}: ", bench.path().display());
        assert!(outcome.stderr.contains(&said), "{outcome:?}");
        assert!(outcome.stderr.contains("“setpoint sync "), "{outcome:?}");
    };
    let set = ends(&bench, "set", &[&format!("{VOLTAGE}=3.4"), "-m", "hello"], 0);
    assert_eq!(set.stdout, "r2: hello\n");
    assert!(set.stderr.contains("its folder is missing"), "the cause: {set:?}");
    told(set, "r2");
    let set = ends(&bench, "set", &[&format!("{VOLTAGE}=3.5"), "--format", "json"], 0);
    assert!(set.stdout.contains(r#""persisted":false"#), "{set:?}");
    told(set, "r3");
    told(ends(&bench, "rollback", &["r2"], 0), "r4");
    let id = good(&bench, "transaction", &["begin"]);
    good(&bench, "transaction", &["set", id.trim(), &format!("{VOLTAGE}=3.6")]);
    told(ends(&bench, "transaction", &["commit", id.trim()], 0), "r5");

    fs::rename(&away, &kept).expect("it can be renamed");
    good(&bench, "sync", &[]);
    assert_eq!(bench.text(), demo_text().replace("3.300", "3.600"));
    let set = ends(&bench, "set", &[&format!("{VOLTAGE}=3.7")], 0);
    assert_eq!(set.stderr, "");
}

#[test]
fn the_words_for_a_folder_that_was_renamed_or_copied() {
    let (bench, _server) = Server::demo();
    let (folder, copied) = (bench.folder(), bench.folder().with_extension("copied"));
    let renamed = bench.folder().with_extension("renamed");
    let status = |folder: &Path| {
        let path = folder.join("bench.toml").display().to_string();
        run(&bench, &["status", &path])
    };
    let copy = Command::new("cp").arg("-a").arg(&folder).arg(&copied).status();
    assert!(copy.is_ok_and(|status| status.success()));
    let of_copy = status(&copied);
    assert!(of_copy.stderr.contains("no panel or server runs"), "{of_copy:?}");
    fs::rename(&folder, &renamed).expect("it can be renamed");
    let of_renamed = status(&renamed);
    fs::rename(&renamed, &folder).expect("it can be renamed");
    assert_eq!(of_renamed.code, Some(3));
    assert!(of_renamed.stderr.contains("its folder was renamed since"), "{of_renamed:?}");
}

#[test]
fn a_bench_whose_folder_cannot_be_written_is_reached() {
    let bench = Bench::demo();
    // In the way of the folder; unlike rights, that holds for every user.
    let way = bench.folder().join(".setpoint");
    fs::write(&way, "").expect("it can be written");
    let path = bench.path().display().to_string();
    let mut command = program::command(&bench);
    command.args(["serve", &path]).stdout(Stdio::piped());
    let mut server = Process::start(&bench, command);
    let mut line = String::new();
    let stdout = server.child.stdout.take().expect("stdout is piped");
    let mut stdout = BufReader::new(stdout);
    stdout.read_line(&mut line).expect("stdout can be read");
    let ready: Value = serde_json::from_str(&line).expect("a ready line");
    let token_file = Path::new(ready["token_file"].as_str().expect("a path")).to_owned();
    assert!(!token_file.starts_with(bench.folder()), "{ready}");
    let run: Value = serde_json::from_slice(&fs::read(&token_file).expect("it is there"))
        .expect("run.json is JSON");
    assert_eq!((&run["url"], &run["pid"]), (&ready["url"], &ready["pid"]));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&token_file), 0o600);
    assert_eq!(mode(token_file.parent().expect("it is in a folder")), 0o700);

    let api = Api::new(run["url"].as_str().expect("it"), run["token"].as_str().expect("it"));
    api.until_instrument("psu", "connected");
    good(&bench, "set", &[&format!("{VOLTAGE}=3.4")]);
    assert_eq!(good(&bench, "get", &[VOLTAGE]), "3.4\n");
    let second = ends(&bench, "serve", &[], 3);
    assert!(second.stderr.contains(&format!("(process {})", server.child.id())), "{second:?}");
    // Taken away by mistake, it is written again.
    fs::remove_file(&token_file).expect("it was there");
    until("it is written again", || token_file.exists().then_some(()));

    assert!(server.terminate().success());
    assert!(!token_file.exists(), "it goes with the server");
    ends(&bench, "status", &[], 3);
}

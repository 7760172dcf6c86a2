//! Several who change one bench at once: nothing that was acknowledged is lost, and it comes to
//! rest.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use setpoint_tests::{Api, Bench, Server, until};

/// How long it goes on; longer with `SETPOINT_SAVES_SECONDS`.
const SECONDS: u64 = 6;

const TEXT: &str = r#"format = 1

[bench]
name = "start"

[runtime]
quiet = "20ms"
snapshot_retention = 30

[instruments.psu]
type = "rigol_dp832"
address = "sim:"
label = "start"
"#;

fn duration() -> Duration {
    let asked = std::env::var("SETPOINT_SAVES_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(SECONDS))
}

fn running_text(api: &Api) -> String {
    api.send("GET", "/v1/bench", &[("Accept", "application/toml")], None).text()
}

/// Sets a key to one value after the other; returns the last that was acknowledged, and how many.
fn client(api: &Api, key: &str, stop: &AtomicBool) -> (String, usize) {
    let (mut last, mut acknowledged, mut number) = ("start".to_owned(), 0, 0);
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let value = format!("v{number}");
        let answer = api.change(&[(key, json!(value))], "hammer");
        match answer.status {
            200..300 => (last, acknowledged) = (value, acknowledged + 1),
            // Somebody else was at it: nothing is promised.
            409 | 412 | 422 | 503 => {
                let now: Value = api.get("/v1/bench");
                let path = key.split('.').fold(&now, |at, name| &at[name]);
                assert_eq!(*path, json!(last), "refused with {}, and yet set", answer.status);
            }
            status => panic!("answer {status}: {}", answer.text()),
        }
    }
    (last, acknowledged)
}

/// Appends remarks as a shell would; returns those that were seen to run.
fn editor(bench: &Bench, api: &Api, stop: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let remark = format!("# remark {number} of the editor");
        let mut file = OpenOptions::new().append(true).open(bench.path()).expect("the file");
        file.write_all(format!("{remark}\n").as_bytes()).expect("it can be written");
        drop(file);
        // Replaced between opening and writing, it went into a file that is gone: not promised.
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if running_text(api).contains(&format!("{remark}\n")) {
                acknowledged.push(remark);
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    acknowledged
}

/// Processor time of a process, in clock ticks.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("a number")).sum()
}

/// Ticks over two seconds.
fn load(pid: u32) -> u64 {
    let before = ticks(pid);
    thread::sleep(Duration::from_secs(2));
    ticks(pid) - before
}

#[test]
fn two_clients_and_an_editor_lose_nothing_that_was_acknowledged() {
    let bench = Bench::of(TEXT);
    let server = Server::start(&bench);
    let api = &server.api;
    let pid = server.process.child.id();
    let idle = load(pid);

    let stop = &AtomicBool::new(false);
    let (name, label, remarks) = thread::scope(|scope| {
        let name = scope.spawn(|| client(api, "bench.name", stop));
        let label = scope.spawn(|| client(api, "instruments.psu.label", stop));
        let remarks = scope.spawn(|| editor(&bench, api, stop));
        thread::sleep(duration());
        stop.store(true, Ordering::Relaxed);
        let ended = "a writer ended with a failure, told above";
        (name.join().expect(ended), label.join().expect(ended), remarks.join().expect(ended))
    });
    println!("acknowledged: {} names, {} labels, {} remarks", name.1, label.1, remarks.len());
    assert!(name.1 > 0 && label.1 > 0 && !remarks.is_empty(), "nobody got anything done");

    let reload = api.until_reload("in_step");
    let (text, running) = (bench.text(), running_text(api));
    assert_eq!(text, running, "{reload:#}");
    for line in [format!("name = \"{}\"", name.0), format!("label = \"{}\"", label.0)] {
        assert!(text.contains(&line), "{line} was acknowledged and is not in:\n{text}");
    }
    for remark in &remarks {
        assert!(text.contains(&format!("{remark}\n")), "{remark} ran and is gone:\n{text}");
    }

    // At rest: nothing reloads, nothing is busy.
    let before = (api.reload()["applied"].clone(), api.get("/v1/status")["revision"].clone());
    let after = until("the processor to come to rest", || {
        let now = load(pid);
        (now <= idle * 2 + 20).then_some(now)
    });
    println!("ticks in two seconds: {idle} before, {after} after");
    let now = (api.reload()["applied"].clone(), api.get("/v1/status")["revision"].clone());
    assert_eq!(before, now, "it reloads though nobody saves");
}

/// Every one of them is a whole text of its own.
#[test]
fn a_save_every_20_ms_is_followed_to_the_last() {
    let bench = Bench::of(TEXT);
    let server = Server::start(&bench);
    let api = &server.api;
    let pid = server.process.child.id();
    let idle = load(pid);

    let (begun, mut saves) = (Instant::now(), 0);
    let mut last = TEXT.to_owned();
    while begun.elapsed() < duration() {
        saves += 1;
        last = TEXT.replace("label = \"start\"", &format!("label = \"save {saves}\""));
        bench.save_by_rename(&last);
        thread::sleep(Duration::from_millis(20));
    }
    until("the last save to run", || (running_text(api) == last).then_some(()));
    let reload = api.until_reload("in_step");
    let applied = reload["applied"].as_u64().expect("a number");
    println!("{saves} saves, {applied} applied");
    assert!((1..=saves).contains(&applied), "{applied} of {saves}: {reload:#}");
    assert_eq!(reload["rejected"], 0, "{reload:#}");
    assert_eq!(bench.text(), last);
    until("the processor to come to rest", || {
        let now = load(pid);
        (now <= idle * 2 + 20).then_some(now)
    });
    let at_rest = api.reload()["applied"].as_u64();
    assert_eq!(at_rest, Some(applied), "it reloads though nobody saves");
}

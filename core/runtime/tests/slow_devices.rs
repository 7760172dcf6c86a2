//! A device that does not answer holds up nobody but itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::time::{Duration, Instant};

use common::{BENCH, Bench, LEVEL, driver, edit, readback};
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Command, CommandError, Options, Origin, Runtime};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
/// A device that is waited for.
const PATIENT: &str = "reply_timeout = \"120s\"\ngap = \"300ms\"";
/// Less than a device that does not answer is waited for, and enough for a loaded machine.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_an_answer_delays_no_change_and_no_stop() {
    let patient = driver("patient", PATIENT, LEVEL);
    let text = format!("{BENCH}\n[instruments.mute]\ntype = \"patient\"\naddress = \"sim:\"\n");
    let bench = Bench::open_with(&text, &[("drivers/patient.toml", &patient)]).await;
    let (instrument, command) = ("mute".to_owned(), "NOTHING?".to_owned());
    let query = Command::Query { instrument, command, author: "tester".to_owned() };
    let mut asked = bench.runtime.send(Origin::Panel, query).unwrap();

    let changed = tokio::time::timeout(SOON, bench.change(vec![edit(VOLTAGE, 3.5)])).await;
    changed.expect("the change waits for the query").unwrap();
    assert_eq!(
        readback(&bench.runtime.status(), "psu", "ch1.voltage"),
        Some(ParamValue::Float(3.5))
    );
    assert!(asked.try_recv().is_err(), "the device was to say nothing");

    tokio::time::timeout(SOON, bench.runtime.stop()).await.expect("the stop waits for the query");
    let answer = asked.await.expect("the query gets an answer");
    assert!(matches!(answer, Err(CommandError::Device { .. })), "{answer:?}");
    assert_eq!(bench.told("raw_query"), 1);
}

/// Whether a device answers is waited for once, and for all of them together.
#[tokio::test(flavor = "multi_thread")]
async fn devices_that_are_being_connected_are_waited_for_together() {
    let folder = tempfile::tempdir().unwrap();
    let patient = driver("slow", PATIENT, LEVEL);
    std::fs::create_dir(folder.path().join("drivers")).unwrap();
    std::fs::write(folder.path().join("drivers/slow.toml"), patient).unwrap();
    let names = ["a", "b", "c", "d"];
    let mut text = "bench.name = \"Slow\"\n".to_owned();
    for name in names {
        // Takes calls and says nothing.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        tokio::spawn(async move {
            let mut calls = Vec::new();
            while let Ok(call) = silent.accept().await {
                calls.push(call);
            }
        });
        text.push_str(&format!(
            "[instruments.{name}]\ntype = \"slow\"\naddress = \"tcp://{address}\"\nset.level = 1.0\n"
        ));
    }
    let file = folder.path().join("bench.toml");
    std::fs::write(&file, text).unwrap();
    let runtime = Runtime::start(Options::new(file)).await.unwrap();

    let one = |name: &&str| edit(&format!("instruments.{name}.set.level"), 2.0);
    let edits = names.iter().map(one).map(setpoint_bench::TextEdit::Put).collect();
    let (message, author) = (String::new(), "tester".to_owned());
    let change = Command::Change { edits, message, author, if_match: None };
    let begun = Instant::now();
    runtime.call(Origin::Panel, change).await.unwrap();
    // One after the other it would be 12 s.
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    runtime.stop().await;
}

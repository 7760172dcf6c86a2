//! A device that does not answer holds up nobody but itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::time::Duration;

use common::{BENCH, Bench, SLOW, edit, readback};
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Command, CommandError, Origin};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
/// Less than a device that does not answer is waited for, and enough for a loaded machine.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_an_answer_delays_no_change_and_no_stop() {
    let patient = SLOW
        .replace("\"slow\"", "\"patient\"")
        .replace("reply_timeout = \"1s\"", "reply_timeout = \"120s\"");
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

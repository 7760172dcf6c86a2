//! Devices that are not there, answer late, hang up, or are someone else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use setpoint_instruments::{
    Config, Driver, Handle, LinkState, ParamValue, Quality, Reapplied, ReconnectRule, SessionError,
    Written,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::{Notify, mpsc},
    task::JoinHandle,
};

mod common;
use common::{connected, until, with_driver};

const DRIVER: &str = r#"
schema = 1
[driver]
id = "fake"
models = ["ONE"]
[wire]
drain_before = true
reply_timeout = "1s"
[wire.tcp]
[identity]
send = "ID?"
expect = "FAKE,{model}"
[params.x]
type = "float"
get = "X?"
set = "X {value:.1f}"
poll = "200ms"
verify = { tol = 0.05, within = "100ms" }
unit = "V"
[params.y]
type = "float"
get = "Y?"
poll = "200ms"
"#;

fn driver() -> Arc<Driver> {
    Driver::from_toml("fake.toml", DRIVER).unwrap().into()
}

/// What a fake device does with a line.
#[derive(Clone)]
enum Act {
    Say(&'static str),
    SayLate(&'static str, Duration),
    HangUp,
    Nothing,
}

/// A device that answers one line after the other; counts its connections.
fn fake(
    listener: TcpListener,
    act: impl Fn(&str, usize) -> Act + Send + Sync + 'static,
) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let serve = async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let reply = match act(line.trim(), connection) {
                    Act::Say(reply) => reply,
                    Act::SayLate(reply, after) => {
                        tokio::time::sleep(after).await;
                        reply
                    }
                    Act::HangUp => break,
                    Act::Nothing => continue,
                };
                if write.write_all(format!("{reply}\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    };
    (tokio::spawn(serve), connections)
}

fn usual(line: &str) -> Act {
    match line {
        "ID?" => Act::Say("FAKE,ONE"),
        "X?" => Act::Say("24.0"),
        "Y?" => Act::Say("100.0"),
        _ => Act::Nothing,
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[tokio::test]
async fn an_address_nobody_listens_on_is_tried_again() {
    let (first, address) = listener().await;
    let local = first.local_addr().unwrap();
    drop(first);
    let handle = Handle::start(with_driver(driver(), &address));
    let status = until(&handle, "offline", |status| status.state == LinkState::Offline).await;
    let told = format!("nobody listens on {address}: connection refused");
    assert_eq!(status.error.as_deref(), Some(&*told));
    assert!(status.retry_at.is_some());
    assert_eq!(status.link, None);
    let error = handle.set("x", ParamValue::Float(1.0)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("dut is offline: {told}"));
    assert!(!error.sent);
    let error = handle.reapply().await.unwrap_err();
    assert_eq!(error.to_string(), format!("dut is offline: {told}"));

    let (server, _) = fake(TcpListener::bind(local).await.unwrap(), |line, _| usual(line));
    let status = connected(&handle).await;
    assert_eq!((status.error.as_ref(), status.retry_at), (None, None));
    assert_eq!(status.parameters["x"].readback, Some(ParamValue::Float(24.0)));
    handle.stop().await;
    server.abort();
}

/// Without finding step again, `y` would read what was meant for `x`.
#[tokio::test]
async fn a_late_reply_is_not_taken_for_the_next_answer() {
    late_by(Duration::from_millis(1500)).await;
}

/// So late that it comes after the identity question that looks for it.
#[tokio::test]
async fn a_very_late_reply_is_not_taken_for_the_identity() {
    late_by(Duration::from_millis(2500)).await;
}

async fn late_by(delay: Duration) {
    let (listener, address) = listener().await;
    let asked = AtomicUsize::new(0);
    let (server, connections) = fake(listener, move |line, _| match line {
        "X?" if asked.fetch_add(1, Ordering::SeqCst) == 3 => Act::SayLate("24.0", delay),
        line => usual(line),
    });
    let handle = Handle::start(with_driver(driver(), &address));
    connected(&handle).await;
    let mut changes = handle.changes();
    let late = |status: &setpoint_instruments::InstrumentStatus| {
        status.error.as_deref() == Some("dut did not answer within 1 s to X?")
    };
    let wrong = |status: &setpoint_instruments::InstrumentStatus| {
        status.parameters["y"].readback != Some(ParamValue::Float(100.0))
            || status.parameters["x"].readback != Some(ParamValue::Float(24.0))
    };
    let watching = async {
        let mut seen_late = false;
        loop {
            changes.changed().await.unwrap();
            let status = changes.borrow_and_update().clone();
            assert!(!wrong(&status), "{status:#?}");
            seen_late |= late(&status);
            // In step again: both are read, and nothing is wrong any more.
            if seen_late && status.error.is_none() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), watching).await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1, "found step on the same link");
    assert_eq!(handle.read("y").await.unwrap(), ParamValue::Float(100.0));
    handle.stop().await;
    server.abort();
}

#[tokio::test]
async fn a_device_that_hangs_up_goes_offline_and_comes_back() {
    let (listener, address) = listener().await;
    let asked = AtomicUsize::new(0);
    let (server, connections) = fake(listener, move |line, connection| match line {
        "Y?" if connection == 1 && asked.fetch_add(1, Ordering::SeqCst) == 2 => Act::HangUp,
        line => usual(line),
    });
    let handle = Handle::start(with_driver(driver(), &address));
    let mut changes = handle.changes();
    connected(&handle).await;
    let offline = changes.wait_for(|status| status.state == LinkState::Offline);
    let status = tokio::time::timeout(Duration::from_secs(30), offline).await.unwrap();
    let status = status.unwrap().clone();
    assert_eq!(status.error.as_deref(), Some("dut closed the connection"));
    assert_eq!(status.parameters["x"].quality, Quality::Stale);
    assert_eq!(status.parameters["x"].readback, Some(ParamValue::Float(24.0)));
    let status = connected(&handle).await;
    assert_eq!(status.parameters["x"].quality, Quality::Good);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    handle.stop().await;
    server.abort();
}

#[tokio::test]
async fn another_device_at_the_address_is_named() {
    let (listener, address) = listener().await;
    let (server, _) = fake(listener, |line, _| match line {
        "ID?" => Act::Say("FAKE,TWO"),
        line => usual(line),
    });
    let handle = Handle::start(with_driver(driver(), &address));
    let status = until(&handle, "offline", |status| status.state == LinkState::Offline).await;
    let told = "dut: the address holds a TWO, the driver fake is for ONE";
    assert_eq!(status.error.as_deref(), Some(told));
    assert_eq!(status.parameters["x"].quality, Quality::None, "nothing is read from it");
    handle.stop().await;
    server.abort();
}

/// The device takes the command, says nothing against it, and does not do it.
#[tokio::test]
async fn a_set_that_is_ignored_is_not_verified() {
    let (listener, address) = listener().await;
    let (server, _) = fake(listener, |line, _| usual(line));
    let handle = Handle::start(with_driver(driver(), &address));
    connected(&handle).await;
    let error = handle.set("x", ParamValue::Float(25.0)).await.unwrap_err();
    assert_eq!(error.to_string(), "x: asked for 25.0 V, the device reads 24.0 V");
    assert!(error.sent);
    assert_eq!(error.before, Some(ParamValue::Float(24.0)));
    handle.stop().await;
    server.abort();
}

/// One parameter that the device does not know must not take the rest down.
#[tokio::test]
async fn a_question_without_answer_leaves_the_others_running() {
    let (listener, address) = listener().await;
    let (server, connections) = fake(listener, |line, _| match line {
        "X?" => Act::Nothing,
        line => usual(line),
    });
    let handle = Handle::start(with_driver(driver(), &address));
    let status = connected(&handle).await;
    assert_eq!(status.parameters["x"].quality, Quality::None);
    assert_eq!(status.parameters["y"].quality, Quality::Good);
    let first = status.parameters["y"].at;
    until(&handle, "y is read again", |status| status.parameters["y"].at > first).await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    handle.stop().await;
    server.abort();
}

#[tokio::test]
async fn a_readback_that_stops_coming_grows_stale() {
    let (listener, address) = listener().await;
    let asked = AtomicUsize::new(0);
    let (server, _) = fake(listener, move |line, _| match line {
        "X?" if asked.fetch_add(1, Ordering::SeqCst) >= 2 => Act::Nothing,
        line => usual(line),
    });
    let handle = Handle::start(with_driver(driver(), &address));
    let status = until(&handle, "stale", |status| {
        status.parameters["x"].quality == Quality::Stale && status.state == LinkState::Connected
    })
    .await;
    assert_eq!(status.parameters["x"].readback, Some(ParamValue::Float(24.0)));
    assert_eq!(status.parameters["x"].in_tolerance, None);
    handle.stop().await;
    server.abort();
}

/// `x` is to be 25 V, set by rule on connect; what came of it arrives in the channel.
fn reapplying(address: &str) -> (Config, mpsc::Receiver<Reapplied>) {
    let (reports, told) = mpsc::channel(4);
    let mut wanted = with_driver(driver(), address);
    wanted.on_reconnect = ReconnectRule::Reapply;
    wanted.setpoints.insert("x".to_owned(), ParamValue::Float(25.0));
    wanted.reports = Some(reports);
    (wanted, told)
}

async fn report(told: &mut mpsc::Receiver<Reapplied>) -> Reapplied {
    tokio::time::timeout(Duration::from_secs(30), told.recv()).await.unwrap().unwrap()
}

/// Between setting a value and telling the session which setpoints hold from now on, the device is
/// switched off and on.
#[tokio::test]
async fn a_value_that_was_just_set_is_set_on_reconnect() {
    let (listener, address) = listener().await;
    const VALUES: [&str; 3] = ["24.0", "25.0", "26.0"];
    let (held, hang_up) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let pulled = hang_up.clone();
    let (server, _) = fake(listener, move |line, _| match line {
        "Y?" if pulled.swap(false, Ordering::SeqCst) => {
            held.store(0, Ordering::SeqCst);
            Act::HangUp
        }
        "X?" => Act::Say(VALUES[held.load(Ordering::SeqCst)]),
        "X 25.0" | "X 26.0" => {
            held.store(usize::from(line == "X 26.0") + 1, Ordering::SeqCst);
            Act::Nothing
        }
        line => usual(line),
    });
    let (wanted, mut told) = reapplying(&address);
    let handle = Handle::start(wanted.clone());
    let asked = |report: Reapplied| report.set.into_iter().map(|set| set.asked).collect::<Vec<_>>();
    assert_eq!(asked(report(&mut told).await), [ParamValue::Float(25.0)]);
    handle.set("x", ParamValue::Float(26.0)).await.unwrap();
    hang_up.store(true, Ordering::SeqCst);
    assert_eq!(asked(report(&mut told).await), [ParamValue::Float(26.0)]);
    // It was taken back, say.
    handle.configure(wanted).await;
    hang_up.store(true, Ordering::SeqCst);
    assert_eq!(asked(report(&mut told).await), [ParamValue::Float(25.0)]);
    handle.stop().await;
    server.abort();
}

/// The device loses its value with the connection, as one does that is switched off and on.
#[tokio::test]
async fn what_is_set_on_reconnect_is_reported() {
    let (listener, address) = listener().await;
    let (applied, hang_up) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
    let pulled = hang_up.clone();
    let (server, connections) = fake(listener, move |line, _| match line {
        "Y?" if pulled.swap(false, Ordering::SeqCst) => {
            applied.store(false, Ordering::SeqCst);
            Act::HangUp
        }
        "X 25.0" => {
            applied.store(true, Ordering::SeqCst);
            Act::Nothing
        }
        "X?" if applied.load(Ordering::SeqCst) => Act::Say("25.0"),
        line => usual(line),
    });
    let (wanted, mut told) = reapplying(&address);
    let handle = Handle::start(wanted);
    let expected = Reapplied {
        instrument: "dut".to_owned(),
        set: vec![Written {
            parameter: "x".to_owned(),
            before: Some(ParamValue::Float(24.0)),
            asked: ParamValue::Float(25.0),
            readback: ParamValue::Float(25.0),
        }],
        ..Reapplied::default()
    };
    assert_eq!(report(&mut told).await, expected);
    hang_up.store(true, Ordering::SeqCst);
    assert_eq!(report(&mut told).await, expected);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    handle.stop().await;
    assert!(told.recv().await.is_none(), "one report a connect");
    server.abort();
}

#[tokio::test]
async fn a_rule_that_cannot_be_kept_is_reported_and_shown() {
    let (listener, address) = listener().await;
    let (server, _) = fake(listener, |line, _| usual(line));
    let (wanted, mut told) = reapplying(&address);
    let handle = Handle::start(wanted);
    let report = report(&mut told).await;
    let why = "dut.x: asked for 25.0 V, the device reads 24.0 V";
    assert_eq!(report.failed.as_deref(), Some(why));
    assert_eq!(report.set, []);
    let shown = "x: asked for 25.0 V, the device reads 24.0 V";
    until(&handle, "the failure", |status| status.error.as_deref() == Some(shown)).await;
    handle.stop().await;
    server.abort();
}

/// A device that says nothing more once it got a command, and word of that.
async fn mute_after_set() -> (JoinHandle<()>, String, Arc<Notify>) {
    let (listener, address) = listener().await;
    let (mute, got) = (AtomicBool::new(false), Arc::new(Notify::new()));
    let tell = got.clone();
    let (server, _) = fake(listener, move |line, _| {
        if line == "X 25.0" {
            mute.store(true, Ordering::SeqCst);
            tell.notify_one();
        }
        if mute.load(Ordering::SeqCst) { Act::Nothing } else { usual(line) }
    });
    (server, address, got)
}

#[tokio::test]
async fn a_set_cut_short_by_the_end_may_have_been_sent() {
    let (server, address, got) = mute_after_set().await;
    let handle = Handle::start(with_driver(driver(), &address));
    connected(&handle).await;
    let stop = async {
        got.notified().await;
        handle.stop().await;
    };
    let (outcome, ()) = tokio::join!(handle.set("x", ParamValue::Float(25.0)), stop);
    let error = outcome.unwrap_err();
    assert!(matches!(error.cause, SessionError::Stopped { .. }), "{error}");
    assert!(error.sent);
    // After the end nothing is handed over any more.
    assert!(!handle.set("x", ParamValue::Float(25.0)).await.unwrap_err().sent);
    server.abort();
}

#[tokio::test]
async fn a_rule_cut_short_by_the_end_is_reported() {
    let (server, address, got) = mute_after_set().await;
    let (wanted, mut told) = reapplying(&address);
    let handle = Handle::start(wanted);
    got.notified().await;
    handle.stop().await;
    let why = "dut.x: the session ended while it was being set";
    assert_eq!(report(&mut told).await.failed.as_deref(), Some(why));
    server.abort();
}

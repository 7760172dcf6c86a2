//! What a setpoint comes to that holds a secret is shown by nothing that leaves the runtime.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::sync::Arc;

use common::{Bench, WIRE, driver, edit};
use setpoint_instruments::ParamValue;
use setpoint_runtime::{Command, CommandError, Event, Status};

/// A safe with a number that is a secret, and a knob that never reads as it was set.
const VAULT: &str = r#"
[params.other]
type = "float"
access = "r"
get = "OTHER?"
sim = { start = 7.0 }
[params.pin]
type = "float"
range = [0.0, 100000.0]
get = "PIN?"
set = "PIN {value:.2f}"
verify = { tol = 0.1, within = "1s" }
[params.jam]
type = "float"
range = [0.0, 100000.0]
get = "OTHER?"
set = "JAM {value:.2f}"
order = 90
verify = { tol = 0.1, within = "200ms" }
"#;

const TEXT: &str = r#"[instruments.vault]
type = "vault"
address = "sim:"
on_reconnect = "reapply"

[instruments.vault.set]
pin = "${secret:PIN}"
"#;

const ENV: &str = "PIN=73519.5\nJAM=84620.5\nNEXT=96731.5\n";
const SECRETS: [&str; 3] = ["73519", "84620", "96731"];

async fn vault() -> Bench {
    let driver = driver("vault", WIRE, VAULT);
    Bench::open_with(TEXT, &[(".env", ENV), ("drivers/vault.toml", &driver)]).await
}

fn assert_hidden(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is shown in {text}");
    }
}

/// Everything that a status and its events say.
fn assert_nothing_shown(status: &Status) {
    assert_hidden(&serde_json::to_string(status).unwrap());
    assert_hidden(&format!("{status:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_secret_setpoint_leaves_the_runtime() {
    let bench = vault().await;
    // What a rule sets is told and audited.
    let set = |status: &Status| status.events.iter().any(|one| one.kind == "setpoints_applied");
    let status = bench.until("the rule sets it", set).await;
    let event = status.events.iter().find(|one| one.kind == "setpoints_applied").unwrap();
    assert!(event.message.contains("pin ${secret:PIN}"), "{}", event.message);
    let read = |status: &Status| status.instruments["vault"].parameters["pin"].in_tolerance;
    let status = bench.until("it is read back", |now| read(now) == Some(true)).await;
    let pin = &status.instruments["vault"].parameters["pin"];
    assert_eq!(pin.setpoint, Some(ParamValue::Text("${secret:PIN}".into())));
    assert_eq!(pin.readback, Some(ParamValue::Text("••••••".into())));
    assert!(pin.trend.is_empty());
    // Whoever asks the device is answered, and nobody else hears of it.
    assert!(bench.device("vault", "PIN?").await.starts_with("73519.5"));
    assert_nothing_shown(&bench.runtime.status());

    // A step that is refused says so without what was asked for, and so does taking back.
    let edits = vec![
        edit("instruments.vault.set.pin", "${secret:NEXT}"),
        edit("instruments.vault.set.jam", "${secret:JAM}"),
    ];
    let error = bench.change(edits).await.unwrap_err();
    assert!(matches!(error, CommandError::Failed { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("vault.jam") && said.contains("which is a secret"), "{said}");
    assert!(said.contains("vault.pin back to ••••••"), "{said}");
    assert_hidden(&said);
    assert_nothing_shown(&bench.runtime.status());

    // What was one and is none any more is not told either.
    bench.change(vec![edit("instruments.vault.set.pin", 5.0)]).await.unwrap();
    assert_nothing_shown(&bench.runtime.status());
    bench.runtime.stop().await;
    assert_nothing_kept(&bench);
}

/// A device may still say it.
#[tokio::test(flavor = "multi_thread")]
async fn the_value_that_a_secret_had_before_is_not_shown_either() {
    let bench = vault().await;
    std::fs::write(bench.folder().join(".env"), ENV.replace("73519.5", "96731.5")).unwrap();
    let changed = |one: &Arc<Event>| one.message.contains("a secret's value changed");
    bench.until("the other value runs", |now| now.events.iter().any(changed)).await;
    assert!(bench.device("vault", "PIN?").await.starts_with("96731.5"));
    for value in ["73519.5", "96731.5"] {
        let (instrument, command) = ("vault".to_owned(), format!("ECHO {value}"));
        let _ = bench.ask(Command::Query { instrument, command, author: "t".into() }).await;
    }
    let status = bench.runtime.status();
    assert_eq!(status.events.iter().filter(|one| one.message.contains("“ECHO •••”")).count(), 2);
    assert_nothing_shown(&status);
    bench.runtime.stop().await;
    assert_nothing_kept(&bench);
}

fn assert_nothing_kept(bench: &Bench) {
    for entry in std::fs::read_dir(bench.runtime.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_hidden(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
}

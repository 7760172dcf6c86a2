//! Files that every user of the computer may write or read, and links that lead out of the bench's
//! folder.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use common::{BENCH, Bench, edit};
use setpoint_runtime::{AccessRules, Command, Options, ReloadState, Runtime};

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_that_others_may_write_opens_only_where_the_settings_allow_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bench.toml");
    fs::write(&file, BENCH).unwrap();
    allow(&file, 0o666);
    let Err(error) = Runtime::start(Options::new(&file)).await else { panic!("it opened") };
    let said = error.to_string();
    assert!(said.contains("chmod o-w") && said.contains("allow_writable_by_others"), "{said}");
    assert!(!dir.path().join(".setpoint").exists(), "refused, and nothing is left of it");

    let access = AccessRules { allow_writable_by_others: true, ..AccessRules::default() };
    let runtime = Runtime::start(Options { access, ..Options::new(&file) }).await.unwrap();
    assert_eq!(runtime.status().reload.state, ReloadState::InStep);
    runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_that_others_get_the_right_to_write_runs_on_and_takes_no_edit_from_it() {
    let bench = Bench::open(BENCH).await;
    allow(&bench.file, 0o666);
    // Into the file as it is: a save by renaming brings rights of its own.
    fs::write(&bench.file, BENCH.replace("3.300", "3.450")).unwrap();
    let told = |now: &setpoint_runtime::Status| {
        now.events.iter().any(|event| event.message.contains("chmod o-w"))
    };
    bench.until("it is told", told).await;
    assert_eq!(bench.revisions(), 1);
    assert_ne!(bench.device("psu", ":SOUR1:VOLT?").await, "3.450");
    bench.ask(Command::Reload { author: "tester".into() }).await.unwrap_err();

    fs::write(&bench.file, BENCH).unwrap();
    allow(&bench.file, 0o644);
    bench.ask(Command::Reload { author: "tester".into() }).await.unwrap();
    assert_eq!(bench.runtime.status().reload.state, ReloadState::InStep);
    bench.change(vec![edit("instruments.psu.set.ch1.voltage", 3.4)]).await.unwrap();
    bench.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_include_that_a_link_takes_out_of_the_folder_is_refused_unless_allowed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("more.toml");
    fs::write(&target, "[sources.a]\ntype = \"test_pattern\"\n").unwrap();
    let open = async |include: &str, access: AccessRules| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bench.toml");
        fs::write(&file, format!("[bench]\ninclude = [\"{include}\"]\n")).unwrap();
        symlink(&target, dir.path().join("more.toml")).unwrap();
        let opened = Runtime::start(Options { access, ..Options::new(&file) }).await;
        match opened {
            Ok(runtime) => {
                let sources = runtime.status().sources.len();
                runtime.stop().await;
                Ok(sources)
            }
            Err(error) => Err(error.diagnostics()[0].code.clone()),
        }
    };
    let allowed = AccessRules {
        allowed_folders: vec![elsewhere.path().to_owned()],
        ..AccessRules::default()
    };
    for include in ["more.toml", target.to_str().unwrap()] {
        let refused = open(include, AccessRules::default()).await;
        assert_eq!(refused, Err("include_outside".to_owned()), "{include}");
        assert_eq!(open(include, allowed.clone()).await, Ok(1), "{include}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_others_may_read_are_told_of() {
    let bench = Bench::open_with(BENCH, &[(".env", "TOKEN=tea\n")]).await;
    let secrets = bench.file.with_file_name(".env");
    allow(&secrets, 0o600);
    bench.save(&BENCH.replace("3.300", "3.450"));
    bench
        .until("the edit is in", |now| now.revision.as_ref().is_some_and(|runs| runs.id == "r2"))
        .await;
    allow(&secrets, 0o644);
    bench.save(BENCH);
    let told = |now: &setpoint_runtime::Status| {
        now.events.iter().any(|e| e.kind == "secrets_exposed" && e.message.contains("chmod o-r"))
    };
    bench.until("it is told", told).await;
    // It is shown as long as it lasts, and a right that is given or taken is no save.
    let shown = |now: &setpoint_runtime::Status| {
        now.reload.diagnostics.iter().any(|found| found.code == "secrets_exposed")
    };
    bench.until("it is shown", shown).await;
    for _ in 0..2 {
        allow(&secrets, 0o640);
        bench.until("it is not shown any more", |now| !shown(now)).await;
        allow(&secrets, 0o644);
        let status = bench.until("it is shown again", shown).await;
        assert_eq!(status.reload.state, ReloadState::InStep);
    }
    bench.runtime.stop().await;
    let bench = bench.again().await;
    bench.until("it is shown from the start", shown).await;
    bench.runtime.stop().await;
}

/// The advice that was given works by itself: taking a right away changes no text.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_noticed() {
    let text = BENCH
        .replace("[bench]", "[bench]\ninclude = [\"more.toml\"]")
        .replace("address = \"sim:\"", "address = \"sim:\"\nlabel = \"${NAME}\"");
    let more = "[instruments.thermo]\ntype = \"lakeshore_335\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(&text, &[("more.toml", more), (".env", "NAME=bias\n")]).await;
    let in_step = |now: &setpoint_runtime::Status| now.reload.state == ReloadState::InStep;
    for name in ["bench.toml", "more.toml", ".env"] {
        let file = bench.file.with_file_name(name);
        let before = fs::read_to_string(&file).unwrap();
        allow(&file, 0o666);
        fs::write(&file, format!("{before}# edited\n")).unwrap();
        bench.until(name, |now| !in_step(now)).await;
        let revision = bench.runtime.status().revision.clone();
        // One refusal may be told of several parts of the bench.
        let told = |now: &setpoint_runtime::Status| {
            now.events.iter().filter(|event| event.kind != "component_refused").count()
        };
        let said = told(&bench.runtime.status());
        allow(&file, 0o644);
        let taken = |now: &setpoint_runtime::Status| {
            in_step(now) && (name == ".env" || now.revision != revision)
        };
        let status = bench.until(name, taken).await;
        assert!(told(&status) <= said + 2, "{:#?}", status.events);
    }
    bench.runtime.stop().await;
}

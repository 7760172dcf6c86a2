//! Files that every user of the computer may write.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use setpoint_tests::{
    Bench, Server,
    program::{ends, good},
    until,
};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// What the person who runs the tests allows.
fn settings(bench: &Bench, text: &str) {
    let folder = bench.home().join("config/setpoint");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("settings.toml"), text).expect("it can be written");
}

#[test]
fn a_bench_that_others_may_write_runs_where_that_is_allowed() {
    let bench = Bench::demo();
    chmod(&bench.path(), 0o666);
    let found = ends(&bench, "check", &[], 1);
    assert!(found.stdout.contains("error[not_allowed]"), "{found:?}");
    let refused = ends(&bench, "serve", &[], 3);
    assert!(refused.stderr.contains("chmod o-w"), "{refused:?}");
    assert!(!bench.folder().join(".setpoint").exists(), "nothing was begun");

    settings(&bench, "allow_writable_by_others = true\n");
    good(&bench, "check", &[]);
    let server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    server.stop();
    settings(&bench, "allow_everything = true\n");
    let wrong = ends(&bench, "check", &[], 3);
    assert!(wrong.stderr.contains("settings.toml:1"), "{wrong:?}");
}

#[test]
fn an_env_file_that_others_may_write_is_not_used() {
    let bench = Bench::demo();
    let env = bench.folder().join(".env");
    fs::write(&env, "SETPOINT__INSTRUMENTS__PSU__SET__CH1__VOLTAGE=4.0\n").expect("written");
    chmod(&env, 0o602);
    let found = ends(&bench, "check", &[], 1);
    assert!(found.stdout.contains(".env") && found.stdout.contains("chmod o-w"), "{found:?}");
    let refused = ends(&bench, "serve", &[], 1);
    assert!(refused.stderr.contains(".env"), "{refused:?}");
    chmod(&env, 0o600);
    good(&bench, "check", &[]);

    // While the bench runs: what runs goes on, and nothing is taken from its files.
    let server = Server::start(&bench);
    server.api.until_instrument("psu", "connected");
    chmod(&env, 0o602);
    let refused = ends(&bench, "reload", &[], 1);
    assert!(refused.stderr.contains(".env"), "{refused:?}");
    server.api.until_instrument("psu", "connected");
    chmod(&env, 0o600);
    good(&bench, "reload", &[]);
}

#[test]
fn secrets_that_others_may_read_are_a_warning_while_that_lasts() {
    let bench = Bench::demo();
    let env = bench.folder().join(".env");
    fs::write(&env, "TOKEN=tea\n").expect("written");
    chmod(&env, 0o644);
    let found = good(&bench, "check", &[]);
    assert!(found.contains("warning[secrets_exposed]") && found.contains("chmod o-r"), "{found}");
    assert!(!found.contains("tea"), "{found}");
    let server = Server::start(&bench);
    let shown = || {
        let status = server.api.get("/v1/status");
        let findings = status["reload"]["diagnostics"].as_array().expect("a list").clone();
        findings.iter().any(|found| found["code"] == "secrets_exposed")
    };
    assert!(shown());
    assert!(good(&bench, "status", &[]).contains("chmod o-r"));
    chmod(&env, 0o600);
    until("it is gone", || (!shown()).then_some(()));
    assert!(!good(&bench, "status", &[]).contains("chmod o-r"));
    assert!(!good(&bench, "check", &[]).contains("secrets_exposed"));
    chmod(&env, 0o644);
    until("it is back", || shown().then_some(()));
    server.stop();
}

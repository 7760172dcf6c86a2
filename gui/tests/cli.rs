//! The command line, run as a person or a script runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use setpoint_store::{Audit, AuditRecord, BenchFolder};

const GOOD: &str = include_str!("../../assets/demo/bench.toml");

fn setpoint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_setpoint"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bench.toml"), text).unwrap();
    folder
}

#[test]
fn a_good_bench_checks() {
    let folder = folder_with(GOOD);
    let output = setpoint(folder.path(), &["check", "bench.toml"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("fit to run"), "{}", stdout(&output));
    let output = setpoint(folder.path(), &["check", "bench.toml", "--format", "json"]);
    assert_eq!(json(&output)["ok"], true);
    assert!(!folder.path().join(".setpoint").exists(), "check must leave nothing behind");
}

#[test]
fn findings_have_their_place_and_an_excerpt() {
    let bad = GOOD.replace("ch2.voltage = 12.000", "ch2.voltage = 52.0");
    let bad = bad.replace("pattern = \"ball\"\nresolution", "pattern = \"ball\"\nresoluton");
    let folder = folder_with(&bad);
    let output = setpoint(folder.path(), &["check", "bench.toml"]);
    assert_eq!(status(&output), 1);
    let text = stdout(&output);
    let line = bad.lines().position(|line| line.contains("52.0")).unwrap() + 1;
    assert!(text.contains(&format!("--> bench.toml:{line}:15")), "{text}");
    assert!(text.contains("ch2.voltage = 52.0\n") && text.contains("^^^^"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours are for terminals");

    let output = setpoint(folder.path(), &["check", "bench.toml", "--format", "json"]);
    assert_eq!(status(&output), 1);
    let answer = json(&output);
    assert_eq!(answer["ok"], false);
    let unknown = answer["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "unknown_key")
        .unwrap();
    assert_eq!(unknown["severity"], "error");
    assert_eq!(unknown["path"], "sources.ball.resoluton");
    assert_eq!(unknown["suggestion"], "resolution");
    assert_eq!(unknown["column"], 1);
    assert_eq!(unknown["end_column"], 10);
}

#[test]
fn what_cannot_be_read_ends_with_3_and_names_the_thing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for (file, expected) in [("missing.toml", "missing.toml"), ("sub", "folder")] {
        for command in ["check", "status", "history", "serve"] {
            let output = setpoint(folder.path(), &[command, file]);
            let text = stderr(&output);
            assert_eq!(status(&output), 3, "{command} {file}: {text}");
            assert!(text.contains(expected) || text.contains(file), "{command} {file}: {text}");
            assert!(!text.contains("panicked"), "{command} {file}: {text}");
        }
    }
}

#[test]
fn bad_content_ends_with_1() {
    for (bytes, code) in
        [(&b"a = \xff\xfe"[..], "not_utf8"), (b"[bench\n", "syntax"), (b"x = = 1", "syntax")]
    {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bench.toml"), bytes).unwrap();
        let output = setpoint(folder.path(), &["check", "bench.toml", "--format", "json"]);
        assert_eq!(status(&output), 1);
        let answer = json(&output);
        // What is around a mistake is read all the same, and may be wrong too.
        let found = answer["diagnostics"].as_array().unwrap().iter().any(|it| it["code"] == code);
        assert!(found, "{answer}");
    }
}

#[test]
fn a_difference_names_key_values_and_effect() {
    let folder = folder_with(GOOD);
    let new = GOOD.replace("ch1.voltage = 3.300", "ch1.voltage = 3.450");
    fs::write(folder.path().join("new.toml"), new).unwrap();
    let output = setpoint(folder.path(), &["diff", "bench.toml", "new.toml", "--format", "json"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let expected = serde_json::json!({"changes": [{
        "kind": "changed", "path": "instruments.psu.set.ch1.voltage",
        "old": 3.3, "new": 3.45, "effect": "live",
    }]});
    assert_eq!(json(&output), expected);
    let output = setpoint(folder.path(), &["diff", "bench.toml", "new.toml"]);
    assert!(stdout(&output).contains("3.3 → 3.45"), "{}", stdout(&output));
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = folder_with(GOOD);
    for arguments in [
        &["check"][..],
        &["check", "bench.toml", "--format", "yaml"],
        &["set", "bench.toml", "no-equals-sign"],
        &["get", "bench.toml", "a..b"],
        &["serve"],
        &["serve", "bench.toml", "--listen", "nowhere"],
        &["--no-such-flag"],
    ] {
        let output = setpoint(folder.path(), arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty());
    }
}

#[test]
fn nobody_running_is_said_with_what_to_do() {
    let folder = folder_with(GOOD);
    for arguments in [&["status", "bench.toml"][..], &["get", "bench.toml", "bench.name"]] {
        let output = setpoint(folder.path(), arguments);
        assert_eq!(status(&output), 3, "{arguments:?}");
        assert!(stderr(&output).contains("setpoint serve bench.toml"), "{}", stderr(&output));
    }
    let output = setpoint(folder.path(), &["history", "bench.toml", "--format", "json"]);
    assert_eq!((status(&output), json(&output)), (0, serde_json::json!([])));
}

#[test]
fn without_a_display_one_line_says_so() {
    let folder = folder_with(GOOD);
    let output = setpoint(folder.path(), &["bench.toml"]);
    assert_eq!(status(&output), 3);
    let text = stderr(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("setpoint serve bench.toml"), "{text}");
}

#[test]
fn drivers_are_listed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let output = setpoint(folder.path(), &["drivers", "list", "--format", "json"]);
    let list = json(&output);
    let types: Vec<_> = list.as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert!(types.contains(&&Value::from("rigol_dp832")), "{types:?}");
    fs::write(folder.path().join("broken.toml"), "schema = 1\n[drivr]\n").unwrap();
    let output = setpoint(folder.path(), &["drivers", "check", "broken.toml"]);
    assert_eq!(status(&output), 1);
    assert!(stdout(&output).contains("drivr"), "{}", stdout(&output));
}

#[test]
fn numbers_that_are_not_finite_cannot_be_set() {
    let folder = folder_with(GOOD);
    for value in ["nan", "inf", "-inf", "[1.0, nan]"] {
        let assignment = format!("instruments.psu.set.ch1.voltage={value}");
        let output = setpoint(folder.path(), &["set", "bench.toml", &assignment]);
        assert_eq!(status(&output), 2, "{value}: {}", stderr(&output));
        assert!(stderr(&output).contains("nan or inf"), "{value}: {}", stderr(&output));
    }
    let output = setpoint(folder.path(), &["set", "bench.toml", "bench.name=\"nan\""]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
}

#[test]
fn a_bench_that_nobody_runs_is_set_in_its_files_and_both_texts_are_kept() {
    let folder = folder_with(GOOD);
    let at = folder.path();
    let text = || fs::read_to_string(at.join("bench.toml")).unwrap();
    let refused = setpoint(at, &["set", "bench.toml", "instruments.psu.set.ch2.voltage=52.0"]);
    assert_eq!(status(&refused), 1, "{}", stderr(&refused));
    assert!(stderr(&refused).contains("would not run any more"), "{}", stderr(&refused));
    assert_eq!(text(), GOOD);
    assert!(!at.join(".setpoint").exists(), "nothing changed, nothing is left behind");

    let change = ["set", "bench.toml", "instruments.psu.set.ch1.voltage=3.45", "-m", "More"];
    let set = setpoint(at, &change);
    assert_eq!(status(&set), 0, "{}", stderr(&set));
    assert!(stdout(&set).contains("3.3 → 3.45"), "{}", stdout(&set));
    assert_eq!(text(), GOOD.replace("ch1.voltage = 3.300", "ch1.voltage = 3.450"));
    let kept = json(&setpoint(at, &["history", "bench.toml", "--format", "json"]));
    let messages: Vec<_> = kept.as_array().unwrap().iter().map(|one| &one["message"]).collect();
    assert_eq!(messages, ["More", "As it was before the first change"]);

    // Nothing to do is no revision.
    assert_eq!(status(&setpoint(at, &change)), 0);
    let again = json(&setpoint(at, &["history", "bench.toml", "--format", "json"]));
    assert_eq!(again.as_array().unwrap().len(), 2);
}

#[test]
fn keys_are_renamed_moved_and_removed() {
    let bench = "[bench]\nname = \"A\"\n\n[sources.a] # first\ntype = \"test_pattern\"\n\
                 label = \"one\" # mine\n\n[sources.b]\ntype = \"test_pattern\"\n";
    let folder = folder_with(bench);
    let set =
        |arguments: &[&str]| setpoint(folder.path(), &[&["set", "bench.toml"], arguments].concat());
    let done = set(&["--rename", "sources.a=c", "--move", "sources.c.label=sources.b.label"]);
    assert_eq!(status(&done), 0, "{}", stderr(&done));
    let text = fs::read_to_string(folder.path().join("bench.toml")).unwrap();
    let expected = bench.replace("sources.a", "sources.c").replace("label = \"one\" # mine\n", "");
    assert_eq!(text, format!("{expected}label = \"one\" # mine\n"));
    assert_eq!(status(&set(&["--remove", "sources.b"])), 0);
    assert!(!fs::read_to_string(folder.path().join("bench.toml")).unwrap().contains("sources.b"));
    assert_eq!(status(&set(&["--rename", "sources.nobody=x"])), 1);
    assert_eq!(status(&set(&["--move", "sources.c=sources.d..e"])), 2);
    assert_eq!(status(&set(&[])), 2);
}

/// The same with variables set.
fn setpoint_with(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_setpoint"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("CLICOLOR")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn colours_are_for_terminals_or_for_who_forces_them() {
    let folder = folder_with("bench.nam = 1\n");
    for (variables, expected) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        let output = setpoint_with(folder.path(), variables, &["check", "bench.toml"]);
        assert_eq!(status(&output), 1);
        assert_eq!(stdout(&output).contains('\u{1b}'), expected, "{variables:?}");
    }
}

#[test]
fn a_hostile_file_cannot_steer_the_terminal() {
    let text = "\"a\u{202e}\u{9b}2J\" = \"\\u001b[2J\"\nx = \"\u{200b}\u{2066}\"\n";
    let folder = folder_with(text);
    fs::write(folder.path().join("new.toml"), text.replace("x =", "y\u{301} =")).unwrap();
    fs::write(folder.path().join("empty.toml"), "format = 1\n").unwrap();
    for arguments in [
        &["check", "bench.toml"][..],
        &["diff", "empty.toml", "bench.toml"],
        &["diff", "empty.toml", "bench.toml", "--lines"],
        &["diff", "empty.toml", "new.toml"],
        &["plan", "empty.toml", "bench.toml"],
    ] {
        let output = setpoint(folder.path(), arguments);
        let all = stdout(&output) + &stderr(&output);
        assert!(!all.is_empty(), "{arguments:?}");
        let bad = all.chars().find(|&it| {
            it.is_control() && it != '\n' || matches!(it, '\u{202e}' | '\u{200b}' | '\u{2066}')
        });
        assert_eq!(bad, None, "{arguments:?}: {all:?}");
    }
}

#[test]
fn many_findings_are_shown_in_part_and_counted() {
    let text: String = (0..5_000).map(|n| format!("unknown_{n} = 1\n")).collect();
    let folder = folder_with(&text);
    let shown = |output: &Output| stdout(output).matches("error[unknown_key]").count();
    let output = setpoint(folder.path(), &["check", "bench.toml"]);
    assert_eq!((status(&output), shown(&output)), (1, 100));
    let text = stdout(&output);
    assert!(text.contains("4900 more findings are not shown:"), "{}", &text[text.len() - 300..]);
    assert!(text.ends_with("bench.toml: does not run, 5000 errors\n"));
    let output = setpoint(folder.path(), &["check", "bench.toml", "--all"]);
    assert_eq!(shown(&output), 5_000);
    let output = setpoint(folder.path(), &["check", "bench.toml", "--format", "json"]);
    assert_eq!(json(&output)["diagnostics"].as_array().unwrap().len(), 5_000);
}

#[test]
fn a_line_of_a_megabyte_does_not_flood_the_terminal() {
    let folder = folder_with(&format!("bench.nam = \"{}\"\n", "x".repeat(1 << 20)));
    let output = setpoint(folder.path(), &["check", "bench.toml"]);
    assert_eq!(status(&output), 1);
    assert!(output.stdout.len() < 4_000, "{}", output.stdout.len());
}

#[test]
fn a_file_of_16_mib_is_answered() {
    let mut text = "bench.nam = 1\n".to_owned();
    text.push_str(&"# comment\n".repeat(((16 << 20) - text.len()) / 10));
    let folder = folder_with(&text);
    let output = setpoint(folder.path(), &["check", "bench.toml"]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("--> bench.toml:1:"), "{}", stdout(&output));
    text.push_str(&"# comment\n".repeat(10));
    fs::write(folder.path().join("bench.toml"), text).unwrap();
    assert_eq!(status(&setpoint(folder.path(), &["check", "bench.toml"])), 3);
}

#[test]
fn what_cannot_be_written_ends_with_3() {
    let folder = folder_with(GOOD);
    for arguments in [
        &["check", "bench.toml"][..],
        &["diff", "bench.toml", "bench.toml"],
        &["merge", "bench.toml", "bench.toml", "bench.toml"],
        &["migrate", "bench.toml"],
        &["--help"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_setpoint"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(status(&output), 3, "{arguments:?}");
        assert!(stderr(&output).contains("could not be written"), "{}", stderr(&output));
    }
}

#[test]
fn a_failure_is_json_for_programs() {
    let folder = folder_with(GOOD);
    fs::write(folder.path().join("broken.toml"), "a = = 1\n").unwrap();
    for (arguments, expected, kind) in [
        (&["check", "gone.toml"][..], 3, "unusable"),
        (&["diff", "gone.toml", "bench.toml"], 3, "unusable"),
        (&["diff", "r1", "r2", "--bench", "bench.toml"], 2, "usage"),
        (&["diff", "bench.toml", "broken.toml"], 1, "bench"),
    ] {
        let output = setpoint(folder.path(), &[arguments, &["--format", "json"]].concat());
        assert_eq!(status(&output), expected, "{arguments:?}");
        let answer = json(&output);
        assert_eq!(answer["ok"], false);
        assert_eq!(answer["error"]["kind"], kind);
        assert_eq!(answer["error"]["status"], expected);
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(answer["diagnostics"].is_array(), kind == "bench");
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn lines_are_drawn_below_each_other() {
    let folder = folder_with(GOOD);
    let new = GOOD.replace("ch1.voltage = 3.300", "ch1.voltage = 3.450");
    fs::write(folder.path().join("new.toml"), new).unwrap();
    let output = setpoint(folder.path(), &["diff", "bench.toml", "new.toml", "--lines"]);
    let text = stdout(&output);
    assert!(text.starts_with("--- bench.toml\n+++ new.toml\n"), "{text}");
    assert!(text.contains(" - ch1.voltage = 3.300\n"), "{text}");
    assert!(text.contains(" + ch1.voltage = 3.450\n"), "{text}");
    assert!(text.ends_with("1 change: 1 set live\n"), "{text}");
}

#[test]
fn a_plan_lists_steps_in_order_and_touches_nothing() {
    let folder = folder_with(GOOD);
    let new = GOOD.replace("ch1.voltage = 3.300", "ch1.voltage = 3.450\nch1.output = \"on\"");
    let new = new.replace("name = \"Demo bench\"\n", "name = \"Other\"\n");
    fs::write(folder.path().join("new.toml"), &new).unwrap();
    let output = setpoint(folder.path(), &["plan", "bench.toml", "new.toml", "--format", "json"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let plan = json(&output);
    let steps = plan["steps"].as_array().unwrap();
    let kinds: Vec<_> = steps.iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["set", "set", "settings", "write"], "{plan:#}");
    assert!(steps[0]["text"].as_str().unwrap().starts_with("psu.ch1.voltage"), "{plan:#}");
    assert_eq!((&steps[0]["hazard"], &steps[1]["hazard"]), (&false.into(), &true.into()));
    assert_eq!(plan["changes"].as_array().unwrap().len(), 3);
    let output = setpoint(folder.path(), &["plan", "bench.toml", "new.toml"]);
    let text = stdout(&output);
    assert!(text.starts_with("bench.toml → new.toml: 4 steps, 1 hazardous\n"), "{text}");
    assert!(text.contains("  1. psu.ch1.voltage"), "{text}");
    assert!(!folder.path().join(".setpoint").exists(), "plan must leave nothing behind");
    fs::write(folder.path().join("new.toml"), "bench.nam = 1\n").unwrap();
    for format in ["text", "json"] {
        let output =
            setpoint(folder.path(), &["plan", "bench.toml", "new.toml", "--format", format]);
        assert_eq!(status(&output), 1);
        assert!(stdout(&output).contains("unknown_key"), "{}", stdout(&output));
    }
}

#[test]
fn a_log_whose_end_nothing_vouches_for_does_not_pass_for_a_whole_one() {
    let folder = folder_with(GOOD);
    let kept = BenchFolder::open(&folder.path().join("bench.toml")).unwrap();
    let record = || AuditRecord::new("query", "panel", "nora", "", "asked");
    Audit::open(&kept).unwrap().append_all(vec![record(), record()]).unwrap();
    let verify = |more: &[&str]| {
        let arguments = [&["audit", "verify", "bench.toml"], more].concat();
        setpoint(folder.path(), &arguments)
    };
    let output = verify(&[]);
    assert_eq!(
        (status(&output), stdout(&output).as_str()),
        (0, "2 records, each as it was written\n")
    );

    fs::remove_file(kept.audit_head()).unwrap();
    let output = verify(&[]);
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains("audit.head is not there"), "{}", stderr(&output));
    let output = verify(&["--format", "json"]);
    assert_eq!((status(&output), &json(&output)["ok"]), (1, &false.into()));
    assert_eq!(json(&output)["records"], 2);

    // The next start writes that down, and it stays known.
    drop(Audit::open(&kept).unwrap());
    let output = verify(&["--format", "json"]);
    assert_eq!((status(&output), &json(&output)["gaps"]), (0, &serde_json::json!([3])));
    let output = verify(&[]);
    assert!(stdout(&output).contains("cut off before record 3"), "{}", stdout(&output));

    let log = fs::read_to_string(kept.audit()).unwrap();
    let shorter: String = log.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(kept.audit(), shorter).unwrap();
    let output = verify(&["--format", "json"]);
    assert_eq!((status(&output), &json(&output)["record"]), (1, &3.into()));
}

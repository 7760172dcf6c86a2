//! Benches of several layers on the command line, run as a person runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const BENCH: &str = "format = 1\n\n[bench]\nname = \"Optics\"\ninclude = [\"supplies.toml\"]\n\n\
    [instruments.rail]\ntemplate = \"supply\"\nwith = { host = 21 }\n\n\
    [instruments.rail.set]\nch1.voltage = 3.3\n\n\
    [rtsp]\ntoken = \"${secret:VIEWER}\"\n";
const SUPPLIES: &str = "[templates.supply]\ntype = \"rigol_dp832\"\n\
    address = \"tcp://${LAB_NET}.$(host):5555\"\n\n\
    [templates.supply.set]\nch1.voltage = 1.0\nch1.current_limit = 0.5\n";
const PRODUCTION: &str = "[instruments.rail.set]\nch1.voltage = 3.6\n";
const DOTENV: &str = "LAB_NET=192.0.2\nVIEWER=correct-horse\n";

fn lab() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("bench.toml", BENCH),
        ("supplies.toml", SUPPLIES),
        ("bench.production.toml", PRODUCTION),
        (".env", DOTENV),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.path().join(".env"), private).unwrap();
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_setpoint"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("SETPOINT_ENV")
        .env_remove("VIEWER")
        .env_remove("LAB_NET")
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .stdin(Stdio::null());
    command
}

/// Exit status and stdout.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    told(&command(folder, arguments).output().unwrap())
}

fn told(output: &Output) -> (i32, String) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code().unwrap(), text)
}

fn json(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let (status, text) = run(folder, &[arguments, &["--format", "json"]].concat());
    (status, serde_json::from_str(&text).unwrap())
}

const VOLTAGE: &str = "instruments.rail.set.ch1.voltage";

#[test]
fn the_environment_is_chosen_by_flag_then_variable_then_file() {
    let folder = lab();
    let at = folder.path();
    let value = |mut command: Command| {
        let (status, text) = told(&command.output().unwrap());
        assert_eq!(status, 0, "{text}");
        text.lines().next().unwrap().to_owned()
    };
    let explain = ["check", "bench.toml", "--explain", VOLTAGE];
    assert_eq!(value(command(at, &explain)), format!("{VOLTAGE} = 3.3"));
    let flag = [&explain[..], &["--env", "production"]].concat();
    assert_eq!(value(command(at, &flag)), format!("{VOLTAGE} = 3.6"));
    let mut by_variable = command(at, &explain);
    by_variable.env("SETPOINT_ENV", "production");
    assert_eq!(value(by_variable), format!("{VOLTAGE} = 3.6"));
    let mut both = command(at, &[&explain[..], &["--env", "development"]].concat());
    both.env("SETPOINT_ENV", "production");
    assert_eq!(value(both), format!("{VOLTAGE} = 3.3"));
    let named = BENCH.replace("[bench]\n", "[bench]\nenvironment = \"production\"\n");
    fs::write(at.join("bench.toml"), named).unwrap();
    assert_eq!(value(command(at, &explain)), format!("{VOLTAGE} = 3.6"));
}

#[test]
fn what_holds_comes_first_and_below_it_what_it_overrides() {
    let folder = lab();
    let (status, text) =
        run(folder.path(), &["check", "bench.toml", "--env", "production", "--explain", VOLTAGE]);
    // What is worth knowing about the bench follows.
    let (said, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    assert_eq!(
        (status, said),
        (
            0,
            "instruments.rail.set.ch1.voltage = 3.6\n  \
             from       bench.production.toml:2:15  overlay                   3.6\n  \
             overrides  bench.toml:12:15            file                      3.3\n  \
             overrides  supplies.toml:6:15          include, template supply  1.0"
        )
    );
    let (status, answer) =
        json(folder.path(), &["check", "bench.toml", "--env", "production", "--explain", VOLTAGE]);
    assert_eq!(status, 0);
    let explain = &answer["explain"];
    assert_eq!(explain["path"], VOLTAGE);
    assert_eq!(explain["value"], 3.6);
    assert_eq!(explain["source"], "layers");
    let places = explain["places"].as_array().unwrap();
    assert_eq!(places.len(), 3);
    assert_eq!(places[0]["layer"], "overlay");
    assert_eq!((&places[0]["line"], &places[0]["column"]), (&2.into(), &15.into()));
    assert_eq!(places[2]["template"], "supply");
    assert_eq!(places[2]["holds"], false);
}

#[test]
fn variables_say_where_they_are_set_and_secrets_stay_hidden() {
    let folder = lab();
    let at = folder.path();
    let (_, text) = run(at, &["check", "bench.toml", "--explain", "instruments.rail.address"]);
    assert!(text.starts_with("instruments.rail.address = \"tcp://192.0.2.21:5555\"\n"), "{text}");
    assert!(text.contains("${LAB_NET} is set in .env:1\n"), "{text}");
    assert!(text.contains("$(host) is filled by with\n"), "{text}");

    let mut set = command(at, &["check", "bench.toml", "--explain", "instruments.rail.address"]);
    set.env("SETPOINT__INSTRUMENTS__RAIL__ADDRESS", "sim:");
    let (_, text) = told(&set.output().unwrap());
    assert!(text.contains("from       environment"), "{text}");
    assert!(text.contains("SETPOINT__INSTRUMENTS__RAIL__ADDRESS  \"sim:\""), "{text}");

    for explain in ["rtsp.token", "rtsp"] {
        let (status, text) = run(at, &["check", "bench.toml", "--explain", explain]);
        assert_eq!(status, 0);
        assert!(text.contains("\"${secret:VIEWER}\"") && !text.contains("horse"), "{text}");
        let (_, answer) = json(at, &["check", "bench.toml", "--explain", explain]);
        assert!(!answer.to_string().contains("horse"), "{answer}");
    }
    fs::write(at.join("plain.toml"), "[rtsp]\ntoken = \"correct-horse\"\n").unwrap();
    let (_, text) = run(at, &["check", "plain.toml", "--explain", "rtsp.token"]);
    assert!(text.starts_with("rtsp.token = \"•••\"\n") && !text.contains("horse"), "{text}");
}

#[test]
fn a_table_lists_its_keys_with_their_places() {
    let folder = lab();
    let (status, text) =
        run(folder.path(), &["check", "bench.toml", "--explain", "instruments.rail"]);
    assert_eq!(status, 0);
    assert!(text.starts_with("instruments.rail: 4 keys\n"), "{text}");
    for (key, place) in [
        ("  type ", "supplies.toml:2:8  include, template supply"),
        ("  set.ch1.voltage ", "bench.toml:12:15  file"),
        ("  set.ch1.current_limit ", "supplies.toml:7:21  include, template supply"),
    ] {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        assert!(line.ends_with(place), "{key}: {text}");
    }
    let (_, answer) =
        json(folder.path(), &["check", "bench.toml", "--explain", "instruments.rail"]);
    assert_eq!(answer["explain"]["keys"].as_array().unwrap().len(), 4);
}

#[test]
fn what_no_layer_sets_is_a_default_or_not_set() {
    let folder = lab();
    let at = folder.path();
    for (path, said, source) in [
        ("runtime.quiet", "runtime.quiet = \"50ms\"\n  default; no layer sets it\n", "default"),
        (
            "instruments.rail.label",
            "instruments.rail.label is not set\n  no layer sets it, and it has no default\n",
            "unset",
        ),
        (
            "instruments.rail.set.ch2.voltage",
            "instruments.rail.set.ch2.voltage is not set\n  no layer sets it, and it has no \
             default\n",
            "unset",
        ),
    ] {
        let (status, text) = run(at, &["check", "bench.toml", "--explain", path]);
        let (first, findings) = text.split_once("\n\n").unwrap();
        assert_eq!((status, first), (0, said.trim_end()));
        assert!(findings.contains("no_effect"), "{findings}");
        assert_eq!(
            json(at, &["check", "bench.toml", "--explain", path]).1["explain"]["source"],
            source
        );
    }
}

#[test]
fn what_is_wrong_with_a_bench_is_told_along_with_an_explanation() {
    let folder = lab();
    let at = folder.path();
    let wrong = format!("{BENCH}\n[runtime]\nquiet = 5\n");
    fs::write(at.join("bench.toml"), wrong).unwrap();
    let (status, text) = run(at, &["check", "bench.toml", "--explain", VOLTAGE]);
    assert_eq!(status, 1, "{text}");
    assert!(text.starts_with(&format!("{VOLTAGE} = 3.3\n")), "{text}");
    assert!(text.contains("error[wrong_type]") && text.contains("quiet = 5"), "{text}");
    assert!(text.trim_end().ends_with("bench.toml: does not run, 1 error, 1 warning"), "{text}");
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let folder = lab();
    for (path, said) in [
        ("instruments.rail.adress", "did you mean instruments.rail.address?"),
        ("instruments.rial.set.ch1.voltage", "did you mean instruments.rail.set.ch1.voltage?"),
        ("runtime.quite", "did you mean runtime.quiet?"),
        ("instruments.rail.address.host", "instruments.rail.address has no keys below it"),
        ("zzz", "at the top there can be append, bench, format, "),
    ] {
        let output =
            command(folder.path(), &["check", "bench.toml", "--explain", path]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains(said), "{stderr}");
    }
    let (status, answer) =
        json(folder.path(), &["check", "bench.toml", "--explain", "instruments.rail.adress"]);
    assert_eq!((status, &answer["ok"]), (1, &Value::Bool(false)));
    let two = run(folder.path(), &["check", "bench.toml", "bench.toml", "--explain", "format"]);
    assert_eq!(two.0, 2);
}

#[test]
fn findings_of_every_file_have_their_own_lines() {
    let folder = lab();
    let at = folder.path();
    fs::write(at.join("bench.production.toml"), "[instruments.rail.set]\nch1.voltage = 99.0\n")
        .unwrap();
    fs::write(at.join(".env"), "LAB_NET=192.0.2\nVIEWER=correct-horse\nno line\n").unwrap();
    let supplies = SUPPLIES.replace("[templates.supply.set]", "[templates.supply.sat]");
    fs::write(at.join("supplies.toml"), supplies).unwrap();
    let (status, text) = run(at, &["check", "bench.toml", "--env", "production"]);
    assert_eq!(status, 1);
    assert!(text.contains("--> bench.production.toml:2:15\n"), "{text}");
    assert!(text.contains("2 | ch1.voltage = 99.0\n"), "{text}");
    assert!(text.contains("--> supplies.toml:5:"), "{text}");
    assert!(text.contains("5 | [templates.supply.sat]\n"), "{text}");
    assert!(text.contains("--> .env:3:1\n"), "{text}");
    assert!(!text.contains("horse"), "{text}");
    let (_, answer) = json(at, &["check", "bench.toml", "--env", "production"]);
    let files: Vec<&str> = answer["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["file"].as_str())
        .collect();
    for file in ["bench.production.toml", "supplies.toml", ".env"] {
        assert!(files.contains(&file), "{files:?}");
    }
}

#[test]
fn a_text_on_stdin_includes_files_of_this_folder() {
    let folder = lab();
    let mut check = command(folder.path(), &["check", "-"]);
    let mut child = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(BENCH.as_bytes()).unwrap();
    let (status, text) = told(&child.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("stdin: fit to run"), "{text}");
}

#[test]
fn several_benches_are_checked_each_with_its_layers() {
    let (one, two) = (lab(), lab());
    fs::remove_file(two.path().join(".env")).unwrap();
    let other = two.path().join("bench.toml");
    let (status, text) = run(one.path(), &["check", "bench.toml", other.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(text.contains("bench.toml: fit to run"), "{text}");
    assert!(text.contains("error[unset_variable]") && text.contains("does not run"), "{text}");
}

#[test]
fn a_difference_is_one_of_effective_values() {
    let folder = lab();
    let at = folder.path();
    // The same bench in one file, but for a voltage.
    let flat = "format = 1\n[bench]\nname = \"Optics\"\ninclude = [\"supplies.toml\"]\n\
        [instruments.rail]\ntype = \"rigol_dp832\"\naddress = \"tcp://192.0.2.21:5555\"\n\
        [instruments.rail.set]\nch1.voltage = 3.6\nch1.current_limit = 0.5\n\
        [rtsp]\ntoken = \"${secret:VIEWER}\"\n";
    fs::write(at.join("flat.toml"), flat).unwrap();
    let (status, answer) = json(at, &["diff", "bench.toml", "flat.toml"]);
    assert_eq!(status, 0);
    let changes = answer["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["path"], VOLTAGE);
    let (_, answer) = json(at, &["diff", "bench.toml", "flat.toml", "--env", "production"]);
    // There is no flat.production.toml, so both come to 3.6.
    assert_eq!(answer["changes"], Value::Array(Vec::new()), "{answer}");
    fs::write(at.join("flat.toml"), flat.replace("${secret:VIEWER}", "${secret:OTHER}")).unwrap();
    fs::write(at.join(".env"), format!("{DOTENV}OTHER=battery-staple\n")).unwrap();
    let (_, text) = run(at, &["diff", "bench.toml", "flat.toml"]);
    assert!(text.contains("${secret:OTHER}"), "{text}");
    assert!(!text.contains("horse") && !text.contains("staple"), "{text}");
    fs::remove_file(at.join("supplies.toml")).unwrap();
    let (status, _) = run(at, &["diff", "bench.toml", "flat.toml"]);
    assert_eq!(status, 1, "what is not all there is not compared");
}

#[test]
fn a_plan_takes_the_layers_of_what_runs() {
    let folder = lab();
    let at = folder.path();
    fs::write(at.join("new.toml"), BENCH.replace("ch1.voltage = 3.3", "ch1.voltage = 3.4"))
        .unwrap();
    let (status, answer) = json(at, &["plan", "bench.toml", "new.toml"]);
    assert_eq!(status, 0, "{answer}");
    let steps: Vec<&str> =
        answer["steps"].as_array().unwrap().iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(steps[0].contains("3.4") && steps[1] == "write bench.toml", "{steps:?}");
    // In production the overlay has the last word on that voltage.
    let (_, answer) = json(at, &["plan", "bench.toml", "new.toml", "--env", "production"]);
    assert_eq!(answer["steps"].as_array().unwrap().len(), 1, "{answer}");

    // What is wrong with the text is told of the file that it is in.
    fs::write(at.join("new.toml"), BENCH.replace("ch1.voltage = 3.3", "ch1.voltage = 99.0"))
        .unwrap();
    let (status, text) = run(at, &["plan", "bench.toml", "new.toml"]);
    assert_eq!(status, 1);
    assert!(text.contains("--> new.toml:12:15") && text.contains("| ch1.voltage = 99.0"), "{text}");
}

#[test]
fn a_plan_does_not_show_secrets() {
    let folder = lab();
    let at = folder.path();
    let secret = BENCH.replace("with = { host = 21 }", "with = { host = \"${secret:VIEWER}\" }");
    fs::write(at.join("new.toml"), &secret).unwrap();
    let (status, text) = run(at, &["plan", "bench.toml", "new.toml"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("•••") && !text.contains("horse"), "{text}");
}

#[test]
fn a_migrated_bench_is_checked_with_its_layers() {
    let folder = lab();
    let (status, answer) = json(folder.path(), &["migrate", "bench.toml"]);
    assert_eq!((status, &answer["changed"]), (0, &Value::Bool(false)));
    let errors = answer["diagnostics"].as_array().unwrap().iter();
    assert_eq!(errors.filter(|it| it["severity"] == "error").count(), 0, "{answer}");
}

#[test]
fn what_is_no_text_is_not_explained() {
    let folder = lab();
    fs::write(folder.path().join("bench.toml"), b"a = \xff\n").unwrap();
    let (status, answer) = json(folder.path(), &["check", "bench.toml", "--explain", "format"]);
    assert_eq!((status, &answer["ok"]), (1, &Value::Bool(false)));
    assert_eq!(answer["diagnostics"][0]["code"], "not_utf8");
}

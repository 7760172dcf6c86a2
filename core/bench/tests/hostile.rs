//! Texts that are made to be a burden: a clear answer, in time that grows with their length.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "common/mod.rs"]
mod common;

use std::{collections::BTreeMap, sync::Arc};

use common::{Types, grows};
use setpoint_bench::{
    BenchText, Diagnostic, Document, Edit, Severity, TextEdit, Value, apply, apply_with, check,
    diff,
    diff::{side_by_side, unified},
    document,
    edit::{Options, Spot},
    layers::{LayeredReading, Surroundings, Unreadable, read_layers},
    merge, migrate,
};

/// Files and variables in memory.
#[derive(Default)]
struct Memory {
    files: BTreeMap<String, Arc<str>>,
    variables: BTreeMap<String, String>,
}

impl Memory {
    fn of(text: &str) -> Self {
        Self::default().with("bench.toml", text)
    }

    fn with(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), text.into());
        self
    }

    fn read(&self) -> LayeredReading {
        read_layers("bench.toml", self, None, &Types)
    }
}

impl Surroundings for Memory {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        self.files.get(name).cloned().ok_or(Unreadable::Missing)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        let (start, end) = pattern.split_once('*').unwrap();
        let found = self.files.keys().filter(|name| name.starts_with(start) && name.ends_with(end));
        Ok(found.cloned().collect())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone().into_iter().collect()
    }
}

fn repeated(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

/// Everything that the commands do with a text.
fn commands(text: &str) {
    let reading = check::read("bench.toml", text, &Types);
    assert!(reading.diagnostics.len() <= 10_001, "{}", reading.diagnostics.len());
    let before = BenchText::read("bench.toml", text.into(), &Types);
    let after = before.again(format!("{text}\n[other]\n").into(), &Types);
    assert_eq!(before.reading().diagnostics, reading.diagnostics);
    assert!(!after.reading().diagnostics.is_empty());
    Memory::of(text).read();
    let path = "instruments.new.label".parse().unwrap();
    let edit = Edit { path, value: Some(Value::Int(1)) };
    let edited = apply(text, &[edit]).unwrap_or_else(|_| text.replace('a', "b"));
    let rows = unified(text, &edited, 3);
    assert!(text == edited || !rows.is_empty());
    side_by_side(text, "other\n", 3);
    let [one, two] = [text, &edited].map(Document::recover);
    diff(one.values(), two.values());
    let _ = merge(&Value::Table(Default::default()), &one, two.values());
    for file in ["x.toml", "x.yaml", "x.json"] {
        let _ = migrate(file, text, &Types);
    }
}

/// What a kind of text looks like at a size.
type Make = fn(usize) -> String;

#[test]
fn every_command_takes_time_in_proportion() {
    let texts: &[(&str, usize, Make)] = &[
        ("components", 300, |n| {
            repeated(n, |n| {
                format!("[instruments.i{n}]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n")
            })
        }),
        ("tables that are not known", 500, |n| repeated(n, |n| format!("[t{n}]\nx = 1\n"))),
        ("keys in one table", 1_000, |n| repeated(n, |n| format!("k{n} = {n}\n"))),
        ("keys in one component", 500, |n| {
            let keys = repeated(n, |n| format!("ch{n}.voltage = {n}.5\n"));
            format!("[instruments.a]\ntype = \"rigol_dp832\"\n[instruments.a.set]\n{keys}")
        }),
        ("keys in one table in braces", 500, |n| {
            format!("a = {{ {} }}", repeated(n, |n| format!("k{n} = {n}, ")))
        }),
        ("items of a list of tables", 500, |n| repeated(n, |n| format!("[[a]]\nx = {n}\n"))),
        ("the same key", 1_000, |n| repeated(n, |_| "x = 1\n".to_owned())),
        ("the same table", 1_000, |n| repeated(n, |_| "[a.b]\n".to_owned())),
        ("tables and their parts in turns", 500, |n| {
            repeated(n, |n| format!("[instruments.i{n}.set]\n[sources.s{n}]\n[instruments.i{n}]\n"))
        }),
        ("mistakes of syntax", 1_000, |n| repeated(n, |n| format!("k{n} = = \"\n"))),
        ("quotation marks", 5_000, |n| "\"".repeat(n)),
        ("headers that do not end", 1_000, |n| repeated(n, |_| "[a.".to_owned())),
        ("commas", 10_000, |n| format!("a = [{}]", ",".repeat(n))),
        ("items", 5_000, |n| format!("a = [{}]", "1,".repeat(n))),
        ("lines of items", 2_000, |n| format!("a = [\n{}]", "1,\n".repeat(n))),
        ("a long key", 50_000, |n| {
            format!("{} = 1\n[instruments.{}]\n", "k".repeat(n), "i".repeat(n))
        }),
        ("a long text", 50_000, |n| format!("a = \"{}\"\n", "x ".repeat(n))),
        ("a long remark", 50_000, |n| format!("# {}\na = 1\n", "é ".repeat(n))),
        ("escapes", 5_000, |n| format!("a = \"{}\"\n", "\\u202e".repeat(n))),
        ("hidden characters", 2_000, |n| format!("# {}\n", "\u{202e}".repeat(n))),
        ("hidden characters on lines", 1_000, |n| {
            repeated(n, |n| format!("k{n} = 1 # \u{202e}\n"))
        }),
        ("NUL", 5_000, |n| "\0".repeat(n)),
        ("NUL on lines", 1_000, |n| repeated(n, |n| format!("k{n} = \0\n"))),
        ("empty lines", 10_000, |n| "\r\n".repeat(n)),
        ("blanks", 10_000, |n| format!("a = {}1", " ".repeat(n))),
        ("nested headers", 1_000, |n| format!("[{}a]\nx = 1\n", "a.".repeat(n))),
        ("nested dotted keys", 1_000, |n| format!("{}a = 1\n", "a.".repeat(n))),
        ("nested lists", 1_000, |n| format!("a = {}{}", "[".repeat(n), "]".repeat(n))),
        ("open lists", 1_000, |n| format!("a = {}", "[".repeat(n))),
        ("nested tables in braces", 1_000, |n| format!("{}1{}", "a = { ".repeat(n), "}".repeat(n))),
        ("labels that are the same", 300, |n| {
            repeated(n, |n| {
                format!("[sources.s{n}]\ntype = \"test_pattern\"\nlabel = \"x\"\nrtsp = \"/a\"\n")
            })
        }),
        ("modules with many roles", 300, |n| {
            let roles = repeated(n, |n| format!("r{n} = \"i{n}\"\n"));
            format!("[modules.m]\ntype = \"interlock\"\n[modules.m.roles]\n{roles}")
        }),
        ("a long expression", 300, |n| module(&"sensor.a > 1 and ".repeat(n))),
        ("parentheses in an expression", 1_000, |n| module(&"(".repeat(n))),
        ("not in an expression", 1_000, |n| module(&"not ".repeat(n))),
        ("templates", 300, |n| {
            repeated(n, |n| {
                format!("[templates.t{n}]\nx = 1\n[instruments.i{n}]\ntemplate = \"t{n}\"\n")
            })
        }),
        ("variables in one text", 300, |n| format!("bench.name = \"{}\"\n", "${A}".repeat(n))),
        ("a list of YAML", 1_000, |n| repeated(n, |n| format!("k{n}: [1, 2]\n"))),
        ("flow of YAML", 1_000, |n| format!("a: {}", "{a: ".repeat(n))),
        ("blocks of YAML", 200, |n| repeated(n.min(400), |n| format!("{}a:\n", " ".repeat(n)))),
        ("objects of JSON", 1_000, |n| "{\"a\": ".repeat(n)),
        ("keys of JSON", 1_000, |n| {
            format!("{{\"instruments\": {{{}}}}}", repeated(n, |n| format!("\"k{n}\": {{}}, ")))
        }),
    ];
    for (what, size, make) in texts {
        grows(what, *size, make, |text| commands(text));
    }
}

fn module(when: &str) -> String {
    format!(
        "[instruments.a]\ntype = \"lakeshore_335\"\naddress = \"sim:\"\n[modules.m]\n\
         type = \"interlock\"\nroles = {{ sensor = \"a\" }}\nwhen = \"{when}\"\n"
    )
}

fn errors(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    diagnostics.iter().filter(|it| it.severity == Severity::Error).collect()
}

#[test]
fn ten_thousand_tables_in_each_other_are_refused_in_every_form() {
    let deep = 10_000;
    for text in [
        format!("[{}a]\n", "a.".repeat(deep)),
        format!("[[{}a]]\n", "a.".repeat(deep)),
        format!("{}a = 1\n", "a.".repeat(deep)),
        format!("{}1{}\n", "a = { ".repeat(deep), " }".repeat(deep)),
        format!("a = {}{}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}{}\n", "[ { a = ".repeat(deep), "} ]".repeat(deep)),
        // One level more with each header.
        repeated(1_000, |n| format!("[{}a]\n", "a.".repeat(n))),
        repeated(1_000, |n| format!("[[{}a]]\n", "a.".repeat(n))),
        repeated(1_000, |n| format!("{}x = 1\n", "a.".repeat(n))),
    ] {
        let reading = check::read("bench.toml", &text, &Types);
        assert!(reading.bench.is_none());
        let errors = errors(&reading.diagnostics);
        let syntax: Vec<_> = errors.iter().filter(|it| it.code == "syntax").collect();
        assert!((1..=document::MOST_ERRORS).contains(&syntax.len()), "{errors:?}");
        assert!(syntax[0].message.contains("nested too deeply"), "{}", syntax[0]);
        let edit =
            TextEdit::Move { path: "a".parse().unwrap(), to: Spot::Into("b".parse().unwrap()) };
        assert!(apply_with(&text, &[edit], &Options::default()).is_err());
        assert!(migrate("x.toml", &text, &Types).is_err());
    }
    // As many as are allowed go through everything.
    let deep = document::DEEPEST;
    for text in [
        format!("[{}a]\nx = 1\n", "a.".repeat(deep - 2)),
        repeated(deep - 1, |n| format!("[{}a]\nx = 1\n", "a.".repeat(n))),
        format!("a = {}{}\n", "[".repeat(deep - 2), "]".repeat(deep - 2)),
    ] {
        assert!(Document::parse(&text).is_ok(), "{:?}", Document::parse(&text).err());
        commands(&text);
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_by_everything() {
    let long = "#".repeat(document::LONGEST) + "\n";
    let told = |message: &str| assert!(message.contains("16 MiB"), "{message}");
    let reading = check::read("bench.toml", &long, &Types);
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(reading.diagnostics[0].code, "too_large");
    told(&reading.diagnostics[0].message);
    let read = BenchText::read("bench.toml", long.as_str().into(), &Types);
    assert!(read.proven(&Types) && read.reading().bench.is_none());
    assert!(read.again("format = 1\n".into(), &Types).reading().bench.is_some());
    let layered = Memory::of(&long).read();
    told(&layered.reading.diagnostics[0].message);
    told(&Document::parse(&long).unwrap_err().to_string());
    told(&apply(&long, &[]).unwrap_err().to_string());
    for file in ["x.toml", "x.yaml", "x.json"] {
        told(&migrate(file, &long, &Types).unwrap_err().to_string());
    }
    // One byte less is read.
    let most = &long[1..];
    assert!(check::read("bench.toml", most, &Types).bench.is_some());
}

#[test]
fn a_hundred_thousand_of_anything_are_read() {
    let count = 100_000;
    let tables = repeated(count, |n| format!("[t{n}]\n"));
    let reading = check::read("bench.toml", &tables, &Types);
    // Each is told of, up to the limit, and the rest is counted.
    assert_eq!(reading.diagnostics.len(), 10_001);
    let last = &reading.diagnostics[10_000];
    assert_eq!(last.code, "too_many");
    assert!(last.message.contains("90"), "{}", last.message);
    assert_eq!(reading.values.as_table().unwrap().len(), count);

    let keys = repeated(count, |n| format!("k{n} = {n}\n"));
    let document = Document::parse(&keys).unwrap();
    let table = document.values().as_table().unwrap();
    assert_eq!(table.len(), count);
    assert_eq!(table.get("k99999"), Some(&Value::Int(99_999)));
    let edit = Edit { path: "k50000".parse().unwrap(), value: Some(Value::Int(-1)) };
    let edited = apply(&keys, &[edit]).unwrap();
    assert_eq!(edited, keys.replace("k50000 = 50000", "k50000 = -1"));
    assert_eq!(diff(document.values(), Document::parse(&edited).unwrap().values()).len(), 1);

    let mistakes = repeated(count, |_| "a = \n".to_owned());
    let document = Document::recover(&mistakes);
    assert_eq!(document.errors().len(), document::MOST_ERRORS);
}

#[test]
fn a_million_commas_are_one_mistake() {
    let text = format!("a = [1{}]\nb = 2\n", ",".repeat(1_000_000));
    let document = Document::recover(&text);
    let [error] = document.errors() else { panic!("{} errors", document.errors().len()) };
    assert_eq!((error.span.line, error.span.column), (1, 8));
    assert_eq!(document.values().get(&"b".parse().unwrap()), Some(&Value::Int(2)));
    let text = format!("a = [{}]\n", "1,".repeat(1_000_000));
    assert!(Document::parse(&text).is_ok());
}

#[test]
fn a_key_of_a_million_bytes_is_no_burden_to_whoever_reads_of_it() {
    let key = "k".repeat(1_000_000);
    let text = format!("{key} = 1\n[instruments.{key}]\ntype = \"{key}\"\n");
    let reading = check::read("bench.toml", &text, &Types);
    assert!(!errors(&reading.diagnostics).is_empty());
    for finding in &reading.diagnostics {
        assert!(finding.message.len() < 1_000, "{} bytes: {}", finding.message.len(), finding.code);
    }
    let error = Document::parse(&format!("{key} = 1\n{key} = 2\n")).unwrap_err();
    assert!(error.message.len() < 1_000);
}

#[test]
fn characters_that_deceive_are_told_of() {
    let finds = |text: &str, code: &str| {
        let reading = check::read("bench.toml", text, &Types);
        let found = reading.diagnostics.iter().find(|it| it.code == code);
        found.unwrap_or_else(|| panic!("{code} not found: {:?}", reading.diagnostics)).clone()
    };
    let nul = finds("bench.name = \"a\0b\"\n", "syntax");
    assert_eq!((nul.span.line, nul.span.column), (1, 16));
    for text in [
        "bench.name = \"a\u{202e}b\"\n",
        "bench.name = \"a\\u202eb\"\n",
        "# a\u{202e}b\nformat = 1\n",
        "[instruments.\"a\u{2066}b\"]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n",
    ] {
        assert_eq!(finds(text, "hidden_character").span.line, 1, "{text:?}");
    }
}

#[test]
fn expressions_have_a_depth_that_is_told() {
    let deepest = setpoint_bench::expression::DEEPEST;
    for (open, close) in [("(", ")"), ("not (", ")")] {
        let when = |n: usize| {
            let when = format!("{}sensor.a.temperature > 1{}", open.repeat(n), close.repeat(n));
            let reading = check::read("bench.toml", &module(&when), &Types);
            let found = reading.diagnostics.into_iter().find(|it| it.code == "bad_expression");
            found.map(|it| it.message)
        };
        assert_eq!(when(deepest / 2 - 1), None);
        let message = when(10_000).unwrap();
        assert!(message.contains("nested too deeply"), "{message}");
        assert!(message.len() < 1_000);
    }
}

#[test]
fn ten_thousand_includes_and_templates_come_to_an_end() {
    let told = |memory: &Memory, words: &str| {
        let reading = memory.read().reading;
        assert!(reading.bench.is_none());
        let found = reading.diagnostics.iter().find(|it| it.message.contains(words));
        assert!(found.is_some(), "{words}: {:?}", reading.diagnostics.first());
        assert!(reading.diagnostics.len() <= 10_001);
    };
    // Side by side, by name and by pattern.
    let named = repeated(10_000, |n| format!("\"lab/{n}.toml\", "));
    let mut memory = Memory::of(&format!("bench.include = [{named}]\n"));
    let mut by_pattern = Memory::of("bench.include = [\"lab/*.toml\"]\n");
    for n in 0..10_000 {
        let name = format!("lab/{n}.toml");
        let text = format!("[sources.s{n}]\ntype = \"test_pattern\"\n");
        memory.files.insert(name.clone(), text.as_str().into());
        by_pattern.files.insert(name, text.as_str().into());
    }
    told(&memory, "1000 files at most");
    told(&by_pattern, "1000 files at most");
    // Each in the one before.
    let chain = |length: usize| {
        let mut memory = Memory::of("bench.include = [\"0.toml\"]\n");
        for n in 0..length {
            let next = format!("bench.include = [\"{}.toml\"]\n", n + 1);
            memory.files.insert(format!("{n}.toml"), next.as_str().into());
        }
        memory.files.insert(format!("{length}.toml"), "format = 1\n".into());
        memory
    };
    told(&chain(10_000), "32 including each other");
    assert!(chain(20).read().reading.bench.is_some());
    // A template of a template.
    let templates = |length: usize| {
        let chain = repeated(length, |n| format!("[templates.t{n}]\ntemplate = \"t{}\"\n", n + 1));
        Memory::of(&format!(
            "{chain}[templates.t{length}]\ntype = \"test_pattern\"\n[sources.a]\ntemplate = \"t0\"\n"
        ))
    };
    told(&templates(10_000), "more than 32 templates");
    let reading = templates(31).read().reading;
    assert!(reading.bench.is_some(), "{:?}", reading.diagnostics);
    told(&templates(32), "more than 32 templates");
    // Itself.
    told(&Memory::of("bench.include = [\"bench.toml\"]\n"), "bench.toml");
    told(&Memory::of("[templates.a]\ntemplate = \"a\"\n[sources.s]\ntemplate = \"a\"\n"), "a");
}

#[test]
fn files_that_are_large_together_are_refused_together() {
    let mut memory = Memory::of("bench.include = [\"lab/*.toml\"]\n");
    let text: Arc<str> = "#".repeat(document::LONGEST).into();
    for n in 0..10 {
        memory.files.insert(format!("lab/{n}.toml"), text.clone());
    }
    let reading = memory.read().reading;
    let found = reading.diagnostics.iter().find(|it| it.message.contains("64 MiB"));
    assert!(found.is_some(), "{:?}", reading.diagnostics.first());
}

#[test]
fn variables_that_hold_much_come_to_an_end() {
    let mut memory = Memory::of(&format!("bench.name = \"{}\"\n", "${A}".repeat(100_000)));
    memory.variables.insert("A".to_owned(), "x".repeat(100_000));
    let reading = memory.read();
    let told = |reading: &LayeredReading| {
        assert!(reading.reading.bench.is_none());
        let found = reading.reading.diagnostics.iter().find(|it| it.code == "too_large");
        found.unwrap_or_else(|| panic!("{:?}", reading.reading.diagnostics.first())).clone()
    };
    let finding = told(&reading);
    assert_eq!((&*finding.path, finding.span.line), ("bench.name", 1));
    // The same out of secrets, each of which remembers the text that it stands in.
    let text = repeated(20_000, |_| "${secret:S}".to_owned());
    memory.files.insert("bench.toml".to_owned(), format!("bench.name = \"{text}\"\n").into());
    memory.variables.insert("S".to_owned(), "hunter".to_owned());
    told(&memory.read());
    // One variable in many texts, and many components of one template.
    let many = |each: &dyn Fn(usize) -> String| Memory {
        files: BTreeMap::from([("bench.toml".to_owned(), repeated(5_000, each).into())]),
        variables: memory.variables.clone(),
    };
    told(&many(&|n| format!("[sources.s{n}]\nlabel = \"${{A}}\"\n")).read());
    told(&many(&|n| format!("[modules.m.a{n}]\nlabel = \"${{A}}\"\n")).read());
    let long = "x".repeat(100_000);
    let template = format!("[templates.t]\nlabel = \"{long}\"\n");
    told(
        &many(&|n| match n {
            0 => template.clone(),
            n => format!("[sources.s{n}]\ntemplate = \"t\"\n"),
        })
        .read(),
    );
    told(
        &many(&|n| match n {
            0 => format!(
                "[sources.s]\ntemplate = \"t\"\nwith = {{ a = \"{long}\" }}\n[templates.t]\n"
            ),
            n => format!("label{n} = \"$(a)\"\n"),
        })
        .read(),
    );
}

#[test]
fn a_long_name_is_not_repeated_in_thousands_of_findings() {
    let keys = repeated(20_000, |n| format!("k{n} = 1\n"));
    let text = format!("[instruments.{}]\n{keys}", "i".repeat(4_000_000));
    let reading = check::read("bench.toml", &text, &Types);
    let told: usize = reading.diagnostics.iter().map(|it| it.path.len() + it.message.len()).sum();
    assert!(told < 10_000_000, "{told} bytes");
    let finding = errors(&reading.diagnostics)[0];
    assert!(finding.message.contains("4000000 bytes long; a key may have 256"), "{finding}");
    let longest = "i".repeat(document::LONGEST_KEY);
    assert!(Document::parse(&format!("[a.{longest}]\n")).is_ok());
    assert!(Document::parse(&format!("[a.{longest}i]\n")).is_err());
    let put = |name: String| {
        let path = setpoint_bench::KeyPath::new(["a".to_owned(), name]);
        apply("", &[Edit { path, value: Some(Value::Int(1)) }]).map_err(|error| error.to_string())
    };
    assert!(put(longest.clone()).is_ok());
    let error = put(longest + "i").unwrap_err();
    assert_eq!(error, "a name in the key is 257 bytes long; a key may have 256");
}

#[test]
fn what_repeats_itself_in_yaml_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..60 {
        let all = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{all}]\n"));
    }
    bomb.push_str("instruments:\n  psu: *a59\n");
    let error = migrate("x.yaml", &bomb, &Types).unwrap_err().to_string();
    assert!(error.len() < 1_000 && error.contains("YAML"), "{error}");
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "a: {".repeat(100_000)] {
        let text = format!("instruments: {text}");
        let error = migrate("x.yaml", &text, &Types).unwrap_err().to_string();
        assert!(error.len() < 1_000, "{} bytes", error.len());
    }
    let error = migrate("x.json", &"{\"a\":".repeat(100_000), &Types).unwrap_err().to_string();
    assert!(error.len() < 1_000, "{} bytes", error.len());
}

#[test]
fn lines_are_told_apart_in_time_in_proportion() {
    let differ = |(old, now): &(String, String)| {
        assert!(!unified(old, now, 3).is_empty());
        assert!(!side_by_side(old, now, 3).is_empty());
    };
    let lines = |count: usize, from: usize| repeated(count, |n| format!("line {}\n", n * 7 + from));
    grows("lines that all differ", 2_000, |n| (lines(n, 0), lines(n, 1)), differ);
    grows("one line with long words", 20_000, |n| ("a".repeat(n), "b".repeat(n)), differ);
    grows("one line with many words", 10_000, |n| ("a b ".repeat(n), "b c ".repeat(n)), differ);
    grows(
        "the same lines in another order",
        1_000,
        |n| {
            let turned: Vec<String> = (0..n).rev().map(|n| format!("line {n}\n")).collect();
            (repeated(n, |n| format!("line {n}\n")), turned.concat())
        },
        differ,
    );
    grows(
        "lines that are all the same",
        2_000,
        |n| ("x\n".repeat(n), "x\n".repeat(n / 2 + 1)),
        differ,
    );
}

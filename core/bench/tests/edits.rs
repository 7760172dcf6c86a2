//! Edits of random files: what was asked for is there, everything else keeps its bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use proptest::prelude::*;
use setpoint_bench::{ChangeKind, Document, Edit, KeyPath, Value, apply, diff, value::Table};

/// Keys that a random file may have.
const KEYS: &[&str] = &[
    "format",
    "bench.name",
    "runtime.quiet",
    "runtime.log_level",
    "instruments.a.type",
    "instruments.a.address",
    "instruments.a.label",
    "instruments.a.wire.gap",
    "instruments.a.wire.baud",
    "instruments.a.limits.ch1.voltage",
    "instruments.a.set.ch1.voltage",
    "instruments.a.set.ch1.output",
    "instruments.a.set.ch2.voltage",
    "instruments.a.set.ch2.output",
    "instruments.b.type",
    "instruments.b.enabled",
    "instruments.b.set.alarm",
    "instruments.b.set.loop.setpoint",
    "instruments.\"odd id\".type",
    "instruments.\"odd id\".set.\"x y\".z",
    "sources.s.type",
    "sources.s.pattern",
    "sources.t.type",
    "modules.m.type",
    "modules.m.roles.one",
    "modules.m.roles.two",
    "extra.unknown.deep.key",
];

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (-1_000_i64..1_000).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        (-100_000_i32..100_000).prop_map(|number| Value::Float(f64::from(number) / 1_000.0)),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        "[a-z#'\"\\\\ =\\[\\]{},.\nµ]{0,8}".prop_map(Value::String),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => plain(),
        1 => prop::collection::vec(plain(), 0..4).prop_map(Value::Array),
    ]
}

/// The values of a random file.
fn bench() -> impl Strategy<Value = Table> {
    prop::collection::vec(prop::option::weighted(0.6, leaf()), KEYS.len()).prop_map(|leaves| {
        let mut top = Table::new();
        for (path, value) in KEYS.iter().zip(leaves) {
            let Some(value) = value else { continue };
            let path: KeyPath = path.parse().unwrap();
            let (last, above) = path.names().split_last().unwrap();
            let mut table = &mut top;
            for name in above {
                let next = table.get_or_insert_with(name, || Table::new().into_value());
                let Value::Table(next) = next else { panic!("{path}") };
                table = next;
            }
            table.insert(last.clone(), value);
        }
        top
    })
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Table {
    fn into_value(self) -> Value {
        Value::Table(self)
    }
}

/// One line of a written file, and the key it is about; none for comments and headers.
struct Written {
    text: String,
    key: Option<KeyPath>,
}

/// Writes values in a style that `dice` chooses table by table, with comments all over.
struct Writer<'d> {
    lines: Vec<Written>,
    dice: &'d [u8],
    thrown: usize,
}

impl Writer<'_> {
    fn throw(&mut self, sides: u8) -> u8 {
        self.thrown += 1;
        self.dice[self.thrown % self.dice.len()] % sides
    }

    fn line(&mut self, text: String, key: Option<KeyPath>) {
        self.lines.push(Written { text, key });
    }

    /// A comment of its own; its number tells it from all others.
    fn remark(&mut self) {
        if self.throw(3) == 0 {
            let number = self.lines.len();
            self.line(format!("# remark {number}"), None);
        }
    }

    fn key(&mut self, above: &KeyPath, dotted: &KeyPath, value: &Value) {
        let path = KeyPath::new(above.names().iter().chain(dotted.names()).cloned());
        let comment = match self.throw(3) {
            0 => String::new(),
            1 => format!(" # {}", self.lines.len()),
            _ => format!("     # {}", self.lines.len()),
        };
        let equals = if self.throw(4) == 0 { "=" } else { " = " };
        self.line(format!("{dotted}{equals}{value}{comment}"), Some(path));
        self.remark();
    }

    /// Everything below a table as dotted keys.
    fn dotted(&mut self, above: &KeyPath, dotted: &KeyPath, table: &Table) {
        for (name, value) in table {
            match value {
                Value::Table(inner) if !inner.is_empty() => {
                    self.dotted(above, &dotted.child(name), inner);
                }
                _ => self.key(above, &dotted.child(name), value),
            }
        }
    }

    fn table(&mut self, path: &KeyPath, table: &Table) {
        let (below, plain): (Vec<_>, Vec<_>) =
            table.iter().partition(|(_, value)| matches!(value, Value::Table(_)));
        let mut with_headers = Vec::new();
        let only_headers = plain.is_empty() && self.throw(2) == 0;
        if !path.is_empty() && !only_headers {
            self.line(String::new(), None);
            self.line(format!("[{path}]"), None);
        }
        for (name, value) in plain {
            self.key(path, &KeyPath::new([name]), value);
        }
        for (name, value) in below {
            let inner = value.as_table().unwrap();
            let style = if path.is_empty() || only_headers { 3 } else { self.throw(4) };
            match style {
                0 => self.key(path, &KeyPath::new([name]), value),
                1 => self.dotted(path, &KeyPath::new([name]), inner),
                _ => with_headers.push((name, inner)),
            }
        }
        for (name, inner) in with_headers {
            self.remark();
            self.table(&path.child(name), inner);
        }
    }
}

fn written(values: &Table, dice: &[u8]) -> (String, Vec<Written>) {
    let mut writer = Writer { lines: Vec::new(), dice, thrown: 0 };
    writer.remark();
    writer.table(&KeyPath::default(), values);
    let end = if writer.throw(3) == 0 { "\r\n" } else { "\n" };
    let mark = if writer.throw(3) == 0 { "\u{feff}" } else { "" };
    let mut text = mark.to_owned();
    for line in &writer.lines {
        text.push_str(&line.text);
        text.push_str(end);
    }
    if writer.throw(3) == 0 {
        text.truncate(text.trim_end().len());
    }
    (text, writer.lines)
}

fn values(text: &str) -> Value {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).into_values()
}

/// The edits that make one set of values of another.
fn edits(old: &Value, new: &Value) -> Vec<Edit> {
    diff(old, new)
        .into_iter()
        .map(|change| Edit {
            path: change.path,
            value: change.new.filter(|_| change.kind != ChangeKind::Removed),
        })
        .collect()
}

fn concerns(edit: &Edit, key: &KeyPath) -> bool {
    edit.path.starts_with(key) || key.starts_with(&edit.path)
}

/// Lines that no edit is about, in order, with their ends.
fn check_kept(lines: &[Written], before: &str, after: &str, edits: &[Edit]) {
    let mut rest = after.lines();
    for line in lines.iter().filter(|line| !line.text.is_empty() && !line.text.starts_with('[')) {
        if line.key.as_ref().is_some_and(|key| edits.iter().any(|edit| concerns(edit, key))) {
            continue;
        }
        // Text with a line end in it makes several lines.
        for piece in line.text.lines() {
            let found = rest.any(|candidate| candidate.trim_start_matches('\u{feff}') == piece);
            assert!(found, "“{piece}” is gone or moved\n{before}\n---\n{after}");
        }
    }
    assert_eq!(before.starts_with('\u{feff}'), after.starts_with('\u{feff}'));
    if before.contains("\r\n") {
        assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{after:?}");
    }
    if !before.is_empty() && !after.trim_start_matches('\u{feff}').is_empty() {
        assert_eq!(before.ends_with('\n'), after.ends_with('\n'), "{before:?}\n{after:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_from_itself(values in bench(), dice in prop::collection::vec(any::<u8>(), 64)) {
        let (text, _) = written(&values, &dice);
        let read = self::values(&text);
        prop_assert_eq!(diff(&Value::Table(values), &read), []);
        prop_assert_eq!(diff(&read, &read), []);
        prop_assert_eq!(apply(&text, &edits(&read, &read)).unwrap(), text);
    }

    #[test]
    fn one_edit_concerns_one_key(
        old in bench(),
        dice in prop::collection::vec(any::<u8>(), 64),
        which in any::<prop::sample::Index>(),
        value in prop::option::of(leaf()),
    ) {
        let (text, lines) = written(&old, &dice);
        let path: KeyPath = KEYS[which.index(KEYS.len())].parse().unwrap();
        let edits = [Edit { path: path.clone(), value: value.clone() }];
        let there = Document::parse(&text).unwrap().find(&path).is_some();
        match apply(&text, &edits) {
            Err(error) => prop_assert!(value.is_none() && !there, "{error}\n{text}"),
            Ok(after) => {
                let document = Document::parse(&after).unwrap();
                match (value, document.find(&path)) {
                    (Some(value), Some((found, _))) => prop_assert!(found.means(&value)),
                    (None, None) => {}
                    (value, found) => prop_assert!(false, "{value:?} {found:?}"),
                }
                check_kept(&lines, &text, &after, &edits);
            }
        }
    }

    #[test]
    fn the_difference_of_two_files_makes_one_of_the_other(
        old in bench(),
        new in bench(),
        dice in prop::collection::vec(any::<u8>(), 64),
    ) {
        let (text, lines) = written(&old, &dice);
        let (old, new) = (values(&text), Value::Table(new));
        let edits = edits(&old, &new);
        let after = apply(&text, &edits).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(diff(&values(&after), &new), []);
        check_kept(&lines, &text, &after, &edits);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z=\\[\\]{}\"'#.,0-9\\\\\r\n\u{feff}ü ]{0,200}") {
        let reading = setpoint_bench::read("bench.toml", &text, &Nothing);
        for finding in &reading.diagnostics {
            let lines = text.split('\n').count() as u32;
            prop_assert!(finding.span.line >= 1 && finding.span.end_line <= lines);
            prop_assert!(finding.span.column >= 1);
        }
        if let Ok(document) = Document::parse(&text) {
            prop_assert_eq!(diff(document.values(), document.values()), []);
        }
    }
}

struct Nothing;

impl setpoint_bench::Catalogue for Nothing {
    fn types(&self) -> Vec<String> {
        Vec::new()
    }

    fn parameters(&self, _: &str) -> Option<Vec<setpoint_bench::ParameterFacts>> {
        None
    }
}

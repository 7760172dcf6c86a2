//! Random benches, changed at random, and their texts.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use setpoint_bench::{Change, Document, Edit, KeyPath, Value, apply, diff, value::Table};

/// Keys that a random bench may have. One of them may be a value or a table.
const KEYS: &[&str] = &[
    "format",
    "bench.name",
    "bench.include",
    "runtime.quiet",
    "instruments.a.type",
    "instruments.a.address",
    "instruments.a.enabled",
    "instruments.a.wire.gap",
    "instruments.a.wire.baud",
    "instruments.a.limits.ch1.voltage",
    "instruments.a.set.ch1.voltage",
    "instruments.a.set.ch1.output",
    "instruments.a.set.ch2.voltage",
    "instruments.b.type",
    "instruments.b.set.alarm",
    "instruments.\"odd id\".set.\"x y\".z",
    "sources.s.type",
    "sources.s.framerate",
    "sources.t.type",
    "modules.m.type",
    "modules.m.roles.one",
    "modules.m.roles.two",
    "templates.small.type",
    "templates.small.wire.gap",
    "extra.unknown",
    "extra.unknown.deep.key",
    "extra.unknown.deep.other",
];

/// What becomes of each key.
type Wishes = Vec<Option<Value>>;

/// Few values, so that two people often mean the same.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0_i64..3).prop_map(Value::Int),
        prop::sample::select(vec![0.5, 1.0, 2.0]).prop_map(Value::Float),
        "[ab#]{0,2}".prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        prop::collection::vec((0_i64..2).prop_map(Value::Int), 0..3).prop_map(Value::Array),
    ]
}

fn wishes() -> impl Strategy<Value = Wishes> {
    prop::collection::vec(prop::option::weighted(0.6, leaf()), KEYS.len())
}

/// A bench as someone else leaves it: most keys as they were.
fn changed() -> impl Strategy<Value = Vec<Option<Option<Value>>>> {
    let key = prop_oneof![4 => Just(None), 1 => prop::option::of(leaf()).prop_map(Some)];
    prop::collection::vec(key, KEYS.len())
}

fn table(wishes: &Wishes) -> Table {
    let mut top = Table::new();
    for (path, value) in KEYS.iter().zip(wishes) {
        let path: KeyPath = path.parse().unwrap();
        if let Some(value) = value {
            put(&mut top, path.names(), value);
        }
    }
    top
}

/// The first of two keys that cannot both be there stays.
fn put(table: &mut Table, names: &[String], value: &Value) {
    let (name, rest) = names.split_first().unwrap();
    let mut next = match table.get(name.as_str()) {
        Some(Value::Table(next)) if !rest.is_empty() => next.clone(),
        Some(_) => return,
        None => Table::new(),
    };
    let value = if rest.is_empty() {
        value.clone()
    } else {
        put(&mut next, rest, value);
        Value::Table(next)
    };
    table.insert(name.as_str(), value);
}

/// Any bench.
pub fn bench() -> impl Strategy<Value = Value> {
    wishes().prop_map(|wishes| Value::Table(table(&wishes)))
}

/// A bench, and two others that come from it.
pub fn three() -> impl Strategy<Value = [Value; 3]> {
    (wishes(), changed(), changed()).prop_map(|(base, a, b)| {
        let apply = |changes: Vec<Option<Option<Value>>>| -> Wishes {
            changes.into_iter().zip(&base).map(|(new, old)| new.unwrap_or(old.clone())).collect()
        };
        [table(&apply(a)), table(&apply(b)), table(&base)].map(Value::Table)
    })
}

/// The bench as a text, a comment on every line and one before every third.
pub fn text(values: &Value) -> String {
    let edit = Edit { path: KeyPath::default(), value: Some(values.clone()) };
    let plain = apply("", &[edit]).unwrap();
    let line = |(number, line): (usize, &str)| {
        let remark = if number % 3 == 0 { format!("# remark {number}\n") } else { String::new() };
        let gap = if line.is_empty() { "" } else { " " };
        format!("{remark}{line}{gap}# {number}\n")
    };
    plain.lines().enumerate().map(line).collect()
}

/// The text that someone makes of another by changing keys in it.
pub fn edited(text: &str, values: &Value) -> String {
    let changes = diff(document(text).values(), values);
    let edits: Vec<Edit> = changes.iter().map(Change::edit).collect();
    apply(text, &edits).unwrap_or_else(|error| panic!("{error}\n{text}\n{edits:?}"))
}

pub fn document(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// All values that are not tables, by their keys.
pub fn leaves(value: &Value) -> BTreeMap<KeyPath, Value> {
    fn walk(value: &Value, path: &KeyPath, all: &mut BTreeMap<KeyPath, Value>) {
        match value {
            Value::Table(table) => {
                for (name, value) in table {
                    let name: &str = name;
                    walk(value, &path.child(name), all);
                }
            }
            other => {
                all.insert(path.clone(), other.clone());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(value, &KeyPath::default(), &mut all);
    all
}

/// Whether both say the same of a key.
pub fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.means(other),
        _ => false,
    }
}

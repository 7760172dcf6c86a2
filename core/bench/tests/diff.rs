//! What differs between random benches.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "common/random.rs"]
mod random;

use proptest::prelude::*;
use random::{bench, document, leaves, same, text, three};
use setpoint_bench::{
    Change, ChangeKind, Edit, Effect, Value, apply, diff,
    schema::{self, Kind},
};

fn edits(changes: &[Change]) -> Vec<Edit> {
    changes.iter().map(Change::edit).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bench_does_not_differ_from_itself_in_any_order(values in bench()) {
        prop_assert_eq!(diff(&values, &values), []);
        let backwards = reversed(&values);
        prop_assert_eq!(diff(&values, &backwards), []);
    }

    #[test]
    fn a_difference_applied_gives_the_other_bench_and_no_part_of_it_is_spare([a, b, _] in three()) {
        let changes = diff(&a, &b);
        let text = text(&a);
        let after = apply(&text, &edits(&changes)).unwrap();
        prop_assert_eq!(diff(document(&after).values(), &b), []);
        let (old, new) = (leaves(&a), leaves(&b));
        let keys = old.keys().chain(new.keys().filter(|path| !old.contains_key(path)));
        let differing = keys.filter(|path| !same(old.get(path), new.get(path))).count();
        prop_assert!(changes.len() <= differing, "{changes:?}");
        for without in 0..changes.len() {
            let mut some = changes.clone();
            let left_out = some.remove(without);
            let after = apply(&text, &edits(&some)).unwrap();
            prop_assert!(!diff(document(&after).values(), &b).is_empty(), "{left_out:?} is spare");
        }
    }

    #[test]
    fn every_effect_is_the_schemas([a, b, _] in three()) {
        for change in diff(&a, &b) {
            let key = schema::covering(&change.path).key;
            let own = key.map_or(Effect::None, |key| key.effect);
            let by_switch = matches!(key.map(|key| key.kind), Some(Kind::Instrument | Kind::Source))
                || own == Effect::Connect;
            let allowed = change.effect == own
                || change.effect == Effect::None
                || (by_switch && matches!(
                    change.effect, Effect::Connect | Effect::Disconnect | Effect::Restart
                ));
            prop_assert!(allowed, "{change:?}");
            match change.kind {
                ChangeKind::Added => prop_assert!(change.old.is_none() && change.new.is_some()),
                ChangeKind::Removed => prop_assert!(change.old.is_some() && change.new.is_none()),
                ChangeKind::Changed => prop_assert!(!same(change.old.as_ref(), change.new.as_ref())),
            }
        }
    }
}

fn reversed(value: &Value) -> Value {
    match value.as_table() {
        None => value.clone(),
        Some(table) => {
            let mut all: Vec<_> =
                table.iter().map(|(name, value)| (name, reversed(value))).collect();
            all.reverse();
            Value::Table(all.into_iter().collect())
        }
    }
}

/// Kind and path of each change.
fn changes(old: &str, new: &str) -> Vec<String> {
    diff(document(old).values(), document(new).values())
        .iter()
        .map(|change| format!("{:?} {}", change.kind, change.path))
        .collect()
}

#[test]
fn a_rename_is_one_removal_and_one_addition() {
    let module = |name: &str| format!("[modules.{name}]\ntype = 'recorder'\nroles.what = ['a']\n");
    assert_eq!(
        changes(&module("log"), &module("tape")),
        ["Removed modules.log", "Added modules.tape"]
    );
    assert_eq!(
        changes("[rtsp]\nport = 1\n", "[rtsp]\nprot = 1\n"),
        ["Removed rtsp.port", "Added rtsp.prot"]
    );
    assert_eq!(changes("[x.y]\na = 1\n", "[x.z]\na = 1\n"), ["Removed x.y.a", "Added x.z.a"]);
}

#[test]
fn tables_of_any_name_differ_key_by_key() {
    let old =
        "[modules.m]\nroles = { one = 'a', two = 'b' }\n[x]\na = { b = 1, c = 2 }\nd = [1, 2]\n";
    let new = "[modules.m]\nroles = { two = 'c', one = 'a' }\n[x]\na = { c = 3 }\nd = [2, 1]\n";
    assert_eq!(
        changes(old, new),
        ["Changed modules.m.roles.two", "Removed x.a.b", "Changed x.a.c", "Changed x.d"]
    );
    // A table in the place of a value is one change, a table without keys is none.
    assert_eq!(changes("a = 1\n", "[a]\nb = 1\nc = 2\n"), ["Changed a"]);
    assert_eq!(changes("[a]\n", ""), Vec::<String>::new());
}

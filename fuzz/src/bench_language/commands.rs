//! What the commands do with one text, whatever is in it: none of it may panic.

use std::sync::Arc;

use setpoint_bench::{
    BenchText, Document, Edit, KeyPath, TextEdit, Value, apply, apply_with, check, diff,
    diff::{side_by_side, unified},
    edit::{Options, Spot},
    layers::{Surroundings, Unreadable, read_layers},
    merge, migrate,
};

use super::Types;

/// One file and no variables.
struct Alone<'t>(&'t str);

impl Surroundings for Alone<'_> {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        if name == "bench.toml" { Ok(self.0.into()) } else { Err(Unreadable::Missing) }
    }

    fn matching(&self, _pattern: &str) -> Result<Vec<String>, Unreadable> {
        Ok(vec!["bench.toml".to_owned()])
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// `check`: the three ways of reading a bench find the same.
pub fn read(text: &str) {
    let reading = check::read("bench.toml", text, &Types);
    for finding in &reading.diagnostics {
        assert!(finding.span.line >= 1 || finding.span == Default::default(), "{finding:?}");
    }
    let pieces = BenchText::read("bench.toml", text.into(), &Types);
    assert!(pieces.proven(&Types), "not the same in pieces:\n{text}");
    let layered = read_layers("bench.toml", &Alone(text), None, &Types).reading;
    if let (Some(one), Some(other)) = (&reading.bench, &layered.bench) {
        // Names of includes, templates and variables are the layers' own to judge.
        assert_eq!(one, other, "not the same in layers:\n{text}");
    }
}

/// A text that becomes another and goes back: what is read again is what reading the whole gives.
pub fn again(old: &str, now: &str) {
    let before = BenchText::read("bench.toml", old.into(), &Types);
    let after = before.again(now.into(), &Types);
    assert!(after.proven(&Types), "{now:?} after {old:?}");
    let back = after.again(old.into(), &Types);
    assert!(back.proven(&Types), "{old:?} after {now:?}");
}

/// `diff`: of a text with itself nothing, with another both texts come out whole.
pub fn differ(old: &str, now: &str) {
    let lines = |text: &str| text.split_inclusive('\n').count();
    let rows = side_by_side(old, now, usize::MAX);
    let count = |side: fn(&diff::Row) -> bool| rows.iter().filter(|row| side(row)).count();
    let left = count(|row| matches!(row, diff::Row::Same(..) | diff::Row::Differs(Some(_), _)));
    let right = count(|row| matches!(row, diff::Row::Same(..) | diff::Row::Differs(_, Some(_))));
    assert_eq!((left, right), (lines(old), lines(now)), "{old:?} {now:?}");
    let _ = unified(old, now, 3);
    let values = |text: &str| Document::recover(text).into_values();
    let (old, now) = (values(old), values(now));
    assert!(setpoint_bench::diff(&old, &old).is_empty(), "{old} differs from itself");
    let _ = setpoint_bench::diff(&old, &now);
}

/// `set` and the panel's edits.
pub fn edits(text: &str) {
    let path = |path: &str| path.parse::<KeyPath>().unwrap_or_default();
    let put = |at: &str, value| Edit { path: path(at), value };
    let _ = apply(text, &[put("instruments.a.set.x", Some(Value::Float(1.5)))]);
    let document = Document::recover(text);
    let first = document.values().as_table().and_then(|top| top.keys().next());
    let Some(first) = first else { return };
    let first = KeyPath::new([first]);
    for edit in [
        TextEdit::remove(first.clone()),
        TextEdit::set(first.clone(), Value::Int(7)),
        TextEdit::rename(first.clone(), "other name"),
        TextEdit::Move { path: first, to: Spot::Into(path("elsewhere")) },
    ] {
        for annotate in [None, Some("2026-01-31T12:00:00Z")] {
            let edits = [edit.clone()];
            let Ok(edited) = apply_with(text, &edits, &Options { annotate }) else { continue };
            assert!(Document::parse(&edited).is_ok(), "{edit:?} of {text:?} gives {edited:?}");
        }
    }
}

/// `merge`: nobody's change into this text, and this text into another.
pub fn merged(text: &str, other: &str) {
    let (Ok(one), Ok(two)) = (Document::parse(text), Document::parse(other)) else { return };
    let merged = merge(one.values(), &one, one.values());
    assert_eq!(merged.map(|merged| merged.text).as_deref(), Ok(text));
    let empty = Value::Table(Default::default());
    for base in [&empty, one.values()] {
        let _ = merge(base, &one, two.values());
        let _ = merge(base, &two, one.values());
    }
}

/// `migrate`: what comes out needs no migration.
pub fn migrated(file: &str, text: &str) {
    let Ok(migration) = migrate(file, text, &Types) else { return };
    let again = migrate("bench.toml", &migration.text, &Types);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{}\nof\n{text}", migration.text));
    assert_eq!(again.text, migration.text, "of\n{text}");
    assert!(again.notes.is_empty(), "{:?} of\n{text}", again.notes);
}

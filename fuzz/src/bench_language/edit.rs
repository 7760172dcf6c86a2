//! Edits of a text, against the same edits of its values.

use setpoint_bench::{
    Document, Edit, EditError, KeyPath, TextEdit, Value, apply_with,
    edit::{Options, Spot},
    value::Table,
};

use super::{PART, leaves, number_of, parts, plain, same};

/// A text, a line `=====`, and an edit on each line: `path = value`, `- path`, `path -> name`,
/// `path >> table`, `path < name`, `path > name`. What comes out is TOML and says what was asked
/// for, with remarks and without; an edit that was made already changes nothing; around one
/// changed value every byte stays.
pub fn edit(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else { return };
    let parts = parts(input);
    let text = parts.first().map_or("", |(_, text)| text);
    let text = if parts.len() > 1 { text.strip_suffix(PART).unwrap_or(text) } else { text };
    let Ok(document) = Document::parse(text) else { return };
    let lines = parts.get(1).map_or("", |(_, lines)| lines).lines().take(8);
    let mut edits: Vec<TextEdit> = lines.filter_map(parse).collect();
    if edits.is_empty() {
        let all = leaves(document.values(), document.root());
        let Some((path, ..)) = all.get(number_of(data) % all.len().max(1)) else { return };
        edits.push(TextEdit::remove(path.clone()));
    }
    for annotate in [None, Some("2026-01-31T12:00:00Z")] {
        let options = Options { annotate };
        let edited = match apply_with(text, &edits, &options) {
            Ok(edited) => edited,
            Err(EditError::NotProven { path }) => {
                panic!("{path} cannot be edited: {edits:?}\n{text}")
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return;
            }
        };
        let found = Document::parse(&edited);
        let found = found.unwrap_or_else(|error| panic!("{error}\n{edits:?}\n{edited}"));
        let mut expected = document.values().clone();
        edits.iter().for_each(|edit| change(&mut expected, edit));
        assert!(
            plain(found.values()).means(&plain(&expected)) || has_nan(&expected),
            "{}\nis not\n{expected}\n{edits:?}\n{edited}",
            found.values()
        );
        if let [TextEdit::Put(Edit { path, value: Some(value) })] = edits.as_slice() {
            let again = apply_with(&edited, &edits, &options);
            assert_eq!(again.as_deref(), Ok(&*edited), "{edits:?}, done twice");
            if annotate.is_none() {
                around(&document, path, value, &edited);
            }
        }
    }
}

/// One line of edits.
fn parse(line: &str) -> Option<TextEdit> {
    if let Some(path) = line.strip_prefix("- ") {
        return Some(TextEdit::remove(path.parse().ok()?));
    }
    for (sign, make) in [
        (" -> ", rename as fn(KeyPath, &str) -> Option<TextEdit>),
        (" >> ", |path, to| Some(TextEdit::Move { path, to: Spot::Into(to.parse().ok()?) })),
        (" < ", |path, to| Some(TextEdit::Move { path, to: Spot::Before(to.to_owned()) })),
        (" > ", |path, to| Some(TextEdit::Move { path, to: Spot::After(to.to_owned()) })),
    ] {
        if let Some((path, rest)) = line.split_once(sign) {
            return make(path.parse().ok()?, rest);
        }
    }
    let (path, value) = line.split_once(" = ")?;
    let document = Document::parse(&format!("x = {value}")).ok()?;
    let value = document.values().as_table()?.get("x")?.clone();
    Some(TextEdit::set(path.parse().ok()?, value))
}

fn rename(path: KeyPath, name: &str) -> Option<TextEdit> {
    Some(TextEdit::rename(path, name))
}

/// The same edit of the values.
fn change(values: &mut Value, edit: &TextEdit) {
    match edit {
        TextEdit::Put(edit) => put(values, edit.path.names(), edit.value.as_ref()),
        TextEdit::Rename { path, name } => {
            let to = path.parent().unwrap_or_default().child(name);
            moved(values, path, &to);
        }
        TextEdit::Move { path, to: Spot::Into(table) } => {
            moved(values, path, &table.child(path.last().unwrap_or_default()));
        }
        // Order is not compared.
        TextEdit::Move { .. } => {}
    }
}

fn moved(values: &mut Value, from: &KeyPath, to: &KeyPath) {
    let value = values.get(from).cloned();
    put(values, from.names(), None);
    put(values, to.names(), value.as_ref());
}

fn put(into: &mut Value, names: &[String], value: Option<&Value>) {
    let Some((name, rest)) = names.split_first() else {
        *into = value.cloned().unwrap_or(Value::Table(Table::new()));
        return;
    };
    let Value::Table(table) = into else { return };
    match (rest, value) {
        ([], None) => drop(table.shift_remove(name)),
        ([], Some(value)) => drop(table.insert(name.clone(), value.clone())),
        (rest, Some(value)) => {
            let next = table.get_or_insert_with(name, || Value::Table(Table::new()));
            put(next, rest, Some(value));
        }
        (rest, None) => {
            if let Some(next) = table.get_mut(name) {
                put(next, rest, None);
            }
        }
    }
}

/// No `nan` means another.
fn has_nan(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::Array(items) => items.iter().any(has_nan),
        Value::Table(table) => table.values().any(has_nan),
        _ => false,
    }
}

/// Where a plain value takes the place of a plain value, what is before and behind it stays.
fn around(document: &Document, path: &KeyPath, value: &Value, edited: &str) {
    let is_plain = |value: &Value| !matches!(value, Value::Table(_) | Value::Array(_));
    let Some((old, place)) = document.find(path) else { return };
    if !is_plain(old) || !is_plain(value) {
        return;
    }
    let text = document.text();
    if same(old, value) {
        assert_eq!(edited, text);
    }
    assert!(edited.starts_with(&text[..place.span.start]), "{path} = {value}\n{edited}");
    // Remarks behind values stay in their column.
    let end = text[place.span.end..].trim_start_matches([' ', '\t']);
    assert!(edited.ends_with(end), "{path} = {value}\n{edited}");
}

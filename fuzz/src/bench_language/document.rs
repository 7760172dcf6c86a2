//! One text, read, cut into pieces and edited.

use setpoint_bench::{BenchText, Document, Edit, Value};

use super::{Types, commands, leaves, number_of, oracle, same};

/// A text: agrees with `toml_edit`; has a place for every key; means the same in pieces, also
/// after a change; an edit of one value changes the bytes of that value.
pub fn document(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let document = Document::recover(text);
    assert_eq!(document.text(), text);
    oracle::agrees(&document);
    oracle::places(&document);
    commands::read(text);
    let number = number_of(data);
    for changed in changed(text, number) {
        commands::again(text, &changed);
    }
    if !document.errors().is_empty() {
        return;
    }
    printed(&document);
    edited(&document, number);
    commands::migrated("bench.toml", text);
}

/// The text without one line, with one line twice, and with one line behind the end.
fn changed(text: &str, number: usize) -> [String; 3] {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (before, rest) = lines.split_at(number % (lines.len() + 1));
    let (line, after) = rest.split_at(rest.len().min(1));
    [[before, after].concat(), [before, line, line, after].concat(), [before, after, line].concat()]
        .map(|lines| lines.concat())
}

/// What a value prints as is read back as the same.
fn printed(document: &Document) {
    let values = document.values();
    let text = format!("value = {values}");
    // In one more table than before.
    let Ok(again) = Document::parse(&text) else {
        assert!(text.len() > 100, "{text}");
        return;
    };
    let back = again.values().as_table().and_then(|top| top.get("value"));
    assert!(back.is_some_and(|back| same(back, values)), "{text}\n{values}");
}

/// Another value for one key: the bytes around it stay, and what is read then is proven.
fn edited(document: &Document, number: usize) {
    let all = leaves(document.values(), document.root());
    let Some((path, old, place)) = all.get(number % all.len().max(1)) else { return };
    let value = match old {
        Value::Bool(switch) => Value::Bool(!switch),
        Value::Int(number) => Value::Int(number.wrapping_add(1)),
        Value::Float(number) if *number == 2.5 => Value::Float(-1.0),
        Value::Float(_) => Value::Float(2.5),
        Value::String(text) => Value::String(format!("{text}\"'\n#")),
        Value::Array(items) => Value::Array(items.iter().skip(1).cloned().collect()),
        Value::Table(_) => return,
    };
    let before = BenchText::read("bench.toml", document.text().into(), &Types);
    let edit = Edit { path: path.clone(), value: Some(value.clone()) };
    let after = match before.edited(&[edit], &Types) {
        Ok(after) => after,
        Err(error) => panic!("{path} = {value}: {error}\n{}", document.text()),
    };
    assert!(after.proven(&Types));
    let text = after.text();
    let found = Document::parse(text).unwrap();
    let found = found.find(path).map(|(value, _)| value);
    assert!(found.is_some_and(|found| found.means(&value)), "{path} = {value}\n{text}");
    if !matches!(old, Value::Array(_)) {
        let (start, end) = document.text().split_at(place.span.start);
        assert!(text.starts_with(start), "{path} = {value}\n{text}");
        // Remarks behind values stay in their column.
        let end = end[place.span.len()..].trim_start_matches([' ', '\t']);
        assert!(text.ends_with(end), "{path} = {value}\n{text}");
    }
}

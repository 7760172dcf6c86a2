//! `toml_edit`, which reads the same language by itself.

use setpoint_bench::{Document, Value, document::Form, document::Place, value::Table};
use toml_edit::{Item, TableLike};

/// What `toml_edit` reads in a text.
///
/// # Errors
/// Its words for what is wrong.
pub fn read(text: &str) -> Result<Value, String> {
    let document: toml_edit::Document<&str> =
        toml_edit::Document::parse(text).map_err(|error| error.to_string())?;
    Ok(table(document.as_table()))
}

/// Both read a text or both refuse it, with the same values in the same order; except for what is
/// nested more deeply than one of them goes.
pub fn agrees(document: &Document) {
    let text = document.text();
    let oracle = read(text);
    let too_deep = |message: &str| {
        let limits = ["nested too deeply", "recursion limit", "a key may have"];
        limits.iter().any(|limit| message.contains(limit))
    };
    let told: Vec<String> = document.errors().iter().map(ToString::to_string).collect();
    if told.iter().any(|message| too_deep(message)) {
        return;
    }
    match oracle {
        Ok(values) => {
            assert!(told.is_empty(), "refused, but it is TOML: {told:?}\n{text}");
            let found = document.values();
            assert!(same(found, &values, document.root()), "{found}\nis not\n{values}\nof\n{text}");
        }
        Err(message) if too_deep(&message) => {}
        Err(message) => assert!(!told.is_empty(), "read, but it is no TOML: {message}\n{text}"),
    }
}

/// Whether `toml_edit` read the same, keys in the same order. A table that has its header behind
/// one of its sub-tables stands there for `toml_edit`, and here where its name came first.
fn same(found: &Value, oracle: &Value, place: &Place) -> bool {
    match (found, oracle) {
        (Value::Table(found), Value::Table(oracle)) => {
            let late: Vec<&str> = found
                .keys()
                .zip(&place.parts)
                .filter(|(_, place)| {
                    let first = place.parts.iter().map(|part| part.span.start).min();
                    place.form == Form::Headed && first.is_some_and(|it| it < place.span.start)
                })
                .map(|(name, _)| name)
                .collect();
            let in_order = |name: &&str| !late.contains(name);
            found.len() == oracle.len()
                && found.keys().filter(in_order).eq(oracle.keys().filter(in_order))
                && found.iter().zip(&place.parts).all(|((name, found), place)| {
                    oracle.get(name).is_some_and(|oracle| same(found, oracle, place))
                })
        }
        (Value::Array(found), Value::Array(oracle)) => {
            let pairs = found.iter().zip(oracle).zip(&place.parts);
            let mut pairs = pairs.map(|((found, oracle), place)| same(found, oracle, place));
            found.len() == oracle.len() && pairs.all(|same| same)
        }
        (found, oracle) => super::same(found, oracle),
    }
}

/// Every place is in the text and between characters, and there is one for every value.
pub fn places(document: &Document) {
    let cut = |place: &Place| {
        let text = document.text();
        assert!(text.get(place.span.clone()).is_some(), "{place:?} of {text:?}");
        if let Some(key) = &place.key {
            assert!(!text[key.clone()].is_empty(), "{place:?}");
        }
    };
    fn walk(value: &Value, place: &Place, cut: &dyn Fn(&Place)) {
        cut(place);
        let count = match value {
            Value::Table(table) => table.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        assert_eq!(place.parts.len(), count, "{place:?}");
        match value {
            Value::Table(table) => {
                table.values().zip(&place.parts).for_each(|(value, place)| walk(value, place, cut));
            }
            Value::Array(items) => {
                items.iter().zip(&place.parts).for_each(|(value, place)| walk(value, place, cut));
            }
            Value::String(text) if place.form == Form::Date => {
                assert!(text.parse::<toml_edit::Datetime>().is_ok(), "{text}");
            }
            _ => {}
        }
    }
    walk(document.values(), document.root(), &cut);
    let mut last = 0;
    for error in document.errors() {
        assert!(document.text().get(error.bytes.clone()).is_some(), "{error:?}");
        assert!(error.bytes.start >= last && !error.message.is_empty(), "{error:?}");
        last = error.bytes.start;
    }
}

fn table(table: &dyn TableLike) -> Value {
    let entries = table.iter().filter_map(|(name, item)| Some((name.to_owned(), value(item)?)));
    Value::Table(entries.collect::<Table>())
}

fn value(item: &Item) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(plain(value)),
        Item::Table(one) => Some(table(one)),
        Item::ArrayOfTables(list) => {
            Some(Value::Array(list.iter().map(|one| table(one)).collect()))
        }
    }
}

fn plain(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::Int(*number.value()),
        toml_edit::Value::Float(number) => Value::Float(*number.value()),
        toml_edit::Value::Boolean(switch) => Value::Bool(*switch.value()),
        toml_edit::Value::Datetime(date) => Value::String(date.value().to_string()),
        toml_edit::Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        toml_edit::Value::InlineTable(one) => table(one),
    }
}

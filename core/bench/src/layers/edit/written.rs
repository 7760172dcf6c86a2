//! How a file has to write a value for it to come out as it was asked for.
//!
//! One rule, whoever sets a value and however many files the bench has: what is set is what the
//! bench is to say. A text is taken letter by letter, so that `${` in it is written `$${`, which
//! no variable is put into. One thing is a reference: a text with `${secret:NAME}` in it is written
//! as it stands, since that is also how values that hold a secret are shown. Keys that say how
//! layers go together are written as they are; nobody is shown what they come to.

use crate::{
    edit::{Edit, TextEdit},
    layers::{
        expand::{self, Part},
        whole,
    },
    path::KeyPath,
    value::Value,
};

/// Whether a key says how layers go together, and is no value of the bench.
pub(in crate::layers) fn is_about_layers(path: &KeyPath) -> bool {
    let names: Vec<&str> = path.names().iter().map(String::as_str).collect();
    match names.as_slice() {
        ["templates" | "append", ..] | ["bench", "include" | "environment", ..] => true,
        [group, _, "template" | "with", ..] => whole::is_group(group),
        _ => false,
    }
}

/// An edit of a bench as an edit of its text: with values as the file has to write them. What is
/// renamed or moved stays as it is written.
pub fn as_written(edit: &TextEdit) -> TextEdit {
    match edit {
        TextEdit::Put(Edit { path, value: Some(value) }) => {
            TextEdit::Put(Edit { path: path.clone(), value: Some(written(path, value)) })
        }
        other => other.clone(),
    }
}

/// A value as a file has to write it at a key.
pub(in crate::layers) fn written(path: &KeyPath, value: &Value) -> Value {
    if is_about_layers(path) {
        return value.clone();
    }
    match value {
        Value::String(text) if !names_secret(text) => Value::String(expand::escape(text)),
        Value::Array(items) => Value::Array(items.iter().map(|item| written(path, item)).collect()),
        Value::Table(table) => {
            let parts = table.iter();
            let parts = parts.map(|(name, value)| {
                (name.to_owned(), written(&path.child(name.to_owned()), value))
            });
            Value::Table(parts.collect())
        }
        plain => plain.clone(),
    }
}

/// Whether a text asks for a secret.
fn names_secret(text: &str) -> bool {
    expand::parts(text, false).iter().any(|(part, _)| matches!(part, Part::Secret(_)))
}

/// The keys in a value, itself included, that ask for a secret; of a list, the list.
pub(in crate::layers) fn asking_for_secrets(
    path: &KeyPath,
    value: &Value,
    found: &mut Vec<KeyPath>,
) {
    fn asks(value: &Value) -> bool {
        match value {
            Value::String(text) => names_secret(text),
            Value::Array(items) => items.iter().any(asks),
            Value::Table(table) => table.values().any(asks),
            _ => false,
        }
    }
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                asking_for_secrets(&path.child(name.to_owned()), value, found);
            }
        }
        value if asks(value) => found.push(path.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_letter_by_letter_and_only_a_secret_is_a_reference() {
        for (path, value, expected) in [
            ("bench.name", "\"${X}\"", "\"$${X}\""),
            ("bench.name", "\"$${X}\"", "\"$$${X}\""),
            ("bench.name", "\"5 $\"", "\"5 $\""),
            ("rtsp.token", "\"${secret:T}\"", "\"${secret:T}\""),
            ("rtsp.token", "\"a${secret:T}${X}\"", "\"a${secret:T}${X}\""),
            ("rtsp.token", "\"$${secret:T}\"", "\"$$${secret:T}\""),
            ("modules.m.roles.what", "[\"${X}\", \"b\"]", "[\"$${X}\", \"b\"]"),
            ("templates.t.address", "\"tcp://${HOST}\"", "\"tcp://${HOST}\""),
            (
                "instruments.a",
                "{ name = \"${X}\", with = { n = \"${X}\" } }",
                "{ name = \"$${X}\", with = { n = \"${X}\" } }",
            ),
        ] {
            let document = crate::Document::parse(&format!("v = {value}")).unwrap();
            let value = document.values().as_table().unwrap()["v"].clone();
            assert_eq!(written(&path.parse().unwrap(), &value).to_string(), expected, "{path}");
        }
    }
}

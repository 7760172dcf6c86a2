//! Values of keys that are secret by themselves, as they may be shown.

use super::expand::{self, Part};
use crate::{path::KeyPath, schema, value::Value};

/// What stands for a value that is kept from view.
const HIDDEN: &str = "•••";

/// A value with dots in place of what stands at keys that the schema marks as secret; what only
/// says where the secret is to be found (`${secret:TOKEN}`) may be seen.
pub fn quiet(path: &KeyPath, value: &Value) -> Value {
    if let Value::Table(table) = value {
        let parts = table
            .iter()
            .map(|(name, value)| (name.to_owned(), quiet(&path.child(name.to_owned()), value)));
        return Value::Table(parts.collect());
    }
    let secret = schema::at(path).and_then(|node| node.key).is_some_and(|key| key.secret);
    if !secret || is_reference(value) { value.clone() } else { HIDDEN.into() }
}

/// Whether a value tells nothing but where it comes from.
fn is_reference(value: &Value) -> bool {
    let refers =
        |part: &Part<'_>| matches!(part, Part::Secret(_) | Part::Variable { default: None, .. });
    match value {
        Value::String(text) => expand::parts(text, false).iter().all(|(part, _)| refers(part)),
        Value::Array(items) => items.iter().all(is_reference),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_dots_and_references_are_not() {
        for (path, value, expected) in [
            ("rtsp.token", "\"hunter2\"", "\"•••\""),
            ("rtsp.token", "\"\"", "\"\""),
            ("rtsp.token", "1234", "\"•••\""),
            ("rtsp.token", "[\"hunter2\"]", "\"•••\""),
            ("rtsp.token", "\"${secret:T}\"", "\"${secret:T}\""),
            ("rtsp.token", "\"${T}\"", "\"${T}\""),
            ("rtsp.token", "\"${T:-hunter2}\"", "\"•••\""),
            ("rtsp.token", "\"${secret:T}hunter2\"", "\"•••\""),
            ("rtsp", "{ token = \"hunter2\", port = 1 }", "{ token = \"•••\", port = 1 }"),
            ("bench.name", "\"hunter2\"", "\"hunter2\""),
        ] {
            let document = crate::Document::parse(&format!("v = {value}")).unwrap();
            let value = &document.values().as_table().unwrap()["v"];
            assert_eq!(quiet(&path.parse().unwrap(), value).to_string(), expected, "{path}");
        }
    }
}

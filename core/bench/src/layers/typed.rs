//! Variables are text; keys want numbers and switches too.

use crate::{
    catalogue::{Catalogue, ParameterKind},
    document::Document,
    schema::{self, Kind},
    value::Value,
};

/// The value that a variable's text means for a key. Text that is not what the key wants stays
/// text, and the check says what is wrong with it. `driver` is the type of the instrument that
/// the key belongs to, where there is one.
pub(super) fn typed(
    text: &str,
    path: &[&str],
    driver: Option<&str>,
    catalogue: &dyn Catalogue,
) -> Value {
    let mut node = schema::root();
    for (depth, name) in path.iter().enumerate() {
        match node.child(name) {
            Some(child) => node = child,
            None => {
                let below = path.get(depth..).unwrap_or_default();
                return open(text, node.kind(), below, driver, catalogue);
            }
        }
    }
    match node.kind() {
        Kind::Whole(..) | Kind::Format | Kind::Framerate => whole(text),
        Kind::Switch => switch(text),
        Kind::Texts
        | Kind::Files
        | Kind::Actions
        | Kind::Paths
        | Kind::Role
        | Kind::Roles
        | Kind::Template
        | Kind::With
        | Kind::Group
        | Kind::Line
        | Kind::Named(_)
        | Kind::Instrument
        | Kind::Source
        | Kind::Module
        | Kind::Setpoints
        | Kind::Limits => literal(text),
        _ => None,
    }
    .unwrap_or_else(|| text.into())
}

/// A key that the schema does not list by its name.
fn open(
    text: &str,
    above: Kind,
    below: &[&str],
    driver: Option<&str>,
    catalogue: &dyn Catalogue,
) -> Value {
    let value = match above {
        Kind::Setpoints => {
            let parameter = below.join(".");
            let kind = driver
                .and_then(|driver| catalogue.parameters(driver))
                .and_then(|all| all.into_iter().find(|facts| facts.name == parameter))
                .map(|facts| facts.kind);
            match kind {
                Some(ParameterKind::Float) => number(text),
                Some(ParameterKind::Int) => whole(text),
                Some(ParameterKind::Bool) => switch(text),
                Some(ParameterKind::Enum | ParameterKind::String) | None => None,
            }
        }
        Kind::Limits | Kind::Module => literal(text),
        _ => None,
    };
    value.unwrap_or_else(|| text.into())
}

fn whole(text: &str) -> Option<Value> {
    text.trim().parse::<i64>().ok().map(Value::Int)
}

fn number(text: &str) -> Option<Value> {
    whole(text).or_else(|| text.trim().parse::<f64>().ok().map(Value::Float))
}

fn switch(text: &str) -> Option<Value> {
    match text.trim() {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ => None,
    }
}

/// What a bench file would take this for, if it is anything but a text without quotes.
fn literal(text: &str) -> Option<Value> {
    let one_line = !text.contains(['\n', '\r']);
    let document = one_line.then(|| Document::parse(&format!("value = {text}")).ok()).flatten()?;
    let values = document.into_values();
    let table = values.as_table().filter(|table| table.len() == 1)?;
    table.get("value").cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ParameterFacts;

    struct One;

    impl Catalogue for One {
        fn types(&self) -> Vec<String> {
            vec!["one".to_owned()]
        }

        fn parameters(&self, _: &str) -> Option<Vec<ParameterFacts>> {
            let facts = |name: &str, kind| ParameterFacts {
                name: name.to_owned(),
                kind,
                unit: None,
                range: None,
                choices: Vec::new(),
                settable: true,
                hazard: None,
            };
            Some(vec![
                facts("ch1.voltage", ParameterKind::Float),
                facts("count", ParameterKind::Int),
                facts("on", ParameterKind::Bool),
                facts("name", ParameterKind::String),
            ])
        }
    }

    #[test]
    fn text_becomes_what_the_key_wants() {
        let list = |items: &[f64]| Value::Array(items.iter().map(|item| (*item).into()).collect());
        for (path, text, expected) in [
            ("rtsp.port", "8555", 8555.into()),
            ("rtsp.port", "many", "many".into()),
            ("rtsp.address", "1", "1".into()),
            ("sources.a.preview", "false", false.into()),
            ("sources.a.framerate", "30", 30.into()),
            ("sources.a.framerate", "30000/1001", "30000/1001".into()),
            ("instruments.a.set.ch1.voltage", "3.30", 3.3.into()),
            ("instruments.a.set.count", "3.3", "3.3".into()),
            ("instruments.a.set.on", "true", true.into()),
            ("instruments.a.set.name", "7", "7".into()),
            ("instruments.a.set.other", "7", "7".into()),
            ("instruments.a.limits.ch1.voltage", "[0.0, 3.6]", list(&[0.0, 3.6])),
            ("instruments.a.label", "true", "true".into()),
            ("modules.log.every", "1s", "1s".into()),
            ("modules.log.count", "3", 3.into()),
            ("modules.log.count", "3\nx = 4", "3\nx = 4".into()),
            ("unknown", "3", "3".into()),
        ] {
            let path: Vec<&str> = path.split('.').collect();
            assert_eq!(typed(text, &path, Some("one"), &One), expected, "{path:?}");
        }
    }
}

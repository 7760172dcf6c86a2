//! The schema of one value.

use serde_json::{Map, Value, json};

use super::object;
use crate::schema::{FRAMES, Kind, MODULE_TYPES, SOURCE_TYPES, pattern};

/// The schema of values of a kind, told from the kind alone.
pub(super) fn leaf(kind: Kind) -> Map<String, Value> {
    let text = || object([("type", "string".into())]);
    let matching = |pattern: &str| {
        let pattern = pattern::or_reference(pattern);
        object([("type", "string".into()), ("pattern", pattern.into())])
    };
    let texts = || object([("type", "array".into()), ("items", json!({"type": "string"}))]);
    match kind {
        Kind::Text | Kind::Driver | Kind::TemplateName | Kind::Condition => text(),
        Kind::Texts | Kind::Files | Kind::Actions => texts(),
        Kind::Paths => {
            let path = format!("^{}$", pattern::path());
            object([
                ("type", "array".into()),
                ("items", json!({"type": "string", "pattern": path})),
            ])
        }
        Kind::Role => {
            object([("type", json!(["string", "array"])), ("items", json!({"type": "string"}))])
        }
        Kind::Choice(words) => one_of(words.iter().copied()),
        Kind::SourceType => one_of(SOURCE_TYPES.iter().copied()),
        Kind::ModuleType => one_of(MODULE_TYPES.iter().copied()),
        Kind::Whole(least, greatest) => object([
            ("type", "integer".into()),
            ("minimum", least.into()),
            ("maximum", greatest.into()),
        ]),
        Kind::Format => object([("type", "integer".into()), ("enum", json!([1]))]),
        Kind::Switch => object([("type", "boolean".into())]),
        Kind::Duration(..) => matching(pattern::DURATION),
        Kind::DurationOrOff(..) => matching(&format!("off|{}", pattern::DURATION)),
        Kind::Address => matching(&pattern::address()),
        Kind::MountPoint => matching(pattern::MOUNT_POINT),
        Kind::Resolution => matching(&pattern::resolution()),
        Kind::Framerate => {
            let (least, greatest) = FRAMES;
            let mut schema = matching(pattern::FRACTION);
            schema.extend(object([
                ("type", json!(["integer", "string"])),
                ("minimum", least.into()),
                ("maximum", greatest.into()),
            ]));
            schema
        }
        Kind::Group
        | Kind::Line
        | Kind::Named(_)
        | Kind::Instrument
        | Kind::Source
        | Kind::Module
        | Kind::Template
        | Kind::With
        | Kind::Roles
        | Kind::Setpoints
        | Kind::Limits => object([("type", "object".into())]),
    }
}

/// One of a few words, or a reference to one; any text if there are no words.
pub(super) fn one_of<S: Into<Value>>(words: impl IntoIterator<Item = S>) -> Map<String, Value> {
    let words: Vec<Value> = words.into_iter().map(Into::into).collect();
    if words.is_empty() {
        return object([("type", "string".into())]);
    }
    let reference = json!({"pattern": pattern::REFERENCE});
    object([("type", "string".into()), ("anyOf", json!([{"enum": words}, reference]))])
}

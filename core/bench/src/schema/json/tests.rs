//! The schema and the check agree, as far as a schema can say what the check knows.

#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

use jsonschema::Validator;
use proptest::{prelude::*, test_runner::TestRunner};

use super::{Writer, schema};
use crate::{
    check::allowed,
    document::Document,
    schema::{KEYS, Key, Kind, at},
    value::Value,
};

fn leaves() -> Vec<&'static Key> {
    let is_leaf = |key: &&Key| {
        let table = serde_json::json!({});
        !super::leaf::leaf(key.kind).get("type").is_some_and(|kind| *kind == "object")
            && !leaf_accepts(key.kind, &table)
    };
    KEYS.iter().filter(is_leaf).collect()
}

fn leaf_accepts(kind: Kind, value: &serde_json::Value) -> bool {
    let schema = serde_json::Value::Object(super::leaf::leaf(kind));
    jsonschema::validator_for(&schema).unwrap().is_valid(value)
}

/// The part of the schema for one key.
fn validator(key: &Key) -> Validator {
    let path = key.path.replace('*', "name").parse().unwrap();
    let schema = Writer { catalogue: None, whole: true }.node(at(&path).unwrap());
    jsonschema::validator_for(&schema).unwrap()
}

/// Whether the schema cannot know better than to take a value that the check refuses.
fn beyond_words(kind: Kind, value: &Value, code: &str) -> bool {
    match (kind, value) {
        // The range of a duration; and more than a hundred years are none.
        (Kind::Duration(..) | Kind::DurationOrOff(..), Value::String(text)) => {
            code == "out_of_range" || text.bytes().filter(u8::is_ascii_digit).count() > 4
        }
        // The range of a fraction, and that both parts fit into 32 bits.
        (Kind::Framerate, Value::String(text)) => text.contains('/'),
        // `1.0` is a whole number in JSON.
        (_, Value::Float(number)) => number.fract() == 0.0,
        // An IPv6 address is more than its characters.
        (Kind::Address, Value::String(text)) => text.contains('['),
        _ => false,
    }
}

fn agree(key: &Key, validator: &Validator, value: &Value) -> Result<(), TestCaseError> {
    let valid = validator.is_valid(&serde_json::to_value(value).unwrap());
    match allowed(key.kind, value) {
        Ok(()) => prop_assert!(valid, "{} = {value} is refused by the schema", key.path),
        Err(problem) => prop_assert!(
            !valid || beyond_words(key.kind, value, problem.code),
            "{} = {value} is taken by the schema: {}",
            key.path,
            problem.message
        ),
    }
    Ok(())
}

/// Texts that are nearly right for a key of a kind, or for another.
fn text(kind: Kind) -> BoxedStrategy<String> {
    let near = match kind {
        Kind::Duration(..) | Kind::DurationOrOff(..) => {
            "[0-9]{0,3}[.]?[0-9]{0,1} ?(us|ms|s|min|h|d|m|off)".boxed()
        }
        Kind::Resolution => "[0-9]{1,5}x[0-9]{1,5}".boxed(),
        Kind::Framerate => "-?[0-9]{1,6}/[0-9]{1,5}".boxed(),
        Kind::Address => prop_oneof![
            "(tcp://|serial://|sim:|usb:)[a-z0-9.:/-]{0,16}",
            "tcp://[a-z]{1,4}:[0-9]{1,6}",
            r"tcp://\[[0-9a-f:]{0,6}\]:1",
        ]
        .boxed(),
        Kind::MountPoint => "/?[a-z._/-]{0,6}".boxed(),
        Kind::Choice(words) => prop::sample::select(words)
            .prop_flat_map(|word| (Just(word), 0..=word.len()))
            .prop_map(|(word, end)| word.chars().take(end).collect())
            .boxed(),
        Kind::SourceType | Kind::ModuleType => {
            let words = ["test_pattern", "camera", "interlock", "recorder", "module"];
            prop::sample::select(words.to_vec()).prop_map(str::to_owned).boxed()
        }
        Kind::Paths => "[a-z\" '.]{0,6}".boxed(),
        _ => "[a-zA-Z ]{0,8}".boxed(),
    };
    prop_oneof![4 => near, 1 => "[a-z/.:0-9x\" -]{0,12}"].boxed()
}

fn value(kind: Kind) -> BoxedStrategy<Value> {
    let one = prop_oneof![
        8 => text(kind).prop_map(Value::String),
        2 => (-2_i64..130).prop_map(Value::Int),
        1 => any::<i32>().prop_map(|number| Value::Int(number.into())),
        1 => (-10.0..200.0).prop_map(Value::Float),
        1 => any::<bool>().prop_map(Value::Bool),
    ]
    .boxed();
    let list = prop::collection::vec(one.clone(), 0..3).prop_map(Value::Array);
    prop_oneof![4 => one, 1 => list].boxed()
}

#[test]
fn a_value_that_checks_is_valid_and_the_other_way_round() {
    for key in leaves() {
        let validator = validator(key);
        let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
        runner.run(&value(key.kind), |value| agree(key, &validator, &value)).unwrap();
    }
}

#[test]
fn values_at_the_edges_agree() {
    let keys = leaves();
    assert!(keys.len() > 30, "{}", keys.len());
    for key in keys {
        let validator = validator(key);
        let mut values: Vec<Value> = vec![
            "".into(),
            "x".into(),
            " 1 ms".into(),
            "5m".into(),
            "5.s".into(),
            ".5s".into(),
            ".s".into(),
            "0016x4096".into(),
            "15x16".into(),
            "16x4097".into(),
            "0/1".into(),
            "1/0".into(),
            "sim:".into(),
            "serial:///".into(),
            "serial:///dev/ü".into(),
            "serial:///dev/\u{7f}".into(),
            "tcp://a:065535".into(),
            "tcp://a:65536".into(),
            "tcp://[::1]:1".into(),
            "a.'b c'.\"d\"".into(),
            "a..b".into(),
            Value::Array(vec!["a.b".into(), "a b".into()]),
            Value::Array(Vec::new()),
            Value::Array(vec![1.into()]),
            Value::Float(2.5),
            Value::Table(crate::value::Table::new()),
        ];
        if let Kind::Whole(least, greatest) = key.kind {
            values.extend([least - 1, least, greatest, greatest + 1].map(Value::Int));
        }
        if let Kind::Choice(words) = key.kind {
            values.extend(words.iter().map(|word| Value::from(*word)));
        }
        values.extend(key.preset.value());
        for value in values {
            agree(key, &validator, &value).unwrap();
        }
        // The layers resolve it before anything else looks at it.
        let text = validator.is_valid(&serde_json::json!("text"));
        let reference = validator.is_valid(&serde_json::json!("${NAME}"));
        let takes_text = matches!(allowed(key.kind, &"text".into()), Ok(()));
        assert_eq!(text, takes_text, "{}", key.path);
        let number = matches!(
            key.kind,
            Kind::Whole(..)
                | Kind::Switch
                | Kind::Format
                | Kind::Texts
                | Kind::Files
                | Kind::Actions
                | Kind::Paths
        );
        assert_eq!(reference, !number, "{}", key.path);
    }
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn a_template_gives_what_is_required_and_types_have_keys_of_their_own() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (text, valid) in [
        ("[instruments.a]\ntemplate = 'x'", true),
        ("[instruments.a]\ntype = 'x'", false),
        ("[modules.a]\ntype = 'recorder'\nroles = {}\nto = 'x'", true),
        ("[modules.a]\ntype = 'recorder'\nroles = {}", false),
        ("[modules.a]\ntype = 'recorder'\ntemplate = 'x'", true),
        ("[modules.a]\ntype = 'recorder'\ntemplate = 'x'\nwhen = 'x'", false),
        ("[templates.a]\nany.thing = 3", true),
        ("[templates.'a b']", false),
    ] {
        let values = serde_json::to_value(Document::parse(text).unwrap().values()).unwrap();
        assert_eq!(validator.is_valid(&values), valid, "{text}");
    }
}

#[test]
fn nothing_has_to_be_in_a_part() {
    struct Nothing;
    impl crate::Catalogue for Nothing {
        fn types(&self) -> Vec<String> {
            Vec::new()
        }
        fn parameters(&self, _: &str) -> Option<Vec<crate::ParameterFacts>> {
            None
        }
    }
    let part = jsonschema::validator_for(&super::part_with(&Nothing)).unwrap();
    let whole = jsonschema::validator_for(&super::schema_with(&Nothing)).unwrap();
    let values = serde_json::json!({"instruments": {"a": {"enabled": false}}});
    assert!(part.is_valid(&values) && !whole.is_valid(&values));
    let wrong = serde_json::json!({"instruments": {"a": {"enable": false}}});
    assert!(!part.is_valid(&wrong));
}

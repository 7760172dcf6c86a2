//! The JSON Schema finds in the files of `testdata/check` what a schema can say of them, at the
//! keys where the check finds it, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use std::{fs, path::Path};

use common::Types;
use setpoint_bench::{
    Diagnostic, Document, KeyPath, Severity, Value, read,
    schema::json::{part_with, schema, schema_with},
};

/// Codes of findings that a schema can say.
const SAID: &[&str] = &[
    "unknown_key",
    "missing_key",
    "wrong_type",
    "not_a_choice",
    "out_of_range",
    "bad_name",
    "bad_address",
    "unknown_type",
    "unknown_parameter",
    "read_only",
    "limit_widens",
];

/// The path of a finding; the top for one about the whole file.
fn path(finding: &Diagnostic) -> KeyPath {
    if finding.path.is_empty() { KeyPath::default() } else { finding.path.parse().unwrap() }
}

/// Whether the schema has to find what the check found.
fn can_be_said(finding: &Diagnostic, values: &Value) -> bool {
    let path = path(finding);
    let from_template = || {
        let owner = path.parent().unwrap_or_default();
        values.get(&owner.child("template")).is_some()
    };
    let told = match (finding.code.as_str(), values.get(&path)) {
        // What stands inside a condition or a setting.
        _ if ["when: ", "then: "].into_iter().any(|key| finding.message.starts_with(key)) => false,
        // The range of a duration or a fraction, and a range that the same file sets.
        ("out_of_range", Some(Value::String(_))) => false,
        ("out_of_range", _) => !finding.message.contains("this file's limits"),
        // It may come with the template.
        ("missing_key", _) => !from_template(),
        // `2.0` is a whole number in JSON.
        ("wrong_type", Some(Value::Float(number))) => number.fract() != 0.0,
        _ => true,
    };
    told && SAID.contains(&finding.code.as_str())
}

/// The names on the way to what the schema does not take.
fn schema_errors(values: &Value) -> Vec<Vec<String>> {
    let validator = jsonschema::validator_for(&schema_with(&Types)).unwrap();
    let values = serde_json::to_value(values).unwrap();
    let names = |pointer: &str| pointer.split('/').skip(1).map(str::to_owned).collect();
    validator.iter_errors(&values).map(|error| names(error.instance_path().as_str())).collect()
}

#[test]
fn schema_and_check_find_the_same_in_every_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/check");
    let (mut good, mut said) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Ok(document) = Document::parse(&text) else { continue };
        let values = document.values();
        let reading = read("bench.toml", &text, &Types);
        let findings: Vec<(Vec<String>, &Diagnostic)> = reading
            .diagnostics
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| (path(finding).names().to_vec(), finding))
            .collect();
        let errors = schema_errors(values);
        let name = file.file_name().unwrap().to_string_lossy();
        for (at, finding) in &findings {
            // What is missing or unknown is found in the table around it; of a parameter's name
            // any part may be the wrong one.
            let of_parameter = ["unknown_parameter", "read_only"].contains(&&*finding.code);
            let around = if of_parameter { 3 } else { at.len().saturating_sub(1) };
            let found = errors.iter().any(|error| {
                at.starts_with(error) && error.len() >= around || error.starts_with(at)
            });
            // It does not look into what has a bad name.
            let below = findings.iter().any(|(name, bad)| {
                bad.code == "bad_name" && at.starts_with(name) && at.len() > name.len()
            });
            if can_be_said(finding, values) && !below {
                assert!(found, "{name}: the schema does not say: {finding}\n{errors:?}");
                said += 1;
            }
        }
        for error in &errors {
            let explained = findings.iter().any(|(at, finding)| {
                // The check does not look at the other keys of a type that it does not know.
                let of_type = ["unknown_type", "unsupported"].contains(&&*finding.code)
                    && at.split_last().is_some_and(|(_, owner)| error.starts_with(owner));
                at.starts_with(error) || error.starts_with(at) || of_type
            });
            assert!(explained, "{name}: the check takes what the schema does not: {error:?}");
        }
        if findings.is_empty() {
            good += 1;
            for schema in [schema(), part_with(&Types)] {
                let validator = jsonschema::validator_for(&schema).unwrap();
                assert!(validator.is_valid(&serde_json::to_value(values).unwrap()), "{name}");
            }
        }
    }
    assert!(good >= 6 && said >= 90, "{good} good files, {said} findings said");
}

#[test]
fn parameters_have_units_ranges_and_words() {
    let schema = schema_with(&Types);
    let rules = &schema["properties"]["instruments"]["patternProperties"];
    let instrument = rules.as_object().unwrap().values().next().unwrap();
    let rules = instrument["then"]["allOf"].as_array().unwrap();
    let of = |driver: &str| {
        let is = |rule: &&serde_json::Value| rule["if"]["properties"]["type"]["const"] == driver;
        &rules.iter().find(is).unwrap()["then"]["properties"]
    };
    let voltage = &of("rigol_dp832")["set"]["properties"]["ch3"]["properties"]["voltage"];
    assert_eq!((&voltage["minimum"], &voltage["maximum"]), (&0.0.into(), &5.0.into()));
    assert_eq!(voltage["description"], "rigol_dp832: in V, 0 to 5.");
    let output = &of("rigol_dp832")["set"]["properties"]["ch1"]["properties"]["output"];
    assert_eq!(output["anyOf"][0]["enum"], serde_json::json!(["off", "on"]));
    assert_eq!(output["description"], "rigol_dp832. Hazard: energises the load.");
    assert_eq!(of("lakeshore_335")["limits"]["properties"]["a"], serde_json::Value::Null);
    // Editors complete from all of them.
    let offered = instrument["properties"]["set"]["anyOf"].as_array().unwrap();
    let loops = |table: &serde_json::Value| table["properties"].get("loop1").is_some();
    assert_eq!(offered.iter().map(loops).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn parts_of_names_may_be_joined_in_quotation_marks() {
    let head = "[instruments.a]\ntype = 'rigol_dp832'\naddress = 'sim:'\n";
    for (line, valid) in [
        ("set.ch1.voltage = 1", true),
        ("set.'ch1.voltage' = 1", true),
        ("set.'ch1.voltage' = 31", false),
        ("set.'ch1xvoltage' = 1", false),
        ("limits.'ch1.voltage' = [0, 1]", true),
        ("limits.ch1.voltage = [0]", false),
        ("limits.ch1.output = [0, 1]", false),
    ] {
        let document = Document::parse(&format!("{head}{line}")).unwrap();
        assert_eq!(schema_errors(document.values()).is_empty(), valid, "{line}");
    }
}

#[test]
fn the_example_in_the_guide_has_no_mistake() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/bench-file.md");
    let guide = fs::read_to_string(guide).unwrap();
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.unwrap_or_else(|| panic!("no example"));
    assert_eq!(read("bench.toml", example, &Types).diagnostics, []);
    assert_eq!(schema_errors(Document::parse(example).unwrap().values()), [[""; 0]; 0]);
}

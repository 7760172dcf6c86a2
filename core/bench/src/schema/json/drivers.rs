//! What may be set on instruments of each type.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{leaf::one_of, object};
use crate::{
    catalogue::{Catalogue, ParameterFacts, ParameterKind},
    schema::pattern,
};

/// One rule for each type of instrument: which parameters its `set` and `limits` may name.
pub(super) fn rules(catalogue: &dyn Catalogue) -> Vec<Value> {
    let rule = |name: String| {
        let parameters = catalogue.parameters(&name)?;
        let settable = || parameters.iter().filter(|facts| facts.settable);
        let ranged = settable()
            .filter(|facts| matches!(facts.kind, ParameterKind::Float | ParameterKind::Int));
        let set = Tree::of(settable().map(|facts| (facts.name.as_str(), setpoint(facts))));
        let limits = Tree::of(ranged.map(|facts| (facts.name.as_str(), limit(facts))));
        Some(json!({
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"properties": {"set": set.schema(), "limits": limits.schema()}},
        }))
    };
    catalogue.types().into_iter().filter_map(rule).collect()
}

fn setpoint(facts: &ParameterFacts) -> Value {
    let mut schema = match facts.kind {
        ParameterKind::Float => number("number", facts),
        ParameterKind::Int => number("integer", facts),
        ParameterKind::Bool => object([("type", "boolean".into())]),
        ParameterKind::String => object([("type", "string".into())]),
        ParameterKind::Enum => one_of(facts.choices.iter().map(String::as_str)),
    };
    describe(&mut schema, facts);
    Value::Object(schema)
}

fn limit(facts: &ParameterFacts) -> Value {
    let mut schema = object([
        ("type", "array".into()),
        ("items", Value::Object(number("number", facts))),
        ("minItems", 2.into()),
        ("maxItems", 2.into()),
    ]);
    describe(&mut schema, facts);
    Value::Object(schema)
}

fn number(kind: &str, facts: &ParameterFacts) -> Map<String, Value> {
    let mut schema = object([("type", kind.into())]);
    if let Some((least, greatest)) = facts.range {
        schema.insert("minimum".to_owned(), least.into());
        schema.insert("maximum".to_owned(), greatest.into());
    }
    schema
}

fn describe(schema: &mut Map<String, Value>, facts: &ParameterFacts) {
    let mut words = Vec::new();
    words.extend(facts.unit.as_ref().map(|unit| format!("In {unit}.")));
    words.extend(facts.hazard.as_ref().map(|hazard| format!("Hazard: {hazard}.")));
    if !words.is_empty() {
        schema.insert("description".to_owned(), words.join(" ").into());
    }
}

/// Parameters by the parts of their names. A file may join parts in quotation marks wherever it
/// likes: `ch1.voltage`, `"ch1.voltage"`.
#[derive(Default)]
struct Tree {
    value: Option<Value>,
    below: BTreeMap<String, Tree>,
}

impl Tree {
    fn of<'n>(parameters: impl Iterator<Item = (&'n str, Value)>) -> Self {
        let mut tree = Self::default();
        for (name, value) in parameters {
            let mut at = &mut tree;
            for part in name.split('.') {
                at = at.below.entry(part.to_owned()).or_default();
            }
            at.value = Some(value);
        }
        tree
    }

    /// The schema of a table of these parameters.
    fn schema(&self) -> Value {
        let properties: Map<String, Value> =
            self.below.iter().map(|(part, tree)| (part.clone(), tree.entry())).collect();
        let mut schema = object([
            ("type", "object".into()),
            ("properties", properties.into()),
            ("additionalProperties", false.into()),
        ]);
        let mut joined = Map::new();
        for (part, tree) in &self.below {
            tree.joined(part, &mut joined);
        }
        if !joined.is_empty() {
            schema.insert("patternProperties".to_owned(), joined.into());
        }
        Value::Object(schema)
    }

    fn entry(&self) -> Value {
        match (&self.value, self.below.is_empty()) {
            (Some(value), true) => value.clone(),
            (Some(value), false) => json!({"anyOf": [value, self.schema()]}),
            (None, _) => self.schema(),
        }
    }

    /// Names of more than one part. As patterns, so that editors do not offer them.
    fn joined(&self, before: &str, found: &mut Map<String, Value>) {
        for (part, tree) in &self.below {
            let name = format!("{before}.{part}");
            found.insert(format!("^{}$", pattern::exactly(&name)), tree.entry());
            tree.joined(&name, found);
        }
    }
}

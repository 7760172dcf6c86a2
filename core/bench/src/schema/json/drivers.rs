//! What may be set on instruments of each type.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{closed, leaf::one_of, obeying, object};
use crate::{
    catalogue::{Catalogue, ParameterFacts, ParameterKind},
    schema::pattern,
};

/// One rule for each type of instrument: which parameters its `set` and `limits` may name.
pub(super) fn rules(catalogue: &dyn Catalogue) -> Vec<Value> {
    let rule = |name: String| {
        let parameters = catalogue.parameters(&name)?;
        let (set, limits) = (table("set", &name, &parameters), table("limits", &name, &parameters));
        Some(json!({
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"properties": {"set": set, "limits": limits}},
        }))
    };
    catalogue.types().into_iter().filter_map(rule).collect()
}

/// The tables of all types, for editors to complete from. Anything is valid under it: which type
/// an instrument has only its rule knows.
pub(super) fn offers(catalogue: &dyn Catalogue, of: &str) -> (String, Value) {
    let tables = catalogue.types().into_iter().filter_map(|name| {
        let parameters = catalogue.parameters(&name)?;
        Some(table(of, &name, &parameters))
    });
    ("anyOf".to_owned(), tables.chain([json!({})]).collect())
}

/// `set` or `limits` of one type.
fn table(of: &str, driver: &str, parameters: &[ParameterFacts]) -> Value {
    let is_number =
        |facts: &&ParameterFacts| matches!(facts.kind, ParameterKind::Float | ParameterKind::Int);
    let settable = parameters.iter().filter(|facts| facts.settable);
    let tree = if of == "limits" {
        Tree::of(settable.filter(is_number).map(|facts| (&*facts.name, limit(facts, driver))))
    } else {
        Tree::of(settable.map(|facts| (&*facts.name, setpoint(facts, driver))))
    };
    tree.schema()
}

fn setpoint(facts: &ParameterFacts, driver: &str) -> Value {
    let mut schema = match facts.kind {
        ParameterKind::Float => number("number", facts),
        ParameterKind::Int => number("integer", facts),
        ParameterKind::Bool => object([("type", "boolean".into())]),
        ParameterKind::String => object([("type", "string".into())]),
        ParameterKind::Enum => one_of(facts.choices.iter().map(String::as_str)),
    };
    schema.insert("description".to_owned(), description(facts, driver).into());
    Value::Object(schema)
}

fn limit(facts: &ParameterFacts, driver: &str) -> Value {
    json!({
        "type": "array",
        "items": number("number", facts),
        "minItems": 2,
        "maxItems": 2,
        "description": description(facts, driver),
    })
}

fn number(kind: &str, facts: &ParameterFacts) -> Map<String, Value> {
    let mut schema = object([("type", kind.into())]);
    if let Some((least, greatest)) = facts.range {
        schema.insert("minimum".to_owned(), least.into());
        schema.insert("maximum".to_owned(), greatest.into());
    }
    schema
}

/// `rigol_dp832: in V, 0 to 30. Hazard: energises the load.`
fn description(facts: &ParameterFacts, driver: &str) -> String {
    let mut words = Vec::new();
    words.extend(facts.unit.as_ref().map(|unit| format!("in {unit}")));
    words.extend(facts.range.map(|(least, greatest)| format!("{least} to {greatest}")));
    let mut text = driver.to_owned();
    if !words.is_empty() {
        text.push_str(&format!(": {}", words.join(", ")));
    }
    text.push('.');
    if let Some(hazard) = &facts.hazard {
        text.push_str(&format!(" Hazard: {hazard}."));
    }
    text
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
        let mut joined = Map::new();
        for (part, tree) in &self.below {
            tree.joined(part, &mut joined);
        }
        let mut rule = closed(self.below.keys(), None);
        rule["patternProperties"] =
            joined.keys().map(|name| (name.clone(), true.into())).collect::<Map<_, _>>().into();
        let mut schema = object([
            ("type", "object".into()),
            ("properties", properties.into()),
            ("patternProperties", joined.into()),
        ]);
        schema.extend(obeying(vec![rule]));
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

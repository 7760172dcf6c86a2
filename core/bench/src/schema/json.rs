//! The table of keys as a JSON Schema, by which editors complete and check a bench file.
//!
//! Draft 2020-12, of which only keywords are used that mean the same since draft 7, as editors for
//! TOML read either. What it cannot say, `setpoint check` says: whether a duration or a fraction
//! is in its range, whether sides are even, which names exist, what is there twice.
//!
//! Taplo takes what it completes and shows from `properties` and `anyOf`, passes over `if`, and
//! overlooks keys beside an `allOf`. So what may be written stands in the former, and rules that
//! only forbid or demand stand behind `"if": true`.

mod drivers;
mod leaf;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::{Key, Kind, Node, PRODUCTION, Preset, pattern, root};
use crate::catalogue::Catalogue;

/// The schema of a bench file, instruments of any type.
pub fn schema() -> Value {
    Writer { catalogue: None, whole: true }.file()
}

/// The schema of a bench file with the instrument types of a catalogue: their names, the
/// parameters that each can be set to, their units, ranges and words.
pub fn schema_with(catalogue: &dyn Catalogue) -> Value {
    Writer { catalogue: Some(catalogue), whole: true }.file()
}

/// The schema of a file that is only a part of a bench, one that is included or laid over another:
/// the same as [`schema_with`], but nothing has to be in it.
pub fn part_with(catalogue: &dyn Catalogue) -> Value {
    Writer { catalogue: Some(catalogue), whole: false }.file()
}

struct Writer<'c> {
    catalogue: Option<&'c dyn Catalogue>,
    /// Whether what is required must be there.
    whole: bool,
}

impl Writer<'_> {
    fn file(&self) -> Value {
        let mut schema = Map::new();
        let draft = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), draft.into());
        schema.insert("title".to_owned(), "Setpoint bench file".into());
        schema.extend(self.table(root()));
        Value::Object(schema)
    }

    fn node(&self, node: &Node) -> Value {
        let mut schema = match node.kind() {
            Kind::Group | Kind::Line | Kind::Instrument | Kind::Source | Kind::Module => {
                self.table(node)
            }
            Kind::Named(_) | Kind::Roles => self.named(node),
            Kind::Driver => leaf::one_of(self.types()),
            Kind::Setpoints | Kind::Limits => {
                let table = if node.kind() == Kind::Limits { "limits" } else { "set" };
                let mut schema = leaf::leaf(node.kind());
                schema.extend(self.catalogue.map(|all| drivers::offers(all, table)));
                schema
            }
            kind => leaf::leaf(kind),
        };
        if let Some(key) = node.key {
            schema.insert("description".to_owned(), description(key).into());
            if let Some(preset) = key.preset.value() {
                schema.insert("default".to_owned(), json!(preset));
            }
        }
        Value::Object(schema)
    }

    /// A table whose keys have names of their own.
    fn table(&self, node: &Node) -> Map<String, Value> {
        let properties: Map<String, Value> =
            node.children().map(|(name, child)| (name.to_owned(), self.node(child))).collect();
        let mut rules = vec![closed(properties.keys(), None)];
        let required = self.required(node, None);
        if !required.is_empty() {
            // What a template gives need not be there again.
            rules.push(if node.child("template").is_some() {
                json!({"if": {"not": {"required": ["template"]}}, "then": {"required": required}})
            } else {
                json!({"required": required})
            });
        }
        rules.extend(self.by_type(node));
        if node.kind() == Kind::Instrument {
            rules.extend(self.catalogue.map(drivers::rules).unwrap_or_default());
        }
        let mut schema = object([("type", "object".into()), ("properties", properties.into())]);
        schema.extend(obeying(rules));
        schema
    }

    /// Names of keys that must be there: in every component, or in those of one type.
    fn required(&self, node: &Node, of: Option<&str>) -> Vec<&'static str> {
        let must = |child: &Node| child.must_be_in(of) && child.only().is_empty() == of.is_none();
        node.children()
            .filter(|(_, child)| self.whole && must(child))
            .map(|(name, _)| name)
            .collect()
    }

    /// What holds for components of one type: keys that they must have, or cannot have.
    fn by_type(&self, node: &Node) -> Vec<Value> {
        let mut types: Vec<&str> = Vec::new();
        for kind in node.children().flat_map(|(_, child)| child.only()) {
            if !types.contains(kind) {
                types.push(kind);
            }
        }
        let mut rules = Vec::new();
        for kind in types {
            let of = json!({"properties": {"type": {"const": kind}}, "required": ["type"]});
            let others: Map<String, Value> = node
                .children()
                .filter(|(_, child)| !child.may_be_in(Some(kind)))
                .map(|(name, _)| (name.to_owned(), never("a key of another type")))
                .collect();
            if !others.is_empty() {
                rules.push(json!({"if": of, "then": {"properties": others}}));
            }
            let required = self.required(node, Some(kind));
            if !required.is_empty() {
                let mut of = of.clone();
                of["not"] = json!({"required": ["template"]});
                rules.push(json!({"if": of, "then": {"required": required}}));
            }
        }
        rules
    }

    /// A table whose keys are named by the author of the file.
    fn named(&self, node: &Node) -> Map<String, Value> {
        let one = node.child("*").map_or(json!({}), |child| self.node(child));
        let mut schema = object([
            ("type", "object".into()),
            ("patternProperties", json!({(pattern::NAME): one})),
        ]);
        schema.extend(obeying(vec![closed([], Some(pattern::NAME))]));
        schema
    }

    fn types(&self) -> Vec<String> {
        self.catalogue.map(Catalogue::types).unwrap_or_default()
    }
}

fn object<const N: usize>(keys: [(&str, Value); N]) -> Map<String, Value> {
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Nothing is valid under it. Messages of editors quote what is in it.
fn never(words: &str) -> Value {
    json!({"not": {"description": words}})
}

/// A table has these keys, and names of this pattern, and no others. `false` for the others would
/// say as much, but then editors mark the whole table and not the key.
fn closed<'n>(names: impl IntoIterator<Item = &'n String>, pattern: Option<&str>) -> Value {
    let names: Map<String, Value> =
        names.into_iter().map(|name| (name.clone(), true.into())).collect();
    let mut rule = json!({"properties": names});
    if let Some(pattern) = pattern {
        rule["patternProperties"] = json!({(pattern): true});
    }
    rule["additionalProperties"] = never(match pattern {
        Some(_) => {
            "a name that does not begin with a letter and go on with letters, digits, _ or -"
        }
        None => "a key that is not known here",
    });
    rule
}

/// Rules that editors obey without offering what is in them.
fn obeying(rules: Vec<Value>) -> [(String, Value); 2] {
    [("if".to_owned(), true.into()), ("then".to_owned(), json!({"allOf": rules}))]
}

/// What an editor shows of a key.
fn description(key: &Key) -> String {
    let mut text = key.about.to_owned();
    let is_table = matches!(key.kind, Kind::Group | Kind::Named(_)) || key.kind.has_header();
    if !is_table {
        text.push_str("\n\nTakes ");
        text.push_str(&key.kind.takes());
        if let Some(unit) = key.unit {
            text.push_str(&format!(" ({unit})"));
        }
        match key.preset {
            Preset::Required => text.push_str("; required"),
            Preset::Absent => {}
            Preset::ByEnvironment { production, elsewhere } => text.push_str(&format!(
                "; default `\"{elsewhere}\"`, in the environment {PRODUCTION} `\"{production}\"`"
            )),
            preset => {
                let value = preset.value().map(|value| value.to_string()).unwrap_or_default();
                text.push_str(&format!("; default `{value}`"));
            }
        }
        text.push('.');
        if key.idle.is_none() {
            text.push_str(&format!(" Changing it {}.", key.effect.words()));
        }
    }
    if let Some(why) = key.idle {
        text.push_str(&format!("\n\nNot acted on: {why}."));
    }
    text
}

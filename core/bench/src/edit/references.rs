//! What names a key that is renamed.

use super::Edit;
use crate::{path::KeyPath, value::Value};

/// Keys of a module that hold expressions over its roles.
const EXPRESSIONS: &[&str] = &["when", "then"];

/// The edits that make everything follow a key that gets another last name:
///
/// - an instrument, source or module: the roles of modules that name it;
/// - a template: the components that are made from it;
/// - a role of a module: the module's expressions.
///
/// They are edits of their own, so that a caller can show them. A role names an instrument, source
/// or module by its id alone: where several of them have the same one, no role is changed.
pub fn references(values: &Value, path: &KeyPath, name: &str) -> Vec<Edit> {
    let mut found = Vec::new();
    match path.names() {
        [group, id] if group == "templates" => {
            let swap = |text: &str| (text == id).then(|| name.to_owned());
            for group in ["instruments", "sources", "modules", "templates"] {
                for (component, value) in tables(values, group) {
                    let path = KeyPath::new([group, component, "template"]);
                    note(&mut found, path, value, "template", &swap);
                }
            }
        }
        [group, id] if matches!(group.as_str(), "instruments" | "sources" | "modules") => {
            let others =
                ["instruments", "sources", "modules"].into_iter().filter(|other| other != group);
            let path_of = |group| KeyPath::new([group, id.as_str()]);
            if others.into_iter().any(|group| values.get(&path_of(group)).is_some()) {
                return found;
            }
            let swap = |text: &str| (text == id).then(|| name.to_owned());
            for (module, value) in tables(values, "modules") {
                let roles = value.as_table().and_then(|table| table.get("roles"));
                let Some(Value::Table(roles)) = roles else { continue };
                for (role, value) in roles {
                    let path = KeyPath::new(["modules", module, "roles"]).child(role);
                    changed(&mut found, path, value, &swap);
                }
            }
        }
        [group, module, roles, role] if group == "modules" && roles == "roles" => {
            let Some(value) = values.get(&KeyPath::new([group, module])) else { return found };
            let swap = |text: &str| renamed(text, role, name);
            for key in EXPRESSIONS {
                let path = KeyPath::new([group.as_str(), module, key]);
                note(&mut found, path, value, key, &swap);
            }
        }
        _ => {}
    }
    found
}

fn tables<'v>(values: &'v Value, group: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    let table = values.as_table().and_then(|top| top.get(group)).and_then(Value::as_table);
    table.into_iter().flat_map(|table| table.iter())
}

fn note(
    found: &mut Vec<Edit>,
    path: KeyPath,
    component: &Value,
    key: &str,
    swap: &impl Fn(&str) -> Option<String>,
) {
    if let Some(value) = component.as_table().and_then(|table| table.get(key)) {
        changed(found, path, value, swap);
    }
}

/// Texts in a value, in lists and in tables below it.
fn changed(
    found: &mut Vec<Edit>,
    path: KeyPath,
    value: &Value,
    swap: &impl Fn(&str) -> Option<String>,
) {
    match value {
        Value::String(text) => {
            let value = swap(text).map(Value::String);
            found.extend(value.map(|value| Edit { path, value: Some(value) }));
        }
        Value::Array(items) => {
            let swapped: Vec<Option<String>> =
                items.iter().map(|item| item.as_str().and_then(swap)).collect();
            if swapped.iter().any(Option::is_some) {
                let items = items.iter().zip(swapped);
                let item = |(item, new): (&Value, Option<String>)| {
                    new.map_or_else(|| item.clone(), Value::String)
                };
                found.push(Edit { path, value: Some(Value::Array(items.map(item).collect())) });
            }
        }
        Value::Table(table) => {
            for (name, value) in table {
                changed(found, path.child(name), value, swap);
            }
        }
        _ => {}
    }
}

/// An expression with another name for a role: `sensor.a.temperature > 3`. Names in quotation
/// marks and names below others are not roles.
fn renamed(expression: &str, role: &str, name: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut text = String::with_capacity(expression.len());
    let mut rest = expression;
    let mut quote: Option<char> = None;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = if quote.is_none() && is_name(c) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else {
            c.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        let is_role = quote.is_none() && before != '.' && word == role && after.starts_with('.');
        text.push_str(if is_role { name } else { word });
        before = c;
        rest = after;
    }
    (text != expression).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    const BENCH: &str = "\
[templates.supply]
type = 'x'
[instruments.psu]
template = 'supply'
[instruments.thermo]
type = 'y'
[modules.trip]
roles = { sensor = 'thermo', trip = 'psu' }
when = \"sensor.a.temperature > 320 and trip.sensor.x == 'sensor.y'\"
then = ['trip.ch1.output = off', 'sensors.x = 1']
[modules.log]
roles.what = ['thermo', 'psu']
roles.more = { append = ['psu'] }
[sources.thermo]
type = 'z'
";

    fn found(path: &str, name: &str) -> Vec<String> {
        let values = Document::parse(BENCH).unwrap().into_values();
        let edits = references(&values, &path.parse().unwrap(), name);
        edits
            .iter()
            .map(|edit| format!("{} = {}", edit.path, edit.value.as_ref().unwrap()))
            .collect()
    }

    #[test]
    fn roles_follow_an_instrument() {
        assert_eq!(
            found("instruments.psu", "bias"),
            [
                "modules.trip.roles.trip = \"bias\"",
                "modules.log.roles.what = [\"thermo\", \"bias\"]",
                "modules.log.roles.more.append = [\"bias\"]",
            ]
        );
        assert_eq!(found("instruments.thermo", "x"), [""; 0], "which of the two is not known");
        assert_eq!(found("instruments.psu.label", "x"), [""; 0]);
    }

    #[test]
    fn components_follow_a_template_and_expressions_a_role() {
        assert_eq!(found("templates.supply", "dp"), ["instruments.psu.template = \"dp\""]);
        assert_eq!(
            found("modules.trip.roles.sensor", "probe"),
            ["modules.trip.when = \"probe.a.temperature > 320 and trip.sensor.x == 'sensor.y'\""]
        );
        assert_eq!(
            found("modules.trip.roles.trip", "t"),
            [
                "modules.trip.when = \"sensor.a.temperature > 320 and t.sensor.x == 'sensor.y'\"",
                "modules.trip.then = [\"t.ch1.output = off\", \"sensors.x = 1\"]",
            ]
        );
    }
}

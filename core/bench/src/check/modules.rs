//! What is asked of one module by itself: its roles, its expressions, the file it writes.

use std::collections::HashMap;

use super::{
    facts::{At, Claim, Deed, Module, Role, Use},
    findings::Problem,
    walk::Walk,
    words,
};
use crate::{
    diagnostic::Severity,
    document::Place,
    expression::{self, ExpressionError, Operand, Reference},
    schema::{Kind, Node},
    value::Value,
};

/// Numbers of a module's roles by their names.
type Roles<'r> = HashMap<&'r str, usize>;

impl<'d> Walk<'d, '_, '_> {
    pub(super) fn module(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        self.keys(node, value, place);
        let Some(table) = value.as_table() else { return };
        let kind = table.get("type").and_then(Value::as_str);
        let what = kind.unwrap_or("module");
        let message = format!("modules are not run by this version: nothing acts on this {what}");
        self.warn(Severity::Warning, place.head(), Problem::new("no_effect", message));

        let part = |name: &str| {
            let (index, _, value) = table.get_full(name)?;
            Some((value, place.parts.get(index)?))
        };
        let mut module = Module { kind: what.into(), ..Module::default() };
        if let Some((roles, place)) = part("roles") {
            module.roles = role_facts(roles, place);
        }
        let names = module.roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
        let roles = names.iter().enumerate().map(|(number, name)| (&**name, number)).collect();
        if let Some((Value::String(text), place)) = part("when") {
            self.under("when", place, |walk| walk.condition(text, place, &mut module, &roles));
        }
        if let Some((Value::Array(items), place)) = part("then") {
            if items.is_empty() {
                let message = "then is empty: this interlock would do nothing";
                let at = place.span.clone();
                self.under("then", place, |walk| {
                    walk.error(at, Problem::new("bad_value", message));
                });
            }
            for (item, place) in items.iter().zip(&place.parts) {
                let Some(text) = item.as_str() else { continue };
                self.under("then", place, |walk| walk.setting(text, place, &mut module, &roles));
            }
        }
        if let Some((Value::String(file), place)) = part("to") {
            self.under("to", place, |walk| walk.inside_folder(file, place));
        }
        // Whoever made a slip in an expression may have meant the role there.
        let clear = !self.slip && part("when").is_some() && part("then").is_some();
        if kind == Some("interlock")
            && clear
            && let Some((Value::Table(roles), place)) = part("roles")
        {
            for ((name, role), place) in roles.keys().zip(&module.roles).zip(&place.parts) {
                if !role.used {
                    let message = format!("role {name} is used neither in `when` nor in `then`");
                    let at = place.head();
                    self.under("roles", place, |walk| {
                        walk.names.push(name);
                        walk.warn(Severity::Warning, at, Problem::new("unused", message));
                        walk.names.pop();
                    });
                }
            }
        }
        self.facts.module = Some(Box::new(module));
    }

    /// `roles`: names of the module's own.
    pub(super) fn roles(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        let (Some(table), Some(child)) = (value.as_table(), node.child("*")) else { return };
        for ((name, value), place) in table.iter().zip(&place.parts) {
            self.origin = place.origin;
            self.names.push(name);
            self.name("a role", place);
            self.entry(child, value, place);
            if child.kind() == Kind::Role && matches!(value, Value::Array(list) if list.is_empty())
            {
                let message = format!("role {name} is filled by nothing; name an instrument");
                self.error(place.span.clone(), Problem::new("bad_value", message));
            }
            self.names.pop();
        }
    }

    /// Looks at a key of the component being looked at.
    fn under(&mut self, key: &'d str, place: &Place, look: impl FnOnce(&mut Self)) {
        let origin = std::mem::replace(&mut self.origin, place.origin);
        self.names.push(key);
        look(self);
        self.names.pop();
        self.origin = origin;
    }

    fn condition(&mut self, text: &str, place: &Place, module: &mut Module, roles: &Roles<'_>) {
        let condition = match expression::condition(text) {
            Ok(condition) => condition,
            Err(error) => return self.bad_expression(text, place, error),
        };
        for comparison in condition.comparisons() {
            let at = self.inside(place, text, comparison.at.clone());
            let what = match &comparison.operand {
                Operand::Value(value) => Deed::Compare(comparison.operator, value.clone()),
                Operand::Parameter(_) => Deed::Read(comparison.operator),
            };
            self.uses((&comparison.parameter, "when"), what, at, (text, place), (module, roles));
            if let Operand::Parameter(other) = &comparison.operand {
                let what = Deed::Read(comparison.operator);
                self.uses((other, "when"), what, at, (text, place), (module, roles));
            }
        }
    }

    fn setting(&mut self, text: &str, place: &Place, module: &mut Module, roles: &Roles<'_>) {
        match expression::setting(text) {
            Ok(setting) => {
                let at = self.inside(place, text, setting.at.clone());
                let what = Deed::Set(setting.value);
                self.uses((&setting.parameter, "then"), what, at, (text, place), (module, roles));
            }
            Err(error) => self.bad_expression(text, place, error),
        }
    }

    fn bad_expression(&mut self, text: &str, place: &Place, error: ExpressionError) {
        let at = self.inside(place, text, error.at);
        let message = format!("{}: {}", self.subject(), error.message);
        self.slip = true;
        self.error(at.bytes(), Problem::new("bad_expression", message));
    }

    fn uses(
        &mut self,
        (reference, key): (&Reference, &'static str),
        what: Deed,
        at: At,
        (text, place): (&str, &Place),
        (module, roles): (&mut Module, &Roles<'_>),
    ) {
        let begin = reference.at.start;
        let Some(role) = roles.get(reference.role.as_str()).copied() else {
            // Who has very many roles is not helped by a search through them for every slip.
            let names = module.roles.iter().map(|role| &*role.name).take(100);
            let meant = words::nearest(&reference.role, names.clone());
            let mut message = format!(
                "{}: this module has no role {}",
                self.subject(),
                words::quoted(&reference.role)
            );
            if meant.is_none() && !module.roles.is_empty() {
                let names: Vec<&str> = names.take(10).collect();
                message.push_str(&format!("; its roles are {}", names.join(", ")));
            }
            let at = self.inside(place, text, begin..begin + reference.role.len());
            let problem = Problem::new("unknown_role", message).suggest(meant);
            self.slip = true;
            return self.error(at.bytes(), problem);
        };
        if let Some(role) = module.roles.get_mut(role) {
            role.used = true;
        }
        let from = begin + reference.role.len() + 1;
        let named = self.inside(place, text, from..reference.at.end);
        let parameter = Claim::new(&reference.parameter, named);
        module.uses.push(Use { role, parameter, key, what, at });
    }

    /// Warns of a file outside the bench's folder.
    pub(super) fn inside_folder(&mut self, file: &str, place: &Place) {
        let drive = file.as_bytes().get(1) == Some(&b':');
        let mut depth = 0_usize;
        let mut outside = file.starts_with(['/', '\\', '~']) || drive;
        for name in file.split(['/', '\\']) {
            match name {
                "" | "." => {}
                ".." if depth == 0 => outside = true,
                ".." => depth -= 1,
                _ => depth += 1,
            }
        }
        if outside {
            let message = format!(
                "{} leads out of the bench's folder: {} goes where other benches and people may \
                 have files",
                self.subject(),
                words::quoted(file)
            );
            let problem = Problem::new("outside_folder", message);
            self.warn(Severity::Warning, place.span.clone(), problem);
        }
    }
}

fn role_facts(roles: &Value, place: &Place) -> Vec<Role> {
    let target = |value: &Value, place: &Place| Some(Claim::new(value.as_str()?, At::value(place)));
    let roles = roles.as_table().into_iter().flatten().zip(&place.parts);
    roles
        .map(|((name, value), place)| {
            let name: &str = name;
            let targets = match value {
                Value::Array(items) => {
                    let items = items.iter().zip(&place.parts);
                    items.filter_map(|(item, place)| target(item, place)).collect()
                }
                _ => target(value, place).into_iter().collect(),
            };
            Role { name: name.into(), targets, used: false }
        })
        .collect()
}

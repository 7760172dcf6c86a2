//! Who plays the roles of modules, and what is compared and set there.

use std::collections::HashMap;

use super::{Between, Parts};
use crate::{
    catalogue::{ParameterFacts, ParameterKind},
    check::{
        component::Name,
        facts::{At, Claim, Deed, Facts, Module, Role, Use},
        findings::{MOST, Problem},
        instruments::{setpoint, switches_on},
        words,
    },
    diagnostic::Severity,
    value::Value,
};

/// Named components: number of the component by kind and name.
pub(super) struct Names<'f>(HashMap<&'f str, Vec<usize>>);

/// Kinds of component that can play a role.
const KINDS: [&str; 3] = ["instruments", "sources", "modules"];

impl<'f> Names<'f> {
    pub(super) fn new(parts: &Parts<'f>) -> Self {
        let mut names: HashMap<&'f str, Vec<usize>> = HashMap::with_capacity(parts.len());
        for (index, (name, _)) in parts.iter().enumerate() {
            if let Some(id) = name.id.filter(|_| KINDS.contains(&name.top)) {
                names.entry(id).or_default().push(index);
            }
        }
        Self(names)
    }

    /// All names, so that every run finds the same of several that are near.
    fn sorted(&self) -> Vec<&'f str> {
        let mut names: Vec<&'f str> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// The components that a target names: one, or several of one name. `instruments.psu` names
    /// one kind, `psu` any.
    pub(super) fn find(&self, parts: &Parts<'f>, target: &str) -> Vec<usize> {
        if let Some(all) = self.0.get(target) {
            return all.clone();
        }
        let Some((kind, id)) = target.split_once('.') else { return Vec::new() };
        let all = self.0.get(id).into_iter().flatten().copied();
        all.filter(|index| parts.get(*index).is_some_and(|(name, _)| name.top == kind)).collect()
    }
}

pub(super) fn check<'f>(parts: &Parts<'f>, names: &Names<'f>, found: &mut Between) {
    // Made for the first name that is not there; long lists are not searched for slips at all.
    let mut known: Option<Vec<&str>> = None;
    let mut searches = 0;
    for (index, (name, facts)) in parts.iter().enumerate() {
        let Some(module) = &facts.module else { continue };
        let mut one = One { parts, index, name: *name, module, found };
        let mut players = Vec::with_capacity(module.roles.len());
        for role in &module.roles {
            let mut filled = Vec::new();
            for target in &role.targets {
                let all = names.find(parts, &target.text);
                match all.as_slice() {
                    [] => {
                        searches += 1;
                        let known = known.get_or_insert_with(|| names.sorted());
                        // Bounded work, whatever the numbers of names and slips are.
                        let near = (known.len().saturating_mul(searches) < 2_000_000)
                            .then(|| words::nearest(&target.text, known.iter().copied()))
                            .flatten();
                        one.unknown(&role.name, target, near);
                    }
                    [only] => filled.extend(one.player(role, target, *only)),
                    [first, second, ..] => one.ambiguous(&role.name, target, *first, *second),
                }
            }
            players.push(filled);
        }
        let all = module.uses.iter().flat_map(|used| {
            players.get(used.role).into_iter().flatten().map(move |player| (used, player))
        });
        all.take(MOST).for_each(|(used, player)| one.used(used, player));
    }
}

/// One module being looked at.
struct One<'f, 'p> {
    parts: &'p Parts<'f>,
    index: usize,
    name: Name<'f>,
    module: &'f Module,
    found: &'p mut Between,
}

impl<'f> One<'f, '_> {
    fn role_path(&self, role: &str) -> (usize, String) {
        (self.index, self.name.path().child("roles").child(role).to_string())
    }

    fn unknown(&mut self, role: &str, target: &Claim, near: Option<String>) {
        let message = format!(
            "role {role} names {}, and there is no instrument, source or module of that name",
            words::quoted(&target.text)
        );
        let about = self.role_path(role);
        let problem = Problem::new("unknown_target", message).suggest(near);
        self.found.add(about, Severity::Error, target.at, problem);
    }

    fn ambiguous(&mut self, role: &str, target: &Claim, first: usize, second: usize) {
        let path = |index: usize| {
            self.parts.get(index).map(|(name, _)| name.path().to_string()).unwrap_or_default()
        };
        let (first, second) = (path(first), path(second));
        let message = format!(
            "role {role} names “{}”, which is {first} and {second}; write which of them is meant",
            target.text
        );
        let about = self.role_path(role);
        let problem = Problem::new("ambiguous_target", message).suggest(Some(first));
        self.found.add(about, Severity::Error, target.at, problem);
    }

    /// The facts of what plays a role, if a module of this type can use it.
    fn player(
        &mut self,
        role: &Role,
        target: &Claim,
        index: usize,
    ) -> Option<(Name<'f>, &'f Facts)> {
        let (name, facts) = *self.parts.get(index)?;
        let (compared, role) = (role.used, &*role.name);
        let kind = &*self.module.kind;
        let wanted = match (kind, name.top) {
            ("interlock", "sources") => "compares and sets parameters, which only instruments have",
            ("interlock", "modules") if compared => {
                "compares and sets parameters, which only instruments have"
            }
            ("recorder", "sources") => "writes readings, which sources do not give",
            _ => {
                self.disabled(role, target, name, facts);
                return Some((name, facts));
            }
        };
        let what = if name.top == "sources" { "a source" } else { "a module" };
        let message = format!(
            "role {role} needs an instrument, and {} is {what}: this {kind} {wanted}",
            target.text
        );
        let about = self.role_path(role);
        self.found.add(about, Severity::Error, target.at, Problem::new("wrong_kind", message));
        None
    }

    fn disabled(&mut self, role: &str, target: &Claim, name: Name<'_>, facts: &Facts) {
        let this = self.parts.get(self.index).map(|(_, facts)| *facts);
        if !facts.disabled || this.is_some_and(|this| this.disabled) {
            return;
        }
        let message = format!(
            "role {role} is filled by {}, which is not run (`enabled = false`): this {} waits for \
             it in vain",
            name.path(),
            self.module.kind
        );
        let about = self.role_path(role);
        self.found.add(
            about,
            Severity::Warning,
            target.at,
            Problem::new("disabled_target", message),
        );
    }

    /// A parameter that is compared or set, held against what plays the role.
    fn used(&mut self, used: &Use, (name, facts): &(Name<'f>, &'f Facts)) {
        let Some(driver) = &facts.driver else { return };
        let about = (self.index, self.name.path().child(used.key).to_string());
        let id = name.id.unwrap_or_default();
        let parameter = &used.parameter.text;
        let Some(known) = driver.parameter(parameter) else {
            let message = format!(
                "{}: {} of {id} has no parameter {}",
                used.key,
                driver.name,
                words::quoted(parameter)
            );
            let near = words::nearest(parameter, driver.names());
            let at = used.parameter.at;
            let problem = Problem::new("unknown_parameter", message).suggest(near);
            self.found.add(about, Severity::Error, at, problem);
            return;
        };
        let mut wrong = |at: At, code: &'static str, message: String, near: Option<String>| {
            let message = format!("{}: {message}", used.key);
            let about = about.clone();
            let problem = Problem::new(code, message).suggest(near);
            self.found.add(about, Severity::Error, at, problem);
        };
        match &used.what {
            Deed::Compare(operator, _) | Deed::Read(operator)
                if operator.orders() && !is_number(known) =>
            {
                let message = format!(
                    "{parameter} of {id} is not a number: it can be compared with = and != only"
                );
                wrong(used.parameter.at, "wrong_type", message, None);
            }
            Deed::Read(_) => {}
            Deed::Compare(_, value) => {
                // A whole number is as good as any for a comparison.
                let kind = match known.kind {
                    ParameterKind::Int => ParameterKind::Float,
                    kind => kind,
                };
                let known = ParameterFacts { kind, ..known.clone() };
                if let Err(problem) = setpoint(value, false, &known, None, &driver.name) {
                    let message = match problem.code {
                        "out_of_range" => format!(
                            "{parameter} of {id} never gets there: {parameter} {}",
                            problem.message
                        ),
                        _ => format!("{parameter} of {id} {}", problem.message),
                    };
                    wrong(used.at, problem.code, message, problem.suggestion);
                }
            }
            Deed::Set(_) if !known.settable => {
                let message = format!("{parameter} of {id} can be read, not set");
                wrong(used.parameter.at, "read_only", message, None);
            }
            Deed::Set(value) => self.set(used, (id, *facts), known, value, &driver.name),
        }
    }

    fn set(
        &mut self,
        used: &Use,
        (id, facts): (&str, &Facts),
        known: &ParameterFacts,
        value: &Value,
        driver: &str,
    ) {
        let about = (self.index, self.name.path().child(used.key).to_string());
        let parameter = &used.parameter.text;
        let limit = facts.limits.iter().find(|(name, _)| **name == **parameter);
        let limit = limit.map(|(_, range)| *range);
        if let Err(problem) = setpoint(value, false, known, limit, driver) {
            let message = format!("{}: {parameter} of {id} {}", used.key, problem.message);
            let problem = Problem::new(problem.code, message).suggest(problem.suggestion);
            self.found.add(about, Severity::Error, used.at, problem);
        } else if let Some(hazard) = &known.hazard
            && switches_on(value)
        {
            let message = format!("{}: {parameter} of {id} is set by itself: {hazard}", used.key);
            self.found.add(about, Severity::Warning, used.at, Problem::new("hazard", message));
        }
    }
}

fn is_number(facts: &ParameterFacts) -> bool {
    matches!(facts.kind, ParameterKind::Float | ParameterKind::Int)
}

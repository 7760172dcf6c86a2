//! Walking a document along the schema.

use std::ops::Range;

use super::{
    allowed::allowed,
    component::{Context, Name},
    facts::{At, Claim, Facts},
    findings::{Finding, Findings, Problem},
    words,
};
use crate::{
    diagnostic::Severity,
    document::{Form, Place},
    path::KeyPath,
    schema::{self, Kind, Node},
    value::Value,
};

/// Everything that is wrong with one component, or worth knowing.
pub(super) fn component(
    name: Name<'_>,
    value: &Value,
    place: &Place,
    context: &mut Context<'_>,
) -> (Findings, Facts) {
    let (findings, facts) = (Findings::default(), Facts::default());
    let names = std::iter::once(name.top).chain(name.id).collect();
    let mut walk = Walk { context, findings, facts, names, origin: place.origin, slip: false };
    let top = schema::root().child(name.top);
    match (top, name.id) {
        (None, _) => walk.unknown(schema::root(), place),
        (Some(node), None) => {
            walk.entry(node, value, place);
            walk.server(value, place);
        }
        (Some(node), Some(_)) => walk.thing(node, value, place),
    }
    (walk.findings, walk.facts)
}

pub(super) struct Walk<'d, 'w, 'c> {
    pub(super) context: &'w mut Context<'c>,
    findings: Findings,
    pub(super) facts: Facts,
    /// The key being looked at.
    pub(super) names: Vec<&'d str>,
    /// The text that it is in.
    pub(super) origin: u16,
    /// Whether an expression of the module being looked at cannot be read.
    pub(super) slip: bool,
}

impl<'d> Walk<'d, '_, '_> {
    /// A table with keys of its own.
    pub(super) fn keys(&mut self, node: &'static Node, value: &'d Value, owner: &'d Place) {
        let Some(table) = value.as_table() else { return };
        let is_type = |value: &&Value| {
            let kind = node.child("type").map(Node::kind);
            kind.is_some_and(|kind| allowed(kind, value).is_ok())
        };
        let kind = table.get("type").filter(is_type).and_then(Value::as_str);
        for ((name, value), place) in table.iter().zip(&owner.parts) {
            self.origin = place.origin;
            self.names.push(name);
            match node.child(name) {
                Some(child) if child.may_be_in(kind) => self.entry(child, value, place),
                Some(child) => self.misplaced(child, kind, place),
                None => self.unknown(node, place),
            }
            self.names.pop();
            self.origin = owner.origin;
        }
        for (name, child) in node.children() {
            if child.must_be_in(kind) && !table.contains_key(name) {
                self.missing(name, owner);
            }
        }
    }

    pub(super) fn entry(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        let kind = node.kind();
        if place.form == Form::Broken {
            return;
        }
        if place.form == Form::Date {
            let message = format!("{} takes no date", self.subject());
            return self.error(place.span.clone(), Problem::new("wrong_type", message));
        }
        if self.environment(value, place) {
            return;
        }
        self.plain_text(value, place, node.key.is_some_and(|key| key.secret));
        if let Err(mut problem) = allowed(kind, value) {
            if node.key.is_some_and(|key| key.secret) {
                problem = without_value(problem, value);
            }
            return self.about_key(place.span.clone(), problem);
        }
        match kind {
            Kind::Group | Kind::Line => self.keys(node, value, place),
            Kind::Instrument => self.instrument(node, value, place),
            Kind::Source => self.source(node, value, place),
            Kind::Module => self.module(node, value, place),
            Kind::Roles => self.roles(node, value, place),
            Kind::Files => self.include(value, place),
            Kind::Paths | Kind::Template | Kind::TemplateName | Kind::With => {
                self.layers(value, place);
            }
            _ => {}
        }
        if let Some(key) = node.key
            && let Some(why) = key.idle
            && kind != Kind::Module
            && !key.preset.value().is_some_and(|preset| preset.means(value))
        {
            let at = if kind == Kind::Group { place.head() } else { place.span.clone() };
            let message = format!("{} has no effect: {why}", self.subject());
            self.warn(Severity::Warning, at, Problem::new("no_effect", message));
        }
    }

    /// One of the things that a table holds by name.
    fn thing(&mut self, node: &'static Node, value: &'d Value, place: &'d Place) {
        let (Kind::Named(what), Some(child)) = (node.kind(), node.child("*")) else { return };
        self.name(what, place);
        self.entry(child, value, place);
        self.common_facts(value, place);
    }

    /// Whether the name of the key being looked at can be one of `what`.
    pub(super) fn name(&mut self, what: &str, place: &Place) {
        let name = self.names.last().copied().unwrap_or_default();
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !good {
            let message = format!(
                "{} cannot be the name of {what}: a name begins with a letter (a to z) and goes \
                 on with letters, digits, “_” or “-”",
                words::quoted(name)
            );
            let at = place.key.clone().unwrap_or(place.span.clone());
            self.error(at, Problem::new("bad_name", message));
        }
    }

    /// What all named components tell of themselves.
    fn common_facts(&mut self, value: &Value, place: &Place) {
        self.facts.head = At::new(place.origin, &place.head());
        let Some(table) = value.as_table() else { return };
        let text = |name: &str| {
            let (index, _, value) = table.get_full(name)?;
            Some(Claim::new(value.as_str()?, At::value(place.parts.get(index)?)))
        };
        self.facts.disabled = matches!(table.get("enabled"), Some(Value::Bool(false)));
        self.facts.label = text("label").filter(|label| !label.text.is_empty());
        self.facts.template = text("template").map(Box::new);
    }

    fn include(&mut self, value: &Value, place: &Place) {
        if !self.context.layered && matches!(value, Value::Array(files) if !files.is_empty()) {
            let message = "this text was read alone: what other files hold is not looked at";
            self.error(place.span.clone(), Problem::new("unsupported", message));
        }
    }

    /// Keys that only mean something where layers are put together.
    fn layers(&mut self, value: &Value, place: &Place) {
        if self.context.layered || matches!(value, Value::Array(paths) if paths.is_empty()) {
            return;
        }
        let message = format!(
            "{} has no effect on a text that was read alone: values of templates, of other files \
             and of variables are not looked at",
            self.subject()
        );
        self.error(place.head(), Problem::new("unsupported", message));
    }

    /// Whether there is a `${NAME}` in a text, which is then an error.
    pub(super) fn environment(&mut self, value: &Value, place: &Place) -> bool {
        // Nearly no text has the first of them, which one look at each byte tells.
        let holds = |text: &str| text.contains('$') && text.contains("${");
        let found = !self.context.layered && value.as_str().is_some_and(holds);
        if found {
            let message = format!(
                "{} holds “${{…}}”, and this text was read alone: values of variables are not \
                 looked at",
                self.subject()
            );
            self.error(place.span.clone(), Problem::new("unsupported", message));
        }
        found
    }

    fn unknown(&mut self, node: &Node, place: &Place) {
        let name = self.names.last().copied().unwrap_or_default();
        let known = || node.children().map(|(name, _)| name);
        let owner = match self.names.split_last() {
            Some((_, [])) | None => "a bench file".to_owned(),
            Some((_, above)) => KeyPath::new(above.iter().copied()).to_string(),
        };
        let mut message = format!("{owner} has no key {}", words::quoted(name));
        let meant = words::nearest(name, known());
        if meant.is_none() {
            let all: Vec<&str> = known().collect();
            message.push_str(&format!("; it may have {}", all.join(", ")));
        }
        let problem = Problem::new("unknown_key", message).suggest(meant);
        self.error(place.key.clone().unwrap_or(place.span.clone()), problem);
    }

    /// A key that components of another type have.
    fn misplaced(&mut self, node: &Node, kind: Option<&str>, place: &Place) {
        let types = words::either(node.only().iter().copied());
        let (kind, name) =
            (words::quoted(kind.unwrap_or_default()), words::quoted(&self.subject()));
        let message = format!("{kind} has no key {name}: it belongs to type {types}");
        let at = place.key.clone().unwrap_or(place.span.clone());
        self.error(at, Problem::new("unknown_key", message));
    }

    fn missing(&mut self, name: &'static str, place: &Place) {
        let owner = KeyPath::new(self.names.iter().copied());
        let message = match (self.names.first().copied(), name) {
            (Some("instruments"), "type") => {
                format!("{owner} has no type: the name of its driver")
            }
            (Some("instruments"), "address") => {
                format!("{owner} has no address: tcp://HOST:PORT, serial:///dev/… or sim:")
            }
            (Some("modules"), "type") => {
                format!(
                    "{owner} has no type: {}",
                    words::either(schema::MODULE_TYPES.iter().copied())
                )
            }
            (Some("sources"), "type") => format!("{owner} has no type, such as \"test_pattern\""),
            _ => format!("{owner} has no key {}", words::quoted(name)),
        };
        let path = owner.child(name).to_string();
        self.add(Severity::Error, place.head(), path, Problem::new("missing_key", message));
    }

    /// The key being looked at, as sentences name it: without the table it is in.
    pub(super) fn subject(&self) -> String {
        self.names.last().copied().unwrap_or_default().to_owned()
    }

    /// A problem whose message goes on from the key's name.
    pub(super) fn about_key(&mut self, bytes: Range<usize>, mut problem: Problem) {
        problem.message = format!("{} {}", self.subject(), problem.message);
        self.error(bytes, problem);
    }

    pub(super) fn error(&mut self, bytes: Range<usize>, problem: Problem) {
        self.warn(Severity::Error, bytes, problem);
    }

    pub(super) fn warn(&mut self, severity: Severity, bytes: Range<usize>, problem: Problem) {
        let path = KeyPath::new(self.names.iter().copied()).to_string();
        self.add(severity, bytes, path, problem);
    }

    fn add(&mut self, severity: Severity, bytes: Range<usize>, path: String, problem: Problem) {
        let Problem { code, message, suggestion } = problem;
        let origin = self.origin;
        self.findings.add(Finding { origin, bytes, severity, code, path, message, suggestion });
    }
}

/// What is wrong with a value that nobody may see.
fn without_value(problem: Problem, value: &Value) -> Problem {
    let message = match (problem.code, value) {
        ("wrong_type", Value::Bool(_)) => "takes text, not true or false".to_owned(),
        ("wrong_type", _) => format!("takes text, not a {}", value.type_name()),
        _ => "does not take the value that is there".to_owned(),
    };
    Problem::new(problem.code, message)
}

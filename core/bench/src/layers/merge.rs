//! Pieces of several layers to one value, with the place of each part.

use std::{collections::HashSet, fmt};

use indexmap::IndexMap;

use super::{
    component::Context,
    expand::{self, Part},
    typed::typed,
};
use crate::{
    check::{Finding, Problem},
    document::{Form, Place},
    path::KeyPath,
    value::{Table, Value},
};

/// What one layer says about one key.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The value as written.
    pub value: &'a Value,
    /// Where; its `origin` tells the layer.
    pub place: &'a Place,
    /// The template that it comes from.
    pub template: Option<&'a str>,
}

/// A value that holds a secret: its path and what the file has in its place.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// The key.
    pub path: KeyPath,
    /// As it is written: `${secret:TOKEN}`.
    pub written: String,
    /// The index of the text where it is written.
    pub(super) origin: u16,
    /// Where.
    pub(super) bytes: std::ops::Range<usize>,
    /// What must not be seen.
    pub(super) value: String,
}

/// Without what must not be seen.
impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, written, .. } = self;
        out.debug_struct("Secret").field("path", path).field("written", written).finish()
    }
}

/// More findings than this in one text help nobody.
const MOST_IN_TEXT: usize = 10;

/// Puts pieces together; one for each component.
pub(super) struct Merge<'a> {
    pub(super) context: &'a Context<'a>,
    /// What the component gives to its template.
    pub(super) with: IndexMap<String, (Value, Place)>,
    /// Secrets in it, by the name below `with`.
    pub(super) with_secrets: Vec<Secret>,
    /// What in it is the text of a variable, of which the key decides what it means.
    pub(super) with_untyped: HashSet<KeyPath>,
    /// The same of this component.
    pub(super) untyped: HashSet<KeyPath>,
    /// The type of the instrument.
    pub(super) driver: Option<String>,
    /// Where the component names its template; findings about placeholders belong there.
    pub(super) user: Option<&'a Place>,
    /// The key being looked at.
    pub(super) names: Vec<&'a str>,
    pub(super) findings: Vec<Finding>,
    pub(super) secrets: Vec<Secret>,
    /// Texts that are not what they are meant to be: their place.
    pub(super) broken: Vec<(u16, std::ops::Range<usize>)>,
    /// Names of variables and secrets that were looked up.
    pub(super) variables: Vec<String>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(context: &'a Context<'a>, names: Vec<&'a str>) -> Self {
        Self {
            context,
            with: IndexMap::new(),
            with_secrets: Vec::new(),
            with_untyped: HashSet::new(),
            untyped: HashSet::new(),
            driver: None,
            user: None,
            names,
            findings: Vec::new(),
            secrets: Vec::new(),
            broken: Vec::new(),
            variables: Vec::new(),
        }
    }

    pub(super) fn path(&self) -> KeyPath {
        KeyPath::new(self.names.iter().copied())
    }

    /// One key of all layers, lower ones first; there is at least one.
    pub(super) fn merge(&mut self, pieces: &[Piece<'a>]) -> Option<(Value, Place)> {
        let (top, below) = pieces.split_last()?;
        let Some(next) = below.last() else { return Some(self.take(*top)) };
        match (top.value, next.value) {
            (Value::Table(_), _) => {
                let is_plain = |piece: &Piece<'_>| !matches!(piece.value, Value::Table(_));
                let start = pieces.iter().rposition(is_plain).map_or(0, |index| index + 1);
                let tables = pieces.get(start..)?;
                if let (Some(plain), Some(table)) =
                    (start.checked_sub(1).and_then(|at| pieces.get(at)), tables.first())
                {
                    self.conflict(plain, table);
                }
                if tables.len() == 1 {
                    Some(self.take(*top))
                } else {
                    Some(self.tables(tables, &[]))
                }
            }
            (_, Value::Table(_)) => {
                self.conflict(next, top);
                Some(self.take(*top))
            }
            (Value::Array(_), Value::Array(_)) if self.appends(top) => {
                let (lower, mut place) = self.merge(below)?;
                let (upper, top) = self.take(*top);
                let (Value::Array(mut items), Value::Array(more)) = (lower, upper) else {
                    return None;
                };
                items.extend(more);
                place.parts.extend(top.parts);
                let Place { origin, key, span, form, .. } = top;
                Some((Value::Array(items), Place { origin, key, span, form, parts: place.parts }))
            }
            _ => Some(self.take(*top)),
        }
    }

    /// Tables of several layers, keys of lower ones first. `without` are keys left out.
    pub(super) fn tables(&mut self, pieces: &[Piece<'a>], without: &[&str]) -> (Value, Place) {
        let mut keys: IndexMap<&'a str, Vec<Piece<'a>>> = IndexMap::new();
        for piece in pieces {
            let Some(table) = piece.value.as_table() else { continue };
            for ((name, value), place) in table.iter().zip(&piece.place.parts) {
                let name: &'a str = name;
                if !without.contains(&name) {
                    let template = piece.template;
                    keys.entry(name).or_default().push(Piece { value, place, template });
                }
            }
        }
        let mut values = Table::with_capacity(keys.len());
        let mut parts = Vec::with_capacity(keys.len());
        for (name, pieces) in keys {
            self.names.push(name);
            if let Some((value, place)) = self.merge(&pieces) {
                values.insert(name.to_owned(), value);
                parts.push(place);
            }
            self.names.pop();
        }
        // What is missing in it is missing where it is first written, not in a template.
        let own = pieces.iter().find(|piece| piece.template.is_none()).or(pieces.first());
        let mut place = own.map_or_else(nowhere, |piece| head(piece.place));
        place.parts = parts;
        (Value::Table(values), place)
    }

    /// The value of one layer, variables put in.
    fn take(&mut self, piece: Piece<'a>) -> (Value, Place) {
        let origin = self.context.origins.get(usize::from(piece.place.origin));
        let is_file = origin.is_none_or(|origin| origin.kind.is_file());
        let plain = origin.is_some_and(|origin| !origin.dollars) || !has_dollar(piece.value);
        if is_file && plain {
            return (piece.value.clone(), piece.place.clone());
        }
        self.rebuild(piece, is_file)
    }

    fn rebuild(&mut self, piece: Piece<'a>, is_file: bool) -> (Value, Place) {
        match piece.value {
            Value::String(text) if is_file => self.expand(text, piece),
            Value::String(text) => {
                let catalogue = self.context.catalogue;
                let value = typed(text, &self.names, self.driver.as_deref(), catalogue);
                let place = fitting(&value, piece.place);
                (value, place)
            }
            Value::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                let mut place = head(piece.place);
                for (value, part) in items.iter().zip(&piece.place.parts) {
                    let (value, part) =
                        self.rebuild(Piece { value, place: part, ..piece }, is_file);
                    values.push(value);
                    place.parts.push(part);
                }
                (Value::Array(values), place)
            }
            Value::Table(table) => {
                let mut values = Table::with_capacity(table.len());
                let mut place = head(piece.place);
                for ((name, value), part) in table.iter().zip(&piece.place.parts) {
                    self.names.push(name);
                    let (value, part) =
                        self.rebuild(Piece { value, place: part, ..piece }, is_file);
                    self.names.pop();
                    values.insert(name.to_owned(), value);
                    place.parts.push(part);
                }
                (Value::Table(values), place)
            }
            plain => (plain.clone(), piece.place.clone()),
        }
    }

    fn expand(&mut self, text: &str, piece: Piece<'a>) -> (Value, Place) {
        let parts = expand::parts(text, piece.template.is_some());
        if let [(Part::Hole(name), _)] = parts.as_slice()
            && let Some((value, place)) = self.fill(name)
        {
            // A whole value: a number stays a number.
            let mut value = value.clone();
            let mut place = place.clone();
            place.key = None;
            if let Value::String(text) = &value
                && self.with_untyped.contains(&KeyPath::new([*name]))
            {
                value = typed(text, &self.names, self.driver.as_deref(), self.context.catalogue);
                place = fitting(&value, &place);
            }
            self.secrets_of(name, text, &place);
            return (value, place);
        }
        let mut out = String::with_capacity(text.len());
        let mut wrong = 0;
        let mut variable = false;
        let mut secret = false;
        for (part, range) in &parts {
            let known = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Variable { name, default } => {
                    variable = true;
                    self.variables.push((*name).to_owned());
                    let value = self.context.variables.variable(name);
                    let set = value.filter(|value| default.is_none() || !value.is_empty());
                    set.or_else(|| default.map(str::to_owned)).ok_or_else(|| unset(name))
                }
                Part::Secret(name) => {
                    self.variables.push(format!("secret:{name}"));
                    let value = self.context.variables.secret(name);
                    secret |= value.is_some();
                    if let Some(value) = &value {
                        self.secret(text, piece.place, value.clone());
                    }
                    value.ok_or_else(|| unset_secret(name))
                }
                Part::Hole(name) => match self.fill(name) {
                    Some((Value::Array(_) | Value::Table(_), _)) => Err(Problem::new(
                        "bad_placeholder",
                        format!(
                            "$({name}) is a list or table and stands inside a text; it can only be a whole value"
                        ),
                    )),
                    Some((Value::String(text), _)) => Ok(text.clone()),
                    Some((value, _)) => Ok(value.to_string()),
                    None => Err(self.unfilled(name, piece)),
                },
                Part::Bad(why) => {
                    let written: String =
                        text.get(range.clone()).unwrap_or_default().chars().take(40).collect();
                    Err(Problem::new("bad_variable", format!("“{written}” {why}")))
                }
            };
            if let Part::Hole(name) = part {
                self.secrets_of(name, text, piece.place);
            }
            match known {
                Ok(value) => out.push_str(&value),
                Err(problem) => {
                    wrong += 1;
                    if wrong <= MOST_IN_TEXT {
                        self.problem(problem, text, range, piece);
                    }
                    out.push_str(text.get(range.clone()).unwrap_or_default());
                }
            }
        }
        if wrong > 0 {
            self.broken.push((piece.place.origin, piece.place.span.clone()));
        }
        let value = match parts.as_slice() {
            [_] if (variable || secret) && wrong == 0 => {
                self.untyped.insert(self.path());
                typed(&out, &self.names, self.driver.as_deref(), self.context.catalogue)
            }
            _ => Value::String(out),
        };
        let place = fitting(&value, piece.place);
        (value, place)
    }

    fn problem(
        &mut self,
        problem: Problem,
        text: &str,
        range: &std::ops::Range<usize>,
        piece: Piece<'a>,
    ) {
        let path = self.path().to_string();
        if problem.code == "unfilled_placeholder"
            && let Some(user) = self.user
        {
            self.findings.push(Finding::of_error(user, path, problem));
            return;
        }
        let source = self.context.origins.get(usize::from(piece.place.origin));
        let source = source.map_or("", |origin| &origin.text);
        let mut finding = Finding::of_error(piece.place, path, problem);
        finding.bytes = expand::locate(source, piece.place, text, range);
        self.findings.push(finding);
    }

    fn fill(&self, name: &str) -> Option<(&Value, &Place)> {
        self.with.get(name).map(|(value, place)| (value, place))
    }

    fn unfilled(&self, name: &str, piece: Piece<'a>) -> Problem {
        let template = piece.template.unwrap_or_default();
        let key = self.names.last().copied().unwrap_or_default();
        let message = format!(
            "template {template} wants a value for $({name}) in {key}: give it as \
             `with = {{ {name} = … }}`"
        );
        let given = self.with.keys().map(String::as_str);
        let meant = crate::check::nearest(name, given);
        Problem::new("unfilled_placeholder", message).suggest(meant)
    }

    fn secret(&mut self, written: &str, place: &Place, value: String) {
        let Place { origin, span, .. } = place;
        self.secrets.push(Secret {
            path: self.path(),
            written: written.to_owned(),
            origin: *origin,
            bytes: span.clone(),
            value,
        });
    }

    /// Secrets come along with what a component gives to its template.
    fn secrets_of(&mut self, name: &str, written: &str, place: &Place) {
        let path = self.path();
        let found = self
            .with_secrets
            .iter()
            .filter(|secret| secret.path.names().first().is_some_and(|first| first == name));
        let moved: Vec<Secret> = found
            .map(|secret| {
                let below = secret.path.names().iter().skip(1).cloned();
                let path = KeyPath::new(path.names().iter().cloned().chain(below));
                let whole = place.key.is_none() && place.span == secret.bytes;
                let written = if whole { secret.written.clone() } else { written.to_owned() };
                Secret {
                    path,
                    written,
                    origin: place.origin,
                    bytes: place.span.clone(),
                    value: secret.value.clone(),
                }
            })
            .collect();
        self.secrets.extend(moved);
    }

    fn appends(&self, piece: &Piece<'_>) -> bool {
        let origin = self.context.origins.get(usize::from(piece.place.origin));
        // A template's list stands under the component's own path.
        origin.is_some_and(|origin| {
            !origin.append.is_empty()
                && piece.template.is_none()
                && origin.append.contains(&self.path())
        })
    }

    fn conflict(&mut self, lower: &Piece<'_>, upper: &Piece<'_>) {
        let name = |piece: &Piece<'_>| {
            let origin = self.context.origins.get(usize::from(piece.place.origin));
            origin.map(|origin| origin.name.to_string()).unwrap_or_default()
        };
        let template = lower.template.map(|name| format!("template {name} in "));
        let message = format!(
            "{} is a {} here and a {} in {}{}: both have to be the same kind of thing",
            self.names.last().copied().unwrap_or_default(),
            upper.value.type_name(),
            lower.value.type_name(),
            template.unwrap_or_default(),
            name(lower),
        );
        let mut finding = Finding::of_error(
            upper.place,
            self.path().to_string(),
            Problem::new("layer_conflict", message),
        );
        finding.bytes = upper.place.head();
        self.findings.push(finding);
    }
}

fn unset(name: &str) -> Problem {
    let message = format!(
        "the variable {name} is not set: set it in the environment or in .env, or give a default \
         as ${{{name}:-…}}"
    );
    Problem::new("unset_variable", message)
}

fn unset_secret(name: &str) -> Problem {
    let message = format!(
        "the secret {name} is not set: set SETPOINT_SECRET_{name} or {name} in the environment or \
         in .env"
    );
    Problem::new("unset_secret", message)
}

fn has_dollar(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('$'),
        Value::Array(items) => items.iter().any(has_dollar),
        Value::Table(table) => table.values().any(has_dollar),
        _ => false,
    }
}

/// A place without its parts.
pub(super) fn head(place: &Place) -> Place {
    let Place { origin, key, span, form, .. } = place;
    Place { origin: *origin, key: key.clone(), span: span.clone(), form: *form, parts: Vec::new() }
}

pub(super) fn nowhere() -> Place {
    Place { origin: 0, key: None, span: 0..0, form: Form::Headed, parts: Vec::new() }
}

/// A place for a value that was made of one text: all its parts stand where it does.
pub(super) fn fitting(value: &Value, place: &Place) -> Place {
    let mut place = head(place);
    let inner = Place { key: None, ..place.clone() };
    place.parts = match value {
        Value::Array(items) => items.iter().map(|item| fitting(item, &inner)).collect(),
        Value::Table(table) => table.values().map(|item| fitting(item, &inner)).collect(),
        _ => return place,
    };
    place.form = if matches!(value, Value::Array(_)) { Form::List } else { Form::Inline };
    place
}

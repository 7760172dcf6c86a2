//! Putting variables, secrets and the values of templates into the texts that hold.

use std::ops::Range;

use super::{
    expand::{self, Part},
    merge::{Merge, Piece, Secret, head},
    typed::typed,
};
use crate::{
    check::{Finding, Problem},
    document::{self, Form, Place},
    path::KeyPath,
    value::{Table, Value},
};

/// More findings than this in one text help nobody.
const MOST_IN_TEXT: usize = 10;

impl<'a> Merge<'a> {
    /// The value of one layer, variables put in.
    pub(super) fn take(&mut self, piece: Piece<'a>) -> (Value, Place) {
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
        if let [(Part::Hole(name), range)] = parts.as_slice()
            && let Some((value, _)) = self.fill(name)
        {
            let cost = size(value) + self.cost_of_secrets(name, text);
            if !self.room.take(cost) {
                self.problem(too_large(), text, range, piece);
                self.broken.push((piece.place.origin, piece.place.span.clone()));
                return (Value::String(text.to_owned()), fitting(piece.value, piece.place));
            }
            let Some((value, place)) = self.fill(name) else {
                return (piece.value.clone(), piece.place.clone());
            };
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
            let mut known = match part {
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
            if let Ok(value) = &known {
                let beside = match part {
                    Part::Secret(_) => text.len(),
                    Part::Hole(name) => self.cost_of_secrets(name, text),
                    _ => 0,
                };
                if !self.room.take(value.len() + beside) {
                    known = Err(too_large());
                }
            }
            match (part, &known) {
                (Part::Hole(name), Ok(_)) => self.secrets_of(name, text, piece.place),
                (Part::Secret(_), Ok(value)) => self.secret(text, piece.place, value.clone()),
                _ => {}
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

    fn problem(&mut self, problem: Problem, text: &str, range: &Range<usize>, piece: Piece<'a>) {
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

    /// Bytes that the secrets in a value of `with` take wherever it is put in.
    fn cost_of_secrets(&self, name: &str, written: &str) -> usize {
        self.secrets_in(name).map(|secret| secret.value.len() + written.len()).sum()
    }

    fn secrets_in(&self, name: &str) -> impl Iterator<Item = &Secret> {
        self.with_secrets
            .iter()
            .filter(move |secret| secret.path.names().first().is_some_and(|first| first == name))
    }

    /// Secrets come along with what a component gives to its template.
    fn secrets_of(&mut self, name: &str, written: &str, place: &Place) {
        let path = self.path();
        let found = self.secrets_in(name);
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

fn too_large() -> Problem {
    let most = document::LONGEST >> 20;
    let message = format!(
        "what variables and placeholders put into one component is longer than {most} MiB; \
         shorten it"
    );
    Problem::new("too_large", message)
}

/// What is left of the bytes that may be put together. Few letters can ask for a text many times
/// over.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes some of it; false if there is not as much left.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Bytes that a value takes in a file at least.
pub(super) fn size(value: &Value) -> usize {
    2 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Table(table) => table.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => 0,
    }
}

fn has_dollar(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('$'),
        Value::Array(items) => items.iter().any(has_dollar),
        Value::Table(table) => table.values().any(has_dollar),
        _ => false,
    }
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

//! Clashes in words.

use std::fmt;

use super::Clash;
use crate::{diff::diff, value::Value};

/// Keys that are named of those that were changed in a component.
const NAMED: usize = 3;

/// `instruments.psu.set.ch1.voltage: was 3.3, the file says 3.2, mine is 3.45`
impl fmt::Display for Clash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, base, file, mine, renamed } = self;
        let goes = match renamed {
            Some(to) => format!("renamed to {to}"),
            None => "removed".to_owned(),
        };
        match (base, file, mine) {
            (Some(was @ Value::Table(_)), Some(now @ Value::Table(_)), None) => {
                write!(out, "{path}: {goes} in mine, {} in the file", changed(was, now))
            }
            (Some(was @ Value::Table(_)), None, Some(now @ Value::Table(_))) => {
                write!(out, "{path}: {goes} in the file, {} in mine", changed(was, now))
            }
            _ => {
                let said = |value: &Option<Value>, none: &str| match value {
                    None => none.to_owned(),
                    Some(Value::Table(_)) => "a table".to_owned(),
                    Some(value) => value.to_string(),
                };
                let base = said(base, "not there");
                let file = said(file, "it is removed");
                let mine = match mine {
                    None => "mine removes it".to_owned(),
                    mine => format!("mine is {}", said(mine, "")),
                };
                write!(out, "{path}: was {base}, the file says {file}, {mine}")
            }
        }
    }
}

/// Which keys of a component were changed.
fn changed(was: &Value, now: &Value) -> String {
    let changes = diff(was, now);
    let named: Vec<String> =
        changes.iter().take(NAMED).map(|change| change.path.to_string()).collect();
    match changes.len().saturating_sub(NAMED) {
        0 if named.is_empty() => "changed".to_owned(),
        0 => format!("changed ({})", named.join(", ")),
        more => format!("changed ({} and {more} more)", named.join(", ")),
    }
}

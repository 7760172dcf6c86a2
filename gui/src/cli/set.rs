//! `setpoint set FILE PATH=VALUE…`

use std::str::FromStr;

use serde_json::json;
use setpoint_bench::{KeyPath, Value};

use crate::{
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method},
    },
    values,
};

/// Changes keys of a running bench: checked, all or nothing, file and devices together
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  setpoint set bench.toml instruments.psu.set.ch1.voltage=3.45\n  \
              setpoint set bench.toml sources.ball.pattern=snow -m \"busier picture\"\n\n\
              VALUE is written as in the file (3.45, true, [0, 5]); a bare word is text."
)]
pub struct Set {
    #[command(flatten)]
    bench: BenchArg,
    /// Keys and their values; nothing after the = removes the key.
    #[arg(value_name = "PATH=VALUE", required = true)]
    assignments: Vec<Assignment>,
    /// Why; kept in the history.
    #[arg(long, short, value_name = "M", default_value = "")]
    message: String,
    #[command(flatten)]
    output: Output,
}

/// One `PATH=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    path: KeyPath,
    value: Option<Value>,
}

impl Assignment {
    /// As the API takes it.
    pub fn edit(&self) -> serde_json::Value {
        match &self.value {
            Some(value) => json!({"path": self.path, "value": value}),
            None => json!({"path": self.path, "remove": true}),
        }
    }
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cut = equals_sign(text).ok_or("there is no “=” between key and value")?;
        let path = text[..cut].trim().parse::<KeyPath>().map_err(|error| error.to_string())?;
        let value = text[cut + 1..].trim();
        let value = (!value.is_empty()).then(|| values::parse(value));
        if value.as_ref().is_some_and(|value| !finite(value)) {
            return Err(format!(
                "{path} cannot be set to nan or inf, only to finite numbers; a text of that name \
                 needs quotes: \"nan\""
            ));
        }
        Ok(Self { path, value })
    }
}

/// Whether every number in a value is finite: JSON, in which it is sent, has no other numbers.
fn finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Array(list) => list.iter().all(finite),
        Value::Table(table) => table.values().all(finite),
        _ => true,
    }
}

/// The first `=` outside quotes: a quoted key may hold one.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    for (index, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '=') => return Some(index),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

pub fn run(command: &Set) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let edits: Vec<_> = command.assignments.iter().map(Assignment::edit).collect();
    let body = json!({"edits": edits, "message": command.message});
    let answer = client.send(Method::Patch, "/v1/bench", &body)?;
    if command.output.is_json() {
        return command.output.json(&answer);
    }
    command.output.line(summary(&answer));
    Ok(())
}

/// `r42: set ch1.voltage to 3.45` from what the instance answered.
pub fn summary(answer: &serde_json::Value) -> String {
    let revision = answer.get("revision").unwrap_or(answer);
    let word = |key: &str| revision.get(key).and_then(|it| it.as_str()).unwrap_or_default();
    match word("message") {
        "" => word("id").to_owned(),
        message => format!("{}: {message}", word("id")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<Value>) {
        let one: Assignment = text.parse().unwrap();
        (one.path.to_string(), one.value)
    }

    #[test]
    fn values_are_toml_and_bare_words_are_text() {
        assert_eq!(read("a.b=3.45"), ("a.b".into(), Some(Value::Float(3.45))));
        assert_eq!(read("a = true"), ("a".into(), Some(Value::Bool(true))));
        assert_eq!(read("a=smpte"), ("a".into(), Some("smpte".into())));
        assert_eq!(read("a=tcp://h:1"), ("a".into(), Some("tcp://h:1".into())));
        assert_eq!(read("a=\"on\""), ("a".into(), Some("on".into())));
        assert_eq!(read("a=x=y"), ("a".into(), Some("x=y".into())));
        assert_eq!(read("\"k=1\".b=2"), ("\"k=1\".b".into(), Some(Value::Int(2))));
        assert_eq!(read("a="), ("a".into(), None));
    }

    #[test]
    fn a_value_cannot_bring_keys_of_its_own() {
        assert_eq!(read("a=1\nb = 2").1, Some("1\nb = 2".into()));
    }

    #[test]
    fn without_an_equals_sign_it_is_refused() {
        assert!("a.b".parse::<Assignment>().is_err());
        assert!("a..b=1".parse::<Assignment>().is_err());
    }
}

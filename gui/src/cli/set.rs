//! `setpoint set FILE PATH=VALUE…`

use std::{path::Path, str::FromStr};

use serde_json::{Value as Json, json};
use setpoint_bench::{KeyPath, TextEdit, Value};
use setpoint_runtime::{
    CommandError,
    offline::{Edited, check_change},
};

use crate::{
    author,
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method},
        diff, history, input,
        look::Look,
        out::note,
        printable::line as printable,
        sources::Sources,
    },
    values,
};

/// Changes keys of a bench: checked, all or nothing; file and devices together where it runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  setpoint set bench.toml instruments.psu.set.ch1.voltage=3.45\n  \
              setpoint set bench.toml sources.ball.pattern=snow -m \"busier picture\"\n  \
              setpoint set bench.toml --rename instruments.psu=supply\n  \
              setpoint set bench.toml --remove sources.old --move sources.a.label=sources.b.label\n\n\
              VALUE is written as in the file (3.45, true, [0, 5]); a bare word is text. A text is\n\
              taken letter by letter; only ${secret:NAME} in it is a reference. Keys are removed\n\
              first, then renamed, moved and set. Where no panel or server runs the bench, the\n\
              files alone are changed, and what they held is kept as a revision."
)]
pub struct Set {
    #[command(flatten)]
    bench: BenchArg,
    /// Keys and their values; nothing after the = removes the key.
    #[arg(
        value_name = "PATH=VALUE",
        required_unless_present_any = ["rename", "moves", "remove"]
    )]
    assignments: Vec<Assignment>,
    /// Give a key another last name; what refers to it stays as it is.
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    rename: Vec<(KeyPath, String)>,
    /// Make a key another one: in another table, under another name, or both.
    #[arg(long = "move", id = "moves", value_name = "OLD=NEWPATH", value_parser = paths)]
    moves: Vec<(KeyPath, KeyPath)>,
    /// Remove a key and everything below it.
    #[arg(long, value_name = "PATH")]
    remove: Vec<KeyPath>,
    /// Why; kept in the history.
    #[arg(long, short, value_name = "M", default_value = "")]
    message: String,
    /// The environment to read the files for where nobody runs the bench.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// `OLD=NEW`
fn pair(text: &str) -> Result<(KeyPath, String), String> {
    let cut = equals_sign(text).ok_or("there is no “=” between the old name and the new one")?;
    let path = text[..cut].trim().parse::<KeyPath>().map_err(|error| error.to_string())?;
    match text[cut + 1..].trim() {
        "" => Err("there is no new name behind the “=”".to_owned()),
        name => Ok((path, name.to_owned())),
    }
}

/// `OLD=NEWPATH`
fn paths(text: &str) -> Result<(KeyPath, KeyPath), String> {
    let (path, to) = pair(text)?;
    Ok((path, to.parse::<KeyPath>().map_err(|error| error.to_string())?))
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
    let output = command.output;
    let file = &command.bench.file;
    if let Some(client) = Client::find(file)? {
        let body = json!({"edits": command.json(), "message": command.message});
        let answer = client.change(Method::Patch, "/v1/bench", &body)?;
        return tell_change(&client, file, &answer, output);
    }
    let (env, edits) = (command.env.as_deref(), command.edits());
    if !history::has_history(file) {
        // A folder beside a file that was not changed would only be litter.
        let rules = input::rules()?;
        let refused = |error| refused(file, error);
        check_change(file, env.map(str::to_owned), rules, &edits).map_err(refused)?;
    }
    let mut bench = history::offline(file, env)?;
    let edited = bench.change(&edits, &command.message, author::name());
    let edited = edited.map_err(|error| refused(file, error))?;
    let Edited { revision, changes, diagnostics } = edited;
    let id = revision.id;
    if output.is_json() {
        let answer =
            json!({"revision": {"id": id}, "changes": changes, "diagnostics": diagnostics});
        return output.json(&answer);
    }
    for change in &changes {
        output.line(diff::describe(change, Look::stdout()));
    }
    output.line(format!("{id}: {}; nobody runs it, no device was touched", file.display()));
    Ok(())
}

fn refused(file: &Path, error: CommandError) -> Failure {
    if error.diagnostics().is_empty() {
        return history::refused(error);
    }
    let message = format!("{} would not run any more; it is as it was", file.display());
    // The text they are about is the one that would have come out, which nobody has.
    Failure::wrong(message).with_findings(error.diagnostics(), &mut Sources::default())
}

impl Set {
    fn edits(&self) -> Vec<TextEdit> {
        let removed = self.remove.iter().cloned().map(TextEdit::remove);
        let renamed = self.rename.iter().cloned().map(|(path, to)| TextEdit::rename(path, to));
        let moved = self.moves.iter().flat_map(|(path, to)| TextEdit::moved(path.clone(), to));
        let set = self.assignments.iter().map(|one| match &one.value {
            Some(value) => TextEdit::set(one.path.clone(), value.clone()),
            None => TextEdit::remove(one.path.clone()),
        });
        removed.chain(renamed).chain(moved).chain(set).collect()
    }

    /// The same for an instance that runs the bench.
    fn json(&self) -> Vec<Json> {
        let removed = self.remove.iter().map(|path| json!({"path": path, "remove": true}));
        let renamed = self.rename.iter().map(|(path, to)| json!({"path": path, "rename": to}));
        let moved = self.moves.iter().map(|(path, to)| json!({"path": path, "move_to": to}));
        let set = self.assignments.iter().map(|one| match &one.value {
            Some(value) => json!({"path": one.path, "value": value}),
            None => json!({"path": one.path, "remove": true}),
        });
        removed.chain(renamed).chain(moved).chain(set).collect()
    }
}

/// Prints what came of a change, and what its file wants: whoever asked for the change has to know
/// where it runs and is not on disk.
pub fn tell_change(
    client: &Client,
    file: &Path,
    answer: &Json,
    output: Output,
) -> Result<(), Failure> {
    if output.is_json() {
        output.json(answer)?;
    } else {
        output.line(summary(answer));
    }
    if answer.get("persisted") == Some(&Json::Bool(false)) {
        let reload = client.get("/v1/status").unwrap_or_default()["reload"].take();
        note(&unwritten(file, answer, &reload));
    } else if answer.get("file_was_gone") == Some(&Json::Bool(true)) {
        note(&format!("setpoint: {} was gone; it is written anew", file.display()));
    }
    Ok(())
}

/// That a change runs and is not in the file, why, and what to do.
fn unwritten(file: &Path, answer: &Json, reload: &Json) -> String {
    let id = answer.pointer("/revision/id").and_then(Json::as_str).unwrap_or("the change");
    let cause = reload.pointer("/ahead/cause").or_else(|| reload.get("problem"));
    let cause = cause.and_then(Json::as_str).unwrap_or("the reason is not known");
    let shown = file.display();
    let text = format!("setpoint: {id} runs and is not in {shown}: {cause}");
    let end =
        format!("It is written as soon as that can be done; “setpoint sync {shown}” tries now");
    format!("{}\n  {}", printable(&text), printable(&end))
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

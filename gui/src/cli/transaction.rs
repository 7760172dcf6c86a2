//! `setpoint transaction FILE …`

use clap::Subcommand;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use setpoint_bench::KeyPath;

use crate::cli::{
    BenchArg, Failure, Output,
    client::{Client, Method},
    printable::line as shown,
    set::{Assignment, tell_change},
};

/// Changes that are staged together and put into effect together, or not at all
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint transaction bench.toml begin -m \"warmer\"\n  \
              setpoint transaction bench.toml set t7 instruments.psu.set.ch1.voltage=3.45\n  \
              setpoint transaction bench.toml validate t7\n  \
              setpoint transaction bench.toml commit t7\n\n\
              Without a command, all of them are listed. One that nobody touches for a while \
              (5 minutes,\nruntime.transaction_timeout) becomes a draft: take-up opens it again.")]
pub struct Transaction {
    #[command(flatten)]
    bench: BenchArg,
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All of them, drafts among them, oldest first
    List,
    /// Opens one and prints its id
    Begin {
        /// Why; kept in the history with the commit.
        #[arg(long, short, value_name = "M", default_value = "")]
        message: String,
    },
    /// What is staged in one, and what a commit would do
    Show {
        /// Its id.
        id: String,
    },
    /// Stages values
    Set {
        /// Its id.
        id: String,
        /// Keys and their values, as the file writes them; nothing after the = removes the key.
        #[arg(value_name = "PATH=VALUE", required = true)]
        assignments: Vec<Assignment>,
    },
    /// Stages the removal of keys, and of everything below them
    Remove {
        /// Its id.
        id: String,
        /// The keys.
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<KeyPath>,
    },
    /// Takes staged edits back
    Unstage {
        /// Its id.
        id: String,
        /// Their keys.
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<KeyPath>,
    },
    /// Decides which value a key gets that someone else changed too
    Resolve {
        /// Its id.
        id: String,
        /// The key.
        path: KeyPath,
        /// The staged value, or the one that the file has.
        #[arg(value_parser = ["mine", "theirs"])]
        keep: String,
    },
    /// Says what a commit would do and what stands in its way; exit status 1 if it would be refused
    Validate {
        /// Its id.
        id: String,
    },
    /// Puts everything into effect, or nothing
    Commit {
        /// Its id.
        id: String,
        /// Why; kept in the history. Without it, what was said at the beginning.
        #[arg(long, short, value_name = "M", default_value = "")]
        message: String,
    },
    /// Drops one with everything staged in it
    Discard {
        /// Its id.
        id: String,
    },
    /// Opens a draft again
    TakeUp {
        /// Its id.
        id: String,
    },
}

pub fn run(command: &Transaction) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let output = command.output;
    let post = |id: &str, call: &str, body: Value| {
        client.change(Method::Post, &format!("{}/{call}", place(id)?), &body)
    };
    let zone = TimeZone::system();
    let answer = match command.action.as_ref().unwrap_or(&Action::List) {
        Action::List => {
            let all = client.get("/v1/transactions")?;
            if output.is_json() {
                return output.json(&all);
            }
            let list = all.as_array().map(Vec::as_slice).unwrap_or_default();
            if list.is_empty() {
                output.line("nothing is staged");
            }
            list.iter().for_each(|one| output.line(line(one, &zone)));
            return Ok(());
        }
        Action::Begin { message } => {
            let begun =
                client.send(Method::Post, "/v1/transactions", &json!({ "message": message }))?;
            if !output.is_json() {
                output.line(shown(word(&begun, "id")));
                return Ok(());
            }
            begun
        }
        Action::Show { id } => client.get(&place(id)?)?,
        Action::Set { id, assignments } => {
            let edits: Vec<Value> = assignments.iter().map(Assignment::edit).collect();
            post(id, "edits", json!({ "edits": edits }))?
        }
        Action::Remove { id, paths } => {
            let remove = |path: &KeyPath| json!({ "path": path, "remove": true });
            let edits: Vec<Value> = paths.iter().map(remove).collect();
            post(id, "edits", json!({ "edits": edits }))?
        }
        Action::Unstage { id, paths } => post(id, "edits", json!({ "unstage": paths }))?,
        Action::Resolve { id, path, keep } => {
            post(id, "resolve", json!({ "path": path, "keep": keep }))?
        }
        Action::Validate { id } => return validate(&post(id, "validate", json!({}))?, output),
        Action::Commit { id, message } => {
            let done = post(id, "commit", json!({ "message": message }))?;
            return tell_change(&client, &command.bench.file, &done, output);
        }
        Action::Discard { id } => {
            let done = client.delete(&place(id)?)?;
            if !output.is_json() {
                return Ok(());
            }
            done
        }
        Action::TakeUp { id } => post(id, "take-up", json!({}))?,
    };
    if output.is_json() {
        return output.json(&answer);
    }
    output.line(line(&answer, &zone));
    lines(&answer).iter().for_each(|line| output.line(line));
    Ok(())
}

/// Where a transaction is found.
fn place(id: &str) -> Result<String, Failure> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::usage(format!("“{id}” is no transaction: their ids look like t7")));
    }
    Ok(format!("/v1/transactions/{id}"))
}

fn validate(found: &Value, output: Output) -> Result<(), Failure> {
    let ok = found.get("ok") == Some(&Value::Bool(true));
    if output.is_json() {
        output.json(found)?;
    } else {
        lines(found).iter().for_each(|line| output.line(line));
        output.line(if ok { "a commit would be tried" } else { "a commit would be refused" });
    }
    if ok { Ok(()) } else { Err(Failure::wrong("")) }
}

/// `t7  by Ada  2 changes  until 12:05:00  warmer`
fn line(transaction: &Value, zone: &TimeZone) -> String {
    let count = transaction.get("edits").and_then(Value::as_array).map_or(0, Vec::len);
    let author = match word(transaction, "author") {
        "" => word(transaction, "origin"),
        author => author,
    };
    let until = word(transaction, "expires").parse::<Timestamp>().ok();
    let until = match until {
        Some(at) => format!("until {}", at.to_zoned(zone.clone()).strftime("%H:%M:%S")),
        None => "draft".to_owned(),
    };
    let changes = if count == 1 { "change" } else { "changes" };
    let text = format!(
        "{}  by {author}  {count} {changes}  {until}  {}",
        word(transaction, "id"),
        word(transaction, "message")
    );
    shown(text.trim_end()).into_owned()
}

/// What differs, what is wrong and what is in the way, a line each.
fn lines(found: &Value) -> Vec<String> {
    let list = |key: &str| found.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let plain = |value: Option<&Value>| value.map_or_else(|| "–".to_owned(), Value::to_string);
    let mut lines = Vec::new();
    let pending = found.get("pending") == Some(&Value::Bool(true));
    // As long as it is not known what the edits come to, they are told as they were asked for.
    let (changes, [old, new]) = match pending {
        true => (list("edits"), ["base", "value"]),
        false => (list("changes"), ["old", "new"]),
    };
    for change in changes {
        let (old, new) = (plain(change.get(old)), plain(change.get(new)));
        lines.push(shown(&format!("  {}: {old} → {new}", word(&change, "path"))).into_owned());
    }
    if pending {
        lines.push("  what that comes to is being worked out".to_owned());
    }
    for step in list("plan") {
        lines.push(shown(&format!("  step: {}", word(&step, "text"))).into_owned());
    }
    for finding in list("diagnostics") {
        let (severity, message) = (word(&finding, "severity"), word(&finding, "message"));
        lines.push(shown(&format!("  {severity}: {message}")).into_owned());
    }
    for edit in list("edits").iter().filter(|edit| edit.get("clash").is_some_and(Value::is_object))
    {
        lines.push(shown(&format!("  clash: {}", word(edit, "path"))).into_owned());
    }
    for blocker in list("blocked_by") {
        lines.push(shown(&format!("  in the way: {}", word(&blocker, "message"))).into_owned());
    }
    lines
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_worked_out_yet_is_told_as_it_was_staged() {
        let edits = json!([{ "path": "a.b", "base": 1, "value": 2, "clash": null }]);
        let pending = json!({ "edits": edits, "changes": [], "pending": true });
        let expected = ["  a.b: 1 → 2", "  what that comes to is being worked out"];
        assert_eq!(lines(&pending), expected);
        let change = json!({ "path": "a.b.c", "old": 3, "new": 4 });
        let known = json!({ "edits": edits, "changes": [change], "pending": false });
        assert_eq!(lines(&known), ["  a.b.c: 3 → 4"]);
    }

    #[test]
    fn one_is_a_line() {
        let open = json!({
            "id": "t7", "author": "Ada", "origin": "api", "message": "warmer\u{1b}[2J",
            "expires": "2026-01-31T12:05:00Z", "edits": [{}],
        });
        let line = line(&open, &TimeZone::UTC);
        assert_eq!(line, "t7  by Ada  1 change  until 12:05:00  warmer\\u{1b}[2J");
        let draft = json!({ "id": "t8", "author": "", "origin": "panel", "edits": [] });
        assert_eq!(super::line(&draft, &TimeZone::UTC), "t8  by panel  0 changes  draft");
    }

    #[test]
    fn an_id_cannot_lead_elsewhere() {
        assert_eq!(place("t7").unwrap(), "/v1/transactions/t7");
        assert!(place("../status").is_err() && place("").is_err());
    }
}

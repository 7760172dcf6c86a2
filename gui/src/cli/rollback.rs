//! `setpoint rollback FILE REV`

use serde_json::{Value, json};
use setpoint_bench::KeyPath;

use crate::{
    author,
    cli::{
        BenchArg, Failure, Output,
        client::{Client, Method, segment},
        diff,
        history::{self, refused},
        look::Look,
        set,
    },
};

/// Goes back to a kept revision; through the panel or server of the bench, else on the files alone
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint rollback bench.toml r36\n  \
              setpoint rollback bench.toml r36 --only instruments.psu.set")]
pub struct Rollback {
    #[command(flatten)]
    bench: BenchArg,
    /// The revision, such as r36, or a label.
    #[arg(value_name = "REV")]
    revision: String,
    /// Only this key and what lies below it; can be given more than once.
    #[arg(long, value_name = "PATH")]
    only: Vec<KeyPath>,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Rollback) -> Result<(), Failure> {
    let file = &command.bench.file;
    let output = command.output;
    if let Some(client) = Client::find(file)? {
        let path = format!("/v1/revisions/{}/rollback", segment(&command.revision));
        // Left out, it is the whole file; an empty list is refused.
        let body = match command.only.as_slice() {
            [] => json!({}),
            only => json!({"only": only}),
        };
        let answer = client.change(Method::Post, &path, &body)?;
        if !output.is_json()
            && let Some(unchanged) = unchanged(&answer, &command.revision)
        {
            output.line(unchanged);
            return Ok(());
        }
        return set::tell_change(&client, file, &answer, output);
    }
    // Nobody runs the bench, so no device is touched.
    history::must_exist(file)?;
    let mut bench = history::offline(file, None)?;
    let back = bench.roll_back(&command.revision, &command.only, author::name());
    let back = back.map_err(refused)?;
    let id = &back.revision.id;
    if output.is_json() {
        return output.json(&json!({"revision": {"id": id}, "changes": back.changes}));
    }
    for change in &back.changes {
        output.line(diff::describe(change, Look::stdout()));
    }
    let (file, revision) = (file.display(), &command.revision);
    output.line(if back.written {
        format!("{id}: {file} is back at {revision}")
    } else {
        format!("{file} is at {revision} already; nothing changed")
    });
    Ok(())
}

/// What is said where the state that was asked for runs already: its revision is an older one, with
/// a message of its own.
fn unchanged(answer: &Value, asked: &str) -> Option<String> {
    let none = |key: &str| answer.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty);
    if !none("changes") || !none("plan") {
        return None;
    }
    let id = answer.pointer("/revision/id").and_then(Value::as_str).unwrap_or_default();
    let kept = if id == asked { String::new() } else { format!(", as {id}") };
    Some(format!("{asked} runs already{kept}; nothing changed"))
}

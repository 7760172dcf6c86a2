//! `setpoint status FILE`

use serde_json::Value;

use crate::cli::{BenchArg, Failure, Output, client::Client};

/// What a running bench is doing: its revision, instruments and sources
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  setpoint status bench.toml --format json")]
pub struct Status {
    #[command(flatten)]
    bench: BenchArg,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Status) -> Result<(), Failure> {
    let client = Client::require(&command.bench.file)?;
    let mut status = client.get("/v1/status")?;
    if command.output.is_json() {
        return command.output.json(&status);
    }
    let instruments = client.get("/v1/instruments")?;
    let sources = client.get("/v1/sources")?;
    for line in describe(status.take(), &instruments, &sources) {
        command.output.line(line);
    }
    Ok(())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

fn describe(status: Value, instruments: &Value, sources: &Value) -> Vec<String> {
    let mut lines = vec![
        format!("bench     {} ({})", text(&status, "/bench/name"), text(&status, "/bench/path")),
        format!(
            "revision  {} · {} · {}",
            text(&status, "/revision/id"),
            text(&status, "/revision/at"),
            text(&status, "/revision/message")
        ),
        format!("file      {}", text(&status, "/reload/state").replace('_', " ")),
    ];
    if let Some(reason) = status.pointer("/reload/watch/polling").and_then(Value::as_str) {
        lines.push(format!("watching  once a second: {reason}"));
    }
    if let Some(cause) = status.pointer("/reload/ahead/cause").and_then(Value::as_str) {
        lines.push(format!("          not on disk: {cause}"));
    }
    for (title, pointer) in [("attention", "/attention"), ("history", "/history_problem")] {
        if let Some(problem) = status.pointer(pointer).and_then(Value::as_str) {
            lines.push(format!("{title:<9} {problem}"));
        }
    }
    lines.extend(unfinished(status.get("unfinished").unwrap_or(&Value::Null)));
    let findings = status.pointer("/reload/diagnostics").and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        lines.push(format!("          {}", text(finding, "/message")));
    }
    for (title, list) in [("instruments", instruments), ("sources", sources)] {
        lines.push(String::new());
        lines.push(title.to_owned());
        for one in list.as_array().into_iter().flatten() {
            let mut line = format!(
                "  {:<16} {:<16} {}",
                text(one, "/id"),
                text(one, "/type"),
                text(one, "/state")
            );
            if let Some(error) = one.get("error").and_then(Value::as_str) {
                line.push_str(&format!(" · {error}"));
            }
            lines.push(line);
        }
    }
    lines
}

/// A change that an earlier run did not finish, with its steps; nothing if there is none.
pub fn unfinished(change: &Value) -> Vec<String> {
    if change.is_null() {
        return Vec::new();
    }
    let holds = match text(change, "/file_holds") {
        "before" => "the text from before it",
        "after" => "the text it was to bring",
        _ => "another text, or none",
    };
    let mut lines = vec![format!(
        "unfinished the change from {} at {}; the file holds {holds}",
        text(change, "/from_revision"),
        text(change, "/at")
    )];
    for step in change.get("steps").and_then(Value::as_array).into_iter().flatten() {
        let done = step.get("done").and_then(Value::as_bool) == Some(true);
        let mark = if done { "done" } else { "not known" };
        lines.push(format!("          {mark:<9} {}", text(step, "/text")));
    }
    lines.push("          setpoint recover FILE --finish, or --go-back".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_what_only_a_person_can_put_right() {
        let lines = describe(
            json!({"reload": {"state": "ahead", "ahead": {"cause": "the disk is full"}},
                   "attention": "look at psu", "history_problem": "no room",
                   "unfinished": {"from_revision": "r4", "at": "noon", "file_holds": "after",
                       "steps": [{"text": "set it", "done": true}, {"text": "keep it"}]}}),
            &json!([]),
            &json!([]),
        );
        let all = lines.join("\n");
        for expected in [
            "the disk is full",
            "attention look at psu",
            "history   no room",
            "from r4 at noon",
            "it was to bring",
            "done      set it",
            "not known keep it",
        ] {
            assert!(all.contains(expected), "{expected} is missing:\n{all}");
        }
    }

    #[test]
    fn names_the_bench_its_revision_and_what_is_offline() {
        let lines = describe(
            json!({"bench": {"name": "Table", "path": "b.toml"}, "revision": {"id": "r4"},
                   "reload": {"state": "in_step"}}),
            &json!([{"id": "psu", "type": "x", "state": "offline", "error": "refused"}]),
            &json!([]),
        );
        let all = lines.join("\n");
        for expected in ["Table", "r4", "in step", "psu", "offline · refused"] {
            assert!(all.contains(expected), "{expected} is missing:\n{all}");
        }
    }
}

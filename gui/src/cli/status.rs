//! `setpoint status FILE`

use std::path::Path;

use serde_json::Value;

use crate::cli::{BenchArg, Failure, Output, client::Client, printable::line as shown};

/// Components that a question names.
const REMOVED: usize = 8;

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

/// A text somewhere in an answer; `-` where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
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
    lines.extend(standing(&status));
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

/// The bench file's name, as it can be printed.
pub fn file_name(status: &Value) -> String {
    let path = Path::new(text(status, "/bench/path"));
    shown(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()).into_owned()
}

/// What wants a look: how the file stands to what runs, where that is not as it should be, and what
/// only a person can decide or put right. Nothing where all is well.
pub fn standing(status: &Value) -> Vec<String> {
    let at = |pointer: &str| status.pointer(pointer).filter(|value| !value.is_null());
    let word = |pointer: &str| at(pointer).and_then(Value::as_str);
    let mut lines = Vec::new();
    let mut add = |title: &str, text: &str| lines.push(format!("{title:<9} {}", shown(text)));
    if let Some(reason) = word("/reload/watch/polling") {
        add("watching", &format!("once a second: {reason}"));
    }
    if at("/reload/watch/off") == Some(&Value::Bool(true)) {
        add("watching", "not followed (hot_reload is off): saves wait for setpoint reload FILE");
    }
    if let Some(cause) = word("/reload/ahead/cause") {
        add("", &format!("not on disk: {cause}"));
        add("", "setpoint sync FILE writes it now");
    }
    if let Some(question) = word("/reload/question/message") {
        add("question", question);
        let removed = at("/reload/question/removed").and_then(Value::as_array);
        let removed: Vec<&str> = removed.into_iter().flatten().filter_map(Value::as_str).collect();
        if !removed.is_empty() {
            let more = removed.len().saturating_sub(REMOVED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let first = removed[..removed.len().min(REMOVED)].join(", ");
            add("", &format!("would remove {first}{more}"));
        }
    } else if let Some(problem) = word("/reload/problem")
        && word("/reload/ahead/cause") != Some(problem)
    {
        add("problem", problem);
    }
    if let Some(until) = word("/reload/suspended/until") {
        let failures = at("/reload/suspended/failures").cloned().unwrap_or_default();
        let message =
            format!("{failures} saves in a row failed; the file is looked at again at {until}");
        add("suspended", &message);
    }
    if let Some(way_out) = at("/reload").and_then(way_out) {
        add("", way_out);
    }
    for (title, pointer) in [
        ("attention", "/attention"),
        ("drivers", "/drivers_problem"),
        ("history", "/history_problem"),
    ] {
        if let Some(problem) = word(pointer) {
            add(title, problem);
        }
    }
    lines.extend(unfinished(status.get("unfinished").unwrap_or(&Value::Null)));
    for finding in at("/reload/diagnostics").and_then(Value::as_array).into_iter().flatten() {
        let message = text(finding, "/message");
        if word("/reload/problem").is_none_or(|problem| !problem.contains(message)) {
            lines.push(format!("          {}", shown(message)));
        }
    }
    lines
}

/// The commands that get past a file that holds something else than what runs; `None` where it does
/// not.
pub fn way_out(reload: &Value) -> Option<&'static str> {
    reload.get("problem").filter(|problem| problem.is_string())?;
    Some(match reload.get("state")?.as_str()? {
        "rejected" => "mend the file, or setpoint sync FILE writes what runs over it",
        "suspended" => {
            "setpoint reload FILE looks now, setpoint sync FILE writes what runs over it"
        }
        "proposed" | "conflict" | "paused" => {
            "setpoint reload FILE applies the file, setpoint sync FILE keeps what runs"
        }
        // Gone, or not to be read.
        "ahead" if reload.get("ahead").is_none_or(Value::is_null) => {
            "put the file back or in order, or setpoint sync FILE writes what runs there"
        }
        _ => return None,
    })
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
    for (way, key) in [("--finish", "finish"), ("--go-back", "go_back")] {
        lines.extend(decision(way, change.get(key).unwrap_or(&Value::Null)));
    }
    lines.push("          setpoint recover FILE --finish, or --go-back".to_owned());
    lines
}

/// What a decision would write, or why it would be refused; nothing while that is not known.
fn decision(way: &str, decision: &Value) -> Option<String> {
    let words = |key: &str| {
        let all = decision.get(key)?.as_array()?.iter().filter_map(Value::as_str);
        Some(all.collect::<Vec<_>>().join("; "))
    };
    let (writes, clashes) = (words("writes")?, words("clashes")?);
    Some(match decision.get("problem").and_then(Value::as_str) {
        Some(problem) => format!("          {way} cannot be done now: {problem}"),
        None if !clashes.is_empty() => format!(
            "          {way} is refused, the file was saved since with other values: {clashes}"
        ),
        None if writes.is_empty() => format!("          {way} leaves the file as it is"),
        None => format!("          {way} writes {writes}"),
    })
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
                   "drivers_problem": "own.toml is empty",
                   "unfinished": {"from_revision": "r4", "at": "noon", "file_holds": "after",
                       "finish": {"writes": [], "clashes": [], "problem": null},
                       "go_back": {"writes": ["psu.ch1.voltage 3.4 → 3.3"], "clashes": []},
                       "steps": [{"text": "set it", "done": true}, {"text": "keep it"}]}}),
            &json!([]),
            &json!([]),
        );
        let all = lines.join("\n");
        for expected in [
            "the disk is full",
            "attention look at psu",
            "drivers   own.toml is empty",
            "history   no room",
            "from r4 at noon",
            "it was to bring",
            "done      set it",
            "not known keep it",
            "--finish leaves the file as it is",
            "--go-back writes psu.ch1.voltage 3.4 → 3.3",
        ] {
            assert!(all.contains(expected), "{expected} is missing:\n{all}");
        }
    }

    #[test]
    fn says_what_is_asked_and_how_to_answer() {
        let lines = standing(&json!({"reload": {"state": "proposed",
            "problem": "bench.toml is not applied unasked: 2 of 3 instruments would be removed",
            "question": {"message": "2 of 3 instruments would be removed",
                         "removed": ["instruments.a", "instruments.b"]}}}));
        assert_eq!(
            lines,
            [
                "question  2 of 3 instruments would be removed",
                "          would remove instruments.a, instruments.b",
                "          setpoint reload FILE applies the file, setpoint sync FILE keeps what runs",
            ]
        );
        let many: Vec<String> = (0..20).map(|id| format!("instruments.i{id}")).collect();
        let lines = standing(
            &json!({"reload": {"watch": {"off": false}, "question": {"message": "q", "removed": many}}}),
        );
        assert!(lines[1].ends_with("instruments.i7 and 12 more"), "{lines:?}");
    }

    #[test]
    fn says_what_keeps_the_file_from_being_applied() {
        let lines = standing(&json!({"reload": {"state": "suspended",
            "problem": "bench.toml:3: no such key", "diagnostics": [{"message": "no such key"}],
            "suspended": {"failures": 6, "until": "2026-11-21T10:42:07Z"}}}));
        assert_eq!(
            lines,
            [
                "problem   bench.toml:3: no such key",
                "suspended 6 saves in a row failed; the file is looked at again at \
                 2026-11-21T10:42:07Z",
                "          setpoint reload FILE looks now, setpoint sync FILE writes what runs over it",
            ]
        );
        let off = standing(&json!({"reload": {"state": "paused", "watch": {"off": true}}}));
        assert_eq!(off.len(), 1, "{off:?}");
        let rejected = standing(&json!({"reload": {"state": "rejected", "problem": "no"}}));
        assert!(rejected[1].ends_with("writes what runs over it"), "{rejected:?}");
        assert!(standing(&json!({"reload": {"state": "in_step"}})).is_empty());
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

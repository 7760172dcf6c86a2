//! `setpoint history FILE REV`: all that is known of one revision.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use setpoint_bench::Change;
use setpoint_store::{BenchFolder, HistoryReader};

use crate::cli::{
    Failure, Output,
    client::{Client, segment},
    diff,
    history::{self, refused},
    look::Look,
    printable::line as shown,
    time,
};

/// Prints who, why, what changed, what was read back and which pictures there are.
pub fn show(bench: &Path, name: &str, output: Output) -> Result<(), Failure> {
    let revision = find(bench, name)?;
    if output.is_json() {
        return output.json(&revision);
    }
    for line in describe(&revision, &TimeZone::system(), Look::stdout()) {
        output.line(line);
    }
    Ok(())
}

/// Writes the picture of a source from the moment when a revision was accepted.
pub fn write_picture(
    bench: &Path,
    name: &str,
    source: &str,
    into: &Path,
    output: Output,
) -> Result<(), Failure> {
    let png = if let Some(client) = Client::find(bench)? {
        let (name, source) = (segment(name), segment(source));
        client.bytes(&format!("/v1/revisions/{name}/pictures/{source}.png"))?
    } else {
        let id = find(bench, name)?["id"].as_str().unwrap_or(name).to_owned();
        let found = HistoryReader::of(&BenchFolder::of(bench)).picture(&id, source);
        let none = || Failure::usage(format!("there is no picture at revision {id} of “{source}”"));
        found.map_err(|error| Failure::unusable(error.to_string()))?.ok_or_else(none)?
    };
    let cannot =
        |error| Failure::unusable(format!("{} cannot be written: {error}", into.display()));
    std::fs::write(into, &png).map_err(cannot)?;
    if output.is_json() {
        return output.json(&serde_json::json!({ "file": into, "bytes": png.len() }));
    }
    output.line(format!("{} holds {source} as it was at {name}", into.display()));
    Ok(())
}

/// A revision by its id or label, of a bench that runs or not.
fn find(bench: &Path, name: &str) -> Result<Value, Failure> {
    if let Some(client) = Client::find(bench)? {
        return client.get(&format!("/v1/revisions/{}", segment(name)));
    }
    history::must_exist(bench)?;
    let kept = history::offline(bench, None)?.kept_revision(name).map_err(refused)?;
    serde_json::to_value(kept)
        .map_err(|error| Failure::unusable(format!("the answer is no JSON: {error}")))
}

fn describe(revision: &Value, zone: &TimeZone, look: Look) -> Vec<String> {
    let text = |value: &Value, key: &str| {
        shown(value.get(key).and_then(Value::as_str).unwrap_or("-")).into_owned()
    };
    let at = |value: &Value| {
        let at = text(value, "at");
        at.parse::<Timestamp>().map_or(at, |at| time::shown(at, zone))
    };
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let label = match revision["label"].as_str() {
        Some(label) => format!("  [{}]", shown(label)),
        None => String::new(),
    };
    let mut lines = vec![
        format!("revision  {}{label}", text(revision, "id")),
        format!("kept      {}", at(revision)),
        format!("author    {} · {}", text(revision, "author"), text(revision, "origin")),
        format!("reason    {}", text(revision, "message")),
    ];
    let changes = serde_json::from_value::<Option<Vec<Change>>>(revision["changes"].clone());
    match changes {
        Ok(Some(changes)) => {
            lines.push(format!("changes   {}", diff::summary(&changes, look)));
            lines.extend(changes.iter().map(|one| format!("  {}", diff::describe(one, look))));
        }
        _ => lines
            .push("changes   not known: the first one, a snapshot, or its record is lost".into()),
    }
    let facts = &revision["facts"];
    if facts.is_null() {
        let problem = revision["problem"].as_str().map(|why| format!(": {}", shown(why)));
        lines.push(format!("readings  none are kept{}", problem.unwrap_or_default()));
        return lines;
    }
    let readings = list(facts, "readings");
    // Also where the history was made anew: the audit log knows only what was set.
    lines.push(match readings.is_empty() {
        true => "readings  none are kept".to_owned(),
        false => format!("readings  at {}", at(facts)),
    });
    lines.extend(readings.iter().map(reading));
    let pictures = list(facts, "pictures");
    if pictures.is_empty() {
        lines.push("pictures  none".to_owned());
    } else {
        lines.push("pictures".to_owned());
    }
    lines.extend(pictures.iter().map(|picture| {
        let (width, height) = (&picture["width"], &picture["height"]);
        format!("  {:<16} {width}×{height}  {}", text(picture, "source"), at(picture))
    }));
    lines
}

/// `  psu.ch1.voltage          3.299 V, asked for 3.3, good, 0.2 s old`
fn reading(reading: &Value) -> String {
    let word = |key: &str| reading.get(key).and_then(Value::as_str).unwrap_or_default();
    let value = |key: &str| match reading.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(shown(text).into_owned()),
        Some(value) => Some(value.to_string()),
    };
    let name = format!("{}.{}", word("instrument"), word("parameter"));
    let unit = value("unit").map(|unit| format!(" {unit}")).unwrap_or_default();
    let mut line = format!("  {:<28} ", shown(&name));
    line += &value("readback").map_or_else(|| "nothing read".to_owned(), |it| it + &unit);
    if let Some(asked) = value("setpoint") {
        line += &format!(", asked for {asked}");
    }
    if let Some(age_ms) = reading.get("age_ms").and_then(Value::as_f64) {
        line += &format!(", {}, {:.1} s old", shown(word("quality")), age_ms / 1000.0);
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_revision_tells_who_why_what_and_what_was_so() {
        let lines = describe(
            &json!({
                "id": "r4", "at": "2026-11-21T10:42:07Z", "author": "ada", "origin": "panel",
                "message": "Warmer", "label": "aligned",
                "changes": [{"kind": "changed", "path": "instruments.psu.set.ch1.voltage",
                             "old": 3.3, "new": 3.45, "effect": "live"}],
                "facts": {
                    "at": "2026-11-21T10:42:08Z",
                    "readings": [
                        {"instrument": "psu", "parameter": "ch1.voltage", "unit": "V",
                         "setpoint": 3.45, "readback": 3.449, "quality": "good", "age_ms": 230},
                        {"instrument": "psu", "parameter": "mode", "readback": null},
                    ],
                    "pictures": [{"source": "sample", "at": "2026-11-21T10:42:07Z",
                                  "width": 320, "height": 180}],
                },
            }),
            &TimeZone::UTC,
            Look::PLAIN,
        );
        assert_eq!(
            lines,
            [
                "revision  r4  [aligned]",
                "kept      2026-11-21 10:42:07",
                "author    ada · panel",
                "reason    Warmer",
                "changes   1 change: 1 set live",
                "  ~ instruments.psu.set.ch1.voltage  3.3 → 3.45  (set live)",
                "readings  at 2026-11-21 10:42:08",
                "  psu.ch1.voltage              3.449 V, asked for 3.45, good, 0.2 s old",
                "  psu.mode                     nothing read",
                "pictures",
                "  sample           320×180  2026-11-21 10:42:07",
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        let lines = describe(
            &json!({"id": "r1", "changes": null, "facts": null, "problem": "it is damaged"}),
            &TimeZone::UTC,
            Look::PLAIN,
        );
        assert!(lines[4].starts_with("changes   not known"), "{lines:?}");
        assert_eq!(lines[5], "readings  none are kept: it is damaged");
        let lines = describe(
            &json!({"id": "r1", "changes": [], "facts":
                    {"at": "2026-11-21T10:42:08Z", "readings": [], "pictures": []}}),
            &TimeZone::UTC,
            Look::PLAIN,
        );
        assert_eq!(lines[5..], ["readings  none are kept", "pictures  none"]);
    }
}

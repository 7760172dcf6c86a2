//! How a change went, told where it is looked for: under the longest path that all of it lies
//! below, and under each part of the bench where it touches several.

use serde_json::json;
use setpoint_bench::{
    Diagnostic, KeyPath, Severity,
    diff::{MOST_PARTS, by_part, common_path, part_changes, part_name},
};

use crate::{
    command::{Applied, CommandError},
    event::{Origin, Subject, Tone},
    event_log::Told,
    manager::Manager,
    status::Timings,
};

impl Manager {
    /// Tells of something that concerns the configuration as a whole.
    pub(crate) fn tell(&self, origin: Origin, kind: &'static str, tone: Tone, message: String) {
        self.publisher.tell(told(origin, kind, tone, &KeyPath::default(), message));
    }

    /// Tells of something that concerns these keys.
    pub(crate) fn tell_of<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a KeyPath>,
        origin: Origin,
        kind: &'static str,
        tone: Tone,
        message: String,
    ) {
        self.publisher.tell(told(origin, kind, tone, &common_path(paths), message));
    }

    pub(crate) fn tell_applied(
        &self,
        origin: Origin,
        applied: &Applied,
        summary: &str,
        timings: Timings,
    ) {
        let revision = &applied.revision;
        let id = &revision.id;
        let (kind, what) = match origin {
            Origin::File => ("reload_applied", format!("{} reloaded as {id}", self.file_name)),
            Origin::Rollback => ("rollback_applied", format!("{}, as {id}", revision.message)),
            _ => ("commit_applied", format!("Commit {id} by {}", revision.author)),
        };
        let message = format!("{what}: {summary}");
        let payload = json!({
            "revision": id,
            "author": revision.author,
            "message": revision.message,
            "changes": *applied.changes,
        });
        let path = common_path(applied.changes.iter().map(|change| &change.path));
        let event = told(origin, kind, Tone::Good, &path, message);
        let event = Told { took_ms: Some(timings.total), ..event };
        self.publisher.tell_with(event, Some(payload));
        for part in part_changes(id, &applied.changes) {
            let payload = json!({ "revision": id, "changes": part.changes });
            let event = told(origin, "component_changed", Tone::Info, &part.path, part.message);
            self.publisher.tell_with(event, Some(payload));
        }
    }

    /// `touched` is what would have changed, where that is known; otherwise its findings say what
    /// it is about.
    pub(crate) fn tell_rejected(
        &self,
        origin: Origin,
        from_file: bool,
        error: &CommandError,
        touched: &[KeyPath],
        timings: Timings,
    ) {
        let id = &self.running.revision.id;
        let (kind, message) = if from_file {
            let file = &self.file_name;
            ("reload_rejected", format!("{file} not applied: {error}. The bench still runs {id}."))
        } else {
            ("commit_rejected", format!("Not committed: {error}. The bench still runs {id}."))
        };
        let errors: Vec<(KeyPath, &Diagnostic)> = error
            .diagnostics()
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| (finding.path.parse().unwrap_or_default(), finding))
            .collect();
        let path = match touched {
            [] => common_path(errors.iter().map(|(path, _)| path)),
            touched => common_path(touched),
        };
        let event = told(origin, kind, Tone::Error, &path, message);
        let findings = json!({ "revision": id, "diagnostics": error.diagnostics() });
        let event = Told { took_ms: Some(timings.total), ..event };
        self.publisher.tell_with(event, Some(findings));

        let refused: Vec<(KeyPath, String)> = match touched {
            [] => by_part(errors.iter().map(|(path, finding)| (path, *finding)))
                .into_iter()
                .map(|(path, findings)| {
                    let first = findings.first().map_or("", |finding| &finding.message);
                    let more = match findings.len().saturating_sub(1) {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    let message = format!("Refused, {}: {first}{more}", part_name(&path));
                    (path, message)
                })
                .collect(),
            touched => by_part(touched.iter().map(|path| (path, ())))
                .into_iter()
                .map(|(path, _)| {
                    let message = format!("A change of {} was not made", part_name(&path));
                    (path, message)
                })
                .collect(),
        };
        // What is wrong with the file as a whole, the event before tells.
        let refused = refused.into_iter().filter(|(path, _)| !path.is_empty());
        for (path, message) in refused.take(MOST_PARTS) {
            self.publisher.tell(told(origin, "component_refused", Tone::Error, &path, message));
        }
    }
}

fn told(origin: Origin, kind: &'static str, tone: Tone, path: &KeyPath, message: String) -> Told {
    let subject = Subject::Configuration;
    Told { origin, kind, subject, tone, path: path.to_string(), message, took_ms: None }
}

//! Keeping what runs under a name, and naming what ran.

use setpoint_bench::Bench;

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Subject, Tone},
    event_log::Told,
    keeping::NOT_WRITTEN,
    manager::Manager,
    status::Revision,
};

/// What a snapshot says where its author does not.
pub(crate) const SNAPSHOT: &str = "Snapshot";

/// What the store is told of a snapshot.
pub(crate) fn snapshot_facts(
    origin: Origin,
    label: Option<String>,
    message: String,
    author: String,
) -> setpoint_store::Facts {
    let message = if message.trim().is_empty() { SNAPSHOT.to_owned() } else { message };
    let (origin, data) = (origin.as_str().to_owned(), serde_json::Value::Null);
    setpoint_store::Facts { author, origin, message, label, data }
}

impl Manager {
    /// How many unlabelled revisions of a bench are kept. What an unfinished change goes back to is
    /// not forgotten before that is decided.
    pub(crate) fn retention(&self, bench: &Bench) -> usize {
        match self.unfinished {
            Some(_) => usize::MAX,
            // Nor before it is known whether there is one.
            None if self.keeping.journal_is_unread() => usize::MAX,
            None => bench.runtime.snapshot_retention,
        }
    }

    /// Keeps what runs as a revision of its own, which is the running one from then on: it differs
    /// from the one before in its number and name only.
    pub(crate) async fn snapshot(
        &mut self,
        origin: Origin,
        label: Option<String>,
        message: String,
        author: String,
    ) -> Result<Answer, CommandError> {
        let mut facts = snapshot_facts(origin, label, message, author);
        if self.file_side.unwritten().is_some() {
            facts.data = serde_json::json!({ NOT_WRITTEN: true });
        }
        let revision = self.keeping.snapshot(&self.running.text, facts).await?;
        self.running.revision = revision.clone();
        let retention = self.retention(&self.running.bench);
        self.keeping.retain(retention, &revision.id).await;
        let Revision { id, author, label, .. } = &revision;
        let name = label.as_ref().map(|label| format!(" “{label}”")).unwrap_or_default();
        self.tell_kept(origin, "snapshot_kept", format!("Snapshot{name} kept as {id} by {author}"));
        Ok(Answer::Kept { revision: Box::new(revision) })
    }

    /// Names a kept revision or takes its name away.
    pub(crate) async fn label(
        &mut self,
        origin: Origin,
        revision: &str,
        label: Option<String>,
        author: &str,
    ) -> Result<Answer, CommandError> {
        let (before, after) = self.keeping.label(revision, label, origin, author).await?;
        if self.running.revision.id == after.id {
            self.running.revision = after.clone();
        }
        let id = &after.id;
        let message = match (&before.label, &after.label) {
            (before, after) if before == after => None,
            (_, Some(label)) => Some(format!("{id} is called “{label}”, by {author}")),
            (Some(label), None) => {
                Some(format!("{id} is not called “{label}” any more, by {author}"))
            }
            (None, None) => None,
        };
        if let Some(message) = message {
            self.tell_kept(origin, "revision_labelled", message);
        }
        Ok(Answer::Kept { revision: Box::new(after) })
    }

    fn tell_kept(&self, origin: Origin, kind: &'static str, message: String) {
        self.publisher.tell(Told {
            origin,
            kind,
            subject: Subject::Configuration,
            tone: Tone::Kept,
            path: String::new(),
            message,
            took_ms: None,
        });
    }
}

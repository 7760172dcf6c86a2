//! What runs and could not be written: the change stays in force, and writing is tried again, by
//! itself and when a person asks.

use std::time::Duration;

use setpoint_store::AuditRecord;
use tokio::time::Instant;

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Tone},
    file_side::Look,
    files::Files,
    keeping::{WRITTEN, WriteError},
    manager::Manager,
    staging::none,
    standing::{Found, Held, Wait},
    status::Timings,
};

/// How long the end of the bench waits for each thing that is tried once more.
const LAST_TRY: Duration = Duration::from_secs(2);

impl Manager {
    /// What the files have to hold for a change to be written over it.
    pub(crate) fn expected_on_disk(&self) -> Held {
        let running = || Held { text: self.running.text.clone(), hash: self.running.hash };
        self.file_side.left().cloned().unwrap_or_else(running)
    }

    /// What runs now could not be written over `left`.
    pub(crate) fn not_written(&mut self, left: Held, cause: String) {
        let message = format!(
            "{} runs and is not in {}: {cause}. It is written as soon as that can be done.",
            self.running.revision.id, self.file_name
        );
        if !self.file_side.not_written(left, cause) {
            self.tell(Origin::Bench, "file_not_written", Tone::Warning, message);
        }
    }

    /// Something has waited for long enough: a look at the file, another attempt to write, another
    /// attempt to keep the history.
    pub(crate) async fn what_is_due(&mut self) {
        let now = Instant::now();
        let is = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is(self.file_side.breaker().due()) {
            self.file_side.breaker().release();
            self.look_at_file().await;
        }
        if is(self.file_side.retry_at()) {
            self.write_again().await;
        }
        if is(self.file_side.look_at()) {
            self.look_at_rights().await;
        }
        if is(self.keeping.keep_at()) {
            self.keep_again().await;
        }
        if let Some(earlier) = self.keeping.look_at_journal().await {
            self.journal_read(earlier);
        }
        if is(self.transactions.forget_at()) {
            self.forget_again().await;
        }
    }

    /// At the end of the bench: what waits is tried once more, for not long.
    pub(crate) async fn try_a_last_time(&mut self) {
        // Cut short, what is on its way to the disk goes on; nobody is told what comes of it.
        if tokio::time::timeout(LAST_TRY, self.write_again()).await.is_err() {
            tracing::error!("{} was not written within {LAST_TRY:?}", self.file_name);
        }
        if self.keeping.keep_at().is_some()
            && tokio::time::timeout(LAST_TRY, self.keep_again()).await.is_err()
        {
            tracing::error!("the history was not kept within {LAST_TRY:?}");
        }
    }

    /// Writes what could not be written, if nobody else wrote meanwhile. A file that is gone is not
    /// made anew unasked: its disk may be.
    pub(crate) async fn write_again(&mut self) {
        if self.file_side.retry_at().is_none() {
            return;
        }
        let left = self.expected_on_disk();
        if let Err(error) = self.keeping.read_file().await {
            self.file_side.not_written_again(error.to_string());
            return;
        }
        if let Err(error) = self.still_checks().await {
            self.file_side.not_written_again(error.to_string());
            return;
        }
        match self.keeping.write(self.running.text.clone(), left).await {
            // What came of it is told and shown; there is no caller to answer.
            Ok(()) => drop(self.written(Origin::Bench, "setpoint", "").await),
            Err(WriteError::Failed(error)) => self.file_side.not_written_again(error.to_string()),
            Err(WriteError::Changed(error)) => {
                self.file_side.not_written_again(error.to_string());
                self.look_at_file().await;
            }
        }
    }

    /// What runs may not check any more: what is around the files may have changed since.
    async fn still_checks(&self) -> Result<(), CommandError> {
        let read = self.read(self.running.text.clone(), true, &mut Timings::default()).await;
        let id = &self.running.revision.id;
        match read {
            Err(CommandError::Invalid { message, diagnostics }) => Err(CommandError::Invalid {
                message: format!("{id} runs and does not check any more: {message}"),
                diagnostics,
            }),
            other => other.map(drop),
        }
    }

    /// The files hold what runs. If they did not, because it could not be written, that is over,
    /// and a restart has to know it.
    pub(crate) async fn matches(&mut self, origin: Origin, author: &str) {
        if self.file_side.unwritten().is_some() {
            let message = format!("{} holds {}", self.file_name, self.running.revision.id);
            self.note_written(origin, author, &message).await;
        }
        self.file_side.matches();
    }

    async fn note_written(&self, origin: Origin, author: &str, message: &str) {
        let record = AuditRecord::new(WRITTEN, origin.as_str(), author, "", message);
        if let Err(error) = self.keeping.audit(record).await {
            tracing::error!("that {message} is not in the audit: {error}");
        }
    }

    /// Keeps revisions that could not be kept when they came into force.
    async fn keep_again(&mut self) {
        if let Err(error) = self.keep_running().await {
            return tracing::warn!("what runs is still not kept: {error}");
        }
        match self.keeping.keep_unkept().await {
            Ok(newest) if newest.hash == self.running.revision.hash => {
                self.running.revision = newest;
            }
            Ok(_) => {}
            Err(error) => tracing::error!("{error}"),
        }
    }

    /// Writes what runs over what the file holds; a text that never ran is kept first.
    pub(crate) async fn sync(
        &mut self,
        origin: Origin,
        author: String,
    ) -> Result<Answer, CommandError> {
        let now = self.keeping.read_file().await.ok();
        let ours = now.as_ref().is_some_and(|file| {
            file.hash == self.running.hash || self.file_side.is_left(file.hash)
        });
        if let Some(file) = now
            && !ours
            && self.file_side.unwritten().is_some()
            && !self.file_side.knows(&file.text)
        {
            self.text_seen(file, Look::default()).await;
            let message = format!(
                "{} was saved by someone else since {} could not be written: look at that first, \
                 then reload it or write over it",
                self.file_name, self.running.revision.id
            );
            return Err(CommandError::Conflict { message, diagnostics: none() });
        }
        self.still_checks().await?;
        let text = self.running.text.clone();
        let mut aside = String::new();
        let written = if ours {
            self.keeping.write(text, self.expected_on_disk()).await
        } else {
            let kept = self.keeping.keep_what_is_there(&text).await?;
            if let Some((name, _)) = &kept.main {
                aside = format!("; what it held is kept as {name}");
            }
            self.keeping.write_over(text, kept).await
        };
        match written {
            Ok(()) => self.written(origin, &author, &aside).await,
            Err(WriteError::Failed(error)) => {
                self.file_side.not_written_again(error.to_string());
                Err(error.into())
            }
            Err(WriteError::Changed(error)) => {
                self.look_at_file().await;
                Err(CommandError::Conflict { message: error.to_string(), diagnostics: none() })
            }
        }
    }

    /// What runs was written over what the files held.
    async fn written(
        &mut self,
        origin: Origin,
        author: &str,
        aside: &str,
    ) -> Result<Answer, CommandError> {
        let id = self.running.revision.id.clone();
        let now = match self.keeping.read_file().await {
            Ok(now) => now,
            Err(error) => {
                let message = self.cannot_follow(&error);
                return Err(CommandError::Storage { message });
            }
        };
        if now.hash != self.running.hash {
            let surplus = Files::surplus(&now.text, &self.running.text).join(", ");
            let message = format!(
                "{} is written as {id}, but there is more to the bench on disk than {id} has: \
                 {surplus}. Move that away, or reload.",
                self.file_name
            );
            self.file_side.matches();
            self.file_side.holds(Found::Waiting { text: now.text, why: Wait::Reload });
            return Err(CommandError::Conflict { message, diagnostics: none() });
        }
        self.file_side.matches();
        self.calm();
        let message = format!("{} written as {id}{aside}", self.file_name);
        self.tell(origin, "file_written", Tone::Good, format!("{message}, by {author}"));
        if self.keeping.problem().is_some() {
            self.keep_again().await;
        }
        self.note_written(origin, author, &message).await;
        // A change of what is around the files may have waited for this.
        let text = self.running.text.clone();
        if !self.means_the_same(&text).await {
            self.file_side.holds(Found::Waiting { text, why: Wait::Reload });
        }
        Ok(Answer::Done {})
    }
}

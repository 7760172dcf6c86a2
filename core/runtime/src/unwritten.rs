//! What runs and could not be written: the change stays in force, and writing is tried again, by
//! itself and when a person asks.

use std::{sync::Arc, time::Duration};

use setpoint_store::{AuditRecord, TextHash};
use tokio::time::Instant;

use crate::{
    command::{Answer, CommandError},
    doubt::{self, Saved},
    event::{Origin, Tone},
    file_side::Look,
    files::{Files, OnDiskText},
    keeping::{WRITTEN, WriteError},
    manager::Manager,
    passage::Proposal,
    staging::none,
    standing::{Found, Ours, Wait},
    status::{Question, Timings},
};

/// How long the end of the bench waits for each thing that is tried once more.
pub(crate) const LAST_TRY: Duration = Duration::from_secs(2);

impl Manager {
    /// What the files have to hold for a change to be written over it.
    pub(crate) fn ours(&self) -> Ours {
        self.file_side.ours(self.running.held())
    }

    /// Whether the files hold what they held before what runs, which could not be written, or a
    /// text whose writing was given up.
    pub(crate) fn is_left(&self, file: &OnDiskText) -> bool {
        self.file_side.is_left(file, self.running.held())
    }

    /// They do: what runs is to be written over that.
    pub(crate) async fn left_found(&mut self, file: &OnDiskText) {
        self.keep_overwritten(file.hash).await;
        if self.file_side.left().is_none() {
            let cause = "an earlier write came to its end only now: the disk had held it up";
            self.not_written(self.ours(), cause.to_owned());
            self.file_side.hurry();
        } else if self.file_side.left_again() {
            let message = format!("{} holds what it held before again", self.file_name);
            self.tell(Origin::File, "file_left", Tone::Info, message);
        }
    }

    /// The files hold a text with this fingerprint. If its writing was given up, it may have come
    /// over someone else's save: between the last look and the end of a rename nobody can look.
    /// What is known of that save is kept.
    pub(crate) async fn keep_overwritten(&mut self, hash: TextHash) {
        let late = self.file_side.is_late(hash);
        let Some(over) = self.file_side.text().filter(|_| late).cloned() else { return };
        self.overwritten.push(over);
        self.keep_aside().await;
    }

    /// Keeps what a late write came over. While the disk does not answer, that waits.
    async fn keep_aside(&mut self) {
        while let Some(over) = self.overwritten.first().cloned() {
            let mut kept = self.keeping.keep_aside(over.clone()).await;
            if kept.is_err() {
                // That write can be seen on the disk before it has come to its end.
                if self.keeping.is_stuck() {
                    return;
                }
                // It may have come to that just now.
                kept = self.keeping.keep_aside(over).await;
            }
            let kept = match kept {
                Ok(name) => format!("what it held is kept as {name}"),
                Err(error) => format!("what it held could not be kept: {error}"),
            };
            self.overwritten.remove(0);
            let message = format!(
                "{} was saved by someone else, and a write that the disk had held up came over \
                 that; {kept}",
                self.file_name
            );
            self.tell(Origin::File, "file_overwritten", Tone::Warning, message);
        }
    }

    /// Work on the disk that was given up has ended: what came of it is found out by looking, and
    /// what waited for the disk is tried again.
    pub(crate) async fn disk_answers(&mut self) {
        let ended = !self.keeping.is_stuck();
        if ended && self.file_side.waits_for_late() {
            match self.keeping.read_file().await {
                Ok(file) if file.hash == self.running.hash || self.is_left(&file) => {
                    self.text_seen(file, Look::default()).await;
                    self.file_side.none_is_late();
                }
                // Someone else's, perhaps half saved: the watcher is to judge.
                Ok(_) => {
                    self.file_side.none_is_late();
                    self.keeping.look_again();
                }
                Err(error) => {
                    self.cannot_follow(&error);
                }
            }
        } else if self.file_side.found().is_some_and(Found::may_be_silence) {
            self.look_past_silence().await;
        }
        // Files beside it that could not be read.
        if !self.beside_paused.is_empty() && !self.file_side.paused() {
            self.look_beside().await;
        }
        if !ended {
            return;
        }
        self.keep_aside().await;
        self.file_side.hurry();
        self.write_again().await;
        if self.keeping.keep_at().is_some() {
            self.keep_again().await;
        }
        self.save_transactions().await;
    }

    /// Whether a text in the files is known, and only something in the way kept it from being
    /// applied.
    fn hindered(&self, text: &Arc<str>) -> bool {
        self.file_side.knows(text) && self.file_side.found().is_some_and(Found::was_hindered)
    }

    /// What the files hold could not be read or applied, perhaps because the disk did not answer.
    async fn look_past_silence(&mut self) {
        match self.keeping.read_file().await {
            Ok(file) if file.hash == self.running.hash || self.is_left(&file) => {
                self.text_seen(file, Look::beside()).await;
            }
            Ok(file) if self.hindered(&file.text) => {
                let saved = Some(Saved { renamed: false });
                // The outcome is told and shown; there is no caller to answer.
                let _ = self.change(Proposal::from_file(file.text, saved, 0.0)).await;
            }
            Ok(_) => self.keeping.look_again(),
            Err(error) => {
                self.cannot_follow(&error);
            }
        }
    }

    /// What runs now could not be written over what is `left`.
    pub(crate) fn not_written(&mut self, left: Ours, cause: String) {
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
        if is(self.exposed.due()) {
            self.look_at_exposed();
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
        let left = self.ours();
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
            Ok(_) => drop(self.written(Origin::Bench, "setpoint", "").await),
            Err(WriteError::GivenUp(error)) => {
                self.file_side.may_come(self.running.held());
                self.file_side.not_written_again(error.to_string());
            }
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
        self.keep_running().await;
        match self.keeping.keep_unkept().await {
            Ok(Some(newest)) if newest.hash == self.running.revision.hash => {
                self.running.revision = newest;
            }
            Ok(_) => {}
            // Shown until it is over.
            Err(error) => tracing::debug!("{error}"),
        }
    }

    /// Writes what runs over what the file holds; a text that never ran is kept first.
    pub(crate) async fn sync(
        &mut self,
        origin: Origin,
        author: String,
    ) -> Result<Answer, CommandError> {
        let now = self.keeping.read_file().await.ok();
        let ours =
            now.as_ref().is_some_and(|file| file.hash == self.running.hash || self.is_left(file));
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
            self.keeping.write(text, self.ours()).await.map(drop)
        } else {
            let kept = self.keeping.keep_what_is_there(&text).await?;
            if let Some((name, _)) = &kept.main {
                aside = format!("; what it held is kept as {name}");
            }
            self.keeping.write_over(text, kept).await
        };
        match written {
            Ok(()) => self.written(origin, &author, &aside).await,
            Err(WriteError::GivenUp(error)) => {
                self.file_side.may_come(self.running.held());
                self.file_side.not_written_again(error.to_string());
                Err(error.into())
            }
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
        self.file_side.none_is_late();
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
        if self.means_the_same(&text).await {
            return Ok(Answer::Done {});
        }
        let read = self.read(text.clone(), false, &mut Timings::default()).await;
        let what = read.ok().and_then(|read| self.torn_dot_env(&read));
        let Some(what) = what.map(|what| what.of(doubt::DOT_ENV)) else {
            self.file_side.holds(Found::Waiting { text, why: Wait::Reload });
            return Ok(Answer::Done {});
        };
        let message = format!(
            "{} holds {id}, which runs, and {what}: that file is not written by Setpoint. Put back \
             what it held, or reload.",
            self.file_name
        );
        let question = Question { message: what, removed: Vec::new() };
        self.file_side.holds(Found::Waiting { text, why: Wait::Answer(question) });
        Err(CommandError::Conflict { message, diagnostics: none() })
    }
}

//! The manager's dealings with the file: saves seen, what becomes of them, reload.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use setpoint_bench::{check, model::HotReload};
use setpoint_store::{FileSeen, ReadError, StoreError, TextHash};

use crate::{
    command::{Answer, CommandError},
    doubt::{self, Missing, Saved},
    event::{Origin, Tone},
    files::{Files, Meaning, OnDiskText},
    manager::Manager,
    passage::{Proposal, Read, ms, summary},
    staging::none,
    standing::{Found, Unreadable, Wait, are_rights},
    status::{Outcome, Question, Timings},
};

/// How long a change waits for a save of the file to settle; longer than the watcher holds back
/// what may be half of one.
const SETTLED: Duration = Duration::from_secs(5);

/// What led to a look at the files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// The first sign of a save.
    first_sign: Option<Instant>,
    /// The bench file was renamed into place.
    renamed: bool,
    /// Something beside the bench file changed: the same text may mean something else.
    beside: bool,
}

impl Look {
    /// Something beside the bench file changed at some time.
    pub(crate) fn beside() -> Self {
        Self { beside: true, ..Self::default() }
    }
}

impl Manager {
    /// The watcher saw the file.
    pub(crate) async fn file_seen(&mut self, seen: FileSeen) {
        // How changes are noticed goes into the status with everything else.
        let seen = match seen {
            FileSeen::Mode(_) => return,
            FileSeen::Coming { text, .. } => return self.comes(text),
            seen => seen,
        };
        // An outcome always follows, even if it is the text of before.
        self.file_side.settles(matches!(seen, FileSeen::Settling));
        match seen {
            FileSeen::Settling | FileSeen::Mode(_) | FileSeen::Coming { .. } => return,
            FileSeen::Beside { changed, first_sign, renamed, .. } => {
                let look = Look { first_sign: Some(first_sign), renamed, beside: true };
                self.beside_seen(&changed, look).await;
            }
            FileSeen::Text { beside, first_sign, renamed, .. } if !beside.is_empty() => {
                let look = Look { first_sign: Some(first_sign), renamed, beside: true };
                self.beside_seen(&beside, look).await;
            }
            // What waited in the queue may be out of date; what the file holds now counts.
            FileSeen::Text { hash, first_sign, renamed, .. } => {
                match self.keeping.read_file().await {
                    Ok(now) if now.main_hash == hash => {
                        let first_sign = Some(first_sign);
                        let look = Look { first_sign, renamed, ..Look::default() };
                        self.text_seen(now, look).await;
                    }
                    Ok(now) if now.hash == self.running.hash => {
                        self.text_seen(now, Look::default()).await;
                    }
                    // Not for what it holds: nothing later is going to be told of.
                    Err(error @ ReadError::NotAllowed(_)) => drop(self.cannot_follow(&error)),
                    // Something later is there. It may be half a text: the watcher is to judge.
                    _ => self.keeping.look_again(),
                }
            }
            FileSeen::Gone | FileSeen::Unreadable(_) => match self.keeping.read_file().await {
                Ok(now) if now.hash == self.running.hash => {
                    self.text_seen(now, Look::default()).await;
                }
                Ok(_) => self.keeping.look_again(),
                Err(error) => {
                    self.cannot_follow(&error);
                }
            },
        }
        self.coming = None;
        // Where something moves, it may be possible to write again.
        self.write_again().await;
    }

    /// Notes that the file is gone or unreadable, once. Returns the words for it.
    pub(crate) fn cannot_follow(&mut self, error: &ReadError) -> String {
        let (id, file) = (&self.running.revision.id, &self.file_name);
        let (kind, tone, why, found) = match error {
            ReadError::Missing { .. } => {
                let why = format!(
                    "{file} is gone. The bench still runs {id}; put the file back, or have it \
                     written anew"
                );
                let because = Unreadable::Other;
                ("file_gone", Tone::Warning, why.clone(), Found::Unreadable { why, because })
            }
            ReadError::NotUtf8 { line, column, .. } => {
                let findings = check::not_utf8(file, *line, *column).diagnostics;
                let why = check::summary(&findings);
                let told = format!("{file} not applied: {why}. The bench still runs {id}.");
                let diagnostics = Arc::new(findings);
                let found = Found::Refused { text: None, diagnostics, why };
                ("reload_rejected", Tone::Error, told, found)
            }
            _ => {
                let why = format!("{error}. The bench still runs {id}");
                let because = error.into();
                ("file_unreadable", Tone::Warning, why.clone(), Found::Unreadable { why, because })
            }
        };
        let known = match (self.file_side.found(), &found) {
            (Some(Found::Unreadable { why: before, .. }), Found::Unreadable { why: now, .. }) => {
                before == now
            }
            (
                Some(Found::Refused { text: None, why: before, .. }),
                Found::Refused { why: now, .. },
            ) => before == now,
            _ => false,
        };
        if !known {
            self.keeping.knows_unreadable(error);
            let refused = matches!(found, Found::Refused { .. });
            self.file_side.holds(found);
            self.tell(Origin::File, kind, tone, why.clone());
            if refused {
                self.publisher.update(|core| core.reload.rejected += 1);
                self.reload_failed();
            }
        }
        why
    }

    /// The files hold a text: what becomes of it.
    pub(crate) async fn text_seen(&mut self, file: OnDiskText, look: Look) {
        self.keeping.knows(&file.text);
        if file.hash == self.running.hash {
            if self.file_side.in_step() && !look.beside {
                return;
            }
            if self.means_the_same(&file.text).await {
                self.in_step_again().await;
                return;
            }
        }
        if self.is_left(&file) {
            let running = self.running.text.clone();
            if !look.beside || self.means_the_same(&running).await {
                return self.left_found(&file).await;
            }
        }
        if self.file_side.knows(&file.text) && !look.beside {
            return;
        }
        let (text, name) = (file.text, &self.file_name);
        if self.file_side.unwritten().is_some() {
            let message = format!(
                "{name} was saved by someone else, and {} was never written to it: reload the \
                 edit, or write over it",
                self.running.revision.id
            );
            self.file_side.holds(Found::Waiting { text, why: Wait::Decision });
            self.tell(Origin::File, "file_conflict", Tone::Warning, message);
            return;
        }
        let hot_reload = self.running.bench.hot_reload();
        let why = if hot_reload == HotReload::Off {
            Some(Wait::Off)
        } else if self.file_side.paused() {
            Some(Wait::Resume)
        } else if self.file_side.breaker().holds() {
            Some(Wait::Calm)
        } else {
            None
        };
        if let Some(why) = why {
            // That saves are held back for a while was told when it began.
            if why != Wait::Calm {
                let message = match why {
                    Wait::Off => {
                        format!("{name} changed and is not followed; reload it to apply it")
                    }
                    _ => format!("{name} changed; it waits for a reload"),
                };
                self.tell(Origin::File, "file_waiting", Tone::Info, message);
            }
            self.file_side.holds(Found::Waiting { text, why });
            return;
        }
        if hot_reload == HotReload::Propose {
            return self.propose(text, look).await;
        }
        let settle = look.first_sign.map_or(0.0, ms);
        let saved = Some(Saved { renamed: look.renamed });
        // The outcome is told and shown; there is no caller to answer.
        let _ = self.change(Proposal::from_file(text, saved, settle)).await;
    }

    /// The files hold an edit that an operator decides about: it is checked, and shown with what
    /// it would change.
    async fn propose(&mut self, text: Arc<str>, look: Look) {
        let mut timings = Timings::default();
        let asked = match self.emptied(&text) {
            Some(question) => Ok(Err(question)),
            None => match self.read(text.clone(), false, &mut timings).await {
                Ok(read) => match self.doubted(&read, Saved { renamed: look.renamed }).await {
                    Ok(Some(question)) => Ok(Err(question)),
                    Ok(None) => Ok(Ok(read.changes)),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            },
        };
        match asked {
            Ok(Ok(waiting)) => {
                let changes = summary(&waiting);
                let message = format!(
                    "{} was saved and waits for an operator: {changes}. Reload it to apply it.",
                    self.file_name
                );
                self.file_side.holds(Found::Waiting { text, why: Wait::Operator(changes) });
                let paths = waiting.iter().map(|change| &change.path);
                self.tell_of(paths, Origin::File, "reload_proposed", Tone::Info, message);
            }
            Ok(Err(question)) => drop(self.ask_about(text, question)),
            Err(error) => {
                self.note_reload(Origin::File, Outcome::Rejected, 0, 0, timings);
                self.tell_rejected(Origin::File, true, &error, &[], timings);
                self.refuse(text, &error, true);
            }
        }
    }

    /// Rights were in the way. Once they are not, the files are looked at as after a save. In a
    /// pause, what they hold is noted and waits.
    pub(crate) async fn look_at_rights(&mut self) {
        self.file_side.looked_at_rights();
        let file = match self.keeping.read_file().await {
            Ok(file) => file,
            Err(error) => {
                self.cannot_follow(&error);
                return;
            }
        };
        if !self.file_side.found().is_some_and(Found::by_rights) {
            return self.text_seen(file, Look::default()).await;
        }
        if matches!(self.file_side.found(), Some(Found::Refused { .. })) {
            let read = self.read(file.text.clone(), false, &mut Timings::default()).await;
            if read.is_err_and(|error| are_rights(error.diagnostics())) {
                return;
            }
        }
        self.text_seen(file, Look::beside()).await;
    }

    /// The files hold what runs, and mean it.
    async fn in_step_again(&mut self) {
        if !self.file_side.in_step() {
            self.keep_overwritten(self.running.hash).await;
            self.matches(Origin::File, Origin::File.as_str()).await;
            let id = &self.running.revision.id;
            let message = format!("{} holds {id} again, which runs", self.file_name);
            self.tell(Origin::File, "file_in_step", Tone::Good, message);
        }
        self.calm();
    }

    /// Whether a text means what runs. What stands around it may have changed: then it is read
    /// from now on as it was just now.
    pub(crate) async fn means_the_same(&mut self, text: &Arc<str>) -> bool {
        let read = self.read(text.clone(), false, &mut Timings::default()).await;
        match read {
            Ok(read) if *read.bench == *self.running.bench => {
                self.knows_dot_env(&read.meaning);
                self.running.meaning = read.meaning;
                self.running.values = read.values;
                self.running.diagnostics = read.diagnostics;
                self.running.reduced = false;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    fn being_written(&self) -> CommandError {
        let file = &self.file_name;
        let message =
            format!("{file} is being written by someone else; try again when that is done");
        CommandError::Conflict { message, diagnostics: none() }
    }

    /// Looks at the file as a save would make it do.
    pub(crate) async fn look_at_file(&mut self) {
        match self.keeping.read_file().await {
            Ok(file) => self.text_seen(file, Look::default()).await,
            Err(error) => {
                self.cannot_follow(&error);
            }
        }
    }

    /// What has to be asked before a text that came from the file may take the place of what runs.
    ///
    /// # Errors
    /// When the disk does not answer, and so nobody knows.
    pub(crate) async fn doubted(
        &self,
        read: &Read,
        saved: Saved,
    ) -> Result<Option<Question>, CommandError> {
        let (running, file) = (&self.running, &self.file_name);
        let names = doubt::missing(&running.text, &read.text);
        let mut missing = if names.is_empty() {
            Vec::new()
        } else {
            let files = self.files.clone();
            self.keeping.reading(move || files.became(names)).await.map_err(StoreError::from)?
        };
        missing.extend(self.torn_dot_env(read).map(|what| (doubt::DOT_ENV.to_owned(), what)));
        let before = (&*running.text, &*running.bench);
        let found = (&*read.text, Some(&*read.bench));
        Ok(doubt::question(file, before, found, &missing, saved))
    }

    /// What became of `.env` since what runs was read, if it is not whole any more.
    pub(crate) fn torn_dot_env(&self, read: &Read) -> Option<Missing> {
        let text = |meaning: &Meaning| meaning.dot_env().cloned();
        let (then, now) = (text(&self.running.meaning), text(&read.meaning));
        doubt::dot_env(then.as_deref(), now.as_deref())
    }

    /// The same of a file that became empty.
    pub(crate) fn emptied(&self, text: &str) -> Option<Question> {
        if !doubt::is_empty(text) {
            return None;
        }
        let before = (&*self.running.text, &*self.running.bench);
        doubt::question(&self.file_name, before, (text, None), &[], Saved { renamed: false })
    }

    /// A text from the file is not applied before someone says so. Returns the words for it.
    pub(crate) fn ask_about(&mut self, text: Arc<str>, question: Question) -> String {
        let id = &self.running.revision.id;
        let asked = &question.message;
        let message = if text == self.running.text {
            // Nothing but what is around the texts is another.
            format!(
                "A save is not applied unasked: {asked}. The bench still runs {id} as it was: \
                 reload to apply what is there, or put back what {} held.",
                doubt::DOT_ENV
            )
        } else {
            format!(
                "{} was saved and is not applied unasked: {asked}. The bench still runs {id}: \
                 reload to apply the file, or write {id} over it to keep what runs.",
                self.file_name
            )
        };
        self.file_side.holds(Found::Waiting { text, why: Wait::Answer(question) });
        self.tell(Origin::File, "reload_asked", Tone::Warning, message.clone());
        message
    }

    /// A text from the file was refused.
    pub(crate) fn refuse(&mut self, text: Arc<str>, error: &CommandError, by_itself: bool) {
        let diagnostics = Arc::new(error.diagnostics().to_vec());
        let why = error.to_string();
        self.file_side.holds(Found::Refused { text: Some(text), diagnostics, why });
        if by_itself {
            self.reload_failed();
        }
    }

    /// A save was refused: too many of them in a short time are held back.
    fn reload_failed(&mut self) {
        let breaker = self.file_side.breaker();
        if breaker.holds() {
            return;
        }
        if let Some(pause) = breaker.failed(tokio::time::Instant::now()) {
            let count = breaker.shown().map_or(0, |shown| shown.failures);
            let message = format!(
                "{count} saves of {} were refused: it is looked at again in {} s",
                self.file_name,
                pause.as_secs()
            );
            self.tell(Origin::Bench, "reload_suspended", Tone::Warning, message);
        }
    }

    /// Something good is in the file: saves are looked at without delay again.
    pub(crate) fn calm(&mut self) {
        if self.file_side.breaker().good() {
            let message = format!("{} is followed without delay again", self.file_name);
            self.tell(Origin::Bench, "reload_unsuspended", Tone::Good, message);
        }
    }

    /// Before a change from elsewhere: an edit of the file that nobody has told of yet comes
    /// first, so that it is not written over. What the watcher holds back as half saved is waited
    /// for.
    pub(crate) async fn take_file_in(&mut self) -> Result<(), CommandError> {
        self.take_others_in().await;
        let deadline = tokio::time::Instant::now() + SETTLED;
        let mut first = None;
        loop {
            let read = self.keeping.read_file().await;
            let found = read.as_ref().ok().map(|file| file.hash);
            let settled = *first.get_or_insert(found) == found;
            match read {
                Ok(file)
                    if file.hash == self.running.hash
                        || self.is_left(&file)
                        || self.file_side.paused() =>
                {
                    self.text_seen(file, Look::default()).await;
                    break;
                }
                Ok(file) if self.file_side.knows(&file.text) => {
                    // Or it was held back, and now a person waits.
                    let again = self.file_side.found().is_some_and(|found| {
                        found.was_hindered()
                            || matches!(found, Found::Waiting { why: Wait::Calm, .. })
                    });
                    if again {
                        let saved = Some(Saved { renamed: false });
                        let _ = self.change(Proposal::from_file(file.text, saved, 0.0)).await;
                    }
                    break;
                }
                // Told of already, or nobody is going to tell. The watcher hangs on the same disk.
                Err(error)
                    if self.file_side.paused()
                        || !self.file_side.in_step()
                        || error.is_silence() =>
                {
                    self.cannot_follow(&error);
                    break;
                }
                Ok(_) | Err(_) => {}
            }
            match tokio::time::timeout_at(deadline, self.saves.recv()).await {
                // Never thrown away: the watcher tells of each save once.
                Ok(Some(seen)) => {
                    self.file_seen(seen).await;
                    self.announce();
                    if tokio::time::Instant::now() >= deadline {
                        return Err(self.being_written());
                    }
                }
                // Nothing is going to tell of it, and nobody has touched it since.
                Err(_) if settled && found.is_some() => {
                    self.look_at_file().await;
                    break;
                }
                Ok(None) | Err(_) => return Err(self.being_written()),
            }
        }
        let (id, file) = (&self.running.revision.id, &self.file_name);
        let (message, diagnostics) = match self.file_side.found() {
            // A change of a bench whose file is gone or cannot be read stays in force, and is
            // written when that can be done.
            None | Some(Found::Unreadable { .. }) => return Ok(()),
            Some(Found::Refused { diagnostics, why, .. }) => {
                let message = format!(
                    "{file} holds an edit that could not be applied ({why}); mend the file, or \
                     write {id} over it first"
                );
                (message, diagnostics.clone())
            }
            Some(Found::Waiting { why: Wait::Answer(question), .. }) => {
                let message = format!(
                    "{file} holds an edit that is not applied unasked ({}); reload it, or write \
                     {id} over it first",
                    question.message
                );
                (message, none())
            }
            Some(Found::Waiting { .. }) => {
                let message = format!(
                    "{file} holds an edit that is not in effect; reload it, or write {id} over it \
                     first"
                );
                (message, none())
            }
        };
        match self.file_side.suspended() {
            Some(_) => Err(CommandError::Locked { message }),
            None => Err(CommandError::Conflict { message, diagnostics }),
        }
    }

    /// An edit of a file beside the bench file that nobody has told of yet, once it is still.
    async fn take_others_in(&mut self) {
        let main = TextHash::of(&*Files::main(&self.running.text));
        let quiet = self.running.bench.runtime.quiet.max(Duration::from_millis(50));
        if self.file_side.paused() || !self.file_side.in_step() {
            return;
        }
        let Ok(mut last) = self.keeping.read_file().await else { return };
        let deadline = tokio::time::Instant::now() + SETTLED;
        while last.main_hash == main
            && last.hash != self.running.hash
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(quiet).await;
            let Ok(now) = self.keeping.read_file().await else { return };
            if now.hash == last.hash {
                // A refused one stands in the way of the change.
                self.text_seen(now, Look::beside()).await;
                return;
            }
            last = now;
        }
    }

    /// Reads the file now and puts it into effect, also one that was refused before.
    pub(crate) async fn reload_now(
        &mut self,
        origin: Origin,
        author: &str,
    ) -> Result<Answer, CommandError> {
        let changed = std::mem::take(&mut self.beside_paused);
        let refused = self.drivers_changed(&changed, true).await;
        let file = match self.keeping.read_file().await {
            Ok(file) => file,
            Err(error) => {
                let message = self.cannot_follow(&error);
                return Err(CommandError::Storage { message });
            }
        };
        self.keeping.knows(&file.text);
        let together = self.try_together(refused, &file).await;
        let answer = self.reload_file(file, origin, author).await;
        self.settle_together(together).await;
        answer
    }

    async fn reload_file(
        &mut self,
        file: OnDiskText,
        origin: Origin,
        author: &str,
    ) -> Result<Answer, CommandError> {
        if file.hash == self.running.hash && self.means_the_same(&file.text).await {
            self.matches(origin, author).await;
            self.calm();
            let message = format!("{} is what runs already", self.file_name);
            self.tell(origin, "reload_unchanged", Tone::Info, message);
            return Ok(Answer::Done {});
        }
        self.change(Proposal::from_file(file.text, None, 0.0)).await
    }
}

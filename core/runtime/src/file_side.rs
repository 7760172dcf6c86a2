//! The manager's dealings with the file: saves seen, reload, sync.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use setpoint_bench::check;
use setpoint_store::{FileSeen, ReadError, TextHash};

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Tone},
    files::Files,
    manager::{Manager, OnDisk},
    passage::{Proposal, ms},
    staging::none,
    status::Timings,
};

/// How long a change waits for a save of the file to settle; longer than the watcher holds back
/// what may be half of one.
const SETTLED: Duration = Duration::from_secs(5);

impl Manager {
    /// The watcher saw the file.
    pub(crate) async fn file_seen(&mut self, seen: FileSeen) {
        // How changes are noticed goes into the status with everything else.
        if matches!(seen, FileSeen::Mode(_)) {
            return;
        }
        // An outcome always follows, even if it is the text of before.
        self.settling = matches!(seen, FileSeen::Settling);
        match seen {
            FileSeen::Settling | FileSeen::Mode(_) => {}
            FileSeen::Beside { changed, first_sign, .. } => {
                self.beside_seen(&changed, first_sign).await;
            }
            FileSeen::Text { beside, first_sign, .. } if !beside.is_empty() => {
                self.beside_seen(&beside, first_sign).await;
            }
            // What waited in the queue may be out of date; what the file holds now counts.
            FileSeen::Text { hash, first_sign, .. } => match self.keeping.read_file().await {
                Ok(now) if now.main_hash == hash => {
                    self.text_seen(now.text, now.hash, Some(first_sign)).await;
                }
                Ok(now) if now.hash == self.running.hash => {
                    self.text_seen(now.text, now.hash, None).await;
                }
                // Not for what it holds: nothing later is going to be told of.
                Err(error @ ReadError::NotAllowed(_)) => drop(self.cannot_follow(&error)),
                // Something later is there, and the watcher is going to tell of it.
                _ => {}
            },
            FileSeen::Gone | FileSeen::Unreadable(_) => match self.keeping.read_file().await {
                Ok(now) if now.hash == self.running.hash => {
                    self.text_seen(now.text, now.hash, None).await;
                }
                Ok(_) => {}
                Err(error) => {
                    self.cannot_follow(&error);
                }
            },
        }
    }

    /// Notes that the file is gone or unreadable, once. Returns the words for it.
    pub(crate) fn cannot_follow(&mut self, error: &ReadError) -> String {
        let (id, file) = (&self.running.revision.id, &self.file_name);
        let (kind, tone, why, on_disk) = match error {
            ReadError::Missing { .. } => {
                let why = format!(
                    "{file} is gone. The bench still runs {id}; put the file back, or have it \
                     written anew"
                );
                ("file_gone", Tone::Warning, why.clone(), OnDisk::Unreadable { why })
            }
            ReadError::NotUtf8 { line, column, .. } => {
                let findings = check::not_utf8(file, *line, *column).diagnostics;
                let why = check::summary(&findings);
                let told = format!("{file} not applied: {why}. The bench still runs {id}.");
                let diagnostics = Arc::new(findings);
                (
                    "reload_rejected",
                    Tone::Error,
                    told,
                    OnDisk::Refused { text: None, diagnostics, why },
                )
            }
            _ => {
                let why = format!("{error}. The bench still runs {id}");
                ("file_unreadable", Tone::Warning, why.clone(), OnDisk::Unreadable { why })
            }
        };
        if self.on_disk != on_disk {
            if matches!(on_disk, OnDisk::Refused { .. }) {
                self.publisher.update(|core| core.reload.rejected += 1);
            }
            self.tell(Origin::File, kind, tone, why.clone());
            self.on_disk = on_disk;
        }
        why
    }

    /// Tells who can read secrets of this bench, once.
    pub(crate) async fn warn_of_exposed_secrets(&mut self) {
        let (files, meaning) = (self.files.clone(), self.running.meaning.clone());
        let look = tokio::task::spawn_blocking(move || files.exposed_secrets(&meaning));
        let Ok(exposed) = look.await else { return };
        for what in exposed.iter().filter(|what| !self.exposed.contains(what)) {
            self.tell(Origin::Bench, "secrets_exposed", Tone::Warning, what.clone());
        }
        self.exposed = exposed;
    }

    async fn text_seen(&mut self, text: Arc<str>, hash: TextHash, first_sign: Option<Instant>) {
        if hash == self.running.hash {
            if self.on_disk != OnDisk::Same {
                self.on_disk = OnDisk::Same;
                let message = format!(
                    "{} holds {} again, which runs",
                    self.file_name, self.running.revision.id
                );
                self.tell(Origin::File, "file_in_step", Tone::Good, message);
            }
            return;
        }
        if self.is_known(&text) {
            return;
        }
        let asks_first =
            self.running.bench.runtime.hot_reload == setpoint_bench::model::HotReload::Off;
        if self.paused || asks_first {
            let message = format!("{} changed; it waits for a reload", self.file_name);
            self.tell(Origin::File, "file_waiting", Tone::Info, message);
            self.on_disk = OnDisk::Waiting { text };
            return;
        }
        let settle = first_sign.map_or(0.0, ms);
        // The outcome is told and shown; there is no caller to answer.
        let _ = self.change(Proposal::from_file(text, settle)).await;
    }

    /// Looks at the file as a save would make it do.
    pub(crate) async fn look_at_file(&mut self) {
        match self.keeping.read_file().await {
            Ok(file) => self.text_seen(file.text, file.hash, None).await,
            Err(error) => {
                self.cannot_follow(&error);
            }
        }
    }

    /// Whether a text on disk has been dealt with and is not in effect.
    fn is_known(&self, text: &Arc<str>) -> bool {
        match &self.on_disk {
            OnDisk::Refused { text: seen, .. } => seen.as_ref() == Some(text),
            OnDisk::Waiting { text: seen } => seen == text,
            OnDisk::Same | OnDisk::Unreadable { .. } => false,
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
                Ok(file) if file.hash == self.running.hash || self.paused => {
                    self.text_seen(file.text, file.hash, None).await;
                    break;
                }
                Ok(file) if self.is_known(&file.text) => {
                    // Nothing was wrong with the text: a disk or a device was in the way, and may
                    // not be any more.
                    if matches!(&self.on_disk, OnDisk::Refused { diagnostics, .. } if diagnostics.is_empty())
                    {
                        let _ = self.change(Proposal::from_file(file.text, 0.0)).await;
                    }
                    break;
                }
                // Told of already, or nobody is going to tell.
                Err(error) if self.paused || !matches!(self.on_disk, OnDisk::Same) => {
                    self.cannot_follow(&error);
                    if error.is_missing() {
                        return Ok(());
                    }
                    break;
                }
                Ok(_) | Err(_) => {}
            }
            match tokio::time::timeout_at(deadline, self.saves.recv()).await {
                Ok(Some(seen)) if tokio::time::Instant::now() < deadline => {
                    self.file_seen(seen).await;
                    self.announce();
                }
                // Nothing is going to tell of it, and nobody has touched it since.
                Err(_) if settled && found.is_some() => {
                    self.look_at_file().await;
                    break;
                }
                Ok(_) | Err(_) => {
                    return Err(CommandError::Conflict {
                        message: format!(
                            "{} is being written by someone else; try again when that is done",
                            self.file_name
                        ),
                        diagnostics: none(),
                    });
                }
            }
        }
        let id = &self.running.revision.id;
        match &self.on_disk {
            OnDisk::Same => Ok(()),
            OnDisk::Unreadable { why } => {
                Err(CommandError::Conflict { message: why.clone(), diagnostics: none() })
            }
            OnDisk::Refused { diagnostics, why, .. } => Err(CommandError::Conflict {
                message: format!(
                    "{} holds an edit that could not be applied ({why}); mend the file, or write \
                     {id} over it first",
                    self.file_name
                ),
                diagnostics: diagnostics.clone(),
            }),
            OnDisk::Waiting { .. } => Err(CommandError::Conflict {
                message: format!(
                    "{} holds an edit that is not in effect; reload it, or write {id} over it first",
                    self.file_name
                ),
                diagnostics: none(),
            }),
        }
    }

    /// An edit of a file beside the bench file that nobody has told of yet, once it is still.
    async fn take_others_in(&mut self) {
        let main = TextHash::of(&*Files::main(&self.running.text));
        let runtime = &self.running.bench.runtime;
        let follows = runtime.hot_reload == setpoint_bench::model::HotReload::Apply;
        let quiet = runtime.quiet.max(Duration::from_millis(50));
        if self.paused || !follows || self.on_disk != OnDisk::Same {
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
                // The outcome is told and shown; a refused one stands in the way of the change.
                let _ = self.change(Proposal::around_file(now.text)).await;
                return;
            }
            last = now;
        }
    }

    /// Reads the file now and puts it into effect, also one that was refused before.
    pub(crate) async fn reload_now(&mut self, origin: Origin) -> Result<Answer, CommandError> {
        let file = match self.keeping.read_file().await {
            Ok(file) => file,
            Err(error) => {
                let message = self.cannot_follow(&error);
                return Err(CommandError::Storage { message });
            }
        };
        let unchanged = file.hash == self.running.hash && {
            let read = self.read(file.text.clone(), false, &mut Timings::default()).await;
            read.is_ok_and(|read| *read.bench == *self.running.bench)
        };
        if unchanged {
            self.on_disk = OnDisk::Same;
            let message = format!("{} is what runs already", self.file_name);
            self.tell(origin, "reload_unchanged", Tone::Info, message);
            return Ok(Answer::Done {});
        }
        self.change(Proposal::around_file(file.text)).await
    }

    /// Writes what runs over what the file holds; a text that never ran is kept first.
    pub(crate) async fn sync(
        &mut self,
        origin: Origin,
        author: String,
    ) -> Result<Answer, CommandError> {
        let same = self.keeping.read_file().await.is_ok_and(|file| file.hash == self.running.hash);
        let text = self.running.text.clone();
        let kept = if same { None } else { self.keeping.keep_what_is_there(&text).await? };
        match &kept {
            Some((_, hash)) => self.keeping.write_over(text, *hash).await?,
            None => self.keeping.write(text, Some(self.running.hash)).await?,
        }
        let now = self.keeping.read_file().await;
        if let Ok(now) = now
            && now.hash != self.running.hash
        {
            let surplus = Files::surplus(&now.text, &self.running.text).join(", ");
            let id = &self.running.revision.id;
            let message = format!(
                "{} is written as {id}, but there is more to the bench on disk than {id} has: \
                 {surplus}. Move that away, or reload.",
                self.file_name
            );
            self.on_disk = OnDisk::Waiting { text: now.text };
            return Err(CommandError::Conflict { message, diagnostics: none() });
        }
        self.on_disk = OnDisk::Same;
        let kept = kept.map(|(name, _)| format!("; what it held is kept as {name}"));
        let kept = kept.unwrap_or_default();
        let message = format!("{} written as {}{kept}", self.file_name, self.running.revision.id);
        self.tell(origin, "file_written", Tone::Good, format!("{message}, by {author}"));
        self.keeping.audit_note("file_written", "", &message, origin, &author).await?;
        Ok(Answer::Done {})
    }
}

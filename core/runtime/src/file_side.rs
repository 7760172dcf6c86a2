//! The manager's dealings with the file: saves seen, reload, sync.

use std::time::Instant;

use setpoint_store::{FileSeen, ReadError, TextHash};

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Tone},
    manager::{Manager, OnDisk},
    passage::{Proposal, ms},
    staging::none,
};

impl Manager {
    /// The watcher saw the file.
    pub(crate) async fn file_seen(&mut self, seen: FileSeen) {
        // An outcome always follows, even if it is the text of before.
        self.settling = matches!(seen, FileSeen::Settling);
        match seen {
            FileSeen::Settling => {}
            FileSeen::Text { text, hash, first_sign, .. } => {
                self.text_seen(text, hash, Some(first_sign)).await;
            }
            FileSeen::Gone => {
                let path = self.keeping.path().to_owned();
                self.cannot_follow(&ReadError::Missing { path });
            }
            FileSeen::Unreadable(error) => {
                self.cannot_follow(&error);
            }
        }
    }

    /// Notes that the file is gone or unreadable, once. Returns the words for it.
    fn cannot_follow(&mut self, error: &ReadError) -> String {
        let id = &self.running.revision.id;
        let why = if error.is_missing() {
            format!(
                "{} is gone. The bench still runs {id}; put the file back, or have it written anew",
                self.file_name
            )
        } else {
            format!("{error}. The bench still runs {id}")
        };
        let unreadable = OnDisk::Unreadable { why: why.clone() };
        if self.on_disk != unreadable {
            let kind = if error.is_missing() { "file_gone" } else { "file_unreadable" };
            self.tell(Origin::File, kind, Tone::Warning, why.clone());
            self.on_disk = unreadable;
        }
        why
    }

    async fn text_seen(
        &mut self,
        text: std::sync::Arc<str>,
        hash: TextHash,
        first_sign: Option<Instant>,
    ) {
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
        let known = match &self.on_disk {
            OnDisk::Refused { text: seen, .. } | OnDisk::Waiting { text: seen } => *seen == text,
            _ => false,
        };
        if known {
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

    /// Before a change from elsewhere: an edit of the file that nobody has told of yet comes
    /// first, so that it is not written over.
    pub(crate) async fn take_file_in(&mut self) -> Result<(), CommandError> {
        match self.keeping.read_file().await {
            Ok(file) => self.text_seen(file.text, file.hash, None).await,
            // A file that is gone can be written anew; one that cannot be read says so when it is
            // written.
            Err(error) => {
                tracing::debug!("the file cannot be read before a change: {error}");
                return Ok(());
            }
        }
        let id = &self.running.revision.id;
        match &self.on_disk {
            OnDisk::Same | OnDisk::Unreadable { .. } => Ok(()),
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

    /// Reads the file now and puts it into effect, also one that was refused before.
    pub(crate) async fn reload_now(&mut self, origin: Origin) -> Result<Answer, CommandError> {
        let file = match self.keeping.read_file().await {
            Ok(file) => file,
            Err(error) => {
                let message = self.cannot_follow(&error);
                return Err(CommandError::Storage { message });
            }
        };
        if file.hash == self.running.hash {
            self.on_disk = OnDisk::Same;
            let message = format!("{} is what runs already", self.file_name);
            self.tell(origin, "reload_unchanged", Tone::Info, message);
            return Ok(Answer::Done {});
        }
        self.change(Proposal::from_file(file.text, 0.0)).await
    }

    /// Writes what runs over what the file holds; a text that never ran is kept first.
    pub(crate) async fn sync(&mut self, origin: Origin) -> Result<Answer, CommandError> {
        let mut kept = String::new();
        if let Ok(file) = self.keeping.read_file().await
            && file.hash != self.running.hash
        {
            let name = self.keeping.keep_refused(&file.text, file.hash).await?;
            kept = format!("; what it held is kept as {name}");
        }
        let Self { running, keeping, .. } = self;
        keeping.write(running.text.clone(), running.hash).await?;
        self.on_disk = OnDisk::Same;
        let message = format!("{} written as {}{kept}", self.file_name, self.running.revision.id);
        self.tell(origin, "file_written", Tone::Good, message);
        Ok(Answer::Done {})
    }
}

//! The files of the bench: read, written and followed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use setpoint_bench::model::{RuntimeSettings, Watch};
use setpoint_store::{
    Beside, ReadError, StoreError, TextHash, WatchMethod, WatchMode, WatchOptions, Watcher,
};

use super::{Inner, Keeping, Unanswered, no_answer};
use crate::{
    command::CommandError,
    files::{Files, OnDiskText},
    standing::Ours,
};

/// How the files were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Over what they held, or they held it already.
    Over,
    /// The bench file was gone.
    Anew,
}

/// Why the files were not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Someone else did so meanwhile.
    Changed(StoreError),
    /// It cannot be done now; they are as they were.
    Failed(StoreError),
    /// The disk took too long. It may still be done: what they hold then decides.
    GivenUp(StoreError),
}

impl From<WriteError> for CommandError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed(error) | WriteError::Failed(error) | WriteError::GivenUp(error) => {
                error.into()
            }
        }
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed { .. } => Self::Changed(error),
            error => Self::Failed(error),
        }
    }
}

/// What the files held was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    /// The name it has now, and the fingerprint, of what the bench file held; `None`: there was
    /// none.
    pub(crate) main: Option<(String, TextHash)>,
    /// The same of other files, with their paths.
    others: Vec<(PathBuf, TextHash)>,
}

/// How the watcher is to follow the files of a bench.
pub(crate) fn watch_options(settings: &RuntimeSettings) -> WatchOptions {
    let method = match settings.watch {
        Watch::Auto => WatchMethod::Auto,
        Watch::Native => WatchMethod::Native,
        Watch::Poll => WatchMethod::Poll,
    };
    WatchOptions { quiet: settings.quiet, method, ..WatchOptions::default() }
}

impl Inner {
    /// Writes the files; the watcher is told not to take that for someone else's save. The bench
    /// file has to have the fingerprint `main_hash` until it is replaced; `None`: not to be there.
    fn put(&self, text: &Arc<str>, main_hash: Option<TextHash>) -> Result<(), StoreError> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watcher.as_ref() {
            for (path, hash) in self.files.hashes(text) {
                watcher.believe_beside(&path, hash);
            }
            watcher.believe(TextHash::of(&*Files::main(text)));
        }
        drop(watcher);
        self.files.write(text, main_hash)?;
        self.knows(text);
        Ok(())
    }

    /// Tells the watcher that the files were seen to hold a text.
    fn knows(&self, text: &Arc<str>) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watcher) = watcher.as_ref() else { return };
        for (path, hash) in self.files.hashes(text) {
            watcher.knows(Some(&path), Ok(hash));
        }
        watcher.knows(None, Ok(TextHash::of(&*Files::main(text))));
    }
}

impl Keeping {
    /// Hands over the watcher of the file.
    pub(crate) fn set_watcher(&self, watcher: Watcher) {
        *self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
    }

    fn watcher<R>(&self, ask: impl FnOnce(&Watcher) -> R) -> Option<R> {
        self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    /// Tells the watcher which files there are beside the bench file.
    pub(crate) fn follow(&self, beside: Beside) {
        self.watcher(|watcher| watcher.set_beside(beside));
    }

    /// Tells the watcher what the manager found in the files without having been told of it.
    pub(crate) fn knows(&self, text: &Arc<str>) {
        self.0.knows(text);
    }

    /// The same of the bench file where it could not be read.
    pub(crate) fn knows_unreadable(&self, error: &ReadError) {
        self.watcher(|watcher| watcher.knows(None, Err(error.clone())));
    }

    /// What the watcher told of last was not taken in: it tells what there is once more.
    pub(crate) fn look_again(&self) {
        self.watcher(Watcher::look_again);
    }

    /// The same of one file beside it: its fingerprint, or nothing if it was not there.
    pub(crate) fn knows_beside(&self, path: &Path, hash: Option<TextHash>) {
        let missing = || ReadError::Missing { path: path.to_owned() };
        self.watcher(|watcher| watcher.knows(Some(path), hash.ok_or_else(missing)));
    }

    /// Why the system does not tell of every save; `None` if it does.
    pub(crate) fn polling(&self) -> Option<String> {
        match self.watcher(Watcher::mode)? {
            WatchMode::Native => None,
            WatchMode::Polling { reason } => Some(reason),
        }
    }

    /// Follows the files as a bench wants it from now on.
    pub(crate) fn follow_as(&self, settings: &RuntimeSettings) {
        let options = watch_options(settings);
        self.watcher(|watcher| watcher.set_options(options));
    }

    /// What the bench's files hold now.
    pub(crate) async fn read_file(&self) -> Result<OnDiskText, ReadError> {
        let inner = self.0.clone();
        self.reading(move || inner.files.read(&inner.drivers.load())).await?
    }

    /// Station 8: the files, each whole or not at all. They are left alone if they hold anything
    /// but what is `ours`.
    pub(crate) async fn write(&self, text: Arc<str>, ours: Ours) -> Result<Wrote, WriteError> {
        self.writing(move |inner| {
            let mut main_hash = None;
            let changed = || WriteError::Changed(StoreError::Changed { path: inner.path.clone() });
            match inner.files.read(&inner.drivers.load()) {
                Ok(now) if now.text == text => {
                    inner.knows(&text);
                    return Ok(Wrote::Over);
                }
                Ok(now) if ours.hold(&now) => main_hash = Some(now.main_hash),
                Ok(_) => return Err(changed()),
                // Without the bench file nobody knows which others belong to it now.
                Err(error) if error.is_missing() => {
                    if !inner.files.others_that_differ(&ours.texts()).is_empty() {
                        return Err(changed());
                    }
                }
                Err(error @ ReadError::NotUtf8 { .. }) => {
                    return Err(WriteError::Changed(error.into()));
                }
                Err(error) => return Err(WriteError::Failed(error.into())),
            }
            inner.put(&text, main_hash)?;
            Ok(if main_hash.is_some() { Wrote::Over } else { Wrote::Anew })
        })
        .await
    }

    /// Keeps what the bench file holds, text or not, under a name that is no revision's, and so
    /// every other file that differs from what `text` has for it.
    pub(crate) async fn keep_what_is_there(&self, text: &Arc<str>) -> Result<Aside, CommandError> {
        let (inner, text) = (self.0.clone(), text.clone());
        self.with(move |store| {
            let mut others = Vec::new();
            for path in inner.files.others_that_differ(&[&text]) {
                let kept = store.revisions.keep_refused(&path)?;
                others.extend(kept.map(|(_, hash)| (path, hash)));
            }
            Ok(Aside { main: store.revisions.keep_refused(&inner.path)?, others })
        })
        .await
    }

    /// The files, over what they hold: they are left alone if that is not what was kept.
    pub(crate) async fn write_over(&self, text: Arc<str>, kept: Aside) -> Result<(), WriteError> {
        self.writing(move |inner| {
            let changed =
                |path: &Path| WriteError::Changed(StoreError::Changed { path: path.into() });
            let found = match std::fs::read(&inner.path) {
                Ok(bytes) => Some(TextHash::of(&bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    let reason = error.to_string();
                    let error = ReadError::Other { path: inner.path.clone(), reason };
                    return Err(WriteError::Failed(error.into()));
                }
            };
            let expected = kept.main.as_ref().map(|(_, hash)| *hash);
            if found != expected {
                return Err(changed(&inner.path));
            }
            for path in inner.files.others_that_differ(&[&text]) {
                let now = std::fs::read(&path).ok().map(|bytes| TextHash::of(&bytes));
                if !kept.others.iter().any(|(was, hash)| *was == path && Some(*hash) == now) {
                    return Err(changed(&path));
                }
            }
            Ok(inner.put(&text, expected)?)
        })
        .await
    }

    /// Keeps a text that a file held and that was written over for all that.
    pub(crate) async fn keep_aside(&self, text: Arc<str>) -> Result<String, CommandError> {
        self.with(move |store| Ok(store.revisions.keep_unnumbered(text.as_bytes())?.0)).await
    }

    /// Runs work on the files when it is its turn, on a thread that may block.
    async fn writing<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<R, WriteError> + Send + 'static,
    ) -> Result<R, WriteError> {
        let (inner, path) = (self.0.clone(), &self.0.path);
        // Before anything is written it would be read.
        if let Some(since) = inner.reading.stuck() {
            let path = path.clone();
            return Err(WriteError::Failed(StoreError::NoAnswer { action: "write", path, since }));
        }
        match self.storing(move |_| work(&inner)).await {
            Ok(written) => written,
            Err(why @ Unanswered::GivenUp(_)) => {
                Err(WriteError::GivenUp(no_answer("write", path, why)))
            }
            Err(why) => Err(WriteError::Failed(no_answer("write", path, why))),
        }
    }

    /// Stops and starts following the file.
    pub(crate) fn pause(&self, paused: bool) {
        self.watcher(|watcher| if paused { watcher.pause() } else { watcher.resume() });
    }
}

#[cfg(test)]
mod tests {
    use setpoint_store::{AccessRules, BenchFolder, Transactions};

    use super::*;
    use crate::{catalogue::Drivers, keeping::PATIENCE, shelf::Shelf};

    #[tokio::test]
    async fn nothing_is_written_over_that_was_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (path, more) = (dir.path().join("bench.toml"), dir.path().join("more.toml"));
        std::fs::write(&path, "bench.include = [\"more.toml\"]\n").unwrap();
        std::fs::write(&more, "bench.name = \"A\"\n").unwrap();
        let files = Files::new(&path, None, AccessRules::default());
        let drivers = Arc::new(Drivers::beside(&path));
        let text = files.read(&drivers).unwrap().text;
        let shelf = Shelf::open(&path).unwrap();
        let (transactions, _) = Transactions::open(&BenchFolder::of(&path));
        let (bench, none) = (path.clone(), (None, false));
        let keeping = Keeping::new(bench, files, drivers, shelf, none, transactions, PATIENCE);

        let kept = keeping.keep_what_is_there(&text).await.unwrap();
        std::fs::write(&more, "# someone else's\n").unwrap();
        let refused = keeping.write_over(text.clone(), kept).await;
        assert!(matches!(refused, Err(WriteError::Changed(_))), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&more).unwrap(), "# someone else's\n");
        let kept = keeping.keep_what_is_there(&text).await.unwrap();
        keeping.write_over(text, kept).await.unwrap();
        assert_eq!(std::fs::read_to_string(&more).unwrap(), "bench.name = \"A\"\n");
    }
}

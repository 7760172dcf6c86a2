//! `run.json`: where a running Setpoint can be reached, and with which token.

use std::{
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{ReadError, StoreError, atomic, folder::BenchFolder, private};

/// What a program needs in order to talk to the Setpoint that has a bench open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What to send as `Authorization: Bearer TOKEN`.
    pub token: String,
    /// The process.
    pub pid: u32,
    /// The bench file.
    pub bench: PathBuf,
}

impl fmt::Debug for RunFile {
    /// Without the token: this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFile")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .field("bench", &self.bench)
            .finish_non_exhaustive()
    }
}

impl RunFile {
    /// Writes it, readable by its owner only, until the guard is dropped. Where that cannot be done
    /// beside the bench file, it goes to a folder of this user alone.
    ///
    /// # Errors
    /// When it cannot be written, with why not beside the bench file.
    pub fn write(self, folder: &BenchFolder) -> Result<RunGuard, StoreError> {
        let beside = self.clone().write_beside(folder);
        let Err(error) = beside else { return beside };
        match private::run_file(folder.bench()).map(|path| self.write_to(path)) {
            Some(Ok(guard)) => Ok(guard),
            Some(Err(_)) | None => Err(error),
        }
    }

    /// The same beside the bench file and nowhere else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_beside(self, folder: &BenchFolder) -> Result<RunGuard, StoreError> {
        self.write_to(folder.run())
    }

    fn write_to(self, path: PathBuf) -> Result<RunGuard, StoreError> {
        let mut json = serde_json::to_string_pretty(&self)
            .map_err(|e| StoreError::Damaged { path: path.clone(), what: e.to_string() })?;
        json.push('\n');
        // One with wider permissions that someone left there must not lend them to the token.
        remove(&path)?;
        atomic::replace_private(&path, json.as_bytes())?;
        Ok(RunGuard { run: self, path, cleared: false })
    }

    /// Reads the one beside the bench file; `None` if there is none. After a crash it may speak of
    /// a process that is gone.
    ///
    /// # Errors
    /// When it may not be read, or holds something else.
    pub fn read(folder: &BenchFolder) -> Result<Option<Self>, StoreError> {
        Self::read_at(&folder.run())
    }

    /// Reads all that there are, also where none can be beside the bench file: of those that speak
    /// of a process that is gone, any number.
    pub fn read_all(folder: &BenchFolder) -> impl Iterator<Item = Result<Self, StoreError>> {
        let elsewhere = private::run_files(folder.bench());
        std::iter::once(folder.run())
            .chain(elsewhere)
            .filter_map(|path| Self::read_at(&path).transpose())
    }

    fn read_at(path: &Path) -> Result<Option<Self>, StoreError> {
        let damaged = |e: serde_json::Error| StoreError::Damaged {
            path: path.to_owned(),
            what: format!("{e}; it can be deleted"),
        };
        match atomic::read(path) {
            Ok(file) => serde_json::from_str(&file.text).map(Some).map_err(damaged),
            Err(ReadError::Missing { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// Removes `run.json` when dropped, unless another process has put its own there since.
#[must_use = "run.json is removed as soon as this is dropped"]
#[derive(Debug)]
pub struct RunGuard {
    run: RunFile,
    path: PathBuf,
    cleared: bool,
}

impl RunGuard {
    /// What was written.
    pub fn run(&self) -> &RunFile {
        &self.run
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now, if it is still ours.
    ///
    /// # Errors
    /// When it cannot be read or removed.
    pub fn clear(mut self) -> Result<(), StoreError> {
        self.remove_ours()
    }

    fn remove_ours(&mut self) -> Result<(), StoreError> {
        if self.cleared {
            return Ok(());
        }
        self.cleared = true;
        match RunFile::read_at(&self.path)? {
            Some(found) if found == self.run => remove(&self.path),
            _ => Ok(()),
        }
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        if let Err(e) = self.remove_ours() {
            tracing::warn!(error = %e, "run.json stays behind");
        }
    }
}

/// A fresh secret: 32 random bytes as 64 hex digits.
///
/// # Errors
/// When the system has no random bytes to give.
pub fn token() -> Result<String, StoreError> {
    atomic::random_hex::<32>()
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path, &e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn ours(folder: &BenchFolder) -> RunFile {
        RunFile {
            url: "http://127.0.0.1:4000".into(),
            token: token().unwrap(),
            pid: 12,
            bench: folder.bench().to_owned(),
        }
    }

    #[test]
    fn reads_back_is_private_and_goes_with_its_guard() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        assert_eq!(RunFile::read(&folder).unwrap(), None);
        fs::write(folder.run(), "{}").unwrap();
        let run = ours(&folder);
        let guard = run.clone().write(&folder).unwrap();
        assert_eq!(RunFile::read(&folder).unwrap(), Some(run));
        let mode = fs::metadata(folder.run()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(guard);
        assert!(!folder.run().exists());
    }

    #[test]
    fn leaves_the_one_of_another_process() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let first = ours(&folder).write(&folder).unwrap();
        let second = ours(&folder).write(&folder).unwrap();
        first.clear().unwrap();
        assert_eq!(RunFile::read(&folder).unwrap().as_ref(), Some(second.run()));
    }

    #[test]
    fn tokens_are_long_differ_and_stay_out_of_logs() {
        let dir = tempfile::tempdir().unwrap();
        let run = ours(&BenchFolder::of(&dir.path().join("bench.toml")));
        assert_eq!(run.token.len(), 64);
        assert_ne!(run.token, token().unwrap());
        assert!(!format!("{run:?}").contains(&run.token));
    }
}

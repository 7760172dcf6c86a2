//! The folder `.setpoint` beside a bench file.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use crate::{StoreError, atomic, run::RunFile};

/// Paths of everything Setpoint keeps beside a bench file. Deleting the folder loses history,
/// nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchFolder {
    bench: PathBuf,
    path: PathBuf,
}

impl BenchFolder {
    /// The folder that belongs to a bench file, beside the path as the person gave it: if that is
    /// a symbolic link, beside the link. Touches no disk.
    pub fn of(bench: &Path) -> Self {
        let bench = std::path::absolute(bench).unwrap_or_else(|_| bench.to_owned());
        let path = bench.parent().unwrap_or(Path::new("/")).join(".setpoint");
        Self { bench, path }
    }

    /// The same, made on the disk if it is not there, for its owner only (mode 0700).
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(bench: &Path) -> Result<Self, StoreError> {
        let folder = Self::of(bench);
        make(&folder.path)?;
        Ok(folder)
    }

    /// Whether there is one beside a bench file.
    pub fn exists(bench: &Path) -> bool {
        Self::of(bench).path().is_dir()
    }

    /// Whether something can be kept now: writes a small file in it and removes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn probe(&self) -> Result<(), StoreError> {
        let path = self.path.join("probe");
        // Larger than what a full disk may still have room for beside its names.
        let written = atomic::replace_private(&path, &[b' '; 16 * 1024]);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", &path, &e)),
            _ => written,
        }
    }

    /// The bench file, absolute, links unresolved.
    pub fn bench(&self) -> &Path {
        &self.bench
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where revisions are.
    pub fn versions(&self) -> PathBuf {
        self.path.join("versions")
    }

    /// What is known about the files of revisions without reading them; a cache.
    pub(crate) fn versions_seen(&self) -> PathBuf {
        self.path.join("versions.json")
    }

    /// Where staged changes are, one file a transaction.
    pub fn transactions(&self) -> PathBuf {
        self.path.join("transactions")
    }

    /// Where a commit under way says what it is about to do.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.toml")
    }

    /// The record of what was done.
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit.log")
    }

    /// The number and hash of the last record, to notice that records were cut off.
    pub fn audit_head(&self) -> PathBuf {
        self.path.join("audit.head")
    }

    /// Events, facts of revisions and readbacks over time.
    pub fn history(&self) -> PathBuf {
        self.path.join("history.sqlite")
    }

    /// Where a running Setpoint can be reached.
    pub fn run(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// The file whose lock says that a Setpoint has the bench open.
    pub fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Takes the bench for this process, until the guard is dropped or the process ends, in
    /// whatever way. Never waits. A lock file that is there is enough where none can be written.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another Setpoint has it; otherwise when the lock file cannot be
    /// made.
    pub fn lock(&self) -> Result<FolderLock, StoreError> {
        make(&self.path)?;
        let path = self.lock_file();
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path);
        let (file, writable) = match opened {
            Ok(file) => (file, true),
            // A lock on what can only be read keeps others out as well.
            Err(e) => match File::open(&path) {
                Ok(file) => (file, false),
                Err(_) => return Err(StoreError::io("open", &path, &e)),
            },
        };
        match file.try_lock() {
            Ok(()) => {
                self.claim(&file, writable)?;
                Ok(FolderLock { file })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                bench: self.bench.clone(),
                pid: RunFile::read(self).ok().flatten().map(|run| run.pid),
            }),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path, &e)),
        }
    }
}

impl BenchFolder {
    /// The lock file names the bench file that the folder belongs to: another one beside it would
    /// mix both histories. A name that is gone was renamed or deleted, and the folder is taken over.
    fn claim(&self, mut lock: &File, writable: bool) -> Result<(), StoreError> {
        let failed = |e: io::Error| StoreError::io("claim", &self.lock_file(), &e);
        let name = self.bench.file_name().unwrap_or_default().as_bytes();
        let mut owner = Vec::new();
        lock.take(4096).read_to_end(&mut owner).map_err(failed)?;
        if owner == name {
            return Ok(());
        }
        let other = self.bench.with_file_name(OsStr::from_bytes(&owner));
        if !owner.is_empty() && other.is_file() {
            return Err(StoreError::OtherBench { bench: self.bench.clone(), other });
        }
        if !writable {
            return Ok(());
        }
        lock.rewind()
            .and_then(|()| lock.set_len(0))
            .and_then(|()| lock.write_all(name))
            .map_err(failed)
    }
}

/// Holds a bench for this process; dropping it lets go.
#[must_use = "the bench is let go as soon as this is dropped"]
#[derive(Debug)]
pub struct FolderLock {
    // The lock lives and dies with the open file. The file stays: removing it would let two
    // processes lock two different files of the same name.
    file: File,
}

impl FolderLock {
    /// Whether the folder that is there now is the one that is held: it may have been deleted, or
    /// another be in its place.
    pub fn is_of(&self, folder: &BenchFolder) -> bool {
        let (Ok(held), Ok(there)) = (self.file.metadata(), fs::metadata(folder.lock_file())) else {
            return false;
        };
        (held.dev(), held.ino()) == (there.dev(), there.ino())
    }
}

/// Makes one folder with mode 0700 unless it is there, and makes that last.
pub(crate) fn make(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(parent) = path.parent() {
                sync_folder(parent).map_err(|e| StoreError::io("create", path, &e))?;
            }
            Ok(())
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Ok(()),
            _ => Err(StoreError::Damaged {
                path: path.to_owned(),
                what: "it should be a folder; move it away".into(),
            }),
        },
        Err(e) => Err(StoreError::io("create", path, &e)),
    }
}

/// Makes names in a folder last: what was created, renamed or removed in it.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    sync_open_folder(&File::open(path)?)
}

/// The same, of a folder that is open. Some network disks know no such thing and sync names by
/// themselves.
pub(crate) fn sync_open_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn is_private_and_beside_the_path_as_given() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("git")).unwrap();
        fs::write(dir.path().join("git/bench.toml"), "").unwrap();
        let link = dir.path().join("bench.toml");
        symlink("git/bench.toml", &link).unwrap();
        assert!(!BenchFolder::exists(&link));
        let folder = BenchFolder::open(&link).unwrap();
        assert!(BenchFolder::exists(&link));
        assert_eq!(folder.path(), dir.path().join(".setpoint"));
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(!dir.path().join("git/.setpoint").exists());
        BenchFolder::open(&link).unwrap();
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".setpoint"), "").unwrap();
        let error = BenchFolder::open(&dir.path().join("bench.toml")).unwrap_err();
        assert!(error.to_string().contains(".setpoint is damaged"), "{error}");
    }

    #[test]
    fn only_one_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let bench = dir.path().join("bench.toml");
        let folder = BenchFolder::open(&bench).unwrap();
        let held = folder.lock().unwrap();
        assert_eq!(
            folder.lock().unwrap_err(),
            StoreError::InUse { bench: bench.clone(), pid: None }
        );
        let run = RunFile {
            url: "http://127.0.0.1:1".into(),
            token: "t".into(),
            pid: 4711,
            bench: bench.clone(),
        };
        let _run = run.write(&folder).unwrap();
        assert_eq!(folder.lock().unwrap_err(), StoreError::InUse { bench, pid: Some(4711) });
        drop(held);
        assert!(folder.lock().is_ok());
    }
}

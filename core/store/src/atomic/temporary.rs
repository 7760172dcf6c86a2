//! Temporary files beside the one that is to be replaced, and sweeping away those that a crash
//! left behind.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{StoreError, error::reason, folder::BenchFolder, trail::Trail};

/// A temporary file, removed when dropped unless it was renamed into place.
pub(super) struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    /// A fresh one in a folder, for a file of that name there; open for reading too, so that what
    /// was written can be looked at.
    pub(super) fn create(
        folder: &Path,
        name: &OsStr,
        mode: u32,
    ) -> Result<(Self, File), StoreError> {
        let mut file_name = OsString::from(".");
        file_name.push(name);
        file_name.push(format!(".setpoint-{}.tmp", random_hex::<4>()?));
        let path = folder.join(file_name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(|e| StoreError::io("write", &path, &e))?;
        Ok((Self { path: Some(path) }, file))
    }

    pub(super) fn rename(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            uninterrupted(|| fs::rename(path, target))?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let Some(path) = &self.path else { return };
        match uninterrupted(|| fs::remove_file(path)) {
            Err(e) if e.kind() != ErrorKind::NotFound => tracing::warn!(
                file = %path.display(), error = %reason(&e),
                "a temporary file stays behind until the next start"
            ),
            _ => {}
        }
    }
}

/// Begins again where a signal came in between.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Removes temporary files that a crash in the middle of [`replace`](super::replace) left beside
/// one file, and says how many. Call it only while holding the bench's lock.
///
/// # Errors
/// When the folder cannot be read or a file in it not removed. A folder that is not there has
/// nothing to sweep.
pub fn sweep_temporary(path: &Path) -> Result<usize, StoreError> {
    let target = Trail::of(path).map_err(|e| StoreError::io("clean up", path, &e))?.target;
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Ok(0);
    };
    sweep(folder, |candidate| is_temporary_of(candidate, name))
}

/// The same for everything in the folder `.setpoint`: nobody else writes there.
///
/// # Errors
/// When a folder cannot be read or a file in it not removed.
pub fn sweep_folder(folder: &BenchFolder) -> Result<usize, StoreError> {
    let mut swept = 0;
    for folder in [folder.path().to_owned(), folder.versions(), folder.transactions()] {
        swept += sweep(&folder, is_temporary)?;
    }
    Ok(swept)
}

fn sweep(folder: &Path, ours: impl Fn(&OsStr) -> bool) -> Result<usize, StoreError> {
    let failed = |path: &Path, e: &io::Error| StoreError::io("clean up", path, e);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(failed(folder, &e)),
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry.map_err(|e| failed(folder, &e))?;
        if ours(&entry.file_name()) {
            uninterrupted(|| fs::remove_file(entry.path()))
                .map_err(|e| failed(&entry.path(), &e))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Whether a name is that of a temporary file for a file called `name`.
fn is_temporary_of(candidate: &OsStr, name: &OsStr) -> bool {
    replaced(candidate) == Some(name.as_encoded_bytes())
}

fn is_temporary(candidate: &OsStr) -> bool {
    replaced(candidate).is_some()
}

/// The name of the file that a temporary one was to replace: `x` of `.x.setpoint-0a1b2c3d.tmp`.
fn replaced(candidate: &OsStr) -> Option<&[u8]> {
    let rest = candidate.as_encoded_bytes().strip_prefix(b".")?.strip_suffix(b".tmp")?;
    let (rest, random) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    let name = rest.strip_suffix(b".setpoint-")?;
    (random.iter().all(u8::is_ascii_hexdigit) && !name.is_empty()).then_some(name)
}

/// `N` random bytes from the system, as hex digits.
pub(crate) fn random_hex<const N: usize>() -> Result<String, StoreError> {
    let mut bytes = [0_u8; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(StoreError::NoRandom { reason: e.to_string() }),
        }
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_error_after_writing_removes_the_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let (temporary, mut file) =
            Temporary::create(dir.path(), OsStr::new("bench.toml"), 0o600).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        fs::create_dir(dir.path().join("bench.toml")).unwrap();
        assert!(temporary.rename(&dir.path().join("bench.toml")).is_err());
        assert_eq!(names(dir.path()), ["bench.toml"]);
    }

    #[test]
    fn sweeping_takes_our_temporary_files_only() {
        let dir = tempfile::tempdir().unwrap();
        let (temporary, _file) =
            Temporary::create(dir.path(), OsStr::new("bench.toml"), 0o600).unwrap();
        std::mem::forget(temporary);
        let others = [
            ".bench.toml.setpoint-0a1b2c3.tmp",
            ".bench.toml.setpoint-0a1b2c3x.tmp",
            ".bench.toml.swp",
            ".other.toml.setpoint-0a1b2c3d.tmp",
            "bench.toml",
        ];
        for other in others {
            fs::write(dir.path().join(other), "").unwrap();
        }
        assert_eq!(sweep_temporary(&dir.path().join("bench.toml")).unwrap(), 1);
        assert_eq!(names(dir.path()), others);
        assert_eq!(sweep_temporary(&dir.path().join("none/bench.toml")).unwrap(), 0);
    }

    #[test]
    fn sweeping_the_folder_takes_them_whatever_they_were_for() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        assert_eq!(sweep_folder(&folder).unwrap(), 0);
        fs::create_dir(folder.versions()).unwrap();
        fs::create_dir(folder.transactions()).unwrap();
        for place in [folder.path().to_owned(), folder.versions(), folder.transactions()] {
            fs::write(place.join(".journal.toml.setpoint-0a1b2c3d.tmp"), "").unwrap();
            fs::write(place.join("kept.tmp"), "").unwrap();
        }
        assert_eq!(sweep_folder(&folder).unwrap(), 3);
        assert_eq!(names(folder.path()), ["kept.tmp", "transactions", "versions"]);
        assert_eq!(names(&folder.versions()), ["kept.tmp"]);
        assert_eq!(names(&folder.transactions()), ["kept.tmp"]);
    }
}

//! Replacing a file: write a temporary file beside it, fsync, rename, fsync of the folder. The
//! only recipe that leaves the file whole, and the acknowledged text in it, after a power cut.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    rand::{GetRandomFlags, getrandom},
};

use crate::{StoreError, folder::sync_folder, trail::Trail};

/// Puts `bytes` in the place of the file that `path` leads to, or makes that file. At every
/// instant it holds all of the old or all of the new. Symbolic links on the way stay; permissions
/// are kept, the owner too where the system allows it. A fresh file gets 0644, less the umask.
///
/// # Errors
/// When it could not be done; the file then is as it was, and no temporary file stays behind.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes, 0o644)
}

/// The same, for files that are nobody else's business: a fresh one gets 0600.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes, 0o600)
}

/// Removes temporary files that a crash in the middle of [`replace`] left behind, and says how
/// many. Call it only while holding the bench's lock.
///
/// # Errors
/// When the folder cannot be read or a file in it not removed.
pub fn sweep_temporary(path: &Path) -> Result<usize, StoreError> {
    let failed = |path: &Path, e: &io::Error| StoreError::io("clean up", path, e);
    let target = Trail::of(path).map_err(|e| failed(path, &e))?.target;
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Ok(0);
    };
    let mut swept = 0;
    for entry in fs::read_dir(folder).map_err(|e| failed(folder, &e))? {
        let entry = entry.map_err(|e| failed(folder, &e))?;
        if is_temporary(&entry.file_name(), name) {
            fs::remove_file(entry.path()).map_err(|e| failed(&entry.path(), &e))?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn write_whole(path: &Path, bytes: &[u8], fresh_mode: u32) -> Result<(), StoreError> {
    let failed = |e: &io::Error| StoreError::io("write", path, e);
    let target = Trail::of(path).map_err(|e| failed(&e))?.target;
    let old = match fs::symlink_metadata(&target) {
        Ok(meta) if !meta.is_file() => return Err(StoreError::NotAFile { path: path.to_owned() }),
        Ok(meta) => Some(meta),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(failed(&e)),
    };
    // Renaming would pass over a read-only mark that someone set on purpose.
    if old.is_some() && accessat(CWD, &target, Access::WRITE_OK, AtFlags::EACCESS).is_err() {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(StoreError::NotAFile { path: path.to_owned() });
    };

    let mode = if old.is_some() { 0o600 } else { fresh_mode };
    let (temporary, mut file) = Temporary::create(folder, name, mode)
        .map_err(|e| if matches!(e, StoreError::NoRandom { .. }) { e } else { at(e, path) })?;
    if let Some(old) = &old {
        keep_owner_and_mode(&file, old).map_err(|e| failed(&e))?;
    }
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.sync_all().map_err(|e| failed(&e))?;
    temporary.rename(&target).map_err(|e| failed(&e))?;

    // Failed here means: done, but it might not outlast a power cut. The text is in place, so
    // that is what the caller is told; anything else would make it undo what is done.
    if let Err(e) = sync_folder(folder) {
        match fs::read(&target) {
            Ok(found) if found == bytes => {
                tracing::warn!(file = %target.display(), error = %e, "written, but its folder could not be synced");
            }
            _ => return Err(failed(&e)),
        }
    }
    Ok(())
}

/// Owner first: changing it clears mode bits.
fn keep_owner_and_mode(file: &File, old: &Metadata) -> io::Result<()> {
    let ours = file.metadata()?;
    if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
        // Only root may give files away; a member may give one to a group.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()))
            .or_else(|_| fchown(file, None, Some(old.gid())));
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

/// A temporary file, removed when dropped unless it was renamed into place.
struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    fn create(folder: &Path, name: &OsStr, mode: u32) -> Result<(Self, File), StoreError> {
        let mut file_name = OsString::from(".");
        file_name.push(name);
        file_name.push(format!(".setpoint-{}.tmp", random_hex::<4>()?));
        let path = folder.join(file_name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(|e| StoreError::io("write", &path, &e))?;
        Ok((Self { path: Some(path) }, file))
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(e) = fs::remove_file(path)
        {
            tracing::warn!(file = %path.display(), error = %e, "a temporary file stays behind");
        }
    }
}

/// Names the file the caller knows, not the temporary one.
fn at(error: StoreError, path: &Path) -> StoreError {
    match error {
        StoreError::Io { action, reason, kind, .. } => {
            StoreError::Io { action, path: path.to_owned(), reason, kind }
        }
        other => other,
    }
}

fn is_temporary(candidate: &OsStr, name: &OsStr) -> bool {
    let (candidate, name) = (candidate.as_encoded_bytes(), name.as_encoded_bytes());
    candidate
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix(b".setpoint-"))
        .and_then(|rest| rest.strip_suffix(b".tmp"))
        .is_some_and(|middle| middle.len() == 8 && middle.iter().all(u8::is_ascii_hexdigit))
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
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn keeps_permissions_and_makes_another_inode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap().ino();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o640);
        assert_ne!(fs::metadata(&path).unwrap().ino(), before);
        assert_eq!(names(dir.path()), ["bench.toml"]);
    }

    #[test]
    fn keeps_the_owner_where_it_may() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        fs::write(&path, "old").unwrap();
        if std::os::unix::fs::chown(&path, Some(1234), Some(1234)).is_err() {
            return; // Only root can set this test up.
        }
        replace(&path, b"new").unwrap();
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (1234, 1234));
    }

    #[test]
    fn a_fresh_file_is_readable_and_a_private_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (open, private) = (dir.path().join("a"), dir.path().join("b"));
        replace(&open, b"1").unwrap();
        replace_private(&private, b"1").unwrap();
        // The umask may take bits away, never from the owner.
        assert_eq!(mode(&open) & !0o044, 0o600);
        assert_eq!(mode(&private), 0o600);
    }

    #[test]
    fn links_stay_links() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("git")).unwrap();
        let file = dir.path().join("git/optics.toml");
        fs::write(&file, "old").unwrap();
        symlink("git/optics.toml", dir.path().join("current.toml")).unwrap();
        let link = dir.path().join("bench.toml");
        symlink("current.toml", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["bench.toml", "current.toml", "git"]);
        assert_eq!(names(&dir.path().join("git")), ["optics.toml"]);
    }

    #[test]
    fn a_link_to_nothing_gets_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("bench.toml");
        symlink("optics.toml", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read(dir.path().join("optics.toml")).unwrap(), b"new");
    }

    #[test]
    fn an_error_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        fs::create_dir(&path).unwrap();
        assert_eq!(
            replace(&path, b"new").unwrap_err(),
            StoreError::NotAFile { path: path.clone() }
        );
        assert!(replace(&dir.path().join("none/bench.toml"), b"new").is_err());
        assert_eq!(names(dir.path()), ["bench.toml"]);
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
        for other in [".bench.toml.swp", ".other.toml.setpoint-0a1b2c3d.tmp", "bench.toml"] {
            fs::write(dir.path().join(other), "").unwrap();
        }
        assert_eq!(sweep_temporary(&dir.path().join("bench.toml")).unwrap(), 1);
        assert_eq!(
            names(dir.path()),
            [".bench.toml.swp", ".other.toml.setpoint-0a1b2c3d.tmp", "bench.toml"]
        );
    }
}

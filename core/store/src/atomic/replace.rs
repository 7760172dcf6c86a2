//! Replacing a file: write a temporary file beside it, fsync, read it back, rename, fsync of the
//! folder. The only recipe that leaves the file whole, and the acknowledged text in it, after a
//! power cut.
//!
//! A failed fsync is final for the file it failed on: the kernel may have dropped what it could
//! not write, and a second fsync of the same file would find nothing left to do. The temporary
//! file is thrown away, and whoever tries again begins with another.

use std::{
    fs::{self, File, Metadata, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt, fchown},
    path::Path,
};

use rustix::{
    fs::{Access, AtFlags, CWD, XattrFlags, accessat, fsetxattr, getxattr, listxattr},
    io::Errno,
};

use crate::{
    StoreError, atomic::temporary::Temporary, error::reason, folder::sync_open_folder, trail::Trail,
};

/// Puts `bytes` in the place of the file that `path` leads to, or makes that file. At every
/// instant it holds all of the old or all of the new. Symbolic links on the way stay; permissions,
/// access lists and attributes are kept, the owner too where the system allows it. A fresh file
/// gets 0644, less the umask.
///
/// # Errors
/// When it could not be done; the file then is as it was, and no temporary file stays behind.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes, 0o644, |_| Ok(()))
}

/// The same, with a last look: `check` is called with the bytes as they were read back from the
/// disk, when nothing is left to do but the rename. What it finds out about the file to be replaced
/// is as fresh as it can be.
///
/// # Errors
/// Those of `check`, and when it could not be done; the file then is as it was, and no temporary
/// file stays behind.
pub fn replace_checked(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    write_whole(path, bytes, 0o644, check)
}

/// The same as [`replace`], for files that are nobody else's business: a fresh one gets 0600.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes, 0o600, |_| Ok(()))
}

fn write_whole(
    path: &Path,
    bytes: &[u8],
    fresh_mode: u32,
    check: impl FnOnce(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |e: &io::Error| StoreError::io("write", path, e);
    let target = Trail::of(path).map_err(|e| failed(&e))?.target;
    let old = match fs::symlink_metadata(&target) {
        Ok(meta) if !meta.is_file() => return Err(StoreError::NotAFile { path: path.to_owned() }),
        Ok(meta) => Some(meta),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(failed(&e)),
    };
    // Renaming would pass over a read-only mark that someone set on purpose.
    if old.is_some() {
        match accessat(CWD, &target, Access::WRITE_OK, AtFlags::EACCESS) {
            Err(Errno::ACCESS | Errno::PERM) => {
                return Err(StoreError::ReadOnly { path: path.to_owned() });
            }
            asked => asked.map_err(|e| failed(&e.into()))?,
        }
    }
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(StoreError::NotAFile { path: path.to_owned() });
    };

    // Opened first: once the file is renamed, nothing may be missing for making that last.
    let open_folder = File::open(folder).map_err(|e| failed(&e))?;
    let mode = if old.is_some() { 0o600 } else { fresh_mode };
    let (temporary, mut file) = Temporary::create(folder, name, mode)
        .map_err(|e| if matches!(e, StoreError::NoRandom { .. }) { e } else { at(e, path) })?;
    if let Some(old) = &old {
        keep_owner_and_mode(&file, old).map_err(|e| failed(&e))?;
        keep_attributes(&file, &target);
    }
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.sync_all().map_err(|e| failed(&e))?;
    let read_back = read_back(&file, bytes.len()).map_err(|e| failed(&e))?;
    if read_back != bytes {
        return Err(StoreError::ReadBack { path: path.to_owned() });
    }
    check(&read_back)?;
    if let Err(e) = temporary.rename(&target) {
        // On a network disk the answer may be lost after the deed is done.
        if !is_in_place(&file, &target, bytes) {
            return Err(failed(&e));
        }
        tracing::warn!(
            file = %target.display(), error = %reason(&e), "replaced, though the rename failed"
        );
    }

    // Failed here means: done, but it might not outlast a power cut. The text is in place, so
    // that is what the caller is told; anything else would make it undo what is done.
    if let Err(e) = sync_open_folder(&open_folder) {
        if !is_in_place(&file, &target, bytes) {
            return Err(failed(&e));
        }
        tracing::warn!(
            file = %target.display(), error = %reason(&e),
            "written, but its folder could not be synced: a power cut might undo it"
        );
    }
    Ok(())
}

/// What is in the file that was just written, at most one byte more than should be there.
fn read_back(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length + 1];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Whether what was written stands under its name, whatever the last call said. The file is known
/// by its number, which takes no open file; where numbers mean nothing, by what it holds.
fn is_in_place(file: &File, target: &Path, bytes: &[u8]) -> bool {
    let number = |meta: Metadata| (meta.dev(), meta.ino());
    let ours = file.metadata().map(number);
    let theirs = fs::symlink_metadata(target).map(number);
    matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours == theirs)
        || fs::read(target).is_ok_and(|found| found == bytes)
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

/// Access lists and people's own attributes, as far as the disk knows them; a file without them
/// is still whole, so what cannot be kept is no error.
fn keep_attributes(file: &File, old: &Path) {
    let mut names = [0_u8; 4096];
    let Ok(length) = listxattr(old, &mut names[..]) else { return };
    let names = names.get(..length).unwrap_or_default();
    for name in names.split(|byte| *byte == 0) {
        if name != b"system.posix_acl_access" && !name.starts_with(b"user.") {
            continue;
        }
        let mut value = vec![0_u8; 65_536];
        if let Ok(length) = getxattr(old, name, &mut value[..]) {
            value.truncate(length);
            let _ = fsetxattr(file, name, &value, XattrFlags::empty());
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

#[cfg(test)]
mod tests;

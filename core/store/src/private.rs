//! Folders of this user alone, for what cannot lie beside a bench file: the lock on the file that
//! links lead to, and `run.json` of a bench whose folder cannot be written.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use crate::{StoreError, hash::TextHash};

/// Links that are followed on the way to a file that is not there; as many as the system follows.
const LINKS: usize = 40;
/// How often a lock file is opened again that its owner removed meanwhile.
const ATTEMPTS: usize = 16;

/// Holds the file that a bench is in, whatever links lead to it, for this process; dropping it
/// lets go.
#[must_use = "the file is let go as soon as this is dropped"]
#[derive(Debug)]
pub struct TargetLock {
    _held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    path: PathBuf,
    // The lock lives and dies with the open file.
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is locked: whoever has opened it finds that it is not the one in place.
        let _ = fs::remove_file(&self.path);
    }
}

impl TargetLock {
    /// Takes the file that a path leads to now, until this is dropped or the process ends, in
    /// whatever way. Never waits. Where this user has no folder of its own, nothing is held, and
    /// the lock beside the bench file has to do.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another Setpoint of this user has it.
    pub fn take(bench: &Path) -> Result<Self, StoreError> {
        match folder() {
            Some(folder) => Self::take_in(&folder, bench),
            None => {
                tracing::warn!("this user has no folder for locks: links are not looked through");
                Ok(Self { _held: None })
            }
        }
    }

    fn take_in(folder: &Path, bench: &Path) -> Result<Self, StoreError> {
        let path = folder.join(format!("{}.lock", key(&target(bench))));
        for _ in 0..ATTEMPTS {
            match locked(&path) {
                Ok(file) if in_place(&file, &path) => {
                    let held = Held { path, _file: file };
                    return Ok(Self { _held: Some(held) });
                }
                Ok(_) => {}
                Err(TryLockError::WouldBlock) => {
                    let bench = std::path::absolute(bench).unwrap_or_else(|_| bench.to_owned());
                    let pid = fs::read_to_string(&path).ok().and_then(|pid| pid.parse().ok());
                    return Err(StoreError::InUse { bench, pid });
                }
                Err(TryLockError::Error(error)) => {
                    tracing::warn!("{} cannot be locked: {error}", path.display());
                    break;
                }
            }
        }
        Ok(Self { _held: None })
    }
}

/// A locked file that names this process.
fn locked(path: &Path) -> Result<File, TryLockError> {
    let open = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path);
    let mut file = open.map_err(TryLockError::Error)?;
    file.try_lock()?;
    let named =
        file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    if let Err(error) = named {
        // Only the words of a refusal are the poorer for it.
        tracing::debug!("{} does not name its process: {error}", path.display());
    }
    Ok(file)
}

/// Whether a file is the one of that name, and not one that was removed since it was opened.
fn in_place(file: &File, path: &Path) -> bool {
    let same = |(one, other): (fs::Metadata, fs::Metadata)| {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    };
    file.metadata().and_then(|one| Ok((one, fs::metadata(path)?))).is_ok_and(same)
}

/// The name of what is kept about a path, the same for every spelling of it that has no links.
fn key(path: &Path) -> String {
    TextHash::of(path.as_os_str().as_bytes()).to_string()
}

/// Where a path leads, also if nothing is there.
fn target(bench: &Path) -> PathBuf {
    let mut path = bench.to_owned();
    for _ in 0..LINKS {
        if let Ok(whole) = path.canonicalize() {
            return whole;
        }
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("/")).join(to),
            Err(_) => break,
        }
    }
    in_resolved_folder(&path)
}

/// The same with only its folder resolved.
fn in_resolved_folder(bench: &Path) -> PathBuf {
    let folder = bench.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, bench.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => bench.to_owned(),
    }
}

/// Where `run.json` of a bench is kept if it cannot be beside it; made if it is not there.
pub(crate) fn run_file(bench: &Path) -> Option<PathBuf> {
    Some(folder()?.join(run_name(bench)))
}

/// Where it may have been kept.
pub(crate) fn run_files(bench: &Path) -> impl Iterator<Item = PathBuf> {
    let name = run_name(bench);
    candidates().into_iter().filter(|folder| is_private(folder)).map(move |one| one.join(&name))
}

fn run_name(bench: &Path) -> String {
    format!("{}.json", key(&in_resolved_folder(bench)))
}

/// The first folder that is this user's alone, made if it is not there.
fn folder() -> Option<PathBuf> {
    candidates().into_iter().find(|folder| match made(folder) {
        Ok(private) => private,
        Err(error) => {
            tracing::debug!("{} cannot be used: {error}", folder.display());
            false
        }
    })
}

/// Folders in the order in which they are tried: for this run of the computer, for this user, for
/// whoever has neither.
fn candidates() -> Vec<PathBuf> {
    let uid = geteuid().as_raw();
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    let from = |name: &str| env::var_os(name).map(PathBuf::from).and_then(absolute);
    // A service has no such variable and the same folder.
    let runtime = from("XDG_RUNTIME_DIR").unwrap_or_else(|| format!("/run/user/{uid}").into());
    let home = || Some(env::home_dir().and_then(absolute)?.join(".local/state"));
    let state = from("XDG_STATE_HOME").or_else(home);
    let bases = [Some(runtime).filter(|it| it.is_dir()), state];
    let ours = bases.into_iter().flatten().filter(|base| is_in_ours(base));
    let temporary = env::temp_dir().join(format!("setpoint-{uid}"));
    ours.map(|base| base.join("setpoint/run")).chain([temporary]).collect()
}

/// Whether what is there of a path is this user's: nothing is left in the home of someone else.
fn is_in_ours(path: &Path) -> bool {
    let there = path.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    there.is_some_and(|(path, meta)| path.parent().is_some() && meta.uid() == geteuid().as_raw())
}

/// Makes a folder with mode 0700 unless it is there. Answers whether it is this user's alone.
fn made(folder: &Path) -> io::Result<bool> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(is_private(folder)),
    }
}

/// A folder, no link to one, that only this user may look into or write.
fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|meta| {
        meta.is_dir() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o077 == 0
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_held_through_every_link_and_left_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["locks", "store", "one", "two", "three"] {
            fs::create_dir(at(name)).unwrap();
        }
        for name in ["store/a.toml", "store/b.toml"] {
            fs::write(at(name), "").unwrap();
        }
        symlink("../store/a.toml", at("one/bench.toml")).unwrap();
        symlink("../one/bench.toml", at("two/bench.toml")).unwrap();
        symlink("../store/b.toml", at("three/bench.toml")).unwrap();
        let take = |name: &str| TargetLock::take_in(&at("locks"), &at(name));
        let refused = |name: &str| take(name).unwrap_err();
        let in_use =
            |name: &str| StoreError::InUse { bench: at(name), pid: Some(std::process::id()) };

        let one = take("one/bench.toml").unwrap();
        assert_eq!(refused("two/bench.toml"), in_use("two/bench.toml"));
        assert_eq!(refused("store/a.toml"), in_use("store/a.toml"));
        let three = take("three/bench.toml").unwrap();
        // A save puts another file in its place, and in between there is none.
        fs::remove_file(at("store/a.toml")).unwrap();
        assert_eq!(refused("two/bench.toml"), in_use("two/bench.toml"));
        fs::write(at("store/a.toml"), "").unwrap();
        assert_eq!(refused("two/bench.toml"), in_use("two/bench.toml"));
        drop(one);
        drop((take("two/bench.toml").unwrap(), three));
        assert_eq!(fs::read_dir(at("locks")).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_file_that_was_removed_after_it_was_opened_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = locked(&path).unwrap();
        assert!(in_place(&file, &path));
        fs::remove_file(&path).unwrap();
        assert!(!in_place(&file, &path));
        let other = locked(&path).unwrap();
        assert!(in_place(&other, &path) && !in_place(&file, &path));
    }

    #[test]
    fn only_folders_of_this_user_alone_are_used() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state/setpoint/run");
        assert!(made(&folder).unwrap());
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(!made(&folder).unwrap());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let link = dir.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(!made(&link).unwrap(), "whoever made it may lead it elsewhere");
        assert!(is_in_ours(&dir.path().join("not/there")) && !is_in_ours(Path::new("/not/there")));
    }
}

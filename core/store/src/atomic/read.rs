//! Reading a text file, with an answer for everything that is not one.

use std::{
    fs::{self, Metadata, OpenOptions},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use rustix::fs::OFlags;

use crate::{ReadError, TextHash};

/// The largest bench file, in bytes.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How often [`read`] starts again when someone writes while it reads.
const TRIES: usize = 3;

/// A text and its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// The whole text, as it is in the file.
    pub text: Arc<str>,
    /// Its fingerprint.
    pub hash: TextHash,
}

impl From<&str> for FileText {
    fn from(text: &str) -> Self {
        Self { text: text.into(), hash: TextHash::of(text) }
    }
}

/// Which file a name leads to, and in what state: enough to notice nearly every change cheaply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stat {
    /// Of the file that a path leads to; `None` if there is none or it cannot be asked.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|meta| Self::from(&meta))
    }
}

impl From<&Metadata> for Stat {
    fn from(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            seconds: meta.mtime(),
            nanoseconds: meta.mtime_nsec(),
        }
    }
}

/// What one reading found.
pub(crate) struct Reading {
    pub(crate) text: FileText,
    /// Of the file that was read, before reading.
    pub(crate) stat: Stat,
    /// Nobody wrote to it meanwhile.
    pub(crate) still: bool,
}

/// Reads a text file of at most [`MAX_BYTES`].
///
/// # Errors
/// See [`ReadError`]; each names the path.
pub fn read(path: &Path) -> Result<FileText, ReadError> {
    let mut reading = read_with_stat(path)?;
    for _ in 1..TRIES {
        if reading.still {
            break;
        }
        reading = read_with_stat(path)?;
    }
    Ok(reading.text)
}

/// Reads once. The state is asked of the open file, not of its name: a save by renaming in the
/// middle of it then does not matter, what was read is one whole text.
pub(crate) fn read_with_stat(path: &Path) -> Result<Reading, ReadError> {
    let failed = |e: std::io::Error| ReadError::from_io(path, &e);
    // A pipe must not be opened at all: its writer would notice.
    refuse_odd(path, &fs::metadata(path).map_err(failed)?)?;
    let mut file = OpenOptions::new()
        .read(true)
        // Should it have become a pipe since, opening it must not wait for a writer.
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    refuse_odd(path, &before)?;
    let mut bytes = Vec::with_capacity(before.len() as usize + 1);
    file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLarge { path: path.to_owned(), bytes: bytes.len() as u64 });
    }
    let after = file.metadata().map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let (line, column) = place(&String::from_utf8_lossy(good));
        ReadError::NotUtf8 { path: path.to_owned(), line, column }
    })?;
    let (stat, after) = (Stat::from(&before), Stat::from(&after));
    let hash = TextHash::of(&text);
    Ok(Reading { text: FileText { text: text.into(), hash }, stat, still: stat == after })
}

fn refuse_odd(path: &Path, meta: &Metadata) -> Result<(), ReadError> {
    let path = path.to_owned();
    if meta.is_dir() {
        Err(ReadError::Folder { path })
    } else if !meta.is_file() {
        Err(ReadError::NotAFile { path })
    } else if meta.len() > MAX_BYTES {
        Err(ReadError::TooLarge { path, bytes: meta.len() })
    } else {
        Ok(())
    }
}

/// Line and column, from 1, of what follows a text.
fn place(text: &str) -> (usize, usize) {
    let line = text.matches('\n').count() + 1;
    let last = text.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn tells_the_kinds_of_trouble_apart() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let fails = |name: &str| read(&at(name)).unwrap_err();

        assert_eq!(fails("none.toml"), ReadError::Missing { path: at("none.toml") });
        fs::create_dir(at("folder")).unwrap();
        assert_eq!(fails("folder"), ReadError::Folder { path: at("folder") });
        fs::write(at("latin.toml"), b"a = 1\n# \xc3\xbc \xfc\n").unwrap();
        assert_eq!(
            fails("latin.toml"),
            ReadError::NotUtf8 { path: at("latin.toml"), line: 2, column: 5 }
        );
        let big = fs::File::create(at("big.toml")).unwrap();
        big.set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(
            fails("big.toml"),
            ReadError::TooLarge { path: at("big.toml"), bytes: MAX_BYTES + 1 }
        );
        symlink("loop", at("loop")).unwrap();
        assert!(matches!(fails("loop"), ReadError::Other { .. }));
        fs::write(at("file"), "").unwrap();
        assert!(fails("file/bench.toml").is_missing());
        assert!(matches!(read(Path::new("/dev/null")), Err(ReadError::NotAFile { .. })));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&path).unwrap_err(), ReadError::NotAFile { path });
    }

    #[test]
    fn reads_text_and_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bench.toml");
        fs::write(&path, "\u{feff}a = 1\r\n").unwrap();
        assert_eq!(read(&path).unwrap(), FileText::from("\u{feff}a = 1\r\n"));
    }
}

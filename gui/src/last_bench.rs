//! Which bench was open last, kept between runs.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// A folder of the XDG base directories: the variable, else the place below the home folder.
pub(crate) fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    env::var_os(variable)
        .map(PathBuf::from)
        .and_then(absolute)
        .or_else(|| Some(env::home_dir().and_then(absolute)?.join(below_home)))
}

fn file() -> Option<PathBuf> {
    Some(folder("XDG_STATE_HOME", ".local/state")?.join("setpoint").join("last-bench"))
}

/// The bench that was open last, if it is still there.
pub fn recall() -> Option<PathBuf> {
    recall_from(&file()?)
}

fn recall_from(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let path = PathBuf::from(text.trim_end_matches('\n'));
    path.is_file().then_some(path)
}

/// Keeps a bench as the one that was open last.
///
/// # Errors
/// If the state folder cannot be written; nothing depends on it.
pub fn remember(bench: &Path) -> io::Result<()> {
    match file() {
        Some(file) => remember_in(&file, bench),
        None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no home folder")),
    }
}

fn remember_in(file: &Path, bench: &Path) -> io::Result<()> {
    let bench = std::path::absolute(bench)?;
    let Some(text) = bench.to_str() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"));
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    setpoint_store::atomic::replace(file, format!("{text}\n").as_bytes())
        .map(drop)
        .map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_recalled_while_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state").join("last-bench");
        let bench = folder.path().join("my bench.toml");
        fs::write(&bench, "").unwrap();
        assert_eq!(recall_from(&state), None);
        remember_in(&state, &bench).unwrap();
        assert_eq!(recall_from(&state), Some(bench.clone()));
        fs::remove_file(bench).unwrap();
        assert_eq!(recall_from(&state), None);
    }
}

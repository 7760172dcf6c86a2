//! A bench file in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

/// A bench file, and a home for whoever opens it. Both go when this goes.
#[derive(Debug)]
pub struct Bench {
    top: TempDir,
}

impl Bench {
    /// A copy of the demo bench.
    pub fn demo() -> Self {
        Self::of(demo_text())
    }

    /// A bench with this text.
    pub fn of(text: impl AsRef<[u8]>) -> Self {
        let bench = Self::without_file();
        fs::write(bench.path(), text).expect("the bench file can be written");
        bench
    }

    /// The folder alone.
    pub fn without_file() -> Self {
        let top = tempfile::Builder::new().prefix("setpoint-test-").tempdir();
        let top = top.expect("a temporary folder can be made");
        for name in ["bench", "home"] {
            fs::create_dir(top.path().join(name)).expect("a folder can be made");
        }
        Self { top }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder().join("bench.toml")
    }

    /// The folder it is in.
    pub fn folder(&self) -> PathBuf {
        self.top.path().join("bench")
    }

    /// The home folder of whoever opens it.
    pub fn home(&self) -> PathBuf {
        self.top.path().join("home")
    }

    /// What the file holds.
    pub fn text(&self) -> String {
        fs::read_to_string(self.path()).expect("the bench file can be read")
    }

    /// Saves as most editors do: a new file, renamed into place.
    pub fn save_by_rename(&self, text: impl AsRef<[u8]>) {
        let new = self.folder().join(".bench.toml.swp-new");
        fs::write(&new, text).expect("the new file can be written");
        fs::rename(new, self.path()).expect("it can be renamed into place");
    }

    /// Saves as some editors do: cuts the file to nothing and writes it anew.
    pub fn save_in_place(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path(), text).expect("the bench file can be written");
    }

    /// What running instances say of themselves, if there is one.
    pub fn run_file(&self) -> Option<Value> {
        let text = fs::read_to_string(self.folder().join(".setpoint/run.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Kept revisions: file names and texts, oldest first.
    pub fn versions(&self) -> Vec<(String, String)> {
        let Ok(entries) = fs::read_dir(self.folder().join(".setpoint/versions")) else {
            return Vec::new();
        };
        let mut versions: Vec<_> = entries
            .map(|entry| {
                let path = entry.expect("the folder can be read").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).expect("a revision can be read"))
            })
            .collect();
        versions.sort();
        versions
    }
}

/// The text of the demo bench.
pub fn demo_text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/bench.toml");
    fs::read_to_string(path).expect("the demo bench is in the repository")
}

/// `text` with one place changed.
///
/// # Panics
/// If that place is not there exactly once: the test's idea of the file is out of date.
pub fn with(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "“{old}” must be there once, in:\n{text}");
    text.replacen(old, new, 1)
}

/// Lines that differ: number, before, after.
///
/// # Panics
/// If there are more or fewer lines than before.
pub fn changed_lines<'a>(before: &'a str, after: &'a str) -> Vec<(usize, &'a str, &'a str)> {
    // Not `lines()`: line ends count.
    let before: Vec<_> = before.split('\n').collect();
    let after: Vec<_> = after.split('\n').collect();
    assert_eq!(before.len(), after.len(), "lines came or went");
    let pairs = before.into_iter().zip(after).enumerate();
    pairs.filter(|(_, (a, b))| a != b).map(|(at, (a, b))| (at + 1, a, b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_count_as_changes() {
        assert_eq!(changed_lines("a\nb\r\nc", "a\nb\nc"), [(2, "b\r", "b")]);
        assert!(changed_lines("a\n", "a\n").is_empty());
    }
}

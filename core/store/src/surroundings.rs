//! The files beside a bench and the process environment, for reading a bench in layers.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use setpoint_bench::layers::{Surroundings, Unreadable};

use crate::{AccessError, AccessRules, ReadError, atomic};

/// More files than this are no bench; a pattern such as `**/*.toml` in a large folder finds them.
const MOST_FILES: usize = 10_000;

/// How patterns match names.
const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The folder of a bench file on disk, and the environment of this process.
#[derive(Debug, Clone)]
pub struct DiskSurroundings {
    folder: PathBuf,
    bench: PathBuf,
    rules: AccessRules,
}

impl DiskSurroundings {
    /// For the bench file at `bench`; names are then relative to its folder. Allows what
    /// [`AccessRules`] allow where a person has set none.
    pub fn beside(bench: &Path) -> Self {
        // Found names come without `.`, and are compared with this.
        let parts = bench.parent().into_iter().flat_map(Path::components);
        let folder = parts.filter(|part| *part != Component::CurDir).collect();
        Self { folder, bench: bench.to_owned(), rules: AccessRules::default() }
    }

    /// The same by other rules.
    pub fn allowing(self, rules: AccessRules) -> Self {
        Self { rules, ..self }
    }
}

impl DiskSurroundings {
    /// Those of some names that a pattern matches, by the rules of
    /// [`matching`](Surroundings::matching) and without a look at the disk.
    ///
    /// # Errors
    /// [`Unreadable::Other`] if the pattern is not one.
    pub fn among(&self, pattern: &str, names: &[&str]) -> Result<Vec<String>, Unreadable> {
        let pattern = glob::Pattern::new(pattern).map_err(|error| {
            Unreadable::Other(format!("it is not a pattern of file names: {}", error.msg))
        })?;
        let matches = |name: &&&str| pattern.matches_with(name, OPTIONS);
        let mut found: Vec<String> =
            names.iter().filter(matches).map(|name| (*name).to_owned()).collect();
        found.sort();
        Ok(found)
    }

    /// The folders that a pattern matches, sorted, `/` between their parts.
    ///
    /// # Errors
    /// As [`matching`](Surroundings::matching).
    pub(crate) fn folders(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        self.list(pattern, Path::is_dir)
    }

    fn list(
        &self,
        pattern: &str,
        wanted: impl Fn(&Path) -> bool,
    ) -> Result<Vec<String>, Unreadable> {
        let other = |error: String| Unreadable::Other(error);
        let folder = self.folder.to_str().ok_or_else(|| {
            other(format!("the name of the folder {} is not UTF-8", self.folder.display()))
        })?;
        let slash = if folder.is_empty() || folder.ends_with('/') { "" } else { "/" };
        let whole = if pattern.starts_with('/') {
            pattern.to_owned()
        } else {
            format!("{}{slash}{pattern}", glob::Pattern::escape(folder))
        };
        let found = glob::glob_with(&whole, OPTIONS)
            .map_err(|error| other(format!("it is not a pattern of file names: {}", error.msg)))?;
        let mut names = Vec::new();
        for path in found {
            let path = path.map_err(|error| {
                other(format!("{} cannot be listed: {}", error.path().display(), error.error()))
            })?;
            // A name that is not UTF-8 cannot be one that a bench file means.
            let name = if pattern.starts_with('/') {
                path.to_str()
            } else {
                path.strip_prefix(&self.folder).ok().and_then(Path::to_str)
            };
            if let Some(name) = name.filter(|_| wanted(&path)) {
                names.push(name.to_owned());
            }
            if names.len() > MOST_FILES {
                return Err(other(format!("it matches more than {MOST_FILES} files")));
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

impl Surroundings for DiskSurroundings {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        let path = self.folder.join(name);
        match self.rules.check_beside(&self.bench, &path) {
            Ok(()) => {}
            Err(error @ AccessError::Outside { .. }) => {
                return Err(Unreadable::Outside(error.to_string()));
            }
            Err(error) => return Err(Unreadable::NotAllowed(error.to_string())),
        }
        match atomic::read(&path) {
            Ok(file) => Ok(file.text),
            Err(ReadError::Missing { .. }) => Err(Unreadable::Missing),
            Err(ReadError::NotUtf8 { line, column, .. }) => {
                Err(Unreadable::NotUtf8 { line, column })
            }
            Err(error) => Err(Unreadable::Other(error.to_string())),
        }
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        // What an editor leaves beside a file is no part of a bench.
        self.list(pattern, |path| {
            path.is_file() && !path.file_name().is_some_and(crate::watch::is_artefact)
        })
    }

    fn allows(&self, path: &str) -> bool {
        self.rules.allows(Path::new(path))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn variables(&self) -> Vec<(String, String)> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let ours = |(name, _): &(String, String)| name.starts_with("SETPOINT__");
        std::env::vars_os().filter_map(text).filter(ours).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        // Characters that mean something in a pattern.
        for name in [
            "b.toml",
            "a.toml",
            ".hidden.toml",
            "a.toml~",
            "4913",
            "cams/c.toml",
            "cams/more/d.toml",
            "x.txt",
        ] {
            let path = dir.path().join("table [3]*").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        fs::create_dir(dir.path().join("table [3]*/folder.toml")).unwrap();
        fs::create_dir_all(dir.path().join("table [3]*/.setpoint/versions")).unwrap();
        fs::write(dir.path().join("table [3]*/.setpoint/versions/v.toml"), "").unwrap();
        dir
    }

    #[test]
    fn patterns_match_files_below_the_folder_sorted() {
        let dir = folder();
        let disk = DiskSurroundings::beside(&dir.path().join("table [3]*/bench.toml"));
        for (pattern, expected) in [
            ("*.toml", vec!["a.toml", "b.toml"]),
            ("*", vec!["a.toml", "b.toml", "x.txt"]),
            ("[ab].toml", vec!["a.toml", "b.toml"]),
            ("?.txt", vec!["x.txt"]),
            ("cams/*.toml", vec!["cams/c.toml"]),
            ("**/*.toml", vec!["a.toml", "b.toml", "cams/c.toml", "cams/more/d.toml"]),
            ("none/*.toml", vec![]),
        ] {
            assert_eq!(disk.matching(pattern).unwrap(), expected, "{pattern}");
        }
        assert!(matches!(disk.matching("a***"), Err(Unreadable::Other(_))));
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_one_we_are_in() {
        for bench in ["bench.toml", "./bench.toml", "src/../bench.toml", "../store/./bench.toml"] {
            let disk = DiskSurroundings::beside(Path::new(bench));
            assert_eq!(disk.matching("C*.toml").unwrap(), ["Cargo.toml"], "{bench}");
            assert!(disk.file("Cargo.toml").unwrap().contains("setpoint-store"));
        }
    }

    #[test]
    fn files_that_are_not_there_or_no_text_are_told_apart() {
        let dir = folder();
        let disk = DiskSurroundings::beside(&dir.path().join("table [3]*/bench.toml"));
        fs::write(dir.path().join("table [3]*/latin.toml"), b"a = \"\xfc\"").unwrap();
        assert_eq!(&*disk.file("cams/c.toml").unwrap(), "cams/c.toml");
        assert_eq!(disk.file("none.toml"), Err(Unreadable::Missing));
        assert_eq!(disk.file("latin.toml"), Err(Unreadable::NotUtf8 { line: 1, column: 6 }));
        assert!(matches!(disk.file("cams"), Err(Unreadable::Other(_))));
    }

    #[test]
    fn variables_are_those_of_the_process() {
        let disk = DiskSurroundings::beside(Path::new("bench.toml"));
        // Set for every test by cargo.
        assert_eq!(disk.variable("CARGO_PKG_NAME").as_deref(), Some("setpoint-store"));
        assert_eq!(disk.variable("NO SUCH=VARIABLE"), None);
        assert!(disk.variables().iter().all(|(name, _)| name.starts_with("SETPOINT__")));
    }
}

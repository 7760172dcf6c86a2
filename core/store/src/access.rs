//! Which files a bench may be made of. What any user of the computer could have written must not
//! decide what a laser does; and a bench that came from elsewhere must not reach beyond its folder.
//!
//! Only the rights of *others* count: who is in a file's group was chosen by whoever set it up.

use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use setpoint_bench::{Diagnostic, Severity, Span};

/// The right of others to write, to read, and the mark of folders in which only the owner of a file
/// may replace it.
const OTHERS_WRITE: u32 = 0o002;
const OTHERS_READ: u32 = 0o004;
const STICKY: u32 = 0o1000;

/// The finding that every user of the computer may read a file that holds secrets.
pub const EXPOSED: &str = "secrets_exposed";

/// What a person allows, from `settings.toml`. Without one nothing is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessRules {
    /// Whether a bench may be made of files that every user of the computer may write.
    pub allow_writable_by_others: bool,
    /// Folders, absolute, in which files of a bench may lie besides the bench's own.
    pub allowed_folders: Vec<PathBuf>,
}

/// Why a file of a bench is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Others may write it, or put another file in its place.
    #[error(
        "every user of this computer may write to {what}, so {path} is not used: take that right \
         away (chmod o-w), or set allow_writable_by_others = true in Setpoint's settings"
    )]
    OthersMayWrite {
        /// The file.
        path: PathBuf,
        /// The file or its folder.
        what: PathBuf,
    },
    /// A link leads out of the bench's folder.
    #[error(
        "{path} leads to {target}, which is not in the bench's folder: put the file there, or name \
         its folder in allowed_folders in Setpoint's settings"
    )]
    Outside {
        /// The file as it is named.
        path: PathBuf,
        /// Where it is.
        target: PathBuf,
    },
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be read.
    #[error("the settings {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not TOML, or has a key or value that means nothing.
    #[error("{path}:{line}: {what}; it may hold allow_writable_by_others and allowed_folders")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

impl AccessRules {
    /// Reads `settings.toml`; if there is none, nothing is allowed.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(settings: &Path) -> Result<Self, SettingsError> {
        let text = match fs::read_to_string(settings) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(e) => {
                let (path, reason) = (settings.to_owned(), crate::error::reason(&e));
                return Err(SettingsError::Unreadable { path, reason });
            }
        };
        let wrong = |at: usize, what: String| SettingsError::Wrong {
            path: settings.to_owned(),
            line: text.get(..at).unwrap_or_default().matches('\n').count() + 1,
            what,
        };
        let rules: Self = toml::from_str(&text).map_err(|e| {
            wrong(e.span().map_or(0, |span| span.start), e.message().trim_end().replace('\n', ", "))
        })?;
        match rules.allowed_folders.iter().find(|folder| !folder.is_absolute()) {
            Some(folder) => Err(wrong(
                text.find("allowed_folders").unwrap_or(0),
                format!("“{}” in allowed_folders is not an absolute path", folder.display()),
            )),
            None => Ok(rules),
        }
    }

    /// Whether files below an absolute path may be part of a bench that is elsewhere.
    pub fn allows(&self, path: &Path) -> bool {
        self.allowed_folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether a bench file may be used. One that is not there is for the reader to tell.
    ///
    /// # Errors
    /// [`AccessError::OthersMayWrite`]
    pub fn check(&self, path: &Path) -> Result<(), AccessError> {
        if self.allow_writable_by_others {
            return Ok(());
        }
        let target = fs::canonicalize(path).ok();
        // A link may be replaced by whoever may write its folder, its file by whoever may write its.
        for path in [Some(path), target.as_deref()].into_iter().flatten() {
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            let others_write = |path: &Path, unless: u32| {
                fs::metadata(path)
                    .is_ok_and(|meta| meta.mode() & OTHERS_WRITE != 0 && meta.mode() & unless == 0)
            };
            let what = if others_write(path, 0) {
                path
            } else {
                match folder.unwrap_or(Path::new(".")) {
                    folder if others_write(folder, STICKY) => folder,
                    _ => continue,
                }
            };
            return Err(AccessError::OthersMayWrite {
                path: path.to_owned(),
                what: what.to_owned(),
            });
        }
        Ok(())
    }

    /// Whether a file may be part of the bench whose bench file is at `bench`: an include, an
    /// overlay, `.env`. Links may lead about in the bench's folder, and in that of the file that
    /// the bench file itself is a link to.
    ///
    /// # Errors
    /// See [`AccessError`]. A file that is not there is for the reader to tell.
    pub fn check_beside(&self, bench: &Path, path: &Path) -> Result<(), AccessError> {
        let Ok(target) = fs::canonicalize(path) else { return Ok(()) };
        let folder = bench.parent().filter(|folder| *folder != Path::new(""));
        let given = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok();
        let linked = fs::canonicalize(bench).ok().and_then(|file| Some(file.parent()?.to_owned()));
        let allowed =
            self.allowed_folders.iter().filter_map(|folder| fs::canonicalize(folder).ok());
        if !given.into_iter().chain(linked).chain(allowed).any(|folder| target.starts_with(folder))
        {
            return Err(AccessError::Outside { path: path.to_owned(), target });
        }
        self.check(path)
    }
}

/// Whether every user of the computer may read a file, as far as its own rights say.
pub fn others_may_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.mode() & OTHERS_READ != 0)
}

/// What every user of the computer can read of a bench's secrets, a warning for each file: `.env`
/// beside it, and files with a secret in plain text, as `findings` say. `path` is the bench file,
/// `name` what it is called in them. Asks the disk: this is no fact of any text.
pub fn exposed_secrets(path: &Path, name: &str, findings: &[Diagnostic]) -> Vec<Diagnostic> {
    let plain = findings.iter().filter(|finding| finding.code == "plain_secret");
    let plain = plain.map(|finding| finding.file.as_str());
    // Other files are called as they are found from the folder that the bench file's name leads to.
    let folder = name.rfind('/').and_then(|end| name.get(..=end)).unwrap_or_default();
    let dot_env = format!("{folder}.env");
    let names: BTreeSet<&str> = std::iter::once(dot_env.as_str()).chain(plain).collect();
    let told = |name: &str| {
        let file = path.with_file_name(name.strip_prefix(folder).unwrap_or(name));
        others_may_read(&file).then(|| Diagnostic {
            severity: Severity::Warning,
            code: EXPOSED.to_owned(),
            path: String::new(),
            message: format!(
                "{name} holds secrets, and every user of this computer may read it: take that \
                 right away (chmod o-r {})",
                file.display()
            ),
            file: name.to_owned(),
            span: Span::default(),
            suggestion: None,
        })
    };
    names.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    fn bench(mode: u32, folder_mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let bench = dir.path().join("bench.toml");
        fs::write(&bench, "").unwrap();
        fs::set_permissions(&bench, Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(folder_mode)).unwrap();
        (dir, bench)
    }

    #[test]
    fn what_others_may_write_is_refused_unless_allowed() {
        let strict = AccessRules::default();
        for (mode, folder_mode) in [(0o644, 0o755), (0o664, 0o775), (0o600, 0o1777)] {
            let (_dir, bench) = bench(mode, folder_mode);
            assert_eq!(strict.check(&bench), Ok(()), "{mode:o} in {folder_mode:o}");
        }
        for (mode, folder_mode, is_file) in [(0o646, 0o755, true), (0o644, 0o777, false)] {
            let (dir, bench) = bench(mode, folder_mode);
            let what = if is_file { bench.clone() } else { dir.path().to_owned() };
            let refused = AccessError::OthersMayWrite { path: bench.clone(), what };
            assert_eq!(strict.check(&bench), Err(refused), "{mode:o} in {folder_mode:o}");
            let lax = AccessRules { allow_writable_by_others: true, ..AccessRules::default() };
            assert_eq!(lax.check(&bench), Ok(()));
        }
        assert_eq!(strict.check(Path::new("/none/at/all")), Ok(()));
    }

    #[test]
    fn the_file_behind_a_link_counts_and_its_folder() {
        let (dir, file) = bench(0o644, 0o777);
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("bench.toml");
        symlink(&file, &link).unwrap();
        let refused = AccessRules::default().check(&link).unwrap_err();
        assert!(
            matches!(&refused, AccessError::OthersMayWrite { what, .. } if what == dir.path()),
            "{refused}"
        );
    }

    #[test]
    fn links_may_lead_about_in_the_folder_and_to_what_is_allowed() {
        let (dir, bench) = bench(0o644, 0o755);
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("cams.toml"), "").unwrap();
        fs::create_dir(dir.path().join("v1")).unwrap();
        fs::write(dir.path().join("v1/cams.toml"), "").unwrap();
        symlink("v1", dir.path().join("..data")).unwrap();
        symlink("..data/cams.toml", dir.path().join("inside.toml")).unwrap();
        symlink(elsewhere.path().join("cams.toml"), dir.path().join("out.toml")).unwrap();

        let strict = AccessRules::default();
        assert_eq!(strict.check_beside(&bench, &dir.path().join("inside.toml")), Ok(()));
        assert_eq!(strict.check_beside(&bench, &dir.path().join("none.toml")), Ok(()));
        let out = dir.path().join("out.toml");
        let refused = strict.check_beside(&bench, &out).unwrap_err();
        assert!(matches!(refused, AccessError::Outside { .. }), "{refused}");
        let allowed_folders = vec![elsewhere.path().to_owned()];
        let lax = AccessRules { allowed_folders, ..AccessRules::default() };
        assert_eq!(lax.check_beside(&bench, &out), Ok(()));

        // A bench file that is a link brings the folder of its file with it.
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("bench.toml");
        symlink(&bench, &link).unwrap();
        symlink(dir.path().join("v1/cams.toml"), home.path().join("cams.toml")).unwrap();
        assert_eq!(strict.check_beside(&link, &home.path().join("cams.toml")), Ok(()));
    }

    #[test]
    fn settings_are_read_and_mistakes_are_named_with_their_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        assert_eq!(AccessRules::read(&path), Ok(AccessRules::default()));
        fs::write(&path, "allow_writable_by_others = true\nallowed_folders = [\"/data\"]\n")
            .unwrap();
        let rules = AccessRules::read(&path).unwrap();
        assert!(rules.allow_writable_by_others);
        assert!(
            rules.allows(Path::new("/data/cams.toml")) && !rules.allows(Path::new("/database"))
        );
        for (text, said) in [
            ("\nallow_everything = true\n", "settings.toml:2: unknown field `allow_everything`"),
            ("allow_writable_by_others = 1\n", "settings.toml:1: invalid type"),
            ("\n\nallowed_folders = [\"data\"]\n", "settings.toml:3: “data”"),
            ("= 1\n", "settings.toml:1: "),
        ] {
            fs::write(&path, text).unwrap();
            let error = AccessRules::read(&path).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn reading_by_others_is_told_by_the_mode() {
        let (_dir, bench) = bench(0o640, 0o755);
        assert!(!others_may_read(&bench));
        fs::set_permissions(&bench, Permissions::from_mode(0o604)).unwrap();
        assert!(others_may_read(&bench));
    }
}

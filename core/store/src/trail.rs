//! Where a path leads: every symbolic link on the way, and the file at its end.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The kernel gives up after as many links.
const MAX_LINKS: usize = 40;

/// A name in a folder; the folder's own path has no links in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) name: OsString,
}

/// The way from a path to its file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Every link on the way, then the file itself; if something is missing, the first missing
    /// name ends the list.
    pub(crate) places: Vec<Place>,
    /// The file, without links in its path. It need not exist.
    pub(crate) target: PathBuf,
}

impl Trail {
    /// Follows a path.
    ///
    /// # Errors
    /// When links go in a circle, when the path names no file (`/`, `..`), or when the current
    /// folder of a relative path is gone.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut places = Vec::new();
        let mut here = PathBuf::from("/");
        let mut ahead: VecDeque<OsString> = parts(&path);
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            match fs::symlink_metadata(&next) {
                Ok(meta) if meta.is_symlink() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::other("its symbolic links go in a circle"));
                    }
                    let leads = fs::read_link(&next)?;
                    places.push(Place { folder: here.clone(), name });
                    if leads.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    for part in parts(&leads).into_iter().rev() {
                        ahead.push_front(part);
                    }
                }
                Ok(_) if !ahead.is_empty() => here = next,
                // The end of the way, whether something is there or not.
                Ok(_) | Err(_) => {
                    places.push(Place { folder: here, name });
                    let target = ahead.into_iter().fold(next, |path, part| path.join(part));
                    return Ok(Self { places, target });
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"))
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        (dir, path)
    }

    fn place(folder: &Path, name: &str) -> Place {
        Place { folder: folder.to_owned(), name: name.into() }
    }

    #[test]
    fn a_plain_file_is_one_place() {
        let (_keep, root) = root();
        fs::write(root.join("bench.toml"), "").unwrap();
        let trail = Trail::of(&root.join("bench.toml")).unwrap();
        assert_eq!(trail.places, [place(&root, "bench.toml")]);
        assert_eq!(trail.target, root.join("bench.toml"));
    }

    #[test]
    fn links_of_files_and_folders_are_places() {
        let (_keep, root) = root();
        fs::create_dir(root.join("v1")).unwrap();
        fs::write(root.join("v1/bench.toml"), "").unwrap();
        symlink("v1", root.join("..data")).unwrap();
        symlink("..data/bench.toml", root.join("bench.toml")).unwrap();
        let trail = Trail::of(&root.join("bench.toml")).unwrap();
        let file = root.join("v1");
        assert_eq!(
            trail.places,
            [place(&root, "bench.toml"), place(&root, "..data"), place(&file, "bench.toml")]
        );
        assert_eq!(trail.target, root.join("v1/bench.toml"));
    }

    #[test]
    fn the_first_missing_name_ends_it() {
        let (_keep, root) = root();
        let trail = Trail::of(&root.join("gone/too/bench.toml")).unwrap();
        assert_eq!(trail.places, [place(&root, "gone")]);
        assert_eq!(trail.target, root.join("gone/too/bench.toml"));
    }

    #[test]
    fn a_circle_is_an_error() {
        let (_keep, root) = root();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert!(Trail::of(&root.join("a")).is_err());
    }
}

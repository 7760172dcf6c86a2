//! Which folders have to be watched for a path, and for which names in them.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::trail::Trail;

/// A folder with its device and inode: a folder put in its place is another.
pub(super) type Folder = (PathBuf, u64, u64);

/// The folders that a path leads through. Two that are equal need the same watches, unless a
/// folder was replaced by one with the same inode; events tell of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) folders: Vec<Folder>,
    pub(super) names: Vec<OsString>,
}

impl Way {
    /// To a file: every folder that a link on the way, the file, or the first missing name is in.
    /// A link that goes in a circle is watched through its own folder.
    pub(super) fn to_file(path: &Path) -> Self {
        let mut way = Self::default();
        match Trail::of(path) {
            Ok(trail) => {
                for place in trail.places {
                    way.add(place.folder, place.name);
                }
            }
            Err(_) => {
                if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
                    way.add(folder.to_owned(), name.to_owned());
                }
            }
        }
        way
    }

    /// Into a folder: it is watched if it is there, and so is every folder that a link on the way
    /// is in. The folder above is not, for it may be a busy one.
    pub(super) fn into_folder(path: &Path) -> Self {
        let mut way = Self::default();
        match Trail::of(path) {
            Ok(mut trail) if trail.target.is_dir() => {
                trail.places.pop();
                for place in trail.places {
                    way.add(place.folder, place.name);
                }
                way.add_folder(trail.target);
                way
            }
            _ => Self::to_file(path),
        }
    }

    fn add(&mut self, folder: PathBuf, name: OsString) {
        self.add_folder(folder);
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn add_folder(&mut self, folder: PathBuf) {
        if !self.folders.iter().any(|(known, ..)| *known == folder) {
            let (device, inode) =
                fs::metadata(&folder).map_or((0, 0), |meta| (meta.dev(), meta.ino()));
            self.folders.push((folder, device, inode));
        }
    }
}

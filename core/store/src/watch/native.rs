//! What the system tells about the folders that a path leads through.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};

use super::inbox::{Inbox, Sign};
use crate::trail::Trail;

/// Which folders to watch, and for which names in them. Two that are equal need the same watches,
/// unless a folder was replaced by one with the same inode; events tell of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// With device and inode.
    folders: Vec<(PathBuf, u64, u64)>,
    names: HashSet<OsString>,
}

impl Scope {
    /// Every folder that a link on the way, the file, or the first missing name is in. A link that
    /// goes in a circle is watched through its own folder.
    pub(super) fn of(path: &Path) -> Self {
        let mut scope = Self::default();
        match Trail::of(path) {
            Ok(trail) => {
                for place in trail.places {
                    scope.add(place.folder, place.name);
                }
            }
            Err(_) => {
                if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
                    scope.add(folder.to_owned(), name.to_owned());
                }
            }
        }
        scope
    }

    fn add(&mut self, folder: PathBuf, name: OsString) {
        if !self.folders.iter().any(|(known, ..)| *known == folder) {
            let (device, inode) =
                fs::metadata(&folder).map_or((0, 0), |meta| (meta.dev(), meta.ino()));
            self.folders.push((folder, device, inode));
        }
        self.names.insert(name);
    }
}

/// A running watch. Each is made afresh: there is no watching state to get out of step.
pub(super) struct Native {
    _watcher: RecommendedWatcher,
}

impl Native {
    pub(super) fn start(scope: &Scope, inbox: &Arc<Inbox>) -> Result<Self, notify::Error> {
        let to = inbox.clone();
        let names = scope.names.clone();
        let folders: HashSet<PathBuf> =
            scope.folders.iter().map(|(path, ..)| path.clone()).collect();
        let mut watcher = RecommendedWatcher::new(
            move |event: notify::Result<Event>| match event {
                Ok(event) => tell(&event, &names, &folders, &to),
                Err(_) => to.put(|news| news.rearm = true),
            },
            notify::Config::default(),
        )?;
        for (folder, ..) in &scope.folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { _watcher: watcher })
    }
}

/// Turns an event into a hint, if it is about one of the names or folders.
fn tell(event: &Event, names: &HashSet<OsString>, folders: &HashSet<PathBuf>, inbox: &Inbox) {
    if event.need_rescan() {
        return inbox.hint(Sign::Change);
    }
    let Some(sign) = sign(&event.kind) else {
        return;
    };
    if event.paths.iter().any(|path| folders.contains(path)) {
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
            inbox.put(|news| news.rearm = true);
        }
        return inbox.hint(if sign == Sign::Renamed { sign } else { Sign::Mark });
    }
    // By name only: the same folder can be known under another path.
    if event.paths.iter().filter_map(|path| path.file_name()).any(|name| names.contains(name)) {
        inbox.hint(sign);
    }
}

fn sign(kind: &EventKind) -> Option<Sign> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sign::Closed),
        // Reading makes events too, our own reading among them.
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Sign::Renamed),
        // Both names in one event, after one event for each: it would end what has begun since.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Sign::Mark),
        _ => Some(Sign::Change),
    }
}

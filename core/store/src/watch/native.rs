//! What the system tells about the folders that paths lead through.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};

use super::{
    artefact::is_artefact,
    beside::NAMES,
    inbox::{FileId, Inbox, Sign},
};

/// What a name in a watched folder is to the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// One of its files, or a link or folder on the way to it.
    File(FileId),
    /// On the way to a folder in which a pattern looks.
    Pattern,
}

/// For which names there is interest. Shared with the thread that gets the events, so that it can
/// change while watching goes on.
#[derive(Debug, Default)]
pub(super) struct Interest {
    pub(super) names: HashMap<OsString, Vec<Target>>,
    pub(super) folders: HashSet<PathBuf>,
    /// Names that a part of a pattern could match, folders among them.
    pub(super) parts: Vec<glob::Pattern>,
    /// The same of the last parts alone, which are about files.
    pub(super) last_parts: Vec<glob::Pattern>,
}

/// A running watch. Each is made afresh: there is no watching state to get out of step.
pub(super) struct Native {
    _watcher: RecommendedWatcher,
}

impl Native {
    pub(super) fn start<'p>(
        folders: impl Iterator<Item = &'p Path>,
        interest: &Arc<Mutex<Interest>>,
        inbox: &Arc<Inbox>,
    ) -> Result<Self, notify::Error> {
        let (to, interest) = (inbox.clone(), interest.clone());
        let mut watcher = RecommendedWatcher::new(
            move |event: notify::Result<Event>| match event {
                Ok(event) => {
                    tell(&event, &interest.lock().unwrap_or_else(PoisonError::into_inner), &to);
                }
                Err(_) => to.put(|news| news.rearm = true),
            },
            notify::Config::default(),
        )?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { _watcher: watcher })
    }
}

/// Turns an event into a hint, if it is about one of the names or folders.
fn tell(event: &Event, interest: &Interest, inbox: &Inbox) {
    if event.need_rescan() {
        // Events were lost: of any file, of a folder too. Another may have taken its place, and
        // nothing would be told of that one.
        inbox.put(|news| news.rearm = true);
        inbox.hint_found(Sign::Change);
        return inbox.hint_everywhere(Sign::Change);
    }
    let Some(sign) = sign(&event.kind) else {
        return;
    };
    if event.paths.iter().any(|path| interest.folders.contains(path)) {
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
            inbox.put(|news| news.rearm = true);
        }
        inbox.hint_found(sign);
        return inbox.hint_everywhere(if sign == Sign::Renamed { sign } else { Sign::Mark });
    }
    // By name only: the same folder can be known under another path.
    let appears = sign == Sign::Renamed || matches!(event.kind, EventKind::Create(_));
    let goes = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
    // A folder that is written in is the business of the names in it. Else each write of any
    // neighbour would be looked into, because of a part that stands for any folder.
    let parts = if appears || goes { &interest.parts } else { &interest.last_parts };
    for name in event.paths.iter().filter_map(|path| path.file_name()) {
        let targets = interest.names.get(name);
        for target in targets.into_iter().flatten() {
            match target {
                Target::File(file) => inbox.hint(*file, sign),
                Target::Pattern => inbox.hint_found(sign),
            }
        }
        // One of that name may be known in another folder.
        if (targets.is_none() || appears) && could_match(parts, name) {
            inbox.hint_found(sign);
        }
    }
}

fn could_match(parts: &[glob::Pattern], name: &OsStr) -> bool {
    let matches = |name| parts.iter().any(|part| part.matches_with(name, NAMES));
    !parts.is_empty() && !is_artefact(name) && name.to_str().is_some_and(matches)
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

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, RemoveKind};

    use super::*;

    fn interest() -> Interest {
        Interest {
            names: [("bench.toml".into(), vec![Target::File(0)])].into(),
            folders: [PathBuf::from("/lab")].into(),
            parts: vec![glob::Pattern::new("*.toml").unwrap()],
            last_parts: vec![glob::Pattern::new("*.toml").unwrap()],
        }
    }

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(path.into())
    }

    #[test]
    fn case_16_after_a_queue_overflow_everything_is_looked_at() {
        let inbox = Inbox::default();
        // It names no paths.
        tell(&Event::new(EventKind::Other).set_flag(Flag::Rescan), &interest(), &inbox);
        let news = inbox.wait(None);
        assert!(news.everywhere.is_some() && news.found.is_some() && news.rearm);
    }

    #[test]
    fn what_nobody_is_interested_in_wakes_nobody() {
        let inbox = Inbox::default();
        let created = EventKind::Create(CreateKind::File);
        for (kind, path) in [
            (created, "/lab/setpoint.log"),
            (created, "/lab/.bench.toml.swp"),
            (created, "/lab/bench.toml~"),
            (created, "/lab/.hidden.toml"),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), "/lab/bench.toml"),
        ] {
            tell(&event(kind, path), &interest(), &inbox);
        }
        let news = inbox.wait(Some(std::time::Instant::now()));
        assert!(news.hints.is_empty() && news.found.is_none() && news.everywhere.is_none());
    }

    #[test]
    fn a_part_that_stands_for_any_folder_wakes_nobody_when_a_neighbour_is_written() {
        let mut interest = interest();
        for any in ["**", "*"] {
            interest.parts.push(glob::Pattern::new(any).unwrap());
            let found = |kind, path| {
                let inbox = Inbox::default();
                tell(&event(kind, path), &interest, &inbox);
                inbox.wait(Some(std::time::Instant::now())).found.is_some()
            };
            let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
            let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
            for kind in [written, closed] {
                assert!(!found(kind, "/lab/data.csv"), "{any} {kind:?}");
                assert!(found(kind, "/lab/optics.toml"), "{any} {kind:?}");
            }
            let renamed = |mode| EventKind::Modify(ModifyKind::Name(mode));
            for kind in [
                EventKind::Create(CreateKind::Folder),
                EventKind::Remove(RemoveKind::Folder),
                renamed(RenameMode::From),
                renamed(RenameMode::To),
            ] {
                assert!(found(kind, "/lab/more"), "{any} {kind:?}");
            }
        }
    }

    #[test]
    fn files_patterns_and_folders_are_told_apart() {
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let hear = |kind, path| {
            let inbox = Inbox::default();
            tell(&event(kind, path), &interest(), &inbox);
            let news = inbox.wait(Some(std::time::Instant::now()));
            (news.hints.len(), news.found.is_some(), news.everywhere.is_some(), news.rearm)
        };
        assert_eq!(hear(data, "/lab/bench.toml"), (1, false, false, false));
        assert_eq!(hear(data, "/lab/optics.toml"), (0, true, false, false));
        // One of the same name may be in another folder.
        let created = EventKind::Create(CreateKind::File);
        assert_eq!(hear(created, "/lab/conf/bench.toml"), (1, true, false, false));
        let removed = EventKind::Remove(RemoveKind::Folder);
        assert_eq!(hear(removed, "/lab"), (0, true, true, true));
    }
}

//! Which files are followed beside the bench file.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::Follower;
use crate::{
    TextHash,
    watch::{
        Beside,
        beside::Lookouts,
        file::Followed,
        inbox::{FileId, Hints, MAIN, Sign},
    },
};

impl Follower {
    /// Takes over which files there are beside the bench file.
    pub(super) fn set_beside(&mut self, beside: &Beside, now: Instant) {
        let bench = self.bench();
        let folder = bench.parent().unwrap_or(Path::new("/")).to_owned();
        self.lookouts = Lookouts::new(&bench, &beside.patterns);
        let matching = self.lookouts.files(&bench);
        let named: Vec<(PathBuf, Option<TextHash>)> =
            beside.files.iter().map(|(name, known)| (folder.join(name), *known)).collect();
        let belongs = |path: &PathBuf| {
            matching.contains(path) || named.iter().any(|(named, _)| named == path)
        };
        // One that a pattern found and does not find any more is gone, which is still to be told.
        let leaves = |file: &Followed| file.matched && file.was_there_and_is_gone();
        self.files.retain(|file| file.id == MAIN || belongs(&file.path) || leaves(file));
        for file in &mut self.files {
            file.matched = matching.contains(&file.path) || leaves(file);
        }
        let unnamed = matching.iter().filter(|path| !named.iter().any(|(it, _)| it == *path));
        let all: Vec<(PathBuf, Option<TextHash>)> =
            named.iter().cloned().chain(unnamed.map(|path| (path.clone(), None))).collect();
        let before = self.files.len();
        for (path, _) in &all {
            if self.files.iter().all(|file| file.path != *path) {
                let mut file = Followed::new(self.take_id(), path.clone());
                file.matched = matching.contains(path);
                self.files.push(file);
            }
        }
        // Watched first, then read.
        self.follow_ways();
        for at in before..self.files.len() {
            let Some(file) = self.files.get_mut(at) else { break };
            let known = all.iter().find(|(path, _)| *path == file.path);
            if file.known(known.and_then(|(_, known)| *known)) {
                self.notice(at, Hints::new(Sign::Closed, now), false, now);
            }
        }
    }

    pub(super) fn take_id(&mut self) -> FileId {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Looks which files the patterns match now.
    pub(super) fn find_matching(&mut self, hints: Hints, now: Instant) {
        if self.paused || self.lookouts.ways.is_empty() {
            return;
        }
        let bench = self.bench();
        self.lookouts = self.lookouts.again(&bench);
        self.follow_ways();
        for path in self.lookouts.files(&bench) {
            if self.files.iter().all(|file| file.path != path) {
                let id = self.take_id();
                self.files.push(Followed::appeared(id, path));
                self.follow_ways();
                self.notice(self.files.len() - 1, hints, false, now);
            }
        }
    }
}

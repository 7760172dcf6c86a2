//! Where the system is asked to tell of changes, and what the owner is told of that.

use std::{collections::BTreeSet, sync::PoisonError};

use super::Follower;
use crate::watch::{
    FileSeen, WatchMode,
    inbox::MAIN,
    native::{Interest, Target},
    way::Way,
};

impl Follower {
    /// Watches where the paths lead now, if that is elsewhere than before. Of files beside the
    /// bench file only those are asked that are looked into, unless `all` are to be.
    pub(super) fn arm_if_moved(&mut self, all: bool) -> bool {
        let mut moved = false;
        for file in &mut self.files {
            if all || file.id == MAIN || file.pending.is_some() {
                let way = Way::to_file(&file.path);
                moved |= way != file.way;
                file.way = way;
            }
        }
        if moved {
            self.follow_ways();
        }
        moved
    }

    /// Watches what the ways of all files lead through, if that is not what is watched.
    pub(super) fn follow_ways(&mut self) {
        let mut interest = Interest::default();
        let mut folders = BTreeSet::new();
        let ways = self.files.iter().map(|file| (&file.way, Target::File(file.id)));
        let lookouts = self.lookouts.ways.iter().map(|way| (way, Target::Pattern));
        for (way, target) in ways.chain(lookouts) {
            for name in &way.names {
                let targets = interest.names.entry(name.clone()).or_default();
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
            folders.extend(way.folders.iter().cloned());
        }
        interest.parts.clone_from(&self.lookouts.parts);
        interest.last_parts.clone_from(&self.lookouts.last_parts);
        self.hearing.cover(interest, folders, self.options.method);
        self.tell_mode();
    }

    /// Begins to watch; to be called once, before anything else.
    pub(in crate::watch) fn begin(&mut self) {
        self.follow_ways();
    }

    /// Watches the folders afresh.
    pub(super) fn arm(&mut self) {
        self.hearing.arm(self.options.method);
        self.tell_mode();
    }

    pub(super) fn tell_mode(&mut self) {
        let mode = self.hearing.mode();
        let mut told = self.mode.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == mode {
            return;
        }
        (*told).clone_from(&mode);
        drop(told);
        let file = self.bench();
        match &mode {
            WatchMode::Polling { reason } => {
                tracing::warn!(file = %file.display(), reason, "polling");
            }
            WatchMode::Native => tracing::info!(file = %file.display(), "watched natively"),
        }
        if self.begun {
            (self.sink)(FileSeen::Mode(mode));
        }
    }
}

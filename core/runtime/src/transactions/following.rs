//! What happens to transactions by itself: what runs changes under them, and time passes.

use std::time::Duration;

use setpoint_bench::KeyPath;

use super::counted;
use crate::{
    event::{Origin, Tone},
    manager::{Manager, Running},
    staging::Staging,
};

/// What came of following a change of what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rebased {
    /// Whether the edits are not what they were.
    pub(super) edits_changed: bool,
    /// Edits that clash now and did not before.
    pub(super) new_clashes: usize,
}

impl Staging {
    /// Follows what runs now.
    pub(super) fn follow(&mut self, running: &Running) -> Rebased {
        let before = self.edits.clone();
        self.rebase(&running.values);
        let edits_changed = self.edits != before;
        if edits_changed {
            self.base.clone_from(&running.revision.id);
        }
        let known =
            |path: &KeyPath| before.iter().any(|edit| edit.path == *path && edit.clash.is_some());
        let clash = self.edits.iter().filter(|edit| edit.clash.is_some());
        let new_clashes = clash.filter(|edit| !known(&edit.path)).count();
        Rebased { edits_changed, new_clashes }
    }
}

impl Manager {
    /// Follows what runs now with everything that is staged, and tells of clashes.
    pub(crate) async fn rebase(&mut self, origin: Origin) {
        let all: Vec<Staging> = self.transactions.iter().cloned().collect();
        for mut staging in all {
            let rebased = staging.follow(&self.running);
            self.tell_clashes(origin, &staging, rebased);
            if !rebased.edits_changed {
                self.transactions.put(staging);
            } else if staging.edits.is_empty() && !staging.begun {
                self.transactions.take(&staging.id);
                self.forget_transaction(&staging.id).await;
            } else {
                // Nobody waits for it: a failure is told and tried again at the next touch.
                let _ = self.keep_transaction(Origin::Bench, staging).await;
            }
        }
    }

    pub(super) fn tell_clashes(&self, origin: Origin, staging: &Staging, rebased: Rebased) {
        let values = match rebased.new_clashes {
            0 => return,
            1 => "1 staged value was".to_owned(),
            count => format!("{count} staged values were"),
        };
        let message = format!(
            "{values} changed elsewhere meanwhile: decide in {} which value each gets",
            staging.id
        );
        let clash = staging.edits.iter().filter(|edit| edit.clash.is_some());
        let paths = clash.map(|edit| &edit.path);
        self.tell_of(paths, origin, "transaction_clash", Tone::Warning, message);
    }

    /// Makes drafts of what nobody has touched for too long.
    pub(crate) async fn expire_transactions(&mut self) {
        let timeout = self.running.bench.runtime.transaction_timeout;
        for id in self.transactions.expired(timeout) {
            let Some(mut staging) = self.transactions.find(Some(&id)).cloned() else { continue };
            staging.draft = true;
            staging.shown = None;
            let message = format!(
                "Nobody touched {} for {}: its {} {} kept as a draft",
                staging.name(),
                in_words(timeout),
                counted(&staging.edits),
                if staging.edits.len() == 1 { "is" } else { "are" },
            );
            let kind = "transaction_expired";
            self.tell_of(&staging.paths(), Origin::Bench, kind, Tone::Staged, message);
            let _ = self.keep_transaction(Origin::Bench, staging).await;
        }
    }
}

/// `5 min`, `90 s`
fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

//! Texts that the files may hold without anyone else having written them.

use std::sync::Arc;

use setpoint_bench::layers::bundle;
use setpoint_store::TextHash;

use crate::files::OnDiskText;

/// So many at most.
pub(super) const MOST: usize = 8;

/// A text of all files, with its fingerprint.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) text: Arc<str>,
    pub(crate) hash: TextHash,
}

/// Texts that the files may hold without anyone else having written them: at first the one from
/// before what runs, and with it all whose writing was given up.
#[derive(Debug, Clone)]
pub(crate) struct Ours(Vec<Held>);

impl Ours {
    pub(crate) fn new(held: Held) -> Self {
        Self(vec![held])
    }

    /// One more. Of very many the earliest but the first are forgotten: what the files then hold
    /// is asked about.
    pub(crate) fn add(&mut self, held: Held) {
        if self.0.iter().all(|there| there.hash != held.hash) {
            self.0.push(held);
        }
        if self.0.len() > MOST {
            self.0.remove(1);
        }
    }

    /// Whether what the files hold is one of them, or comes from several: a write of several files
    /// may have come to its end half way.
    pub(crate) fn hold(&self, file: &OnDiskText) -> bool {
        if self.0.iter().any(|held| held.hash == file.hash) {
            return true;
        }
        let [_, _, ..] = self.0.as_slice() else { return false };
        let ours: Vec<_> = self.0.iter().map(|held| bundle::unpack(&held.text)).collect();
        let (main, others) = bundle::unpack(&file.text);
        let there = |name: &str| others.iter().any(|(other, _)| other == name);
        // One that all of them have was removed by someone else.
        let removed = ours.first().is_some_and(|(_, first)| {
            let all = |name| ours.iter().all(|(_, one)| one.iter().any(|(it, _)| it == name));
            first.iter().any(|(name, _)| !there(name) && all(name))
        });
        !removed
            && ours.iter().any(|(one, _)| *one == main)
            && others.iter().all(|file| ours.iter().any(|(_, one)| one.contains(file)))
    }

    /// What was there before what runs.
    pub(super) fn first(&self) -> Option<&Held> {
        self.0.first()
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|held| &*held.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(text: &str) -> Held {
        Held { text: text.into(), hash: TextHash::of(text) }
    }

    #[test]
    fn files_of_a_write_that_stopped_half_way_are_ours() {
        let pack = |main: &str, others: &[(&str, &str)]| bundle::pack(main, others.iter().copied());
        let before = pack("m = 1\n", &[("a.toml", "a = 1\n"), ("b.toml", "b = 1\n")]);
        let after = pack("m = 2\n", &[("a.toml", "a = 2\n"), ("b.toml", "b = 2\n")]);
        let mut ours = Ours::new(held(&before));
        let hold = |ours: &Ours, main: &str, others: &[(&str, &str)]| {
            ours.hold(&OnDiskText::of(&pack(main, others)))
        };
        let half = [("a.toml", "a = 2\n"), ("b.toml", "b = 1\n")];
        assert!(!hold(&ours, "m = 1\n", &half), "nobody wrote that");
        ours.add(held(&after));
        assert!(hold(&ours, "m = 1\n", &half) && hold(&ours, "m = 2\n", &half));
        assert!(!hold(&ours, "m = 3\n", &half), "someone else's bench file");
        assert!(!hold(&ours, "m = 1\n", &half[..1]), "one was removed");
        let theirs = [("a.toml", "a = 3\n"), ("b.toml", "b = 1\n")];
        assert!(!hold(&ours, "m = 1\n", &theirs));
        let more = [half[0], half[1], ("c.toml", "c = 1\n")];
        assert!(!hold(&ours, "m = 1\n", &more));
    }
}

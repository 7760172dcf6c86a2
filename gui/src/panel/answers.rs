//! What a bench was asked for beside its status: what is here, what is on its way.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use setpoint_bench::Change;
use setpoint_runtime::{Event, RevisionFacts};
use setpoint_video::Frame;

/// The most answers of one kind that are kept; the oldest go first.
const MOST: usize = 32;

/// Everything that pages ask for through an intent and draw when it is there.
#[derive(Debug, Default)]
pub struct Answers {
    /// Texts of revisions, by id.
    pub texts: Fetched<String, Arc<str>>,
    /// What differs between two revisions, by their ids, all files of the bench read.
    pub changes: Fetched<(String, String), Arc<Vec<Change>>>,
    /// What was so when a revision was accepted, by its id; `None` if nothing was kept of it.
    pub facts: Fetched<String, Option<Arc<Facts>>>,
    /// Ids of the revisions that a search found, newest first.
    pub revisions: Fetched<Search, Arc<Vec<String>>>,
    /// The events that a search found, newest first.
    pub events: Fetched<Search, Arc<Vec<Arc<Event>>>>,
}

impl Answers {
    /// Forgets what could not be had, so that it is asked for again when it is needed.
    pub fn forget_failed(&mut self) {
        self.texts.retain(|_| true);
        self.changes.retain(|_| true);
        // Facts are kept a moment after their revision.
        self.facts.retain(Option::is_some);
        self.revisions.retain(|_| true);
        self.events.retain(|_| true);
    }
}

/// What a search is kept under.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Search {
    /// As it was typed.
    pub typed: String,
    /// What there was to be searched: another stamp is another search.
    pub stamp: String,
}

/// What was so when a revision was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Readings and the greatest effect.
    pub kept: RevisionFacts,
    /// Pictures by source, ready to be drawn.
    pub pictures: BTreeMap<String, Arc<Frame>>,
}

/// Answers of one kind, each asked for once.
#[derive(Debug)]
pub struct Fetched<K, V> {
    here: BTreeMap<K, Result<V, String>>,
    /// In the order in which they came.
    order: VecDeque<K>,
    coming: BTreeSet<K>,
}

impl<K, V> Default for Fetched<K, V> {
    fn default() -> Self {
        Self { here: BTreeMap::new(), order: VecDeque::new(), coming: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V> Fetched<K, V> {
    /// Whether this is to be fetched now: it is neither here nor on its way. What could not be
    /// had is fetched again.
    pub fn ask(&mut self, key: &K) -> bool {
        if matches!(self.here.get(key), Some(Ok(_))) {
            return false;
        }
        self.forget(key);
        self.coming.insert(key.clone())
    }

    /// Takes in what was fetched.
    pub fn arrived(&mut self, key: K, answer: Result<V, String>) {
        self.coming.remove(&key);
        self.forget(&key);
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.here.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.here.insert(key, answer);
    }

    /// What is here, or why it could not be had.
    pub fn get(&self, key: &K) -> Option<&Result<V, String>> {
        self.here.get(key)
    }

    /// Whether anything of this kind is on its way.
    pub fn is_busy(&self) -> bool {
        !self.coming.is_empty()
    }

    /// Forgets what could not be had, and what is not worth keeping.
    fn retain(&mut self, worth: impl Fn(&V) -> bool) {
        self.here.retain(|_, answer| answer.as_ref().is_ok_and(&worth));
        self.order.retain(|key| self.here.contains_key(key));
    }

    fn forget(&mut self, key: &K) {
        if self.here.remove(key).is_some() {
            self.order.retain(|one| one != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Texts = Fetched<String, Arc<str>>;

    #[test]
    fn a_text_is_fetched_once_and_again_after_it_failed() {
        let mut texts = Texts::default();
        let r1 = "r1".to_owned();
        assert!(texts.ask(&r1));
        assert!(!texts.ask(&r1), "it is on its way");
        assert!(texts.is_busy());
        texts.arrived(r1.clone(), Err("no such file".to_owned()));
        assert_eq!(texts.get(&r1), Some(&Err("no such file".to_owned())));
        assert!(texts.ask(&r1));
        assert!(texts.get(&r1).is_none(), "the old failure is not shown beside the new attempt");
        texts.arrived(r1.clone(), Ok("a = 1".into()));
        assert!(!texts.ask(&r1), "a revision's text never changes");
        assert!(!texts.is_busy());
    }

    #[test]
    fn failures_are_forgotten_and_texts_are_kept() {
        let mut answers = Answers::default();
        answers.texts.arrived("r1".to_owned(), Ok("a = 1".into()));
        answers.texts.arrived("r2".to_owned(), Err("no such file".to_owned()));
        answers.facts.arrived("r1".to_owned(), Ok(None));
        answers.forget_failed();
        assert!(answers.texts.get(&"r1".to_owned()).is_some());
        assert!(answers.texts.get(&"r2".to_owned()).is_none());
        assert!(answers.facts.get(&"r1".to_owned()).is_none(), "they may be there by now");
    }

    #[test]
    fn the_oldest_answers_go_first() {
        let mut texts = Texts::default();
        for number in 0..=MOST {
            texts.arrived(format!("r{number}"), Ok("a = 1".into()));
        }
        assert!(texts.get(&"r0".to_owned()).is_none());
        assert!(texts.get(&"r1".to_owned()).is_some());
        assert_eq!((texts.here.len(), texts.order.len()), (MOST, MOST));
    }
}

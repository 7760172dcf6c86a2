//! Texts of revisions: which are here, which are on their way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Texts of revisions by id, each asked for once.
#[derive(Debug, Default)]
pub struct Texts {
    here: BTreeMap<String, Result<Arc<str>, String>>,
    coming: BTreeSet<String>,
}

impl Texts {
    /// Whether this text is to be fetched now: it is neither here nor on its way. One that could
    /// not be read is fetched again.
    pub fn ask(&mut self, id: &str) -> bool {
        if matches!(self.here.get(id), Some(Ok(_))) {
            return false;
        }
        self.here.remove(id);
        self.coming.insert(id.to_owned())
    }

    /// Takes in what was fetched.
    pub fn arrived(&mut self, id: String, text: Result<Arc<str>, String>) {
        self.coming.remove(&id);
        self.here.insert(id, text);
    }

    /// Forgets what could not be read, so that it is asked for again when it is needed.
    pub fn forget_failed(&mut self) {
        self.here.retain(|_, text| text.is_ok());
    }

    /// What is here, and what could not be read with the reason.
    pub fn here(&self) -> &BTreeMap<String, Result<Arc<str>, String>> {
        &self.here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_fetched_once_and_again_after_it_failed() {
        let mut texts = Texts::default();
        assert!(texts.ask("r1"));
        assert!(!texts.ask("r1"), "it is on its way");
        texts.arrived("r1".to_owned(), Err("no such file".to_owned()));
        assert_eq!(texts.here()["r1"], Err("no such file".to_owned()));
        assert!(texts.ask("r1"));
        assert!(texts.here().is_empty(), "the old failure is not shown beside the new attempt");
        texts.arrived("r1".to_owned(), Ok("a = 1".into()));
        assert!(!texts.ask("r1"), "a revision's text never changes");
    }

    #[test]
    fn failures_are_forgotten_and_texts_are_kept() {
        let mut texts = Texts::default();
        texts.arrived("r1".to_owned(), Ok("a = 1".into()));
        texts.arrived("r2".to_owned(), Err("no such file".to_owned()));
        texts.forget_failed();
        assert_eq!(texts.here().keys().collect::<Vec<_>>(), ["r1"]);
    }
}

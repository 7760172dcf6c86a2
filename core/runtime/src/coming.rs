//! A text of the bench file that is being saved, read while it is waited out.

use std::sync::{Arc, OnceLock};

use crate::{
    catalogue::Drivers,
    files::{Files, Meaning},
    manager::Manager,
};

/// What may be what the file holds when its save is over.
pub(crate) struct Coming {
    text: Arc<str>,
    before: Arc<Meaning>,
    drivers: Arc<Drivers>,
    files: Files,
    meaning: OnceLock<Meaning>,
}

impl Coming {
    /// What it means; whoever asks first reads it. Blocks.
    pub(crate) fn meaning(&self) -> &Meaning {
        self.meaning
            .get_or_init(|| self.files.meaning(&self.text, Some(&self.before), &self.drivers))
    }
}

impl Manager {
    /// Reads a text that may be saved when the quiet time is over.
    pub(crate) fn comes(&mut self, text: Arc<str>) {
        // With other files the text is another one, and is read in one go.
        if !matches!(*self.running.meaning, Meaning::Alone(_)) {
            return;
        }
        let coming = Arc::new(Coming {
            text,
            before: self.running.meaning.clone(),
            drivers: self.drivers.clone(),
            files: self.files.clone(),
            meaning: OnceLock::new(),
        });
        self.coming = Some(coming.clone());
        let keeping = self.keeping.clone();
        tokio::spawn(async move {
            // Where the disk does not answer, it is not read beforehand.
            let _ = keeping.ask(move || coming.meaning().bench().is_some()).await;
        });
    }

    /// What was read of a text while it was waited for.
    pub(crate) fn came(&self, text: &str) -> Option<Arc<Coming>> {
        let same = |coming: &&Arc<Coming>| {
            Arc::ptr_eq(&coming.drivers, &self.drivers) && *coming.text == *text
        };
        self.coming.as_ref().filter(same).cloned()
    }
}

//! Who may read the secrets of a bench: told when it begins, shown as long as it lasts. Rights
//! change without a save, so that is looked at every few seconds, beside the manager.

use std::{sync::Arc, time::Duration};

use setpoint_bench::Diagnostic;
use setpoint_store::access::EXPOSED;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    event::{Origin, Tone},
    manager::Manager,
};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(3);

/// What was found last, and the look that is on its way.
pub(crate) struct Exposed {
    found: Vec<Diagnostic>,
    looking: JoinSet<Option<Vec<Diagnostic>>>,
    look_at: Instant,
}

impl Exposed {
    /// These were found and told of.
    pub(crate) fn new(found: Vec<Diagnostic>) -> Self {
        Self { found, looking: JoinSet::new(), look_at: Instant::now() + EVERY }
    }

    /// When to look again.
    pub(crate) fn due(&self) -> Option<Instant> {
        // A disk that does not answer is asked once.
        self.looking.is_empty().then_some(self.look_at)
    }

    /// What a look beside the manager found; nothing while there is none.
    pub(crate) async fn looked(&mut self) -> Option<Option<Vec<Diagnostic>>> {
        Some(self.looking.join_next().await?.ok().flatten())
    }

    /// What is wrong with the text, and with who may read it.
    pub(crate) fn among(&self, findings: &Arc<Vec<Diagnostic>>) -> Arc<Vec<Diagnostic>> {
        if self.found.is_empty() {
            return findings.clone();
        }
        Arc::new(findings.iter().chain(&self.found).cloned().collect())
    }
}

impl Manager {
    /// Looks beside everything else.
    pub(crate) fn look_at_exposed(&mut self) {
        let (files, meaning) = (self.files.clone(), self.running.meaning.clone());
        let keeping = self.keeping.clone();
        self.exposed.look_at = Instant::now() + EVERY;
        self.exposed
            .looking
            .spawn(async move { keeping.ask(move || files.exposed_secrets(&meaning)).await.ok() });
    }

    /// Looks at it for what runs now.
    pub(crate) async fn warn_of_exposed_secrets(&mut self) {
        let (files, meaning) = (self.files.clone(), self.running.meaning.clone());
        let look = self.keeping.reading(move || files.exposed_secrets(&meaning));
        if let Ok(found) = look.await {
            // One that began earlier is out of date.
            self.exposed.looking.abort_all();
            self.found_exposed(found);
        }
    }

    /// Takes in what was found and tells what is new. Answers whether anything is.
    pub(crate) fn found_exposed(&mut self, found: Vec<Diagnostic>) -> bool {
        let before = std::mem::replace(&mut self.exposed.found, found);
        for new in self.exposed.found.iter().filter(|one| !before.contains(one)) {
            self.tell(Origin::Bench, EXPOSED, Tone::Warning, new.message.clone());
        }
        let now = &self.exposed.found;
        for gone in before.iter().filter(|one| !now.contains(one)) {
            let message = format!("{} may not be read by every user any more", gone.file);
            self.tell(Origin::Bench, "secrets_closed", Tone::Good, message);
        }
        before != self.exposed.found
    }
}

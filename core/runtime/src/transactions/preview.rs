//! What a commit of a transaction would do, worked out off the async threads and kept until its
//! edits or what runs change. Whoever does something to a transaction is answered with it; the
//! others are worked out beside the manager, one at a time, and nobody waits for them.

use std::{collections::HashMap, sync::Arc};

use setpoint_bench::{Change, Diagnostic, TextEdit};
use setpoint_instruments::LinkState;
use tokio::task::{JoinError, JoinSet};

use crate::{
    catalogue::Drivers,
    command::CommandError,
    event::Origin,
    files::{Files, Meaning},
    keeping::no_answer,
    manager::{Manager, Running},
    plan,
    staging::{Staging, none},
    status::PlanStep,
};

#[cfg(test)]
mod tests;

/// The preview that is being worked out beside the manager.
pub(crate) type LookingAhead = JoinSet<LookedAhead>;

/// A preview that was worked out beside the manager.
pub(crate) struct LookedAhead {
    id: String,
    /// The edits that it is about.
    edits: Vec<TextEdit>,
    preview: Preview,
}

/// What a commit would do.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    /// What ran when this was worked out.
    over: Arc<Meaning>,
    pub(crate) diagnostics: Arc<Vec<Diagnostic>>,
    pub(crate) changes: Arc<Vec<Change>>,
    pub(crate) plan: Arc<Vec<PlanStep>>,
    /// Whether the text that would result checks.
    pub(crate) checks: bool,
    /// Why the edits cannot be written into the files, if they cannot.
    pub(crate) problem: Option<String>,
}

impl Preview {
    /// Of edits that cannot be written into the files.
    fn impossible(over: &Arc<Meaning>, error: &CommandError) -> Self {
        Self {
            over: over.clone(),
            diagnostics: none(),
            changes: none(),
            plan: none(),
            checks: false,
            problem: Some(error.to_string()),
        }
    }

    /// Whether this is what runs now.
    pub(super) fn is_over(&self, running: &Arc<Meaning>) -> bool {
        Arc::ptr_eq(&self.over, running)
    }
}

/// What it takes to work with texts, for a thread of its own.
struct Desk {
    running: Running,
    drivers: Arc<Drivers>,
    links: HashMap<String, LinkState>,
    file_name: String,
}

impl Desk {
    fn preview(&self, files: &Files, edits: &[TextEdit]) -> Result<Preview, CommandError> {
        let Running { text, meaning, bench, values, .. } = &self.running;
        let edited = edited(files, &self.running, edits, &self.drivers)?;
        let staged = if edited == *text && edits.is_empty() {
            None
        } else {
            Some(files.meaning(&edited, Some(meaning), &self.drivers))
        };
        let staged = staged.as_ref().unwrap_or(meaning);
        let plan = staged.bench().map(|new| {
            let link = |id: &str| self.links.get(id).copied();
            let mut plan = plan::plan(bench, new, &self.drivers, &link);
            plan.tell_around(&self.running, staged, Some(&self.file_name));
            plan.lines
        });
        Ok(Preview {
            over: meaning.clone(),
            diagnostics: Arc::new(staged.diagnostics().to_vec()),
            changes: Arc::new(setpoint_bench::diff(values, &staged.values())),
            checks: plan.is_some(),
            plan: Arc::new(plan.unwrap_or_default()),
            problem: None,
        })
    }
}

/// The running text with edits in it, and remarks on them if the bench wants them. Reads files.
fn edited(
    files: &Files,
    running: &Running,
    edits: &[TextEdit],
    drivers: &Drivers,
) -> Result<Arc<str>, CommandError> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let annotate = running.bench.runtime.annotate.then_some(now.as_str());
    let edited = files.edited(&running.text, &running.meaning, edits, annotate, drivers);
    edited
        .map_err(|error| CommandError::Invalid { message: error.to_string(), diagnostics: none() })
}

/// Runs what may take its time where nobody waits for it.
pub(crate) async fn aside<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, CommandError> + Send + 'static,
) -> Result<R, CommandError> {
    let failed = |error| CommandError::Failed {
        message: format!("reading the bench failed: {error}; please report this"),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

impl Manager {
    /// The running text with edits in it, and remarks on them if the bench wants them.
    pub(crate) async fn edited(&self, edits: Vec<TextEdit>) -> Result<Arc<str>, CommandError> {
        let (running, drivers) = (self.running.clone(), self.drivers.clone());
        self.read_or_recalled(move |files| edited(files, &running, &edits, &drivers)).await?
    }

    fn desk(&self) -> Desk {
        Desk {
            running: self.running.clone(),
            drivers: self.drivers.clone(),
            links: self.components.links(),
            file_name: self.file_name.clone(),
        }
    }

    /// Works out what a commit would do, if need be that it cannot even be tried.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] if the edits cannot be written into the files.
    pub(super) async fn look_ahead(&self, staging: &mut Staging) -> Result<(), CommandError> {
        let (desk, edits) = (self.desk(), staging.edits(&self.running.values));
        let preview = self.read_or_recalled(move |files| desk.preview(files, &edits));
        let outcome = preview.await.flatten();
        staging.shown = None;
        match outcome {
            Ok(preview) => staging.preview = Some(preview),
            Err(error) => {
                staging.preview = Some(Preview::impossible(&self.running.meaning, &error));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Begins to work out beside the manager what is out of date, unless something is under way:
    /// what the panel has open first, drafts last.
    pub(crate) fn look_ahead_beside(&mut self) {
        if !self.looking_ahead.is_empty() {
            return;
        }
        let old = |one: &&Staging| {
            one.preview.as_ref().is_none_or(|preview| !preview.is_over(&self.running.meaning))
        };
        let order = |one: &&Staging| (one.draft, one.origin != Origin::Panel);
        let Some(next) = self.transactions.iter().filter(old).min_by_key(order) else { return };
        let (id, edits) = (next.id.clone(), next.edits(&self.running.values));
        let (desk, over) = (Arc::new(self.desk()), self.running.meaning.clone());
        let (files, keeping, recalled) =
            (self.files.clone(), self.keeping.clone(), self.recalling());
        self.looking_ahead.spawn(async move {
            let (reads, wanted) = (desk.clone(), edits.clone());
            let work = move || {
                #[cfg(test)]
                tests::gate::pass(files.path());
                reads.preview(&files, &wanted)
            };
            let preview = match keeping.ask(work).await {
                Ok(preview) => preview,
                Err(why) => {
                    let why = no_answer("read", keeping.folder().bench(), why).to_string();
                    let (known, wanted) = (recalled(why), edits.clone());
                    aside(move || desk.preview(&known, &wanted)).await
                }
            };
            let preview = preview.unwrap_or_else(|error| Preview::impossible(&over, &error));
            LookedAhead { id, edits, preview }
        });
    }

    /// Takes in what was worked out beside the manager, unless what runs or the edits are others by
    /// now.
    pub(crate) fn looked_ahead(&mut self, done: Result<LookedAhead, JoinError>) {
        let LookedAhead { id, edits, preview } = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!("looking ahead failed: {error}; please report this");
                return;
            }
        };
        let Some(staging) = self.transactions.find(Some(&id)) else { return };
        if !preview.is_over(&self.running.meaning) || staging.edits(&self.running.values) != edits {
            return;
        }
        let staging = Staging { preview: Some(preview), shown: None, ..staging.clone() };
        self.transactions.put(staging);
        let shown = self.shown_transactions();
        self.publisher.update(|core| core.transactions = shown);
    }
}

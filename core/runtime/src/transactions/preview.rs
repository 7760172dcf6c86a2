//! What a commit of a transaction would do, worked out off the async threads and kept until its
//! edits or what runs change.

use std::{collections::HashMap, sync::Arc};

use setpoint_bench::{Change, Diagnostic, TextEdit};
use setpoint_instruments::LinkState;

use crate::{
    catalogue::Drivers,
    command::CommandError,
    files::{Files, Meaning},
    manager::{Manager, Running},
    plan,
    staging::{Staging, none},
    status::PlanStep,
};

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

    /// Works out what a commit would do.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] if the edits cannot be written into the files.
    pub(super) async fn look_ahead(&self, staging: &mut Staging) -> Result<(), CommandError> {
        let desk = Desk {
            running: self.running.clone(),
            drivers: self.drivers.clone(),
            links: self.components.links(),
            file_name: self.file_name.clone(),
        };
        let edits = staging.edits(&self.running.values);
        let preview = self.read_or_recalled(move |files| desk.preview(files, &edits));
        staging.preview = Some(preview.await??);
        staging.shown = None;
        Ok(())
    }

    /// Works out anew what is out of date.
    pub(crate) async fn refresh_transactions(&mut self) {
        let over = &self.running.meaning;
        let old = |one: &&Staging| {
            one.preview.as_ref().is_none_or(|preview| !Arc::ptr_eq(&preview.over, over))
        };
        let old: Vec<Staging> = self.transactions.iter().filter(old).cloned().collect();
        for mut staging in old {
            if let Err(error) = self.look_ahead(&mut staging).await {
                staging.preview = Some(Preview {
                    over: self.running.meaning.clone(),
                    diagnostics: none(),
                    changes: none(),
                    plan: none(),
                    checks: false,
                    problem: Some(error.to_string()),
                });
                staging.shown = None;
            }
            self.transactions.put(staging);
        }
    }
}

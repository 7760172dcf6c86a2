//! The panel's transaction and going back: staging, commit, rollback.

use std::sync::Arc;

use setpoint_bench::{Edit, KeyPath};

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Tone},
    going_back,
    manager::Manager,
    passage::Proposal,
    staging::{Staging, none},
    status::Transaction,
};

impl Manager {
    pub(crate) fn stage(
        &mut self,
        origin: Origin,
        edits: Vec<Edit>,
    ) -> Result<Answer, CommandError> {
        let opened = self.staging.is_none();
        let mut staging = self.staging.take().unwrap_or_else(|| {
            self.staged += 1;
            Staging::open(self.staged, origin)
        });
        let before = staging.clone();
        staging.stage(edits, &self.running.values);
        // An edit that cannot even be written down is refused now, not at the commit.
        if let Err(error) = self.edited(&staging.edits(&self.running.values)) {
            self.staging = Some(before);
            return Err(error);
        }
        if opened && !staging.edits.is_empty() {
            let message = format!("Transaction {} opened on {}", staging.id, self.running_id());
            self.tell(origin, "transaction_opened", Tone::Staged, message);
        }
        self.staging = Some(staging);
        Ok(Answer::Done {})
    }

    pub(crate) async fn commit(
        &mut self,
        origin: Origin,
        message: String,
        author: String,
    ) -> Result<Answer, CommandError> {
        self.take_file_in().await?;
        let staging = crate::staging::non_empty(self.staging.take());
        let Some(staging) = staging else {
            return Err(CommandError::NotFound {
                what: "staged change in",
                name: "Changes".into(),
            });
        };
        if staging.clashes() {
            self.staging = Some(staging);
            return Err(CommandError::Conflict {
                message: "the file changed keys that are staged too; decide which value each gets"
                    .to_owned(),
                diagnostics: none(),
            });
        }
        // Taken out meanwhile: what it asks for cannot clash with itself.
        let answer = match self.edited(&staging.edits(&self.running.values)) {
            Ok(text) => self.change(Proposal::written(origin, author, message, text)).await,
            Err(error) => Err(error),
        };
        if answer.is_err() {
            self.staging = Some(staging);
        }
        answer
    }

    /// Follows what runs now with what is staged, and tells of clashes.
    pub(crate) fn rebase(&mut self, origin: Origin) {
        let values = self.running.values.clone();
        if let Some(staging) = &mut self.staging {
            let clashes = staging.rebase(&values);
            if clashes > 0 {
                let message = format!("{clashes} staged values were changed elsewhere meanwhile");
                self.tell(origin, "transaction_clash", Tone::Warning, message);
            }
        }
    }

    pub(crate) async fn roll_back(
        &mut self,
        revision: String,
        only: Vec<KeyPath>,
        author: String,
    ) -> Result<Answer, CommandError> {
        let target = self.keeping.find(&revision)?;
        let text = self.keeping.text(&target.id).await?;
        let message = going_back::message(&target.id, &only);
        let closed = only.is_empty();
        let text = if closed {
            going_back::no_surplus(&target.id, &self.running.text, &text)?;
            text
        } else {
            let (files, drivers) = (&self.files, &self.drivers);
            let now = &self.running.values;
            self.edited(&going_back::edits_towards(files, drivers, now, &text, &only)?)?
        };
        let proposal = Proposal::written(Origin::Rollback, author, message, text);
        self.change(Proposal { closed, ..proposal }).await
    }

    /// The open transaction with what a commit of it would do, for the status.
    pub(crate) fn transaction(&self) -> Option<Arc<Transaction>> {
        let staging = self.staging.as_ref()?;
        let mut shown = Transaction {
            id: staging.id.clone(),
            opened: staging.opened,
            origin: staging.origin,
            author: String::new(),
            message: String::new(),
            expires: None,
            draft: false,
            edits: staging.edits.clone(),
            diagnostics: none(),
            changes: none(),
            plan: none(),
            ok: false,
        };
        let Ok(text) = self.edited(&staging.edits(&self.running.values)) else {
            return Some(Arc::new(shown));
        };
        let values = &self.running.values;
        let staged = self.files.meaning(&text, Some(&self.running.meaning), &self.drivers);
        shown.changes = Arc::new(setpoint_bench::diff(values, &staged.values()));
        shown.diagnostics = Arc::new(staged.diagnostics().to_vec());
        if let Some(bench) = staged.bench() {
            shown.plan = Arc::new(self.plan(bench, &staged, true).lines);
            shown.ok = !staging.clashes();
        }
        Some(Arc::new(shown))
    }

    fn running_id(&self) -> &str {
        &self.running.revision.id
    }
}

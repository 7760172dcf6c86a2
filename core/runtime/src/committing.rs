//! Going back to what ran once.

use std::sync::Arc;

use setpoint_bench::{Change, KeyPath, TextEdit};

use crate::{
    command::{Answer, CommandError},
    event::Origin,
    manager::Manager,
    passage::Proposal,
    transactions::aside,
};

impl Manager {
    pub(crate) async fn roll_back(
        &mut self,
        revision: String,
        only: Vec<KeyPath>,
        author: String,
    ) -> Result<Answer, CommandError> {
        let target = self.keeping.find(&revision)?;
        let text = self.keeping.text(&target.id).await?;
        let (text, message) = if only.is_empty() {
            (text, format!("Rolled back to {}", target.id))
        } else {
            let edits = self.edits_towards(&text, &only).await?;
            let names: Vec<String> = only.iter().map(KeyPath::to_string).collect();
            (
                self.edited(edits).await?,
                format!("Rolled back {} to {}", names.join(", "), target.id),
            )
        };
        let closed = only.is_empty();
        if closed {
            self.expect_no_surplus(&text, &target.id)?;
        }
        let proposal = Proposal::written(Origin::Rollback, author, message, text);
        self.change(Proposal { closed, ..proposal }).await
    }

    /// The edits that bring chosen keys to what another text says of them.
    async fn edits_towards(
        &self,
        text: &Arc<str>,
        only: &[KeyPath],
    ) -> Result<Vec<TextEdit>, CommandError> {
        let (files, drivers, text) = (self.files.clone(), self.drivers.clone(), text.clone());
        let then = aside(move || Ok(files.meaning_then(&text, &drivers))).await?;
        let values = then.values();
        if values.as_table().is_none_or(setpoint_bench::value::Table::is_empty) {
            let diagnostics = Arc::new(then.diagnostics().to_vec());
            let message = setpoint_bench::check::summary(&diagnostics);
            return Err(CommandError::Invalid { message, diagnostics });
        }
        let changes = setpoint_bench::diff(&self.running.values, &values);
        let chosen = |change: &&Change| only.iter().any(|path| change.concerns(path));
        let edits: Vec<TextEdit> =
            changes.iter().filter(chosen).map(|change| change.edit().into()).collect();
        if edits.is_empty() {
            let names: Vec<String> = only.iter().map(KeyPath::to_string).collect();
            return Err(CommandError::NotFound { what: "difference at", name: names.join(", ") });
        }
        Ok(edits)
    }
}

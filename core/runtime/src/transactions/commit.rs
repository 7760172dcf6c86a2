//! Committing a transaction.

use super::commands::conflict;
use crate::{
    command::{Answer, CommandError},
    event::Origin,
    manager::Manager,
    passage::Proposal,
};

impl Manager {
    /// Puts everything staged into effect, or nothing of it: then the transaction is as it was.
    pub(crate) async fn commit(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
        message: String,
        author: String,
    ) -> Result<Answer, CommandError> {
        // Before anything is waited for: there has to be such a transaction, and no draft.
        self.open_one(transaction.as_deref())?;
        self.take_file_in().await?;
        let staging = self.open_one(transaction.as_deref())?;
        let Some(mut staging) = staging.filter(|one| !one.edits.is_empty()) else {
            return Err(match transaction {
                Some(id) => conflict(format!("nothing is staged in {id}")),
                None => CommandError::NotFound { what: "staged change in", name: "Changes".into() },
            });
        };
        staging.touch();
        let (id, clashes) = (staging.id.clone(), staging.clash_count());
        let message = if message.trim().is_empty() { staging.message.clone() } else { message };
        let edits = staging.edits(&self.running.values);
        if clashes > 0 {
            // A failure to save it is told; what the caller has to know is the clash.
            let _ = self.keep_transaction(Origin::Bench, staging).await;
            return Err(conflict(
                "the file changed keys that are staged too; decide which value each gets"
                    .to_owned(),
            ));
        }
        // Taken out meanwhile: what it asks for cannot clash with itself. On disk it stays until
        // the change is in effect.
        self.transactions.take(&id);
        let answer = match self.edited(edits).await {
            Ok(text) => self.change(Proposal::written(origin, author, message, text)).await,
            Err(error) => Err(error),
        };
        match &answer {
            Ok(_) => self.forget_transaction(&id).await,
            Err(_) => {
                let _ = self.keep_transaction(Origin::Bench, staging).await;
            }
        }
        answer
    }
}

//! Transactions to and from the disk.

use std::time::Duration;

use jiff::Timestamp;
use setpoint_store::{EditRecord, TransactionRecord};

use super::counted;
use crate::{
    command::CommandError,
    event::{Origin, Tone},
    keeping::{self, Keeping},
    manager::Manager,
    staging::Staging,
    status::StagedEdit,
    unwritten::LAST_TRY,
};

impl Keeping {
    /// An id that no transaction of this bench ever had.
    async fn next_transaction_id(&self) -> Result<String, CommandError> {
        self.with_transactions(|all| all.next_id()).await
    }

    async fn save_transaction(&self, record: TransactionRecord) -> Result<(), CommandError> {
        self.with_transactions(move |all| all.save(&record)).await
    }

    async fn remove_transaction(&self, id: String) -> Result<(), CommandError> {
        self.with_transactions(move |all| all.remove(&id)).await
    }
}

impl Manager {
    /// An id for a transaction. A person can go on where the disk cannot be written, a program is
    /// told.
    pub(super) async fn fresh_id(&self, origin: Origin) -> Result<String, CommandError> {
        match self.keeping.next_transaction_id().await {
            Err(_) if origin == Origin::Panel => Ok(self.keeping.passing_transaction_id()),
            outcome => outcome,
        }
    }

    /// Puts a transaction on disk, and then in its place. Where the disk cannot be written, a
    /// person can go on, and is told; a program gets the error, and nothing has changed.
    pub(super) async fn keep_transaction(
        &mut self,
        origin: Origin,
        mut staging: Staging,
    ) -> Result<(), CommandError> {
        match self.keeping.save_transaction(record(&staging)).await {
            Ok(()) => staging.saved = true,
            Err(error) if origin == Origin::Api => {
                // Where the disk did not answer, it may be done for all that: what is there is put
                // right as soon as it answers.
                match self.transactions.find(Some(&staging.id)).cloned() {
                    Some(before) => self.transactions.put(Staging { saved: false, ..before }),
                    None => drop(self.transactions.left_behind(&staging.id)),
                }
                return Err(error);
            }
            Err(error) => {
                if staging.saved {
                    let message = format!(
                        "What is staged in {} would not survive a restart: {error}",
                        staging.id
                    );
                    let kind = "transaction_unsaved";
                    self.tell_of(&staging.paths(), Origin::Bench, kind, Tone::Warning, message);
                }
                staging.saved = false;
            }
        }
        self.transactions.put(staging);
        Ok(())
    }

    /// Takes a transaction that is done with from the disk. Where that cannot be done now, it is
    /// tried again: at the next start it would be there as if nobody was done with it.
    pub(super) async fn forget_transaction(&mut self, id: &str) {
        let Err(error) = self.keeping.remove_transaction(id.to_owned()).await else { return };
        if self.transactions.left_behind(id) {
            let message = format!(
                "{id} is done with, and its file cannot be removed now: {error}. That is tried \
                 again; until then it would be there again after a restart."
            );
            self.tell(Origin::Bench, "transaction_left", Tone::Warning, message);
        }
    }

    /// The same once more for those that stayed behind.
    pub(crate) async fn forget_again(&mut self) {
        for id in self.transactions.take_left_behind() {
            if let Err(error) = self.keeping.remove_transaction(id.clone()).await {
                tracing::debug!("the file of {id} still stays behind: {error}");
                self.transactions.left_behind(&id);
            }
        }
    }

    /// What could not be saved before gets its last chance, for not long.
    pub(crate) async fn save_transactions_a_last_time(&mut self) {
        if tokio::time::timeout(LAST_TRY, self.save_transactions()).await.is_err() {
            tracing::error!("what is staged was not saved within {LAST_TRY:?}");
        }
    }

    /// What could not be saved before gets another chance.
    pub(crate) async fn save_transactions(&mut self) {
        self.forget_again().await;
        let unsaved: Vec<Staging> =
            self.transactions.iter().filter(|one| !one.saved).cloned().collect();
        for staging in unsaved {
            // Told of when it failed first.
            let _ = self.keep_transaction(Origin::Bench, staging).await;
        }
    }

    /// Takes in what an earlier run left: rebased on what runs now, drafts where nobody touched
    /// one for too long.
    pub(crate) async fn bring_transactions_back(&mut self, found: Vec<TransactionRecord>) {
        let count = found.len();
        let mut panels = None;
        for record in found {
            let mut staging = staging(record);
            let (had_edits, paths) = (!staging.edits.is_empty(), staging.paths());
            let rebased = staging.follow(&self.running);
            if staging.edits.is_empty() && (had_edits || !staging.begun) {
                let id = staging.id.clone();
                let message = format!("Transaction {id} is closed: all it asked for is in effect");
                self.tell_of(&paths, Origin::Bench, "transaction_done", Tone::Info, message);
                self.forget_transaction(&id).await;
                continue;
            }
            self.tell_clashes(Origin::File, &staging, rebased);
            // Only one of them can be what the panel has open.
            let second = !staging.draft
                && staging.origin == Origin::Panel
                && panels.replace(staging.id.clone()).is_some();
            staging.draft |= second;
            if rebased.edits_changed || second {
                let _ = self.keep_transaction(Origin::Bench, staging).await;
            } else {
                self.transactions.put(staging);
            }
        }
        if count > 0 {
            let names: Vec<String> = self.transactions.iter().map(described).collect();
            if !names.is_empty() {
                let message = format!("Staged earlier and still there: {}", names.join("; "));
                self.tell(Origin::Bench, "transactions_kept", Tone::Staged, message);
            }
        }
        self.expire_transactions().await;
    }
}

fn described(staging: &Staging) -> String {
    let draft = if staging.draft { ", a draft" } else { "" };
    format!("{} ({}{draft})", staging.name(), counted(&staging.edits))
}

fn record(staging: &Staging) -> TransactionRecord {
    let edit = |edit: &StagedEdit| EditRecord {
        path: edit.path.clone(),
        base: edit.base.clone(),
        value: edit.value.clone(),
        clash: edit.clash.clone(),
    };
    TransactionRecord {
        id: staging.id.clone(),
        opened: staging.opened,
        touched: staging.touched,
        origin: staging.origin.as_str().to_owned(),
        author: staging.author.clone(),
        message: staging.message.clone(),
        base: staging.base.clone(),
        draft: staging.draft,
        begun: staging.begun,
        edits: staging.edits.iter().map(edit).collect(),
    }
}

fn staging(record: TransactionRecord) -> Staging {
    let edit = |edit: EditRecord| StagedEdit {
        path: edit.path,
        base: edit.base,
        value: edit.value,
        clash: edit.clash,
    };
    // A clock that was set back meanwhile makes it live longer, never shorter than it should.
    let idle = Timestamp::now().duration_since(record.touched);
    Staging {
        opened: record.opened,
        touched: record.touched,
        author: record.author,
        message: record.message,
        base: record.base,
        draft: record.draft,
        begun: record.begun,
        edits: record.edits.into_iter().map(edit).collect(),
        idle_before: Duration::try_from(idle).unwrap_or(Duration::ZERO),
        ..Staging::open(record.id, keeping::origin(&record.origin))
    }
}

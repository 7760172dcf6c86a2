//! What is asked for of transactions: begin, stage, unstage, resolve, take up, discard, validate.

use std::sync::Arc;

use setpoint_bench::{Edit, KeyPath};

use super::{MOST, counted};
use crate::{
    command::{Answer, Blocker, CommandError, Keep, Validated},
    event::{Origin, Tone},
    manager::Manager,
    staging::{Staging, none},
    standing::Found,
};

impl Manager {
    /// Opens a transaction with nothing in it.
    pub(crate) async fn begin(
        &mut self,
        origin: Origin,
        message: String,
        author: String,
    ) -> Result<Answer, CommandError> {
        let fresh = self.open_transaction(origin).await?;
        let staging = Staging { message, author, begun: true, ..fresh };
        self.make_room_in_panel(origin, &staging.id).await;
        let text = format!("Transaction {} opened on {}", staging.name(), self.running.revision.id);
        let id = staging.id.clone();
        self.keep_looking_ahead(origin, staging).await?;
        self.tell(origin, "transaction_opened", Tone::Staged, text);
        self.answer_with(&id)
    }

    pub(crate) async fn stage(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
        edits: Vec<Edit>,
    ) -> Result<Answer, CommandError> {
        let open = self.open_one(transaction.as_deref())?;
        let opened = open.is_none();
        let mut staging = match open {
            Some(staging) => staging,
            None => self.open_transaction(origin).await?,
        };
        staging.stage(edits, &self.running.values);
        if opened && staging.edits.is_empty() {
            // Everything asked for is what runs already.
            return Ok(Answer::Done {});
        }
        let (id, paths) = (staging.id.clone(), staging.paths());
        self.keep_touched(origin, staging).await?;
        if opened {
            let text = format!("Transaction {id} opened on {}", self.running.revision.id);
            self.tell_of(&paths, origin, "transaction_opened", Tone::Staged, text);
        }
        self.answer_with(&id)
    }

    pub(crate) async fn unstage(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
        paths: &[KeyPath],
    ) -> Result<Answer, CommandError> {
        let Some(mut staging) = self.open_one(transaction.as_deref())? else {
            return Ok(Answer::Done {});
        };
        staging.unstage(paths);
        let id = staging.id.clone();
        self.keep_touched(origin, staging).await?;
        self.answer_with(&id)
    }

    pub(crate) async fn resolve(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
        path: &KeyPath,
        keep: Keep,
    ) -> Result<Answer, CommandError> {
        let missing = || CommandError::NotFound { what: "clash at", name: path.to_string() };
        let mut staging = self.open_one(transaction.as_deref())?.ok_or_else(missing)?;
        if !staging.resolve(path, keep) {
            return Err(missing());
        }
        let id = staging.id.clone();
        self.keep_touched(origin, staging).await?;
        self.answer_with(&id)
    }

    /// Opens a draft again, for whoever asks: through the panel it becomes the panel's.
    pub(crate) async fn take_up(
        &mut self,
        origin: Origin,
        id: &str,
    ) -> Result<Answer, CommandError> {
        let mut staging = self.transactions.get(id)?.clone();
        if !staging.draft && staging.origin == origin {
            self.keep_touched(origin, staging).await?;
            return self.answer_with(id);
        }
        if !staging.draft {
            return Err(conflict(format!(
                "{} is open and no draft: commit it, or discard it",
                staging.name()
            )));
        }
        self.make_room_in_panel(origin, id).await;
        staging.draft = false;
        staging.origin = origin;
        let text = format!("{} taken up again, {}", staging.name(), counted(&staging.edits));
        // Taken up by a person: that it is empty is no reason to let it go.
        staging.begun |= staging.edits.is_empty();
        staging.touch();
        let paths = staging.paths();
        self.keep_looking_ahead(origin, staging).await?;
        self.tell_of(&paths, origin, "transaction_taken_up", Tone::Staged, text);
        self.answer_with(id)
    }

    pub(crate) async fn discard(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
    ) -> Result<Answer, CommandError> {
        let staging = match &transaction {
            Some(id) => Some(self.transactions.get(id)?),
            None => self.transactions.find(None),
        };
        let Some(staging) = staging else { return Ok(Answer::Done {}) };
        let (id, count) = (staging.id.clone(), counted(&staging.edits));
        let paths = staging.paths();
        self.transactions.take(&id);
        self.forget_transaction(&id).await;
        let message = format!("{count} staged in {id} discarded");
        self.tell_of(&paths, origin, "transaction_discarded", Tone::Staged, message);
        Ok(Answer::Done {})
    }

    /// What a commit would do now, and what stands in its way. Counts as a touch.
    pub(crate) async fn validate(
        &mut self,
        origin: Origin,
        transaction: Option<String>,
    ) -> Result<Answer, CommandError> {
        let found = match &transaction {
            Some(id) => Some(self.transactions.get(id)?),
            None => self.transactions.find(None),
        };
        let nothing = CommandError::NotFound { what: "transaction", name: "Changes".to_owned() };
        let mut staging = found.ok_or(nothing)?.clone();
        let id = staging.id.clone();
        // Worked out anew: a device may have come or gone, which a plan tells. Edits that cannot be
        // written are among what is in the way.
        let _ = self.look_ahead(&mut staging).await;
        if staging.draft {
            self.transactions.put(staging);
        } else {
            staging.touch();
            self.keep_transaction(origin, staging).await?;
        }
        let blocked_by = self.blockers(&id).await?;
        let staging = self.transactions.get(&id)?;
        let preview = staging.preview.as_ref();
        Ok(Answer::Validated(Box::new(Validated {
            ok: blocked_by.is_empty() && preview.is_some_and(|preview| preview.checks),
            diagnostics: preview.map_or_else(none, |preview| preview.diagnostics.clone()),
            changes: preview.map_or_else(none, |preview| preview.changes.clone()),
            plan: preview.map_or_else(none, |preview| preview.plan.clone()),
            blocked_by,
        })))
    }

    /// What keeps a transaction from being committed, apart from findings.
    async fn blockers(&self, id: &str) -> Result<Vec<Blocker>, CommandError> {
        let staging = self.transactions.get(id)?;
        let bench = |kind, message| Blocker { kind, path: String::new(), message };
        let mut blockers = Vec::new();
        if staging.draft {
            blockers.push(bench("draft", is_draft(staging).to_string()));
        }
        if staging.edits.is_empty() {
            blockers.push(bench("empty", format!("nothing is staged in {id}")));
        }
        let problem = staging.preview.as_ref().and_then(|preview| preview.problem.clone());
        blockers.extend(problem.map(|problem| bench("edit", problem)));
        for edit in &staging.edits {
            let Some(clash) = &edit.clash else { continue };
            blockers.push(Blocker {
                kind: "clash",
                path: edit.path.to_string(),
                message: clash.to_string(),
            });
        }
        let file = match self.file_side.found() {
            Some(Found::Refused { why, .. }) => Some(why.clone()),
            Some(Found::Waiting { .. }) => {
                Some(format!("{} holds an edit that is not in effect", self.file_name))
            }
            // What cannot be written stays in force.
            None | Some(Found::Unreadable { .. }) => None,
        };
        blockers.extend(file.map(|why| bench("file", why)));
        Ok(blockers)
    }

    /// An open transaction; `None` if none is named and the panel has none.
    ///
    /// # Errors
    /// [`CommandError::NotFound`], or [`CommandError::Conflict`] if it is a draft.
    pub(super) fn open_one(&self, id: Option<&str>) -> Result<Option<Staging>, CommandError> {
        let Some(id) = id else { return Ok(self.transactions.find(None).cloned()) };
        let staging = self.transactions.get(id)?;
        if staging.draft { Err(is_draft(staging)) } else { Ok(Some(staging.clone())) }
    }

    /// An empty one that nobody knows of yet.
    async fn open_transaction(&self, origin: Origin) -> Result<Staging, CommandError> {
        if self.transactions.len() >= MOST {
            return Err(conflict(format!(
                "{MOST} transactions are kept already, drafts among them: commit or discard some"
            )));
        }
        let id = self.fresh_id(origin).await?;
        let base = self.running.revision.id.clone();
        Ok(Staging { base, ..Staging::open(id, origin) })
    }

    /// The panel shows one transaction: another that it has open is set aside as a draft.
    async fn make_room_in_panel(&mut self, origin: Origin, for_id: &str) {
        if origin != Origin::Panel {
            return;
        }
        let Some(mut open) = self.transactions.find(None).cloned() else { return };
        if open.id == for_id {
            return;
        }
        open.draft = true;
        open.shown = None;
        // What cannot be saved is told.
        let _ = self.keep_transaction(Origin::Bench, open).await;
    }

    /// Keeps a transaction that someone did something to; the panel's goes with its last edit.
    async fn keep_touched(
        &mut self,
        origin: Origin,
        mut staging: Staging,
    ) -> Result<(), CommandError> {
        if staging.edits.is_empty() && !staging.begun {
            self.transactions.take(&staging.id);
            self.forget_transaction(&staging.id).await;
            return Ok(());
        }
        staging.touch();
        self.keep_looking_ahead(origin, staging).await
    }

    /// Works out what a commit would do, then keeps the transaction. An edit that cannot even be
    /// written down is refused here, not at the commit.
    async fn keep_looking_ahead(
        &mut self,
        origin: Origin,
        mut staging: Staging,
    ) -> Result<(), CommandError> {
        // What cannot be written since the file changed must not keep the rest from being taken out
        // again.
        if let Err(error) = self.look_ahead(&mut staging).await
            && self.could_be_written(&staging.id).await
        {
            return Err(error);
        }
        self.keep_transaction(origin, staging).await
    }

    /// Whether the edits that a transaction has so far can be written into the files.
    async fn could_be_written(&self, id: &str) -> bool {
        let Some(known) = self.transactions.find(Some(id)) else { return true };
        match &known.preview {
            Some(preview) => preview.problem.is_none(),
            None => self.look_ahead(&mut known.clone()).await.is_ok(),
        }
    }

    /// The transaction as it is shown, or nothing if it went with its last edit.
    fn answer_with(&mut self, id: &str) -> Result<Answer, CommandError> {
        let timeout = self.running.bench.runtime.transaction_timeout;
        let Some(mut staging) = self.transactions.take(id) else { return Ok(Answer::Done {}) };
        let shown = staging.show(timeout);
        self.transactions.put(staging);
        Ok(Answer::Transaction(shown))
    }
}

/// Why nothing can be done with a draft.
pub(super) fn is_draft(staging: &Staging) -> CommandError {
    let name = staging.name();
    conflict(format!("{name} is a draft, because nobody touched it for long: take it up first"))
}

pub(super) fn conflict(message: String) -> CommandError {
    CommandError::Conflict { message, diagnostics: Arc::new(Vec::new()) }
}

//! Questions to the history of a running bench.

use std::time::Duration;

use jiff::Timestamp;
use setpoint_store::{
    BenchFolder,
    history::{EventFilter, HistoryError, HistoryEvent, Order, RevisionFacts, TrendPoint},
    revisions::changes_of,
};

use super::Recording;
use crate::{
    command::CommandError,
    keeping::{FAILED, Unanswered, no_answer},
    kept::KeptRevision,
    status::Revision,
};

/// How long a question waits for what happened before it to be written.
const PATIENCE: Duration = Duration::from_secs(1);

impl Recording {
    /// The number that was given to an event last.
    pub(crate) fn last_event(&self) -> u64 {
        self.0.history.last_number()
    }

    /// See [`crate::Runtime::events`].
    pub(crate) async fn events(&self, filter: EventFilter) -> Vec<HistoryEvent> {
        let wanted = filter.clone();
        let found = self.ask(move |this| {
            let complete = this.0.history.flush(PATIENCE);
            let events = this.0.reader.events(&wanted);
            events.map(|events| (events, complete))
        });
        match found.await {
            Ok((events, true)) => events,
            Ok((events, false)) => self.with_those_in_memory(events, &filter),
            Err(error) => {
                tracing::debug!(%error, "events are taken from memory");
                self.with_those_in_memory(Vec::new(), &filter)
            }
        }
    }

    /// What could be read, and what was not written yet.
    fn with_those_in_memory(
        &self,
        mut events: Vec<HistoryEvent>,
        filter: &EventFilter,
    ) -> Vec<HistoryEvent> {
        let status = self.0.publisher.status().load_full();
        events.extend(status.events.iter().map(|event| event.kept()).filter(|e| filter.fits(e)));
        events.sort_by_key(|event| event.seq);
        events.dedup_by_key(|event| event.seq);
        if filter.order == Order::NewestFirst {
            events.reverse();
        }
        events.truncate(filter.limit);
        events
    }

    /// See [`crate::Runtime::revision_facts`].
    pub(crate) async fn facts(&self, id: String) -> Result<Option<RevisionFacts>, CommandError> {
        Ok(self.read_facts(id).await?)
    }

    async fn read_facts(&self, id: String) -> Result<Option<RevisionFacts>, HistoryError> {
        self.ask(move |this| {
            this.0.history.flush(PATIENCE);
            this.0.reader.facts(&id)
        })
        .await
    }

    /// See [`crate::Runtime::kept_revision`].
    pub(crate) async fn revision(
        &self,
        folder: BenchFolder,
        revision: Revision,
    ) -> Result<KeptRevision, CommandError> {
        let id = revision.id.clone();
        let log = folder.audit();
        let changes = self.0.keeping.ask(move || changes_of(&folder, &id)).await;
        let changes = changes.map_err(|why| no_answer("read", &log, why))??;
        let facts = self.read_facts(revision.id.clone()).await;
        Ok(KeptRevision::new(revision, changes, facts))
    }

    /// See [`crate::Runtime::trend`].
    pub(crate) async fn trend(
        &self,
        instrument: String,
        parameter: String,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<TrendPoint>, CommandError> {
        let found = self.ask(move |this| {
            this.0.history.flush(PATIENCE);
            this.0.reader.trend(&instrument, &parameter, from, until, limit)
        });
        Ok(found.await?)
    }

    /// See [`crate::Runtime::revision_picture`].
    pub(crate) async fn picture(
        &self,
        id: String,
        source: String,
    ) -> Result<Option<Vec<u8>>, CommandError> {
        Ok(self
            .ask(move |this| {
                this.0.history.flush(PATIENCE);
                this.0.reader.picture(&id, &source)
            })
            .await?)
    }

    /// Asks on a thread that may wait. Damage that is found is looked into.
    async fn ask<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&Self) -> Result<R, HistoryError> + Send + 'static,
    ) -> Result<R, HistoryError> {
        let this = self.clone();
        let asked = self.0.keeping.ask(move || {
            let answer = ask(&this);
            if answer.as_ref().is_err_and(HistoryError::is_damage) {
                this.0.history.suspect();
            }
            answer
        });
        match asked.await {
            Ok(answer) => answer,
            Err(Unanswered::NotBegun(since) | Unanswered::GivenUp(since)) => {
                Err(HistoryError::silence(self.0.keeping.folder().history(), since))
            }
            Err(Unanswered::Failed) => Err(HistoryError::Output { reason: FAILED.to_owned() }),
        }
    }
}

impl From<HistoryError> for CommandError {
    fn from(error: HistoryError) -> Self {
        Self::Storage { message: error.to_string() }
    }
}

//! All that is known of one revision.

use serde::Serialize;
use setpoint_bench::Change;
use setpoint_store::history::{HistoryError, RevisionFacts};

use crate::status::Revision;

/// A revision with what was known when it was accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptRevision {
    /// Who, when, why, under which name.
    #[serde(flatten)]
    pub revision: Revision,
    /// What it changed, key by key, with the effect; `None` where it is not known, of the first
    /// one, say, or of a snapshot.
    pub changes: Option<Vec<Change>>,
    /// What instruments had said and of which sources there is a picture; `None` if nothing was
    /// kept of that.
    pub facts: Option<RevisionFacts>,
    /// Why `facts` cannot be read, in a sentence.
    pub problem: Option<String>,
}

impl KeptRevision {
    /// Puts together what the audit log and the history database have.
    pub(crate) fn new(
        revision: Revision,
        changes: Option<Vec<Change>>,
        facts: Result<Option<RevisionFacts>, HistoryError>,
    ) -> Self {
        let (facts, problem) = match facts {
            Ok(facts) => (facts, None),
            Err(HistoryError::Missing { .. }) => (None, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { revision, changes, facts, problem }
    }
}

//! What a revision changed, as the audit log has it.

use serde_json::Value;
use setpoint_bench::Change;

use super::{KIND, id as id_of};
use crate::{StoreError, audit, folder::BenchFolder};

/// What a revision changed when it was accepted, key by key, by its id. `None` if the log does not
/// say: of the first one, of a snapshot, where the log was lost.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn changes_of(folder: &BenchFolder, id: &str) -> Result<Option<Vec<Change>>, StoreError> {
    let log = folder.audit();
    if !log.exists() {
        return Ok(None);
    }
    let lines = audit::lines_of(&log, &[KIND])?;
    let number = |line: &audit::AuditLine| line.data.get("number").and_then(Value::as_u64);
    let line = lines.into_iter().rev().find(|line| number(line).map(id_of).as_deref() == Some(id));
    let changes = line.and_then(|line| line.data.get("details")?.get("changes").cloned());
    Ok(changes.and_then(|changes| serde_json::from_value(changes).ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Audit, Facts, Revisions};

    #[test]
    fn what_was_kept_with_a_revision_is_told_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        assert_eq!(changes_of(&folder, "r1").unwrap(), None, "there is no log");
        let audit = Audit::open(&folder).unwrap();
        let mut revisions = Revisions::open(&folder, &audit).unwrap();
        let change =
            json!({"kind": "changed", "path": "a.b", "old": 1, "new": 2, "effect": "live"});
        let facts = |data: Value| Facts { author: "ada".into(), data, ..Facts::default() };
        revisions.keep("a.b = 1\n", facts(Value::Null), &audit).unwrap();
        revisions.keep("a.b = 2\n", facts(json!({ "changes": [change] })), &audit).unwrap();
        assert_eq!(changes_of(&folder, "r1").unwrap(), None);
        let changes = changes_of(&folder, "r2").unwrap();
        assert_eq!(serde_json::to_value(changes).unwrap(), json!([change]));
        assert_eq!(changes_of(&folder, "r3").unwrap(), None);
    }
}

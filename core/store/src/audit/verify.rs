//! Proving that a log is as it was written.

use std::path::Path;

use super::{AuditLine, NOTHING_BEFORE, each_line, hash_of};

/// The first place where a log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is not as it was written, first at line {line}: {what}")]
pub struct AuditFault {
    /// From 1; 0 when the file as a whole cannot be read.
    pub line: u64,
    /// What is wrong there.
    pub what: String,
}

/// Checks every line of a log: that it can be read, has the next number, and holds the hash of
/// the line before. Answers how many records there are.
///
/// # Errors
/// The first fault.
pub fn verify(path: &Path) -> Result<u64, AuditFault> {
    let mut lines = 0;
    let mut prev = NOTHING_BEFORE.to_owned();
    let mut fault = None;
    each_line(path, |line, whole| {
        lines += 1;
        if fault.is_none() {
            fault = wrong(line, whole, lines, &prev).map(|what| AuditFault { line: lines, what });
            prev = hash_of(line);
        }
    })
    .map_err(|e| AuditFault { line: 0, what: format!("{} cannot be read: {e}", path.display()) })?;
    fault.map_or(Ok(lines), Err)
}

fn wrong(line: &[u8], whole: bool, seq: u64, prev: &str) -> Option<String> {
    if !whole {
        return Some("the record is not whole".into());
    }
    let record: AuditLine = match serde_json::from_slice(line) {
        Ok(record) => record,
        Err(e) => return Some(format!("it is not a record: {e}")),
    };
    if record.seq != seq {
        Some(format!("it has number {}, {seq} should come here", record.seq))
    } else if record.prev != prev {
        Some("the line before was changed, or this one is from elsewhere".into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::{
        BenchFolder,
        audit::{Audit, AuditRecord},
    };

    fn log() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        for message in ["first", "second", "third", "fourth"] {
            audit.append(AuditRecord::new("query", "panel", "nora", "", message)).unwrap();
        }
        (dir, folder.audit())
    }

    #[track_caller]
    fn fault_after(change: impl Fn(Vec<&str>) -> Vec<String>) -> u64 {
        let (_dir, path) = log();
        assert_eq!(verify(&path), Ok(4));
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(text.lines().collect()).join("\n") + "\n";
        fs::write(&path, changed).unwrap();
        verify(&path).unwrap_err().line
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_changed_line_shows_in_the_next() {
        let line = fault_after(|lines| {
            let mut lines = owned(&lines);
            lines[1] = lines[1].replace("second", "SECOND");
            lines
        });
        assert_eq!(line, 3);
    }

    #[test]
    fn missing_and_swapped_lines_show() {
        assert_eq!(fault_after(|l| owned(&[l[0], l[2], l[3]])), 2);
        assert_eq!(fault_after(|l| owned(&[l[1], l[2], l[3]])), 1);
        assert_eq!(fault_after(|l| owned(&[l[0], l[2], l[1], l[3]])), 2);
        assert_eq!(fault_after(|l| owned(&[l[0], "{}", l[2], l[3]])), 2);
    }

    #[test]
    fn a_log_that_is_not_there_is_a_fault() {
        assert_eq!(verify(Path::new("/nowhere/audit.log")).unwrap_err().line, 0);
    }
}

//! Proving that a log is as it was written.

use std::path::Path;

use serde_json::Value;

use super::{AuditLine, DAMAGED, NOTHING_BEFORE, UNVOUCHED, each_line, hash_of, head::Found};

/// The first place where a log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is not as it was written: {}{what}", place(*.record, *.line))]
pub struct AuditFault {
    /// The number of the record that is not as it was, or not there; 0 when the file as a whole
    /// cannot be read.
    pub record: u64,
    /// The line where that shows, from 1; 0 likewise.
    pub line: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// A log whose records are all as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many there are.
    pub records: u64,
    /// Why nothing vouches for there having been no more, in a sentence; `None` if something does.
    pub open_end: Option<String>,
    /// The numbers of records which say that nothing vouched for the end when the log was opened:
    /// before each of them, others may have been cut off.
    pub gaps: Vec<u64>,
}

fn place(record: u64, line: u64) -> String {
    if record == 0 { String::new() } else { format!("record {record} (line {line}) ") }
}

/// Checks every line of a log: that it can be read, has the next number, and holds the hash of
/// the line before; and that the last record that was acknowledged is there, if something vouches
/// for that.
///
/// # Errors
/// The first fault, naming the record.
pub fn verify(path: &Path) -> Result<Verified, AuditFault> {
    // Before the log: a record that is added meanwhile is then one more, not one too few.
    let found = Found::read(&path.with_extension("head"));
    if let Some(head) = found.head()
        && !path.exists()
    {
        let what = format!("and all others up to {} are missing: the log is gone", head.seq);
        return Err(AuditFault { record: 1, line: 1, what });
    }
    let mut walk = Walk {
        lines: 0,
        prev: NOTHING_BEFORE.to_owned(),
        found,
        vouched: None,
        gaps: Vec::new(),
        doubt: None,
        fault: None,
        sought: None,
    };
    each_line(path, |line, whole| walk.line(line, whole)).map_err(|e| AuditFault {
        record: 0,
        line: 0,
        what: format!("{} cannot be read: {e}", path.display()),
    })?;
    walk.end()
}

struct Walk {
    lines: u64,
    /// The hash of the line before.
    prev: String,
    found: Found,
    /// The hash of the line that the head is about.
    vouched: Option<String>,
    gaps: Vec<u64>,
    /// The line before does not vouch for the one before it; the next line says which of the two
    /// is to blame.
    doubt: Option<u64>,
    fault: Option<AuditFault>,
    /// Where records are missing or moved: the number that should come, to see whether it comes
    /// later.
    sought: Option<Sought>,
}

struct Sought {
    line: u64,
    wanted: u64,
    found: u64,
    later: Option<u64>,
}

impl Walk {
    fn line(&mut self, line: &[u8], whole: bool) {
        self.lines += 1;
        if let Some(sought) = &mut self.sought {
            let seq = serde_json::from_slice::<AuditLine>(line).map(|record| record.seq);
            if sought.later.is_none() && seq.is_ok_and(|seq| seq == sought.wanted) {
                sought.later = Some(self.lines);
            }
            return;
        }
        if self.fault.is_some() {
            return;
        }
        let here = self.lines;
        if !whole {
            return self.fault(here, "is not whole");
        }
        let hash = hash_of(line);
        let record: AuditLine = match serde_json::from_slice(line) {
            Ok(record) => record,
            Err(error) => return self.fault(here, format!("cannot be read as one: {error}")),
        };
        if let Some(doubted) = self.doubt.take() {
            return self.blame(doubted, record.prev == self.prev);
        }
        if record.seq != here {
            let (line, wanted, found) = (here, here, record.seq);
            self.sought = Some(Sought { line, wanted, found, later: None });
            return;
        }
        if self.found.head().is_some_and(|head| head.seq == here) {
            self.vouched = Some(hash.clone());
        }
        if record.prev != self.prev {
            self.doubt = Some(here);
        } else if record.kind == DAMAGED {
            let named = record.data.get("record").and_then(Value::as_u64).unwrap_or(here);
            let what = format!(
                "was found damaged when the log was opened at {}: {}",
                record.at, record.message
            );
            self.fault = Some(AuditFault { record: named, line: here, what });
        } else if record.kind == UNVOUCHED {
            self.gaps.push(here);
        }
        self.prev = hash;
    }

    fn fault(&mut self, record: u64, what: impl Into<String>) {
        let fault = AuditFault { record, line: self.lines, what: what.into() };
        self.fault.get_or_insert(fault);
    }

    /// Line `doubted` does not hold the hash of the one before it.
    fn blame(&mut self, doubted: u64, intact: bool) {
        let (record, what) = if intact && doubted > 1 {
            (doubted - 1, "was changed after it was written")
        } else {
            (doubted, "was changed after it was written, or is from elsewhere")
        };
        self.fault.get_or_insert(AuditFault { record, line: record, what: what.to_owned() });
    }

    fn end(mut self) -> Result<Verified, AuditFault> {
        if let Some(doubted) = self.doubt.take() {
            let head = self.found.head();
            // Without a word on the last line, the one before it is the likelier.
            let intact = head.is_none_or(|head| head.seq != doubted || head.hash == self.prev);
            self.blame(doubted, intact);
        }
        if let Some(Sought { line, wanted, found, later }) = self.sought.take() {
            let what = match later {
                Some(later) => format!("stands at line {later}: records were put in another order"),
                None if found > wanted + 1 => {
                    format!("and those up to {} are missing; {found} stands there", found - 1)
                }
                None => format!("is missing; record {found} stands there"),
            };
            self.fault.get_or_insert(AuditFault { record: wanted, line, what });
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let records = self.lines;
        match self.found.head() {
            Some(head) if self.vouched.as_ref() != Some(&head.hash) => {
                let what = head.contradicted(records, self.vouched.is_some());
                let record = head.seq.min(records + 1);
                Err(AuditFault { record, line: record, what: format!("is not as it was: {what}") })
            }
            _ => Ok(Verified { records, open_end: self.found.doubt(records), gaps: self.gaps }),
        }
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

    fn log() -> (tempfile::TempDir, BenchFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let audit = Audit::open(&folder).unwrap();
        for message in ["first", "second", "third", "fourth"] {
            audit.append(AuditRecord::new("query", "panel", "nora", "", message)).unwrap();
        }
        (dir, folder)
    }

    fn damaged(change: impl Fn(Vec<&str>) -> Vec<String>) -> (tempfile::TempDir, BenchFolder) {
        let (dir, folder) = log();
        assert_eq!(verify(&folder.audit()).map(|log| log.records), Ok(4));
        let text = fs::read_to_string(folder.audit()).unwrap();
        let lines = change(text.lines().collect());
        let changed: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(folder.audit(), changed).unwrap();
        (dir, folder)
    }

    #[track_caller]
    fn fault_after(change: impl Fn(Vec<&str>) -> Vec<String>) -> AuditFault {
        let (_dir, folder) = damaged(change);
        let fault = verify(&folder.audit()).unwrap_err();
        assert!(fault.to_string().contains(&format!("record {}", fault.record)), "{fault}");
        // It is still found when the log was opened and went on.
        let audit = Audit::open(&folder).unwrap();
        audit.append(AuditRecord::new("query", "panel", "nora", "", "later")).unwrap();
        assert_eq!(verify(&folder.audit()).unwrap_err().record, fault.record);
        fault
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_changed_record_is_named() {
        let words = ["first", "second", "third", "fourth"];
        for (index, word) in words.iter().enumerate() {
            let fault = fault_after(|lines| {
                let mut lines = owned(&lines);
                lines[index] = lines[index].replace(word, "changed");
                lines
            });
            assert_eq!(fault.record, index as u64 + 1, "{fault}");
        }
    }

    #[test]
    fn a_changed_hash_is_named_as_its_record() {
        let fault = fault_after(|lines| {
            let mut lines = owned(&lines);
            let at = lines[2].find("\"prev\":\"").unwrap() + 8;
            let digit = if &lines[2][at..=at] == "0" { "1" } else { "0" };
            lines[2].replace_range(at..=at, digit);
            lines
        });
        assert_eq!(fault.record, 3, "{fault}");
    }

    #[test]
    fn a_missing_record_is_named() {
        let missing = |kept: &[usize]| {
            let kept = kept.to_vec();
            fault_after(move |l| kept.iter().map(|index| l[*index].to_owned()).collect())
        };
        assert_eq!(missing(&[1, 2, 3]).record, 1);
        assert_eq!(missing(&[0, 2, 3]).record, 2);
        let several = missing(&[0, 3]);
        assert_eq!(several.record, 2);
        assert!(several.what.contains("up to 3 are missing"), "{several}");
    }

    #[test]
    fn a_record_cut_off_at_the_end_is_named() {
        let cut = fault_after(|l| owned(&l[..3]));
        assert_eq!(cut.record, 4, "{cut}");
        let cut = fault_after(|l| owned(&l[..1]));
        assert_eq!(cut.record, 2);
        assert!(cut.what.contains("Records 2 to 4 are missing"), "{cut}");
        assert_eq!(fault_after(|_| Vec::new()).record, 1);
    }

    #[test]
    fn moved_doubled_and_foreign_records_are_named() {
        let moved = fault_after(|l| owned(&[l[0], l[2], l[1], l[3]]));
        assert_eq!((moved.record, moved.line), (2, 2));
        assert!(moved.what.contains("another order"), "{moved}");
        assert_eq!(fault_after(|l| owned(&[l[0], l[0], l[1], l[2], l[3]])).record, 2);
        assert_eq!(fault_after(|l| owned(&[l[0], "{}", l[2], l[3]])).record, 2);
        assert_eq!(fault_after(|l| owned(&[l[0], l[1], l[2], l[3], l[3]])).record, 5);
    }

    #[test]
    fn a_head_that_a_power_cut_left_behind_is_no_fault() {
        let (_dir, folder) = log();
        let lines = fs::read_to_string(folder.audit()).unwrap();
        let second = hash_of(lines.lines().nth(1).unwrap().as_bytes());
        fs::write(folder.audit_head(), format!("{:020} {second}\n", 2)).unwrap();
        let whole = Verified { records: 4, ..Verified::default() };
        assert_eq!(verify(&folder.audit()), Ok(whole));
        assert!(Audit::open(&folder).unwrap().take_notes().is_empty());
    }

    #[track_caller]
    fn vouched_for_by_nothing(head: Option<&[u8]>, why: &str) {
        let (_dir, folder) = log();
        match head {
            Some(bytes) => fs::write(folder.audit_head(), bytes).unwrap(),
            None => fs::remove_file(folder.audit_head()).unwrap(),
        }
        let text = fs::read_to_string(folder.audit()).unwrap();
        let shorter = text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
        fs::write(folder.audit(), shorter).unwrap();
        // It looks like a log of three, and does not pass for a whole one.
        let found = verify(&folder.audit()).unwrap();
        assert_eq!((found.records, found.gaps.as_slice()), (3, [].as_slice()));
        assert!(found.open_end.as_ref().is_some_and(|end| end.contains(why)), "{found:?}");
        // From the next start on the end is vouched for again, and the place stays known.
        let audit = Audit::open(&folder).unwrap();
        let notes = audit.take_notes();
        assert!(notes.len() == 1 && notes[0].contains(why), "{notes:?}");
        audit.append(AuditRecord::new("query", "panel", "nora", "", "later")).unwrap();
        let again = Verified { records: 5, open_end: None, gaps: vec![4] };
        assert_eq!(verify(&folder.audit()), Ok(again));
        drop(audit);
        assert!(Audit::open(&folder).unwrap().take_notes().is_empty());
    }

    #[test]
    fn a_head_that_vouches_for_nothing_is_told() {
        let half = "00000000000000000004 2fa3";
        vouched_for_by_nothing(None, "is not there");
        for head in [b"".as_slice(), &[0; 86], half.as_bytes()] {
            vouched_for_by_nothing(Some(head), "power cut");
        }
        let zeros = "0".repeat(64);
        let garbled = [
            format!("{:020} {zeros}\n", 0),
            format!("{:020} {zeros}\nx", 4),
            "?".repeat(86),
            format!("{:020} {}\n", 4, "g".repeat(64)),
        ];
        for head in &garbled {
            vouched_for_by_nothing(Some(head.as_bytes()), "something else");
        }
    }

    #[test]
    fn what_is_added_to_the_head_does_not_outlast_the_next_record() {
        let (_dir, folder) = log();
        let audit = Audit::open(&folder).unwrap();
        let mut head = fs::read(folder.audit_head()).unwrap();
        head.push(b'x');
        fs::write(folder.audit_head(), head).unwrap();
        audit.append(AuditRecord::new("query", "panel", "nora", "", "fifth")).unwrap();
        let text = fs::read_to_string(folder.audit()).unwrap();
        let shorter = text.lines().take(4).map(|line| format!("{line}\n")).collect::<String>();
        fs::write(folder.audit(), shorter).unwrap();
        assert_eq!(verify(&folder.audit()).unwrap_err().record, 5);
    }

    #[test]
    fn a_log_that_is_not_there_is_a_fault() {
        let (_dir, folder) = log();
        fs::remove_file(folder.audit()).unwrap();
        assert_eq!(verify(&folder.audit()).unwrap_err().record, 1);
        let nowhere = PathBuf::from("/nowhere/audit.log");
        assert_eq!(verify(&nowhere).unwrap_err().line, 0);
    }
}

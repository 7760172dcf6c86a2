//! A disk that is full, one that becomes read-only, and rights that are taken away while a program
//! commits.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod campaign;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

use setpoint_store::{BenchFolder, audit};

use campaign::{
    After, COMMITTER, Mounted, Running, Said, fresh, has_temporary, inspect, may_mount, run,
};

/// A user that is not root, and owns nothing.
const NOBODY: u32 = 65_534;

/// Commits so many times.
fn commit(bench: &Path, count: u64) -> Said {
    Said::all(&Command::new(COMMITTER).arg(bench).arg(count.to_string()).output().unwrap().stdout)
}

/// Asserts that a program gave up for that reason, with nothing broken, and says which commit the
/// file holds.
fn gave_up(bench: &Path, said: &Said, why: &str) -> u64 {
    let failed = said.failed.clone().expect("it was to fail");
    assert!(failed.contains(why), "{failed}");
    assert!(!has_temporary(bench), "{failed}");
    let acked = said.acked.or(said.opened).unwrap();
    // Taking back takes room too; where there was none the journal tells of it.
    let after = if said.stuck { After::Kill } else { After::Fault };
    inspect(bench, acked, after)
}

#[test]
fn a_full_disk_fails_the_commit_and_breaks_nothing() {
    if !may_mount() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["-t", "tmpfs", "-o", "size=512k", "tmpfs"];
    let disk = Mounted::new(&arguments, &dir.path().join("disk"));
    let bench = fresh(disk.path());
    assert_eq!(commit(&bench, 3).acked, Some(3));
    // Leaves a few pages each time: the disk is full at another call.
    let mut holds = 3;
    for free_kib in 0..24 {
        let filler = disk.path().join("filler");
        fill(&filler, free_kib * 1024);
        let said = commit(&bench, 0);
        fs::remove_file(&filler).unwrap();
        holds = match said.opened {
            Some(_) => gave_up(&bench, &said, "free some space"),
            None => inspect(&bench, holds, After::Fault),
        };
        let next = commit(&bench, 1);
        assert_eq!(next.acked, Some(holds + 1), "with room again it goes on: {next:?}");
        holds += 1;
    }
}

/// Takes all room of a disk but so many bytes.
fn fill(path: &Path, free: u64) {
    let file = fs::File::create(path).unwrap();
    let stat = rustix::fs::fstatvfs(&file).unwrap();
    let room = (stat.f_bavail * stat.f_frsize).saturating_sub(free);
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, room.max(1)).unwrap();
}

#[test]
fn half_a_record_fails_the_commit_and_leaves_log_and_bench_whole() {
    let dir = campaign::scratch();
    let bench = fresh(dir.path());
    // Longer than any text, so that it is the log that reaches the limit.
    assert_eq!(commit(&bench, 60).acked, Some(60));
    let log = BenchFolder::of(&bench).audit();
    for more in [1, 100, 200, 300, 400, 500, 600] {
        let length = fs::metadata(&log).unwrap().len();
        // The write that crosses the limit is short, the next one fails.
        let said = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec prlimit --fsize=\"$0\" \"$@\""])
            .arg((length + more).to_string())
            .arg(COMMITTER)
            .arg(&bench)
            .arg("0")
            .output()
            .unwrap();
        let said = Said::all(&said.stdout);
        audit::verify(&log).unwrap();
        let holds = gave_up(&bench, &said, "audit.log: File too large");
        assert_eq!(commit(&bench, 1).acked, Some(holds + 1), "without the limit it goes on");
    }
}

#[test]
fn a_disk_that_becomes_read_only_fails_the_commit_and_breaks_nothing() {
    if !may_mount() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let mounted = Mounted::new(&["-t", "tmpfs", "tmpfs"], &disk);
    let bench = fresh(mounted.path());
    assert_eq!(commit(&bench, 2).acked, Some(2));
    run(Command::new("mount").args(["-o", "remount,ro"]).arg(&disk));
    let said = commit(&bench, 1);
    let why = said.failed.unwrap();
    assert!(said.opened.is_none() && why.contains("mounted read-only"), "{why}");
    assert_eq!(campaign::number(&fs::read_to_string(&bench).unwrap()), Some(2));
    run(Command::new("mount").args(["-o", "remount,rw"]).arg(&disk));
    assert_eq!(inspect(&bench, 2, After::Fault), 2);
    assert_eq!(commit(&bench, 1).acked, Some(3));
}

#[test]
fn rights_that_are_taken_away_while_it_runs_fail_the_commit_and_break_nothing() {
    if !may_mount() {
        return;
    }
    // Root may do everything, so somebody else commits.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let folder = dir.path().join("lab");
    fs::create_dir(&folder).unwrap();
    let bench = fresh(&folder);
    for path in [&folder, &bench] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let program = dir.path().join("committer");
    fs::copy(COMMITTER, &program).unwrap();
    let mut running = Running::start(
        Command::new("setpriv")
            .arg(format!("--reuid={NOBODY}"))
            .arg(format!("--regid={NOBODY}"))
            .arg("--clear-groups")
            .arg(&program)
            .arg(&bench)
            .arg("0"),
    );
    running.read_lines(5);
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let said = running.finish();
    // The one whose file was being renamed just then cannot be taken away.
    let failed = said.failed.clone().unwrap();
    assert!(failed.contains("check who may write to its folder"), "{failed}");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let acked = said.acked.unwrap();
    let holds = campaign::number(&fs::read_to_string(&bench).unwrap()).unwrap();
    assert_eq!(holds, acked, "{failed}");
    assert_eq!(inspect(&bench, acked, After::Fault), acked);
}

//! The calls of one run of the committer, from strace, and running it again with one of them
//! disturbed.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use super::{COMMITTER, Said};

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// `openat`, `write`, …
    pub name: String,
    /// Which one of that name in the whole run, from 1.
    pub nth: u32,
    /// As strace writes it.
    pub line: String,
}

impl Call {
    /// Whether it is what the committer says, not what it does.
    pub fn speaks(&self) -> bool {
        self.line.contains("write(1<")
    }

    /// Whether it may change what is on the disk.
    pub fn changes(&self) -> bool {
        let name = self.name.as_str();
        let opens = name == "openat" && (self.has("O_WRONLY") || self.has("O_RDWR"));
        const CHANGING: [&str; 17] = [
            "write",
            "pwrite64",
            "fsync",
            "fdatasync",
            "rename",
            "renameat",
            "renameat2",
            "unlink",
            "unlinkat",
            "mkdir",
            "mkdirat",
            "ftruncate",
            "fchmod",
            "fchown",
            "fsetxattr",
            "flock",
            "linkat",
        ];
        opens || CHANGING.contains(&name)
    }

    /// Whether it writes into a temporary file.
    pub fn writes_temporary(&self) -> bool {
        self.name == "write" && self.has(".tmp>")
    }

    fn has(&self, what: &str) -> bool {
        self.line.contains(what)
    }
}

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    pub said: Said,
    pub status: ExitStatus,
}

/// A committer under strace, on one bench, for some commits.
pub struct Traced {
    pub bench: PathBuf,
    pub commits: u64,
}

impl Traced {
    /// All calls concerning files between its first words and its end.
    pub fn calls(&self, trace: &Path) -> Vec<Call> {
        let done = self
            .strace(&["-y".into(), "-o".into(), trace.display().to_string()])
            .arg("-e")
            .arg("trace=%file,%desc")
            .arg(COMMITTER)
            .arg(&self.bench)
            .arg(self.commits.to_string())
            .output()
            .expect(MISSING);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let mut counts: HashMap<String, u32> = HashMap::new();
        let mut calls = Vec::new();
        let mut started = false;
        for line in fs::read_to_string(trace).unwrap().lines() {
            let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let Some((name, _)) = line.split_once('(') else { continue };
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            let nth = counts.entry(name.to_owned()).or_default();
            *nth += 1;
            if started && !["mmap", "close", "munmap", "mprotect"].contains(&name) {
                calls.push(Call { name: name.to_owned(), nth: *nth, line: line.to_owned() });
            }
            started |= line.starts_with("write(1<") && line.contains("\"start\\n\"");
        }
        assert!(calls.len() > 50, "too few calls were seen: {calls:?}");
        calls
    }

    /// Runs it with `inject` (`signal=SIGKILL`, `error=EIO`) at one call.
    pub fn disturbed(&self, call: &Call, inject: &str) -> Outcome {
        let Call { name, nth, .. } = call;
        let done = self
            .strace(&["-o".into(), "/dev/null".into()])
            .arg("-e")
            .arg(format!("trace={name}"))
            .arg("-e")
            .arg(format!("inject={name}:{inject}:when={nth}"))
            .arg(COMMITTER)
            .arg(&self.bench)
            .arg(self.commits.to_string())
            .stderr(Stdio::null())
            .output()
            .expect(MISSING);
        Outcome { said: Said::all(&done.stdout), status: done.status }
    }

    /// Fails one call, and says what was synced, renamed and removed, in the order of it.
    pub fn syncs(&self, call: &Call, error: &str, trace: &Path) -> (Outcome, Vec<String>) {
        let Call { name, nth, .. } = call;
        let done = self
            .strace(&["-y".into(), "-o".into(), trace.display().to_string()])
            .args(["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat", "-e"])
            .arg(format!("inject={name}:error={error}:when={nth}"))
            .arg(COMMITTER)
            .arg(&self.bench)
            .arg(self.commits.to_string())
            .output()
            .expect(MISSING);
        let lines = fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect();
        (Outcome { said: Said::all(&done.stdout), status: done.status }, lines)
    }

    fn strace(&self, arguments: &[String]) -> Command {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq"]).args(arguments);
        command
    }
}

const MISSING: &str = "strace has to be installed; `cargo xtask test` does that";

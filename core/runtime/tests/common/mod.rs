//! A bench in a temporary folder, opened by a real runtime with simulated instruments.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use setpoint_bench::{Edit, TextEdit, Value};
use setpoint_instruments::{LinkState, ParamValue};
use setpoint_runtime::{
    Answer, Command, CommandError, Options, Origin, ReloadState, Runtime, Status,
};

/// Long enough for a loaded machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A driver with these keys in its `[wire]` and these parameters.
pub fn driver(id: &str, wire: &str, params: &str) -> String {
    format!(
        r#"
schema = 1
[driver]
id = "{id}"
name = "Device of the tests"
models = ["DEVICE"]
[wire]
tx_end = "\n"
rx_end = "\n"
{wire}
[wire.tcp]
port = 5025
[identity]
send = "*IDN?"
expect = "SETPOINT,{{model}},{{serial}},{{firmware}}"
{params}"#
    )
}

/// A device that answers within a second.
pub const WIRE: &str = "reply_timeout = \"1s\"";

/// The same, wanting a long silence between messages: setting takes its time.
pub const SLOW_WIRE: &str = "reply_timeout = \"1s\"\ngap = \"300ms\"";

/// `stuck` takes every value and never reads back as asked.
pub const STUCK: &str = r#"
[params.other]
type = "float"
access = "r"
get = "OTHER?"
sim = { start = 7.0 }
[params.stuck]
type = "float"
range = [0.0, 10.0]
get = "OTHER?"
set = "STUCK {value:.1f}"
order = 90
verify = { tol = 0.1, within = "200ms" }
"#;

pub const LEVEL: &str = r#"
[params.level]
type = "float"
range = [0.0, 10.0]
get = "LEVEL?"
set = "LEVEL {value:.1f}"
poll = "60s"
verify = { tol = 0.1, within = "2s" }
"#;

pub const BENCH: &str = r#"# the bench of the tests
[bench]
name = "Test bench"

[instruments.psu]
type = "rigol_dp832"
address = "sim:"

[instruments.psu.set]
ch1.voltage = 3.300   # bias
ch1.current_limit = 0.500
"#;

pub struct Bench {
    pub runtime: Runtime,
    pub file: PathBuf,
    // Unmounted before the folder is removed.
    disk: Option<Mount>,
    folder: tempfile::TempDir,
}

/// Something mounted, until it is dropped.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts with these arguments. A test that needs this fails without root, unless the variable
    /// `SETPOINT_TESTS_WITHOUT_ROOT` says that there is none: then it is left out.
    pub fn new(arguments: &[&str], at: &std::path::Path) -> Option<Self> {
        if std::env::var_os("SETPOINT_TESTS_WITHOUT_ROOT").is_some() {
            return None;
        }
        let done = std::process::Command::new("mount").args(arguments).arg(at).output().unwrap();
        assert!(
            done.status.success(),
            "this test mounts a file system, which needs root (else set \
             SETPOINT_TESTS_WITHOUT_ROOT): {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Some(Self(at.to_owned()))
    }

    /// Makes a folder read-only, for root too.
    pub fn read_only(folder: &std::path::Path) -> Option<Self> {
        let name = folder.to_str().unwrap();
        let mount = Self::new(&["--bind", name], folder)?;
        std::mem::forget(Self::new(&["-o", "remount,bind,ro"], folder));
        Some(mount)
    }

    /// Makes a file one that cannot be replaced.
    pub fn pinned(file: &std::path::Path) -> Option<Self> {
        Self::new(&["--bind", file.to_str().unwrap()], file)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

impl Bench {
    /// Opens a bench with this text and waits until its instruments answer.
    pub async fn open(text: &str) -> Self {
        Self::open_with(text, &[]).await
    }

    /// The same with other files beside it.
    pub async fn open_with(text: &str, others: &[(&str, &str)]) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), None, text, others).await
    }

    /// The same on a disk of its own, of so many kilobytes.
    pub async fn on_a_disk_of(kilobytes: usize, text: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kilobytes}k");
        let disk = Mount::new(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path())?;
        Some(Self::open_in(folder, Some(disk), text, &[]).await)
    }

    async fn open_in(
        folder: tempfile::TempDir,
        disk: Option<Mount>,
        text: &str,
        others: &[(&str, &str)],
    ) -> Self {
        let drivers = folder.path().join("drivers");
        std::fs::create_dir(&drivers).unwrap();
        for (id, wire, params) in [("stuck", WIRE, STUCK), ("slow", SLOW_WIRE, LEVEL)] {
            let path = drivers.join(format!("{id}.toml"));
            std::fs::write(path, driver(id, wire, params)).unwrap();
        }
        let file = folder.path().join("bench.toml");
        std::fs::write(&file, text).unwrap();
        for (name, text) in others {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let runtime = Runtime::start(Options::new(file.clone())).await.unwrap();
        let bench = Self { runtime, file, disk, folder };
        bench
            .until("every instrument answers", |status| {
                status.instruments.values().all(|one| one.state == LinkState::Connected)
            })
            .await;
        bench
    }

    /// The same bench, opened again after it was stopped.
    pub async fn again(self) -> Self {
        let runtime = Runtime::start(Options::new(self.file.clone())).await.unwrap();
        let bench = Self { runtime, ..self };
        bench
            .until("every instrument answers", |status| {
                status.instruments.values().all(|one| one.state == LinkState::Connected)
            })
            .await;
        bench
    }

    /// Waits for a status with a property and returns it.
    pub async fn until(&self, what: &str, is: impl Fn(&Status) -> bool) -> Arc<Status> {
        let mut changes = self.runtime.changes();
        let wait = async {
            loop {
                changes.borrow_and_update();
                let status = self.runtime.status();
                if is(&status) {
                    return status;
                }
                changes.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(status) => status,
            Err(_) => panic!("never: {what}; last: {:#?}", self.runtime.status()),
        }
    }

    pub async fn ask(&self, command: Command) -> Result<Answer, CommandError> {
        self.runtime.call(Origin::Panel, command).await
    }

    pub async fn change(&self, edits: Vec<Edit>) -> Result<Answer, CommandError> {
        let (message, author) = (String::new(), "tester".to_owned());
        let edits = edits.into_iter().map(TextEdit::Put).collect();
        self.ask(Command::Change { edits, message, author, if_match: None }).await
    }

    /// What the device itself says, past every cache.
    pub async fn device(&self, instrument: &str, question: &str) -> String {
        let (instrument, command) = (instrument.to_owned(), question.to_owned());
        let author = "tester".to_owned();
        match self.ask(Command::Query { instrument, command, author }).await.unwrap() {
            Answer::Reply { reply } => reply,
            other => panic!("not a reply: {other:?}"),
        }
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }

    pub fn save(&self, text: &str) {
        let temporary = self.file.with_extension("save");
        std::fs::write(&temporary, text).unwrap();
        std::fs::rename(&temporary, &self.file).unwrap();
    }

    /// The bench's folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// How many events of a kind there were.
    pub fn told(&self, kind: &str) -> usize {
        self.runtime.status().events.iter().filter(|event| event.kind == kind).count()
    }

    pub async fn sync(&self) -> Result<Answer, CommandError> {
        self.ask(Command::Sync { author: "tester".into() }).await
    }

    pub async fn reload(&self) -> Result<Answer, CommandError> {
        self.ask(Command::Reload { author: "tester".into() }).await
    }

    pub fn revisions(&self) -> usize {
        self.runtime.status().revisions.len()
    }
}

pub fn edit(path: &str, value: impl Into<Value>) -> Edit {
    Edit { path: path.parse().unwrap(), value: Some(value.into()) }
}

/// The readback of a parameter.
pub fn readback(status: &Status, instrument: &str, parameter: &str) -> Option<ParamValue> {
    status.instruments.get(instrument)?.parameters.get(parameter)?.readback.clone()
}

pub fn in_step(status: &Status) -> bool {
    status.reload.state == ReloadState::InStep
}

/// Runs an ignored test of the same file, with a program that runs it or what it is given to run.
pub fn run_ignored(test: &str, mut program: std::process::Command) {
    let arguments = [test, "--exact", "--include-ignored", "--nocapture"];
    let done = program.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}\n{error}");
}

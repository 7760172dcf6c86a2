//! Finding `setpoint` and running it.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Bench, until, wait::DEADLINE};

/// The `setpoint` that was built beside this test.
///
/// # Panics
/// If it is not there.
pub fn path() -> PathBuf {
    let this = env::current_exe().expect("this test is a file");
    // target/debug/deps/outside-0123, target/debug/examples/pictures
    let built = this.ancestors().nth(2).expect("it is in a target folder").join("setpoint");
    assert!(
        built.is_file(),
        "{} is not there: run `cargo build --package setpoint` first, or `cargo xtask test`, which does",
        built.display()
    );
    built
}

/// `setpoint`, cut off from who runs the test: its own home, no display, no settings.
pub fn command(bench: &Bench) -> Command {
    cut_off(bench, Command::new(path()))
}

/// The same, run by another program that takes its name and arguments behind these words, and
/// becomes it: the process that is started is `setpoint`.
pub fn command_by(bench: &Bench, words: &[&str]) -> Command {
    let (name, words) = words.split_first().expect("a program");
    let mut command = Command::new(name);
    command.args(words).arg(path());
    cut_off(bench, command)
}

fn cut_off(bench: &Bench, mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SETPOINT") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", bench.home())
        .env("XDG_CONFIG_HOME", bench.home().join("config"))
        .env("XDG_DATA_HOME", bench.home().join("data"))
        .env("XDG_STATE_HOME", bench.home().join("state"))
        .env("XDG_CACHE_HOME", bench.home().join("cache"))
        .env("XDG_RUNTIME_DIR", bench.home())
        .env("TZ", "UTC")
        .env("USER", "tester")
        .env("LOGNAME", "tester")
        // GStreamer looks its plugins over once, not once a test.
        .env("GST_REGISTRY", path().with_file_name("gstreamer-registry-of-tests.bin"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("RUST_LOG")
        .current_dir(bench.home())
        .stdin(Stdio::null());
    command
}

/// What a run to the end came to.
#[derive(Debug)]
pub struct Outcome {
    /// Exit status; `None`: ended by a signal.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

/// Runs a command to its end.
///
/// # Panics
/// If it does not end in time, or ends with a panic of its own.
pub fn finish(bench: &Bench, mut command: Command) -> Outcome {
    // Files, not pipes: whatever it prints, it cannot get stuck on a reader that waits for its end.
    let out = bench.home().join("stdout");
    command.stdout(File::create(&out).expect("a file can be made"));
    let mut process = Process::start(bench, command);
    let shown = format!("the end of {:?}", process.typed);
    let status = until(&shown, || process.child.try_wait().expect("it is a child of this test"));
    let stdout = String::from_utf8_lossy(&fs::read(out).expect("stdout")).into_owned();
    Outcome { code: status.code(), stdout, stderr: process.stderr() }
}

/// Runs `setpoint` with these arguments to its end.
pub fn run(bench: &Bench, arguments: &[&str]) -> Outcome {
    let mut command = command(bench);
    command.args(arguments);
    finish(bench, command)
}

/// Runs a command of `setpoint` on the bench file, which must end with this status.
///
/// # Panics
/// If it ends with another one.
pub fn ends(bench: &Bench, command: &str, arguments: &[&str], status: i32) -> Outcome {
    let path = bench.path().display().to_string();
    let outcome = run(bench, &[&[command, &path], arguments].concat());
    assert_eq!(outcome.code, Some(status), "{command} {arguments:?}: {outcome:?}");
    outcome
}

/// The same where all must go well: what it printed.
pub fn good(bench: &Bench, command: &str, arguments: &[&str]) -> String {
    ends(bench, command, arguments, 0).stdout
}

/// The same with `--format json`.
///
/// # Panics
/// If it prints something else.
pub fn json(bench: &Bench, command: &str, arguments: &[&str]) -> Value {
    let printed = good(bench, command, &[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// The same where it prints one JSON object a line.
///
/// # Panics
/// If it prints something else.
pub fn json_lines(bench: &Bench, command: &str, arguments: &[&str]) -> Vec<Value> {
    let printed = good(bench, command, &[arguments, &["--format", "json"]].concat());
    let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    printed.lines().map(line).collect()
}

/// A running program. It is stopped when this goes.
#[derive(Debug)]
pub struct Process {
    /// The child, its stdout untouched.
    pub child: Child,
    typed: String,
    stderr: PathBuf,
}

impl Process {
    /// Starts it, its stderr kept in a file.
    pub fn start(bench: &Bench, mut command: Command) -> Self {
        let name = format!("stderr-{}", fs::read_dir(bench.home()).expect("home").count());
        let stderr = bench.home().join(name);
        command.stderr(File::create(&stderr).expect("a file can be made"));
        let typed = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("{typed}: {error}"));
        Self { child, typed, stderr }
    }

    /// All it said on stderr up to now.
    ///
    /// # Panics
    /// If that holds a panic: no input may cause one.
    pub fn stderr(&self) -> String {
        let text = read(&self.stderr);
        assert!(!text.contains("panicked at"), "{} panicked:\n{text}", self.typed);
        text
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("it is still there");
    }

    /// Whether it has ended, also where someone else follows it and keeps its status from being
    /// asked for.
    pub fn has_ended(&self) -> bool {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // `12 (name) Z …`; the name may hold anything.
        stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']))
    }

    /// Asks it to stop and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        until("an end after SIGTERM", || self.child.try_wait().expect("it is a child of this test"))
    }

    /// Ends it at once, without a chance to tidy up.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
            let start = Instant::now();
            while start.elapsed() < DEADLINE / 6 {
                if let Ok(Some(_)) = self.child.try_wait() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let text = read(&self.stderr);
        if std::thread::panicking() {
            println!("--- {} said:\n{text}", self.typed);
        } else {
            assert!(!text.contains("panicked at"), "{} panicked:\n{text}", self.typed);
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

//! Everything that must hold before a change is shared, in stages; the first that fails ends it.

use std::{
    env,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Failure,
    command::{shown, succeed},
    packages::Purpose,
    soak,
    system::{cargo, prepare, prepare_components},
    tally::Tally,
    tidy,
};

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 30;

/// Runs all stages. The very last line is the tests' count, if it came to that.
///
/// # Errors
/// If a stage fails; by then it has said which and how to repeat it.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    prepare(Purpose::Test)?;
    prepare_components()?;
    let mut stages = Stages { root, done: Vec::new() };
    let mut tally = None;
    let done = stages.all(&mut tally);
    stages.summary();
    if let Err(failure) = &done {
        println!("{}", failure.message);
    }
    if let Some(tally) = tally {
        println!("{tally}");
    }
    done.map_err(|failure| Failure { message: String::new(), ..failure })
}

/// The stages that ran, and how long each took.
struct Stages<'a> {
    root: &'a Path,
    done: Vec<(&'static str, Duration)>,
}

impl Stages<'_> {
    fn all(&mut self, tally: &mut Option<Tally>) -> Result<(), Failure> {
        let root = self.root;
        self.cargo("formatting", &["fmt", "--all", "--check"])?;
        self.stage("tidy", "cargo xtask tidy", || tidy::run(root))?;
        self.cargo(
            "clippy",
            &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        )?;
        // Tests start the real program, which `cargo test` alone would not bring up to date. All
        // targets at once, so that each dependency is built once.
        self.cargo("build", &["build", "--workspace", "--all-targets"])?;
        // A count of all tests, also when one fails early.
        let mut test = self.command(&["test", "--workspace", "--no-fail-fast"]);
        self.stage("tests", "cargo test --workspace --no-fail-fast", || counted(&mut test, tally))?;
        // Where it is not installed, the tests have replayed the inputs that are kept.
        if soak::has_fuzzer() {
            let typed = format!("cargo xtask soak {FUZZ_SECONDS}");
            self.stage("fuzzing", &typed, || soak::fuzz_each(root, FUZZ_SECONDS))?;
        }
        Ok(())
    }

    fn cargo(&mut self, name: &'static str, arguments: &[&str]) -> Result<(), Failure> {
        let mut command = self.command(arguments);
        let typed = shown(&command);
        self.stage(name, &typed, || succeed(&mut command))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(self.root);
        if io::stdout().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
            // What is built once and thrown away needs no data for building it again.
            command.env("CARGO_INCREMENTAL", "0");
        }
        command
    }

    fn stage(
        &mut self,
        name: &'static str,
        typed: &str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("== {name}: {typed}");
        let start = Instant::now();
        let outcome = work();
        self.done.push((name, start.elapsed()));
        outcome.map_err(|failure| {
            Failure::new(format!("{}\nFailed at {name}. To repeat it: {typed}", failure.message))
        })
    }

    fn summary(&self) {
        println!("\n== time");
        for (name, took) in &self.done {
            println!("{name:12} {:7.1} s", took.as_secs_f64());
        }
    }
}

/// Runs tests, passes on what they print, and counts.
fn counted(test: &mut Command, tally: &mut Option<Tally>) -> Result<(), Failure> {
    let mut child = test.stdout(Stdio::piped()).spawn().map_err(|error| {
        Failure::new(format!("could not start {}: {error}", test.get_program().to_string_lossy()))
    })?;
    let mut count = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            count.count(&line);
            // Nobody may be reading any more; the tests go on all the same.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
    let status = child.wait().map_err(|error| Failure::new(format!("lost the tests: {error}")))?;
    if status.success() {
        *tally = Some(count);
        return Ok(());
    }
    if count.failed > 0 {
        *tally = Some(count);
        return Err(Failure::new(String::new()));
    }
    Err(Failure::new(format!("{count}, but cargo test ended with {status}: not all tests ran")))
}

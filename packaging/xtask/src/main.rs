//! Set-up, tests and pictures: `cargo xtask …`.
//!
//! Standard library only, so that it builds in seconds on a fresh machine.
//!
//! | part | holds |
//! |---|---|
//! | [`arguments`] | what may be asked for |
//! | [`packages`] | system packages, by what they are for and what system it is |
//! | [`system`] | which system this is; installing what is missing |
//! | [`command`] | programs to run, shown before they run |
//! | [`run`] | `run`: builds Setpoint and opens the panel on the demo bench |
//! | [`test`] | `test`: everything that must hold before a change is shared |
//! | [`tally`] | counting what `cargo test` says |
//! | [`tidy`] | `tidy`: rules of this repository that no compiler knows |
//! | [`soak`] | `soak`: fuzzing, crashes and power cuts, for as long as one likes |
//! | [`pictures`] | `pictures`: the pictures of the panel in `docs/pictures` |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the one who called it")]

mod arguments;
mod command;
mod packages;
mod pictures;
mod run;
mod soak;
mod system;
mod tally;
mod test;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use arguments::Task;

fn main() -> ExitCode {
    let task = match arguments::parse(env::args().skip(1)) {
        Ok(task) => task,
        Err(message) => {
            eprintln!("{message}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    let root = root();
    let done = match task {
        Task::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Task::Run { headless, arguments } => run::run(&root, headless, &arguments),
        Task::Announce => run::announce(),
        Task::Test => test::run(&root),
        Task::Tidy => tidy::run(&root),
        Task::Soak(kind) => soak::run(&root, &kind),
        Task::Pictures => pictures::run(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("{}", failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}

/// Why a task ended without having done what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For the one who called; empty if all has been said.
    message: String,
    /// Exit status.
    code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// The top folder of the repository.
fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

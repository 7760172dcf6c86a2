//! What may be asked for.

use crate::soak;

/// Shown by `--help` and after a mistake.
pub(crate) const HELP: &str = "\
Usage: cargo xtask TASK

Tasks
  run [--headless] [-- ARGUMENTS]
              installs what is missing, builds Setpoint and opens the panel on the demo bench;
              with --headless serves the demo bench without a window and says how to ask it.
              ARGUMENTS go to `setpoint` (or `setpoint serve`) in place of --demo
  test        installs what is missing, then formatting, repository rules, clippy, build, all tests
              and, where cargo-fuzz is installed, 30 seconds of each fuzz target; stops at the first
              that fails
  tidy        the repository rules alone
  soak [SECONDS]
              installs cargo-fuzz if it is missing, then runs each fuzz target for 10 minutes, or
              for that many seconds; `test` replays the inputs that are kept in fuzz/corpus
  soak crash [KILLS]
              kills a program that commits 2,000 times, or as often as said, at random instants and
              at every call that changes the disk, and fails every call with every error
  soak power [CUTS]
              cuts the power of ext4 and XFS disks in files 50 times each, or as often as said,
              while a program commits to them; as root
  soak saves [SECONDS]
              two programs, an editor and the watcher are at one bench file for a minute, or for as
              long as said; then a save every 20 ms for as long
  pictures    the pictures in docs/pictures, taken of the running panel
  help        this text

On Debian and Ubuntu missing system packages are installed with apt-get, as root or through sudo;
on other systems they are named.

Examples
  cargo xtask run
  cargo xtask run --headless
  cargo xtask run -- my-bench.toml --theme light";

/// One task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Say what there is.
    Help,
    /// Build and start Setpoint.
    Run {
        /// Without a window.
        headless: bool,
        /// For `setpoint`, in place of `--demo`.
        arguments: Vec<String>,
    },
    /// Not for people: explains the ready line of `setpoint serve` that comes in on stdin.
    Announce,
    /// Everything that must hold.
    Test,
    /// The repository rules.
    Tidy,
    /// What takes longer than tests may.
    Soak(Soak),
    /// Pictures of the panel.
    Pictures,
}

/// A kind of long run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Soak {
    /// Fuzzing.
    Fuzz {
        /// How long each target runs.
        seconds: u32,
    },
    /// Killing a program that commits.
    Crash {
        /// How often, at random instants.
        kills: u32,
    },
    /// Cutting the power of a disk that is committed to.
    Power {
        /// How often, for each disk and order.
        cuts: u32,
    },
    /// Many who save one bench file.
    Saves {
        /// How long each kind goes on.
        seconds: u32,
    },
}

/// Reads the command line, program name left out.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Task, String> {
    let Some(task) = words.next() else { return Ok(Task::Help) };
    let task = match task.as_str() {
        "help" | "--help" | "-h" => return Ok(Task::Help),
        "run" => return parse_run(words),
        "soak" => return parse_soak(words),
        "announce" => Task::Announce,
        "test" => Task::Test,
        "tidy" => Task::Tidy,
        "pictures" => Task::Pictures,
        other => return Err(format!("there is no task “{other}”")),
    };
    match words.next().as_deref() {
        None => Ok(task),
        Some("--help" | "-h") => Ok(Task::Help),
        Some(word) => Err(format!("“{word}” means nothing here")),
    }
}

fn parse_soak(mut words: impl Iterator<Item = String>) -> Result<Task, String> {
    let number = |word: &str, of: &str| {
        word.parse()
            .ok()
            .filter(|number: &u32| *number > 0)
            .ok_or_else(|| format!("“{word}” is not a number of {of}"))
    };
    let soak = match words.next().as_deref() {
        None => Soak::Fuzz { seconds: soak::SECONDS },
        Some("--help" | "-h") => return Ok(Task::Help),
        Some(kind @ ("crash" | "power" | "saves")) => {
            let often = words.next();
            match (kind, often.as_deref()) {
                (_, Some("--help" | "-h")) => return Ok(Task::Help),
                ("crash", None) => Soak::Crash { kills: soak::KILLS },
                ("crash", Some(word)) => Soak::Crash { kills: number(word, "kills")? },
                ("power", None) => Soak::Power { cuts: soak::CUTS },
                ("power", Some(word)) => Soak::Power { cuts: number(word, "cuts")? },
                (_, None) => Soak::Saves { seconds: soak::SAVES_SECONDS },
                (_, Some(word)) => Soak::Saves { seconds: number(word, "seconds")? },
            }
        }
        Some(word) => Soak::Fuzz { seconds: number(word, "seconds")? },
    };
    match words.next() {
        None => Ok(Task::Soak(soak)),
        Some(word) => Err(format!("“{word}” means nothing here")),
    }
}

fn parse_run(mut words: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut headless = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--headless" => headless = true,
            "--help" | "-h" => return Ok(Task::Help),
            "--" => return Ok(Task::Run { headless, arguments: words.collect() }),
            other => {
                return Err(format!("“{other}” means nothing here; arguments go after --"));
            }
        }
    }
    Ok(Task::Run { headless, arguments: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, String> {
        super::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_after_the_dashes_go_to_setpoint() {
        let task = parse("run --headless -- my.toml --listen 127.0.0.1:0").unwrap();
        let arguments = ["my.toml", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
        assert_eq!(task, Task::Run { headless: true, arguments });
    }

    #[test]
    fn nothing_and_help_show_the_help() {
        for line in ["", "help", "--help", "run --help", "test -h"] {
            assert_eq!(parse(line), Ok(Task::Help), "{line:?}");
        }
    }

    #[test]
    fn fuzzing_takes_ten_minutes_a_target_or_what_is_said() {
        assert_eq!(parse("soak"), Ok(Task::Soak(Soak::Fuzz { seconds: 600 })));
        assert_eq!(parse("soak 30"), Ok(Task::Soak(Soak::Fuzz { seconds: 30 })));
        for line in
            ["soak 0", "soak 5m", "soak 30 40", "soak crash 0", "soak power 1 2", "soak saves 0"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn crashes_and_power_cuts_are_many_or_as_many_as_said() {
        assert_eq!(parse("soak crash"), Ok(Task::Soak(Soak::Crash { kills: 2_000 })));
        assert_eq!(parse("soak crash 9"), Ok(Task::Soak(Soak::Crash { kills: 9 })));
        assert_eq!(parse("soak power"), Ok(Task::Soak(Soak::Power { cuts: 50 })));
        assert_eq!(parse("soak power 3"), Ok(Task::Soak(Soak::Power { cuts: 3 })));
        assert_eq!(parse("soak saves"), Ok(Task::Soak(Soak::Saves { seconds: 60 })));
        assert_eq!(parse("soak saves 9"), Ok(Task::Soak(Soak::Saves { seconds: 9 })));
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, named) in [("tset", "tset"), ("run --headles", "--headles"), ("test now", "now")]
        {
            let message = parse(line).unwrap_err();
            assert!(message.contains(named), "{line:?} gave {message:?}");
        }
    }
}

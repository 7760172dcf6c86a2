//! How bench and file stand to each other, in a few words.

use jiff::Timestamp;
use setpoint_bench::Severity;
use setpoint_runtime::{LastReload, Origin, Outcome, ReloadState, Status};

use crate::panel::{
    format,
    widgets::{Mark, Tone},
};

/// How long the pill tells of the last change, in seconds.
const FRESH_S: f64 = 5.0;

/// What the pill says.
#[derive(Debug, Clone, PartialEq)]
pub struct ReloadWords {
    /// How it looks.
    pub tone: Tone,
    /// Its mark.
    pub mark: Mark,
    /// The words.
    pub text: String,
    /// More of it, for the tooltip.
    pub more: String,
    /// When the words change by themselves, in seconds from now.
    pub until_s: Option<f64>,
}

/// What the pill says now; `busy` is what is being done for the person.
pub fn reload_words(status: &Status, busy: Option<&str>, now: Timestamp) -> ReloadWords {
    if let Some(busy) = busy {
        return ReloadWords {
            tone: Tone::Info,
            mark: Mark::Dot,
            text: busy.to_owned(),
            more: "You asked for it; it is not finished yet.".to_owned(),
            until_s: None,
        };
    }
    standing(status, now)
}

/// What polling means, and why.
pub(super) fn polled(why: &str) -> String {
    format!("Files are asked once a second. {}", format::sentence(why))
}

fn standing(status: &Status, now: Timestamp) -> ReloadWords {
    if let Some(why) = status.attention.as_deref() {
        return check_the_bench(why);
    }
    let reload = &status.reload;
    let file = file_name(status);
    if let Some(change) = &status.unfinished {
        return ReloadWords {
            tone: Tone::Bad,
            mark: Mark::Triangle,
            text: "A change was not finished".to_owned(),
            more: format!(
                "Setpoint ended in the middle of a change from {}. Finish it or go back: Activity.",
                change.from_revision
            ),
            until_s: None,
        };
    }
    let words = |tone, mark, text: &str, more: String| ReloadWords {
        tone,
        mark,
        text: text.to_owned(),
        more: reload.problem.clone().unwrap_or(more),
        until_s: None,
    };
    match reload.state {
        ReloadState::InStep if status.drivers_problem.is_some() => {
            let more = status.drivers_problem.clone().unwrap_or_default();
            words(Tone::Amber, Mark::Triangle, "Driver files not used", more)
        }
        ReloadState::InStep => {
            reload.last.as_ref().and_then(|last| fresh(last, now)).unwrap_or_else(|| {
                let when = reload.watch.polling.as_ref().map(|why| polled(why));
                let when = when.unwrap_or_else(|| "A save takes effect at once.".to_owned());
                let more = format!("What runs is what {file} says. {when}");
                words(Tone::Good, Mark::Dot, "Live · in step with file", more)
            })
        }
        ReloadState::Settling => {
            let more = format!("{file} is being written.");
            words(Tone::Info, Mark::Dot, "File is changing…", more)
        }
        ReloadState::Applying => {
            words(Tone::Info, Mark::Dot, "Applying…", "A change is on its way.".to_owned())
        }
        ReloadState::Rejected => {
            let errors = errors(status);
            let text = match errors {
                0 => "File not applied".to_owned(),
                _ => format!("File not applied · {}", format::count(errors, "error", "errors")),
            };
            let more = format!("The bench runs on as it was. What is wrong with {file}: Activity.");
            words(Tone::Bad, Mark::Triangle, &text, more)
        }
        ReloadState::Conflict => {
            let more = format!("{file} and what is staged or running change the same keys.");
            words(Tone::Amber, Mark::Triangle, "Conflict with file", more)
        }
        ReloadState::Proposed => match &reload.question {
            Some(question) => {
                let more =
                    format!("{}. Apply the file or keep what runs: Activity.", question.message);
                words(Tone::Amber, Mark::Triangle, "Apply the file or keep?", more)
            }
            None => {
                let more = reload.problem.clone().unwrap_or_else(|| {
                    format!("{file} changed and waits for someone to reload it.")
                });
                words(Tone::Amber, Mark::Square, "File changed · not reloaded", more)
            }
        },
        ReloadState::Paused if reload.watch.off => {
            let more = format!("{file} is not what runs, and saves are not followed: reload it.");
            words(Tone::Amber, Mark::Square, "File changed · not followed", more)
        }
        ReloadState::Paused => {
            let more = format!("{file} is not followed for now.");
            words(Tone::Amber, Mark::Square, "Paused", more)
        }
        ReloadState::Suspended => {
            let more = format!("{file} failed too often; it is looked at again in a while.");
            words(Tone::Bad, Mark::Triangle, "Reloads suspended", more)
        }
        ReloadState::Ahead => {
            let text = if reload.ahead.is_some() { "Ahead of the file" } else { "File gone" };
            let more = match &reload.ahead {
                Some(ahead) => {
                    format!("What runs is not in {file}. {}", format::sentence(&ahead.cause))
                }
                None => format!("What runs is not in {file}. Write it there again: Activity."),
            };
            words(Tone::Bad, Mark::Triangle, text, more)
        }
    }
}

/// Devices come before files: nothing else is said until someone has looked at them.
fn check_the_bench(why: &str) -> ReloadWords {
    ReloadWords {
        tone: Tone::Bad,
        mark: Mark::Triangle,
        text: "Check the bench".to_owned(),
        more: why.to_owned(),
        until_s: None,
    }
}

fn fresh(last: &LastReload, now: Timestamp) -> Option<ReloadWords> {
    let age_s = format::seconds_between(last.at, now);
    if !(0.0..FRESH_S).contains(&age_s) || last.outcome == Outcome::Rejected {
        return None;
    }
    let did = match last.origin {
        Origin::File => "Reloaded",
        Origin::Rollback => "Rolled back",
        Origin::Panel | Origin::Api | Origin::Bench => "Committed",
    };
    let text = match last.outcome {
        Outcome::Unchanged => format!("{did} · nothing to apply"),
        _ => {
            format!("{did} · {} applied · {}", last.changes, format::millis(last.timings_ms.total))
        }
    };
    let more = format!("{} interrupted.", format::count(last.interrupted, "stream", "streams"));
    Some(ReloadWords {
        tone: Tone::Good,
        mark: Mark::Dot,
        text,
        more,
        until_s: Some(FRESH_S - age_s),
    })
}

/// How many errors the file on disk has.
pub(super) fn errors(status: &Status) -> usize {
    status.reload.diagnostics.iter().filter(|found| found.severity == Severity::Error).count()
}

/// The bench file's name without its folder.
pub(super) fn file_name(status: &Status) -> String {
    status
        .bench
        .path
        .file_name()
        .map_or_else(|| "the file".to_owned(), |name| name.to_string_lossy().into_owned())
}

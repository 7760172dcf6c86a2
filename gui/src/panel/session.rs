//! One open bench: requests on their way to it, and what comes back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use egui::Context;
use setpoint_runtime::{Answer, Command, CommandError, Origin, Reapplied, Runtime};
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle};

use super::{
    format,
    intent::{HistoryIntent, InstrumentIntent, Intent, ReloadIntent, StageIntent},
    texts::Texts,
};
use crate::serving::Serving;

/// Answers that may wait to be looked at; more than requests may wait in the runtime.
const ANSWERS: usize = 128;

/// The least time between two looks at a changed status.
const FRAME: Duration = Duration::from_millis(33);

/// What was asked for, as far as the person wants to hear of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Only if it failed.
    Quiet,
    Commit,
    Rollback(String),
    Reload,
    Sync,
    Reapply(String),
    /// What to say when it worked.
    Say(String),
}

enum Arrived {
    Answer(Asked, Result<Answer, CommandError>),
    Text(String, Result<Arc<str>, String>),
}

/// What a person is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It worked.
    Done(String),
    /// A commit worked; its message is used up.
    Committed(String),
    /// It did not work.
    Failed(String),
}

/// One open bench.
pub struct Session {
    runtime: Runtime,
    serving: Serving,
    workers: Handle,
    ctx: Context,
    author: String,
    arrive: mpsc::Sender<Arrived>,
    arrived: mpsc::Receiver<Arrived>,
    texts: Texts,
    waker: JoinHandle<()>,
}

impl Session {
    /// Takes over a running bench. The window is woken whenever its status changes.
    pub fn new(serving: Serving, workers: Handle, ctx: Context, author: String) -> Self {
        let runtime = serving.runtime().clone();
        let (arrive, arrived) = mpsc::channel(ANSWERS);
        let mut changes = runtime.changes();
        let woken = ctx.clone();
        let waker = workers.spawn(async move {
            while changes.changed().await.is_ok() {
                woken.request_repaint();
                tokio::time::sleep(FRAME).await;
            }
        });
        Self {
            runtime,
            serving,
            workers,
            ctx,
            author,
            arrive,
            arrived,
            texts: Texts::default(),
            waker,
        }
    }

    /// The bench.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Texts of revisions that have arrived.
    pub fn texts(&self) -> &BTreeMap<String, Result<Arc<str>, String>> {
        self.texts.here()
    }

    /// Texts that could not be read are asked for again when they are needed next.
    pub fn forget_failed_texts(&mut self) {
        self.texts.forget_failed();
    }

    /// Hands on what is wanted. Returns what can be told at once.
    pub fn carry_out(&mut self, intent: &Intent) -> Option<Told> {
        let author = self.author.clone();
        let (asked, command) = match intent {
            Intent::View(_) => return None,
            Intent::History(HistoryIntent::NeedText(id)) => {
                self.fetch(id);
                return None;
            }
            Intent::History(HistoryIntent::Rollback { revision, only }) => (
                Asked::Rollback(revision.clone()),
                Command::Rollback { revision: revision.clone(), only: only.clone(), author },
            ),
            Intent::History(HistoryIntent::Snapshot { label }) => {
                let words = match label {
                    Some(name) => format!("What runs is kept as “{name}”"),
                    None => "What runs is kept".to_owned(),
                };
                (
                    Asked::Say(words),
                    Command::Snapshot { label: label.clone(), message: String::new(), author },
                )
            }
            Intent::History(HistoryIntent::Label { revision, label }) => {
                let words = match label {
                    Some(name) => format!("{revision} is “{name}” now"),
                    None => format!("{revision} has no name any more"),
                };
                let (revision, label) = (revision.clone(), label.clone());
                (Asked::Say(words), Command::Label { revision, label, author })
            }
            Intent::Stage(intent) => stage(intent, author),
            Intent::Reload(intent) => match intent {
                ReloadIntent::Now => (Asked::Reload, Command::Reload { author }),
                ReloadIntent::Pause => (Asked::Quiet, Command::Pause { author }),
                ReloadIntent::Resume => (Asked::Quiet, Command::Resume { author }),
                ReloadIntent::Sync => (Asked::Sync, Command::Sync { author }),
                ReloadIntent::Finish => {
                    (Asked::Say("The change is finished".to_owned()), Command::Finish { author })
                }
                ReloadIntent::GoBack => {
                    let words = "The bench is back before that change".to_owned();
                    (Asked::Say(words), Command::GoBack { author })
                }
            },
            Intent::Instrument(InstrumentIntent::Reapply(id)) => {
                (Asked::Reapply(id.clone()), Command::Reapply { instrument: id.clone(), author })
            }
        };
        let pending = match self.runtime.send(Origin::Panel, command) {
            Ok(pending) => pending,
            Err(error) => return Some(Told::Failed(error.to_string())),
        };
        let (arrive, ctx) = (self.arrive.clone(), self.ctx.clone());
        self.workers.spawn(async move {
            let answer = pending.await.unwrap_or(Err(CommandError::Stopping));
            // Fails only when the window is gone.
            let _ = arrive.send(Arrived::Answer(asked, answer)).await;
            ctx.request_repaint();
        });
        None
    }

    /// Looks at what has arrived. Never waits.
    pub fn poll(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Ok(arrived) = self.arrived.try_recv() {
            match arrived {
                Arrived::Text(id, text) => self.texts.arrived(id, text),
                Arrived::Answer(asked, answer) => told.extend(tell(asked, answer)),
            }
        }
        told
    }

    /// Ends the bench; returns when devices and folder are free.
    pub async fn stop(self) {
        self.waker.abort();
        self.serving.stop().await;
    }

    fn fetch(&mut self, id: &str) {
        if !self.texts.ask(id) {
            return;
        }
        let (id, runtime) = (id.to_owned(), self.runtime.clone());
        let (arrive, ctx) = (self.arrive.clone(), self.ctx.clone());
        self.workers.spawn(async move {
            let text = runtime.revision_text(&id).await.map_err(|error| error.to_string());
            // Fails only when the window is gone.
            let _ = arrive.send(Arrived::Text(id, text)).await;
            ctx.request_repaint();
        });
    }
}

fn stage(intent: &StageIntent, author: String) -> (Asked, Command) {
    match intent {
        StageIntent::Stage(edits) => {
            (Asked::Quiet, Command::Stage { transaction: None, edits: edits.clone() })
        }
        StageIntent::Unstage(paths) => {
            (Asked::Quiet, Command::Unstage { transaction: None, paths: paths.clone() })
        }
        StageIntent::Resolve(path, keep) => {
            (Asked::Quiet, Command::Resolve { transaction: None, path: path.clone(), keep: *keep })
        }
        StageIntent::Discard => (Asked::Quiet, Command::Discard { transaction: None }),
        StageIntent::DiscardOne(id) => {
            (Asked::Quiet, Command::Discard { transaction: Some(id.clone()) })
        }
        StageIntent::TakeUp(id) => (Asked::Quiet, Command::TakeUp { transaction: id.clone() }),
        StageIntent::Commit { message } => {
            (Asked::Commit, Command::Commit { transaction: None, message: message.clone(), author })
        }
    }
}

fn tell(asked: Asked, answer: Result<Answer, CommandError>) -> Option<Told> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(Told::Failed(error.to_string())),
    };
    let revision = match &answer {
        Answer::Changed(applied) => Some(applied.revision.id.clone()),
        _ => None,
    };
    let named = |words: String| match &revision {
        Some(id) => format!("{words} as {id}"),
        None => words,
    };
    Some(match asked {
        Asked::Quiet => return None,
        Asked::Say(words) => Told::Done(words),
        Asked::Commit => Told::Committed(named("Committed".to_owned())),
        Asked::Rollback(to) => Told::Done(named(format!("Back at {to},"))),
        Asked::Reload => Told::Done(named("File read and applied".to_owned())),
        Asked::Sync => Told::Done("The file holds what runs".to_owned()),
        Asked::Reapply(id) => match &answer {
            Answer::Reapplied(reapplied) => tell_reapplied(&id, reapplied),
            _ => return None,
        },
    })
}

/// What was set, what was left as it is, and why it ended early.
fn tell_reapplied(id: &str, reapplied: &Reapplied) -> Told {
    let Reapplied { set, skipped, failed } = reapplied;
    let mut parts = Vec::new();
    if !set.is_empty() {
        parts.push(format!("{} applied", format::count(set.len(), "setpoint", "setpoints")));
    }
    if let Some(why) = failed {
        parts.push(format!("not all setpoints could be applied: {why}"));
    }
    if parts.is_empty() && skipped.is_empty() {
        parts.push("nothing to apply, every setpoint is read back as asked".to_owned());
    }
    if let [one] = skipped.as_slice() {
        parts.push(format!("left as it is, because it is hazardous: {one}"));
    } else if !skipped.is_empty() {
        let names = skipped.join(", ");
        parts.push(format!("left as they are, because they are hazardous: {names}"));
    }
    let text = format!("{id}: {}", parts.join("; "));
    if failed.is_some() { Told::Failed(text) } else { Told::Done(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_always_told_and_small_things_are_not() {
        let failed = tell(Asked::Quiet, Err(CommandError::Stopping));
        assert_eq!(failed, Some(Told::Failed("Setpoint is stopping".to_owned())));
        assert_eq!(tell(Asked::Quiet, Ok(Answer::Done {})), None);
    }

    #[test]
    fn reapplying_tells_what_was_done_and_what_was_not() {
        let told = |set: &[&str], skipped: &[&str], failed: Option<&str>| {
            let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
            let failed = failed.map(str::to_owned);
            let reapplied = Reapplied { set: words(set), skipped: words(skipped), failed };
            tell(Asked::Reapply("psu".to_owned()), Ok(Answer::Reapplied(reapplied))).unwrap()
        };
        let done = |text: &str| Told::Done(text.to_owned());
        assert_eq!(
            told(&["ch1.voltage", "ch2.voltage"], &[], None),
            done("psu: 2 setpoints applied")
        );
        assert_eq!(
            told(&["ch1.voltage"], &["ch1.output", "ch2.output"], None),
            done(
                "psu: 1 setpoint applied; left as they are, because they are hazardous: \
                 ch1.output, ch2.output"
            )
        );
        assert_eq!(
            told(&[], &["ch1.output"], None),
            done("psu: left as it is, because it is hazardous: ch1.output")
        );
        assert_eq!(
            told(&[], &[], None),
            done("psu: nothing to apply, every setpoint is read back as asked")
        );
        assert_eq!(
            told(&["ch1.voltage"], &[], Some("ch2.voltage: no answer within 2 s")),
            Told::Failed(
                "psu: 1 setpoint applied; not all setpoints could be applied: ch2.voltage: no \
                 answer within 2 s"
                    .to_owned()
            )
        );
    }
}

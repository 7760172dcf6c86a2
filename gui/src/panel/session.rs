//! One open bench: requests on their way to it, and what comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use egui::Context;
use setpoint_runtime::{Answer, Command, CommandError, Origin, Runtime};
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle};

use super::intent::{HistoryIntent, InstrumentIntent, Intent, ReloadIntent, StageIntent};
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
    texts: BTreeMap<String, Result<Arc<str>, String>>,
    asked_texts: BTreeSet<String>,
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
            texts: BTreeMap::new(),
            asked_texts: BTreeSet::new(),
            waker,
        }
    }

    /// The bench.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Texts of revisions that have arrived.
    pub fn texts(&self) -> &BTreeMap<String, Result<Arc<str>, String>> {
        &self.texts
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
            Intent::Stage(intent) => stage(intent, author),
            Intent::Reload(intent) => match intent {
                ReloadIntent::Now => (Asked::Reload, Command::Reload),
                ReloadIntent::Pause => (Asked::Quiet, Command::Pause),
                ReloadIntent::Resume => (Asked::Quiet, Command::Resume),
                ReloadIntent::Sync => (Asked::Sync, Command::Sync),
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
                Arrived::Text(id, text) => {
                    self.texts.insert(id, text);
                }
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
        if !self.asked_texts.insert(id.to_owned()) {
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
        StageIntent::Stage(edits) => (Asked::Quiet, Command::Stage { edits: edits.clone() }),
        StageIntent::Unstage(paths) => (Asked::Quiet, Command::Unstage { paths: paths.clone() }),
        StageIntent::Resolve(path, keep) => {
            (Asked::Quiet, Command::Resolve { path: path.clone(), keep: *keep })
        }
        StageIntent::Discard => (Asked::Quiet, Command::Discard),
        StageIntent::Commit { message } => {
            (Asked::Commit, Command::Commit { message: message.clone(), author })
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
        Answer::Reply { .. } | Answer::Done {} => None,
    };
    let named = |words: String| match &revision {
        Some(id) => format!("{words} as {id}"),
        None => words,
    };
    Some(match asked {
        Asked::Quiet => return None,
        Asked::Commit => Told::Committed(named("Committed".to_owned())),
        Asked::Rollback(to) => Told::Done(named(format!("Back at {to},"))),
        Asked::Reload => Told::Done(named("File read and applied".to_owned())),
        Asked::Sync => Told::Done("The file holds what runs".to_owned()),
        Asked::Reapply(id) => Told::Done(format!("Setpoints of {id} applied")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_always_told_and_small_things_are_not() {
        let failed = tell(Asked::Quiet, Err(CommandError::Stopping));
        assert_eq!(failed, Some(Told::Failed("Setpoint is stopping".to_owned())));
        assert_eq!(tell(Asked::Quiet, Ok(Answer::Done {})), None);
        let applied = tell(Asked::Reapply("psu".to_owned()), Ok(Answer::Done {}));
        assert_eq!(applied, Some(Told::Done("Setpoints of psu applied".to_owned())));
    }
}

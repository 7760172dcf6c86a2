//! One open bench: requests on their way to it, and what comes back.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use egui::Context;
use setpoint_bench::Change;
use setpoint_runtime::{
    Answer, Command, CommandError, Event, EventFilter, Origin, Reapplied, RevisionQuery, Runtime,
};
use setpoint_video::Frame;
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle};

use super::{
    answers::{Answers, Facts, Search},
    format,
    intent::{HistoryIntent, InstrumentIntent, Intent, ReloadIntent, StageIntent},
    video,
};
use crate::serving::Serving;

/// Answers that may wait to be looked at; more than requests may wait in the runtime.
const ANSWERS: usize = 128;

/// The least time between two looks at a changed status.
const FRAME: Duration = Duration::from_millis(33);

/// How long after a revision its facts are looked for once more.
const FACTS_AFTER: Duration = Duration::from_secs(1);

/// What was asked for, as far as the person wants to hear of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Only if it failed.
    Quiet,
    Commit,
    Rollback(String),
    Reload,
    Sync,
    Finish,
    GoBack,
    Reapply(String),
    /// What to say when it worked.
    Say(String),
}

impl Asked {
    /// What to say while it is under way.
    fn busy(&self) -> Option<String> {
        Some(match self {
            Self::Quiet => return None,
            Self::Commit => "Committing…".to_owned(),
            Self::Rollback(to) => format!("Going back to {to}…"),
            Self::Reload => "Reading the file…".to_owned(),
            Self::Sync => "Writing the file…".to_owned(),
            Self::Finish => "Finishing the change…".to_owned(),
            Self::GoBack => "Going back…".to_owned(),
            Self::Reapply(id) => format!("Setting {id}…"),
            Self::Say(_) => "Keeping…".to_owned(),
        })
    }
}

enum Arrived {
    Answer(Asked, Result<Answer, CommandError>),
    Text(String, Result<Arc<str>, String>),
    Changes((String, String), Result<Arc<Vec<Change>>, String>),
    Facts(String, Result<Option<Arc<Facts>>, String>),
    Found(Search, Result<Arc<Vec<String>>, String>),
    Events(Search, Arc<Vec<Arc<Event>>>),
}

/// What a person is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It worked.
    Done(String),
    /// It worked, and is not in the file.
    Unwritten(String),
    /// The file holds what runs.
    InStep(String),
    /// It did not work, because the file could not be written.
    CannotWrite(String),
    /// A commit worked; its message is used up.
    Committed {
        /// What to say.
        text: String,
        /// Whether the file holds it.
        written: bool,
    },
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
    answers: Answers,
    /// What was asked for and is not answered, with what to say meanwhile.
    under_way: Vec<(Asked, String)>,
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
            answers: Answers::default(),
            under_way: Vec::new(),
            waker,
        }
    }

    /// The bench.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What was asked for and has arrived.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What is being done, if anything is; the first of several.
    pub fn busy(&self) -> Option<&str> {
        self.under_way.first().map(|(_, words)| words.as_str())
    }

    /// What could not be had is asked for again when it is needed next.
    pub fn forget_failed(&mut self) {
        self.answers.forget_failed();
    }

    /// Hands on what is wanted. Returns what can be told at once.
    pub fn carry_out(&mut self, intent: &Intent) -> Option<Told> {
        let author = self.author.clone();
        let (asked, command) = match intent {
            Intent::View(_) => return None,
            Intent::History(
                intent @ (HistoryIntent::NeedText(_)
                | HistoryIntent::NeedChanges { .. }
                | HistoryIntent::NeedFacts(_)
                | HistoryIntent::Find(..)
                | HistoryIntent::FindEvents(..)),
            ) => {
                self.fetch(intent);
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
                ReloadIntent::Finish => (Asked::Finish, Command::Finish { author }),
                ReloadIntent::GoBack => (Asked::GoBack, Command::GoBack { author }),
            },
            Intent::Instrument(InstrumentIntent::Reapply(id)) => {
                (Asked::Reapply(id.clone()), Command::Reapply { instrument: id.clone(), author })
            }
        };
        let pending = match self.runtime.send(Origin::Panel, command) {
            Ok(pending) => pending,
            Err(error) => return Some(Told::Failed(error.to_string())),
        };
        if let Some(words) = asked.busy() {
            self.under_way.push((asked.clone(), words));
        }
        self.bring(async move {
            let answer = pending.await.unwrap_or(Err(CommandError::Stopping));
            Arrived::Answer(asked, answer)
        });
        None
    }

    /// Looks at what has arrived. Never waits.
    pub fn poll(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Ok(arrived) = self.arrived.try_recv() {
            match arrived {
                Arrived::Text(id, text) => self.answers.texts.arrived(id, text),
                Arrived::Changes(key, changes) => self.answers.changes.arrived(key, changes),
                Arrived::Facts(id, facts) => self.answers.facts.arrived(id, facts),
                Arrived::Found(search, found) => self.answers.revisions.arrived(search, found),
                Arrived::Events(search, found) => self.answers.events.arrived(search, Ok(found)),
                Arrived::Answer(asked, answer) => {
                    if let Some(at) = self.under_way.iter().position(|(one, _)| *one == asked) {
                        self.under_way.remove(at);
                    }
                    told.extend(tell(asked, answer));
                }
            }
        }
        told
    }

    /// Ends the bench; returns when devices and folder are free.
    pub async fn stop(self) {
        self.waker.abort();
        self.serving.stop().await;
    }

    /// Has something done aside; the window is woken when it has arrived.
    fn bring(&self, work: impl Future<Output = Arrived> + Send + 'static) {
        let (arrive, ctx) = (self.arrive.clone(), self.ctx.clone());
        self.workers.spawn(async move {
            // Fails only when the window is gone.
            let _ = arrive.send(work.await).await;
            ctx.request_repaint();
        });
    }

    /// Has fetched what a page cannot go on without, if it is not on its way already.
    fn fetch(&mut self, intent: &HistoryIntent) {
        let runtime = self.runtime.clone();
        match intent.clone() {
            HistoryIntent::NeedText(id) if self.answers.texts.ask(&id) => self.bring(async move {
                let text = runtime.revision_text(&id).await.map_err(|error| error.to_string());
                Arrived::Text(id, text)
            }),
            HistoryIntent::NeedChanges { old, new } => {
                let key = (old, new);
                if self.answers.changes.ask(&key) {
                    self.bring(async move {
                        let changes = runtime.revision_changes(&key.0, &key.1).await;
                        let changes = changes.map(Arc::new).map_err(|error| error.to_string());
                        Arrived::Changes(key, changes)
                    });
                }
            }
            HistoryIntent::NeedFacts(id) if self.answers.facts.ask(&id) => {
                self.bring(async move {
                    let facts = facts(&runtime, &id).await.map_err(|error| error.to_string());
                    Arrived::Facts(id, facts)
                });
            }
            HistoryIntent::Find(search, query) if self.answers.revisions.ask(&search) => {
                self.bring(async move {
                    let found = find(&runtime, query).await.map_err(|error| error.to_string());
                    Arrived::Found(search, found)
                });
            }
            HistoryIntent::FindEvents(search, filter) if self.answers.events.ask(&search) => {
                self.bring(async move {
                    let events = events(&runtime, filter).await;
                    Arrived::Events(search, events)
                });
            }
            _ => {}
        }
    }
}

/// Ids of the revisions that are asked for.
async fn find(runtime: &Runtime, query: RevisionQuery) -> Result<Arc<Vec<String>>, CommandError> {
    let found = runtime.search_revisions(query).await?;
    Ok(Arc::new(found.into_iter().map(|one| one.id).collect()))
}

async fn events(runtime: &Runtime, filter: EventFilter) -> Arc<Vec<Arc<Event>>> {
    let found = runtime.events(filter).await;
    Arc::new(found.into_iter().map(|kept| Arc::new(Event::recalled(kept))).collect())
}

/// What was so when a revision was accepted, its pictures made ready to be drawn. A picture that
/// cannot be read is left out.
async fn facts(runtime: &Runtime, id: &str) -> Result<Option<Arc<Facts>>, CommandError> {
    let mut kept = runtime.revision_facts(id).await?;
    let is_new = || runtime.status().revision.as_ref().is_some_and(|running| running.id == id);
    if kept.is_none() && is_new() {
        // They are kept a moment after the revision itself, when its pictures are made.
        tokio::time::sleep(FACTS_AFTER).await;
        kept = runtime.revision_facts(id).await?;
    }
    let Some(mut kept) = kept else { return Ok(None) };
    // As the bench page has them; those that are gone come last.
    let status = runtime.status();
    let place = |id: &str| status.instruments.get_index_of(id).unwrap_or(usize::MAX);
    kept.readings.sort_by_key(|one| place(&one.instrument));
    let mut pictures = BTreeMap::new();
    for picture in &kept.pictures {
        let Some(png) = runtime.revision_picture(id, &picture.source).await? else { continue };
        let at = picture.at;
        let read = tokio::task::spawn_blocking(move || video::read_png(&png, at)).await;
        match read {
            Ok(Ok(frame)) => {
                pictures.insert(picture.source.clone(), Arc::<Frame>::new(frame));
            }
            Ok(Err(error)) => {
                tracing::warn!("the picture of {} kept with {id}: {error}", picture.source);
            }
            Err(error) => tracing::error!("reading a picture failed: {error}"),
        }
    }
    Ok(Some(Arc::new(Facts { kept, pictures })))
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
        Err(error) => {
            let of_file =
                matches!(error, CommandError::ReadOnly { .. } | CommandError::Storage { .. });
            let text = error.to_string();
            let writes = matches!(
                asked,
                Asked::Commit | Asked::Rollback(_) | Asked::Finish | Asked::GoBack | Asked::Sync
            );
            return Some(match of_file && writes {
                true => Told::CannotWrite(text),
                false => Told::Failed(text),
            });
        }
    };
    let (revision, written) = match &answer {
        Answer::Changed(applied) => (Some(applied.revision.id.clone()), applied.persisted),
        _ => (None, true),
    };
    let named = |words: String| {
        let words = match &revision {
            Some(id) => format!("{words} as {id}"),
            None => words,
        };
        if written { words } else { format!("{words}; it runs, and is not in the file yet") }
    };
    let done = |words: String| {
        if written { Told::Done(named(words)) } else { Told::Unwritten(named(words)) }
    };
    Some(match asked {
        Asked::Quiet => return None,
        Asked::Say(words) => Told::Done(words),
        Asked::Commit => Told::Committed { text: named("Committed".to_owned()), written },
        Asked::Rollback(to) => done(format!("Back at {to},")),
        Asked::Reload => done("File read and applied".to_owned()),
        Asked::Finish => done("The change is finished".to_owned()),
        Asked::GoBack => done("The bench is back before that change".to_owned()),
        Asked::Sync => Told::InStep("The file holds what runs".to_owned()),
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
    fn what_is_not_in_the_file_yet_is_not_told_as_done() {
        let revision = setpoint_runtime::Revision {
            id: "r10".to_owned(),
            hash: "9c1e07af".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            author: "operator".to_owned(),
            origin: Origin::Panel,
            message: String::new(),
            label: None,
        };
        let applied = |persisted| {
            Ok(Answer::Changed(Box::new(setpoint_runtime::Applied {
                revision: revision.clone(),
                changes: Arc::default(),
                diagnostics: Arc::default(),
                plan: Arc::default(),
                persisted,
                file_was_gone: false,
            })))
        };
        let text = "Committed as r10; it runs, and is not in the file yet".to_owned();
        let told = tell(Asked::Commit, applied(false));
        assert_eq!(told, Some(Told::Committed { text, written: false }));
        let text = "Back at r3, as r10; it runs, and is not in the file yet".to_owned();
        let told = tell(Asked::Rollback("r3".to_owned()), applied(false));
        assert_eq!(told, Some(Told::Unwritten(text)));
        let done = Told::Done("Back at r3, as r10".to_owned());
        assert_eq!(tell(Asked::Rollback("r3".to_owned()), applied(true)), Some(done));
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

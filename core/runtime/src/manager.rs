//! The one task that owns the running bench and takes requests one at a time.

use std::sync::Arc;

use setpoint_bench::{Bench, Diagnostic, TextEdit, Value, model::HotReload};
use setpoint_instruments::SessionError;
use setpoint_store::{FileSeen, TextHash};
use tokio::sync::mpsc;

use crate::{
    asking::Asking,
    beside::Followed,
    catalogue::Drivers,
    coming::Coming,
    command::{Answer, Command, CommandError},
    components::Components,
    deciding::Weighed,
    event::{Origin, Tone},
    exposed::Exposed,
    files::{Files, Meaning},
    handle::{Ending, Envelope},
    keeping::Keeping,
    passage::Proposal,
    publish::Publisher,
    recording::Recording,
    staging::{Staging, none},
    standing::{self, FileSide, Held, Shown},
    status::{ReloadState, Revision, WatchShown},
    transactions::{LookingAhead, Transactions},
};

/// How often a change is made again on top of saves that come between.
const TRIES: usize = 3;

/// What a session failed with, naming its instrument.
pub(crate) fn about(instrument: &str, error: &SessionError) -> String {
    match error {
        SessionError::UnknownParameter { .. }
        | SessionError::Offline { .. }
        | SessionError::Link(_)
        | SessionError::Busy { .. }
        | SessionError::Stopped { .. } => error.to_string(),
        SessionError::NotSettable { .. }
        | SessionError::NotReadable { .. }
        | SessionError::Value(_)
        | SessionError::Refused { .. }
        | SessionError::NotVerified { .. }
        | SessionError::Invalid { .. } => format!("{instrument}.{error}"),
    }
}

/// What runs.
#[derive(Clone)]
pub(crate) struct Running {
    /// All files as one text.
    pub(crate) text: Arc<str>,
    pub(crate) hash: TextHash,
    pub(crate) values: Arc<Value>,
    pub(crate) bench: Arc<Bench>,
    /// What the text was read into, for the next reading.
    pub(crate) meaning: Arc<Meaning>,
    pub(crate) diagnostics: Arc<Vec<Diagnostic>>,
    pub(crate) revision: Revision,
    /// Whether lines of `.env` that were wrong at the start are left out.
    pub(crate) reduced: bool,
}

/// What that means, of a revision.
pub(crate) const WITHOUT_LINES: &str =
    "runs without what was wrong in .env, and sets no instrument by itself";

impl Running {
    pub(crate) fn held(&self) -> Held {
        Held { text: self.text.clone(), hash: self.hash }
    }
}

pub(crate) struct Manager {
    pub(crate) running: Running,
    pub(crate) file_side: FileSide,
    /// What only a person can put right; see [`crate::Status::attention`].
    pub(crate) attention: Option<String>,
    /// A change that an earlier run did not finish.
    pub(crate) unfinished: Option<setpoint_store::Intent>,
    /// What deciding about it would do to the file.
    pub(crate) weighed: Option<Weighed>,
    /// That nothing can be kept has been told.
    pub(crate) told_problem: bool,
    /// Secrets that others may read.
    pub(crate) exposed: Exposed,
    pub(crate) transactions: Transactions,
    /// What commits would do, worked out while nobody waits for it.
    pub(crate) looking_ahead: LookingAhead,
    pub(crate) file_name: String,
    pub(crate) files: Files,
    /// For what the watcher was told last which files there are beside the bench file.
    pub(crate) followed: Option<Followed>,
    /// What the bench file may hold when a save of it is over.
    pub(crate) coming: Option<Arc<Coming>>,
    /// Saves by others that a write came over when the disk answered again, and that are not kept
    /// yet.
    pub(crate) overwritten: Vec<Arc<str>>,
    /// What changed of those while nobody looked.
    pub(crate) beside_paused: Vec<std::path::PathBuf>,
    pub(crate) drivers: Arc<Drivers>,
    /// Why driver files as they are now were not taken.
    pub(crate) drivers_refused: Option<String>,
    pub(crate) components: Components,
    pub(crate) keeping: Keeping,
    pub(crate) recording: Recording,
    pub(crate) publisher: Publisher,
    /// What devices were asked and have not answered.
    pub(crate) asking: Asking,
    pub(crate) ending: Ending,
    /// What sessions set by rule when their device answered.
    pub(crate) reports: mpsc::Receiver<setpoint_instruments::Reapplied>,
    /// What the watcher saw of the file.
    pub(crate) saves: mpsc::Receiver<FileSeen>,
}

impl Manager {
    /// Takes requests and saves of the file until every handle is gone or a stop is asked for.
    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Envelope>,
        mut stop: mpsc::Receiver<()>,
    ) {
        loop {
            self.look_ahead_beside();
            self.weigh().await;
            let expiry =
                self.transactions.next_expiry(self.running.bench.runtime.transaction_timeout);
            let due = [
                self.file_side.due(),
                self.keeping.due(),
                self.transactions.forget_at(),
                self.exposed.due(),
            ];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                _ = stop.recv() => break,
                () = standing::until(expiry) => self.expire_transactions().await,
                () = standing::until(due) => self.what_is_due().await,
                () = self.keeping.answers() => self.disk_answers().await,
                Some(seen) = self.saves.recv() => self.file_seen(seen).await,
                Some(done) = self.asking.join_next() => self.asked(done),
                Some(found) = self.exposed.looked() => {
                    if !found.is_some_and(|found| self.found_exposed(found)) {
                        continue;
                    }
                }
                Some(done) = self.looking_ahead.join_next() => {
                    self.looked_ahead(done);
                    continue;
                }
                Some(report) = self.reports.recv() => self.reapplied_by_rule(report).await,
                envelope = commands.recv() => {
                    let Some(Envelope { command, origin, answer }) = envelope else { break };
                    let handed = self.hand_over(origin, command, answer).await;
                    if let Some((command, answer)) = handed {
                        let outcome = self.carry_out(origin, command).await;
                        self.answer(answer, outcome).await;
                    }
                    continue;
                }
            }
            self.announce();
        }
        commands.close();
        self.ending.waits_for("writing the bench's files and its history");
        self.try_a_last_time().await;
        self.ending.waits_for("keeping the transactions");
        self.save_transactions_a_last_time().await;
        // The watcher may be waiting for room in it, and is waited for below.
        self.saves.close();
        self.ending.waits_for("closing the instruments and sources");
        self.components.stop().await;
        self.finish_asking().await;
        // While the folder is still this program's.
        self.ending.waits_for("closing the history database");
        self.recording.close().await;
        self.ending.waits_for("leaving the bench's folder .setpoint");
        self.keeping.close().await;
    }

    pub(crate) async fn carry_out(
        &mut self,
        origin: Origin,
        command: Command,
    ) -> Result<Answer, CommandError> {
        self.expect_decided(&command)?;
        match command.clone() {
            Command::Begin { message, author } => self.begin(origin, message, author).await,
            Command::TakeUp { transaction } => self.take_up(origin, &transaction).await,
            Command::Stage { transaction, edits } => self.stage(origin, transaction, edits).await,
            Command::Unstage { transaction, paths } => {
                self.unstage(origin, transaction, &paths).await
            }
            Command::Resolve { transaction, path, keep } => {
                self.resolve(origin, transaction, &path, keep).await
            }
            Command::Discard { transaction } => self.discard(origin, transaction).await,
            Command::Validate { transaction } => self.validate(origin, transaction).await,
            Command::Commit { transaction, message, author } => {
                self.commit(origin, transaction, message, author).await
            }
            Command::Change { edits, message, author, if_match } => {
                let mut tries = 0;
                let mut asked_of = None;
                loop {
                    self.take_file_in().await?;
                    self.expect_running(if_match.as_deref())?;
                    let base = asked_of.get_or_insert_with(|| self.running.values.clone());
                    let text = self.edited(self.followed(&edits, base)?).await?;
                    let (author, message) = (author.clone(), message.clone());
                    let proposal = Proposal::written(origin, author, message, text);
                    let outcome = self.change(proposal).await;
                    tries += 1;
                    // A save came between: the change is made again on top of it.
                    if !self.file_side.was_overtaken() || tries == TRIES {
                        return outcome;
                    }
                }
            }
            Command::Replace { text, author, if_match } => {
                self.take_file_in().await?;
                self.expect_running(if_match.as_deref())?;
                let text = Files::with_main(&self.running.text, &text);
                let proposal = Proposal::written(origin, author, String::new(), text);
                self.change(proposal).await
            }
            Command::Rollback { revision, only, author } => {
                self.take_file_in().await?;
                self.roll_back(revision, only, author).await
            }
            Command::Snapshot { label, message, author } => {
                self.snapshot(origin, label, message, author).await
            }
            Command::Label { revision, label, author } => {
                self.label(origin, &revision, label, &author).await
            }
            Command::Reload { author } => {
                tracing::info!(author, "reload asked for");
                self.reload_now(origin, &author).await
            }
            Command::Pause { author } => {
                self.file_side.pause();
                self.keeping.pause(true);
                let message = format!("Watching paused by {author}");
                self.tell(origin, "watching_paused", Tone::Info, message);
                Ok(Answer::Done {})
            }
            Command::Resume { author } => {
                self.file_side.resume();
                self.keeping.pause(false);
                let message = format!("Watching again, asked by {author}");
                self.tell(origin, "watching_resumed", Tone::Info, message);
                self.look_beside().await;
                Ok(Answer::Done {})
            }
            Command::Finish { author } => self.finish(origin, author).await,
            Command::GoBack { author } => self.go_back(origin, author).await,
            Command::Sync { author } => self.sync(origin, author).await,
            // Never come here: see `hand_over`.
            Command::Query { .. } | Command::Reapply { .. } => Ok(Answer::Done {}),
        }
    }

    fn expect_running(&self, if_match: Option<&str>) -> Result<(), CommandError> {
        let running = &self.running.revision.id;
        // A snapshot of what runs has another number, and is the same all the same.
        let same = |expected: &str| {
            let list = self.keeping.list();
            let mut alike = list.iter().take_while(|one| one.hash == self.running.revision.hash);
            alike.any(|one| one.id == expected)
        };
        match if_match {
            Some(expected) if expected != running && !same(expected) => {
                Err(CommandError::Stale { expected: expected.to_owned(), running: running.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Edits that were asked for when `base` ran, on top of what was saved meanwhile.
    fn followed(
        &self,
        edits: &[TextEdit],
        base: &setpoint_bench::Value,
    ) -> Result<Vec<TextEdit>, CommandError> {
        crate::staging::follow(edits, base, &self.running.values).map_err(|clashes| {
            CommandError::Conflict {
                message: format!(
                    "{} was saved while the change was made: {clashes}; look at it and ask again",
                    self.file_name
                ),
                diagnostics: none(),
            }
        })
    }

    /// A session set its setpoints again when its device answered, as the bench file says.
    async fn reapplied_by_rule(&mut self, applied: setpoint_instruments::Reapplied) {
        let rule = "on_reconnect";
        if let Err(error) = self.noting().reapplied(&applied, Origin::Bench, rule).await {
            tracing::error!("what {} was set to is not in the audit: {error}", applied.instrument);
        }
    }

    /// Puts what changed into the status and publishes it.
    pub(crate) fn announce(&mut self) {
        let history_problem = self.history_problem();
        self.recording.noticed(&self.running);
        let unfinished = self.shown_unfinished();
        self.follow_beside();
        let off = self.running.bench.hot_reload() == HotReload::Off && !self.file_side.paused();
        let watch = WatchShown { polling: self.keeping.polling(), off };
        let transactions = self.shown_transactions();
        // Of what the panel shows as staged: what a program staged is for that to decide.
        let clashes = self.transactions.find(None).is_some_and(Staging::clashes);
        let state = self.file_side.state(clashes);
        let running = self.running.clone();
        let Shown { diagnostics, problem, disk_text, ahead, question } =
            self.file_side.shown(&self.file_name);
        let problem = problem.map(|problem| match running.reduced {
            true => format!("{problem}; {} {WITHOUT_LINES}", running.revision.id),
            false => problem,
        });
        let diagnostics = diagnostics.unwrap_or_else(|| running.diagnostics.clone());
        let diagnostics = self.exposed.among(&diagnostics);
        let suspended = self.file_side.suspended();
        let revisions = self.keeping.list();
        let attention = self.attention.clone();
        let drivers_problem = self.drivers_problem();
        self.publisher.update(|core| {
            core.attention = attention;
            core.unfinished = unfinished;
            core.history_problem = history_problem;
            core.drivers_problem = drivers_problem;
            core.bench.name.clone_from(&running.bench.name);
            core.bench.environment.clone_from(&running.bench.environment);
            core.revision = Some(running.revision.clone());
            core.reload.state = state;
            core.reload.watch = watch;
            core.reload.diagnostics = diagnostics;
            core.reload.problem = problem;
            core.reload.ahead = ahead;
            core.reload.question = question;
            core.reload.suspended = suspended;
            core.transactions = transactions;
            core.revisions = revisions;
            core.text = running.text.clone();
            core.values = running.values.clone();
            core.disk_text = disk_text;
            core.instrument_order = running.bench.instruments.keys().cloned().collect();
            core.source_order = running.bench.sources.keys().cloned().collect();
            core.secrets.runs(&running.meaning);
        });
        self.publisher.publish();
    }

    /// What of the bench's memory does not work; told when that begins and when it ends.
    fn history_problem(&mut self) -> Option<String> {
        let problem = self.keeping.problem();
        if problem.is_some() != self.told_problem {
            self.told_problem = problem.is_some();
            let (kind, tone) = match problem {
                Some(_) => ("history_unusable", Tone::Error),
                None => ("history_usable", Tone::Good),
            };
            let mut others = false;
            self.publisher.update(|core| {
                core.history_problem.clone_from(&problem);
                others = core.database_problem.is_some();
            });
            let lost = self.keeping.take_lost();
            // Said once, when all of it works again.
            if problem.is_none() && others && lost == 0 {
                return problem;
            }
            let back = match lost {
                0 => "The history is kept again".to_owned(),
                lost => format!(
                    "The history is kept again, without {lost} revisions that ran meanwhile: more \
                     than could be held back"
                ),
            };
            self.tell(Origin::Bench, kind, tone, problem.clone().unwrap_or(back));
        }
        problem
    }

    /// Shows a state that lasts while this task is busy.
    pub(crate) fn show(&self, state: ReloadState) {
        self.publisher.update(|core| core.reload.state = state);
    }
}

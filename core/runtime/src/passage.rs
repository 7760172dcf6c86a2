//! The nine stations: parse, resolve, check, diff, plan, keep, apply, write, announce.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use jiff::Timestamp;
use setpoint_bench::{
    Bench, Change, ChangeKind, Diagnostic, KeyPath, Value, check, diff::common_path,
};
use setpoint_store::{ReadError, StoreError, TextHash};

use crate::{
    apply::{self, StepFailure, Verified},
    command::{Answer, Applied, CommandError},
    doubt::{self, Saved},
    event::{Origin, Subject, Tone},
    event_log::Told,
    files::{Files, Meaning},
    journaling::Wanted,
    keeping::{Facts, WriteError, Wrote},
    manager::{Manager, Running},
    plan::{self, Plan},
    staging::none,
    standing::Held,
    status::{LastReload, Outcome, Question, ReloadState, Timings},
    transactions::aside,
};

/// A text that someone wants to run.
pub(crate) struct Proposal {
    pub(crate) origin: Origin,
    pub(crate) author: String,
    pub(crate) message: String,
    pub(crate) text: Arc<str>,
    /// Whether it came from the file, which then needs no writing.
    pub(crate) from_file: bool,
    /// How it got into the file, if nobody asked for it to be put into effect: then it may be
    /// asked about.
    pub(crate) saved: Option<Saved>,
    /// Whether it ran once: then files that it does not have are no part of it.
    pub(crate) closed: bool,
    /// Whether what is hazardous may be switched on.
    pub(crate) energises: bool,
    /// First sign of a save to its text being believed, in milliseconds.
    pub(crate) settle_ms: f64,
}

impl Proposal {
    /// One that has to be written to the file.
    pub(crate) fn written(origin: Origin, author: String, message: String, text: Arc<str>) -> Self {
        Self {
            origin,
            author,
            message,
            text,
            from_file: false,
            saved: None,
            closed: false,
            energises: true,
            settle_ms: 0.0,
        }
    }

    /// What the files hold, with what is around them. `saved` is how it got there; `None` if a
    /// person wants it in effect, however it looks.
    pub(crate) fn from_file(text: Arc<str>, saved: Option<Saved>, settle_ms: f64) -> Self {
        let origin = Origin::File;
        let author = origin.as_str().to_owned();
        let asked = Self::written(origin, author, String::new(), text);
        Self { from_file: true, saved, settle_ms, ..asked }
    }
}

/// A change that is in effect.
struct Passed {
    applied: Applied,
    interrupted: usize,
    /// What changed, in few words.
    summary: String,
    outcome: Outcome,
}

/// Why a change is not in effect.
enum Stopped {
    /// Also what would have changed, where that is known.
    Failed(CommandError, Vec<KeyPath>),
    /// It came from the file, and a person has to say first that it is meant.
    Asked(Question),
}

impl From<CommandError> for Stopped {
    fn from(error: CommandError) -> Self {
        Self::Failed(error, Vec::new())
    }
}

/// Stations 1 to 4 on a text: what it holds, what is wrong with it, what differs.
pub(crate) struct Read {
    pub(crate) text: Arc<str>,
    pub(crate) meaning: Arc<Meaning>,
    pub(crate) bench: Arc<Bench>,
    pub(crate) values: Arc<Value>,
    pub(crate) diagnostics: Arc<Vec<Diagnostic>>,
    pub(crate) changes: Arc<Vec<Change>>,
}

/// The same with what may be wrong with it, and how long it took in milliseconds.
struct Reading {
    meaning: Meaning,
    text: Arc<str>,
    values: Value,
    changes: Vec<Change>,
    parse: f64,
    check: f64,
}

impl Reading {
    fn answer(self, timings: &mut Timings) -> Result<Read, CommandError> {
        let Self { meaning, text, values, changes, parse, check } = self;
        (timings.parse, timings.check) = (parse, check);
        let diagnostics = Arc::new(meaning.diagnostics().to_vec());
        match meaning.bench().cloned() {
            Some(bench) => Ok(Read {
                text,
                meaning: Arc::new(meaning),
                bench: Arc::new(bench),
                values: Arc::new(values),
                diagnostics,
                changes: Arc::new(changes),
            }),
            None => {
                Err(CommandError::Invalid { message: check::summary(&diagnostics), diagnostics })
            }
        }
    }
}

impl Manager {
    /// Takes a proposal through all stations, tells how it went, and returns what runs now.
    pub(crate) async fn change(&mut self, proposal: Proposal) -> Result<Answer, CommandError> {
        self.show(ReloadState::Applying);
        self.file_side.overtaken(false);
        let started = Instant::now();
        let (origin, from_file, by_itself) =
            (proposal.origin, proposal.from_file, proposal.saved.is_some());
        let mut timings = Timings { settle: proposal.settle_ms, ..Timings::default() };
        let text = proposal.text.clone();
        let outcome = self.pass(proposal, &mut timings).await;
        timings.total = timings.settle + ms(started);
        match outcome {
            Ok(Passed { applied, interrupted, summary, outcome }) => {
                self.note_reload(origin, outcome, applied.changes.len(), interrupted, timings);
                self.tell_applied(origin, &applied, &summary, timings);
                if applied.file_was_gone {
                    let (file, id) = (&self.file_name, &applied.revision.id);
                    let message = format!("{file} was gone; it is written anew, as {id}");
                    self.tell(origin, "file_written", Tone::Warning, message);
                }
                self.calm();
                self.rebase(origin).await;
                Ok(Answer::Changed(Box::new(applied)))
            }
            Err(Stopped::Asked(question)) => {
                let message = self.ask_about(text, question);
                Err(CommandError::Conflict { message, diagnostics: none() })
            }
            Err(Stopped::Failed(error, touched)) => {
                self.note_reload(origin, Outcome::Rejected, 0, 0, timings);
                self.tell_rejected(origin, from_file, &error, &touched, timings);
                if from_file {
                    self.refuse(text, &error, by_itself);
                }
                Err(error)
            }
        }
    }

    async fn pass(&mut self, proposal: Proposal, timings: &mut Timings) -> Result<Passed, Stopped> {
        let Proposal { origin, author, message, text, from_file, saved, closed, energises, .. } =
            proposal;
        if saved.is_some()
            && let Some(question) = self.emptied(&text)
        {
            return Err(Stopped::Asked(question));
        }
        let read = match from_file {
            true => self.read(text, closed, timings).await?,
            false => self.read_or_recall(text, closed, timings).await?,
        };
        // Of the files that were read, and no others: what is kept and written is what was checked.
        let text = read.text.clone();
        let hash = TextHash::of(&*text);
        // The same text means something else if what is around the files has changed.
        let differs = !read.changes.is_empty() || *read.bench != *self.running.bench;
        if hash == self.running.hash && !(from_file && differs) {
            let mut file_was_gone = false;
            // The file may be gone, or its last text refused: then it gets this one.
            if !from_file && !self.file_side.in_step() {
                let left = self.ours();
                match self.keeping.write(text, left.clone()).await {
                    Ok(wrote) => {
                        self.file_side.none_is_late();
                        self.matches(origin, &author).await;
                        file_was_gone = wrote == Wrote::Anew;
                    }
                    Err(WriteError::GivenUp(error)) => {
                        self.not_written(left, error.to_string());
                        self.file_side.may_come(self.running.held());
                    }
                    Err(WriteError::Failed(error)) => self.not_written(left, error.to_string()),
                    Err(error @ WriteError::Changed(_)) => {
                        return Err(CommandError::from(error).into());
                    }
                }
            } else {
                self.matches(origin, &author).await;
            }
            let mut passed = self.nothing_to_do();
            passed.applied.file_was_gone = file_was_gone;
            return Ok(passed);
        }
        if let Some(saved) = saved
            && let Some(question) = self.doubted(&read, saved).await?
        {
            return Err(Stopped::Asked(question));
        }
        // A change from elsewhere must not bring along what would be asked about.
        if !from_file && let Some(what) = self.torn_dot_env(&read) {
            let what = what.of(doubt::DOT_ENV);
            let message = format!(
                "{what}, which would change what runs: reload to apply that, or put back what it \
                 held"
            );
            return Err(CommandError::Conflict { message, diagnostics: none() }.into());
        }

        let set = read.changes.iter().filter_map(|change| change.path.as_setpoint());
        let set: BTreeSet<&str> = set.map(|(instrument, _)| instrument).collect();
        self.components.settle_all(&set).await;
        let begun = Instant::now();
        let mut plan = self.plan(&read.bench, &read.meaning, !from_file);
        if !energises {
            plan.leave_hazards_alone();
        }
        timings.plan = ms(begun);

        // 6 keep: what runs is a kept revision already; the journal says what is about to happen.
        let begun = Instant::now();
        let wanted = Wanted { author: &author, origin, message: &message };
        let notes = self.begin_journal(&plan, &read.meaning, &text, wanted).await;

        // 7 apply: what is started shows up before this is over, and shows no secrets.
        self.publisher.update(|core| core.secrets.comes(&read.meaning));
        let old = self.running.bench.clone();
        let secrets = self.publisher.secrets();
        let telling = (notes, secrets.clone());
        let taken =
            apply::take(&plan.steps, &mut self.components, &old, &read.bench, telling).await;
        let progress = match taken {
            Ok(progress) => progress,
            Err(failure) => {
                timings.apply = ms(begun);
                return Err(self.failed(&failure, &read.changes, origin, &author).await);
            }
        };
        timings.apply = ms(begun);

        // 8 write: what cannot be written runs all the same, unless someone else wrote meanwhile.
        let begun = Instant::now();
        let left = self.ours();
        let written = match from_file {
            true => Ok(Wrote::Over),
            false => self.keeping.write(text.clone(), left.clone()).await,
        };
        let file_was_gone = matches!(written, Ok(Wrote::Anew));
        let not_written = match written {
            Ok(_) => {
                progress.notes.wrote().await;
                None
            }
            Err(WriteError::GivenUp(error)) => {
                progress.notes.flush().await;
                // Before anything else is done: it may appear at any moment.
                self.file_side.may_come(Held { text: text.clone(), hash });
                Some(error.to_string())
            }
            Err(WriteError::Failed(error)) => {
                // Whoever ends the journal must not have lines written behind that.
                progress.notes.flush().await;
                Some(error.to_string())
            }
            Err(WriteError::Changed(error)) => {
                self.file_side.overtaken(true);
                let what = error.to_string();
                let failure = apply::take_back(progress, &mut self.components, &old, what).await;
                return Err(self.failed(&failure, &read.changes, origin, &author).await);
            }
        };
        timings.write = ms(begun);

        // 9 announce
        let summary = match &read.changes[..] {
            [] if differs && read.meaning.has_secrets() => "a secret's value changed".to_owned(),
            [] if differs => "what is around the files changed".to_owned(),
            changes => summary(changes),
        };
        let message = if message.trim().is_empty() { summary.clone() } else { message };
        let mut verified = progress.verified.clone();
        // What is kept of them would show what the file hides, or hid until now.
        verified.retain(|set| {
            set.path.split_once('.').is_none_or(|(id, name)| !secrets.holds(id, name))
        });
        let written = not_written.is_none();
        let facts = Facts { author: author.clone(), origin, message, verified, written };
        let revision = self.keeping.accept(&text, &read.changes, facts).await;
        self.attention = None;
        self.components.configure_all(&old, &read.bench).await;
        let retention = self.retention(&read.bench);
        self.keeping.follow_as(&read.bench.runtime);
        self.keeping.retain(retention, &revision.id).await;
        self.knows_dot_env(&read.meaning);
        self.running = Running {
            text,
            hash,
            values: read.values,
            bench: read.bench,
            meaning: read.meaning,
            diagnostics: read.diagnostics.clone(),
            revision: revision.clone(),
            reduced: false,
        };
        match not_written {
            None if from_file => self.file_side.matches(),
            None => self.file_side.written(),
            Some(cause) => self.not_written(left, cause),
        }
        self.recording.accepted(&self.running, &read.changes);
        self.prove();
        self.warn_of_exposed_secrets().await;
        let applied = Applied {
            revision,
            changes: read.changes,
            diagnostics: read.diagnostics,
            plan: Arc::new(plan.lines),
            persisted: written,
            file_was_gone,
        };
        let outcome = match applied.changes.is_empty() && !differs {
            true => Outcome::Unchanged,
            false => Outcome::Applied,
        };
        Ok(Passed { applied, interrupted: plan.interrupted, summary, outcome })
    }

    /// Stations 1 to 4, on a thread that may take its time.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] with all findings if there is an error among them;
    /// [`CommandError::Storage`] if the disk does not answer.
    pub(crate) async fn read(
        &self,
        text: Arc<str>,
        closed: bool,
        timings: &mut Timings,
    ) -> Result<Read, CommandError> {
        let (work, files) = (self.reader(text, closed), self.files.clone());
        let read = self.keeping.reading(move || work(&files)).await;
        read.map_err(StoreError::from)?.answer(timings)
    }

    /// The same where the disk may not answer: then what is around the text is taken to be what
    /// it was for what runs.
    ///
    /// # Errors
    /// [`CommandError::Invalid`] as above, also for a file that nobody has read.
    pub(crate) async fn read_or_recall(
        &self,
        text: Arc<str>,
        closed: bool,
        timings: &mut Timings,
    ) -> Result<Read, CommandError> {
        let work = self.reader(text, closed);
        self.read_or_recalled(work).await?.answer(timings)
    }

    /// Works on the files; where the disk does not answer, on what was known of them when what
    /// runs was read.
    pub(crate) async fn read_or_recalled<R: Send + 'static>(
        &self,
        work: impl Fn(&Files) -> R + Send + Sync + 'static,
    ) -> Result<R, CommandError> {
        let (work, files) = (Arc::new(work), self.files.clone());
        let reads = work.clone();
        match self.keeping.reading(move || reads(&files)).await {
            Ok(read) => Ok(read),
            Err(silence @ ReadError::NoAnswer { .. }) => {
                let known = self.recalling()(silence.to_string());
                aside(move || Ok(work(&known))).await
            }
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// The files as they were known when what runs was read, for where the disk does not answer;
    /// takes why that is.
    pub(crate) fn recalling(&self) -> impl FnOnce(String) -> Files + Send + 'static {
        let (files, running) = (self.files.clone(), self.running.clone());
        move |why| files.as_known(&running.text, &running.meaning, why)
    }

    /// What stations 1 to 4 are, for a thread of its own.
    fn reader(
        &self,
        text: Arc<str>,
        closed: bool,
    ) -> impl Fn(&Files) -> Reading + Send + Sync + 'static {
        let drivers = self.drivers.clone();
        let (old, before) = (self.running.values.clone(), self.running.meaning.clone());
        let came = self.came(&text);
        move |files| {
            let begun = Instant::now();
            // Reading that may hang on the disk as well.
            let came = came.as_ref().filter(|_| !files.are_known());
            let before = came.map_or(&*before, |came| came.meaning());
            let meaning = if closed {
                files.meaning_then(&text, &drivers)
            } else {
                files.meaning(&text, Some(before), &drivers)
            };
            let text = meaning.packed(&text);
            let parse = ms(begun);
            let begun = Instant::now();
            let values = meaning.values();
            let changes = setpoint_bench::diff(&old, &values);
            Reading { meaning, text, values, changes, parse, check: ms(begun) }
        }
    }

    /// Reads what runs once more in one go, aside: what was read the short way has to come to the
    /// same. A difference is a defect, and everybody is told.
    pub(crate) fn prove(&self) {
        let (meaning, drivers) = (self.running.meaning.clone(), self.drivers.clone());
        let (publisher, id) = (self.publisher.clone(), self.running.revision.id.clone());
        tokio::task::spawn_blocking(move || {
            if meaning.proven(&drivers) {
                return;
            }
            let message = format!(
                "Reading {id} as a whole comes to something else than reading what had changed. \
                 This is a defect of Setpoint: save the bench file, restart, and report it."
            );
            tracing::error!("{message}");
            publisher.tell(Told {
                origin: Origin::Bench,
                kind: "reading_differs",
                subject: Subject::Configuration,
                tone: Tone::Error,
                path: String::new(),
                message,
                took_ms: None,
            });
        });
    }

    /// Station 5, with the lines for what comes before and after the steps.
    pub(crate) fn plan(&self, bench: &Bench, meaning: &Meaning, writes: bool) -> Plan {
        let link = |id: &str| self.components.link(id);
        let mut plan = plan::plan(&self.running.bench, bench, &self.drivers, &link);
        plan.tell_around(&self.running, meaning, writes.then_some(&self.file_name));
        plan
    }

    /// What a change comes to that changes nothing.
    pub(crate) fn as_it_is(&self) -> Applied {
        Applied {
            revision: self.running.revision.clone(),
            changes: none(),
            diagnostics: self.running.diagnostics.clone(),
            plan: none(),
            persisted: self.file_side.in_step(),
            file_was_gone: false,
        }
    }

    fn nothing_to_do(&self) -> Passed {
        let applied = self.as_it_is();
        let (interrupted, summary, outcome) = (0, summary(&[]), Outcome::Unchanged);
        Passed { applied, interrupted, summary, outcome }
    }

    async fn failed(
        &mut self,
        failure: &StepFailure,
        changes: &[Change],
        origin: Origin,
        author: &str,
    ) -> Stopped {
        let message = self.publisher.secrets().hide(failure.to_string());
        if !failure.not_undone.is_empty() {
            self.attention = Some(message.clone());
        }
        let touched: Vec<KeyPath> = changes.iter().map(|change| change.path.clone()).collect();
        let path = common_path(&touched).to_string();
        self.keeping.give_up(&path, &message, origin, author).await;
        Stopped::Failed(CommandError::Failed { message }, touched)
    }

    pub(crate) fn note_reload(
        &self,
        origin: Origin,
        outcome: Outcome,
        changes: usize,
        interrupted: usize,
        timings_ms: Timings,
    ) {
        self.publisher.update(|core| {
            if origin == Origin::File {
                match outcome {
                    Outcome::Rejected => core.reload.rejected += 1,
                    Outcome::Applied | Outcome::Unchanged => core.reload.applied += 1,
                }
            }
            let at = Timestamp::now();
            core.reload.last =
                Some(LastReload { at, origin, outcome, changes, interrupted, timings_ms });
        });
    }
}

/// Milliseconds since an instant.
pub(crate) fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// What changed, in few words: `psu.set.ch1.voltage 3.3 → 3.45`, or counts.
pub(crate) fn summary(changes: &[Change]) -> String {
    match changes {
        [] => "comments or order only".to_owned(),
        [one] => {
            let path = one.path.to_string();
            let path = path.strip_prefix("instruments.").unwrap_or(&path);
            let path = path.strip_prefix("sources.").unwrap_or(path);
            let path = path.replacen(".set.", ".", 1);
            one.said(&path)
        }
        many => {
            let count = |kind| many.iter().filter(|change| change.kind == kind).count();
            let counts = [
                (count(ChangeKind::Changed), "changed"),
                (count(ChangeKind::Added), "added"),
                (count(ChangeKind::Removed), "removed"),
            ];
            let words = counts.iter().filter(|(count, _)| *count > 0);
            words.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// What the audit keeps of values that were set.
pub(crate) fn verified_json(verified: &[Verified]) -> serde_json::Value {
    verified
        .iter()
        .map(|set| {
            serde_json::json!({
                "path": set.path,
                "asked": set.asked,
                "before": set.before,
                "readback": set.readback,
            })
        })
        .collect()
}

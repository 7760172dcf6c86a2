//! Opening a bench, also when its file is broken or gone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use setpoint_bench::{Bench, Diagnostic, check, model::OnReconnect};
use setpoint_store::{
    AccessRules, BenchFolder, FileSeen, Intent, ReadError, Revisions, StoreError, TextHash, Watcher,
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    asking::Asking,
    catalogue::Drivers,
    components::Components,
    doubt::{self, Saved},
    event::{Origin, Tone},
    exposed::Exposed,
    files::{Files, Meaning, OnDiskText},
    frames::Frames,
    handle::{Ending, Envelope, QUEUE, Runtime},
    keeping::{self, Keeping, PATIENCE, watch_options},
    manager::{Manager, Running, WITHOUT_LINES},
    publish::{Core, Publisher},
    recording::{self, Recording},
    shelf::{self, Earlier, Shelf},
    staging::none,
    standing::{FileSide, Found, Wait},
    status::{Question, Revision},
    transactions::{LookingAhead, Transactions},
    unfinished::asks,
};

/// What to open.
#[derive(Debug, Clone)]
pub struct Options {
    /// The bench file.
    pub bench: PathBuf,
    /// The environment to run it for; else the variable `SETPOINT_ENV` or the file says.
    pub environment: Option<String>,
    /// Which files the bench may be made of, by the person's settings.
    pub access: AccessRules,
    /// How long one piece of work on the disk may take before the bench goes on without it.
    pub disk_patience: Duration,
}

impl Options {
    /// A bench file, for the environment that its surroundings name; ten seconds for the disk.
    pub fn new(bench: impl Into<PathBuf>) -> Self {
        let (environment, access) = (None, AccessRules::default());
        Self { bench: bench.into(), environment, access, disk_patience: PATIENCE }
    }
}

/// Why a bench could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file cannot be read, and no revision is kept that could run instead.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another Setpoint uses the bench, the folder beside it belongs to another one, or the file
    /// cannot be followed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file does not check, and no revision is kept that could run instead.
    #[error("{message}")]
    Invalid {
        /// The first finding in a sentence, and how many more there are.
        message: String,
        /// All findings.
        diagnostics: Arc<Vec<Diagnostic>>,
    },
}

impl StartError {
    /// Findings that belong to the error.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid { diagnostics, .. } => diagnostics,
            Self::Read(_) | Self::Store(_) => &[],
        }
    }
}

/// What was found on disk and what will run.
struct Opened {
    shelf: Shelf,
    unfinished: Option<Intent>,
    /// What an earlier run left in the journal cannot be read.
    unread: bool,
    drivers: Drivers,
    running: Running,
    /// What the file holds, if that is not what runs.
    found: Option<Found>,
    attention: Option<String>,
    notes: Vec<(Tone, String)>,
    transactions: setpoint_store::Transactions,
    staged: Vec<setpoint_store::TransactionRecord>,
    exposed: Vec<Diagnostic>,
}

impl Runtime {
    /// Opens a bench: the file if it checks, else the last revision that does. Devices and
    /// sources are started; a missing one does not keep the rest from running.
    ///
    /// Must be called within a tokio runtime that has a timer, I/O and blocking threads.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is started then, and nothing written but the folder itself.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Ok(Ready::open(options).await?.run().await)
    }
}

/// A bench that is open, its manager not at work yet.
pub(crate) struct Ready {
    pub(crate) manager: Manager,
    runtime: Runtime,
    requests: mpsc::Receiver<Envelope>,
    stopping: mpsc::Receiver<()>,
    publishing: JoinHandle<()>,
}

impl Ready {
    pub(crate) async fn open(options: Options) -> Result<Self, StartError> {
        let path = options.bench;
        let files = Files::new(&path, options.environment, options.access);
        let (saw, saves) = mpsc::channel(16);
        let (watched, those) = (path.clone(), files.clone());
        let opened = tokio::task::spawn_blocking(move || {
            // Watched before it is read: a save in between is seen by one or the other.
            let found = open(&watched, &those)?;
            let options = watch_options(&found.running.bench.runtime);
            let sink = move |seen: FileSeen| {
                // Fails only when the manager has ended; then nobody wants to know.
                let _ = saw.blocking_send(seen);
            };
            let watcher = Watcher::start(&watched, options, sink)?;
            if let Err(error) = setpoint_video::init() {
                tracing::error!("no pictures: {error}");
            }
            let history = recording::open(&BenchFolder::of(&watched), found.shelf.audit())?;
            Ok::<_, StartError>((found, watcher, history))
        });
        let (found, watcher, history) = match opened.await {
            Ok(opened) => opened?,
            // A panic while opening: passed on, as it would be without the thread.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let Opened {
            shelf,
            unfinished,
            unread,
            drivers,
            running,
            found,
            attention,
            notes,
            transactions,
            staged,
            exposed,
        } = found;
        let folder = BenchFolder::of(&path).path().to_owned();
        let drivers = Arc::new(drivers);
        let keeping = Keeping::new(
            path.clone(),
            files.clone(),
            drivers.clone(),
            shelf,
            (unfinished.clone(), unread),
            transactions,
            options.disk_patience,
        );
        keeping.set_watcher(watcher);
        if running.revision.id == shelf::UNKEPT {
            // Says why.
            keeping.try_again().await;
        }

        let publisher = Publisher::new(Core::empty(path.clone()));
        let frames = Frames::default();
        let recording = Recording::start(history, &publisher, &frames, &keeping);
        let (report, reports) = mpsc::channel(QUEUE);
        let mut components =
            Components::new(drivers.clone(), publisher.clone(), frames.clone(), report);
        publisher.update(|core| core.secrets.runs(&running.meaning));
        components.start(&running.bench).await;

        let ending = Ending::default();
        let mut manager = Manager {
            file_name: files.name().to_owned(),
            files,
            followed: None,
            coming: None,
            overwritten: Vec::new(),
            beside_paused: Vec::new(),
            running,
            file_side: FileSide::new(found),
            attention,
            unfinished,
            weighed: None,
            told_problem: false,
            exposed: Exposed::new(exposed),
            transactions: Transactions::default(),
            looking_ahead: LookingAhead::new(),
            drivers,
            drivers_refused: None,
            components,
            keeping: keeping.clone(),
            recording: recording.clone(),
            publisher: publisher.clone(),
            asking: Asking::new(),
            ending: ending.clone(),
            reports,
            saves,
        };
        for (tone, message) in notes {
            manager.tell(Origin::Bench, "opened", tone, message);
        }
        manager.bring_transactions_back(staged).await;
        manager.announce();

        let (commands, requests) = mpsc::channel(QUEUE);
        let (stop, stopping) = mpsc::channel(1);
        let status = publisher.status();
        let changed = publisher.changes();
        let publishing = tokio::spawn(publisher.run());
        let runtime = Runtime {
            commands,
            status,
            changed,
            frames,
            folder,
            keeping,
            recording,
            stop,
            managing: Arc::default(),
            ending,
        };
        Ok(Self { manager, runtime, requests, stopping, publishing })
    }

    /// Lets the manager begin.
    pub(crate) async fn run(self) -> Runtime {
        let Self { manager, runtime, requests, stopping, publishing } = self;
        let managing = tokio::spawn(async move {
            manager.run(requests, stopping).await;
            publishing.abort();
        });
        *runtime.managing.lock().await = Some(managing);
        runtime
    }
}

fn open(path: &std::path::Path, files: &Files) -> Result<Opened, StartError> {
    let known = BenchFolder::exists(path);
    let drivers = Drivers::beside(path);
    let name = files.name().to_owned();
    let reading = match files.read(&drivers) {
        Ok(file) => {
            let meaning = files.meaning(&file.text, None, &drivers);
            Ok((Some(file), Ok(meaning)))
        }
        Err(ReadError::NotUtf8 { line, column, .. }) => {
            Ok((None, Err(check::not_utf8(&name, line, column).diagnostics)))
        }
        Err(error) => Err(error),
    };
    match &reading {
        // A folder `.setpoint` beside a file that never ran would only be litter.
        Err(error) if !known => return Err(error.clone().into()),
        Ok((_, Ok(meaning))) if meaning.bench().is_none() && !known => {
            return Err(invalid(meaning.diagnostics()));
        }
        Ok((_, Err(findings))) if !known => return Err(invalid(findings)),
        _ => {}
    }

    let mut shelf = Shelf::open(path)?;
    let mut notes = Vec::new();
    if let Some(audit) = shelf.audit() {
        notes.extend(audit.take_notes().into_iter().map(|note| (Tone::Warning, note)));
    }
    let problems = shelf.revisions().problems().iter();
    notes.extend(problems.map(|problem| (Tone::Warning, problem.clone())));
    notes.extend(
        drivers.library().problems().iter().map(|problem| (Tone::Warning, problem.to_string())),
    );
    let (mut unfinished, mut unread, mut unknown) = (None, false, None);
    match Shelf::unfinished(path) {
        Earlier::Nothing => {}
        Earlier::Unfinished(intent) => unfinished = Some(*intent),
        Earlier::Damaged(problem) => notes.push((Tone::Error, problem)),
        Earlier::Unread(problem) => {
            (unread, unknown) = (true, Some(problem.clone()));
            notes.push((Tone::Error, problem));
        }
    }
    let read = reading.as_ref().ok().and_then(|(file, _)| file.as_ref()).map(|file| &*file.text);
    let meant = unfinished.as_ref().map(|intent| intent.to_text.as_str());
    let texts = [read.unwrap_or_default(), meant.unwrap_or_default()];
    // Without the lock, they may be another's at work.
    if shelf.problem().is_none()
        && let Err(error) = files.sweep(&BenchFolder::of(path), &texts)
    {
        notes.push((Tone::Warning, error.to_string()));
    }

    let mut attention: Option<String> = None;
    let (running, found) = match reading {
        Ok((Some(file), Ok(meaning)))
            if meaning.bench().is_some() || doubt::is_empty(&file.text) =>
        {
            // What Setpoint itself was about to write is meant.
            let brought = unfinished.as_ref().is_some_and(|intent| intent.to_hash == file.hash);
            let doubted = if brought {
                None
            } else {
                doubted_at_start(shelf.revisions(), files, &drivers, &file, &meaning)
            };
            match doubted {
                Some((running, question)) => {
                    let why = Wait::Answer(question);
                    (running, Some(Found::Waiting { text: file.text, why }))
                }
                None if meaning.bench().is_none() => return Err(invalid(meaning.diagnostics())),
                None => {
                    let newest = shelf.revisions().newest().cloned();
                    let newest = newest.filter(|newest| newest.hash != file.hash);
                    let revision =
                        revision_of(&mut shelf, path, &file, &mut unfinished, &mut notes);
                    if let Some(newest) = newest
                        && shelf.never_written(&newest, &revision.id)
                    {
                        let id = &newest.id;
                        attention = Some(format!(
                            "{id} was in force and never reached {name}: roll back to {id} if you \
                             want it"
                        ));
                    }
                    let running =
                        running(file.text, meaning, revision).ok_or_else(|| invalid(&[]))?;
                    (running, None)
                }
            }
        }
        Ok((file, read)) => {
            let findings = match read {
                Ok(meaning) => meaning.diagnostics().to_vec(),
                Err(findings) => findings,
            };
            let Some(running) = last_good(shelf.revisions(), files, &drivers) else {
                return Err(invalid(&findings));
            };
            let diagnostics = Arc::new(findings);
            let why = check::summary(&diagnostics);
            let text = file.map(|file| file.text);
            (running, Some(Found::Refused { text, diagnostics, why }))
        }
        Err(error) => {
            let Some(running) = last_good(shelf.revisions(), files, &drivers) else {
                return Err(error.into());
            };
            let why = format!("{error}. The bench runs {}.", running.revision.id);
            let because = (&error).into();
            (running, Some(Found::Unreadable { why, because }))
        }
    };
    let id = &running.revision.id;
    notes.push(match &found {
        None => (Tone::Info, format!("{name} opened as {id}")),
        Some(Found::Refused { why, .. }) => {
            (Tone::Error, format!("{name} was not applied: {why}. {id} runs instead."))
        }
        Some(Found::Unreadable { why, .. }) => (Tone::Error, why.clone()),
        Some(Found::Waiting { why: Wait::Answer(question), .. }) => {
            let asked = &question.message;
            (Tone::Warning, format!("{name} is not applied unasked: {asked}. {id} runs instead."))
        }
        Some(Found::Waiting { .. }) => (Tone::Info, format!("{name} waits for a reload")),
    });
    if running.reduced {
        notes.push((Tone::Warning, format!("{id} {WITHOUT_LINES}")));
    }
    notes.extend(attention.iter().map(|attention| (Tone::Warning, attention.clone())));
    let attention = unknown.or(attention);
    let (transactions, staged) = setpoint_store::Transactions::open(&BenchFolder::of(path));
    notes.extend(staged.problems.into_iter().map(|problem| (Tone::Warning, problem)));
    if let Some(intent) = &mut unfinished {
        let keep = intent.steps.len().saturating_sub(1);
        let newest = shelf.revisions().newest();
        if newest.is_some_and(|newest| intent.brought(newest)) && !intent.done.contains(&keep) {
            intent.done.push(keep);
        }
        notes.push((Tone::Error, asks(intent)));
    }
    let exposed = files.exposed_secrets(&running.meaning);
    notes.extend(exposed.iter().map(|found| (Tone::Warning, found.message.clone())));
    Ok(Opened {
        shelf,
        unfinished,
        unread,
        drivers,
        running,
        found,
        attention,
        notes,
        transactions,
        staged: staged.kept,
        exposed,
    })
}

/// A file that looks torn beside the newest revision that checks, or lacks much of it: that runs
/// instead, and the file is asked about, as after a save.
fn doubted_at_start(
    revisions: &Revisions,
    files: &Files,
    drivers: &Drivers,
    file: &OnDiskText,
    meaning: &Meaning,
) -> Option<(Running, Question)> {
    if revisions.newest()?.hash == file.hash {
        return None;
    }
    let running = last_good(revisions, files, drivers)?;
    let missing = files.became(doubt::missing(&running.text, &file.text));
    let found = (&*file.text, meaning.bench());
    // However it was saved then, it is not being saved now.
    let saved = Saved { renamed: true };
    let before = (&*running.text, &*running.bench);
    let question = doubt::question(files.name(), before, found, &missing, saved)?;
    Some((running, question))
}

fn invalid(findings: &[Diagnostic]) -> StartError {
    StartError::Invalid {
        message: check::summary(findings),
        diagnostics: Arc::new(findings.to_vec()),
    }
}

/// What runs, of a text that means a bench.
fn running(text: Arc<str>, meaning: Meaning, revision: Revision) -> Option<Running> {
    Some(Running {
        hash: TextHash::of(&*text),
        text,
        values: Arc::new(meaning.values()),
        bench: Arc::new(meaning.bench()?.clone()),
        diagnostics: Arc::new(meaning.diagnostics().to_vec()),
        meaning: Arc::new(meaning),
        revision,
        reduced: false,
    })
}

/// The revision that the file holds: the newest one, or one of its own for a text that was edited
/// while nothing watched. A change that lacks only its revision is finished by that.
fn revision_of(
    shelf: &mut Shelf,
    path: &std::path::Path,
    file: &OnDiskText,
    unfinished: &mut Option<Intent>,
    notes: &mut Vec<(Tone, String)>,
) -> Revision {
    let newest = shelf.revisions().newest().filter(|newest| newest.hash == file.hash);
    let newest = newest.map(keeping::revision);
    let brought = unfinished.as_ref().filter(|intent| intent.to_hash == file.hash);
    let complete = brought.is_some_and(|intent| {
        let keep = intent.steps.len().saturating_sub(1);
        (0..keep).all(|step| intent.done.contains(&step))
    });
    let facts = match brought {
        Some(intent) => intent.facts(),
        None => {
            let first = shelf.revisions().newest().is_none();
            let message = if first { "As first opened" } else { "Edited while it was not open" };
            let origin = Origin::File.as_str().to_owned();
            let (author, message) = (origin.clone(), message.to_owned());
            setpoint_store::Facts { author, origin, message, ..Default::default() }
        }
    };
    let kept = match newest {
        Some(newest) => Ok(newest),
        None => shelf.store(path).and_then(|store| {
            let kept = store.revisions.keep(&file.text, facts, &store.audit)?;
            Ok(keeping::revision(&kept))
        }),
    };
    match kept {
        Ok(revision) => {
            if complete && shelf.store(path).is_ok_and(|store| store.journal.clear().is_ok()) {
                *unfinished = None;
                let id = &revision.id;
                notes.push((Tone::Info, format!("The change that {id} came with was complete")));
            }
            revision
        }
        // The bench runs on without it; what is wrong is told when it is tried again.
        Err(error) => {
            notes.push((Tone::Error, format!("{} could not be kept: {error}", path.display())));
            shelf::unkept(file)
        }
    }
}

/// The newest revision that checks, if need be without what is wrong in `.env`.
fn last_good(revisions: &Revisions, files: &Files, drivers: &Drivers) -> Option<Running> {
    revisions.list().iter().find_map(|record| {
        let text = revisions.text(&record.id).ok()?;
        let mut meaning = files.meaning(&text, None, drivers);
        let reduced = meaning.bench().is_none();
        if reduced {
            meaning = files.without_wrong_lines(&text, meaning, drivers)?;
        }
        let mut running = running(text, meaning, keeping::revision(record))?;
        if reduced {
            sets_nothing(Arc::make_mut(&mut running.bench));
        }
        // What was wrong with it was told when it was written.
        Some(Running { diagnostics: none(), reduced, ..running })
    })
}

/// What `.env` said of setpoints is not known whole: what stands below it in the files may be meant
/// for another computer, and is not sent to a device by a rule.
fn sets_nothing(bench: &mut Bench) {
    for instrument in bench.instruments.values_mut() {
        if instrument.on_reconnect == OnReconnect::Reapply {
            Arc::make_mut(instrument).on_reconnect = OnReconnect::Compare;
        }
    }
}

//! Opening a bench, also when its file is broken or gone.

use std::{path::PathBuf, sync::Arc};

use setpoint_bench::{Diagnostic, check};
use setpoint_store::{
    Audit, BenchFolder, FileSeen, Journal, ReadError, Revisions, StoreError, TextHash,
    WatchOptions, Watcher, atomic,
};
use tokio::sync::mpsc;

use crate::{
    catalogue::Drivers,
    components::Components,
    event::{Origin, Tone},
    files::{Files, Meaning, OnDiskText},
    frames::Frames,
    handle::{QUEUE, Runtime},
    keeping::{self, Keeping, Store},
    manager::{Manager, OnDisk, Running},
    publish::{Core, Publisher},
    recording::{self, Recording},
    staging::none,
    status::Revision,
};

/// What to open.
#[derive(Debug, Clone)]
pub struct Options {
    /// The bench file.
    pub bench: PathBuf,
    /// The environment to run it for; else the variable `SETPOINT_ENV` or the file says.
    pub environment: Option<String>,
}

impl Options {
    /// A bench file, for the environment that its surroundings name.
    pub fn new(bench: impl Into<PathBuf>) -> Self {
        Self { bench: bench.into(), environment: None }
    }
}

/// Why a bench could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file cannot be read, and no revision is kept that could run instead.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder beside the file cannot be used, or another Setpoint uses it.
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
struct Found {
    store: Store,
    drivers: Drivers,
    running: Running,
    on_disk: OnDisk,
    notes: Vec<(Tone, String)>,
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
        let path = options.bench;
        let files = Files::new(&path, options.environment);
        let (saw, saves) = mpsc::channel(16);
        let (watched, those) = (path.clone(), files.clone());
        let opened = tokio::task::spawn_blocking(move || {
            // Watched before it is read: a save in between is seen by one or the other.
            let found = open(&watched, &those)?;
            let options = WatchOptions {
                quiet: found.running.bench.runtime.quiet,
                ..WatchOptions::default()
            };
            let sink = move |seen: FileSeen| {
                // Fails only when the manager has ended; then nobody wants to know.
                let _ = saw.blocking_send(seen);
            };
            let watcher = Watcher::start(&watched, options, sink)?;
            if let Err(error) = setpoint_video::init() {
                tracing::error!("no pictures: {error}");
            }
            let history = recording::open(&found.store.folder, &found.store.audit)?;
            Ok::<_, StartError>((found, watcher, history))
        });
        let (found, watcher, history) = match opened.await {
            Ok(opened) => opened?,
            // A panic while opening: passed on, as it would be without the thread.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let Found { store, drivers, running, on_disk, notes } = found;
        let folder = store.folder.path().to_owned();
        let drivers = Arc::new(drivers);
        let keeping = Keeping::new(path.clone(), files.clone(), drivers.clone(), store);
        keeping.set_watcher(watcher);

        let publisher = Publisher::new(Core::empty(path.clone()));
        let frames = Frames::default();
        let recording = Recording::start(history, &publisher, &frames, &keeping);
        let (report, reports) = mpsc::channel(QUEUE);
        let mut components =
            Components::new(drivers.clone(), publisher.clone(), frames.clone(), report);
        let secrets = running.meaning.has_secrets().then(|| running.meaning.clone());
        publisher.update(|core| core.secrets = secrets);
        components.start(&running.bench).await;

        let mut manager = Manager {
            file_name: files.name().to_owned(),
            files,
            // No sign is this: the first looks compare with what was read.
            beside: 0,
            running,
            on_disk,
            attention: None,
            saved_meanwhile: false,
            paused: false,
            settling: false,
            staging: None,
            staged: 0,
            drivers,
            components,
            keeping: keeping.clone(),
            recording: recording.clone(),
            publisher: publisher.clone(),
            reports,
            saves,
        };
        for (tone, message) in notes {
            manager.tell(Origin::Bench, "opened", tone, message);
        }
        manager.announce();
        recording.opened(&manager.running);

        let (commands, requests) = mpsc::channel(QUEUE);
        let (stop, stopping) = mpsc::channel(1);
        let status = publisher.status();
        let changed = publisher.changes();
        let publishing = tokio::spawn(publisher.run());
        let managing = tokio::spawn(async move {
            manager.run(requests, stopping).await;
            publishing.abort();
        });
        let managing = Arc::new(tokio::sync::Mutex::new(Some(managing)));
        Ok(Self { commands, status, changed, frames, folder, keeping, recording, stop, managing })
    }
}

fn open(path: &std::path::Path, files: &Files) -> Result<Found, StartError> {
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

    let folder = BenchFolder::open(path)?;
    let lock = Some(folder.lock()?);
    atomic::sweep_temporary(path)?;
    let mut notes = Vec::new();
    let audit = Audit::open(&folder)?;
    notes.extend(audit.notes().iter().map(|note| (Tone::Warning, note.clone())));
    let mut revisions = Revisions::open(&folder, &audit)?;
    notes.extend(revisions.problems().iter().map(|problem| (Tone::Warning, problem.clone())));
    notes.extend(
        drivers.library().problems().iter().map(|problem| (Tone::Warning, problem.to_string())),
    );
    let journal = Journal::open(&folder);
    let found = journal.found().unwrap_or_else(|error| {
        notes.push((Tone::Warning, format!("What was going on when Setpoint ended: {error}")));
        None
    });
    if let Some(intent) = found {
        let message = format!(
            "Setpoint ended in the middle of a change from {}: {}. The file decides what runs; \
             check the devices.",
            intent.from_revision,
            intent.steps.join(", ")
        );
        notes.push((Tone::Warning, message));
    }
    if let Err(error) = journal.clear() {
        notes.push((Tone::Warning, error.to_string()));
    }

    let (running, on_disk) = match reading {
        Ok((Some(file), Ok(meaning))) if meaning.bench().is_some() => {
            let revision = match revisions.list().first() {
                Some(newest) if newest.hash == file.hash => keeping::revision(newest),
                _ => found_as_revision(&mut revisions, &audit, &file)?,
            };
            let running = running(file.text, meaning, revision).ok_or_else(|| invalid(&[]))?;
            (running, OnDisk::Same)
        }
        Ok((file, read)) => {
            let findings = match read {
                Ok(meaning) => meaning.diagnostics().to_vec(),
                Err(findings) => findings,
            };
            let Some(running) = last_good(&revisions, files, &drivers) else {
                return Err(invalid(&findings));
            };
            let diagnostics = Arc::new(findings);
            let why = check::summary(&diagnostics);
            (running, OnDisk::Refused { text: file.map(|file| file.text), diagnostics, why })
        }
        Err(error) => {
            let Some(running) = last_good(&revisions, files, &drivers) else {
                return Err(error.into());
            };
            let why = format!("{error}. The bench runs {}.", running.revision.id);
            (running, OnDisk::Unreadable { why })
        }
    };
    let id = &running.revision.id;
    notes.push(match &on_disk {
        OnDisk::Same => (Tone::Info, format!("{name} opened as {id}")),
        OnDisk::Refused { why, .. } => {
            (Tone::Error, format!("{name} was not applied: {why}. {id} runs instead."))
        }
        OnDisk::Unreadable { why } => (Tone::Error, why.clone()),
        OnDisk::Waiting { .. } => (Tone::Info, format!("{name} waits for a reload")),
    });
    let store = Store { folder, revisions, audit, journal, lock };
    Ok(Found { store, drivers, running, on_disk, notes })
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
    })
}

/// A text that was edited while nothing watched becomes a revision of its own.
fn found_as_revision(
    revisions: &mut Revisions,
    audit: &Audit,
    file: &OnDiskText,
) -> Result<Revision, StoreError> {
    let first = revisions.list().is_empty();
    let message = if first { "As first opened" } else { "Edited while it was not open" };
    let facts = setpoint_store::Facts {
        author: Origin::File.as_str().to_owned(),
        origin: Origin::File.as_str().to_owned(),
        message: message.to_owned(),
        label: None,
        data: serde_json::Value::Null,
    };
    Ok(keeping::revision(&revisions.keep(&file.text, facts, audit)?))
}

/// The newest revision that checks.
fn last_good(revisions: &Revisions, files: &Files, drivers: &Drivers) -> Option<Running> {
    revisions.list().iter().find_map(|record| {
        let text = revisions.text(&record.id).ok()?;
        let meaning = files.meaning(&text, None, drivers);
        let running = running(text, meaning, keeping::revision(record))?;
        // What was wrong with it was told when it was written.
        Some(Running { diagnostics: none(), ..running })
    })
}

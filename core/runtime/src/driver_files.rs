//! Driver files that changed while a bench runs: alone, and together with the bench file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use setpoint_bench::check;
use setpoint_instruments::{Library, driver::Driver};
use setpoint_store::TextHash;

use crate::{
    catalogue::{DRIVERS, Drivers},
    doubt::{self, Missing},
    event::{Origin, Tone},
    files::OnDiskText,
    manager::Manager,
};

/// Driver files that are not taken: what runs does not check with them, or they may be half of what
/// someone means to save.
pub(crate) struct Refused {
    drivers: Arc<Drivers>,
    /// Their names.
    names: String,
    /// What is wrong.
    why: String,
}

/// Drivers that are in use as long as it takes to try them with the text that came with them.
pub(crate) struct Together {
    refused: Refused,
    before: Arc<Drivers>,
    /// The text they were tried with.
    hash: TextHash,
}

impl Manager {
    /// Takes in changes of driver files, if there are some among the files that changed.
    pub(crate) async fn drivers_seen(&mut self, changed: &[PathBuf]) -> Option<Refused> {
        let folder = self.files.beside(DRIVERS);
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        match changed.iter().any(|path| path.starts_with(&folder)) {
            true => self.drivers_changed(changed, false).await,
            false => None,
        }
    }

    /// Reads the driver files anew. If what runs checks with them they are taken, and instruments
    /// whose driver is another now are connected anew; else the drivers of before stay, and what
    /// was refused is answered. Files that look torn are taken only if that was `asked` for.
    pub(crate) async fn drivers_changed(
        &mut self,
        changed: &[PathBuf],
        asked: bool,
    ) -> Option<Refused> {
        let (files, text) = (self.files.clone(), self.running.text.clone());
        let before = self.drivers.clone();
        let read = self.keeping.reading(move || {
            let drivers = Drivers::beside(files.path());
            let there = |path: &Path| drivers.library().files().iter().any(|it| it.0 == path);
            let gone = |it: &&(PathBuf, String)| !there(&it.0) && !it.0.exists();
            let before = before.library().files().iter();
            let gone: Vec<PathBuf> = before.filter(gone).map(|it| it.0.clone()).collect();
            // From the beginning: what was read before was checked with other drivers.
            let meaning = files.meaning_then(&text, &drivers);
            (drivers, gone, meaning)
        });
        let Ok((drivers, gone, meaning)) = read.await else {
            // Looked at again when the disk answers.
            self.remember_beside(changed);
            return None;
        };
        for (path, text) in drivers.library().files() {
            self.keeping.knows_beside(path, Some(TextHash::of(text)));
        }
        for path in &gone {
            self.keeping.knows_beside(path, None);
        }
        let (now, before) = (drivers.library(), self.drivers.library());
        for problem in now.problems().iter().filter(|one| !before.problems().contains(one)) {
            self.tell(Origin::File, "driver_problem", Tone::Error, problem.to_string());
        }
        if now.drivers().eq(before.drivers()) && now.problems() == before.problems() {
            self.drivers_refused = None;
            return None;
        }
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into());
        let names: Vec<String> = changed.iter().filter_map(name).collect();
        let names = names.join(", ");
        let torn = if asked { None } else { torn(before, now, &gone) };
        if let Some(why) = torn {
            let drivers = Arc::new(drivers);
            self.tell_refused(&Refused { drivers, names, why }, "mend the file, or reload");
            return None;
        }
        let Some(bench) = meaning.bench().cloned() else {
            let why = check::summary(meaning.diagnostics());
            return Some(Refused { drivers: Arc::new(drivers), names, why });
        };
        let before = self.use_drivers(Arc::new(drivers));
        // Where it is another bench now, what surrounds the files has changed as well: that takes
        // its own way, through all stations, and is checked with these drivers then.
        if bench == *self.running.bench {
            self.running.values = Arc::new(meaning.values());
            self.running.diagnostics = Arc::new(meaning.diagnostics().to_vec());
            self.running.meaning = Arc::new(meaning);
            self.running.bench = Arc::new(bench);
        }
        self.connect_anew(&before, &names).await;
        None
    }

    /// Uses other drivers from now on; answers those of before.
    fn use_drivers(&mut self, drivers: Arc<Drivers>) -> Arc<Drivers> {
        self.keeping.set_drivers(drivers.clone());
        self.components.set_drivers(drivers.clone());
        std::mem::replace(&mut self.drivers, drivers)
    }

    /// Instruments of what runs whose driver is another than it was; tells of it.
    async fn connect_anew(&mut self, before: &Drivers, names: &str) {
        let bench = self.running.bench.clone();
        let mut concerned = Vec::new();
        for (id, instrument) in &bench.instruments {
            let kind = &instrument.driver;
            if self.drivers.library().get(kind) != before.library().get(kind) {
                self.components.bring(id, Some(instrument)).await;
                concerned.push(id.as_str());
            }
        }
        let connected = match concerned.as_slice() {
            [] => "no instrument uses them".to_owned(),
            ids => format!("connected anew: {}", ids.join(", ")),
        };
        let message = format!("Drivers read anew ({names}); {connected}");
        let noted =
            self.keeping.audit_note("drivers_read", DRIVERS, &message, Origin::File, "file");
        if let Err(error) = noted.await {
            tracing::error!("that drivers were read anew is not in the audit: {error}");
        }
        self.tell(Origin::File, "drivers_read", Tone::Good, message);
        self.drivers_refused = None;
    }

    /// Drivers that what runs does not check with may have been saved together with a text that
    /// does: then they are in use while that text is tried. Follow it with
    /// [`settle_together`](Self::settle_together).
    pub(crate) async fn try_together(
        &mut self,
        refused: Option<Refused>,
        file: &OnDiskText,
    ) -> Option<Together> {
        let refused = refused?;
        let (files, text, drivers) =
            (self.files.clone(), file.text.clone(), refused.drivers.clone());
        let checks =
            self.keeping.reading(move || files.meaning(&text, None, &drivers).bench().is_some());
        let checks = checks.await.unwrap_or(false);
        if file.hash == self.running.hash || !checks {
            self.tell_refused(&refused, "mend the file");
            return None;
        }
        let before = self.use_drivers(refused.drivers.clone());
        Some(Together { refused, before, hash: file.hash })
    }

    /// The text was tried: if it runs now, the drivers that came with it stay.
    pub(crate) async fn settle_together(&mut self, together: Option<Together>) {
        let Some(Together { refused, before, hash }) = together else { return };
        if self.running.hash == hash {
            return self.connect_anew(&before, &refused.names).await;
        }
        self.use_drivers(before);
        // One that a failed change could not bring back without its driver.
        let bench = self.running.bench.clone();
        for (id, instrument) in bench.instruments.iter().filter(|(_, one)| one.enabled) {
            if self.components.link(id).is_none() {
                self.components.bring(id, Some(instrument)).await;
            }
        }
        self.tell_refused(&refused, "mend the file");
    }

    fn tell_refused(&mut self, Refused { names, why, .. }: &Refused, way_out: &str) {
        let names = if names.is_empty() { String::new() } else { format!(" ({names})") };
        let message = format!(
            "Drivers changed{names} and were not taken: {why}. The bench runs on with those of \
             before; {way_out}."
        );
        self.drivers_refused = Some(message.clone());
        self.tell(Origin::File, "drivers_refused", Tone::Error, message);
    }

    /// What is wrong with driver files, in a sentence, for as long as it is.
    pub(crate) fn drivers_problem(&self) -> Option<String> {
        if self.drivers_refused.is_some() {
            return self.drivers_refused.clone();
        }
        let (first, more) = self.drivers.library().problems().split_first()?;
        Some(match more.len() {
            0 => format!("A driver file is not used: {first}"),
            more => format!("Driver files are not used: {first}, and {more} more"),
        })
    }
}

/// What makes driver files look like half of what someone means to save: one became empty or the
/// beginning of what it was, or cannot be read any more, or is gone and another driver would take
/// its place unasked.
fn torn(before: &Library, now: &Library, gone: &[PathBuf]) -> Option<String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let broken = |library: &Library, path: &Path| {
        let path = path.display().to_string();
        library.problems().iter().find(|problem| problem.file == path).cloned()
    };
    let mut files = before.files().iter();
    files.find_map(|(path, then)| {
        if gone.contains(path) {
            let id = Driver::from_toml("", then).ok()?.id;
            return now.get(&id).map(|_| Missing::Gone.of(&name(path)));
        }
        let there = now.files().iter().find(|(other, _)| other == path);
        if let Some(what) = there.and_then(|(_, now)| doubt::beginning(then, now)) {
            return Some(what.of(&name(path)));
        }
        let problem = broken(now, path)?;
        broken(before, path).is_none().then(|| problem.to_string())
    })
}

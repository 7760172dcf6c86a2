//! The files beside the bench file: which the watcher has to follow, and what their changes do.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use setpoint_bench::{Document, KeyPath, Value, check};
use setpoint_store::{Beside, TextHash};

use crate::{
    catalogue::{DRIVERS, Drivers},
    event::{Origin, Tone},
    file_side::Look,
    files::{Files, Meaning},
    manager::Manager,
};

/// What the watcher's list of files was made from.
pub(crate) struct Followed {
    meaning: Arc<Meaning>,
    refused: Option<Arc<str>>,
}

impl Files {
    /// The files that belong to a bench besides the bench file: those that its texts are made of,
    /// those that could be included, overlays, `.env`, and drivers of its own.
    fn around(&self, texts: &[&Arc<str>], includes: &[&Value]) -> Beside {
        let mut beside = Beside::default();
        let mut add = |name: String, known: Option<TextHash>| {
            if !beside.files.iter().any(|(there, _)| *there == name) {
                beside.files.push((name, known));
            }
        };
        for text in texts {
            for (name, text) in setpoint_bench::layers::bundle::unpack(text).1 {
                let known = TextHash::of(&text);
                add(name, Some(known));
            }
        }
        add(".env".to_owned(), None);
        let stem = escaped(self.name().strip_suffix(".toml").unwrap_or(self.name()));
        let mut patterns = vec![format!("{stem}.*.toml"), format!("{DRIVERS}/*.toml")];
        for include in includes {
            let Value::Array(names) = include else { continue };
            for name in names.iter().filter_map(Value::as_str) {
                if name.contains(['*', '?', '[']) {
                    patterns.push(name.to_owned());
                } else {
                    add(name.to_owned(), None);
                }
            }
        }
        beside.patterns = patterns;
        beside
    }
}

/// A name as a pattern that matches it and nothing else.
fn escaped(name: &str) -> String {
    let escape = |letter| match letter {
        '*' | '?' | '[' | ']' => format!("[{letter}]"),
        letter => letter.to_string(),
    };
    name.chars().map(escape).collect()
}

impl Manager {
    /// Tells the watcher which files there are beside the bench file, if those that run, or those
    /// of a text that was refused, are others than before.
    pub(crate) fn follow_beside(&mut self) {
        let refused = self.file_side.text().cloned();
        let same = |followed: &Followed| {
            Arc::ptr_eq(&followed.meaning, &self.running.meaning) && followed.refused == refused
        };
        if self.followed.as_ref().is_some_and(same) {
            return;
        }
        let include = KeyPath::new(["bench", "include"]);
        // Mending a file that is not part of what runs has to be noticed too.
        let document = refused.as_ref().map(|text| Document::recover(&Files::main(text)));
        let wanted = document.as_ref().and_then(|document| Some(document.find(&include)?.0));
        let includes: Vec<&Value> =
            self.running.values.get(&include).into_iter().chain(wanted).collect();
        let texts: Vec<&Arc<str>> =
            std::iter::once(&self.running.text).chain(refused.as_ref()).collect();
        self.keeping.follow(self.files.around(&texts, &includes));
        self.followed = Some(Followed { meaning: self.running.meaning.clone(), refused });
    }

    /// Files beside the bench file changed, perhaps together with it: what they come to is put
    /// into effect as one change.
    pub(crate) async fn beside_seen(&mut self, changed: &[PathBuf], look: Look) {
        if self.file_side.paused() || changed.is_empty() {
            return;
        }
        let folder = self.files.beside(DRIVERS);
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        if changed.iter().any(|path| path.starts_with(&folder)) {
            self.drivers_changed(changed).await;
        }
        match self.keeping.read_file().await {
            Ok(file) => self.text_seen(file, look).await,
            Err(error) => {
                self.cannot_follow(&error);
            }
        }
    }

    /// Tells the watcher what `.env` held when a text was read that runs now.
    pub(crate) fn knows_dot_env(&self, meaning: &Meaning) {
        let hash = meaning.dot_env().map(|text| TextHash::of(&**text));
        self.keeping.knows_beside(&self.files.beside(".env"), hash);
    }

    /// Reads the driver files anew. If what runs checks with them they are taken, and instruments
    /// whose driver is another now are connected anew; else the drivers of before stay.
    async fn drivers_changed(&mut self, changed: &[PathBuf]) {
        let (files, text) = (self.files.clone(), self.running.text.clone());
        let before = self.drivers.clone();
        let read = tokio::task::spawn_blocking(move || {
            let drivers = Drivers::beside(files.path());
            let there = |path: &Path| drivers.library().files().iter().any(|it| it.0 == path);
            let gone = |it: &&(PathBuf, String)| !there(&it.0) && !it.0.exists();
            let before = before.library().files().iter();
            let gone: Vec<PathBuf> = before.filter(gone).map(|it| it.0.clone()).collect();
            // From the beginning: what was read before was checked with other drivers.
            let meaning = files.meaning_then(&text, &drivers);
            (drivers, gone, meaning)
        });
        let Ok((drivers, gone, meaning)) = read.await else { return };
        for (path, text) in drivers.library().files() {
            self.keeping.knows_beside(path, Some(TextHash::of(text)));
        }
        for path in &gone {
            self.keeping.knows_beside(path, None);
        }
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into());
        let names: Vec<String> = changed.iter().filter_map(name).collect();
        let names = names.join(", ");
        let (now, before) = (drivers.library(), self.drivers.library());
        for problem in now.problems().iter().filter(|one| !before.problems().contains(one)) {
            self.tell(Origin::File, "driver_problem", Tone::Error, problem.to_string());
        }
        if now.drivers().eq(before.drivers()) && now.problems() == before.problems() {
            return;
        }
        let Some(bench) = meaning.bench().cloned() else {
            let why = check::summary(meaning.diagnostics());
            let message = format!(
                "Drivers changed ({names}) and were not taken: {why}. The bench runs on with \
                 those of before; mend the file."
            );
            return self.tell(Origin::File, "drivers_refused", Tone::Error, message);
        };
        if bench != *self.running.bench {
            // What surrounds the files has changed as well: that takes its own way, through all
            // stations, and is checked with these drivers then.
            tracing::info!("drivers are taken; what changed besides is looked at next");
        }
        let same = bench == *self.running.bench;
        let bench = if same { Arc::new(bench) } else { self.running.bench.clone() };
        let other = |kind: &str| drivers.library().get(kind) != self.drivers.library().get(kind);
        let concerned: Vec<String> = bench
            .instruments
            .iter()
            .filter(|(_, instrument)| other(&instrument.driver))
            .map(|(id, _)| id.clone())
            .collect();
        let drivers = Arc::new(drivers);
        self.drivers = drivers.clone();
        self.keeping.set_drivers(drivers.clone());
        self.components.set_drivers(drivers);
        if same {
            self.running.values = Arc::new(meaning.values());
            self.running.diagnostics = Arc::new(meaning.diagnostics().to_vec());
            self.running.meaning = Arc::new(meaning);
            self.running.bench = bench.clone();
        }
        for id in &concerned {
            self.components.bring(id, bench.instrument(id)).await;
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
    }
}

#[cfg(test)]
mod tests {
    use setpoint_store::AccessRules;

    use super::*;

    #[test]
    fn what_surrounds_a_bench_is_followed() {
        let files = Files::new(Path::new("/lab/table[3].toml"), None, AccessRules::default());
        let text = "[bench]\nname = 'T'\n";
        let bundled = setpoint_bench::layers::bundle::pack(text, [("optics.toml", "x = 1\n")]);
        let include = Value::Array(vec!["more/*.toml".into(), "late.toml".into()]);
        let beside = files.around(&[&bundled.into()], &[&include]);
        assert_eq!(
            beside.files,
            [
                ("optics.toml".to_owned(), Some(TextHash::of("x = 1\n"))),
                (".env".to_owned(), None),
                ("late.toml".to_owned(), None),
            ]
        );
        assert_eq!(beside.patterns, ["table[[]3[]].*.toml", "drivers/*.toml", "more/*.toml"]);
    }
}

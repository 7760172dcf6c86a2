//! The files beside the bench file: which the watcher has to follow, and what their changes do.

use std::{path::PathBuf, sync::Arc};

use setpoint_bench::{Document, KeyPath, Value};
use setpoint_store::{Beside, TextHash};

use crate::{
    catalogue::DRIVERS,
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
    /// into effect as one change. While nobody looks they are remembered.
    pub(crate) async fn beside_seen(&mut self, changed: &[PathBuf], look: Look) {
        if self.file_side.paused() {
            return self.remember_beside(changed);
        }
        if changed.is_empty() {
            return;
        }
        let refused = self.drivers_seen(changed).await;
        let file = match self.keeping.read_file().await {
            Ok(file) => file,
            Err(error) => {
                self.cannot_follow(&error);
                return;
            }
        };
        let together = self.try_together(refused, &file).await;
        self.text_seen(file, look).await;
        self.settle_together(together).await;
    }

    /// Remembers what changed beside the bench file for the next look.
    pub(crate) fn remember_beside(&mut self, changed: &[PathBuf]) {
        let unknown = |path: &&PathBuf| !self.beside_paused.contains(path);
        let unknown: Vec<PathBuf> = changed.iter().filter(unknown).cloned().collect();
        self.beside_paused.extend(unknown);
    }

    /// What changed beside the bench file while nobody looked.
    pub(crate) async fn look_beside(&mut self) {
        match std::mem::take(&mut self.beside_paused) {
            changed if changed.is_empty() => self.look_at_file().await,
            changed => self.beside_seen(&changed, Look::beside()).await,
        }
    }

    /// Tells the watcher what `.env` held when a text was read that runs now.
    pub(crate) fn knows_dot_env(&self, meaning: &Meaning) {
        let hash = meaning.dot_env().map(|text| TextHash::of(&**text));
        self.keeping.knows_beside(&self.files.beside(".env"), hash);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, time::Duration};

    use setpoint_store::{AccessRules, FileSeen};

    use super::*;
    use crate::{
        command::Command,
        event::Origin,
        start::{Options, Ready},
    };

    const DRIVER: &str = "\
schema = 1
[driver]
id = \"own\"
name = \"Own\"
[params.level]
type = \"float\"
get = \"L?\"
";

    /// The next report that names this file; those before it are taken in.
    async fn reported(manager: &mut Manager, file: &Path) -> FileSeen {
        let report = async {
            loop {
                let seen = manager.saves.recv().await.expect("the watcher runs");
                let changed = match &seen {
                    FileSeen::Beside { changed, .. } | FileSeen::Text { beside: changed, .. } => {
                        changed.as_slice()
                    }
                    _ => &[],
                };
                if changed.iter().any(|path| path == file) {
                    return seen;
                }
                manager.file_seen(seen).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), report).await.expect("a report")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_report_that_a_pause_overtakes_is_taken_in_when_watching_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let save = |name: &str, text: &str| {
            fs::write(at("saving"), text).unwrap();
            fs::rename(at("saving"), at(name)).unwrap();
        };
        fs::create_dir(at("drivers")).unwrap();
        save("drivers/own.toml", DRIVER);
        save(".env", "PLACE=here\n");
        save("bench.toml", "[bench]\nname = \"${PLACE}\"\n");
        let mut ready = Ready::open(Options::new(at("bench.toml"))).await.unwrap();
        let manager = &mut ready.manager;
        let runs = |manager: &Manager| {
            let driver = manager.drivers.library().get("own").map(|driver| driver.name.clone());
            (driver.unwrap_or_default(), manager.running.bench.name.clone())
        };
        let author = || "tester".to_owned();
        for (name, text, then) in [
            ("drivers/own.toml", DRIVER.replace("Own", "Other"), ("Other", "here")),
            (".env", "PLACE=there\n".to_owned(), ("Other", "there")),
        ] {
            let before = runs(manager);
            save(name, &text);
            let overtaken = reported(manager, &at(name)).await;
            let pause = Command::Pause { author: author() };
            manager.carry_out(Origin::Panel, pause).await.unwrap();
            manager.file_seen(overtaken).await;
            assert_eq!(runs(manager), before, "nobody looks: {name}");
            let resume = Command::Resume { author: author() };
            manager.carry_out(Origin::Panel, resume).await.unwrap();
            assert_eq!(runs(manager), (then.0.to_owned(), then.1.to_owned()), "{name}");
        }
        ready.run().await.stop().await;
    }

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

//! The files of a bench: read and written as one text, and what that text means.
//!
//! Where a bench has one file, its text is that file's. Where it has more, the others stand behind
//! it as comments (`setpoint_bench::layers::bundle`), so that everything that compares, keeps and
//! brings back texts need not know how many files there are.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use setpoint_bench::{
    Bench, BenchText, Change, Diagnostic, TextEdit, Value,
    check::Reading,
    edit::{self, EditError},
    layers::{
        self, LayerEditError, LayerKind, LayeredReading, Surroundings, Unreadable, WithTexts,
        bundle,
    },
};
use setpoint_store::{
    AccessRules, BenchFolder, DiskSurroundings, ReadError, StoreError, TextHash, access, atomic,
};

use crate::{catalogue::Drivers, doubt::Missing};

/// Where the files of a bench are, and which environment was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    path: Arc<Path>,
    /// The bench file's name, which findings carry.
    name: Arc<str>,
    environment: Option<Arc<str>>,
    /// Which files may be part of it.
    rules: Arc<AccessRules>,
}

/// What the files hold.
#[derive(Debug, Clone)]
pub(crate) struct OnDiskText {
    /// All of them as one text.
    pub(crate) text: Arc<str>,
    /// The fingerprint of that.
    pub(crate) hash: TextHash,
    /// The fingerprint of the bench file alone.
    pub(crate) main_hash: TextHash,
}

/// What a text means.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// The bench file stands alone: read in pieces.
    Alone(Box<BenchText>),
    /// It is put together from layers.
    Layered(Box<LayeredReading>),
}

/// Why edits could not be written into the files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesEditError {
    #[error(transparent)]
    Text(#[from] EditError),
    #[error(transparent)]
    Layers(#[from] LayerEditError),
}

impl Files {
    pub(crate) fn new(path: &Path, environment: Option<String>, rules: AccessRules) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Self {
            path: path.into(),
            name: name.into(),
            environment: environment.map(Into::into),
            rules: Arc::new(rules),
        }
    }

    /// The bench file's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn surroundings(&self) -> DiskSurroundings {
        DiskSurroundings::beside(&self.path).allowing((*self.rules).clone())
    }

    /// The bench file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    /// Reads all files. Blocks.
    ///
    /// # Errors
    /// [`ReadError`] of the bench file; what is wrong with others is found when the text is read.
    pub(crate) fn read(&self, drivers: &Drivers) -> Result<OnDiskText, ReadError> {
        self.rules.check(&self.path).map_err(ReadError::from)?;
        let main = atomic::read(&self.path)?;
        let (text, main_hash) = (main.text, main.hash);
        let surroundings = self.surroundings();
        let environment = self.environment.as_deref();
        let alone = layers::is_alone(&self.name, &text, &surroundings, environment);
        let others = if alone {
            Vec::new()
        } else {
            let mut with = WithTexts::new(&surroundings);
            with.put(&self.name, text.clone());
            layers::other_files(&self.name, &with, environment, drivers)
        };
        let packed = bundle::pack(&text, others.iter().map(|(name, text)| (&**name, &**text)));
        let text: Arc<str> = if packed == *text { text } else { packed.into() };
        Ok(OnDiskText { hash: TextHash::of(&*text), text, main_hash })
    }

    /// The bench file's own text of a text of all files.
    pub(crate) fn main(text: &Arc<str>) -> Arc<str> {
        let main = bundle::unpack(text).0;
        if main.len() == text.len() { text.clone() } else { main.into() }
    }

    /// A text of all files with another text of the bench file in it.
    pub(crate) fn with_main(text: &str, main: &str) -> Arc<str> {
        let (_, others) = bundle::unpack(text);
        bundle::pack(main, others.iter().map(|(name, text)| (name.as_str(), text.as_str()))).into()
    }

    /// Replaces the files whose texts differ from what they hold. Each is whole at every instant;
    /// the bench file comes last. `main_hash` is the fingerprint that the bench file has to have
    /// until the very moment it is replaced, if it matters; a file that is gone is made anew.
    /// Blocks.
    ///
    /// # Errors
    /// [`StoreError`] of the first file that cannot be written; those before it have their old
    /// text again.
    pub(crate) fn write(&self, text: &str, main_hash: Option<TextHash>) -> Result<(), StoreError> {
        let (main, others) = bundle::unpack(text);
        let mut replaced: Vec<(PathBuf, Option<Arc<str>>)> = Vec::new();
        let mut all: Vec<(PathBuf, &str)> = Vec::with_capacity(others.len() + 1);
        for (name, text) in &others {
            let path = self.beside(name);
            let before = atomic::read(&path).ok().map(|file| file.text);
            if before.as_deref() != Some(text) {
                replaced.push((path.clone(), before));
                all.push((path, text));
            }
        }
        all.push((self.path.to_path_buf(), main));
        for (done, (path, text)) in all.iter().enumerate() {
            let expected = main_hash.filter(|_| done + 1 == all.len());
            let unchanged = |_: &[u8]| match (expected, std::fs::read(path)) {
                (Some(expected), Ok(now)) if TextHash::of(&now) != expected => {
                    Err(StoreError::Changed { path: path.clone() })
                }
                _ => Ok(()),
            };
            let written = atomic::replace_checked(path, text.as_bytes(), unchanged);
            let Err(error) = written else { continue };
            for (path, before) in replaced.iter().take(done) {
                let restored = match before {
                    Some(before) => atomic::replace(path, before.as_bytes()).is_ok(),
                    None => std::fs::remove_file(path).is_ok(),
                };
                if !restored {
                    tracing::error!("{} could not be put back as it was", path.display());
                }
            }
            return Err(error);
        }
        Ok(())
    }

    /// The files of a text other than the bench file, with their fingerprints.
    pub(crate) fn hashes(&self, text: &str) -> Vec<(PathBuf, TextHash)> {
        let others = bundle::unpack(text).1.into_iter();
        others.map(|(name, text)| (self.beside(&name), TextHash::of(text))).collect()
    }

    /// Removes temporary files that a crash left beside the files of some texts, and in the bench's
    /// own folder. Call it only while holding the bench's lock. Blocks.
    ///
    /// # Errors
    /// When a folder cannot be read or a file in it not removed.
    pub(crate) fn sweep(&self, folder: &BenchFolder, texts: &[&str]) -> Result<(), StoreError> {
        atomic::sweep_folder(folder)?;
        atomic::sweep_temporary(&self.path)?;
        for text in texts {
            for (name, _) in bundle::unpack(text).1 {
                atomic::sweep_temporary(&self.beside(&name))?;
            }
        }
        Ok(())
    }

    /// What every user of the computer can read of this bench's secrets, in sentences for people:
    /// `.env`, and files with a secret in plain text. Blocks.
    pub(crate) fn exposed_secrets(&self, meaning: &Meaning) -> Vec<String> {
        let plain = meaning.diagnostics().iter().filter(|finding| finding.code == "plain_secret");
        let plain = plain.map(|finding| finding.file.as_str());
        let mut names: Vec<&str> = std::iter::once(".env").chain(plain).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| access::others_may_read(&self.beside(name)));
        let told = |name: &str| {
            let path = self.beside(name);
            format!(
                "{name} holds secrets, and every user of this computer may read it: take that \
                 right away (chmod o-r {})",
                path.display()
            )
        };
        names.into_iter().map(told).collect()
    }

    /// Files other than the bench file that are there and do not hold what a text has for them.
    /// Blocks.
    pub(crate) fn others_that_differ(&self, text: &str) -> Vec<PathBuf> {
        let (_, others) = bundle::unpack(text);
        let paths = others.into_iter().map(|(name, text)| (self.beside(&name), text));
        let differ = paths
            .filter(|(path, text)| std::fs::read(path).is_ok_and(|bytes| bytes != text.as_bytes()));
        differ.map(|(path, _)| path).collect()
    }

    /// What a text means; `before` is another that was read earlier, of which parts that are the
    /// same are not read again.
    pub(crate) fn meaning(
        &self,
        text: &Arc<str>,
        before: Option<&Meaning>,
        drivers: &Drivers,
    ) -> Meaning {
        let (main, others) = bundle::unpack(text);
        let surroundings = self.surroundings();
        let environment = self.environment.as_deref();
        if others.is_empty() && layers::is_alone(&self.name, main, &surroundings, environment) {
            let main = Self::main(text);
            return Meaning::Alone(Box::new(match before {
                Some(Meaning::Alone(before)) => before.again(main, drivers),
                _ => BenchText::read(&self.name, main, drivers),
            }));
        }
        let with = self.texts(main, &others, &surroundings);
        Meaning::Layered(Box::new(layers::read_layers(&self.name, &with, environment, drivers)))
    }

    /// What a text that ran once means by itself: other files that are there now are not read.
    pub(crate) fn meaning_then(&self, text: &Arc<str>, drivers: &Drivers) -> Meaning {
        let (main, others) = bundle::unpack(text);
        let surroundings = self.surroundings();
        if others.is_empty() {
            return self.meaning(text, None, drivers);
        }
        let texts = self.texts(main, &others, &surroundings);
        let names = others.iter().map(|(name, _)| name.as_str()).chain([&*self.name]).collect();
        let closed = Closed { texts, names, inner: &surroundings };
        let environment = self.environment.as_deref();
        Meaning::Layered(Box::new(layers::read_layers(&self.name, &closed, environment, drivers)))
    }

    /// Which of the files of what runs, of which nothing was read, are empty or not there. Blocks.
    pub(crate) fn became(&self, names: Vec<String>) -> Vec<(String, Missing)> {
        let what = |name: &String| match std::fs::metadata(self.beside(name)) {
            Ok(facts) => (facts.len() == 0).then_some(Missing::Empty),
            Err(error) => (error.kind() == std::io::ErrorKind::NotFound).then_some(Missing::Gone),
        };
        names.into_iter().filter_map(|name| what(&name).map(|what| (name, what))).collect()
    }

    /// What differs between two texts that ran once, key by key.
    pub(crate) fn changes(&self, old: &Arc<str>, new: &Arc<str>, drivers: &Drivers) -> Vec<Change> {
        let values = |text| self.meaning_then(text, drivers).values();
        setpoint_bench::diff(&values(old), &values(new))
    }

    /// Names of files that are there and part of the bench now, and not of a text.
    pub(crate) fn surplus(now: &str, text: &str) -> Vec<String> {
        let names = |text| bundle::unpack(text).1.into_iter().map(|(name, _)| name);
        let then: Vec<String> = names(text).collect();
        names(now).filter(|name| !then.contains(name)).collect()
    }

    fn texts<'s>(
        &self,
        main: &str,
        others: &[(String, String)],
        surroundings: &'s DiskSurroundings,
    ) -> WithTexts<'s> {
        let mut with = WithTexts::new(surroundings);
        with.put(&self.name, main);
        for (name, text) in others {
            with.put(name, text.as_str());
        }
        with
    }

    /// A text with edits in it, each in the file and layer that holds its key. `meaning` is the
    /// text's; `annotate` is the time for remarks, if there are to be some.
    ///
    /// # Errors
    /// [`FilesEditError`]; nothing was changed.
    pub(crate) fn edited(
        &self,
        text: &Arc<str>,
        meaning: &Meaning,
        edits: &[TextEdit],
        annotate: Option<&str>,
        drivers: &Drivers,
    ) -> Result<Arc<str>, FilesEditError> {
        let options = edit::Options { annotate };
        let layered = match meaning {
            Meaning::Alone(alone) => {
                let main = alone.patched(edits, &options)?;
                return Ok(Self::with_main(text, &main));
            }
            Meaning::Layered(layered) => layered,
        };
        let (main, mut others) = bundle::unpack(text);
        let mut main = main.to_owned();
        let surroundings = self.surroundings();
        let with = self.texts(&main, &others, &surroundings);
        // What holds a secret is known to everybody as it is written, and written so again.
        let shown = layered.masked_values();
        let puts = edits.iter().filter_map(|edit| match edit {
            TextEdit::Put(edit) => Some(edit.clone()),
            _ => None,
        });
        let same = |edit: &edit::Edit| {
            let value = edit.value.as_ref();
            layered.holds_secret(&edit.path)
                && value.zip(shown.get(&edit.path)).is_some_and(|(new, old)| new.means(old))
        };
        let puts: Vec<edit::Edit> = puts.filter(|edit| !same(edit)).collect();
        let (secret, puts): (Vec<edit::Edit>, Vec<edit::Edit>) =
            puts.into_iter().partition(|edit| edit.value.as_ref().is_some_and(names_secret));
        let apply = |text: &str, edits: &[edit::Edit]| {
            let edits: Vec<TextEdit> = edits.iter().cloned().map(TextEdit::Put).collect();
            edit::apply_with(text, &edits, &options)
        };
        for (name, text) in layered.edit_layers_by(&puts, &with, drivers, &apply)? {
            match others.iter_mut().find(|(other, _)| *other == name) {
                Some((_, other)) => *other = text,
                None if name == *self.name => main = text,
                None => others.push((name, text)),
            }
        }
        for edit in secret {
            let holder = layered.holder(&edit.path)?;
            let text = others.iter_mut().find(|(name, _)| *name == *holder.file);
            let text = text.map_or(&mut main, |(_, text)| text);
            *text = edit::apply_with(text, &[TextEdit::Put(edit)], &options)?;
        }
        // A key that is renamed or moved is so in every file that has it.
        for edit in edits.iter().filter(|edit| !matches!(edit, TextEdit::Put(_))) {
            let mut found = false;
            let texts = std::iter::once(&mut main).chain(others.iter_mut().map(|(_, text)| text));
            for text in texts {
                let document = setpoint_bench::Document::recover(text);
                if document.find(edit.path()).is_some() {
                    *text = edit::apply_with(text, std::slice::from_ref(edit), &options)?;
                    found = true;
                }
            }
            if !found {
                // Says in its own words that there is no such key.
                edit::apply_with(&main, std::slice::from_ref(edit), &options)?;
            }
        }
        let others = others.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Ok(bundle::pack(&main, others).into())
    }
}

/// Whether a value asks for a secret.
fn names_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${secret:"),
        Value::Array(items) => items.iter().any(names_secret),
        Value::Table(table) => table.values().any(names_secret),
        _ => false,
    }
}

/// The files of a text that ran once, and none beside them: for going back to it.
struct Closed<'s> {
    texts: WithTexts<'s>,
    names: Vec<&'s str>,
    inner: &'s DiskSurroundings,
}

impl Surroundings for Closed<'_> {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        if name == ".env" || self.names.contains(&name) {
            return self.texts.file(name);
        }
        Err(Unreadable::Missing)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        self.inner.among(pattern, &self.names)
    }

    fn allows(&self, path: &str) -> bool {
        self.inner.allows(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.inner.variable(name)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.inner.variables()
    }
}

impl Meaning {
    /// The text of exactly the files that were read for this, of which `text` has the bench file's.
    pub(crate) fn packed(&self, text: &Arc<str>) -> Arc<str> {
        let main = bundle::unpack(text).0;
        let packed = match self {
            Self::Alone(_) => bundle::pack(main, []),
            Self::Layered(layered) => {
                let others = layered.files.iter().filter(|file| {
                    matches!(file.kind, LayerKind::Include | LayerKind::Overlay)
                        && !file.text.is_empty()
                });
                bundle::pack(main, others.map(|file| (&*file.name, &*file.text)))
            }
        };
        if packed == **text { text.clone() } else { packed.into() }
    }

    /// A text for people without the secrets of this bench in it.
    pub(crate) fn hide(&self, text: String) -> String {
        match self {
            Self::Alone(_) => text,
            Self::Layered(layered) => layered.without_secrets(text),
        }
    }

    /// Whether variables came from a file `.env`.
    pub(crate) fn has_dot_env(&self) -> bool {
        matches!(self, Self::Layered(layered)
            if layered.files.iter().any(|file| file.kind == LayerKind::DotEnv))
    }

    /// Whether there are secrets in it.
    pub(crate) fn has_secrets(&self) -> bool {
        matches!(self, Self::Layered(layered) if !layered.secrets.is_empty())
    }

    fn reading(&self) -> &Reading {
        match self {
            Self::Alone(alone) => alone.reading(),
            Self::Layered(layered) => &layered.reading,
        }
    }

    /// The typed bench; `None` if there is an error among the findings.
    pub(crate) fn bench(&self) -> Option<&Bench> {
        self.reading().bench.as_ref()
    }

    /// All findings, in file order.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.reading().diagnostics
    }

    /// The effective values; what holds a secret is shown as it is written.
    pub(crate) fn values(&self) -> Value {
        match self {
            Self::Alone(alone) => alone.reading().values.clone(),
            Self::Layered(layered) => layered.masked_values(),
        }
    }

    /// Whether what was read the short way is what reading everything comes to.
    pub(crate) fn proven(&self, drivers: &Drivers) -> bool {
        match self {
            Self::Alone(alone) => alone.proven(drivers),
            Self::Layered(_) => true,
        }
    }
}

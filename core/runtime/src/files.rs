//! The files of a bench: read and written as one text, and what that text means.
//!
//! Where a bench has one file, its text is that file's. Where it has more, the others stand behind
//! it as comments (`setpoint_bench::layers::bundle`), so that everything that compares, keeps and
//! brings back texts need not know how many files there are.

mod around;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use setpoint_bench::{
    Bench, BenchText, Change, Diagnostic, Severity, TextEdit, Value,
    check::Reading,
    edit::{self, EditError},
    layers::{self, Found, LayerEditError, LayerKind, LayeredReading, WithTexts, bundle},
};
use setpoint_store::{
    AccessRules, BenchFolder, DiskSurroundings, ReadError, StoreError, TextHash, access, atomic,
};

use self::around::{Around, Closed, Known};
use crate::{
    catalogue::Drivers,
    doubt::{DOT_ENV, Missing},
};

/// How often `.env` is read again without the lines that were wrong.
const ROUNDS: usize = 8;

/// Where the files of a bench are, and which environment was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    path: Arc<Path>,
    /// The bench file's name, which findings carry.
    name: Arc<str>,
    environment: Option<Arc<str>>,
    /// Which files may be part of it.
    rules: Arc<AccessRules>,
    /// What was read last, as long as someone holds it.
    last: Arc<Mutex<Weak<JustFound>>>,
    /// What is known of the files where their disk does not answer; then nothing is read.
    known: Option<Arc<Known>>,
    /// What `.env` is taken to hold, whatever it does.
    dot_env: Option<Arc<str>>,
}

/// The layers that were found while the files were read, for whoever reads that text next.
#[derive(Debug)]
struct JustFound {
    text: Arc<str>,
    found: Mutex<Option<Found>>,
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
    /// Keeps what else was found with it until it is asked what the text means.
    _found: Option<Arc<JustFound>>,
}

#[cfg(test)]
impl OnDiskText {
    pub(crate) fn of(text: &str) -> Self {
        let hash = TextHash::of(text);
        let main_hash = TextHash::of(bundle::unpack(text).0);
        Self { text: text.into(), hash, main_hash, _found: None }
    }
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
            last: Arc::default(),
            known: None,
            dot_env: None,
        }
    }

    /// The same as they were when a text and what it means were read, without a look at the disk,
    /// for the reason `why`. For [`Files::meaning`], [`Files::meaning_then`] and
    /// [`Files::edited`] only.
    pub(crate) fn as_known(&self, text: &str, meaning: &Meaning, why: String) -> Self {
        let others = bundle::unpack(text).1.into_iter().map(|(name, _)| name);
        let names = std::iter::once(self.name.to_string()).chain(others).collect();
        let known = Known { names, dot_env: meaning.dot_env().cloned(), why };
        Self { known: Some(Arc::new(known)), ..self.clone() }
    }

    /// Whether they are as they were known, and nothing is read.
    pub(crate) fn are_known(&self) -> bool {
        self.known.is_some()
    }

    /// The bench file's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn surroundings(&self) -> Around {
        let disk = DiskSurroundings::beside(&self.path).allowing((*self.rules).clone());
        let (known, dot_env) = (self.known.clone(), self.dot_env.clone());
        Around { disk, name: self.name.clone(), known, dot_env }
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
        if layers::is_alone(&self.name, &text, &surroundings, environment) {
            let packed = bundle::pack(&text, []);
            let text: Arc<str> = if packed == *text { text } else { packed.into() };
            return Ok(OnDiskText { hash: TextHash::of(&*text), text, main_hash, _found: None });
        }
        let mut with = WithTexts::new(&surroundings);
        with.put(&self.name, text.clone());
        let found = layers::find(&self.name, &with, environment, drivers);
        let text: Arc<str> = bundle::pack(&text, found.others()).into();
        let hash = TextHash::of(&*text);
        let found = Arc::new(JustFound { text: text.clone(), found: Mutex::new(Some(found)) });
        *self.found() = Arc::downgrade(&found);
        Ok(OnDiskText { hash, text, main_hash, _found: Some(found) })
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Weak<JustFound>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The layers of a text, if they were found for it just now.
    fn just_found(&self, text: &Arc<str>) -> Option<Found> {
        let last = self.found().upgrade().filter(|last| Arc::ptr_eq(&last.text, text))?;
        last.found.lock().unwrap_or_else(PoisonError::into_inner).take()
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
    /// until the very moment it is replaced, or it is gone; `None`: it is not to be there. A file
    /// that is not there is made anew. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] of the first file that cannot be written, or of one beside the bench file
    /// that cannot be read; what was written before it has its old text again.
    pub(crate) fn write(&self, text: &str, main_hash: Option<TextHash>) -> Result<(), StoreError> {
        let (main, others) = bundle::unpack(text);
        let mut replaced: Vec<(PathBuf, Option<Arc<str>>)> = Vec::new();
        let mut all: Vec<(PathBuf, &str)> = Vec::with_capacity(others.len() + 1);
        for (name, text) in &others {
            let path = self.beside(name);
            let before = match atomic::read(&path) {
                Ok(file) => Some(file.text),
                Err(error) if error.is_missing() => None,
                // It could not be put back as it was: someone has to look.
                Err(error) => return Err(error.into()),
            };
            if before.as_deref() != Some(text) {
                replaced.push((path.clone(), before));
                all.push((path, text));
            }
        }
        all.push((self.path.to_path_buf(), main));
        for (done, (path, text)) in all.iter().enumerate() {
            let unchanged = |_: &[u8]| {
                let now = match std::fs::read(path) {
                    Ok(bytes) => Some(bytes),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                    // It is there, and nobody knows what it holds.
                    Err(_) => return Err(StoreError::Changed { path: path.clone() }),
                };
                let same = match replaced.get(done) {
                    Some((_, before)) => now.as_deref() == before.as_deref().map(str::as_bytes),
                    None => now.is_none_or(|now| Some(TextHash::of(&now)) == main_hash),
                };
                if same { Ok(()) } else { Err(StoreError::Changed { path: path.clone() }) }
            };
            let written = atomic::replace_checked(path, text.as_bytes(), unchanged);
            let Err(error) = written else { continue };
            for ((path, before), (_, ours)) in replaced.iter().zip(&all).take(done) {
                // Someone's save on top of ours is not to be lost.
                if std::fs::read(path).is_ok_and(|now| now != ours.as_bytes()) {
                    tracing::error!("{} was saved meanwhile and stays as it is", path.display());
                    continue;
                }
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

    /// See [`access::exposed_secrets`]. Blocks.
    pub(crate) fn exposed_secrets(&self, meaning: &Meaning) -> Vec<Diagnostic> {
        access::exposed_secrets(&self.path, &self.name, meaning.diagnostics())
    }

    /// Files other than the bench file that are there and hold what none of some texts has for
    /// them. Blocks.
    pub(crate) fn others_that_differ(&self, texts: &[&str]) -> Vec<PathBuf> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, text) in texts.iter().flat_map(|text| bundle::unpack(text).1) {
            all.entry(name).or_default().push(text);
        }
        let paths = all.into_iter().map(|(name, texts)| (self.beside(&name), texts));
        let differ = paths.filter(|(path, texts)| {
            let one_of = |bytes: &[u8]| texts.iter().any(|text| bytes == text.as_bytes());
            std::fs::read(path).is_ok_and(|bytes| !one_of(&bytes))
        });
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
        let found = self.just_found(text);
        let found = found.unwrap_or_else(|| layers::find(&self.name, &with, environment, drivers));
        Meaning::Layered(Box::new(found.read(&with, drivers)))
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

    /// What a text that ran means without the lines of `.env` that are wrong, which `meaning` was
    /// read with; `None` if that is no bench either. Of a `.env` that may not be read, or cannot
    /// be, nothing is used.
    pub(crate) fn without_wrong_lines(
        &self,
        text: &Arc<str>,
        meaning: Meaning,
        drivers: &Drivers,
    ) -> Option<Meaning> {
        let mut rest = meaning.dot_env().map(|lines| lines.to_string()).unwrap_or_default();
        let mut meaning = meaning;
        // What a line says may be wrong only where another is right.
        for _ in 0..ROUNDS {
            let wrong: BTreeSet<usize> = meaning
                .diagnostics()
                .iter()
                .filter(|it| it.severity == Severity::Error && it.file == DOT_ENV)
                .filter_map(|it| usize::try_from(it.span.line).ok()?.checked_sub(1))
                .collect();
            if wrong.is_empty() {
                return None;
            }
            let lines = rest.split_inclusive('\n').enumerate();
            rest = lines.filter(|(at, _)| !wrong.contains(at)).map(|(_, line)| line).collect();
            let files = Self { dot_env: Some(rest.as_str().into()), ..self.clone() };
            meaning = files.meaning(text, None, drivers);
            if meaning.bench().is_some() {
                return Some(meaning);
            }
        }
        None
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
        surroundings: &'s Around,
    ) -> WithTexts<'s> {
        let mut with = WithTexts::new(surroundings);
        with.put(&self.name, main);
        for (name, text) in others {
            with.put(name, text.as_str());
        }
        with
    }

    /// A text with edits in it, each in the file and layer that holds its key, in their order.
    /// Values are written as [`layers::as_written`] has them, however many files there are.
    /// `meaning` is the text's; `annotate` is the time for remarks, if there are to be some.
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
                let edits: Vec<TextEdit> = edits.iter().map(layers::as_written).collect();
                let main = alone.patched(&edits, &options)?;
                return Ok(Self::with_main(text, &main));
            }
            Meaning::Layered(layered) => layered,
        };
        let (main, mut others) = bundle::unpack(text);
        let mut main = main.to_owned();
        let surroundings = self.surroundings();
        let with = self.texts(&main, &others, &surroundings);
        for (name, text) in layered.edit_layers(edits, &options, &with, drivers)? {
            match others.iter_mut().find(|(other, _)| *other == name) {
                Some((_, other)) => *other = text,
                None if name == *self.name => main = text,
                None => others.push((name, text)),
            }
        }
        let others = others.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Ok(bundle::pack(&main, others).into())
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

    /// The text of the file `.env` that variables came from, if there was one.
    pub(crate) fn dot_env(&self) -> Option<&Arc<str>> {
        let Self::Layered(layered) = self else { return None };
        layered.dot_env.as_ref()
    }

    /// Whether there are secrets in it.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.secrets().is_empty()
    }

    /// The keys that hold secrets.
    pub(crate) fn secrets(&self) -> &[layers::Secret] {
        match self {
            Self::Alone(_) => &[],
            Self::Layered(layered) => &layered.secrets,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bench() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.toml");
        std::fs::write(&path, "bench.include = [\"one.toml\"]\n").unwrap();
        std::fs::write(folder.path().join("one.toml"), "bench.name = \"A\"\n").unwrap();
        (folder, Files::new(&path, None, AccessRules::default()))
    }

    /// What stands there could not be put back, so nobody writes over it.
    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_one_that_is_not_there() {
        let (folder, files) = bench();
        let read = files.read(&Drivers::beside(&files.path)).unwrap();
        let (text, main) = (read.text.clone(), Some(read.main_hash));
        let odd = b"# \xff\n";
        std::fs::write(folder.path().join("one.toml"), odd).unwrap();
        let refused = files.write(&text, main).unwrap_err();
        assert!(refused.to_string().contains("one.toml"), "{refused}");
        assert_eq!(std::fs::read(folder.path().join("one.toml")).unwrap(), odd);
        std::fs::remove_file(folder.path().join("one.toml")).unwrap();
        files.write(&text, main).unwrap();
        assert!(folder.path().join("one.toml").exists());
    }

    #[test]
    fn a_file_that_came_is_not_written_over() {
        let (folder, files) = bench();
        let path = folder.path().join("bench.toml");
        let text = files.read(&Drivers::beside(&files.path)).unwrap().text;
        std::fs::write(&path, "# someone else's\n").unwrap();
        let refused = files.write(&text, None).unwrap_err();
        assert!(matches!(refused, StoreError::Changed { .. }), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# someone else's\n");
        std::fs::remove_file(&path).unwrap();
        files.write(&text, None).unwrap();
        assert_eq!(files.read(&Drivers::beside(&files.path)).unwrap().text, text);
    }

    /// The text that was read carries its layers along, to whoever asks for its meaning next; any
    /// other text is read from the files.
    #[test]
    fn layers_are_found_once_for_a_text() {
        let (_folder, files) = bench();
        let drivers = Drivers::beside(&files.path);
        let read = files.read(&drivers).unwrap();
        assert!(files.just_found(&Arc::from(&*read.text)).is_none());
        let first = files.meaning(&read.text, None, &drivers);
        assert!(files.just_found(&read.text).is_none(), "it was taken");
        let again = files.meaning(&read.text, None, &drivers);
        assert!(first.values().means(&again.values()));
        let name = first.values().get(&setpoint_bench::KeyPath::new(["bench", "name"])).cloned();
        assert_eq!(name, Some("A".into()));
        let text = read.text.clone();
        files.read(&drivers).unwrap();
        drop(read);
        assert!(files.just_found(&text).is_none(), "nobody holds it any more");
    }
}

//! Finding and reading the files of a bench.

use std::{collections::HashSet, sync::Arc};

use super::{
    origin::{Layer, LayerKind, Origin, at},
    surroundings::{Surroundings, Unreadable},
};
use crate::{
    check::{Finding, Problem},
    diagnostic::Severity,
    document::{self, Document, Place},
    path::KeyPath,
    value::Value,
};

/// How many files a bench may be made of.
pub(crate) const MOST_FILES: usize = 1_000;
/// How many files may include each other in a row.
pub(crate) const MOST_INCLUDING: usize = 32;
/// How many bytes all files may have together.
pub(crate) const MOST_BYTES: usize = 4 * document::LONGEST;

/// Files while they are being read.
pub(super) struct Load<'s> {
    surroundings: &'s dyn Surroundings,
    /// What stands before each name for people: `lab/`.
    folder: String,
    pub(super) origins: Vec<Origin>,
    /// Lower ones first.
    pub(super) layers: Vec<Layer>,
    pub(super) findings: Vec<Finding>,
    /// Whether a file has no values because it could not be read.
    pub(super) incomplete: bool,
    /// Why the main file has no text at all.
    pub(super) unreadable: Option<Unreadable>,
    seen: HashSet<String>,
    /// The files that are being read, outermost first.
    chain: Vec<String>,
    /// What the names of overlays begin with: `bench.`.
    stem: String,
    bytes: usize,
}

impl<'s> Load<'s> {
    /// `main` is the file's name as the person gave it.
    pub(super) fn new(main: &str, surroundings: &'s dyn Surroundings) -> Self {
        let (folder, file) = split(main);
        let stem = file.strip_suffix(".toml").unwrap_or(file);
        Self {
            surroundings,
            folder: folder.to_owned(),
            origins: Vec::new(),
            layers: Vec::new(),
            findings: Vec::new(),
            incomplete: false,
            unreadable: None,
            seen: HashSet::new(),
            chain: Vec::new(),
            stem: format!("{stem}."),
            bytes: 0,
        }
    }

    /// The name that people know a file by.
    fn shown(&self, file: &str) -> Arc<str> {
        if file.starts_with('/') { file.into() } else { format!("{}{file}", self.folder).into() }
    }

    /// Another text that values come from; its index.
    pub(super) fn origin(&mut self, file: &str, kind: LayerKind, text: Arc<str>) -> u16 {
        let name = match kind {
            LayerKind::Environment | LayerKind::CommandLine => file.into(),
            _ => self.shown(file),
        };
        let dollars = kind.is_file() && (text.contains("${") || text.contains("$("));
        let append = HashSet::new();
        self.origins.push(Origin { name, file: file.into(), kind, text, append, dollars });
        u16::try_from(self.origins.len() - 1).unwrap_or(u16::MAX)
    }

    pub(super) fn main(&mut self, main: &str) {
        let (_, file) = split(main);
        match self.surroundings.file(file) {
            Ok(text) => self.text(file, LayerKind::Main, text),
            Err(why) => {
                self.incomplete = true;
                self.origin(file, LayerKind::Main, "".into());
                self.unreadable = Some(why);
            }
        }
    }

    /// The overlay of an environment. If there is none, but there are some for others, gives what
    /// to say of that where someone asked for this environment from outside the files.
    pub(super) fn overlay(&mut self, environment: &str) -> Option<Problem> {
        let file = format!("{}{environment}.toml", self.stem);
        match self.surroundings.file(&file) {
            Ok(text) => self.text(&file, LayerKind::Overlay, text),
            Err(Unreadable::Missing) => {
                let pattern = format!("{}*.toml", escape(&self.stem));
                let names = self.surroundings.matching(&pattern).unwrap_or_default();
                let known: Vec<&str> = names
                    .iter()
                    .filter_map(|name| name.strip_prefix(&self.stem)?.strip_suffix(".toml"))
                    .collect();
                if known.is_empty() {
                    return None;
                }
                let message = format!(
                    "there is no {} for the environment {environment}; there is one for {}",
                    self.shown(&file),
                    known.join(", ")
                );
                let meant = crate::check::nearest(environment, known);
                return Some(Problem::new("no_overlay", message).suggest(meant));
            }
            Err(why) => {
                self.incomplete = true;
                let origin = self.origin(&file, LayerKind::Overlay, "".into());
                let message = format!("{} cannot be read: {why}", self.shown(&file));
                self.whole(origin, why.code(), message);
            }
        }
        None
    }

    fn whole(&mut self, origin: u16, code: &'static str, message: String) {
        let problem = Problem::new(code, message);
        let finding = Finding::of(Severity::Error, origin, 0..0, String::new(), problem);
        self.findings.push(finding);
    }

    /// Reads what a file holds, and before it what it includes.
    fn text(&mut self, file: &str, kind: LayerKind, text: Arc<str>) {
        self.seen.insert(file.to_owned());
        self.bytes += text.len();
        let origin = self.origin(file, kind, text.clone());
        if text.len() > document::LONGEST || self.bytes > MOST_BYTES {
            self.incomplete = true;
            let message = if text.len() > document::LONGEST {
                document::too_long(text.len())
            } else {
                format!("all files of a bench together may have {} MiB", MOST_BYTES >> 20)
            };
            return self.whole(origin, "too_large", message);
        }
        if kind == LayerKind::Main && text.trim_start_matches('\u{feff}').trim().is_empty() {
            let message = "the file is empty; if that is meant, write `format = 1` into it";
            self.incomplete = true;
            return self.whole(origin, "empty", message.to_owned());
        }
        let document = Document::recover(&text);
        for error in document.errors() {
            self.incomplete = true;
            self.findings.push(Finding::syntax(origin, error));
        }
        let layer = Layer::new(document, origin);
        self.append(&layer);
        self.chain.push(file.to_owned());
        self.includes(&layer, file, kind);
        self.chain.pop();
        self.layers.push(layer);
    }

    fn append(&mut self, layer: &Layer) {
        let names = ["append".to_owned()];
        let Some((value, place)) = at(&layer.values, &layer.root, &names) else { return };
        let Value::Array(items) = value else {
            let message = format!("append takes a list of keys, not a {}", value.type_name());
            return self.error(place, "append", Problem::new("wrong_type", message));
        };
        for (item, place) in items.iter().zip(&place.parts) {
            let Some(path) = item.as_str().and_then(|text| text.parse::<KeyPath>().ok()) else {
                let message =
                    format!("append takes keys such as \"modules.log.roles.what\", not {item}");
                self.error(place, "append", Problem::new("bad_value", message));
                continue;
            };
            let found = at(&layer.values, &layer.root, path.names());
            if !found.is_some_and(|(value, _)| matches!(value, Value::Array(_))) {
                let message = format!("append names {path}, and this file has no list there");
                self.error(place, "append", Problem::new("bad_value", message));
                continue;
            }
            if let Some(origin) = self.origins.get_mut(usize::from(layer.origin)) {
                origin.append.insert(path);
            }
        }
    }

    fn error(&mut self, place: &Place, path: &str, problem: Problem) {
        self.findings.push(Finding::of_error(place, path.to_owned(), problem));
    }

    fn includes(&mut self, layer: &Layer, file: &str, kind: LayerKind) {
        let names = ["bench".to_owned(), "include".to_owned()];
        // What is no list of texts is for the check to say.
        let Some((Value::Array(items), list)) = at(&layer.values, &layer.root, &names) else {
            return;
        };
        let kind = if kind == LayerKind::Overlay { kind } else { LayerKind::Include };
        for (item, place) in items.iter().zip(&list.parts) {
            let Some(pattern) = item.as_str() else { continue };
            self.include(pattern, place, file, kind);
        }
    }

    fn include(&mut self, pattern: &str, place: &Place, file: &str, kind: LayerKind) {
        let problem = |code: &'static str, message: String| Problem::new(code, message);
        let shown: String = pattern.chars().take(80).collect();
        let is_glob = pattern.contains(['*', '?', '[']);
        let (folder, _) = split(file);
        let folder = if is_glob { escape(folder) } else { folder.to_owned() };
        let allowed = |path: &String| !path.starts_with('/') || self.surroundings.allows(path);
        let Some(path) = inside(&folder, pattern).filter(allowed) else {
            let mut message = format!(
                "“{shown}” leads out of the bench's folder: only files in it and below it can be included"
            );
            if pattern.starts_with('/') {
                message
                    .push_str(", and those in folders that allowed_folders in the settings names");
            }
            return self.error(place, INCLUDE, problem("include_outside", message));
        };
        if !is_glob {
            return self.included(&path, place, kind, true);
        }
        match self.surroundings.matching(&path) {
            Ok(mut names) => {
                names.retain(|name| !self.is_overlay(name));
                if names.is_empty() {
                    let message = format!("“{shown}” matches no file");
                    let problem = problem("include_matches_nothing", message);
                    let path = INCLUDE.to_owned();
                    self.findings.push(Finding::of_warning(place, path, problem));
                }
                for name in names {
                    if !self.seen.contains(&name) {
                        self.included(&name, place, kind, false);
                    }
                }
            }
            Err(why) => {
                let message = format!("“{shown}” cannot be looked up: {why}");
                self.error(place, INCLUDE, problem(why.code(), message));
            }
        }
    }

    /// Overlays have a way in of their own.
    fn is_overlay(&self, name: &str) -> bool {
        name.strip_prefix(&self.stem).is_some_and(|rest| {
            rest.strip_suffix(".toml").is_some_and(|environment| !environment.contains('/'))
        })
    }

    fn included(&mut self, file: &str, place: &Place, kind: LayerKind, by_name: bool) {
        let name = self.shown(file);
        if let Some(start) = self.chain.iter().position(|known| known == file) {
            let circle = self.chain.get(start..).unwrap_or_default();
            let circle: Vec<Arc<str>> =
                circle.iter().map(|file| self.shown(file)).chain([name]).collect();
            let message =
                format!("files include each other in a circle: {}", circle.join(" includes "));
            return self.error(place, INCLUDE, Problem::new("include_circle", message));
        }
        if self.seen.contains(file) {
            if by_name {
                let message = format!(
                    "{name} is included already; a file is read once, where it is first included"
                );
                let problem = Problem::new("no_effect", message);
                self.findings.push(Finding::of_warning(place, INCLUDE.to_owned(), problem));
            }
            return;
        }
        if self.seen.len() >= MOST_FILES || self.chain.len() > MOST_INCLUDING {
            self.incomplete = true;
            let message = format!(
                "{name} is not read: a bench is made of {MOST_FILES} files at most, {MOST_INCLUDING} including each other in a row"
            );
            return self.error(place, INCLUDE, Problem::new("too_large", message));
        }
        match self.surroundings.file(file) {
            Ok(text) => self.text(file, kind, text),
            Err(why) => {
                self.incomplete = true;
                let (code, message) = match why {
                    Unreadable::Missing => (
                        "missing_include",
                        format!("{name} does not exist: check the name, or put the file there"),
                    ),
                    why => (why.code(), format!("{name} cannot be read: {why}")),
                };
                self.error(place, INCLUDE, Problem::new(code, message));
            }
        }
    }
}

const INCLUDE: &str = "bench.include";

/// A path's folder, with the last slash, and what follows.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1))
}

/// A name as seen from a folder, without `.` and `..`; `None` if it leads out of the bench's. An
/// absolute name stays one, and what is seen from an absolute folder is.
fn inside(folder: &str, name: &str) -> Option<String> {
    if name.contains(['\\', '\0']) {
        return None;
    }
    let folder = if name.starts_with('/') { "/" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()?),
            part => path.push(part),
        }
    }
    let root = if folder.starts_with('/') { "/" } else { "" };
    (!path.is_empty()).then(|| format!("{root}{}", path.join("/")))
}

/// A pattern that matches this text and nothing else.
pub(super) fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '?' | '[' | ']' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_followed_and_kept_inside() {
        for (folder, name, expected) in [
            ("", "a.toml", Some("a.toml")),
            ("", "./a//b.toml", Some("a/b.toml")),
            ("cams/", "b.toml", Some("cams/b.toml")),
            ("cams/", "../b.toml", Some("b.toml")),
            ("", "a/../../b.toml", None),
            ("cams/", "../../b.toml", None),
            ("cams/", "/data//b.toml", Some("/data/b.toml")),
            ("/data/", "../etc/b.toml", Some("/etc/b.toml")),
            ("/data/", "../../b.toml", None),
            ("", "..", None),
            ("", "", None),
            ("", "a\\b", None),
        ] {
            assert_eq!(inside(folder, name).as_deref(), expected, "{folder} {name}");
        }
        assert_eq!(split("lab/a/bench.toml"), ("lab/a/", "bench.toml"));
        assert_eq!(split("bench.toml"), ("", "bench.toml"));
        assert_eq!(escape("a[1]*/"), "a[[]1[]][*]/");
    }
}

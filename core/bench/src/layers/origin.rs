//! The texts that a bench is put together from, and what is found in them.

use std::{collections::HashSet, ops::Range, sync::Arc};

use serde::Serialize;

use crate::{
    check::{Finding, Problem},
    diagnostic::Severity,
    document::{Document, Place},
    path::KeyPath,
    value::Value,
};

/// What kind of layer a text is, lower ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// A file that another one includes.
    Include,
    /// The bench file itself.
    Main,
    /// `bench.<environment>.toml`, or a file that it includes.
    Overlay,
    /// `.env`
    DotEnv,
    /// The process environment.
    Environment,
    /// `--env`
    CommandLine,
}

impl LayerKind {
    /// Whether it is a bench file, and not variables.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Include | Self::Main | Self::Overlay)
    }
}

/// One text that values come from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// As people are told: the file's name with the folder as the main file was given;
    /// `environment` for the process environment, `--env` for the command line.
    pub name: Arc<str>,
    /// The file's name relative to the bench's folder; what `name` is where there is no file.
    pub file: Arc<str>,
    /// Which kind of layer.
    pub kind: LayerKind,
    /// The whole text. For the process environment, a line `NAME=VALUE` for each variable that
    /// sets a key.
    pub text: Arc<str>,
    /// Lists that go behind those of lower layers and do not replace them.
    pub append: HashSet<KeyPath>,
    /// Whether there can be a `${…}` or `$(…)` in it.
    pub(super) dollars: bool,
}

/// What one origin says.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) origin: u16,
    pub(super) values: Value,
    pub(super) root: Place,
}

impl Layer {
    /// A document's values with every place marked as being in `origin`.
    pub(super) fn new(document: Document, origin: u16) -> Self {
        let (values, mut root) = document.into_parts();
        mark(&mut root, origin);
        Self { origin, values, root }
    }
}

fn mark(place: &mut Place, origin: u16) {
    // Fresh places are of origin 0.
    if origin == 0 {
        return;
    }
    place.origin = origin;
    for part in &mut place.parts {
        mark(part, origin);
    }
}

impl Finding {
    pub(super) fn of_error(place: &Place, path: String, problem: Problem) -> Self {
        Self::of(Severity::Error, place.origin, place.span.clone(), path, problem)
    }

    pub(super) fn of_warning(place: &Place, path: String, problem: Problem) -> Self {
        Self::of(Severity::Warning, place.origin, place.span.clone(), path, problem)
    }

    pub(super) fn of(
        severity: Severity,
        origin: u16,
        bytes: Range<usize>,
        path: String,
        problem: Problem,
    ) -> Self {
        let Problem { code, message, suggestion } = problem;
        Self { origin, bytes, severity, code, path, message, suggestion }
    }
}

/// A value and its place below another.
pub(super) fn part<'a>(
    value: &'a Value,
    place: &'a Place,
    name: &str,
) -> Option<(&'a Value, &'a Place)> {
    let (index, _, value) = value.as_table()?.get_full(name)?;
    Some((value, place.parts.get(index)?))
}

/// What stands at a path below a value.
pub(super) fn at<'a>(
    value: &'a Value,
    place: &'a Place,
    names: &[String],
) -> Option<(&'a Value, &'a Place)> {
    names.iter().try_fold((value, place), |(value, place), name| part(value, place, name))
}

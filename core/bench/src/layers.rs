//! A bench out of several layers.
//!
//! Later ones win: the files that the bench file includes, in the order in which it lists them;
//! the bench file itself; `bench.<environment>.toml` beside it, above what that includes; `.env`;
//! the process environment; the command line's `--env`, for `bench.environment` alone.
//!
//! Tables merge deeply. A list replaces the one below it, unless the file names its key in a list
//! `append` at its top. A component made from a template has the template's keys below its own.
//! Variables are put into texts after that, so that only what holds has to be set.
//!
//! Every place of the effective values names the text that it is in. Whatever holds a secret is
//! known, and findings about it do not show it.

mod component;
mod dotenv;
mod edit;
mod environment;
mod expand;
mod explain;
mod load;
mod merge;
mod origin;
mod report;
mod surroundings;
#[cfg(test)]
mod tests;
mod typed;
mod whole;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

pub use component::{Context, Resolved, Templates, Variables, resolve_component};
pub use edit::{Holder, LayerEditError};
pub use explain::Provenance;
pub use merge::{Piece, Secret};
pub use origin::{LayerFinding, LayerKind, Origin};
pub use surroundings::{Surroundings, Unreadable, WithTexts};

use self::{environment::Both, load::Load, origin::Layer, report::Circumstances};
use crate::{
    catalogue::Catalogue,
    check::{Problem, Reading},
    diagnostic::Severity,
    document::{Document, Form, Place},
    path::KeyPath,
    value::Value,
};

/// One text that a bench was put together from.
#[derive(Debug, Clone)]
pub struct LayerFile {
    /// The name that findings give it: the file's, with the folder as the main file was given;
    /// `environment` or `--env` where there is no file.
    pub name: Arc<str>,
    /// Its text. Values in `.env` that set no key are behind stars.
    pub text: Arc<str>,
    /// Which kind of layer.
    pub kind: LayerKind,
}

/// A bench read from all its layers.
#[derive(Debug, Clone)]
pub struct LayeredReading {
    /// What it came to: the effective values, and the findings of all files.
    pub reading: Reading,
    /// All texts, the main file first. The index is the `origin` of a [`Place`].
    pub files: Vec<LayerFile>,
    /// The keys that hold a secret.
    pub secrets: Vec<Secret>,
    /// The environment it was read for.
    pub environment: String,
    main: String,
    asked: Option<String>,
    origins: Vec<Origin>,
    /// Lower ones first.
    stack: OnceLock<Vec<Layer>>,
}

/// Reads and checks a bench with all its layers. `main` is the bench file's name as the person
/// gave it; `environment` is what `--env` says.
pub fn read_layers(
    main: &str,
    surroundings: &dyn Surroundings,
    environment: Option<&str>,
    catalogue: &dyn Catalogue,
) -> LayeredReading {
    let Gathered { load, both, chosen } = gather(main, surroundings, environment, catalogue);
    let Load { origins, layers, mut findings, incomplete, unreadable, .. } = load;
    let mut secrets = Vec::new();
    let stack = OnceLock::new();
    let plain = findings.is_empty() && !incomplete && whole::is_plain(&layers, &origins);
    let reading = match (plain, origins.first()) {
        (true, Some(origin)) => {
            // What it holds is handed on as it is; whoever explains a key reads it again.
            let (values, root) = layers.into_iter().next().map_or_else(
                || (Value::Table(Default::default()), merge::nowhere()),
                |layer| (layer.values, layer.root),
            );
            crate::check::check_alone(main, &origin.text, values, &root, catalogue)
        }
        _ => {
            let mut whole = whole::resolve(&layers, &origins, &both, catalogue);
            findings.append(&mut whole.findings);
            whole.findings = findings;
            secrets = whole.secrets.clone();
            let known = Circumstances { main, origins: &origins, incomplete, unreadable };
            let reading = report::report(known, whole, catalogue);
            let _ = stack.set(layers);
            reading
        }
    };
    let files = origins
        .iter()
        .map(|origin| LayerFile {
            name: origin.name.clone(),
            text: origin.text.clone(),
            kind: origin.kind,
        })
        .collect();
    LayeredReading {
        reading,
        files,
        secrets,
        environment: chosen,
        main: main.to_owned(),
        asked: environment.map(str::to_owned),
        origins,
        stack,
    }
}

/// All layers, before they are put together.
struct Gathered<'s> {
    load: Load<'s>,
    both: Both<'s>,
    /// The environment.
    chosen: String,
}

fn gather<'s>(
    main: &str,
    surroundings: &'s dyn Surroundings,
    asked: Option<&str>,
    catalogue: &dyn Catalogue,
) -> Gathered<'s> {
    let mut load = Load::new(main, surroundings);
    load.main(main);
    let (dotenv_text, (file_entries, malformed), unreadable) = match surroundings.file(".env") {
        Ok(text) => (Some(text.clone()), dotenv::read(&text), None),
        Err(Unreadable::Missing) => (None, Default::default(), None),
        Err(why) => (Some("".into()), Default::default(), Some(why)),
    };
    let (process_text, process_entries) = environment::process(surroundings);
    let dotenv: HashMap<String, String> =
        file_entries.iter().map(|entry| (entry.name.clone(), entry.value.clone())).collect();
    let both = Both { dotenv, surroundings };

    // Which origin asks for the environment has to be known before the overlay is read, and
    // variables are matched with keys that the overlay may add.
    let by_variable = environment::choice(&process_entries, &file_entries);
    let named = asked.map(str::to_owned).or_else(|| by_variable.map(|(_, entry)| entry.value.clone()));
    let chosen = named.or_else(|| {
        let path = ["bench", "environment"];
        let value = whole::early(&load.layers, &load.origins, &path, &both, catalogue)?;
        value.as_str().map(str::to_owned)
    });
    let chosen = chosen.filter(|chosen| !chosen.is_empty()).unwrap_or_else(|| "development".to_owned());

    let good_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let (problem, severity) = if chosen.bytes().all(good_name) {
        (load.overlay(&chosen), Severity::Warning)
    } else {
        let message = "an environment has a name of letters, digits, “_” and “-”: it is part of a \
                       file's name";
        (Some(Problem::new("bad_name", message)), Severity::Error)
    };

    let dotenv_origin = dotenv_text.map(|text| {
        let text = environment::masked(&text, &file_entries, &malformed);
        load.origin(".env", LayerKind::DotEnv, text.into())
    });
    let process_origin = (!process_entries.is_empty())
        .then(|| load.origin("environment", LayerKind::Environment, process_text.into()));
    let asked_origin = asked.map(|asked| {
        let text = format!("bench.environment = {}\n", Value::from(asked));
        load.origin("--env", LayerKind::CommandLine, text.into())
    });
    let mut whole_line = |origin, bytes, problem| {
        load.findings.push(LayerFinding::new(Severity::Error, origin, bytes, String::new(), problem));
    };
    if let Some(origin) = dotenv_origin {
        for (bytes, why) in &malformed {
            let message = format!("this line {why}; a line is NAME=VALUE");
            whole_line(origin, bytes.clone(), Problem::new("malformed_line", message));
        }
        if let Some(why) = unreadable {
            let message = format!(".env cannot be read: {why}");
            whole_line(origin, 0..0, Problem::new("unreadable", message));
        }
    }
    let asked_at = match (asked_origin, by_variable) {
        (Some(origin), _) => Some(asked_place(&load, origin)),
        (None, Some((of_process, entry))) => {
            let origin = if of_process { process_origin } else { dotenv_origin };
            origin.map(|origin| environment::place(entry, origin))
        }
        _ => None,
    };
    if let Some(problem) = problem {
        let in_file = || {
            load.layers.iter().rev().find_map(|layer| {
                let names = ["bench".to_owned(), "environment".to_owned()];
                origin::at(&layer.values, &layer.root, &names).map(|(_, place)| place.clone())
            })
        };
        // An environment that the file names may do without an overlay.
        let from_file = severity == Severity::Error;
        if let Some(place) = asked_at.or_else(|| from_file.then(in_file).flatten()) {
            let Place { origin, span, .. } = place;
            let path = "bench.environment".to_owned();
            load.findings.push(LayerFinding::new(severity, origin, span, path, problem));
        }
    }

    let mut known = environment::Known::new(&load.layers);
    let mut above = Vec::new();
    for (of_process, entries, origin) in
        [(false, &file_entries, dotenv_origin), (true, &process_entries, process_origin)]
    {
        let Some(origin) = origin else { continue };
        let chosen = by_variable.filter(|(process, entry)| *process == of_process && entry.name == environment::CHOICE);
        let (layer, mut findings) =
            environment::layer(entries, origin, &mut known, chosen.map(|(_, entry)| entry));
        load.findings.append(&mut findings);
        above.push(layer);
    }
    load.layers.extend(above.into_iter().filter(|layer| {
        layer.values.as_table().is_some_and(|table| !table.is_empty())
    }));
    if let (Some(origin), Some(asked)) = (asked_origin, asked) {
        let place = asked_place(&load, origin);
        load.layers.push(asked_layer(asked, place));
    }
    Gathered { load, both, chosen }
}

/// Where the text of `--env` names the environment.
fn asked_place(load: &Load<'_>, origin: u16) -> Place {
    let start = "bench.environment = ".len();
    let text = load.origins.get(usize::from(origin)).map_or(0, |origin| origin.text.len());
    let span = start..text.saturating_sub(1).max(start);
    Place { origin, key: Some("bench.".len()..start - 3), span, form: Form::Plain, parts: Vec::new() }
}

fn asked_layer(asked: &str, place: Place) -> Layer {
    let origin = place.origin;
    let table = |form, key, parts| Place { origin, key, span: 0..0, form, parts };
    let inner = table(Form::Dotted, Some(0..5), vec![place]);
    let root = table(Form::Headed, None, vec![inner]);
    let one = |name: &str, value: Value| Value::Table([(name.to_owned(), value)].into_iter().collect());
    let values = one("bench", one("environment", asked.into()));
    Layer { origin, values, root }
}

impl LayeredReading {
    fn layers(&self) -> &[Layer] {
        self.stack.get_or_init(|| {
            let files = self.origins.iter().enumerate().take(1);
            files
                .filter_map(|(origin, it)| {
                    let document = Document::parse(&it.text).ok()?;
                    Some(Layer::new(document, u16::try_from(origin).ok()?))
                })
                .collect()
        })
    }

    /// Whether a key, or one below it, holds a secret.
    pub fn holds_secret(&self, path: &KeyPath) -> bool {
        self.secrets.iter().any(|secret| secret.path.starts_with(path))
    }

    /// The effective values with what the files say (`${secret:TOKEN}`) in place of every value
    /// that holds a secret: for showing, and for comparing where the outcome is shown.
    pub fn masked_values(&self) -> Value {
        report::masked(&self.reading.values, &self.secrets)
    }
}

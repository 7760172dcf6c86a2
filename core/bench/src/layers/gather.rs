//! All layers of a bench in their order, before they are put together.

use std::{collections::HashMap, sync::Arc};

use super::{
    component::Variables,
    dotenv,
    environment::{self, Both},
    load::Load,
    origin::{Layer, LayerKind, Origin, at},
    surroundings::{Surroundings, Unreadable},
    whole,
};
use crate::{
    catalogue::Catalogue,
    check::{Finding, Problem},
    diagnostic::Severity,
    document::{Form, Place},
    value::Value,
};

/// All layers of a bench, found and read one by one, and not yet put together.
#[derive(Debug)]
pub struct Found {
    pub(super) origins: Vec<Origin>,
    /// Lower ones first.
    pub(super) layers: Vec<Layer>,
    pub(super) findings: Vec<Finding>,
    pub(super) incomplete: bool,
    pub(super) unreadable: Option<Unreadable>,
    /// Variables in `.env`.
    pub(super) dotenv: HashMap<String, String>,
    /// `.env` as it is.
    pub(super) dot_env: Option<Arc<str>>,
    pub(super) environment: String,
    pub(super) main: String,
    pub(super) asked: Option<String>,
}

impl Found {
    /// The files other than the bench file, by names relative to its folder: what it and its
    /// environment's overlay include, and the overlay. Files that cannot be read are not among
    /// them.
    pub fn others(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.origins.iter().filter(|origin| {
            matches!(origin.kind, LayerKind::Include | LayerKind::Overlay)
                && !origin.text.is_empty()
        });
        others.map(|origin| (&*origin.file, &*origin.text))
    }
}

/// The environment where nobody names one.
const USUAL: &str = "development";

/// Finds and reads all layers. `main` is the bench file's name as the person gave it; `asked` is
/// the environment that the command line names.
pub fn find(
    main: &str,
    surroundings: &dyn Surroundings,
    asked: Option<&str>,
    catalogue: &dyn Catalogue,
) -> Found {
    let mut load = Load::new(main, surroundings);
    load.main(main);
    let file = Dotenv::read(surroundings);
    let (process_text, process) = environment::process(surroundings);
    let pairs = file.entries.iter().map(|entry| (entry.name.clone(), entry.value.clone()));
    let both = Both { dotenv: pairs.collect(), surroundings };
    let by_variable = environment::choice(&process, &file.entries);
    let outside = asked.or(by_variable.map(|(_, entry)| entry.value.as_str()));
    let chosen = match outside {
        Some(chosen) => chosen.to_owned(),
        None => named_in_files(&load, &both, catalogue),
    };

    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let problem = if chosen.bytes().all(good) {
        load.overlay(&chosen).map(|problem| (Severity::Warning, problem))
    } else {
        let message = "an environment has a name of letters, digits, “_” and “-”: it is part of a \
                       file's name";
        Some((Severity::Error, Problem::new("bad_name", message)))
    };
    overlays_agree(&mut load, &chosen);

    // Files come first among the texts, so that findings about them do.
    let file_origin = file.add(&mut load);
    let process_origin = (!process.is_empty())
        .then(|| load.origin("environment", LayerKind::Environment, process_text.into()));
    let asked_place = asked.map(|asked| {
        let text = format!("{ASKED}{}\n", Value::from(asked));
        let span = ASKED.len()..text.len() - 1;
        let origin = load.origin("--env", LayerKind::CommandLine, text.into());
        Place { origin, key: None, span, form: Form::Plain, parts: Vec::new() }
    });
    if let Some((severity, problem)) = problem {
        let of_variable = by_variable.and_then(|(of_process, entry)| {
            let origin = if of_process { process_origin } else { file_origin }?;
            Some(environment::place(entry, origin))
        });
        // An environment that a file names may well have no overlay.
        let of_file = || (severity == Severity::Error).then(|| place_in_files(&load)).flatten();
        let place = asked_place.clone().or(of_variable).or_else(of_file);
        if let Some(Place { origin, span, .. }) = place {
            let path = ENVIRONMENT.join(".");
            load.findings.push(Finding::of(severity, origin, span, path, problem));
        }
    }

    let mut known = environment::Known::new(&load.layers);
    let mut above = Vec::new();
    for (of_process, entries, origin) in
        [(false, &file.entries, file_origin), (true, &process, process_origin)]
    {
        let Some(origin) = origin else { continue };
        let chosen = by_variable
            .filter(|(process, entry)| *process == of_process && entry.name == environment::CHOICE)
            .map(|(_, entry)| entry);
        let (layer, findings) = environment::layer(entries, origin, &mut known, chosen);
        load.findings.extend(findings);
        above.push(layer);
    }
    let sets = |layer: &Layer| layer.values.as_table().is_some_and(|table| !table.is_empty());
    load.layers.extend(above.into_iter().filter(sets));
    if let (Some(place), Some(asked)) = (asked_place, asked) {
        load.layers.push(asked_layer(asked, place));
    }
    let Both { dotenv, .. } = both;
    let Load { origins, layers, findings, incomplete, unreadable, .. } = load;
    Found {
        origins,
        layers,
        findings,
        incomplete,
        unreadable,
        dotenv,
        dot_env: file.whole,
        environment: chosen,
        main: main.to_owned(),
        asked: asked.map(str::to_owned),
    }
}

const ENVIRONMENT: [&str; 2] = ["bench", "environment"];
const ASKED: &str = "bench.environment = ";

fn named_in_files(load: &Load<'_>, variables: &dyn Variables, catalogue: &dyn Catalogue) -> String {
    let named = whole::early(&load.layers, &load.origins, &ENVIRONMENT, variables, catalogue);
    match named {
        Some(Value::String(named)) if !named.is_empty() => named,
        _ => USUAL.to_owned(),
    }
}

/// The highest place in files that names the environment.
fn place_in_files(load: &Load<'_>) -> Option<Place> {
    let names = ENVIRONMENT.map(str::to_owned);
    let place = |layer: &Layer| at(&layer.values, &layer.root, &names).map(|it| it.1.clone());
    load.layers.iter().rev().find_map(place)
}

/// What holds for one environment cannot choose another.
fn overlays_agree(load: &mut Load<'_>, chosen: &str) {
    let names = ENVIRONMENT.map(str::to_owned);
    let Load { layers, origins, findings, .. } = load;
    for layer in layers.iter() {
        let origin = origins.get(usize::from(layer.origin));
        if origin.is_none_or(|origin| origin.kind != LayerKind::Overlay) {
            continue;
        }
        if let Some((value, place)) = at(&layer.values, &layer.root, &names)
            && value.as_str() != Some(chosen)
        {
            let message = format!("environment cannot be changed by what holds for {chosen} alone");
            let problem = Problem::new("bad_value", message);
            findings.push(Finding::of_error(place, names.join("."), problem));
        }
    }
}

/// The layer of the command line.
fn asked_layer(asked: &str, place: Place) -> Layer {
    let origin = place.origin;
    let table = |form, key, part| Place { origin, key, span: 0..0, form, parts: vec![part] };
    let root = table(Form::Headed, None, table(Form::Dotted, Some(0..5), place));
    let one = |name: &str, value| Value::Table([(name.to_owned(), value)].into_iter().collect());
    let [bench, environment] = ENVIRONMENT;
    let values = one(bench, one(environment, asked.into()));
    Layer { origin, values, root }
}

/// The file `.env`.
#[derive(Default)]
struct Dotenv {
    /// As it is; `None` if it is not there or cannot be read.
    whole: Option<Arc<str>>,
    /// With values that set no key behind stars; `None` if there is no file.
    text: Option<String>,
    entries: Vec<dotenv::Entry>,
    malformed: Vec<dotenv::Malformed>,
    unreadable: Option<Unreadable>,
}

impl Dotenv {
    fn read(surroundings: &dyn Surroundings) -> Self {
        match surroundings.file(".env") {
            Ok(text) => {
                let (entries, malformed) = dotenv::read(&text);
                let masked = Some(environment::masked(&text, &entries, &malformed));
                Self { whole: Some(text), text: masked, entries, malformed, unreadable: None }
            }
            Err(Unreadable::Missing) => Self::default(),
            Err(why) => {
                Self { text: Some(String::new()), unreadable: Some(why), ..Self::default() }
            }
        }
    }

    /// Adds its text and what is wrong with it.
    fn add(&self, load: &mut Load<'_>) -> Option<u16> {
        let text = self.text.as_deref()?;
        let origin = load.origin(".env", LayerKind::DotEnv, text.into());
        let malformed = self.malformed.iter().map(|(bytes, why)| {
            let message = format!("this line {why}; a line is NAME=VALUE");
            (bytes.clone(), Problem::new("malformed_line", message))
        });
        let unreadable = self
            .unreadable
            .iter()
            .map(|why| (0..0, Problem::new(why.code(), format!(".env cannot be read: {why}"))));
        load.findings.extend(malformed.chain(unreadable).map(|(bytes, problem)| {
            Finding::of(Severity::Error, origin, bytes, String::new(), problem)
        }));
        Some(origin)
    }
}

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
//! Codes of findings, besides those of [`check`](crate::check):
//!
//! | about | codes |
//! |---|---|
//! | files | `include_circle`, `include_matches_nothing`, `include_outside`, `missing_include`, `not_allowed`, `unreadable`, `no_overlay`, `malformed_line` |
//! | keys in several layers | `layer_conflict` |
//! | variables | `bad_variable`, `unset_variable`, `unset_secret`, `unknown_variable` |
//! | templates | `unknown_template`, `template_circle`, `unfilled_placeholder`, `bad_placeholder` |
//!
//! Every place of the effective values names the text that it is in. Whatever holds a secret is
//! known, and findings about it do not show it.

mod alone;
pub mod bundle;
mod component;
mod dotenv;
mod edit;
mod environment;
mod expand;
mod explain;
mod fill;
mod gather;
mod load;
mod merge;
mod origin;
mod prove;
mod quiet;
mod report;
mod surroundings;
#[cfg(test)]
mod tests;
mod typed;
mod whole;
mod why;

use std::sync::{Arc, OnceLock};

pub use alone::is_alone;
pub(crate) use component::MOST_TEMPLATES;
pub use component::{Context, Resolved, Templates, Variables, resolve_component};
pub use edit::{Apply, Holder, LayerEditError, as_written};
pub use explain::Provenance;
pub use gather::{Found, find};
pub(crate) use load::{MOST_BYTES, MOST_FILES, MOST_INCLUDING};
pub use merge::{Piece, Secret};
pub use origin::{LayerKind, Origin};
pub use quiet::quiet;
pub use surroundings::{Surroundings, Unreadable, WithTexts};
pub use why::Leaf;

use self::{environment::Both, origin::Layer, report::Circumstances};
use crate::{
    catalogue::Catalogue,
    check::{Finding, Problem, Reading},
    diagnostic::Severity,
    document::{self, Document},
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
    /// The whole text of `.env`, which may hold secrets; `None` if it was not there.
    pub dot_env: Option<Arc<str>>,
    /// The environment it was read for.
    pub environment: String,
    main: String,
    asked: Option<String>,
    origins: Vec<Origin>,
    /// Lower ones first.
    stack: OnceLock<Vec<Layer>>,
    /// What the layers come to, also where one of them cannot be read as a whole.
    resolved: Value,
}

/// Reads and checks a bench with all its layers. `main` is the bench file's name as the person
/// gave it; `environment` is what `--env` says.
pub fn read_layers(
    main: &str,
    surroundings: &dyn Surroundings,
    environment: Option<&str>,
    catalogue: &dyn Catalogue,
) -> LayeredReading {
    find(main, surroundings, environment, catalogue).read(surroundings, catalogue)
}

impl Found {
    /// Puts together and checks what was found. Variables and secrets are looked up in
    /// `surroundings`, which are those it was found in.
    pub fn read(
        self,
        surroundings: &dyn Surroundings,
        catalogue: &dyn Catalogue,
    ) -> LayeredReading {
        let Self {
            origins,
            layers,
            mut findings,
            incomplete,
            unreadable,
            dotenv,
            dot_env,
            environment,
            main,
            asked,
        } = self;
        findings.extend(too_long_together(&origins));
        let both = Both { dotenv, surroundings };
        let mut secrets = Vec::new();
        let resolved;
        let stack = OnceLock::new();
        let plain = findings.is_empty() && !incomplete && whole::is_plain(&layers, &origins);
        let reading = match (plain, origins.first()) {
            (true, Some(origin)) => {
                // What it holds is handed on as it is; whoever explains a key reads it again.
                let (values, root) = layers.into_iter().next().map_or_else(
                    || (Value::Table(Default::default()), merge::nowhere()),
                    |layer| (layer.values, layer.root),
                );
                resolved = values;
                report::report_one(&main, &origin.text, (&resolved, &root), catalogue)
            }
            _ => {
                let mut whole = whole::resolve(&layers, &origins, &both, catalogue);
                findings.append(&mut whole.findings);
                whole.findings = findings;
                secrets = whole.secrets.clone();
                resolved = whole.values.clone();
                let known =
                    Circumstances { main: &main, origins: &origins, incomplete, unreadable };
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
            dot_env,
            environment,
            main,
            asked,
            origins,
            stack,
            resolved,
        }
    }
}

/// What a bench runs from is kept as one text, and one that is too long could not be read again.
fn too_long_together(origins: &[Origin]) -> Option<Finding> {
    let (main, others) = origins.split_first()?;
    let others = others
        .iter()
        .filter(|origin| matches!(origin.kind, LayerKind::Include | LayerKind::Overlay))
        .map(|origin| (&*origin.file, &*origin.text))
        .filter(|(_, text)| !text.is_empty());
    let bytes = bundle::packed_len(&main.text, others);
    // A single file that is too long is told of as such.
    let most = document::LONGEST;
    (bytes > most && origins.iter().all(|origin| origin.text.len() <= most)).then(|| {
        let message = format!(
            "the files of this bench are {} MiB long together, as they are kept; they may have {} \
             MiB: leave some out, or make them shorter",
            bytes.div_ceil(1 << 20),
            most >> 20
        );
        let problem = Problem::new("too_large", message);
        Finding::of(Severity::Error, 0, 0..0, "bench.include".to_owned(), problem)
    })
}

impl LayeredReading {
    fn layers(&self) -> &[Layer] {
        self.stack.get_or_init(|| {
            let files = self.origins.iter().enumerate().take(1);
            files
                .filter_map(|(origin, it)| {
                    let document = Document::recover(&it.text);
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
        report::masked(&self.resolved, &self.secrets)
    }
}

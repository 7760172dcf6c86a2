//! The rows of the table of instruments: which there are, and how each stands.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use setpoint_instruments::{InstrumentStatus, LinkState, ParamValue, ParameterStatus, Quality};
use setpoint_runtime::{Origin, StagedEdit, Transaction};

use crate::panel::{
    format,
    pages::View,
    widgets::{Mark, Pill, Tone},
};

/// One row: a parameter, or an instrument that has none to show.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Whose.
    pub instrument: &'a InstrumentStatus,
    /// Which.
    pub parameter: Option<&'a ParameterStatus>,
    /// What is staged for it.
    pub staged: Option<&'a StagedEdit>,
    /// Whether it is the first of its instrument.
    pub first: bool,
}

/// How a row stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// A change waits to be committed.
    Staged,
    /// The device reads what was asked for.
    InTolerance,
    /// It does not.
    Off(String),
    /// Read only, and fresh.
    Live,
    /// Read some time ago.
    Stale(Option<f64>),
    /// The device answered something that is no value.
    Invalid,
    /// It can be set and is not.
    NotSet,
    /// Asked for and not read yet.
    NotRead,
    /// The link is being opened.
    Connecting,
    /// The device does not answer; seconds until the next attempt.
    Offline(Option<f64>),
    /// `enabled = false`
    Disabled,
}

impl Row<'_> {
    /// How it stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.staged.is_some() {
            return Standing::Staged;
        }
        match self.instrument.state {
            LinkState::Disabled => return Standing::Disabled,
            LinkState::Offline => {
                let wait = self.instrument.retry_at.map(|at| format::seconds_between(now, at));
                return Standing::Offline(wait.filter(|seconds| *seconds > 0.0));
            }
            LinkState::Connecting => return Standing::Connecting,
            LinkState::Connected => {}
        }
        let Some(parameter) = self.parameter else { return Standing::NotRead };
        match parameter.quality {
            Quality::Invalid => return Standing::Invalid,
            Quality::Stale => {
                let age = parameter.at.map(|at| format::seconds_between(at, now));
                return Standing::Stale(age);
            }
            Quality::Good | Quality::None => {}
        }
        match (parameter.in_tolerance, &parameter.setpoint, &parameter.readback) {
            (Some(true), ..) => Standing::InTolerance,
            (Some(false), asked, read) => Standing::Off(off_by(parameter, asked, read)),
            (None, Some(_), None) => Standing::NotRead,
            (None, ..) if parameter.access == "r" => Standing::Live,
            (None, None, _) => Standing::NotSet,
            (None, Some(_), Some(_)) => Standing::Live,
        }
    }

    /// The name that screen readers and tests know it by.
    pub fn name(&self) -> String {
        match self.parameter {
            Some(parameter) => format!("{} {}", self.instrument.id, parameter.name),
            None => self.instrument.id.clone(),
        }
    }
}

fn off_by(
    parameter: &ParameterStatus,
    asked: &Option<ParamValue>,
    read: &Option<ParamValue>,
) -> String {
    let asked = asked.as_ref().and_then(ParamValue::as_f64);
    match (asked, read) {
        (Some(asked), Some(read)) if read.as_f64().is_some() => {
            let difference = (read.as_f64().unwrap_or(asked) - asked).abs();
            let unit =
                parameter.unit.as_deref().map_or_else(String::new, |unit| format!(" {unit}"));
            format!("{}{unit} off", format::number(difference, parameter.decimals))
        }
        (_, Some(read)) => format!("Reads {}", format::param(read, parameter.decimals)),
        _ => "Differs".to_owned(),
    }
}

impl Standing {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Staged => "Staged".to_owned(),
            Self::InTolerance => "In tolerance".to_owned(),
            Self::Off(by) => by.clone(),
            Self::Live => "Live".to_owned(),
            Self::Stale(Some(age)) => format!("Stale {}", format::span_s(*age)),
            Self::Stale(None) => "Stale".to_owned(),
            Self::Invalid => "No value".to_owned(),
            Self::NotSet => "Not set".to_owned(),
            Self::NotRead => "Not read yet".to_owned(),
            Self::Connecting => "Connecting…".to_owned(),
            Self::Offline(Some(wait)) => {
                format!("Offline · retry {}", format::span_s(wait.ceil()))
            }
            Self::Offline(None) => "Offline".to_owned(),
            Self::Disabled => "Disabled".to_owned(),
        }
    }

    /// As a pill.
    pub fn pill(&self) -> Pill {
        let (tone, mark) = match self {
            Self::Staged => (Tone::Amber, Mark::Square),
            Self::InTolerance | Self::Live => (Tone::Good, Mark::Dot),
            Self::Off(_) | Self::Invalid => (Tone::Bad, Mark::Triangle),
            Self::Stale(_) => (Tone::Amber, Mark::Triangle),
            Self::Connecting => (Tone::Info, Mark::Dot),
            Self::NotSet | Self::NotRead => (Tone::Neutral, Mark::Dot),
            Self::Offline(_) | Self::Disabled => (Tone::Neutral, Mark::Square),
        };
        Pill::new(tone, self.text()).mark(mark)
    }

    /// Words that `state:` finds it by, beside those it shows.
    fn keyword(&self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::InTolerance => "ok",
            Self::Off(_) => "off",
            Self::Live => "live",
            Self::Stale(_) => "stale",
            Self::Invalid => "invalid",
            Self::NotSet => "notset",
            Self::NotRead => "notread",
            Self::Connecting => "connecting",
            Self::Offline(_) => "offline",
            Self::Disabled => "disabled",
        }
    }
}

/// Edits staged in the panel, by instrument and parameter; not those of others, nor drafts.
pub fn staged<'a>(view: &View<'a>) -> HashMap<(String, String), &'a StagedEdit> {
    let own = |open: &&Arc<Transaction>| open.origin == Origin::Panel && !open.draft;
    let edits = view.status.transactions.iter().filter(own).flat_map(|open| &open.edits);
    edits
        .filter_map(|edit| {
            let (id, parameter) = edit.path.as_setpoint()?;
            Some(((id.to_owned(), parameter), edit))
        })
        .collect()
}

/// The rows that pass the filter, instruments in file order.
pub fn rows<'a>(view: &View<'a>, filter: &str) -> Vec<Row<'a>> {
    let staged = staged(view);
    let filter = Filter::new(filter);
    let mut rows = Vec::new();
    for instrument in view.status.instruments.values() {
        let begin = rows.len();
        for parameter in instrument.parameters.values() {
            let edit = if staged.is_empty() {
                None
            } else {
                staged.get(&(instrument.id.clone(), parameter.name.clone())).copied()
            };
            if parameter.setpoint.is_some() || parameter.readback.is_some() || edit.is_some() {
                let row =
                    Row { instrument, parameter: Some(parameter), staged: edit, first: false };
                if filter.passes(&row, view.now) {
                    rows.push(row);
                }
            }
        }
        let any = instrument
            .parameters
            .values()
            .any(|one| one.setpoint.is_some() || one.readback.is_some());
        if rows.len() == begin && !any {
            let row = Row { instrument, parameter: None, staged: None, first: false };
            if filter.passes(&row, view.now) {
                rows.push(row);
            }
        }
        if let Some(row) = rows.get_mut(begin) {
            row.first = true;
        }
    }
    rows
}

/// Words that all must be found: `state:offline`, `unit:V`, `type:rigol`, `param:voltage`, or
/// any other word in names, labels and states.
struct Filter(Vec<(String, String)>);

impl Filter {
    fn new(text: &str) -> Self {
        let word = |word: &str| match word.split_once(':') {
            Some((key @ ("state" | "unit" | "type" | "param" | "name"), rest)) => {
                (key.to_owned(), rest.to_owned())
            }
            _ => (String::new(), word.to_owned()),
        };
        Self(text.to_lowercase().split_whitespace().map(word).collect())
    }

    fn passes(&self, row: &Row<'_>, now: Timestamp) -> bool {
        self.0.iter().all(|(key, word)| {
            let holds = |text: &str| text.to_lowercase().contains(word.as_str());
            let standing = || row.standing(now);
            let parameter = |part: fn(&ParameterStatus) -> &str| {
                row.parameter.is_some_and(|parameter| holds(part(parameter)))
            };
            let driver = || holds(&row.instrument.driver) || holds(&row.instrument.driver_name);
            match key.as_str() {
                "state" => {
                    let standing = standing();
                    standing.keyword().starts_with(word.as_str()) || holds(&standing.text())
                }
                "unit" => row
                    .parameter
                    .and_then(|parameter| parameter.unit.as_deref())
                    .is_some_and(|unit| unit.to_lowercase() == *word || word.is_empty()),
                "type" => driver(),
                "param" => parameter(|it| &it.name) || parameter(|it| &it.label),
                "name" => holds(&row.instrument.id),
                _ => {
                    holds(&row.instrument.id)
                        || driver()
                        || parameter(|it| &it.name)
                        || parameter(|it| &it.label)
                        || holds(&standing().text())
                }
            }
        })
    }
}

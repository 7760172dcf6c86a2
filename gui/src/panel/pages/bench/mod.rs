//! The page Bench: everything live, what is set beside what is read.

use std::collections::BTreeMap;

use egui::{Frame, Margin, Ui};
use setpoint_bench::KeyPath;

use super::View;
use crate::panel::{intent::Intent, theme::size, video::VideoTexture, widgets::page_title};

mod empty;
pub mod rows;
mod sources;
mod table;

/// What is looked at more closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An instrument, and the parameter whose row was clicked.
    Instrument {
        /// Its name.
        id: String,
        /// The parameter's name.
        parameter: Option<String>,
    },
    /// A source.
    Source {
        /// Its name.
        id: String,
    },
}

/// A value that was typed and cannot be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As typed.
    pub text: String,
    /// Why not.
    pub reason: String,
}

/// What the page remembers.
#[derive(Default)]
pub struct BenchState {
    /// The filter as typed.
    pub filter: String,
    /// What was clicked last.
    pub chosen: Option<Subject>,
    /// Values that were typed and cannot be staged, by key.
    pub refused: BTreeMap<KeyPath, Refused>,
    /// The row to bring into sight.
    scroll_to: Option<usize>,
    textures: BTreeMap<String, VideoTexture>,
}

impl BenchState {
    /// What the inspector is about: what was clicked, if it is still there, else the first there
    /// is.
    pub fn subject(&self, view: &View<'_>) -> Option<Subject> {
        let there = |subject: &&Subject| match subject {
            Subject::Instrument { id, .. } => view.status.instruments.contains_key(id),
            Subject::Source { id } => view.status.sources.contains_key(id),
        };
        self.chosen.as_ref().filter(there).cloned().or_else(|| {
            let instrument = view.status.instruments.keys().next();
            let source = view.status.sources.keys().next();
            instrument
                .map(|id| Subject::Instrument { id: id.clone(), parameter: None })
                .or_else(|| source.map(|id| Subject::Source { id: id.clone() }))
        })
    }
}

/// Draws the page.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut BenchState) -> Vec<Intent> {
    #[allow(clippy::cast_possible_truncation, reason = "a small constant")]
    let margin = Margin { left: size::PAGE as i8, right: size::PAGE as i8, top: 12, bottom: 14 };
    Frame::new()
        .inner_margin(margin)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = size::GAP;
            page_title(ui, "Bench", "everything live, what you set beside what it reads", |_| {});
            if view.status.instruments.is_empty() && view.status.sources.is_empty() {
                empty::show(ui, view)
            } else {
                sources::show(ui, view, state);
                table::show(ui, view, state);
                Vec::new()
            }
        })
        .inner
}

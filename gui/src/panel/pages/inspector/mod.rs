//! The side of the page Bench: one instrument or source, and its values to set.

use egui::{Align, Frame, Layout, Margin, ScrollArea, Ui, UiBuilder, Vec2, vec2};
use setpoint_bench::{KeyPath, Severity};

use super::{
    View,
    bench::{BenchState, Subject},
};
use crate::panel::{
    intent::Intent,
    theme,
    widgets::{Mark, Pill, Tone, card::line, label, paint_mark},
};

mod entry;
mod instrument;
mod parameter;
mod source;

pub use entry::{enter_number, enter_parameter};
pub use instrument::short_name;

/// Width of the names at the left of fields, where there is room and where there is little.
const NAMES: (f32, f32) = (122.0, 108.0);
/// Width of a field.
const FIELD: f32 = 128.0;
/// Height of a row with a field.
const ROW: f32 = 33.0;
/// Space between the inspector's edge and its content.
const EDGE: f32 = 14.0;

/// Whether there is anything to inspect.
pub fn has_subject(view: &View<'_>, state: &BenchState) -> bool {
    state.subject(view).is_some()
}

/// Draws the inspector.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut BenchState) -> Vec<Intent> {
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    match state.subject(view) {
        Some(Subject::Instrument { id, .. }) => match view.status.instruments.get(&id) {
            Some(instrument) => instrument::show(ui, view, state, instrument),
            None => Vec::new(),
        },
        Some(Subject::Source { id }) => match view.status.sources.get(&id) {
            Some(source) => source::show(ui, view, state, source),
            None => Vec::new(),
        },
        None => Vec::new(),
    }
}

/// The head: name, a few words, state, a line below.
fn head(ui: &mut Ui, name: &str, words: &str, pill: Pill) {
    let tokens = theme::tokens(ui);
    let size = vec2(ui.available_width(), 42.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.add_space(12.0);
        ui.add(pill.at_most(150.0));
        ui.add_space(10.0);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(EDGE);
            label(ui, name, theme::strong(13.5), tokens.text);
            ui.add_space(10.0);
            label(ui, words, theme::small(), tokens.soft);
        });
    });
    line(ui);
}

/// What is below the head, scrolled where there is too much of it.
fn body(ui: &mut Ui, id: &str, content: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().id_salt(id).auto_shrink([false, false]).show(ui, |ui| {
        #[allow(clippy::cast_possible_truncation, reason = "a small constant")]
        let margin = Margin { left: EDGE as i8, right: 8, top: 12, bottom: 14 };
        Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
    });
}

/// A title between groups of rows.
fn group_title(ui: &mut Ui, title: &str) {
    let tokens = theme::tokens(ui);
    ui.add_space(12.0);
    label(ui, title, theme::strong(13.0), tokens.text);
    ui.add_space(5.0);
}

fn names_width(ui: &Ui) -> f32 {
    if ui.available_width() > 315.0 { NAMES.0 } else { NAMES.1 }
}

/// A row: its name at the left, then what `content` adds from the left.
fn row<R>(ui: &mut Ui, name: impl FnOnce(&mut Ui), content: impl FnOnce(&mut Ui) -> R) -> R {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), egui::Sense::hover());
    let layout = Layout::left_to_right(Align::Center);
    let (left, right) = rect.split_left_right_at_x(rect.left() + names_width(ui));
    let left = left.with_max_x(left.right() - 8.0);
    let mut names = ui.new_child(UiBuilder::new().max_rect(left).layout(layout));
    names.spacing_mut().item_spacing.x = 5.0;
    name(&mut names);
    let mut rest = ui.new_child(UiBuilder::new().max_rect(right).layout(layout));
    rest.spacing_mut().item_spacing.x = 9.0;
    content(&mut rest)
}

/// What is to be said of a value, under its field.
fn remark(ui: &mut Ui, tone: Tone, text: &str) {
    let tokens = theme::tokens(ui);
    let colour = tone.colour(tokens);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.add_space(names_width(ui));
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 16.0), egui::Sense::hover());
        paint_mark(ui.painter(), Mark::Triangle, rect.center(), 9.0, colour);
        let text = egui::RichText::new(text).font(theme::small()).color(colour);
        ui.add(egui::Label::new(text).wrap());
    });
    ui.add_space(4.0);
}

/// Why a typed value was not staged, else what the check says of the staged one.
fn remarks(ui: &mut Ui, view: &View<'_>, state: &BenchState, path: &KeyPath) {
    if let Some(refused) = state.refused.get(path) {
        remark(ui, Tone::Bad, &refused.reason);
        return;
    }
    let Some(open) = view.staged() else { return };
    if open.edits.iter().all(|edit| edit.path != *path) {
        return;
    }
    let path = path.to_string();
    for found in open.diagnostics.iter().filter(|found| found.path == path) {
        let tone = if found.severity == Severity::Error { Tone::Bad } else { Tone::Amber };
        remark(ui, tone, &found.message);
    }
}

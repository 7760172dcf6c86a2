//! The page that is shown while no bench is open.

use std::path::PathBuf;

use egui::{Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Stroke, Ui, vec2};
use setpoint_bench::Diagnostic;

use crate::panel::{
    icons,
    intent::{Intent, ViewIntent},
    theme::{self, size},
    widgets::{ActionButton, label, text_input},
};

/// Why no bench is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The file that was to be opened.
    pub path: PathBuf,
    /// What happened and what to do.
    pub message: String,
    /// What is wrong in the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the page remembers.
#[derive(Debug, Clone, Default)]
pub struct StartState {
    /// The path as typed.
    pub path: String,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
    /// A bench is being opened.
    pub opening: Option<PathBuf>,
}

const WIDTH: f32 = 520.0;

/// Draws the page over the whole window.
pub fn show(ui: &mut Ui, state: &mut StartState) -> Vec<Intent> {
    let tokens = theme::tokens(ui);
    ui.painter().rect_filled(ui.max_rect(), 0, tokens.ground);
    let mut intents = Vec::new();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        let space = (ui.available_height() * 0.16).max(24.0);
        ui.add_space(space);
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.set_max_width(ui.available_width());
            label(ui, icons::MARK, theme::icon(40.0), tokens.accent);
            ui.add_space(4.0);
            label(ui, "Setpoint", theme::strong(24.0), tokens.text);
            label(ui, "One readable file for everything on the bench", theme::body(), tokens.soft);
            ui.add_space(18.0);
            if let Some(path) = &state.opening {
                ui.horizontal(|ui| {
                    ui.add_space((ui.available_width() - 260.0).max(0.0) / 2.0);
                    ui.spinner();
                    let words = format!("Opening {}…", path.display());
                    label(ui, words, theme::body(), tokens.soft);
                });
                return;
            }
            if let Some(failure) = &state.failure {
                why(ui, failure, &mut intents);
                ui.add_space(size::GAP);
            }
            choices(ui, state, &mut intents);
        });
        ui.add_space(24.0);
    });
    intents
}

fn panel(ui: &mut Ui, outline: egui::Color32, content: impl FnOnce(&mut Ui)) {
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, outline))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::symmetric(18, 16))
        .show(ui, |ui| {
            ui.set_width(WIDTH);
            ui.with_layout(Layout::top_down(Align::Min), content);
        });
}

fn why(ui: &mut Ui, failure: &Failure, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    panel(ui, tokens.bad, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        let title = format!("{} could not be opened", failure.path.display());
        ui.add(Label::new(RichText::new(title).font(theme::strong(13.0)).color(tokens.bad)).wrap());
        ui.add(Label::new(RichText::new(&failure.message).color(tokens.text)).wrap());
        for found in failure.diagnostics.iter().take(8) {
            let words = RichText::new(found.to_string()).font(theme::mono_small());
            ui.add(Label::new(words.color(tokens.soft)).wrap());
        }
        if failure.diagnostics.len() > 8 {
            let more = format!("and {} more", failure.diagnostics.len() - 8);
            label(ui, more, theme::small(), tokens.dim);
        }
        let again = ActionButton::secondary("Try again").icon(icons::RELOAD).small();
        if ui.add(again).clicked() {
            intents.push(ViewIntent::Open(failure.path.clone()).into());
        }
    });
}

fn choices(ui: &mut Ui, state: &mut StartState, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    panel(ui, tokens.line, |ui| {
        ui.spacing_mut().item_spacing = vec2(10.0, 8.0);
        label(ui, "Open a bench file", theme::strong(13.0), tokens.text);
        ui.horizontal(|ui| {
            let width = WIDTH - 190.0;
            let hint = "/lab/bench.toml";
            let field =
                text_input(ui, &mut state.path, "Path of the bench file", hint, width, true);
            let entered =
                field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let path = state.path.trim();
            let open = ActionButton::primary("Open").beside_field().enabled(!path.is_empty());
            if (ui.add(open).clicked() || entered) && !path.is_empty() {
                intents.push(ViewIntent::Open(PathBuf::from(path)).into());
            }
            let browse = ActionButton::secondary("Browse…").icon(icons::OPEN).beside_field();
            if ui.add(browse).clicked() {
                intents.push(ViewIntent::OpenDialog.into());
            }
        });
        ui.add_space(8.0);
        label(ui, "Look around first", theme::strong(13.0), tokens.text);
        let words = "A copy of the demo bench, with simulated instruments and test patterns.";
        ui.add(Label::new(RichText::new(words).color(tokens.soft)).wrap());
        if ui.add(ActionButton::secondary("Open the demo").icon(icons::PLAY)).clicked() {
            intents.push(ViewIntent::Demo.into());
        }
    });
}

//! A bench with nothing on it yet.

use egui::{Align, Frame, Layout, Margin, RichText, Stroke, Ui, vec2};

use crate::panel::{
    icons,
    intent::{Intent, ViewIntent},
    pages::View,
    theme,
    widgets::{ActionButton, card, label},
};

const EXAMPLE: &str = "[instruments.psu]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n\n\
                       [sources.pattern]\ntype = \"test_pattern\"\n";

/// Says what to do, with an example to copy.
pub fn show(ui: &mut Ui, view: &View<'_>) -> Vec<Intent> {
    let tokens = theme::tokens(ui);
    let mut intents = Vec::new();
    card(ui, |ui| {
        Frame::new().inner_margin(Margin::symmetric(24, 36)).show(ui, |ui| {
            ui.with_layout(Layout::top_down(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.y = 10.0;
                label(ui, icons::PLUGS, theme::icon(30.0), tokens.dim);
                label(ui, "Nothing on this bench yet", theme::strong(16.0), tokens.text);
                let file = view.status.bench.path.display();
                let words = format!(
                    "Add instruments and sources to {file} and save: they appear here at once. \
                     For example:"
                );
                ui.add(egui::Label::new(RichText::new(words).color(tokens.soft)).wrap());
                let left = Layout::top_down(Align::Min);
                ui.allocate_ui_with_layout(vec2(300.0, 0.0), left, |ui| {
                    Frame::new()
                        .fill(tokens.field)
                        .stroke(Stroke::new(1.0, tokens.line))
                        .corner_radius(theme::size::RADIUS)
                        .inner_margin(Margin::symmetric(14, 10))
                        .show(ui, |ui| {
                            ui.set_width(ui.available_width());
                            let code = RichText::new(EXAMPLE.trim_end()).font(theme::mono());
                            ui.add(egui::Label::new(code.color(tokens.text)));
                        });
                });
                let copy = ActionButton::secondary("Copy the example").icon(icons::COPY).small();
                if ui.add(copy).clicked() {
                    intents.push(ViewIntent::Copy(EXAMPLE.to_owned()).into());
                }
            });
        });
    });
    intents
}

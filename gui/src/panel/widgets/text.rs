//! Text in a font and colour of choice.

use egui::{Color32, FontId, Response, RichText, Ui};

use crate::panel::theme;

/// A label that is cut with … where there is no room; its whole text is then its tooltip.
pub fn label(ui: &mut Ui, text: impl Into<String>, font: FontId, colour: Color32) -> Response {
    ui.add(egui::Label::new(RichText::new(text).font(font).color(colour)).truncate())
}

/// How wide a text is, in points.
pub fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER).size().x
}

/// The head of a page: title and subtitle on one line, what `right` adds at the right end.
pub fn page_title(ui: &mut Ui, title: &str, subtitle: &str, right: impl FnOnce(&mut Ui)) {
    let tokens = theme::tokens(ui);
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), 26.0),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            label(ui, title, theme::strong(16.0), tokens.text);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                right(ui);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    label(ui, subtitle, theme::body(), tokens.soft);
                });
            });
        },
    );
}

//! Text in a font and colour of choice.

use egui::{
    Color32, FontId, Response, RichText, Ui,
    text::{LayoutJob, TextFormat, TextWrapping},
};

use crate::panel::theme;

/// A label that is cut with … where there is no room; its whole text is then its tooltip.
pub fn label(ui: &mut Ui, text: impl Into<String>, font: FontId, colour: Color32) -> Response {
    ui.add(egui::Label::new(RichText::new(text).font(font).color(colour)).truncate())
}

/// A label that goes on in a second line where one is too short; beyond that it is cut with …, and
/// its whole text is then its tooltip.
pub fn two_lines(ui: &mut Ui, text: &str, font: FontId, colour: Color32) -> Response {
    let room = ui.available_width();
    if width_of(ui, text, font.clone()) <= room {
        return label(ui, text, font, colour);
    }
    // Close together, for rows that are made for one line.
    let line_height = Some(font.size * 1.08);
    let format = TextFormat { font_id: font, color: colour, line_height, ..TextFormat::default() };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap = TextWrapping { max_width: room, max_rows: 2, ..TextWrapping::default() };
    let galley = ui.painter().layout_job(job);
    let whole = !galley.elided;
    let response = ui.add(egui::Label::new(galley));
    if whole { response } else { response.on_hover_text(text) }
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

//! The card that says that a person has to look at the bench.

use egui::{
    Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextWrapMode, Ui,
    vec2,
};

use crate::panel::{
    pages::View,
    theme::{self, size},
    widgets::{Mark, card, label, paint_mark},
};

/// The most room that the reason takes, in points.
const MOST: f32 = 110.0;

/// Draws it where a device could not be put back after a failed change; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>) {
    let Some(why) = &view.status.attention else { return };
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.bad))
        .corner_radius(size::CARD_RADIUS)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            Frame::new().inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
                let room = vec2(ui.available_width(), 41.0);
                ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 10.0;
                    let (mark, _) = ui.allocate_exact_size(vec2(11.0, 20.0), Sense::hover());
                    paint_mark(ui.painter(), Mark::Triangle, mark.center(), 10.0, tokens.bad);
                    label(ui, "The bench is not what it was", theme::strong(13.0), tokens.bad);
                });
            });
            card::line(ui);
            Frame::new().inner_margin(Margin::symmetric(16, 11)).show(ui, |ui| {
                let area = ScrollArea::vertical().id_salt("attention").max_height(MOST);
                area.auto_shrink([false, true]).show(ui, |ui| {
                    let text = RichText::new(why).font(theme::body()).color(tokens.text);
                    ui.add(Label::new(text).wrap_mode(TextWrapMode::Wrap));
                });
            });
        });
}

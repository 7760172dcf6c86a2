//! A framed part of a page.

use egui::{Align, Frame, InnerResponse, Layout, Margin, Stroke, Ui, vec2};

use super::text::label;
use crate::panel::theme::{self, size};

/// A card over the whole width; its content reaches to its edges.
pub fn card<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let tokens = theme::tokens(ui);
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(size::CARD_RADIUS)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            content(ui)
        })
}

/// The head of a card: title, a few words, what `right` adds at the right end, a line below.
/// `right` lays out from the right.
pub fn card_header(ui: &mut Ui, title: &str, words: &str, right: impl FnOnce(&mut Ui)) {
    let tokens = theme::tokens(ui);
    Frame::new().inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), 44.0),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                label(ui, title, theme::strong(13.0), tokens.text);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    right(ui);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        label(ui, words, theme::small(), tokens.soft);
                    });
                });
            },
        );
    });
    line(ui);
}

/// A line over the whole width.
pub fn line(ui: &mut Ui) {
    let tokens = theme::tokens(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 0, tokens.line);
}

//! A framed message that stays until someone deals with it.

use egui::{
    Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextWrapMode, Ui,
    vec2,
};

use super::{
    card,
    text::label,
    tone::{Mark, Tone, paint_mark},
};
use crate::panel::theme::{self, size};

/// What a notice says first.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// How it looks.
    pub tone: Tone,
    /// One sentence.
    pub title: String,
}

impl Notice {
    /// Draws it over the whole width: the title with `buttons` at its right end (laid out from the
    /// right), and `body` below a line, if there is one.
    pub fn show(
        &self,
        ui: &mut Ui,
        buttons: impl FnOnce(&mut Ui),
        body: Option<&mut dyn FnMut(&mut Ui)>,
    ) {
        let tokens = theme::tokens(ui);
        let colour = self.tone.colour(tokens);
        Frame::new()
            .fill(tokens.card)
            .stroke(Stroke::new(1.0, colour))
            .corner_radius(size::CARD_RADIUS)
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 0.0;
                Frame::new().inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
                    let room = vec2(ui.available_width(), 41.0);
                    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = 10.0;
                        let (mark, _) = ui.allocate_exact_size(vec2(11.0, 20.0), Sense::hover());
                        paint_mark(ui.painter(), Mark::Triangle, mark.center(), 10.0, colour);
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            buttons(ui);
                            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                                label(ui, &self.title, theme::strong(13.0), colour);
                            });
                        });
                    });
                });
                let Some(body) = body else { return };
                card::line(ui);
                Frame::new().inner_margin(Margin::symmetric(16, 11)).show(ui, body);
            });
    }

    /// The same with a text below, which scrolls when it needs more than `most` points.
    pub fn with_text(&self, ui: &mut Ui, text: &str, most: f32, buttons: impl FnOnce(&mut Ui)) {
        let tokens = theme::tokens(ui);
        let title = self.title.clone();
        self.show(
            ui,
            buttons,
            Some(&mut |ui| {
                let area = ScrollArea::vertical().id_salt(&title).max_height(most);
                area.auto_shrink([false, true]).show(ui, |ui| {
                    let text = RichText::new(text).font(theme::body()).color(tokens.text);
                    ui.add(Label::new(text).wrap_mode(TextWrapMode::Wrap));
                });
            }),
        );
    }
}

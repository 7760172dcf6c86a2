//! A plain text field.

use egui::{Frame, Margin, Response, RichText, Stroke, TextEdit, Ui};

use crate::panel::theme::{self, size};

/// A field of `width` points for text. `name` is its accessible name, `hint` is shown while it is
/// empty.
pub fn text_input(
    ui: &mut Ui,
    text: &mut String,
    name: &str,
    hint: &str,
    width: f32,
    mono: bool,
) -> Response {
    let tokens = theme::tokens(ui);
    let font = if mono { theme::mono() } else { theme::body() };
    let frame = Frame::new()
        .fill(tokens.field)
        .stroke(Stroke::new(1.0, tokens.outline))
        .corner_radius(size::RADIUS)
        .inner_margin(Margin::symmetric(8, 4));
    let hint = RichText::new(hint).font(font.clone()).color(tokens.dim);
    let edit = TextEdit::singleline(text)
        .font(font)
        .hint_text(hint)
        .frame(frame)
        .desired_width(width)
        .align(egui::Align2::LEFT_CENTER)
        .min_size(egui::vec2(0.0, size::CONTROL));
    let response = ui.add(edit);
    if response.has_focus() {
        ui.painter().rect_stroke(
            response.rect,
            size::RADIUS,
            Stroke::new(1.0, tokens.accent),
            egui::StrokeKind::Inside,
        );
    }
    response.accessible_name(name)
}

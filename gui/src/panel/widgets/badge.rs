//! A count beside a name.

use egui::{Align2, Response, Role, Sense, Ui, WidgetInfo, vec2};

use super::tone::Tone;
use crate::panel::theme;

/// A count in a small pill. `what` is its accessible name: `3 staged changes`.
pub fn badge(ui: &mut Ui, count: usize, tone: Tone, what: &str) -> Response {
    let tokens = theme::tokens(ui);
    let text = if count > 999 { "999+".to_owned() } else { count.to_string() };
    let font = theme::strong(11.0);
    let galley = ui.painter().layout_no_wrap(text.clone(), font.clone(), tokens.text);
    let size = vec2((galley.size().x + 13.0).max(20.0), 17.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(rect, 8.5, tone.ground(tokens));
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, tone.colour(tokens));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, what));
    response
}

//! A switch.

use egui::{
    CursorIcon, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, lerp, pos2, vec2,
};

use crate::panel::theme;

/// A switch; a click changes `on`. `name` is its accessible name.
pub fn toggle(ui: &mut Ui, on: &mut bool, name: &str) -> Response {
    let tokens = theme::tokens(ui);
    let (rect, mut response) = ui.allocate_exact_size(vec2(30.0, 17.0), Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let shift = ui.ctx().animate_bool_responsive(response.id, *on);
    let fill = if *on { tokens.good } else { tokens.switch_off };
    ui.painter().rect_filled(rect, rect.height() / 2.0, fill);
    if response.has_focus() {
        let ring = Stroke::new(1.5, tokens.accent);
        ui.painter().rect_stroke(rect.expand(2.5), 11, ring, StrokeKind::Inside);
    }
    let x = lerp(rect.left() + 8.5..=rect.right() - 8.5, shift);
    ui.painter().circle_filled(pos2(x, rect.center().y), 6.0, tokens.knob);
    let state = *on;
    response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), state, name));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

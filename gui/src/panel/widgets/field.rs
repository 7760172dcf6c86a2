//! A field for one value that can be staged.

use egui::{
    Frame, Id, Margin, Rect, Response, RichText, Stroke, StrokeKind, TextEdit, Ui, UiBuilder, pos2,
    vec2,
};

use super::button::icon_button;
use crate::panel::{
    icons,
    theme::{self, size},
};

/// What a person did in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldEvent {
    /// Entered this text and finished with Enter or by leaving the field.
    Entered(String),
    /// Gave up what they were typing.
    Reverted,
    /// Took back what is staged.
    Unstaged,
}

/// A field for one value.
#[derive(Debug, Clone)]
pub struct ValueField<'a> {
    /// Its accessible name: `psu ch1.voltage setpoint`.
    pub name: &'a str,
    /// What it shows while nobody types.
    pub text: &'a str,
    /// The value that is running, where another one is staged.
    pub old: Option<&'a str>,
    /// Unit.
    pub unit: Option<&'a str>,
    /// The value is staged (amber).
    pub staged: bool,
    /// The value was refused (red).
    pub refused: bool,
    /// Shown while it is empty: `device: 0.500`.
    pub hint: Option<&'a str>,
    /// Width in points.
    pub width: f32,
}

impl ValueField<'_> {
    /// Draws it. Typing changes nothing outside until it is finished.
    pub fn show(&self, ui: &mut Ui, id: Id) -> (Response, Option<FieldEvent>) {
        let tokens = theme::tokens(ui);
        let draft: Option<String> = ui.data(|data| data.get_temp(id));
        let mut text = draft.clone().unwrap_or_else(|| self.text.to_owned());
        let focused = ui.memory(|memory| memory.has_focus(id));
        let (outline, bar) = match (self.refused, self.staged, focused) {
            (true, ..) => (tokens.bad, None),
            (_, true, _) => (tokens.amber, Some(tokens.amber)),
            (.., true) => (tokens.accent, None),
            _ => (tokens.outline, None),
        };
        let takes_back = (self.staged || self.refused) && !focused;
        let right = if takes_back { 22 } else { 8 };
        let frame = Frame::new()
            .fill(tokens.field)
            .stroke(Stroke::new(1.0, outline))
            .corner_radius(size::RADIUS)
            .inner_margin(Margin { left: 9, right, top: 4, bottom: 4 });
        let mut edit = TextEdit::singleline(&mut text)
            .id(id)
            .font(theme::mono())
            .text_color(tokens.text)
            .frame(frame)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL))
            .desired_width(self.width);
        if let Some(old) = self.old.filter(|_| !focused) {
            let old = RichText::new(old).font(theme::mono()).strikethrough().color(tokens.dim);
            edit = edit.prefix(old);
        }
        if let Some(unit) = self.unit {
            edit = edit.suffix(RichText::new(unit).font(theme::mono()).color(tokens.dim));
        }
        if let Some(hint) = self.hint {
            edit = edit.hint_text(RichText::new(hint).font(theme::mono_small()).color(tokens.dim));
        }
        let response = edit.show(ui).response.response;
        let rect = response.rect;
        if let Some(bar) = bar {
            let bar_rect = Rect::from_min_max(rect.min, pos2(rect.left() + 4.0, rect.bottom()));
            let radius = egui::CornerRadius { nw: size::RADIUS, sw: size::RADIUS, ne: 0, se: 0 };
            ui.painter().rect_filled(bar_rect, radius, bar);
            let ring = Stroke::new(1.0, outline);
            ui.painter().rect_stroke(rect, size::RADIUS, ring, StrokeKind::Inside);
        }
        let mut event = self.follow(ui, id, &response, text);
        if takes_back {
            let place =
                Rect::from_center_size(pos2(rect.right() - 12.0, rect.center().y), vec2(18., 18.));
            let mut corner = ui.new_child(UiBuilder::new().max_rect(place));
            let name = format!("Take back {}", self.name);
            if icon_button(&mut corner, icons::CLOSE, 18.0, &name).clicked() {
                event = Some(FieldEvent::Unstaged);
            }
        }
        (response.accessible_name(self.name), event)
    }

    /// Keeps what is being typed, and tells when it is finished.
    fn follow(&self, ui: &Ui, id: Id, response: &Response, text: String) -> Option<FieldEvent> {
        if response.gained_focus() {
            select_all(ui, id, &text);
        }
        if response.lost_focus() {
            ui.data_mut(|data| data.remove::<String>(id));
            if ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                return Some(FieldEvent::Reverted);
            }
            return (text != self.text).then_some(FieldEvent::Entered(text));
        }
        if response.has_focus() {
            ui.data_mut(|data| data.insert_temp(id, text));
        } else if response.changed() {
            // Set by an assistive technology, which does not take the focus.
            return Some(FieldEvent::Entered(text));
        }
        None
    }
}

fn select_all(ui: &Ui, id: Id, text: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let range = egui::text_selection::CCursorRange::select_all_str(text);
    state.cursor.set_char_range(Some(range));
    TextEdit::store_state(ui.ctx(), id, state);
}

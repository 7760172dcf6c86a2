//! Buttons, with the shortcut that does the same.

use egui::{
    Align2, Color32, CursorIcon, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Widget,
    WidgetInfo, pos2, vec2,
};

use super::text::width_of;
use crate::panel::theme::{self, Tokens, size};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Primary,
    Secondary,
    Danger,
}

/// A button that does something.
#[derive(Debug, Clone)]
pub struct ActionButton {
    text: String,
    name: Option<String>,
    icon: Option<&'static str>,
    shortcut: Option<String>,
    kind: Kind,
    height: f32,
    enabled: bool,
}

impl ActionButton {
    fn new(kind: Kind, text: impl Into<String>, height: f32) -> Self {
        Self {
            text: text.into(),
            name: None,
            icon: None,
            shortcut: None,
            kind,
            height,
            enabled: true,
        }
    }

    /// The one thing to do next.
    pub fn primary(text: impl Into<String>) -> Self {
        Self::new(Kind::Primary, text, 30.0)
    }

    /// Something else that can be done.
    pub fn secondary(text: impl Into<String>) -> Self {
        Self::new(Kind::Secondary, text, 30.0)
    }

    /// Something that takes away.
    pub fn danger(text: impl Into<String>) -> Self {
        Self::new(Kind::Danger, text, 30.0)
    }

    /// Less high, for heads of cards and pages.
    pub fn small(mut self) -> Self {
        self.height = 23.0;
        self
    }

    /// As high as the field beside it.
    pub fn beside_field(mut self) -> Self {
        self.height = size::CONTROL + 1.0;
        self
    }

    /// With a sign before the text.
    pub fn icon(mut self, icon: &'static str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// With the keys that do the same, as the platform writes them.
    pub fn shortcut(mut self, keys: impl Into<String>) -> Self {
        self.shortcut = Some(keys.into());
        self
    }

    /// Another accessible name than the text.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it can be clicked now.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    fn colours(&self, tokens: &Tokens, lively: bool) -> (Color32, Color32, Color32) {
        match (self.kind, self.enabled) {
            (_, false) => (tokens.panel, tokens.line, tokens.dim),
            (Kind::Primary, true) => {
                let fill = if lively { tokens.key_on_accent } else { tokens.accent };
                (fill, fill, tokens.on_accent)
            }
            (Kind::Secondary, true) => {
                let fill = if lively { tokens.neutral_ground } else { tokens.card };
                (fill, tokens.outline, tokens.text)
            }
            (Kind::Danger, true) => {
                let fill = if lively { tokens.bad_ground } else { tokens.card };
                (fill, tokens.bad, tokens.bad)
            }
        }
    }
}

impl Widget for ActionButton {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = theme::tokens(ui);
        let small = self.height < size::CONTROL;
        let font = theme::medium(if small { 12.0 } else { 13.0 });
        let pad = if small { 9.0 } else { 13.0 };
        let text = width_of(ui, &self.text, font.clone());
        let icon = if self.icon.is_some() { 20.0 } else { 0.0 };
        let keys = self.shortcut.as_ref().map(|keys| {
            let width = width_of(ui, keys, theme::mono_small()) + 10.0;
            (keys.clone(), width)
        });
        let keys_room = keys.as_ref().map_or(0.0, |(_, width)| width + 8.0);
        let trim = if keys.is_some() { 5.0 } else { 0.0 };
        let wanted = vec2((2.0 * pad + icon + text + keys_room - trim).ceil(), self.height);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(wanted, sense);
        let (fill, outline, colour) = self.colours(tokens, response.hovered());
        let painter = ui.painter();
        painter.rect(rect, size::RADIUS, fill, Stroke::new(1.0, outline), StrokeKind::Inside);
        if response.has_focus() {
            let ring = Stroke::new(1.5, tokens.accent);
            painter.rect_stroke(rect.expand(2.0), size::RADIUS + 2, ring, StrokeKind::Inside);
        }
        let mut left = rect.left() + pad;
        let middle = rect.center().y;
        if let Some(sign) = self.icon {
            let at = pos2(left + 7.0, middle);
            painter.text(at, Align2::CENTER_CENTER, sign, theme::icon(15.0), colour);
            left += icon;
        }
        painter.text(pos2(left, middle), Align2::LEFT_CENTER, &self.text, font, colour);
        if let Some((keys, width)) = keys {
            let at = pos2(left + text + 8.0, middle - 8.0);
            paint_keys(ui, Rect::from_min_size(at, vec2(width, 16.0)), &keys, &self, tokens);
        }
        let name = self.name.as_deref().unwrap_or(&self.text);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, self.enabled, name));
        if self.enabled { response.on_hover_cursor(CursorIcon::PointingHand) } else { response }
    }
}

fn paint_keys(ui: &Ui, rect: Rect, keys: &str, button: &ActionButton, tokens: &Tokens) {
    let primary = button.kind == Kind::Primary && button.enabled;
    let colour = match (primary, button.enabled) {
        (true, _) => tokens.on_accent,
        (false, true) => tokens.soft,
        (false, false) => tokens.dim,
    };
    if primary {
        ui.painter().rect_filled(rect, 3, tokens.key_on_accent);
    } else {
        let outline = Stroke::new(1.0, tokens.outline);
        ui.painter().rect_stroke(rect, 3, outline, StrokeKind::Inside);
    }
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, keys, theme::mono_small(), colour);
}

/// A sign that does something; `name` says what, in the tooltip too.
pub fn icon_button(ui: &mut Ui, icon: &str, side: f32, name: &str) -> Response {
    let tokens = theme::tokens(ui);
    // Drags too: over a text field a press would else begin a selection there.
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    let lively = response.hovered() || response.has_focus();
    if lively {
        ui.painter().rect_filled(rect, 4, tokens.neutral_ground);
    }
    if response.has_focus() {
        let ring = Stroke::new(1.0, tokens.accent);
        ui.painter().rect_stroke(rect, 4, ring, StrokeKind::Inside);
    }
    let colour = if lively { tokens.text } else { tokens.soft };
    let font = theme::icon((side * 0.68).round());
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, icon, font, colour);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(name)
}

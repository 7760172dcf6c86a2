//! Giving a revision a name, which keeps it for good.

use egui::{Align, Frame, Key, Layout, Margin, Ui, vec2};

use crate::panel::{
    icons,
    intent::{HistoryIntent, Intent},
    pages::View,
    theme,
    widgets::{ActionButton, icon_button, label, text_input},
};

/// A name that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The revision it is for; `None`: a snapshot of what runs.
    of: Option<String>,
    /// The name it has.
    was: Option<String>,
    text: String,
    /// The field has to be given the focus.
    fresh: bool,
}

impl Naming {
    /// A snapshot of what runs.
    pub fn snapshot() -> Self {
        Self { of: None, was: None, text: String::new(), fresh: true }
    }

    /// Of a kept revision.
    pub fn of(revision: &str, label: Option<&str>) -> Self {
        let text = label.unwrap_or_default().to_owned();
        let was = label.map(str::to_owned);
        Self { of: Some(revision.to_owned()), was, text, fresh: true }
    }
}

/// Draws the row while a name is being typed.
pub fn show(ui: &mut Ui, view: &View<'_>, naming: &mut Option<Naming>, intents: &mut Vec<Intent>) {
    let Some(now) = naming else { return };
    let tokens = theme::tokens(ui);
    let mut done = false;
    Frame::new().fill(tokens.card).inner_margin(Margin::symmetric(12, 9)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 7.0;
        let (title, name) = match &now.of {
            None => ("Keep what runs as".to_owned(), "Name of the snapshot".to_owned()),
            Some(id) => (format!("Name {id}"), format!("Name of {id}")),
        };
        let head = vec2(ui.available_width(), 18.0);
        ui.allocate_ui_with_layout(head, Layout::right_to_left(Align::Center), |ui| {
            done |= icon_button(ui, icons::CLOSE, 18.0, "Give no name").clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                label(ui, title, theme::medium(12.0), tokens.soft);
            });
        });
        let text = now.text.trim().to_owned();
        let taken = view
            .status
            .revisions
            .iter()
            .find(|one| one.label.as_deref() == Some(text.as_str()) && !text.is_empty())
            .filter(|one| Some(&one.id) != now.of.as_ref());
        let row = vec2(ui.available_width(), theme::size::CONTROL + 2.0);
        ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let wanted = (!text.is_empty()).then(|| text.clone());
            let (words, ready) = match (&now.of, &wanted) {
                (None, _) => ("Keep", taken.is_none()),
                (Some(_), None) => ("Unname", now.was.is_some()),
                (Some(_), Some(_)) => ("Name it", taken.is_none() && wanted != now.was),
            };
            let button = ui.add(ActionButton::primary(words).beside_field().enabled(ready));
            let hint = "evening, before pump swap…";
            let field = text_input(ui, &mut now.text, &name, hint, ui.available_width(), false);
            if std::mem::take(&mut now.fresh) {
                field.request_focus();
            }
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if ready && (button.clicked() || entered) {
                intents.push(match now.of.clone() {
                    None => HistoryIntent::Snapshot { label: wanted }.into(),
                    Some(revision) => HistoryIntent::Label { revision, label: wanted }.into(),
                });
                done = true;
            }
        });
        if let Some(taken) = taken {
            label(ui, format!("{} has that name already", taken.id), theme::small(), tokens.bad);
        }
    });
    crate::panel::widgets::card::line(ui);
    if done {
        *naming = None;
    }
}

//! The question that is asked before a bench is left whose running state is not on disk.

use egui::{Frame, Id, Label, Margin, Modal, RichText, Stroke, Ui};
use jiff::Timestamp;

use crate::panel::{
    format,
    intent::{Intent, ReloadIntent, ViewIntent},
    pages::View,
    theme::{self, size},
    widgets::{ActionButton, label},
};

/// Width of the question, in points.
const WIDTH: f32 = 430.0;

/// Draws the question over everything else. Once the file holds what runs there is nothing left
/// to ask, and leaving goes on. `written` is when someone last had the file written from here.
pub fn leaving(
    ui: &mut Ui,
    view: &View<'_>,
    written: Option<Timestamp>,
    intents: &mut Vec<Intent>,
) {
    let Some(ahead) = &view.status.reload.ahead else {
        intents.push(ViewIntent::Leave.into());
        return;
    };
    let tokens = theme::tokens(ui);
    let file = view.status.bench.path.file_name().unwrap_or_default().to_string_lossy();
    let frame = Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.outline))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::same(16));
    let answer = Modal::new(Id::unique("leaving")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 9.0;
        let title = format!("What runs is not in {file}");
        label(ui, title, theme::strong(15.0), tokens.text);
        let text = format!(
            "{} If you leave now, devices keep their values, and the next start begins with what \
             {file} says.",
            format::sentence(&ahead.cause)
        );
        let text = RichText::new(text).font(theme::body()).color(tokens.soft);
        ui.add(Label::new(text).wrap());
        if let Some(at) = written {
            let text = match view.busy {
                Some(busy) => busy.to_owned(),
                None => {
                    let at = format::clock(at, view.zone);
                    format!("▲ Tried at {at}: {file} still does not hold what runs.")
                }
            };
            let text = RichText::new(text).font(theme::body()).color(tokens.bad);
            ui.add(Label::new(text).wrap());
        }
        ui.add_space(4.0);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (button, intent) in [
                (
                    ActionButton::primary("Write the file and leave").enabled(view.busy.is_none()),
                    ReloadIntent::Sync.into(),
                ),
                (ActionButton::secondary("Stay"), ViewIntent::Stay.into()),
                (ActionButton::danger("Leave anyway"), ViewIntent::Leave.into()),
            ] {
                let intent: Intent = intent;
                if ui.add(button).clicked() {
                    intents.push(intent);
                }
            }
        });
    });
    if answer.should_close() {
        intents.push(ViewIntent::Stay.into());
    }
}

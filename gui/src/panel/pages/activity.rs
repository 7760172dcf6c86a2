//! The page Activity: what is wrong with the bench or its file, what reloads cost, what happened.

mod attention;
mod events;
mod figures;
mod refused;
mod unfinished;

use egui::{Frame, Margin, Ui};
use setpoint_runtime::{ReloadState, Subject};

use super::View;
use crate::panel::{
    intent::{Intent, ReloadIntent},
    shortcuts::UiCommand,
    theme::size,
    widgets::{ActionButton, page_title},
};

/// What the page remembers.
#[derive(Debug, Default)]
pub struct ActivityState {
    /// Which events are shown; `None`: all.
    pub subject: Option<Subject>,
    /// What is looked for in them.
    pub filter: String,
    /// Where the search of the history stands.
    searched: events::Searched,
}

/// Draws the page.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut ActivityState) -> Vec<Intent> {
    let mut intents = Vec::new();
    let margin = Margin { left: 14, right: 14, top: 12, bottom: 14 };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.spacing_mut().item_spacing.y = size::GAP;
        let reload = &view.status.reload;
        // What the bench file wants, resuming does not change.
        let paused = reload.state == ReloadState::Paused && !reload.watch.off;
        page_title(ui, "Activity", if paused { "the file is not watched" } else { "" }, |ui| {
            let (text, intent) = if paused {
                ("Resume watching", ReloadIntent::Resume)
            } else {
                ("Pause watching", ReloadIntent::Pause)
            };
            if ui.add(ActionButton::secondary(text).small()).clicked() {
                intents.push(intent.into());
            }
            let reload = UiCommand::ReloadNow;
            let button = ActionButton::secondary(reload.text()).small();
            let button = button.shortcut(reload.keys(ui.ctx()));
            if ui.add(button).on_hover_text(reload.tooltip()).clicked() {
                intents.push(ReloadIntent::Now.into());
            }
        });
        attention::show(ui, view);
        unfinished::show(ui, view, &mut intents);
        refused::show(ui, view, &mut intents);
        figures::show(ui, view);
        events::show(ui, view, state, &mut intents);
    });
    intents
}

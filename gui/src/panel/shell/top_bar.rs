//! Which bench, how it stands, what can be done next.

use std::time::Duration;

use egui::{Align, Layout, Ui};

use super::reload::reload_words;
use crate::panel::{
    icons,
    intent::{Intent, ViewIntent},
    pages::{Page, View},
    shortcuts::UiCommand,
    theme,
    widgets::{ActionButton, Mark, Pill, Tone, icon_button, label},
};

/// Draws the top bar.
pub fn top_bar(ui: &mut Ui, view: &View<'_>, user: &str) -> Vec<Intent> {
    let mut intents = Vec::new();
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let tokens = theme::tokens(ui);
        label(ui, icons::MARK, theme::icon(18.0), tokens.accent);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            right(ui, view, user, &mut intents);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                left(ui, view, &mut intents);
            });
        });
    });
    intents
}

fn left(ui: &mut Ui, view: &View<'_>, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    let bench = &view.status.bench;
    let words = reload_words(view.status, view.busy, view.now);
    let pill = Pill::new(words.tone, &words.text).mark(words.mark).clickable();
    let environment = Pill::new(Tone::Neutral, &bench.environment).plain().at_most(140.0);
    let others = pill.size(ui).x + environment.size(ui).x + 24.0;
    ui.scope(|ui| {
        ui.set_max_width((ui.available_width() - others).max(60.0));
        label(ui, &bench.name, theme::strong(15.0), tokens.text)
            .on_hover_text(bench.path.display().to_string());
    });
    ui.add(environment).on_hover_text("The environment whose layer is in effect");
    if ui.add(pill).on_hover_text(&words.more).clicked() {
        intents.push(ViewIntent::Go(Page::Activity).into());
    }
    if let Some(until_s) = words.until_s {
        ui.ctx().request_repaint_after(Duration::from_secs_f64(until_s));
    }
}

/// From the right end on.
fn right(ui: &mut Ui, view: &View<'_>, user: &str, intents: &mut Vec<Intent>) {
    let dark = ui.visuals().dark_mode;
    let (sign, name) =
        if dark { (icons::SUN, "Light colours") } else { (icons::MOON, "Dark colours") };
    if icon_button(ui, sign, 26.0, name).clicked() {
        intents.push(ViewIntent::SwitchTheme.into());
    }
    ui.add(Pill::new(Tone::Neutral, user).mark(Mark::Dot).mark_tone(Tone::Info).at_most(150.0))
        .on_hover_text("Whose name changes carry");
    let staged = view.staged_count();
    let review = UiCommand::ReviewOrCommit;
    let button =
        ActionButton::primary(review.text()).shortcut(review.keys(ui.ctx())).enabled(staged > 0);
    let answer = ui.add(button);
    let answer = if staged > 0 {
        answer.on_hover_text(review.tooltip())
    } else {
        answer.on_hover_text("Nothing is staged")
    };
    if staged > 0 && answer.clicked() {
        intents.push(ViewIntent::Go(Page::Changes).into());
    }
    if staged > 0 {
        let pill = Pill::new(Tone::Amber, format!("{staged} staged")).mark(Mark::Square);
        if ui.add(pill.clickable()).on_hover_text(UiCommand::Go(Page::Changes).tooltip()).clicked()
        {
            intents.push(ViewIntent::Go(Page::Changes).into());
        }
    }
}

//! Going back: all of it at once, or some keys staged.

use std::collections::BTreeSet;

use egui::{Layout, ScrollArea, TextFormat, Ui, text::LayoutJob};
use setpoint_bench::{Change, ChangeKind, Edit, Effect, KeyPath};
use setpoint_runtime::Revision;

use super::compare::Comparison;
use crate::panel::{
    format, icons,
    intent::{HistoryIntent, Intent, StageIntent},
    pages::{View, words},
    theme,
    widgets::ActionButton,
};

/// Draws a box for each key and the two buttons.
pub fn show(
    ui: &mut Ui,
    view: &View<'_>,
    selected: &Revision,
    comparison: &Comparison,
    unchecked: &mut BTreeSet<KeyPath>,
    intents: &mut Vec<Intent>,
) {
    ui.spacing_mut().item_spacing.y = 10.0;
    ScrollArea::vertical().id_salt("keys").max_height(92.0).auto_shrink([false, true]).show(
        ui,
        |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = egui::vec2(16.0, 2.0);
                for change in comparison.back() {
                    let mut on = !unchecked.contains(&change.path);
                    if key(ui, view, change, &mut on).changed() {
                        if on {
                            unchecked.remove(&change.path);
                        } else {
                            unchecked.insert(change.path.clone());
                        }
                    }
                }
            });
        },
    );
    let chosen: Vec<_> =
        comparison.back().iter().filter(|change| !unchecked.contains(&change.path)).collect();
    ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let id = &selected.id;
        let all = ActionButton::primary(format!("Roll back all to {id}")).icon(icons::UNDO);
        let all = all.enabled(view.busy.is_none());
        let all = ui.add(all).on_hover_text("File and devices go back now, as a new revision");
        if all.clicked() {
            let only = Vec::new();
            intents.push(HistoryIntent::Rollback { revision: id.clone(), only }.into());
        }
        let text = format!("Stage these {}", chosen.len());
        let some = ActionButton::secondary(text).enabled(!chosen.is_empty());
        let some = ui.add(some).on_hover_text("They wait on the page Changes until you commit");
        if some.clicked() {
            let edits = chosen
                .iter()
                .map(|change| Edit { path: change.path.clone(), value: change.new.clone() })
                .collect();
            intents.push(StageIntent::Stage(edits).into());
        }
        ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
            let tokens = theme::tokens(ui);
            let text = "Staging takes the ticked keys, rolling back takes all.";
            crate::panel::widgets::label(ui, text, theme::small(), tokens.dim);
        });
    });
}

/// `☑ psu.ch1.voltage 3.300 → 3.150 V`
fn key(ui: &mut Ui, view: &View<'_>, change: &Change, on: &mut bool) -> egui::Response {
    let tokens = theme::tokens(ui);
    let shown = |value: &Option<setpoint_bench::Value>| {
        value.as_ref().map(|it| words::value(view.status, &change.path, it))
    };
    let what = match (change.kind, shown(&change.old), shown(&change.new)) {
        (ChangeKind::Removed, ..) => "removed".to_owned(),
        (ChangeKind::Added, _, Some(new)) => format!("added {new}"),
        (_, Some(old), Some(new)) => {
            format!("{old} → {new}{}", words::unit(view.status, &change.path))
        }
        _ => String::new(),
    };
    let mut text = LayoutJob::default();
    let name = words::short_key(&change.path);
    text.append(&name, 0.0, TextFormat::simple(theme::body(), tokens.text));
    text.append(&what, 7.0, TextFormat::simple(theme::mono_small(), tokens.dim));
    ui.checkbox(on, text)
}

/// What going back does to what is running: `Going back writes 3 values and disconnects lockin.`
pub fn sentence(comparison: &Comparison) -> String {
    let back = comparison.back();
    if back.is_empty() {
        return if comparison.back.is_none() {
            super::COMPARING.to_owned()
        } else if comparison.differences.is_empty() {
            "This is what runs.".to_owned()
        } else {
            "Only comments or the order of lines differ.".to_owned()
        };
    }
    let names = |effect: Effect| -> Vec<String> {
        let mut names: Vec<String> = back
            .iter()
            .filter(|change| change.effect == effect)
            .map(|change| change.path.names().get(1).unwrap_or(&change.path.to_string()).clone())
            .collect();
        names.dedup();
        names
    };
    let live = back.iter().filter(|change| change.effect == Effect::Live).count();
    let mut parts = Vec::new();
    if live > 0 {
        parts.push(format!("writes {}", format::count(live, "value", "values")));
    }
    for (effect, verb) in [
        (Effect::Renegotiate, "reshapes"),
        (Effect::Connect, "connects"),
        (Effect::Disconnect, "disconnects"),
        (Effect::Restart, "restarts"),
    ] {
        let names = names(effect);
        if !names.is_empty() {
            parts.push(format!("{verb} {}", names.join(", ")));
        }
    }
    if names(Effect::Restart).is_empty() {
        parts.push("restarts nothing".to_owned());
    }
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("Going back {} and {last}.", rest.join(", "))
        }
        _ => format!("Going back {}.", parts.concat()),
    }
}

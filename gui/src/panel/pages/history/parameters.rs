//! What differs, key by key.

use egui::{Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use setpoint_bench::{Change, Effect};
use setpoint_runtime::Revision;

use super::compare::Comparison;
use crate::panel::{
    pages::{View, words},
    theme::{self, size},
    widgets::{Pill, cell_at, label, table::PAD},
};

/// Draws one row for each key that differs. `with` is what the revision is compared with; `None`:
/// what runs, and then the effects are those of going back.
pub fn show(
    ui: &mut Ui,
    view: &View<'_>,
    selected: &Revision,
    with: Option<&str>,
    comparison: &Comparison,
) {
    let tokens = theme::tokens(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let width = ui.available_width();
    let columns = [PAD + 4.0, width * 0.40, width * 0.55, width * 0.70, width];
    let (titles, _) = ui.allocate_exact_size(vec2(width, size::TITLES), Sense::hover());
    let (other, effect) =
        (with.unwrap_or("now"), if with.is_none() { "Going back" } else { "Effect" });
    for (index, text) in ["Key", &selected.id, other, effect].into_iter().enumerate() {
        let (from, to) = (columns[index], columns[index + 1]);
        cell_at(ui, titles, titles.left() + from, titles.left() + to, false, |ui| {
            label(ui, text, theme::medium(11.5), tokens.dim)
        });
    }
    crate::panel::widgets::card::line(ui);
    let Some(changes) = &comparison.changes else {
        ui.add_space(20.0);
        ui.vertical_centered(|ui| {
            label(ui, super::COMPARING, theme::body(), tokens.soft);
        });
        return;
    };
    if changes.is_empty() {
        ui.add_space(20.0);
        ui.vertical_centered(|ui| {
            let text = "No key differs; at most comments or the order of lines do";
            label(ui, text, theme::body(), tokens.soft);
        });
    }
    let rows = changes.len();
    ScrollArea::vertical().id_salt("parameters").auto_shrink([false, false]).show_rows(
        ui,
        size::ROW,
        rows,
        |ui, range| {
            for change in changes.get(range).unwrap_or_default() {
                let back = comparison.back().iter().find(|back| back.path == change.path);
                let effect = back.filter(|_| with.is_none()).unwrap_or(change).effect;
                row(ui, view, change, effect, &columns);
            }
        },
    );
}

fn row(ui: &mut Ui, view: &View<'_>, change: &Change, effect: Effect, columns: &[f32; 5]) {
    let tokens = theme::tokens(ui);
    let (row, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
    let path = change.path.to_string();
    let shown = |value: &Option<setpoint_bench::Value>| {
        value
            .as_ref()
            .map_or_else(|| "–".to_owned(), |it| words::value(view.status, &change.path, it))
    };
    let (old, new) = (shown(&change.old), shown(&change.new));
    response
        .widget_info(|| WidgetInfo::labeled(Role::Row, true, format!("{path}: {old} to {new}")));
    let left = row.left();
    for (index, (text, colour)) in
        [(path, tokens.text), (old, tokens.old_value), (new, tokens.new_value)]
            .into_iter()
            .enumerate()
    {
        let (from, to) = (columns[index], columns[index + 1]);
        cell_at(ui, row, left + from, left + to - PAD, false, |ui| {
            label(ui, text, theme::mono(), colour)
        });
    }
    cell_at(ui, row, left + columns[3], left + columns[4], false, |ui| {
        let room = columns[4] - columns[3] - PAD;
        ui.add(Pill::new(words::effect_tone(effect), words::effect(effect)).plain().at_most(room))
    });
    let line = egui::Stroke::new(1.0, tokens.line);
    ui.painter().hline(row.x_range(), row.bottom() - 0.5, line);
}

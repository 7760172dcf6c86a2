//! Keys that someone else changed after they were staged.

use egui::{Role, Sense, Ui, WidgetInfo, vec2};
use setpoint_bench::Value;
use setpoint_runtime::{Keep, Transaction};

use crate::panel::{
    format,
    intent::{Intent, StageIntent},
    pages::{View, words},
    theme::{self, size},
    widgets::{ActionButton, Pill, Tone, card, card_header, cell_at, label, table::PAD},
};

/// Draws the card: a key a row, with what it was, what the file says now and what is staged.
pub fn show(ui: &mut Ui, view: &View<'_>, open: &Transaction, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    let clashes: Vec<_> = open.edits.iter().filter_map(|edit| edit.clash.as_ref()).collect();
    card(ui, |ui| {
        let count = format::count(clashes.len(), "key", "keys");
        card_header(ui, "Clashes", "changed in the file after they were staged", |ui| {
            ui.add(Pill::new(Tone::Amber, format!("{count} to decide")));
        });
        let width = ui.available_width();
        let [base, theirs, mine, buttons] = [0.40, 0.53, 0.66, 0.79].map(|part| part * width);
        let (titles, _) = ui.allocate_exact_size(vec2(width, size::TITLES), Sense::hover());
        let x = titles.left();
        for (from, to, text) in [
            (PAD, base, "Key"),
            (base, theirs, "Was"),
            (theirs, mine, "In the file now"),
            (mine, buttons, "Yours"),
        ] {
            cell_at(ui, titles, x + from, x + to, false, |ui| {
                label(ui, text, theme::medium(11.5), tokens.dim)
            });
        }
        for clash in clashes {
            crate::panel::widgets::card::line(ui);
            let (row, response) = ui.allocate_exact_size(vec2(width, size::ROW), Sense::hover());
            let path = &clash.path;
            let shown = |value: &Option<Value>, gone: &str| {
                value
                    .as_ref()
                    .map_or_else(|| gone.to_owned(), |it| words::value(view.status, path, it))
            };
            let values = [
                (base, theirs, shown(&clash.base, "not set"), tokens.soft),
                (theirs, mine, shown(&clash.file, "removed"), tokens.text),
                (mine, buttons, shown(&clash.mine, "removed"), tokens.amber),
            ];
            response.widget_info(|| {
                let words = format!(
                    "{path} clashes: was {}, in the file {}, yours {}",
                    values[0].2, values[1].2, values[2].2
                );
                WidgetInfo::labeled(Role::Row, true, words)
            });
            cell_at(ui, row, x + PAD, x + base - PAD, false, |ui| {
                label(ui, path.to_string(), theme::mono(), tokens.text)
            });
            for (from, to, text, colour) in values {
                cell_at(ui, row, x + from, x + to - PAD, false, |ui| {
                    label(ui, text, theme::mono(), colour)
                });
            }
            cell_at(ui, row, x + buttons, x + width - PAD, true, |ui| {
                for (text, keep, words) in [
                    ("Mine", Keep::Mine, "Keep the staged value of"),
                    ("File", Keep::Theirs, "Keep the file’s value of"),
                ] {
                    let name = format!("{words} {path}");
                    if ui.add(ActionButton::secondary(text).small().name(name)).clicked() {
                        intents.push(StageIntent::Resolve(path.clone(), keep).into());
                    }
                }
            });
        }
    });
}

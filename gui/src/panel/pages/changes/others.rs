//! Drafts, and what others have staged.

use egui::{Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use setpoint_runtime::Transaction;

use crate::panel::{
    format,
    intent::{Intent, StageIntent},
    pages::{View, words},
    theme::{self, size},
    widgets::{ActionButton, Pill, Tone, card, card_header, cell_at, label, table::PAD},
};

/// The most rows that are shown without scrolling.
const MOST_ROWS: f32 = 4.5;

/// Draws the card: a transaction a row; nothing where there are none.
pub fn show(ui: &mut Ui, view: &View<'_>, narrow: bool, intents: &mut Vec<Intent>) {
    let others: Vec<&Transaction> = view.other_transactions().collect();
    if others.is_empty() {
        return;
    }
    // What is staged already would be mixed with it.
    let busy = view.staged().is_some();
    card(ui, |ui| {
        card_header(
            ui,
            "Drafts and other transactions",
            "kept until committed or discarded",
            |_| {},
        );
        let area = ScrollArea::vertical().id_salt("others").max_height(size::ROW * MOST_ROWS);
        area.auto_shrink([false, true]).show_rows(ui, size::ROW, others.len(), |ui, rows| {
            for open in others.get(rows).unwrap_or_default() {
                row(ui, view, open, busy, narrow, intents);
            }
        });
    });
}

fn row(
    ui: &mut Ui,
    view: &View<'_>,
    open: &Transaction,
    busy: bool,
    narrow: bool,
    intents: &mut Vec<Intent>,
) {
    let tokens = theme::tokens(ui);
    let width = ui.available_width();
    let (row, response) = ui.allocate_exact_size(vec2(width, size::ROW), Sense::hover());
    let line = egui::Stroke::new(1.0, tokens.line);
    ui.painter().hline(row.x_range(), row.top() + 0.5, line);
    let count = format::count(open.edits.len(), "edit", "edits");
    let clashes = open.edits.iter().filter(|edit| edit.clash.is_some()).count();
    let state = match (open.draft, clashes) {
        (_, 1..) => format::count(clashes, "clash", "clashes"),
        (true, _) => "draft".to_owned(),
        (false, _) => "open".to_owned(),
    };
    let who = if open.author.is_empty() { open.origin.as_str() } else { &open.author };
    let opened = words::hour(open.opened, view.zone);
    let what = what(open);
    response.widget_info(|| {
        let words = format!("{} of {who}, {state}, {count}, opened {opened}: {what}", open.id);
        WidgetInfo::labeled(Role::Row, true, words)
    });
    let x = row.left();
    let [state_at, who_at, what_at] = [0.0, 0.13, 0.30].map(|part| x + part * width);
    let buttons = x + width - if narrow { 190.0 } else { 220.0 };
    cell_at(ui, row, state_at + PAD, who_at - PAD, false, |ui| {
        let tone = match (open.draft, clashes) {
            (_, 1..) => Tone::Amber,
            (true, _) => Tone::Neutral,
            (false, _) => Tone::Info,
        };
        ui.add(Pill::new(tone, &state))
    });
    cell_at(ui, row, who_at, what_at - PAD, false, |ui| {
        label(ui, format!("{who} · {opened}"), theme::body(), tokens.soft)
    });
    cell_at(ui, row, what_at, buttons - PAD, false, |ui| {
        label(ui, format!("{count}: {what}"), theme::body(), tokens.text)
    });
    cell_at(ui, row, buttons, x + width - PAD, true, |ui| {
        let discard = ActionButton::secondary("Discard").small();
        if ui.add(discard.name(format!("Discard {}", open.id))).clicked() {
            intents.push(StageIntent::DiscardOne(open.id.clone()).into());
        }
        if open.draft {
            let take_up = ActionButton::secondary("Take up").small().enabled(!busy);
            let answer = ui.add(take_up.name(format!("Take up {}", open.id)));
            let hint = if busy {
                "Commit or discard what is staged first"
            } else {
                "Goes on with it: its edits are staged again"
            };
            if answer.on_hover_text(hint).clicked() && !busy {
                intents.push(StageIntent::TakeUp(open.id.clone()).into());
            }
        }
    });
}

/// Its reason, else the keys it is about.
fn what(open: &Transaction) -> String {
    if !open.message.trim().is_empty() {
        return open.message.clone();
    }
    let keys: Vec<String> =
        open.edits.iter().take(3).map(|edit| words::short_key(&edit.path)).collect();
    let more = open.edits.len().saturating_sub(keys.len());
    match (keys.is_empty(), more) {
        (true, _) => "nothing yet".to_owned(),
        (false, 0) => keys.join(", "),
        (false, more) => format!("{} and {more} more", keys.join(", ")),
    }
}

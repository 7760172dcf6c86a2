//! The table of staged edits.

use egui::{Rect, Role, Sense, Ui, WidgetInfo, vec2};
use setpoint_bench::{Effect, Severity};
use setpoint_instruments::LinkState;
use setpoint_runtime::{StagedEdit, Transaction};

use crate::panel::{
    format, icons,
    intent::{Intent, StageIntent},
    pages::{View, words},
    theme::{self, size},
    widgets::{Pill, Tone, card, card_header, cell_at, icon_button, label, table::PAD},
};

/// Where the columns are, in points from the left edge of the table.
struct Columns {
    key: f32,
    now: f32,
    arrow: f32,
    staged: f32,
    effect: f32,
    note: f32,
    end: f32,
}

impl Columns {
    fn of(width: f32, narrow: bool) -> Self {
        let key = 40.0;
        let effect_width = 224.0;
        if narrow {
            let value = 108.0;
            let effect = width - effect_width - PAD;
            let staged = effect - value - PAD;
            let arrow = staged - 26.0;
            return Self {
                key,
                now: arrow - value,
                arrow,
                staged,
                effect,
                note: width,
                end: width,
            };
        }
        let rest = width - key - 40.0 - effect_width;
        let now = key + rest * 0.36;
        let arrow = now + rest * 0.155;
        let staged = arrow + 40.0;
        let effect = staged + rest * 0.155;
        Self { key, now, arrow, staged, effect, note: effect + effect_width, end: width }
    }
}

/// Draws it.
pub fn show(
    ui: &mut Ui,
    view: &View<'_>,
    open: &Transaction,
    narrow: bool,
    intents: &mut Vec<Intent>,
) {
    card(ui, |ui| {
        card_header(ui, "Staged", &summary(open), |_| {});
        let columns = Columns::of(ui.available_width(), narrow);
        titles(ui, &columns, narrow);
        for (index, edit) in open.edits.iter().enumerate() {
            if row(ui, view, open, edit, &columns, narrow) {
                intents.push(StageIntent::Unstage(vec![edit.path.clone()]).into());
            }
            if index + 1 < open.edits.len() {
                crate::panel::widgets::card::line(ui);
            }
        }
    });
}

fn summary(open: &Transaction) -> String {
    let removals = open.edits.iter().filter(|edit| edit.value.is_none()).count();
    let edits = open.edits.len() - removals;
    let edits = (edits > 0).then(|| format::count(edits, "edit", "edits"));
    let removals = (removals > 0).then(|| format::count(removals, "removal", "removals"));
    edits.into_iter().chain(removals).collect::<Vec<_>>().join(", ")
}

fn titles(ui: &mut Ui, columns: &Columns, narrow: bool) {
    let tokens = theme::tokens(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::TITLES), Sense::hover());
    let mut title = |from: f32, to: f32, right: bool, text: &str| {
        cell_at(ui, row, row.left() + from, row.left() + to, right, |ui| {
            label(ui, text, theme::medium(11.5), tokens.dim)
        });
    };
    title(columns.key, columns.now, false, "Key");
    title(columns.now, columns.arrow, true, "Now");
    title(columns.staged, columns.effect, false, "Staged");
    title(columns.effect, columns.note, false, "Effect");
    if !narrow {
        title(columns.note, columns.end, false, "Note");
    }
    crate::panel::widgets::card::line(ui);
}

/// Draws one edit; tells whether it is to be taken back.
fn row(
    ui: &mut Ui,
    view: &View<'_>,
    open: &Transaction,
    edit: &StagedEdit,
    columns: &Columns,
    narrow: bool,
) -> bool {
    let tokens = theme::tokens(ui);
    let note = note(view, open, edit);
    let stacked = narrow && note.is_some();
    let height = if stacked { 50.0 } else { size::ROW };
    let (row, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let path = edit.path.to_string();
    let now = now(view, edit).unwrap_or_else(|| "not set".to_owned());
    let staged = edit
        .value
        .as_ref()
        .map_or_else(|| "removed".to_owned(), |it| words::value(view.status, &edit.path, it));
    let effect = effect(open, edit);
    let unit = words::unit(view.status, &edit.path);
    response.widget_info(|| {
        let words = format!("{path}: {now} to {staged}{unit}, {}", effect_words(effect));
        WidgetInfo::labeled(Role::Row, true, words)
    });
    let x = row.left();
    let remove = cell_at(ui, row, x + PAD, x + columns.key, false, |ui| {
        icon_button(ui, icons::CLOSE, 20.0, &format!("Take back {path}")).clicked()
    });
    let line = if stacked { Rect::from_min_size(row.min, vec2(row.width(), 31.0)) } else { row };
    cell_at(ui, line, x + columns.key, x + columns.now - PAD, false, |ui| {
        label(ui, &path, theme::mono(), tokens.text)
    });
    cell_at(ui, row, x + columns.now, x + columns.arrow, true, |ui| {
        label(ui, now, theme::mono(), tokens.old_value)
    });
    cell_at(ui, row, x + columns.arrow, x + columns.staged, false, |ui| {
        ui.add_space((columns.staged - columns.arrow - 14.0) / 2.0);
        label(ui, icons::ARROW_RIGHT, theme::icon(14.0), tokens.dim)
    });
    cell_at(ui, row, x + columns.staged, x + columns.effect - PAD, false, |ui| {
        let removed = edit.value.is_none();
        let colour = if removed { tokens.amber } else { tokens.new_value };
        label(ui, format!("{staged}{unit}"), theme::mono(), colour)
    });
    cell_at(ui, row, x + columns.effect, x + columns.note, false, |ui| {
        let tone = effect.map_or(Tone::Neutral, words::effect_tone);
        ui.add(Pill::new(tone, effect_words(effect)).plain())
    });
    if let Some((text, tone)) = note {
        let colour = if tone == Tone::Neutral { tokens.soft } else { tone.colour(tokens) };
        if stacked {
            let below = Rect::from_min_max(
                egui::pos2(row.left(), row.top() + 25.0),
                row.max - vec2(0.0, 5.0),
            );
            cell_at(ui, below, x + columns.key, x + columns.effect - PAD, false, |ui| {
                label(ui, text, theme::small(), colour)
            });
        } else {
            cell_at(ui, row, x + columns.note, x + columns.end - PAD, false, |ui| {
                label(ui, text, theme::body(), colour)
            });
        }
    }
    remove
}

/// The value that runs.
fn now(view: &View<'_>, edit: &StagedEdit) -> Option<String> {
    let value = match &edit.clash {
        Some(clash) => clash.file.as_ref(),
        None => edit.base.as_ref(),
    };
    value.map(|value| words::value(view.status, &edit.path, value))
}

/// The greatest effect among what this edit changes; `None` as long as that is worked out.
fn effect(open: &Transaction, edit: &StagedEdit) -> Option<Effect> {
    if open.pending {
        return None;
    }
    let greatest = open
        .changes
        .iter()
        .filter(|change| change.path.starts_with(&edit.path) || edit.path.starts_with(&change.path))
        .map(|change| change.effect)
        .max();
    Some(greatest.unwrap_or(Effect::None))
}

fn effect_words(effect: Option<Effect>) -> &'static str {
    effect.map_or("Being worked out", words::effect)
}

/// What is worth knowing before this edit is committed.
fn note(view: &View<'_>, open: &Transaction, edit: &StagedEdit) -> Option<(String, Tone)> {
    let path = edit.path.to_string();
    let finding = open.diagnostics.iter().find(|finding| finding.path == path);
    if let Some(finding) = finding {
        let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Amber };
        return Some((finding.message.clone(), tone));
    }
    if edit.clash.is_some() {
        return Some(("changed by someone else meanwhile".to_owned(), Tone::Amber));
    }
    let status = view.status;
    match edit.path.names() {
        [top, id, ..] if top == "instruments" => {
            let instrument = status.instruments.get(id)?;
            if instrument.state == LinkState::Offline && edit.value.is_some() {
                return Some((format!("{id} is offline; it is set when it answers"), Tone::Amber));
            }
            let (_, parameter) = edit.path.as_setpoint()?;
            let hazard = instrument.parameters.get(&parameter)?.hazard.as_ref()?;
            Some((hazard.clone(), Tone::Amber))
        }
        [top, id, ..] if top == "sources" => match status.sources.get(id)?.measured.viewers {
            0 => None,
            1 => Some(("1 viewer keeps its session".to_owned(), Tone::Neutral)),
            many => Some((format!("{many} viewers keep their session"), Tone::Neutral)),
        },
        _ => None,
    }
}

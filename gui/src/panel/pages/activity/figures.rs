//! Five figures about reloads. Only what was measured is shown.

use egui::{Frame, Margin, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2};
use setpoint_bench::Value;
use setpoint_runtime::{Origin, Outcome};

use crate::panel::{
    format,
    pages::{View, words},
    theme::{self, size},
    widgets::label,
};

/// Shown where nothing was measured yet.
const NONE: &str = "—";

struct Figure {
    title: &'static str,
    value: String,
    words: String,
}

/// Draws them in a row.
pub fn show(ui: &mut Ui, view: &View<'_>) {
    let figures = figures(view);
    #[allow(clippy::cast_precision_loss, reason = "five")]
    let count = figures.len() as f32;
    let gap = size::GAP;
    let width = (ui.available_width() - gap * (count - 1.0)) / count;
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 90.0), Sense::hover());
    let mut left = row.left();
    for figure in figures {
        let place = egui::Rect::from_min_size(egui::pos2(left, row.top()), vec2(width, 90.0));
        left += width + gap;
        one(ui, place, &figure);
    }
}

fn one(ui: &mut Ui, place: egui::Rect, figure: &Figure) {
    let tokens = theme::tokens(ui);
    let response = ui.allocate_rect(place, Sense::hover());
    response.widget_info(|| {
        let text = format!("{}: {}, {}", figure.title, figure.value, figure.words);
        WidgetInfo::labeled(Role::Group, true, text)
    });
    let mut inside = ui.new_child(UiBuilder::new().max_rect(place));
    let ui = &mut inside;
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::symmetric(14, 13))
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.spacing_mut().item_spacing.y = 5.0;
            label(ui, figure.title, theme::small(), tokens.dim);
            label(ui, &figure.value, theme::strong(19.0), tokens.text);
            label(ui, &figure.words, theme::small(), tokens.soft);
        });
}

fn figures(view: &View<'_>) -> [Figure; 5] {
    let status = view.status;
    let reload = &status.reload;
    let began = status.events.first().filter(|first| first.seq == 1);
    let since = match began {
        Some(first) => format!("since {}", words::hour(first.at, view.zone)),
        None => "since Setpoint started".to_owned(),
    };
    let last = reload.last.as_ref();
    let ms = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), format::millis);
    // What was refused was not applied: how long that took is no time to applied.
    let applied = last.filter(|last| last.outcome != Outcome::Rejected);
    let (whole, whole_words) = match last {
        Some(last) if last.outcome == Outcome::Rejected => {
            ("Save to applied", "the last one was refused".to_owned())
        }
        Some(last) if last.origin == Origin::File => {
            let settle = format::millis(last.timings_ms.settle);
            ("Save to applied", format!("last: {settle} to settle"))
        }
        Some(last) => {
            let apply = format::millis(last.timings_ms.apply);
            ("Asked to applied", format!("last: {apply} to apply"))
        }
        None => ("Save to applied", "no save yet".to_owned()),
    };
    let thought = last.map(|it| it.timings_ms.parse + it.timings_ms.check + it.timings_ms.plan);
    let viewers: u32 = status.sources.values().map(|source| source.measured.viewers).sum();
    [
        Figure { title: "Reloads applied", value: reload.applied.to_string(), words: since },
        Figure {
            title: "Rejected",
            value: reload.rejected.to_string(),
            words: "none reached the bench".to_owned(),
        },
        Figure {
            title: whole,
            value: ms(applied.map(|last| last.timings_ms.total)),
            words: whole_words,
        },
        Figure {
            title: "Validate + plan",
            value: ms(thought),
            words: format::count(keys(&status.values), "key", "keys"),
        },
        Figure {
            title: "Streams interrupted",
            value: last.map_or_else(|| NONE.to_owned(), |last| last.interrupted.to_string()),
            words: match last {
                Some(_) => {
                    format!("{}, last change", format::count(viewers as usize, "viewer", "viewers"))
                }
                None => "no change yet".to_owned(),
            },
        },
    ]
}

/// How many keys hold a value of their own.
fn keys(values: &Value) -> usize {
    match values {
        Value::Table(table) => table.values().map(keys).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_keys_with_a_value_of_their_own_are_counted() {
        let values = crate::values::of("a = 1\n[b]\nc.d = [1, 2]\nc.e = 'x'\n[f]\n");
        assert_eq!(super::keys(&values), 3);
    }
}

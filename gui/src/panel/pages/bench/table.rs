//! The table of instruments.

use egui::{Align2, Key, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use egui_extras::{Column, TableRow};
use jiff::Timestamp;
use setpoint_instruments::Quality;

use super::{
    BenchState, Subject,
    rows::{Row, Standing, rows},
};
use crate::panel::{
    format,
    pages::{View, inspector::short_name},
    theme::{self, Tokens, size},
    widgets::{
        card, card_header, label, sparkline,
        table::{bottom_line, cell, table, title},
        text_input, two_lines,
    },
};

/// Which columns there is room for.
#[derive(Debug, Clone, Copy)]
struct Columns {
    kind: bool,
    trend: bool,
}

/// Draws the table in its card.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut BenchState) {
    let rows = rows(view, &state.filter);
    let count = view.status.instruments.len();
    let columns =
        Columns { kind: ui.available_width() >= 800.0, trend: ui.available_width() >= 690.0 };
    walk_with_keys(ui, view, state, &rows);
    let filtered = !state.filter.trim().is_empty();
    let words = if filtered {
        format!("{count} · {} found", format::count(rows.len(), "parameter", "parameters"))
    } else {
        format!("{count} · {}", format::count(rows.len(), "parameter", "parameters"))
    };
    card(ui, |ui| {
        card_header(ui, "Instruments", &words, |ui| {
            let hint = "Filter, e.g. state:off unit:V";
            let width = 252.0_f32.min(ui.available_width() - 120.0).max(80.0);
            text_input(ui, &mut state.filter, "Filter instruments", hint, width, true);
        });
        if rows.is_empty() {
            nothing(ui, filtered, count);
        } else {
            ui.push_id("instruments", |ui| draw(ui, view, state, &rows, columns));
        }
    });
}

fn nothing(ui: &mut Ui, filtered: bool, count: usize) {
    let tokens = theme::tokens(ui);
    let words = if filtered {
        "No parameter matches the filter."
    } else if count == 0 {
        "No instruments in the bench file."
    } else {
        "Nothing was set or read yet."
    };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 64.0), Sense::hover());
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, words, theme::body(), tokens.soft);
}

/// Up and down go from row to row while no field has the keys.
fn walk_with_keys(ui: &Ui, view: &View<'_>, state: &mut BenchState, rows: &[Row<'_>]) {
    let idle = ui.memory(|memory| memory.focused().is_none()) && !ui.ctx().any_popup_open();
    if !idle || rows.is_empty() {
        return;
    }
    let (up, down) =
        ui.input(|input| (input.key_pressed(Key::ArrowUp), input.key_pressed(Key::ArrowDown)));
    if up == down {
        return;
    }
    let subject = state.subject(view);
    let here = rows.iter().position(|row| is_chosen(row, subject.as_ref()));
    let next = match here {
        Some(here) if up => here.saturating_sub(1),
        Some(here) => (here + 1).min(rows.len() - 1),
        None => 0,
    };
    choose(state, &rows[next]);
    state.scroll_to = Some(next);
}

fn choose(state: &mut BenchState, row: &Row<'_>) {
    state.chosen = Some(Subject::Instrument {
        id: row.instrument.id.clone(),
        parameter: row.parameter.map(|parameter| parameter.name.clone()),
    });
}

fn is_chosen(row: &Row<'_>, subject: Option<&Subject>) -> bool {
    let Some(Subject::Instrument { id, parameter }) = subject else { return false };
    *id == row.instrument.id
        && match parameter {
            Some(name) => row.parameter.is_some_and(|parameter| parameter.name == *name),
            None => row.first,
        }
}

fn draw(ui: &mut Ui, view: &View<'_>, state: &mut BenchState, rows: &[Row<'_>], columns: Columns) {
    let subject = state.subject(view);
    let height = ui.available_height() - size::TITLES - 2.0;
    let narrow = !columns.trend;
    let mut builder = table(ui, "rows")
        .max_scroll_height(height.max(120.0))
        .column(Column::exact(if narrow { 86.0 } else { 88.0 }).clip(true));
    if columns.kind {
        builder = builder.column(Column::exact(128.0).clip(true));
    }
    builder = builder
        .column(Column::remainder().at_least(96.0).clip(true))
        .column(Column::exact(118.0).clip(true))
        .column(Column::exact(if narrow { 74.0 } else { 84.0 }).clip(true))
        .column(Column::exact(42.0).clip(true));
    if columns.trend {
        builder = builder.column(Column::exact(88.0).clip(true));
    }
    builder = builder.column(Column::exact(146.0).clip(true));
    if let Some(row) = state.scroll_to.take() {
        builder = builder.scroll_to_row(row, None);
    }
    let head = |mut row: TableRow<'_, '_>| {
        title(&mut row, "Instrument", false);
        if columns.kind {
            title(&mut row, "Type", false);
        }
        title(&mut row, "Parameter", false);
        title(&mut row, "Setpoint", true);
        title(&mut row, "Readback", true);
        title(&mut row, "Unit", false);
        if columns.trend {
            title(&mut row, "Last 60 s", false);
        }
        title(&mut row, "State", false);
    };
    let mut clicked = None;
    let scroll = builder.header(size::TITLES, head);
    scroll.body(|body| {
        body.rows(size::ROW, rows.len(), |mut line| {
            let row = &rows[line.index()];
            let chosen = is_chosen(row, subject.as_ref());
            one(&mut line, row, columns, view.now, chosen);
            if line.response().clicked() {
                clicked = Some(line.index());
            }
        });
    });
    if let Some(index) = clicked {
        choose(state, &rows[index]);
    }
}

fn one(line: &mut TableRow<'_, '_>, row: &Row<'_>, columns: Columns, now: Timestamp, chosen: bool) {
    let standing = row.standing(now);
    let put = |line: &mut TableRow<'_, '_>, right: bool, add: &mut dyn FnMut(&mut Ui)| {
        line.col(|ui| {
            ground(ui, chosen);
            cell(ui, right, add);
        });
    };
    let (instrument, parameter) = (row.instrument, row.parameter);
    put(line, false, &mut |ui| {
        let tokens = theme::tokens(ui);
        if row.first {
            two_lines(ui, &instrument.id, theme::medium(13.0), tokens.text);
        }
    });
    if columns.kind {
        put(line, false, &mut |ui| {
            let tokens = theme::tokens(ui);
            if row.first {
                label(ui, short_name(&instrument.driver_name), theme::body(), tokens.dim)
                    .on_hover_text(&instrument.driver_name);
            }
        });
    }
    put(line, false, &mut |ui| {
        let tokens = theme::tokens(ui);
        let name = parameter.map_or("—", |parameter| parameter.name.as_str());
        let font = if columns.trend { theme::mono() } else { theme::mono_small() };
        two_lines(ui, name, font, tokens.text);
    });
    put(line, true, &mut |ui| setpoint(ui, row));
    put(line, true, &mut |ui| readback(ui, row, &standing));
    put(line, false, &mut |ui| {
        let tokens = theme::tokens(ui);
        let unit = parameter.and_then(|parameter| parameter.unit.as_deref()).unwrap_or("");
        label(ui, unit, theme::body(), tokens.dim);
    });
    if columns.trend {
        put(line, false, &mut |ui| trend(ui, row, &standing, now));
    }
    put(line, false, &mut |ui| {
        let pill = standing.pill().at_most(ui.available_width() + 8.0);
        let answer = ui.add(pill);
        if let Some(error) = &instrument.error {
            answer.on_hover_text(error);
        }
    });
    let text = format!("{}, {}", row.name(), standing.text());
    line.response().widget_info(|| WidgetInfo::selected(Role::Row, true, chosen, &text));
}

/// What is behind a cell: chosen or not, and the line below.
fn ground(ui: &Ui, chosen: bool) {
    let tokens = theme::tokens(ui);
    if chosen {
        ui.painter().rect_filled(ui.max_rect(), 0, tokens.accent_ground);
    } else if ui.rect_contains_pointer(ui.max_rect()) {
        ui.painter().rect_filled(ui.max_rect(), 0, tokens.neutral_ground.gamma_multiply(0.5));
    }
    bottom_line(ui);
}

fn setpoint(ui: &mut Ui, row: &Row<'_>) {
    let tokens = theme::tokens(ui);
    let Some(parameter) = row.parameter else {
        label(ui, "—", theme::mono(), tokens.dim);
        return;
    };
    let decimals = parameter.decimals;
    let running = parameter.setpoint.as_ref().map(|value| format::param(value, decimals));
    match row.staged {
        Some(edit) => {
            let value = edit.value.as_ref().map(|value| format::value(value, decimals));
            let old = running.as_deref().unwrap_or("—");
            staged_box(ui, &format!("{old} → {}", value.as_deref().unwrap_or("none")), tokens);
        }
        None => match running {
            Some(text) => {
                label(ui, text, theme::mono(), tokens.text);
            }
            None => {
                label(ui, "—", theme::mono(), tokens.dim);
            }
        },
    }
}

/// Old and new beside each other, framed in amber.
fn staged_box(ui: &mut Ui, text: &str, tokens: &Tokens) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::mono(), tokens.text);
    // The frame reaches beyond the column's edge, so that the digits stand in line with others.
    let wide = (galley.size().x + 18.0).min(ui.available_width() + 16.0);
    let (rect, response) = ui.allocate_exact_size(vec2(wide - 16.0, 25.0), Sense::hover());
    let rect = rect.expand2(vec2(8.0, 0.0));
    let painter = ui.painter();
    let outline = Stroke::new(1.0, tokens.amber);
    painter.rect(rect, size::RADIUS, tokens.field, outline, StrokeKind::Inside);
    let bar = Rect::from_min_max(rect.min, pos2(rect.left() + 4.0, rect.bottom()));
    let radius = egui::CornerRadius { nw: size::RADIUS, sw: size::RADIUS, ne: 0, se: 0 };
    painter.rect_filled(bar, radius, tokens.amber);
    let clip = painter.with_clip_rect(rect.shrink(2.0).intersect(ui.clip_rect()));
    let at = pos2(rect.left() + 10.0, rect.center().y - galley.size().y / 2.0);
    clip.galley(at, galley, tokens.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("staged {text}")));
    response.on_hover_text(text);
}

fn readback(ui: &mut Ui, row: &Row<'_>, standing: &Standing) {
    let tokens = theme::tokens(ui);
    let text = row
        .parameter
        .and_then(|parameter| Some(format::param(parameter.readback.as_ref()?, parameter.decimals)))
        .unwrap_or_else(|| "—".to_owned());
    let fresh = row.parameter.is_some_and(|parameter| parameter.quality == Quality::Good);
    let colour = match standing {
        Standing::Off(_) => tokens.bad,
        _ if fresh => tokens.text,
        _ => tokens.dim,
    };
    label(ui, text, theme::mono(), colour);
}

fn trend(ui: &mut Ui, row: &Row<'_>, standing: &Standing, now: Timestamp) {
    let tokens = theme::tokens(ui);
    let Some(parameter) = row.parameter else { return };
    if parameter.trend.is_empty() {
        return;
    }
    let colour = match standing {
        Standing::Off(_) | Standing::Invalid => tokens.bad,
        Standing::Stale(_) | Standing::Offline(_) | Standing::Disabled => tokens.dim,
        _ => tokens.accent,
    };
    let digits = i32::try_from(parameter.decimals.unwrap_or(3)).unwrap_or(3);
    let least_span = 6.0 * 10f64.powi(-digits);
    let name = format!("{} trend", row.name());
    sparkline(ui, vec2(68.0, 20.0), &parameter.trend, now, least_span, colour, &name);
}

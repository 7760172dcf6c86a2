//! What happened, newest first: what is in memory, and what a search finds in the history.

use std::sync::Arc;

use egui::{Align2, Layout, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2};
use setpoint_runtime::{Event, Subject, Tone as EventTone};

use super::ActivityState;
use crate::panel::{
    answers::Search,
    format, icons,
    intent::{HistoryIntent, Intent},
    pages::View,
    search::{self, EventSearch},
    theme::{self, Tokens},
    widgets::{Mark, card, cell_at, label, paint_mark, text_input, width_of},
};

const ROW: f32 = 31.0;
const TIME: f32 = 112.0;
const MARK: f32 = 30.0;
const TOOK: f32 = 84.0;

/// The tabs, with the events they show.
const TABS: [(&str, Option<Subject>); 4] = [
    ("All", None),
    ("Configuration", Some(Subject::Configuration)),
    ("Instruments", Some(Subject::Instruments)),
    ("Sources", Some(Subject::Sources)),
];

/// Where a search of the history stands.
#[derive(Debug, Default)]
pub struct Searched {
    /// As it was typed, and the number before which the history is asked: what comes later is in
    /// memory.
    of: Option<(String, u64)>,
    /// What was found, newest first.
    found: Option<Arc<Vec<Arc<Event>>>>,
}

/// Draws the card; it takes the room that is left.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut ActivityState, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    let height = ui.available_height().max(ROW * 4.0);
    card(ui, |ui| {
        ui.set_height(height - 2.0);
        head(ui, state);
        crate::panel::widgets::card::line(ui);
        let wanted = match search::events(&state.filter, view.now, view.zone) {
            Ok(wanted) => wanted,
            Err(problem) => {
                nothing(ui, &problem, tokens.bad);
                return;
            }
        };
        let mut more = false;
        let earlier = earlier(view, state, &wanted, &mut more, intents);
        let shown: Vec<&Arc<Event>> = view
            .status
            .events
            .iter()
            .rev()
            .chain(earlier.iter().flat_map(|found| found.iter()))
            .filter(|event| state.subject.is_none_or(|subject| event.subject == subject))
            .filter(|event| matches(event, &wanted))
            .collect();
        if shown.is_empty() {
            let text = match (more, wanted.is_empty() && state.subject.is_none()) {
                (true, _) => "Searching the history…",
                (false, true) => "Nothing happened yet",
                (false, false) => "Nothing matches",
            };
            nothing(ui, text, tokens.soft);
            return;
        }
        ScrollArea::vertical().id_salt("events").auto_shrink([false, false]).show_rows(
            ui,
            ROW,
            shown.len(),
            |ui, range| {
                for event in shown.get(range).unwrap_or_default() {
                    row(ui, view, event);
                }
            },
        );
    });
}

fn nothing(ui: &mut Ui, text: &str, colour: egui::Color32) {
    ui.add_space(24.0);
    ui.vertical_centered(|ui| {
        label(ui, text, theme::body(), colour);
    });
}

/// What a search found in the history before the oldest event in memory; asks for it where there
/// may be something. `more` says that it is on its way.
fn earlier(
    view: &View<'_>,
    state: &mut ActivityState,
    wanted: &EventSearch,
    more: &mut bool,
    intents: &mut Vec<Intent>,
) -> Option<Arc<Vec<Arc<Event>>>> {
    let everything = wanted.is_empty() && state.subject.is_none();
    let oldest = view.status.events.first().map_or(0, |oldest| oldest.seq);
    if everything || oldest <= 1 {
        state.searched = Searched::default();
        return None;
    }
    let typed = state.filter.trim();
    let same = state.searched.of.as_ref().filter(|(of, before)| of == typed && oldest <= *before);
    let before = match same {
        Some((_, before)) => *before,
        // Something else is looked for, or memory has let go of events since.
        None => {
            state.searched = Searched { of: Some((typed.to_owned(), oldest)), found: None };
            oldest
        }
    };
    if state.searched.found.is_none() {
        let search = Search { typed: typed.to_owned(), stamp: format!("before {before}") };
        match view.answers.events.get(&search) {
            Some(Ok(found)) => state.searched.found = Some(found.clone()),
            Some(Err(_)) => {}
            None => {
                *more = true;
                if !view.answers.events.is_busy() {
                    let mut filter = wanted.filter.clone();
                    filter.before = Some(before);
                    intents.push(HistoryIntent::FindEvents(search, filter).into());
                }
            }
        }
    }
    state.searched.found.clone()
}

fn matches(event: &Event, wanted: &EventSearch) -> bool {
    let filter = &wanted.filter;
    filter.path.as_ref().is_none_or(|key| search::is_below(&event.path, key))
        && filter.kind.as_ref().is_none_or(|kind| event.kind == *kind)
        && filter.origin.as_ref().is_none_or(|origin| event.origin.as_str() == origin)
        && filter.from.is_none_or(|from| event.at >= from)
        && filter.until.is_none_or(|until| event.at <= until)
        && wanted.words.iter().all(|word| {
            [event.message.as_str(), event.path.as_str(), &*event.kind, event.origin.as_str()]
                .into_iter()
                .any(|text| text.to_lowercase().contains(word))
        })
}

fn head(ui: &mut Ui, state: &mut ActivityState) {
    let tokens = theme::tokens(ui);
    egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 0)).show(ui, |ui| {
        let room = vec2(ui.available_width(), 44.0);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 9.0;
            label(ui, "Events", theme::strong(13.0), tokens.text);
            for (text, subject) in TABS {
                if tab(ui, text, state.subject == subject).clicked() {
                    state.subject = subject;
                }
            }
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let width = ui.available_width().clamp(60.0, 260.0);
                let hint = "path:instruments.psu since:2h";
                text_input(ui, &mut state.filter, "Filter events", hint, width, true)
                    .on_hover_text(search::EVENTS);
            });
        });
    });
}

fn tab(ui: &mut Ui, text: &str, selected: bool) -> egui::Response {
    let tokens = theme::tokens(ui);
    let font = theme::medium(12.0);
    let width = width_of(ui, text, font.clone());
    let (rect, response) = ui.allocate_exact_size(vec2(width + 20.0, 23.0), Sense::click());
    let (ground, colour) = if selected {
        (tokens.accent_ground, tokens.accent)
    } else {
        (tokens.neutral_ground, tokens.soft)
    };
    ui.painter().rect_filled(rect, 11.5, ground);
    if response.has_focus() || response.hovered() {
        let ring = Stroke::new(1.0, tokens.accent);
        ui.painter().rect_stroke(rect, 11.5, ring, egui::StrokeKind::Inside);
    }
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, colour);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, selected, text));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

fn row(ui: &mut Ui, view: &View<'_>, event: &Event) {
    let tokens = theme::tokens(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let time = format::clock_ms(event.at, view.zone);
    response.widget_info(|| {
        let text = format!("{time} {}", event.message);
        WidgetInfo::labeled(Role::Row, true, text)
    });
    let left = row.left();
    cell_at(ui, row, left + 10.0, left + TIME, false, |ui| {
        label(ui, time, theme::mono(), tokens.dim)
    });
    let centre = egui::pos2(left + TIME + MARK / 2.0, row.center().y);
    sign(ui, event.tone, centre, tokens);
    let took = if event.took_ms.is_some() { TOOK } else { 10.0 };
    let text = left + TIME + MARK + 10.0;
    cell_at(ui, row, text, row.right() - took, false, |ui| {
        label(ui, event.message.as_str(), theme::body(), tokens.text)
    });
    if let Some(ms) = event.took_ms {
        cell_at(ui, row, row.right() - TOOK, row.right() - 10.0, true, |ui| {
            label(ui, format::millis(ms), theme::mono(), tokens.dim)
        });
    }
    let line = Stroke::new(1.0, tokens.line);
    ui.painter().hline(row.x_range(), row.bottom() - 0.5, line);
}

fn sign(ui: &Ui, tone: EventTone, centre: egui::Pos2, tokens: &Tokens) {
    let painter = ui.painter();
    let icon = |icon: &str, colour| {
        painter.text(centre, Align2::CENTER_CENTER, icon, theme::icon(14.0), colour);
    };
    match tone {
        EventTone::Info => paint_mark(painter, Mark::Dot, centre, 9.5, tokens.accent),
        EventTone::Good => paint_mark(painter, Mark::Dot, centre, 9.5, tokens.good),
        EventTone::Warning => paint_mark(painter, Mark::Square, centre, 9.5, tokens.amber),
        EventTone::Error => paint_mark(painter, Mark::Triangle, centre, 10.5, tokens.bad),
        EventTone::Staged => icon(icons::CHANGES, tokens.amber),
        EventTone::Kept => icon(icons::STAR, tokens.accent),
    }
}

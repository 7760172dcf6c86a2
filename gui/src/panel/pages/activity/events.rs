//! What happened, newest first: what is in memory, and what a search finds in the history.

use std::sync::Arc;

use egui::{Align2, Layout, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2};
use setpoint_runtime::{Event, EventFilter, Subject, Tone as EventTone};

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
    /// As it was typed.
    typed: String,
    /// The number before which the history is asked; zero: it was not asked yet.
    before: u64,
    /// The answer is not here yet.
    waits: bool,
    /// What was found, newest first. Some of it may be in memory too.
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
        let oldest = oldest(view);
        let in_memory = view.status.events.iter().rev().filter(|event| matches(event, &wanted));
        let earlier = earlier.iter().flat_map(|found| found.iter());
        let shown: Vec<&Arc<Event>> = in_memory
            .chain(earlier.filter(|event| event.seq < oldest))
            .filter(|event| state.subject.is_none_or(|subject| event.subject == subject))
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

/// The number of the oldest event in memory.
fn oldest(view: &View<'_>) -> u64 {
    view.status.events.first().map_or(0, |oldest| oldest.seq)
}

/// What a search found in the history; asks for it where there may be something that is not in
/// memory. `more` says that nothing is here yet and something is on its way.
fn earlier(
    view: &View<'_>,
    state: &mut ActivityState,
    wanted: &EventSearch,
    more: &mut bool,
    intents: &mut Vec<Intent>,
) -> Option<Arc<Vec<Arc<Event>>>> {
    let everything = wanted.is_empty() && state.subject.is_none();
    let oldest = oldest(view);
    if everything || oldest <= 1 {
        state.searched = Searched::default();
        return None;
    }
    let (searched, typed) = (&mut state.searched, state.filter.trim());
    if searched.typed != typed {
        *searched = Searched { typed: typed.to_owned(), ..Searched::default() };
    }
    if searched.before < oldest {
        // Memory lets go of an event with each new one: asked up to now, the answer is good until
        // all that is in memory now has left it.
        searched.before = view.status.events.last().map_or(oldest, |newest| newest.seq + 1);
        searched.waits = true;
    }
    if searched.waits {
        let stamp = format!("before {}", searched.before);
        let search = Search { typed: typed.to_owned(), stamp };
        match view.answers.events.get(&search) {
            Some(answer) => {
                searched.waits = false;
                let found = answer.iter().flat_map(|found| found.iter());
                let found = found.filter(|event| matches(event, wanted)).cloned().collect();
                searched.found = Some(Arc::new(found));
            }
            None => {
                *more = searched.found.is_none();
                if !view.answers.events.is_busy() {
                    let filter =
                        EventFilter { before: Some(searched.before), ..wanted.filter.clone() };
                    intents.push(HistoryIntent::FindEvents(search, filter).into());
                }
            }
        }
    }
    searched.found.clone()
}

/// What one change did to each of several components: the event of the change itself tells enough
/// until someone looks for something.
const OF_PARTS: [&str; 2] = ["component_changed", "component_refused"];

fn matches(event: &Event, wanted: &EventSearch) -> bool {
    let filter = &wanted.filter;
    if OF_PARTS.contains(&&*event.kind)
        && (filter.path.is_none() && filter.kind.is_none() && wanted.words.is_empty())
    {
        return false;
    }
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
        EventTone::Info => paint_mark(painter, Mark::Ring, centre, 9.5, tokens.accent),
        EventTone::Good => paint_mark(painter, Mark::Dot, centre, 9.5, tokens.good),
        EventTone::Warning => paint_mark(painter, Mark::Square, centre, 9.5, tokens.amber),
        EventTone::Error => paint_mark(painter, Mark::Triangle, centre, 10.5, tokens.bad),
        EventTone::Staged => icon(icons::CHANGES, tokens.amber),
        EventTone::Kept => icon(icons::STAR, tokens.accent),
    }
}

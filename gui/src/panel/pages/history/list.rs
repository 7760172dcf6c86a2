//! The list of revisions.

use egui::{Align2, Frame, Margin, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use setpoint_runtime::Revision;

use super::{
    HistoryState,
    found::found,
    kept,
    naming::{self, Naming},
};
use crate::panel::{
    format,
    intent::Intent,
    pages::{View, words},
    search, theme,
    widgets::{ActionButton, Pill, Tone, label, text_input},
};

const ROW: f32 = 53.0;
const ID: f32 = 12.0;
const TEXT: f32 = 54.0;

/// Draws it; returns the revision that was chosen.
pub fn show(
    ui: &mut Ui,
    view: &View<'_>,
    selected: Option<&str>,
    state: &mut HistoryState,
    intents: &mut Vec<Intent>,
) -> Option<String> {
    let tokens = theme::tokens(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let revisions = view.status.revisions.as_slice();
    Frame::new().inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
        let head = vec2(ui.available_width(), 37.0);
        ui.allocate_ui_with_layout(head, egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            label(ui, "History", theme::strong(13.0), tokens.text);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let snapshot = ui.add(ActionButton::secondary("Snapshot").small());
                let hint = "Keeps what runs as a revision with a name, for good";
                if snapshot.on_hover_text(hint).clicked() {
                    state.naming = Some(Naming::snapshot());
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    label(ui, kept(revisions), theme::small(), tokens.soft);
                });
            });
        });
    });
    crate::panel::widgets::card::line(ui);
    naming::show(ui, view, &mut state.naming, intents);
    let typed = &mut state.search;
    let focused = Frame::new().inner_margin(Margin::symmetric(12, 9)).show(ui, |ui| {
        let (width, hint) = (ui.available_width(), "voltage author:ada since:2h…");
        let field = text_input(ui, typed, "Search revisions", hint, width, false);
        field.on_hover_text(search::REVISIONS).has_focus()
    });
    let found = found(view, state, intents);
    let nothing = if found.more { "Searching…" } else { "Nothing matches" };
    let words = match &found.problem {
        Some(problem) => Some((problem.as_str(), tokens.bad)),
        None if found.revisions.is_empty() && !revisions.is_empty() => Some((nothing, tokens.soft)),
        None if focused.inner && state.search.is_empty() => Some((search::REVISIONS, tokens.soft)),
        None => None,
    };
    if let Some((words, colour)) = words {
        Frame::new().inner_margin(Margin { left: 12, right: 12, top: 0, bottom: 9 }).show(
            ui,
            |ui| {
                let text = egui::RichText::new(words).font(theme::small()).color(colour);
                ui.add(egui::Label::new(text).wrap());
            },
        );
    }
    crate::panel::widgets::card::line(ui);
    let found = found.revisions;
    let mut chosen = None;
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(
        ui,
        ROW,
        found.len(),
        |ui, rows| {
            for one in found.get(rows).unwrap_or_default() {
                if row(ui, view, one, selected == Some(one.id.as_str())) {
                    chosen = Some(one.id.clone());
                }
            }
        },
    );
    chosen
}

fn row(ui: &mut Ui, view: &View<'_>, revision: &Revision, selected: bool) -> bool {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let running = view.status.revision.as_ref().is_some_and(|now| now.id == revision.id);
    let when = format::day_and_time(revision.at, view.now, view.zone);
    let who = words::author(revision);
    response.widget_info(|| {
        let now = if running { ", runs now" } else { "" };
        let words = format!("{} {}{now}, {when}, {who}", revision.id, revision.message);
        WidgetInfo::selected(Role::ListBoxOption, true, selected, words)
    });
    let painter = ui.painter();
    if selected {
        painter.rect_filled(rect, 0, tokens.accent_ground);
    } else if response.hovered() {
        painter.rect_filled(rect, 0, tokens.card);
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(1.0, tokens.accent);
        painter.rect_stroke(rect.shrink(1.0), 2, ring, egui::StrokeKind::Inside);
    }
    let line = egui::Stroke::new(1.0, tokens.line);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, line);
    let (upper, lower) = (rect.top() + 18.0, rect.top() + 36.0);
    let soft = if selected { tokens.soft } else { tokens.dim };
    let id = pos2(rect.left() + ID, upper);
    painter.text(id, Align2::LEFT_CENTER, &revision.id, theme::mono_small(), soft);

    // Pills stand behind the message where there is room, else the message is cut.
    let now = running.then(|| Pill::new(Tone::Good, "now").plain());
    let kept = revision
        .label
        .as_ref()
        .map(|name| Pill::new(Tone::Info, format!("★ {name}")).plain().at_most(120.0));
    let pills: Vec<_> = now.into_iter().chain(kept).collect();
    let pills_width: f32 = pills.iter().map(|pill| pill.size(ui).x + 6.0).sum();
    let room = rect.width() - TEXT - 10.0 - pills_width;
    let text = cut(ui, &revision.message, theme::body(), tokens.text, room);
    let left = rect.left() + TEXT;
    let mut right = left + text.size().x + 6.0;
    let at = Align2::LEFT_CENTER.anchor_size(pos2(left, upper), text.size());
    let whole = !text.elided;
    ui.painter().galley(at.min, text, tokens.text);
    for pill in pills {
        let place = pill.paint_at(ui, pos2(right, upper - 11.5));
        right = place.right() + 6.0;
    }
    let below =
        cut(ui, &format!("{when} · {who}"), theme::small(), soft, rect.width() - TEXT - 10.0);
    let at = Align2::LEFT_CENTER.anchor_size(pos2(left, lower), below.size());
    ui.painter().galley(at.min, below, soft);
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    let response = if whole { response } else { response.on_hover_text(revision.message.as_str()) };
    response.clicked()
}

fn cut(
    ui: &Ui,
    text: &str,
    font: egui::FontId,
    colour: egui::Color32,
    room: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(20.0));
    ui.painter().layout_job(job)
}

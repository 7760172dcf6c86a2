//! The page History: every revision, what differs from what runs, and the way back.

mod back;
mod compare;
mod facts;
mod found;
mod list;
mod naming;
mod parameters;
mod sides;

use std::{collections::BTreeSet, sync::Arc};

use egui::{CentralPanel, Frame, Margin, Panel, Ui};
use setpoint_bench::KeyPath;
use setpoint_runtime::Revision;

use super::View;
use crate::panel::{
    format, icons,
    intent::{HistoryIntent, Intent},
    theme,
    widgets::{ActionButton, Pill, Tone, icon_button, label, picker},
};
use compare::Comparison;
use facts::FactsState;
use naming::Naming;

/// Said while keys are compared.
const COMPARING: &str = "Comparing key by key…";

/// Width of the list of revisions, in points.
const LIST: f32 = 330.0;
/// The same where there is little room.
const NARROW_LIST: f32 = 284.0;

/// The views of a revision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tab {
    /// Lines beside those of another revision.
    #[default]
    Sides,
    /// Keys that differ.
    Parameters,
    /// What was so when it was accepted.
    Facts,
}

/// What the page remembers.
#[derive(Debug, Default)]
pub struct HistoryState {
    /// What is looked for in the list.
    pub search: String,
    /// What it came to: as it was typed, and the revisions.
    found: Option<(String, Arc<Vec<String>>)>,
    /// What is listed of all revisions.
    listed: Option<found::Listed>,
    /// A name that is being typed.
    naming: Option<Naming>,
    /// The revision that was chosen; `None`: the one before the one that runs.
    pub selected: Option<String>,
    /// What it is compared with; `None`: what runs.
    pub with: Option<String>,
    /// What is shown of it.
    pub tab: Tab,
    /// How the facts are shown.
    facts: FactsState,
    /// Height of what stands at the foot of the page, in points: messages keep clear of it.
    pub foot: f32,
    /// Keys that are not to be staged.
    unchecked: BTreeSet<KeyPath>,
    /// What both texts came to, as long as they stay the same.
    comparison: Option<Comparison>,
    /// Every line is shown, also those that are the same.
    unfolded: bool,
    /// The difference that was jumped to.
    difference: Option<usize>,
    /// The row to bring into view.
    scroll_to: Option<usize>,
    /// How far the lines are pushed to the left, in points.
    shift: f32,
}

/// Draws the page.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut HistoryState) -> Vec<Intent> {
    let mut intents = Vec::new();
    let tokens = theme::tokens(ui);
    let revisions = view.status.revisions.as_slice();
    if state.selected.as_ref().is_some_and(|id| !revisions.iter().any(|one| one.id == *id)) {
        // It was pruned.
        state.selected = None;
    }
    let selected = state
        .selected
        .as_ref()
        .and_then(|id| revisions.iter().find(|one| one.id == *id))
        .or_else(|| revisions.get(1))
        .or_else(|| revisions.first());
    let width = if ui.available_width() < 1000.0 { NARROW_LIST } else { LIST };
    Panel::left("history list")
        .exact_size(width)
        .resizable(false)
        .frame(Frame::new().fill(tokens.panel))
        .show(ui, |ui| {
            let shown = selected.map(|one| one.id.as_str());
            let chosen = list::show(ui, view, shown, state, &mut intents);
            if let Some(id) = chosen {
                again(view, &id, &mut intents);
                choose(state, id);
            }
        });
    CentralPanel::no_frame().show(ui, |ui| match selected {
        Some(selected) => revision(ui, view, selected, state, &mut intents),
        None => {
            state.foot = 0.0;
            empty(ui);
        }
    });
    intents
}

fn choose(state: &mut HistoryState, id: String) {
    if state.with.as_ref() == Some(&id) {
        state.with = None;
    }
    state.selected = Some(id);
    state.unchecked.clear();
    state.difference = None;
    state.scroll_to = Some(0);
    state.shift = 0.0;
}

fn empty(ui: &mut Ui) {
    let tokens = theme::tokens(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.35);
        label(ui, icons::HISTORY, theme::icon(34.0), tokens.dim);
        label(ui, "No revision yet", theme::strong(15.0), tokens.text);
        let text = "Every accepted state of the bench file is kept here, with the way back.";
        label(ui, text, theme::body(), tokens.soft);
    });
}

fn revision(
    ui: &mut Ui,
    view: &View<'_>,
    selected: &Revision,
    state: &mut HistoryState,
    intents: &mut Vec<Intent>,
) {
    let tokens = theme::tokens(ui);
    let bar = Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(12, 0));
    Panel::top("history head").exact_size(46.0).resizable(false).frame(bar).show(ui, |ui| {
        head(ui, view, selected, state, intents);
    });
    // Both texts and what they came to.
    let problem = compare::prepare(view, selected, state, intents).err();
    let comparison = state.comparison.take();
    state.foot = 0.0;
    if let (None, Some(comparison)) = (&problem, &comparison) {
        if state.tab != Tab::Facts {
            let panel = Panel::top("history summary").exact_size(42.0).resizable(false);
            panel.frame(bar).show(ui, |ui| summary(ui, comparison, state));
        }
        if !comparison.back().is_empty() {
            let frame = Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(12, 12));
            let back = Panel::bottom("history back").resizable(false).frame(frame).show(ui, |ui| {
                back::show(ui, view, selected, comparison, &mut state.unchecked, intents);
            });
            state.foot = back.response.rect.height();
        }
    }
    CentralPanel::no_frame().show(ui, |ui| match (problem, &comparison) {
        _ if state.tab == Tab::Facts => facts::show(ui, view, selected, &mut state.facts, intents),
        (None, Some(comparison)) if state.tab == Tab::Parameters => {
            parameters::show(ui, view, selected, state.with.as_deref(), comparison);
        }
        (None, Some(comparison)) => sides::show(ui, comparison, state),
        (problem, _) => {
            let text = problem.unwrap_or_default();
            ui.vertical_centered(|ui| {
                ui.add_space(ui.available_height() * 0.35);
                label(ui, text, theme::body(), tokens.soft);
            });
        }
    });
    state.comparison = comparison;
}

fn head(
    ui: &mut Ui,
    view: &View<'_>,
    selected: &Revision,
    state: &mut HistoryState,
    intents: &mut Vec<Intent>,
) {
    let tokens = theme::tokens(ui);
    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        label(ui, &selected.id, theme::mono_bold(), tokens.text);
        if let Some(name) = &selected.label {
            ui.add(Pill::new(Tone::Info, format!("★ {name}")).plain());
        }
        let name = format!("Name {}", selected.id);
        if icon_button(ui, icons::STAR, 22.0, &name).clicked() {
            state.naming = Some(Naming::of(&selected.id, selected.label.as_deref()));
        }
        label(ui, "compared with", theme::medium(13.0), tokens.soft);
        let running = view.status.revision.as_ref().map(|one| one.id.clone());
        let now = running.as_ref().map_or_else(|| "now".to_owned(), |id| format!("{id} · now"));
        let others = view.status.revisions.iter().map(|one| &one.id);
        let others = others.filter(|id| Some(*id) != running.as_ref() && **id != selected.id);
        let choices: Vec<_> = std::iter::once(now.clone()).chain(others.cloned()).collect();
        let current = state.with.clone().unwrap_or_else(|| now.clone());
        let (_, chosen) = picker(ui, "history with", "Compared with", &current, &choices, 104.0);
        if let Some(chosen) = chosen {
            again(view, &chosen, intents);
            state.with = (chosen != now).then_some(chosen);
            state.difference = None;
            state.scroll_to = Some(0);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for (text, which) in [
                ("Facts", Tab::Facts),
                ("By parameter", Tab::Parameters),
                ("Side by side", Tab::Sides),
            ] {
                let tab = tab(ui, text, state.tab == which);
                if tab.on_hover_text(hint(which)).clicked() {
                    state.tab = which;
                }
            }
        });
    });
}

fn hint(tab: Tab) -> &'static str {
    match tab {
        Tab::Sides => "The lines of both, beside each other",
        Tab::Parameters => "The keys that differ",
        Tab::Facts => "What every instrument had read back and every source had shown",
    }
}

/// One of a few views of the same thing.
pub(super) fn tab(ui: &mut Ui, text: &str, selected: bool) -> egui::Response {
    let tokens = theme::tokens(ui);
    let font = theme::medium(12.0);
    let width = crate::panel::widgets::width_of(ui, text, font.clone());
    let (rect, response) =
        ui.allocate_exact_size(egui::vec2(width + 20.0, 24.0), egui::Sense::click());
    if selected || response.hovered() {
        ui.painter().rect_filled(rect, 12.0, tokens.neutral_ground);
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(1.0, tokens.accent);
        ui.painter().rect_stroke(rect, 12.0, ring, egui::StrokeKind::Inside);
    }
    let colour = if selected { tokens.text } else { tokens.soft };
    ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, text, font, colour);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, selected, text));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

fn summary(ui: &mut Ui, comparison: &Comparison, state: &mut HistoryState) {
    let tokens = theme::tokens(ui);
    let since = if state.with.is_none() { " since" } else { "" };
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if state.tab == Tab::Sides {
            let all = comparison.differences.len();
            let at = state.difference;
            let next = at.map_or(0, |at| (at + 1) % all.max(1));
            let previous =
                at.map_or(all.saturating_sub(1), |at| (at + all.max(1) - 1) % all.max(1));
            for (icon, name, to) in [
                (icons::ARROW_DOWN, "Next difference", next),
                (icons::ARROW_UP, "Previous difference", previous),
            ] {
                ui.add_enabled_ui(all > 0, |ui| {
                    if icon_button(ui, icon, 26.0, name).clicked() {
                        state.difference = Some(to);
                        state.scroll_to = comparison.differences.get(to).copied();
                    }
                });
            }
            if let Some(at) = at {
                let text = format!("{} of {all}", at + 1);
                label(ui, text, theme::small(), tokens.dim);
            }
            let fold = if state.unfolded { "Fold lines" } else { "All lines" };
            if comparison.folds && ui.add(ActionButton::secondary(fold).small()).clicked() {
                state.unfolded = !state.unfolded;
                state.difference = None;
            }
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            let pill = |count: usize, tone, text: String| {
                Pill::new(if count == 0 { Tone::Neutral } else { tone }, text).plain()
            };
            let Some([changed, added, removed]) = comparison.counts() else {
                label(ui, COMPARING, theme::body(), tokens.soft);
                return;
            };
            ui.add(pill(changed, Tone::Amber, format!("{changed} changed")));
            ui.add(pill(added, Tone::Good, format!("{added} added{since}")));
            ui.add(pill(removed, Tone::Bad, format!("{removed} removed{since}")));
            if let Some(why) = &comparison.alone {
                let pill = Pill::new(Tone::Amber, "bench file only");
                let hint = format!("Included files and templates are not compared: {why}");
                ui.add(pill).on_hover_text(hint);
            }
            if state.with.is_none() {
                label(ui, back::sentence(comparison), theme::body(), tokens.soft);
            }
        });
    });
}

/// The intent that fetches a revision's text.
fn need(id: &str) -> Intent {
    HistoryIntent::NeedText(id.to_owned()).into()
}

/// A revision that was chosen although its text could not be read before: it may be readable now.
fn again(view: &View<'_>, id: &str, intents: &mut Vec<Intent>) {
    let key = id.to_owned();
    if matches!(view.answers.texts.get(&key), Some(Err(_))) {
        intents.push(need(id));
    }
    if matches!(view.answers.facts.get(&key), Some(Err(_))) {
        intents.push(HistoryIntent::NeedFacts(key).into());
    }
}

/// `41 revisions, 3 labelled`
fn kept(revisions: &[Revision]) -> String {
    let labelled = revisions.iter().filter(|one| one.label.is_some()).count();
    let all = format::count(revisions.len(), "revision", "revisions");
    if labelled == 0 { all } else { format!("{all}, {labelled} labelled") }
}

//! The page Changes: what is staged, whether it would run, and in which steps.

mod checks;
mod clash;
mod others;
mod plan;
mod staged;

use egui::{Frame, Margin, Panel, ScrollArea, Ui, vec2};
use setpoint_bench::Severity;
use setpoint_runtime::Transaction;

use super::{Page, View, words};
use crate::panel::{
    format, icons,
    intent::{Intent, StageIntent, ViewIntent},
    theme::{self, size},
    widgets::{ActionButton, card, label, page_title, text_input},
};

/// Below this width of the page, in points, notes stand below their keys.
const NARROW: f32 = 1000.0;
/// Below this width cards stand below one another.
const NARROWEST: f32 = 760.0;

/// What the page remembers.
#[derive(Debug, Default)]
pub struct ChangesState {
    /// Why, for the history. The shortcut that commits takes it from here.
    pub message: String,
    /// Height of what stands at the foot of the page, in points: messages keep clear of it.
    pub foot: f32,
}

/// Draws the page.
pub fn show(ui: &mut Ui, view: &View<'_>, state: &mut ChangesState) -> Vec<Intent> {
    let mut intents = Vec::new();
    let Some(open) = view.staged() else {
        // What was committed took it along; what comes next has another reason.
        state.message.clear();
        state.foot = 0.0;
        page(ui, |ui| empty(ui, view, &mut intents));
        return intents;
    };
    let commit = Panel::bottom("changes_commit")
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().inner_margin(Margin { left: 14, right: 14, top: 0, bottom: 14 }))
        .show(ui, |ui| commit_bar(ui, view, open, state, &mut intents));
    state.foot = commit.response.rect.height();
    page(ui, |ui| {
        let subtitle =
            format!("Transaction {} · opened {}", open.id, words::hour(open.opened, view.zone));
        page_title(ui, "Changes", &subtitle, |ui| {
            let discard = ActionButton::secondary("Discard all").small();
            if ui.add(discard.enabled(view.busy.is_none())).clicked() {
                intents.push(StageIntent::Discard.into());
            }
        });
        ui.add_space(10.0);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = size::GAP;
            let width = ui.available_width();
            staged::show(ui, view, open, width < NARROW, &mut intents);
            if open.edits.iter().any(|edit| edit.clash.is_some()) {
                clash::show(ui, view, open, &mut intents);
            }
            others::show(ui, view, width < NARROW, &mut intents);
            if width < NARROWEST {
                checks::show(ui, view, open, 0.0);
                plan::show(ui, view, open, 0.0);
            } else {
                side_by_side(ui, view, open);
            }
        });
    });
    intents
}

/// Checks and plan beside each other, equally high.
fn side_by_side(ui: &mut Ui, view: &View<'_>, open: &Transaction) {
    let id = ui.scope_id().with("heights");
    let least: f32 = ui.data(|data| data.get_temp(id)).unwrap_or(0.0);
    let width = (ui.available_width() - size::GAP) / 2.0;
    let heights = ui
        .horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = size::GAP;
            let layout = egui::Layout::top_down(egui::Align::Min);
            let mut column = |draw: &dyn Fn(&mut Ui) -> f32| {
                ui.allocate_ui_with_layout(vec2(width, 0.0), layout, |ui| {
                    ui.set_width(width);
                    draw(ui)
                })
                .inner
            };
            [
                column(&|ui| checks::show(ui, view, open, least)),
                column(&|ui| plan::show(ui, view, open, least)),
            ]
        })
        .inner;
    let wanted = heights[0].max(heights[1]);
    if (wanted - least).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, wanted));
        ui.ctx().request_repaint();
    }
}

fn page(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let margin = Margin { left: 14, right: 14, top: 12, bottom: 12 };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        content(ui);
    });
}

fn empty(ui: &mut Ui, view: &View<'_>, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    let subtitle = match view.draft_count() {
        0 => "nothing staged".to_owned(),
        drafts => format!("nothing staged, {}", format::count(drafts, "draft", "drafts")),
    };
    page_title(ui, "Changes", &subtitle, |_| {});
    ui.add_space(10.0);
    let narrow = ui.available_width() < NARROW;
    others::show(ui, view, narrow, intents);
    ui.add_space((ui.available_height() * 0.28).max(20.0));
    ui.vertical_centered(|ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        label(ui, icons::CHANGES, theme::icon(34.0), tokens.dim);
        label(ui, "Nothing is staged", theme::strong(15.0), tokens.text);
        let file = view.status.bench.path.file_name().unwrap_or_default().to_string_lossy();
        for line in [
            "Change a setpoint on the Bench page, in the table or in the inspector.".to_owned(),
            "It waits here, old beside new, until you commit or discard it.".to_owned(),
            format!("Saving {file} in an editor needs no commit: a file that checks is applied."),
        ] {
            label(ui, line, theme::body(), tokens.soft);
        }
        ui.add_space(6.0);
        if ui.add(ActionButton::secondary("Go to the bench").icon(icons::BENCH)).clicked() {
            intents.push(ViewIntent::Go(Page::Bench).into());
        }
    });
}

fn commit_bar(
    ui: &mut Ui,
    view: &View<'_>,
    open: &Transaction,
    state: &mut ChangesState,
    intents: &mut Vec<Intent>,
) {
    let tokens = theme::tokens(ui);
    let why_not = why_not(open);
    let busy = view.busy.is_some();
    card(ui, |ui| {
        Frame::new().inner_margin(Margin::symmetric(12, 12)).show(ui, |ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = size::GAP;
                let text =
                    format!("Commit {}", format::count(open.edits.len(), "change", "changes"));
                let button = ActionButton::primary(text).enabled(why_not.is_none() && !busy);
                let mut commit = ui.add(button);
                if let Some(reason) = &why_not {
                    commit = commit.on_hover_text(reason);
                    label(ui, reason, theme::small(), tokens.bad);
                }
                let width = ui.available_width();
                let hint = "Why? (kept in the history)";
                let field = text_input(
                    ui,
                    &mut state.message,
                    "Why, kept in the history",
                    hint,
                    width,
                    false,
                );
                let entered =
                    field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                if why_not.is_none() && !busy && (commit.clicked() || entered) {
                    let message = state.message.trim().to_owned();
                    intents.push(StageIntent::Commit { message }.into());
                }
            });
        });
    });
}

/// Why these changes cannot be committed as they are.
fn why_not(open: &Transaction) -> Option<String> {
    let clashes = open.edits.iter().filter(|edit| edit.clash.is_some()).count();
    let errors =
        open.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
    match (clashes, errors, open.ok) {
        (0, 0, true) => None,
        (0, 0, false) if open.pending => Some("The checks are not done yet".to_owned()),
        (0, 0, false) => Some("The checks have not passed".to_owned()),
        (0, errors, _) => {
            Some(format!("{} to fix first", format::count(errors, "error", "errors")))
        }
        (clashes, ..) => {
            Some(format!("{} to decide first", format::count(clashes, "clash", "clashes")))
        }
    }
}

//! The way from page to page.

use egui::{Align2, CursorIcon, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::reload::errors;
use crate::panel::{
    intent::{Intent, ViewIntent},
    pages::{Page, View},
    shortcuts::UiCommand,
    theme,
    widgets::{Tone, card::line, label, width_of},
};

/// Draws the rail; `narrow`: signs only.
pub fn rail(ui: &mut Ui, view: &View<'_>, shown: Page, narrow: bool) -> Vec<Intent> {
    let mut intents = Vec::new();
    ui.spacing_mut().item_spacing.y = 2.0;
    for page in Page::ALL {
        if page == Page::Changes {
            heading(ui, "CONFIGURATION", narrow);
        }
        if item(ui, page, page == shown, badge_of(view, page), narrow) {
            intents.push(ViewIntent::Go(page).into());
        }
    }
    intents
}

fn badge_of(view: &View<'_>, page: Page) -> Option<(usize, Tone)> {
    match page {
        Page::Changes => match view.staged_count() {
            0 => Some((view.draft_count(), Tone::Neutral)),
            staged => Some((staged, Tone::Amber)),
        },
        Page::Activity => {
            let problem = usize::from(view.status.reload.problem.is_some());
            let unfinished = view.status.unfinished.is_some();
            let attention = usize::from(view.status.attention.is_some() || unfinished);
            let drivers = usize::from(view.status.drivers_problem.is_some());
            Some((errors(view.status).max(problem) + attention + drivers, Tone::Bad))
        }
        Page::Bench | Page::History => None,
    }
    .filter(|(count, _)| *count > 0)
}

fn heading(ui: &mut Ui, text: &str, narrow: bool) {
    let tokens = theme::tokens(ui);
    ui.add_space(13.0);
    if narrow {
        line(ui);
        ui.add_space(8.0);
    } else {
        ui.horizontal(|ui| {
            ui.add_space(9.0);
            label(ui, text, theme::strong(10.5), tokens.dim);
        });
        ui.add_space(3.0);
    }
}

fn item(
    ui: &mut Ui,
    page: Page,
    selected: bool,
    badge: Option<(usize, Tone)>,
    narrow: bool,
) -> bool {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 33.0), Sense::click());
    let lively = response.hovered() && !selected;
    let painter = ui.painter();
    if selected || lively {
        let fill = if selected { tokens.accent_ground } else { tokens.neutral_ground };
        painter.rect_filled(rect, 6, fill);
    }
    if response.has_focus() {
        painter.rect_stroke(rect, 6, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
    }
    let colour = if selected || lively { tokens.text } else { tokens.soft };
    let middle = rect.center().y;
    let sign = if narrow { rect.center() } else { pos2(rect.left() + 18.0, middle) };
    painter.text(sign, Align2::CENTER_CENTER, page.icon(), theme::icon(17.0), colour);
    if !narrow {
        let at = pos2(rect.left() + 36.0, middle);
        painter.text(at, Align2::LEFT_CENTER, page.title(), theme::medium(13.5), colour);
    }
    if let Some((count, tone)) = badge {
        let text = count.min(999).to_string();
        let font = theme::strong(11.0);
        let width = (width_of(ui, &text, font.clone()) + 13.0).max(20.0);
        let centre = if narrow {
            pos2(rect.right() - 6.0, rect.top() + 8.0)
        } else {
            pos2(rect.right() - 10.0 - width / 2.0, middle)
        };
        let pill = egui::Rect::from_center_size(centre, vec2(width, 17.0));
        ui.painter().rect_filled(pill, 8.5, tone.ground(tokens));
        ui.painter().text(centre, Align2::CENTER_CENTER, text, font, tone.colour(tokens));
    }
    let title = page.title();
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, selected, title));
    let command = UiCommand::Go(page);
    let keys = command.keys(ui.ctx());
    response
        .on_hover_cursor(CursorIcon::PointingHand)
        .on_hover_text(format!("{} ({keys})", command.tooltip()))
        .clicked()
}

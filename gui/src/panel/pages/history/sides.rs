//! Two texts side by side; only the lines in view are drawn.

use egui::{
    Align2, Color32, Painter, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use setpoint_bench::diff::{Line, Row};

use super::{
    HistoryState,
    compare::{Comparison, Shown},
};
use crate::panel::{
    theme::{self, Tokens},
    widgets::{code, label},
};

/// Height of a line, in points.
const LINE: f32 = 19.0;
/// Width of the line numbers.
const NUMBERS: f32 = 38.0;
/// Rows kept above a difference that was jumped to.
const ABOVE: usize = 4;

/// Which text a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// Draws both texts.
pub fn show(ui: &mut Ui, comparison: &Comparison, state: &mut HistoryState) {
    let tokens = theme::tokens(ui);
    if comparison.differences.is_empty() && !state.unfolded {
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.35);
            label(ui, "Both texts are the same", theme::body(), tokens.soft);
        });
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let whole = ui.max_rect();
    push_sideways(ui, comparison, state, whole);
    ui.painter().rect_filled(whole, 0, paper(ui, tokens).0);
    let middle = whole.center().x.round();
    let mut area = ScrollArea::vertical().id_salt("sides").auto_shrink([false, false]);
    if let Some(row) = state.scroll_to.take() {
        #[allow(clippy::cast_precision_loss, reason = "line numbers are small")]
        let offset = row.saturating_sub(ABOVE) as f32 * LINE;
        area = area.vertical_scroll_offset(offset);
    }
    area.show_rows(ui, LINE, comparison.rows.len(), |ui, range| {
        for at in range {
            let (rect, response) =
                ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
            let Some(row) = comparison.rows.get(at) else { continue };
            response.widget_info(|| WidgetInfo::labeled(Role::Row, true, words(row)));
            let left = Rect::from_min_max(rect.min, pos2(middle, rect.bottom()));
            let right = Rect::from_min_max(pos2(middle, rect.top()), rect.max);
            draw(ui, row, left, right, state.shift, tokens);
        }
    });
    ui.painter().vline(middle, whole.y_range(), Stroke::new(1.0, tokens.line));
}

/// Behind lines, and behind places where there is no line.
fn paper(ui: &Ui, tokens: &Tokens) -> (Color32, Color32) {
    if ui.visuals().dark_mode {
        (tokens.ground, tokens.panel)
    } else {
        (tokens.card, tokens.ground)
    }
}

/// Long lines are pushed sideways, both texts together.
fn push_sideways(ui: &Ui, comparison: &Comparison, state: &mut HistoryState, whole: Rect) {
    let letter = crate::panel::widgets::width_of(ui, "m", theme::mono());
    #[allow(clippy::cast_precision_loss, reason = "lines are short")]
    let longest = comparison.longest as f32 * letter;
    let room = whole.width() / 2.0 - NUMBERS - 14.0;
    let most = (longest - room).max(0.0);
    if ui.rect_contains_pointer(whole) {
        let delta = ui.input(|input| input.smooth_scroll_delta().x);
        state.shift -= delta;
    }
    state.shift = state.shift.clamp(0.0, most);
}

fn draw(ui: &Ui, row: &Shown, left: Rect, right: Rect, shift: f32, tokens: &Tokens) {
    let painter = ui.painter();
    let gap = paper(ui, tokens).1;
    let row = match row {
        Shown::Lines(row) => row,
        Shown::File(name) => {
            for side in [left, right] {
                painter.rect_filled(side, 0, tokens.neutral_ground);
                let at = pos2(side.left() + NUMBERS, side.center().y);
                painter.text(at, Align2::LEFT_CENTER, name, theme::medium(12.0), tokens.soft);
            }
            return;
        }
    };
    match row {
        Row::Folded(lines) => {
            let text = match lines {
                1 => "1 unchanged line".to_owned(),
                many => format!("{many} unchanged lines"),
            };
            for side in [left, right] {
                painter.rect_filled(side, 0, gap);
                let dots = pos2(side.left() + NUMBERS - 10.0, side.center().y);
                let font = theme::mono_small();
                painter.text(dots, Align2::RIGHT_CENTER, "⋯", font, tokens.dim);
                let at = pos2(side.left() + NUMBERS, side.center().y);
                painter.text(at, Align2::LEFT_CENTER, &text, theme::mono(), tokens.dim);
            }
        }
        Row::Same(old, new) => {
            line(painter, left, old, Side::Old, shift, tokens);
            line(painter, right, new, Side::New, shift, tokens);
        }
        Row::Differs(old, new) => {
            for (rect, one, side, ground) in [
                (left, old, Side::Old, tokens.removed_ground),
                (right, new, Side::New, tokens.added_ground),
            ] {
                match one {
                    Some(one) => {
                        painter.rect_filled(rect, 0, ground);
                        line(painter, rect, one, side, shift, tokens);
                    }
                    None => {
                        painter.rect_filled(rect, 0, gap);
                    }
                }
            }
        }
    }
}

fn line(painter: &Painter, rect: Rect, line: &Line, side: Side, shift: f32, tokens: &Tokens) {
    let number = pos2(rect.left() + NUMBERS - 10.0, rect.center().y);
    let text = line.number.to_string();
    painter.text(number, Align2::RIGHT_CENTER, text, theme::mono_small(), tokens.dim);
    let ground = match side {
        Side::Old => tokens.removed_word,
        Side::New => tokens.added_word,
    };
    let emphasis = code::Emphasis { ground, text: tokens.on_word };
    let galley = painter.layout_job(code::line(&line.pieces, emphasis, tokens));
    let inside = Rect::from_min_max(pos2(rect.left() + NUMBERS, rect.top()), rect.max);
    let at = pos2(inside.left() - shift, rect.center().y - galley.size().y / 2.0);
    let clip = inside.intersect(painter.clip_rect());
    painter.with_clip_rect(clip).galley(at, galley, tokens.text);
}

/// A row for those who do not see it.
fn words(row: &Shown) -> String {
    let row = match row {
        Shown::Lines(row) => row,
        Shown::File(name) => return format!("file {name}"),
    };
    let text = |line: &Line| -> String {
        let pieces: String = line.pieces.iter().map(|piece| piece.text.as_str()).collect();
        format!("{}: {}", line.number, pieces.trim())
    };
    match row {
        Row::Same(_, new) => text(new),
        Row::Folded(lines) => format!("{lines} unchanged lines"),
        Row::Differs(Some(old), Some(new)) => format!("was {}, now {}", text(old), text(new)),
        Row::Differs(Some(old), None) => format!("removed {}", text(old)),
        Row::Differs(None, Some(new)) => format!("added {}", text(new)),
        Row::Differs(None, None) => String::new(),
    }
}

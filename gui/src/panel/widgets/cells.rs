//! A row of cells at places of one's own choice.

use egui::{Align, Layout, Rect, Ui, UiBuilder, pos2};

/// Draws content between two x positions of a row, from the left or from the right, centred
/// vertically, and cut at the cell's edges.
pub fn cell_at<R>(
    ui: &mut Ui,
    row: Rect,
    from: f32,
    to: f32,
    right: bool,
    content: impl FnOnce(&mut Ui) -> R,
) -> R {
    let rect = Rect::from_min_max(pos2(from, row.top()), pos2(to.max(from), row.bottom()));
    let layout = if right {
        Layout::right_to_left(Align::Center)
    } else {
        Layout::left_to_right(Align::Center)
    };
    let mut cell = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    cell.set_clip_rect(rect.intersect(ui.clip_rect()));
    content(&mut cell)
}

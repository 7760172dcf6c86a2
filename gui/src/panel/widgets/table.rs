//! What all tables have in common; the rows come from `egui_extras::TableBuilder`.

use egui::{Align, Layout, Ui, UiBuilder, vec2};
use egui_extras::{TableBuilder, TableRow};

use super::text::label;
use crate::panel::theme;

/// Space between a cell's edge and its content.
pub const PAD: f32 = 10.0;

/// A table without lines between columns, its cells centred vertically. Rows can be clicked, but
/// are no stops of the Tab key.
pub fn table<'a>(ui: &'a mut Ui, id: &str) -> TableBuilder<'a> {
    let spacing = ui.spacing_mut();
    spacing.item_spacing = vec2(0.0, 0.0);
    TableBuilder::new(ui)
        .id_salt(id)
        .striped(false)
        .resizable(false)
        .auto_shrink([false, true])
        .sense(egui::Sense::CLICK)
        .cell_layout(Layout::left_to_right(Align::Center))
}

/// A column's title.
pub fn title(row: &mut TableRow<'_, '_>, text: &str, right: bool) {
    row.col(|ui| {
        let tokens = theme::tokens(ui);
        cell(ui, right, |ui| {
            label(ui, text, theme::medium(11.5), tokens.dim);
        });
    });
}

/// A cell's content between its edges, from the left or from the right.
pub fn cell<R>(ui: &mut Ui, right: bool, content: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = if right {
        Layout::right_to_left(Align::Center)
    } else {
        Layout::left_to_right(Align::Center)
    };
    let place = ui.max_rect().shrink2(vec2(PAD, 0.0));
    let mut inside = ui.new_child(UiBuilder::new().max_rect(place).layout(layout));
    content(&mut inside)
}

/// The line at the lower edge of a cell.
pub fn bottom_line(ui: &Ui) {
    let tokens = theme::tokens(ui);
    let rect = ui.max_rect();
    let y = rect.bottom() - 0.5;
    ui.painter().hline(rect.x_range(), y, egui::Stroke::new(1.0, tokens.line));
}

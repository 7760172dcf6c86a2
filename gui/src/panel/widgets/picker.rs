//! One of a few words.

use egui::{ComboBox, Response, RichText, Ui};

use crate::panel::theme;

/// A list of words to choose from. Returns the word that was chosen, if one was.
pub fn picker(
    ui: &mut Ui,
    id: impl egui::AsIdSalt,
    name: &str,
    current: &str,
    choices: &[String],
    width: f32,
) -> (Response, Option<String>) {
    let tokens = theme::tokens(ui);
    let mut chosen = None;
    let word = |text: &str, colour| RichText::new(text).font(theme::mono()).color(colour);
    let shown = ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.inactive.weak_bg_fill = tokens.field;
        widgets.hovered.weak_bg_fill = tokens.field;
        ComboBox::from_id_salt(id)
            .width(width)
            .truncate()
            .selected_text(word(current, tokens.text))
            .show_ui(ui, |ui| {
                for choice in choices {
                    let selected = choice == current;
                    let answer = ui.selectable_label(selected, word(choice, tokens.text));
                    if answer.clicked() && !selected {
                        chosen = Some(choice.clone());
                    }
                }
            })
            .response
    });
    (shown.inner.accessible_name(name), chosen)
}

//! What only a person can put right: a bench that is not what it was, and a memory that fails.

use egui::Ui;

use crate::panel::{
    pages::View,
    widgets::{Notice, Tone},
};

/// How the reason begins that a start gives for a change that was not finished.
const UNFINISHED: &str = "Setpoint ended in the middle of a change";

/// The most room that a reason takes, in points.
const MOST: f32 = 110.0;

/// Draws a notice for each; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>) {
    // What is said of an unfinished change stands in the card that decides it.
    let told = |why: &&String| view.status.unfinished.is_some() && why.starts_with(UNFINISHED);
    let bench = view.status.attention.as_ref().filter(|why| !told(why));
    let memory = view.status.history_problem.as_ref();
    for (why, tone, title) in [
        (bench, Tone::Bad, "The bench is not what it was"),
        (memory, Tone::Amber, "Something is wrong with the history; the bench runs on"),
    ] {
        if let Some(why) = why {
            Notice { tone, title: title.to_owned() }.with_text(ui, why, MOST, |_| {});
        }
    }
}

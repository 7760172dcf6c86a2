//! What only a person can put right: a bench that is not what it was, driver files that are not
//! used, and a memory that fails.

use egui::Ui;

use crate::panel::{
    pages::View,
    widgets::{Notice, Tone},
};

/// The most room that a reason takes, in points.
const MOST: f32 = 110.0;

/// Draws a notice for each; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>) {
    let bench = view.status.attention.as_deref();
    let drivers = view.status.drivers_problem.as_deref();
    let memory = view.status.history_problem.as_deref();
    for (why, tone, title) in [
        (bench, Tone::Bad, "The bench is not what it was"),
        (drivers, Tone::Amber, "Driver files are not used as they are; the bench runs on"),
        (memory, Tone::Amber, "Something is wrong with the history; the bench runs on"),
    ] {
        if let Some(why) = why {
            Notice { tone, title: title.to_owned() }.with_text(ui, why, MOST, |_| {});
        }
    }
}

//! What only a person can put right: a bench that is not what it was, driver files that are not
//! used, a memory that fails, secrets that others may read.

use egui::Ui;
use setpoint_store::access::EXPOSED;

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
    let exposed: Vec<&str> = view
        .status
        .reload
        .diagnostics
        .iter()
        .filter(|found| found.code == EXPOSED)
        .map(|found| found.message.as_str())
        .collect();
    let exposed = (!exposed.is_empty()).then(|| exposed.join("\n"));
    for (why, tone, title) in [
        (bench, Tone::Bad, "The bench is not what it was"),
        (drivers, Tone::Amber, "Driver files are not used as they are; the bench runs on"),
        (memory, Tone::Amber, "Something is wrong with the history; the bench runs on"),
        (exposed.as_deref(), Tone::Amber, "Others may read secrets of this bench"),
    ] {
        if let Some(why) = why {
            Notice { tone, title: title.to_owned() }.with_text(ui, why, MOST, |_| {});
        }
    }
}

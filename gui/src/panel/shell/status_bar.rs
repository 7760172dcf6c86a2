//! The line at the foot of the window: what was, and what is measured.

use egui::{Align, Layout, Sense, Ui, vec2};
use setpoint_instruments::LinkState;
use setpoint_runtime::{Outcome, ReloadState, Status};

use super::reload::{file_name, polled};
use crate::panel::{
    format,
    pages::View,
    theme,
    widgets::{Mark, Tone, label, paint_mark},
};

/// Draws the status bar.
pub fn status_bar(ui: &mut Ui, view: &View<'_>) {
    let tokens = theme::tokens(ui);
    let status = view.status;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        let say = |ui: &mut Ui, text: String| label(ui, text, theme::small(), tokens.soft);
        if let Some(revision) = &status.revision {
            say(ui, format!("{} · {}", revision.id, revision.hash));
        }
        if let Some(percent) = status.cpu_percent {
            say(ui, format!("CPU {percent:.0} %")).on_hover_text("Of one processor core");
        }
        if !status.sources.is_empty() {
            say(ui, sources(status));
        }
        say(ui, instruments(status));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let (tone, mark, text) = watching(status);
            ui.scope(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
                paint_mark(ui.painter(), mark, rect.center(), 8.5, tone.colour(tokens));
                let text = label(ui, text, theme::small(), tokens.soft);
                if let Some(why) = &status.reload.watch.polling {
                    text.on_hover_text(polled(why));
                }
            });
            if let Some(last) = last(view) {
                say(ui, last);
            }
        });
    });
}

fn watching(status: &Status) -> (Tone, Mark, String) {
    let file = file_name(status);
    match status.reload.state {
        ReloadState::Paused => (Tone::Amber, Mark::Square, format!("Not following {file}")),
        ReloadState::Ahead if status.reload.ahead.is_some() => {
            (Tone::Bad, Mark::Triangle, format!("{file} not written"))
        }
        ReloadState::Suspended => (Tone::Bad, Mark::Triangle, format!("{file} held back")),
        ReloadState::Ahead => (Tone::Bad, Mark::Triangle, format!("Waiting for {file}")),
        // Nothing is missed by it, saves are only noticed later.
        _ if status.reload.watch.polling.is_some() => {
            (Tone::Info, Mark::Dot, format!("Polling {file}"))
        }
        _ => (Tone::Good, Mark::Dot, format!("Watching {file}")),
    }
}

fn last(view: &View<'_>) -> Option<String> {
    let last = view.status.reload.last.as_ref()?;
    let at = format::clock(last.at, view.zone);
    let outcome = match last.outcome {
        Outcome::Applied => format!("{} applied", last.changes),
        Outcome::Rejected => "not applied".to_owned(),
        Outcome::Unchanged => "nothing to apply".to_owned(),
    };
    Some(format!("Last reload {at} · {outcome} · {}", format::millis(last.timings_ms.total)))
}

fn instruments(status: &Status) -> String {
    let offline = status.instruments.values().filter(|one| one.state == LinkState::Offline).count();
    let all = format::count(status.instruments.len(), "instrument", "instruments");
    if offline == 0 { all } else { format!("{all} · {offline} offline") }
}

fn sources(status: &Status) -> String {
    let rate: f64 = status.sources.values().filter_map(|one| one.measured.framerate).sum();
    let all = format::count(status.sources.len(), "source", "sources");
    format!("{all} · {rate:.0} fps")
}

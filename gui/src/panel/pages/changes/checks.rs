//! What was checked about the staged edits.

use std::collections::BTreeSet;

use egui::{Frame, Layout, Margin, Ui, vec2};
use setpoint_bench::Severity;
use setpoint_instruments::LinkState;
use setpoint_runtime::{ReloadState, Transaction};

use crate::panel::{
    format,
    pages::View,
    theme,
    widgets::{Mark, Pill, Tone, card, card_header, paint_mark},
};

/// Draws the card, at least `least` points high; returns the height its content wants.
pub fn show(ui: &mut Ui, view: &View<'_>, open: &Transaction, least: f32) -> f32 {
    let lines = lines(view, open);
    let count = |tone| lines.iter().filter(|(it, _)| *it == tone).count();
    let (errors, warnings) = (count(Tone::Bad), count(Tone::Amber));
    card(ui, |ui| {
        card_header(ui, "Checks", "", |ui| {
            ui.add(match (errors, warnings) {
                (0, 0) if open.pending => Pill::new(Tone::Info, "checking…"),
                (0, 0) => Pill::new(Tone::Good, "passed"),
                (0, many) => Pill::new(Tone::Amber, format::count(many, "warning", "warnings")),
                (many, _) => Pill::new(Tone::Bad, format::count(many, "error", "errors")),
            });
        });
        let content = Frame::new().inner_margin(Margin::symmetric(14, 12)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 5.0;
            for (tone, text) in &lines {
                line(ui, *tone, text);
            }
        });
        let wanted = content.response.rect.height();
        ui.add_space((least - wanted).max(0.0));
        wanted
    })
    .inner
}

fn line(ui: &mut Ui, tone: Tone, text: &str) {
    let tokens = theme::tokens(ui);
    ui.with_layout(Layout::left_to_right(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 9.0;
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 20.0), egui::Sense::hover());
        let mark = match tone {
            Tone::Good | Tone::Info => Mark::Dot,
            _ => Mark::Triangle,
        };
        paint_mark(ui.painter(), mark, rect.center(), 9.5, tone.colour(tokens));
        let colour = if tone == Tone::Bad { tokens.bad } else { tokens.text };
        let text =
            egui::RichText::new(text).font(theme::body()).color(colour).line_height(Some(20.0));
        ui.add(egui::Label::new(text).wrap());
    });
}

/// One line for each thing that was checked, worst findings spelled out.
fn lines(view: &View<'_>, open: &Transaction) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    let findings =
        |severity| open.diagnostics.iter().filter(move |finding| finding.severity == severity);
    if open.pending {
        lines.push((
            Tone::Info,
            "Keys, types, ranges and mount points are being checked".to_owned(),
        ));
    } else if findings(Severity::Error).next().is_none() {
        lines.push((Tone::Good, "Keys, types, ranges and mount points".to_owned()));
    }
    for (severity, tone) in [(Severity::Error, Tone::Bad), (Severity::Warning, Tone::Amber)] {
        for finding in findings(severity) {
            let message = &finding.message;
            lines.push((
                tone,
                match &finding.suggestion {
                    Some(suggestion) => format!("{message}; did you mean “{suggestion}”?"),
                    None => message.clone(),
                },
            ));
        }
    }
    let clashes = open.edits.iter().filter(|edit| edit.clash.is_some()).count();
    lines.push(if clashes == 0 {
        (Tone::Good, "Nobody else changed these keys meanwhile".to_owned())
    } else {
        let keys = format::count(clashes, "key was", "keys were");
        (Tone::Bad, format!("{keys} changed by someone else; decide above"))
    });
    lines.extend(devices(view, open));
    lines.push(match view.status.reload.state {
        ReloadState::Rejected | ReloadState::Suspended => {
            (Tone::Amber, "The file on disk holds an edit that was not applied".to_owned())
        }
        ReloadState::Proposed => {
            (Tone::Amber, "The file on disk holds an edit that waits for a reload".to_owned())
        }
        ReloadState::Ahead => (Tone::Amber, "What runs is not in the file".to_owned()),
        ReloadState::Conflict => (Tone::Amber, "The file on disk is not what runs".to_owned()),
        ReloadState::Paused if view.status.reload.watch.off => {
            (Tone::Amber, "The file on disk holds an edit that is not followed".to_owned())
        }
        ReloadState::Paused => (Tone::Amber, "The file is not watched for now".to_owned()),
        ReloadState::InStep | ReloadState::Settling | ReloadState::Applying => {
            (Tone::Good, "The file is what runs".to_owned())
        }
    });
    lines
}

/// Whether the instruments that are concerned answer.
fn devices(view: &View<'_>, open: &Transaction) -> Vec<(Tone, String)> {
    let concerned: BTreeSet<&str> = open
        .edits
        .iter()
        .filter(|edit| edit.value.is_some())
        .filter_map(|edit| match edit.path.names() {
            [top, id, ..] if top == "instruments" => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let known: Vec<_> =
        concerned.iter().filter_map(|id| view.status.instruments.get(*id)).collect();
    let mut lines: Vec<_> = known
        .iter()
        .filter(|one| matches!(one.state, LinkState::Offline | LinkState::Connecting))
        .map(|one| {
            let why = one.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            (Tone::Amber, format!("{} does not answer{why}", one.id))
        })
        .collect();
    if lines.is_empty() && !known.is_empty() {
        let names: Vec<_> = known.iter().map(|one| one.id.as_str()).collect();
        let verb = if names.len() == 1 { "is connected" } else { "are connected" };
        lines.push((Tone::Good, format!("{} {verb}", names.join(", "))));
    }
    lines
}

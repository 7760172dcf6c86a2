//! The steps that a commit would take.

use egui::{Frame, Margin, RichText, Ui, text::LayoutJob};
use setpoint_runtime::{PlanStep, Transaction};

use crate::panel::{
    pages::View,
    theme::{self, Tokens},
    widgets::{card, card_header},
};

/// Draws the card, at least `least` points high; returns the height its content wants.
pub fn show(ui: &mut Ui, view: &View<'_>, open: &Transaction, least: f32) -> f32 {
    let _ = view;
    let tokens = theme::tokens(ui);
    card(ui, |ui| {
        card_header(ui, "Plan", "in this order, undone in reverse if a step fails", |_| {});
        let content = Frame::new().inner_margin(Margin::symmetric(14, 12)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 5.0;
            if open.plan.is_empty() {
                let text = RichText::new(match open.pending {
                    true => "The plan is being worked out.",
                    false => "There is no plan until the checks pass.",
                });
                ui.add(egui::Label::new(text.font(theme::body()).color(tokens.soft)).wrap());
            }
            let digits = open.plan.len().to_string().len();
            for (index, step) in open.plan.iter().enumerate() {
                ui.add(egui::Label::new(line(index + 1, digits, step, tokens)).wrap());
                if let Some(note) = &step.note {
                    let indent = " ".repeat(digits + 1);
                    let text = RichText::new(format!("{indent}{note}"));
                    let text = text.font(theme::mono_small()).color(tokens.amber);
                    ui.add(egui::Label::new(text).wrap());
                }
            }
        });
        let wanted = content.response.rect.height();
        ui.add_space((least - wanted).max(0.0));
        wanted
    })
    .inner
}

/// `3 lockin disconnect`, what stops something in amber.
fn line(number: usize, digits: usize, step: &PlanStep, tokens: &Tokens) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut put = |text: &str, colour| {
        let mut format = egui::TextFormat::simple(theme::mono(), colour);
        format.line_height = Some(20.0);
        job.append(text, 0.0, format);
    };
    put(&format!("{number:>digits$} "), tokens.dim);
    let stops = matches!(step.kind, "disconnect" | "restart");
    match step.text.rsplit_once(' ') {
        Some((what, verb)) if stops => {
            put(&format!("{what} "), tokens.text);
            put(verb, tokens.amber);
        }
        _ => put(&step.text, tokens.text),
    }
    job
}

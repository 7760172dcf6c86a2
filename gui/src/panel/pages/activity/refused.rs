//! The card that says why the file on disk is not what runs.

use egui::{
    Frame, Label, Layout, Margin, RichText, Role, ScrollArea, Stroke, Ui, WidgetInfo, vec2,
};
use setpoint_bench::{Diagnostic, Severity, layers::bundle};
use setpoint_runtime::ReloadState;

use crate::panel::{
    intent::{Intent, ReloadIntent},
    pages::View,
    theme::{self, Tokens, size},
    widgets::{ActionButton, Mark, Tone, code, label, paint_mark},
};

/// The most room that findings take, in points.
const MOST: f32 = 210.0;

/// What the card says, and what can be done about it.
struct Words {
    tone: Tone,
    title: String,
    problem: Option<String>,
    write: Option<&'static str>,
    reload: bool,
}

/// Draws it where file and bench differ; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>, intents: &mut Vec<Intent>) {
    let Some(mut words) = words(view) else { return };
    let tokens = theme::tokens(ui);
    let colour = words.tone.colour(tokens);
    let findings = match view.status.reload.state {
        ReloadState::Rejected => view.status.reload.diagnostics.as_slice(),
        _ => &[],
    };
    if !findings.is_empty() {
        // The findings say it all, and more.
        words.problem = None;
    }
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, colour))
        .corner_radius(size::CARD_RADIUS)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            head(ui, &words, intents);
            if findings.is_empty() && words.problem.is_none() {
                return;
            }
            crate::panel::widgets::card::line(ui);
            Frame::new().inner_margin(Margin::symmetric(16, 11)).show(ui, |ui| {
                let area = ScrollArea::vertical().id_salt("findings").max_height(MOST);
                area.auto_shrink([false, true]).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    // Lines of text, not controls, set the height of a row here.
                    ui.spacing_mut().interact_size.y = 18.0;
                    if let Some(problem) = &words.problem {
                        let text = RichText::new(problem).font(theme::body()).color(tokens.text);
                        ui.add(Label::new(text).wrap());
                    }
                    for (index, finding) in findings.iter().enumerate() {
                        if index > 0 {
                            ui.add_space(6.0);
                        }
                        let text = view.status.disk_text.as_deref();
                        let path = &view.status.bench.path;
                        let main = path.file_name().is_some_and(|name| *name == *finding.file);
                        // Other files stand behind the bench file in one text.
                        let other = text.filter(|_| !main).and_then(|text| {
                            let (_, others) = bundle::unpack(text);
                            others.into_iter().find(|(name, _)| *name == finding.file)
                        });
                        let text = other.as_ref().map(|(_, text)| text.as_str()).or(text);
                        excerpt(ui, finding, text, tokens);
                    }
                });
            });
        });
}

fn words(view: &View<'_>) -> Option<Words> {
    let status = view.status;
    let name = status.bench.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let running = match &status.revision {
        Some(revision) => format!("The bench still runs {}.", revision.id),
        None => "Nothing runs yet.".to_owned(),
    };
    let keep = Some("Keep mine, rewrite the file");
    let (tone, title, write, reload) = match status.reload.state {
        ReloadState::Rejected | ReloadState::Suspended => {
            (Tone::Bad, format!("{name} was edited and not applied. {running}"), keep, false)
        }
        ReloadState::Conflict => {
            (Tone::Bad, format!("{name} is not what runs. {running}"), keep, true)
        }
        ReloadState::Proposed => {
            (Tone::Amber, format!("{name} was edited and waits. {running}"), keep, true)
        }
        ReloadState::Ahead => {
            (Tone::Amber, format!("What runs is not in {name}."), Some("Write the file"), false)
        }
        ReloadState::InStep
        | ReloadState::Settling
        | ReloadState::Applying
        | ReloadState::Paused => return None,
    };
    Some(Words { tone, title, problem: status.reload.problem.clone(), write, reload })
}

fn head(ui: &mut Ui, words: &Words, intents: &mut Vec<Intent>) {
    let tokens = theme::tokens(ui);
    let colour = words.tone.colour(tokens);
    Frame::new().inner_margin(Margin::symmetric(12, 0)).show(ui, |ui| {
        let room = vec2(ui.available_width(), 41.0);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let (mark, _) = ui.allocate_exact_size(vec2(11.0, 20.0), egui::Sense::hover());
            paint_mark(ui.painter(), Mark::Triangle, mark.center(), 10.0, colour);
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(text) = words.write {
                    let button = ui.add(ActionButton::secondary(text).small());
                    let hint = "Writes what runs over what the file holds; that text is kept";
                    if button.on_hover_text(hint).clicked() {
                        intents.push(ReloadIntent::Sync.into());
                    }
                }
                if words.reload
                    && ui.add(ActionButton::secondary("Apply the file").small()).clicked()
                {
                    intents.push(ReloadIntent::Now.into());
                }
                ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
                    label(ui, &words.title, theme::strong(13.0), colour);
                });
            });
        });
    });
}

/// One finding: what, where, the line with the stretch it is about underlined, and what was meant.
fn excerpt(ui: &mut Ui, finding: &Diagnostic, text: Option<&str>, tokens: &Tokens) {
    let (word, tone) = match finding.severity {
        Severity::Error => ("error", tokens.bad),
        Severity::Warning => ("warning", tokens.amber),
        Severity::Info => ("info", tokens.accent),
    };
    let span = finding.span;
    let simple = |font, colour| egui::TextFormat::simple(font, colour);
    let mut head = egui::text::LayoutJob::default();
    head.append(word, 0.0, simple(theme::mono(), tone));
    head.append(": ", 0.0, simple(theme::mono(), tokens.text));
    head.append(&finding.message, 0.0, simple(theme::mono_bold(), tokens.text));
    if !finding.path.is_empty() {
        head.append(&finding.path, 8.0, simple(theme::mono(), tokens.dim));
    }
    let place = format!("{}:{}:{}", finding.file, span.line, span.column);
    ui.add(Label::new(head).wrap());
    label(ui, format!("──▸ {place}"), theme::mono(), tokens.dim);
    let index = (span.line as usize).saturating_sub(1);
    let Some(line) = text.and_then(|text| text.lines().nth(index)) else {
        if let Some(suggestion) = &finding.suggestion {
            label(ui, format!("did you mean “{suggestion}”?"), theme::mono(), tokens.accent);
        }
        return;
    };
    let digits = span.line.to_string().len();
    if let Some(before) = index.checked_sub(1).and_then(|index| text?.lines().nth(index)) {
        row(ui, span.line - 1, digits, code::underlined(before, 0..0, tone, tokens), None, tokens);
    }
    let end = if span.end_line > span.line { u32::MAX } else { span.end_column };
    let range = code::columns(line, span.column, end);
    let job = code::underlined(line, range, tone, tokens);
    let hint = finding.suggestion.as_ref().map(|hint| format!("did you mean “{hint}”?"));
    let response = row(ui, span.line, digits, job, hint.as_deref(), tokens);
    let line = line.trim().to_owned();
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, format!("line {}: {line}", span.line))
    });
}

fn row(
    ui: &mut Ui,
    number: u32,
    digits: usize,
    line: egui::text::LayoutJob,
    hint: Option<&str>,
    tokens: &Tokens,
) -> egui::Response {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 9.0;
        label(ui, format!("{number:>digits$}"), theme::mono(), tokens.dim);
        let (bar, _) = ui.allocate_exact_size(vec2(1.0, 18.0), egui::Sense::hover());
        ui.painter().rect_filled(bar, 0, tokens.outline);
        let response = ui.add(Label::new(line).truncate());
        if let Some(hint) = hint {
            label(ui, hint, theme::mono(), tokens.accent);
        }
        response
    })
    .inner
}

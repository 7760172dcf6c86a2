//! The card that says why the file on disk is not what runs.

use std::sync::Arc;

use egui::{Label, RichText, Role, ScrollArea, Ui, WidgetInfo, vec2};
use setpoint_bench::{Diagnostic, Severity, layers::bundle};
use setpoint_runtime::ReloadState;

use crate::panel::{
    format,
    intent::{Intent, ReloadIntent},
    pages::View,
    theme::{self, Tokens},
    widgets::{ActionButton, Notice, Tone, code, label},
};

/// The most room that findings take, in points.
const MOST: f32 = 210.0;

/// What the card says, and what can be done about it.
struct Words {
    notice: Notice,
    problem: Option<String>,
    /// What writing the file is called here, and what it does.
    write: Option<(&'static str, &'static str)>,
    /// The same for reading it.
    read: Option<(&'static str, &'static str)>,
}

/// Draws it where file and bench differ; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>, intents: &mut Vec<Intent>) {
    let Some(mut words) = words(view) else { return };
    let tokens = theme::tokens(ui);
    let findings = match view.status.reload.state {
        ReloadState::Rejected | ReloadState::Suspended => view.status.reload.diagnostics.as_slice(),
        _ => &[],
    };
    if !findings.is_empty() && view.status.reload.suspended.is_none() {
        // The findings say it all, and more.
        words.problem = None;
    }
    let problem = words.problem.as_deref();
    let mut body = |ui: &mut Ui| {
        let area = ScrollArea::vertical().id_salt("findings").max_height(MOST);
        area.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            // Lines of text, not controls, set the height of a row here.
            ui.spacing_mut().interact_size.y = 18.0;
            if let Some(problem) = problem {
                let text = RichText::new(problem).font(theme::body()).color(tokens.text);
                ui.add(Label::new(text).wrap());
            }
            for (index, finding) in findings.iter().enumerate() {
                if index > 0 {
                    ui.add_space(6.0);
                }
                let text = text_of(ui, view, &finding.file);
                excerpt(ui, finding, text.as_deref(), tokens);
            }
        });
    };
    let body = (!findings.is_empty() || problem.is_some()).then_some(&mut body as _);
    words.notice.show(
        ui,
        |ui| {
            for (words, intent) in
                [(words.write, ReloadIntent::Sync), (words.read, ReloadIntent::Now)]
            {
                if let Some((text, hint)) = words {
                    let button = ActionButton::secondary(text).small();
                    let button = ui.add(button.enabled(view.busy.is_none()));
                    if button.on_hover_text(hint).clicked() {
                        intents.push(intent.into());
                    }
                }
            }
        },
        body,
    );
}

/// The text of one file of the bench as it is on disk. Other files stand behind the bench file in
/// one text; each is taken out once.
fn text_of(ui: &Ui, view: &View<'_>, file: &str) -> Option<Arc<str>> {
    let disk = view.status.disk_text.as_ref()?;
    if view.status.bench.path.file_name().is_some_and(|name| *name == *file) {
        return Some(disk.clone());
    }
    type Files = Arc<Vec<(String, Arc<str>)>>;
    let id = egui::Id::unique("files of a refused text");
    let kept: Option<(Arc<str>, Files)> = ui.data(|data| data.get_temp(id));
    let files = match kept {
        Some((of, files)) if Arc::ptr_eq(&of, disk) => files,
        _ => {
            let (_, others) = bundle::unpack(disk);
            let others = others.into_iter().map(|(name, text)| (name.to_string(), text.into()));
            let files: Files = Arc::new(others.collect());
            ui.data_mut(|data| data.insert_temp(id, (disk.clone(), files.clone())));
            files
        }
    };
    let other = files.iter().find(|(name, _)| name == file).map(|(_, text)| text.clone());
    Some(other.unwrap_or_else(|| disk.clone()))
}

fn words(view: &View<'_>) -> Option<Words> {
    let status = view.status;
    let reload = &status.reload;
    let name = status.bench.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let running = match &status.revision {
        Some(revision) => format!("The bench still runs {}.", revision.id),
        None => "Nothing runs yet.".to_owned(),
    };
    let keep = "Writes what runs over what the file holds; that text is kept in .setpoint";
    let mine = Some(("Keep mine, rewrite the file", keep));
    let apply = Some(("Apply the file", "Puts what the file holds into effect"));
    let mut problem = reload.problem.clone();
    // An included file may be the one that was edited.
    let mut files: Vec<&str> = reload.diagnostics.iter().map(|found| &*found.file).collect();
    files.sort_unstable();
    files.dedup();
    let edited = match files.as_slice() {
        [one] => (*one).to_owned(),
        _ => name.clone(),
    };
    let (tone, title, write, read) = match reload.state {
        ReloadState::Rejected => {
            (Tone::Bad, format!("{edited} was edited and not applied. {running}"), mine, None)
        }
        ReloadState::Suspended => {
            if let Some(held) = &reload.suspended {
                let until = format::clock(held.until, view.zone);
                problem = Some(format!(
                    "{} saves in a row could not be applied. The file is looked at again at \
                     {until}; a good one is applied then, or at once if you look now.",
                    held.failures
                ));
            }
            let look = ("Look now", "Reads the file now and applies it if it checks");
            (Tone::Bad, format!("Reloads of {name} are held back. {running}"), mine, Some(look))
        }
        ReloadState::Conflict => {
            (Tone::Bad, format!("{name} is not what runs. {running}"), mine, apply)
        }
        ReloadState::Proposed => match &reload.question {
            Some(question) => {
                problem = Some(format!(
                    "{} {running}",
                    removed(&question.removed)
                        .unwrap_or_else(|| "The file may be half saved.".to_owned())
                ));
                let mine = ("Keep what runs", keep);
                let apply = ("Apply anyway", "Puts what the file holds into effect");
                (
                    Tone::Amber,
                    format!("{}: apply or keep?", question.message),
                    Some(mine),
                    Some(apply),
                )
            }
            None => (Tone::Amber, format!("{name} was edited and waits. {running}"), mine, apply),
        },
        ReloadState::Paused if reload.watch.off => {
            (Tone::Amber, format!("{name} was edited and is not followed. {running}"), mine, apply)
        }
        ReloadState::Ahead => {
            let write = match &reload.ahead {
                Some(ahead) => {
                    let next = ahead.next_try.map(|at| {
                        format!(" Writing is tried again at {}.", format::clock(at, view.zone))
                    });
                    let since = format::clock(ahead.since, view.zone);
                    problem = Some(format!(
                        "{} Since {since}.{}",
                        format::sentence(&ahead.cause),
                        next.unwrap_or_default()
                    ));
                    ("Write it now", "Tries to write what runs to the file")
                }
                None => ("Write the file", keep),
            };
            (Tone::Amber, format!("What runs is not in {name}."), Some(write), None)
        }
        ReloadState::InStep
        | ReloadState::Settling
        | ReloadState::Applying
        | ReloadState::Paused => return None,
    };
    Some(Words { notice: Notice { tone, title }, problem, write, read })
}

/// The components that would go, as many as fit in a sentence.
fn removed(paths: &[String]) -> Option<String> {
    const SHOWN: usize = 8;
    if paths.is_empty() {
        return None;
    }
    let more = paths.len().saturating_sub(SHOWN);
    let shown = paths.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("The file has no {shown}{more}."))
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

//! The card that asks what to do about a change that an earlier run did not finish.

use egui::{Label, RichText, ScrollArea, Ui, text::LayoutJob};
use setpoint_runtime::{Decision, FileHolds, Unfinished};

use crate::panel::{
    format,
    intent::{Intent, ReloadIntent},
    pages::View,
    theme::{self, Tokens},
    widgets::{ActionButton, Notice, Tone},
};

/// The most room that the steps take, in points.
const MOST: f32 = 150.0;

/// Keys that a line names; the rest is counted.
const NAMED: usize = 6;

/// Draws it while nobody has decided; nothing otherwise.
pub fn show(ui: &mut Ui, view: &View<'_>, intents: &mut Vec<Intent>) {
    let Some(change) = view.status.unfinished.as_deref() else { return };
    let tokens = theme::tokens(ui);
    let when = format::day_and_time(change.at, view.now, view.zone);
    let taken = change.steps.iter().filter(|step| step.done).count();
    let notice = Notice {
        tone: Tone::Bad,
        title: format!(
            "The change of {when} was not finished: {taken} of {} known to be done.",
            format::count(change.steps.len(), "step", "steps")
        ),
    };
    let words = words(view, change);
    notice.show(
        ui,
        |ui| {
            let back = match change.from_revision.as_str() {
                "" => "Go back".to_owned(),
                id => format!("Go back to {id}"),
            };
            for (text, hint, decision, intent) in [
                (
                    back,
                    "Takes back what it did in file and devices",
                    &change.go_back,
                    ReloadIntent::GoBack,
                ),
                (
                    "Finish it".to_owned(),
                    "Puts what was intended into effect, checked like any other change",
                    &change.finish,
                    ReloadIntent::Finish,
                ),
            ] {
                let clashes = decision.as_ref().is_some_and(|one| !one.clashes.is_empty());
                let button = ActionButton::secondary(text).small();
                let button = button.enabled(view.busy.is_none() && !clashes);
                let button = ui.add(button);
                if button.on_hover_text(hint).clicked() {
                    intents.push(intent.into());
                }
            }
        },
        Some(&mut |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            let text = RichText::new(&words).font(theme::body()).color(tokens.text);
            ui.add(Label::new(text).wrap());
            for told in consequences(change) {
                let told = RichText::new(told).font(theme::body()).color(tokens.text);
                ui.add(Label::new(told).wrap());
            }
            let area = ScrollArea::vertical().id_salt("unfinished").max_height(MOST);
            area.auto_shrink([false, true]).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 3.0;
                for step in &change.steps {
                    ui.add(Label::new(line(&step.text, step.done, tokens)).wrap());
                }
            });
        }),
    );
}

fn words(view: &View<'_>, change: &Unfinished) -> String {
    let file = view.status.bench.path.file_name().unwrap_or_default().to_string_lossy();
    let holds = match change.file_holds {
        FileHolds::Before => format!("{file} holds the text from before it, and that runs."),
        FileHolds::After => format!("{file} holds what was intended, and that runs."),
        FileHolds::Other => format!("{file} holds something else by now, and decides what runs."),
    };
    format!("Setpoint ended in the middle of it. {holds} Devices may hold values of either side.")
}

/// What either button would write, or why it would be refused.
fn consequences(change: &Unfinished) -> Vec<String> {
    let (Some(finish), Some(back)) = (change.finish.as_deref(), change.go_back.as_deref()) else {
        return Vec::new();
    };
    let clashes = if finish.clashes.is_empty() { &back.clashes } else { &finish.clashes };
    if !clashes.is_empty() {
        return vec![format!(
            "The file was saved since with other values of what it is about: {}. Save the value \
             from before or the intended one, then decide; another one can be saved after that.",
            some(clashes)
        )];
    }
    let line = |what: &str, decision: &Decision| match &decision.problem {
        Some(problem) => format!("{what} cannot be done now: {problem}."),
        None if decision.writes.is_empty() => format!("{what} leaves the file as it is."),
        None => format!("{what} writes into the file: {}.", some(&decision.writes)),
    };
    vec![line("Going back", back), line("Finishing", finish)]
}

fn some(all: &[String]) -> String {
    let first = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `done  psu.ch1.voltage 3.300 → 3.450 V`; told by the word, not by the colour alone.
fn line(text: &str, done: bool, tokens: &Tokens) -> LayoutJob {
    let mut job = LayoutJob::default();
    let (word, colour) =
        if done { ("done     ", tokens.good) } else { ("not known", tokens.amber) };
    job.append(word, 0.0, egui::TextFormat::simple(theme::mono(), colour));
    job.append(text, 12.0, egui::TextFormat::simple(theme::mono(), tokens.text));
    job
}

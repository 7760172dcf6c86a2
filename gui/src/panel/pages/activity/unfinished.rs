//! The card that asks what to do about a change that an earlier run did not finish.

use egui::{Label, RichText, ScrollArea, Ui, text::LayoutJob};
use setpoint_runtime::{FileHolds, Unfinished};

use crate::panel::{
    format,
    intent::{Intent, ReloadIntent},
    pages::View,
    theme::{self, Tokens},
    widgets::{ActionButton, Notice, Tone},
};

/// The most room that the steps take, in points.
const MOST: f32 = 150.0;

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
            for (text, hint, intent) in [
                (back, "Puts file and devices back to what ran before it", ReloadIntent::GoBack),
                (
                    "Finish it".to_owned(),
                    "Puts what was intended into effect, checked like any other change",
                    ReloadIntent::Finish,
                ),
            ] {
                let button = ActionButton::secondary(text).small().enabled(view.busy.is_none());
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

/// `done  psu.ch1.voltage 3.300 → 3.450 V`; told by the word, not by the colour alone.
fn line(text: &str, done: bool, tokens: &Tokens) -> LayoutJob {
    let mut job = LayoutJob::default();
    let (word, colour) =
        if done { ("done     ", tokens.good) } else { ("not known", tokens.amber) };
    job.append(word, 0.0, egui::TextFormat::simple(theme::mono(), colour));
    job.append(text, 12.0, egui::TextFormat::simple(theme::mono(), tokens.text));
    job
}

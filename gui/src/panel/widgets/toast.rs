//! Short messages at the lower right. What went wrong stays until someone takes it away.

use egui::{Align2, Area, Context, Frame, Id, Layout, Margin, Order, RichText, Stroke, vec2};

use super::{
    button::icon_button,
    tone::{Mark, Tone, paint_mark},
};
use crate::panel::{icons, theme};

/// How long a message that needs no answer stays, in seconds.
const SHORT_S: f64 = 4.0;
/// More than this are not shown at once; older short ones go first.
const MOST: usize = 5;

/// What a message says of the bench file. When that is not so any more, the message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// It could not be written.
    CannotBeWritten,
    /// What runs is not in it yet.
    Behind,
    /// It holds what runs.
    InStep,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Names it for [`Toasts::dismiss`].
    pub id: u64,
    /// How it looks.
    pub tone: Tone,
    /// What it says.
    pub text: String,
    /// When it goes by itself, in seconds of the window's clock.
    until: Option<f64>,
    about: Option<About>,
}

/// All messages, oldest first.
#[derive(Debug, Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    last_id: u64,
    /// Whether what ran last was in the file, and which revision that was.
    in_file: bool,
    revision: Option<String>,
}

impl Toasts {
    /// Says that something worked. `now_s` is the window's clock.
    pub fn done(&mut self, text: impl Into<String>, now_s: f64) {
        self.push(Tone::Good, text.into(), Some(now_s + SHORT_S));
    }

    /// Says that something worked, and what about it is not well.
    pub fn warning(&mut self, text: impl Into<String>, now_s: f64) {
        self.push(Tone::Amber, text.into(), Some(now_s + 2.0 * SHORT_S));
    }

    /// Says that something did not work; it stays until dismissed.
    pub fn error(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.shown.iter().any(|toast| toast.text == text && toast.tone == Tone::Bad) {
            self.push(Tone::Bad, text, None);
        }
    }

    /// Says that the file holds what runs, as long as that is so.
    pub fn in_step(&mut self, text: impl Into<String>, now_s: f64) {
        self.was_written();
        self.done(text, now_s);
        self.is_about(About::InStep);
    }

    /// Says that something worked and is not in the file, until it is.
    pub fn behind(&mut self, text: impl Into<String>, now_s: f64) {
        self.warning(text, now_s);
        self.is_about(About::Behind);
    }

    /// Says that the file could not be written; it stays until it could, or until dismissed.
    pub fn cannot_write(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.shown.retain(|toast| toast.text != text || toast.tone != Tone::Bad);
        self.error(text);
        self.is_about(About::CannotBeWritten);
    }

    fn was_written(&mut self) {
        let over = [Some(About::CannotBeWritten), Some(About::Behind)];
        self.shown.retain(|toast| !over.contains(&toast.about));
    }

    fn is_about(&mut self, about: About) {
        if let Some(newest) = self.shown.last_mut() {
            newest.about = Some(about);
        }
    }

    /// Takes away what is not so any more: `in_file` says whether what runs is in the file,
    /// `revision` what that is, `written` whether it came there by being written.
    pub fn follow(&mut self, in_file: bool, revision: Option<&str>, written: bool) {
        let came = self.revision.as_deref() != revision && written;
        if in_file && (!self.in_file || came) {
            self.was_written();
        }
        if !in_file {
            self.shown.retain(|toast| toast.about != Some(About::InStep));
        }
        self.in_file = in_file;
        self.revision = revision.map(str::to_owned);
    }

    /// Takes one away.
    pub fn dismiss(&mut self, id: u64) {
        self.shown.retain(|toast| toast.id != id);
    }

    /// What is shown.
    pub fn shown(&self) -> &[Toast] {
        &self.shown
    }

    fn push(&mut self, tone: Tone, text: String, until: Option<f64>) {
        self.last_id += 1;
        self.shown.push(Toast { id: self.last_id, tone, text, until, about: None });
        if self.shown.len() > MOST {
            let oldest_short = self.shown.iter().position(|toast| toast.until.is_some());
            self.shown.remove(oldest_short.unwrap_or(0));
        }
    }

    /// Draws them above everything but the `foot` of the page, so many points high, and lets go of
    /// those whose time is over. Returns the one that was dismissed.
    pub fn show(&mut self, ctx: &Context, foot: f32) -> Option<u64> {
        let now_s = ctx.time();
        self.shown.retain(|toast| toast.until.is_none_or(|until| until > now_s));
        let next = self.shown.iter().filter_map(|toast| toast.until).reduce(f64::min);
        if let Some(until) = next {
            #[allow(clippy::cast_possible_truncation, reason = "a few seconds")]
            ctx.request_repaint_after_secs((until - now_s) as f32);
        }
        if self.shown.is_empty() {
            return None;
        }
        let mut dismissed = None;
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-14.0, -theme::size::STATUS_BAR - foot - 12.0))
            .show(ctx, |ui| {
                ui.spacing_mut().item_spacing.y = 8.0;
                for toast in &self.shown {
                    if draw(ui, toast) {
                        dismissed = Some(toast.id);
                    }
                }
            });
        dismissed
    }
}

fn draw(ui: &mut egui::Ui, toast: &Toast) -> bool {
    let tokens = theme::tokens(ui);
    let colour = toast.tone.colour(tokens);
    let mark = match toast.tone {
        Tone::Bad => Mark::Triangle,
        Tone::Amber => Mark::Square,
        _ => Mark::Dot,
    };
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, colour))
        .corner_radius(theme::size::CARD_RADIUS)
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(12, 9))
        .show(ui, |ui| {
            ui.set_width(380.0);
            ui.with_layout(Layout::right_to_left(egui::Align::Min), |ui| {
                let name = format!("Dismiss: {}", toast.text);
                let clicked = icon_button(ui, icons::CLOSE, 18.0, &name).clicked();
                ui.with_layout(Layout::left_to_right(egui::Align::Min), |ui| {
                    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 18.0), egui::Sense::hover());
                    paint_mark(ui.painter(), mark, rect.center(), 9.0, colour);
                    ui.add(egui::Label::new(RichText::new(&toast.text).color(tokens.text)).wrap());
                });
                clicked
            })
            .inner
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_outlive_successes_and_are_said_once() {
        let mut toasts = Toasts::default();
        toasts.error("psu does not answer");
        toasts.error("psu does not answer");
        for number in 0..8 {
            toasts.done(format!("Saved {number}"), 0.0);
        }
        assert_eq!(toasts.shown().len(), MOST);
        assert_eq!(toasts.shown()[0].text, "psu does not answer");
        toasts.dismiss(toasts.shown()[0].id);
        assert!(toasts.shown().iter().all(|toast| toast.tone == Tone::Good));
    }

    #[test]
    fn what_is_not_so_any_more_goes() {
        let mut toasts = Toasts::default();
        let texts = |toasts: &Toasts| {
            toasts.shown().iter().map(|toast| toast.text.clone()).collect::<Vec<_>>()
        };
        toasts.follow(true, Some("r1"), true);
        toasts.cannot_write("bench.toml is read-only");
        toasts.follow(true, Some("r1"), true);
        assert_eq!(texts(&toasts), ["bench.toml is read-only"], "nothing was written since");
        toasts.follow(true, Some("r2"), false);
        assert_eq!(texts(&toasts), ["bench.toml is read-only"], "someone else wrote it");
        toasts.follow(true, Some("r3"), true);
        assert_eq!(texts(&toasts), [""; 0]);

        toasts.cannot_write("bench.toml is read-only");
        toasts.in_step("The file holds what runs", 0.0);
        assert_eq!(texts(&toasts), ["The file holds what runs"]);
        toasts.done("Committed as r4", 0.0);
        toasts.error("psu does not answer");
        toasts.follow(false, Some("r4"), false);
        assert_eq!(texts(&toasts), ["Committed as r4", "psu does not answer"]);
        toasts.behind("It runs, and is not in the file yet", 0.0);
        toasts.cannot_write("bench.toml is read-only");
        toasts.cannot_write("bench.toml is read-only");
        toasts.follow(false, Some("r4"), false);
        assert_eq!(toasts.shown().len(), 4);
        toasts.follow(true, Some("r4"), false);
        assert_eq!(texts(&toasts), ["Committed as r4", "psu does not answer"]);
    }
}

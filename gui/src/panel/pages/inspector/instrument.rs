//! One instrument.

use egui::{Frame, Label, Margin, RichText, Stroke, Ui};
use setpoint_instruments::{InstrumentStatus, LinkState};

use super::{body, group_title, head, parameter};
use crate::panel::{
    format,
    intent::{InstrumentIntent, Intent},
    pages::{
        View,
        bench::{BenchState, rows::staged},
    },
    theme::{self, size},
    widgets::{ActionButton, Mark, Pill, Tone},
};

/// Draws one instrument.
pub(super) fn show(
    ui: &mut Ui,
    view: &View<'_>,
    state: &mut BenchState,
    instrument: &InstrumentStatus,
) -> Vec<Intent> {
    let mut intents = Vec::new();
    let words = short_name(&instrument.driver_name);
    head(ui, &instrument.id, words, link_pill(view, instrument));
    body(ui, &format!("instrument {}", instrument.id), |ui| {
        link(ui, instrument);
        differs(ui, view, instrument, &mut intents);
        let edits = staged(view);
        let mut group = None;
        for one in instrument.parameters.values() {
            let of = one.name.split_once('.').map_or("", |(group, _)| group);
            if group != Some(of) {
                group_title(ui, &title_of(of));
                group = Some(of);
            }
            let edit = edits.get(&(instrument.id.clone(), one.name.clone())).copied();
            intents.extend(parameter::show(ui, view, state, instrument, one, edit));
        }
    });
    intents
}

fn link_pill(view: &View<'_>, instrument: &InstrumentStatus) -> Pill {
    let (tone, mark, text) = match instrument.state {
        LinkState::Connected => (Tone::Good, Mark::Dot, "Connected".to_owned()),
        LinkState::Connecting => (Tone::Info, Mark::Dot, "Connecting…".to_owned()),
        LinkState::Disabled => (Tone::Neutral, Mark::Square, "Disabled".to_owned()),
        LinkState::Offline => {
            let wait = instrument
                .retry_at
                .map(|at| format::seconds_between(view.now, at).ceil())
                .filter(|seconds| *seconds > 0.0);
            let text = wait.map_or_else(
                || "Offline".to_owned(),
                |seconds| format!("Offline · retry {}", format::span_s(seconds)),
            );
            (Tone::Bad, Mark::Square, text)
        }
    };
    Pill::new(tone, text).mark(mark)
}

/// Where it is, how fast it answers, what went wrong last.
fn link(ui: &mut Ui, instrument: &InstrumentStatus) {
    let tokens = theme::tokens(ui);
    if let Some(identity) = &instrument.identity {
        ui.add(Label::new(RichText::new(identity).color(tokens.soft)).wrap());
        ui.add_space(3.0);
    }
    let mut words = instrument.address.clone();
    if let Some(link) = instrument.link.as_ref().filter(|link| **link != instrument.address) {
        words.push_str(" → ");
        words.push_str(link);
    }
    if let Some(ms) = instrument.round_trip_ms {
        words.push_str(" · round trip ");
        words.push_str(&format::millis(ms));
    }
    ui.add(Label::new(RichText::new(words).color(tokens.soft)).wrap());
    if let Some(error) = &instrument.error {
        ui.add_space(6.0);
        ui.add(Label::new(RichText::new(error).color(tokens.bad)).wrap());
    }
}

/// Setpoints that the device does not read, and the way to set them.
fn differs(ui: &mut Ui, view: &View<'_>, instrument: &InstrumentStatus, intents: &mut Vec<Intent>) {
    let edits = staged(view);
    let names: Vec<_> = instrument
        .parameters
        .values()
        .filter(|one| one.in_tolerance == Some(false))
        .filter(|one| !edits.contains_key(&(instrument.id.clone(), one.name.clone())))
        .map(|one| one.name.as_str())
        .collect();
    if names.is_empty() || instrument.state != LinkState::Connected {
        return;
    }
    let tokens = theme::tokens(ui);
    ui.add_space(10.0);
    Frame::new()
        .fill(tokens.amber_ground)
        .stroke(Stroke::new(1.0, tokens.amber))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width() - 6.0);
            let verb = if names.len() == 1 { "differs" } else { "differ" };
            let words = format!(
                "{} {verb} from what the device reads",
                format::count(names.len(), "setpoint", "setpoints")
            );
            let words = RichText::new(words).color(tokens.amber);
            ui.add(Label::new(words).wrap()).on_hover_text(names.join(", "));
            ui.add_space(8.0);
            let apply = ActionButton::secondary("Apply setpoints")
                .small()
                .name(format!("Apply setpoints of {}", instrument.id));
            if ui.add(apply).on_hover_text("Set them on the device again").clicked() {
                intents.push(InstrumentIntent::Reapply(instrument.id.clone()).into());
            }
        });
}

/// Maker and model, without what kind of device it is: `Rigol DP832 power supply` is a
/// `Rigol DP832`.
pub fn short_name(driver_name: &str) -> &str {
    let has_digit = |word: &&str| word.contains(|sign: char| sign.is_ascii_digit());
    let end = driver_name
        .split(' ')
        .find(has_digit)
        .and_then(|model| driver_name.find(model).map(|begin| begin + model.len()));
    &driver_name[..end.unwrap_or(driver_name.len())]
}

/// `ch1`: `Channel 1`; `loop1`: `Loop 1`; `a`: `Input A`.
fn title_of(group: &str) -> String {
    let digits = group.find(|sign: char| sign.is_ascii_digit()).unwrap_or(group.len());
    let (word, number) = group.split_at(digits);
    let word = match word {
        "" => "General".to_owned(),
        "ch" => "Channel".to_owned(),
        letter if letter.len() == 1 => format!("Input {}", letter.to_uppercase()),
        word => {
            let word = word.replace('_', " ");
            let mut signs = word.chars();
            let first = signs.next().map(|sign| sign.to_uppercase().to_string());
            format!("{}{}", first.unwrap_or_default(), signs.as_str())
        }
    };
    if number.is_empty() { word } else { format!("{word} {number}") }
}

#[cfg(test)]
mod tests {
    use super::{short_name, title_of};

    #[test]
    fn names_end_with_the_model() {
        assert_eq!(short_name("Rigol DP832 power supply"), "Rigol DP832");
        assert_eq!(short_name("Lake Shore 335 temperature controller"), "Lake Shore 335");
        assert_eq!(short_name("Mai Tai"), "Mai Tai");
    }

    #[test]
    fn groups_have_names_a_person_reads() {
        assert_eq!(title_of("ch1"), "Channel 1");
        assert_eq!(title_of("loop2"), "Loop 2");
        assert_eq!(title_of("a"), "Input A");
        assert_eq!(title_of("status_byte"), "Status byte");
        assert_eq!(title_of(""), "General");
    }
}

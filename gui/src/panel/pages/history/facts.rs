//! What was so when a revision was accepted: who, why, what every instrument had read back, what
//! every source had shown.

use std::{collections::BTreeMap, sync::Arc};

use egui::{
    Align, Color32, CornerRadius, Frame, Layout, Margin, Pos2, Rect, Role, ScrollArea, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use serde_json::Value;
use setpoint_runtime::Revision;

use crate::panel::{
    answers::Facts,
    format,
    intent::{HistoryIntent, Intent},
    pages::{View, words},
    theme::{self, size},
    video::VideoTexture,
    widgets::{ActionButton, Mark, Pill, Tone, card, cell_at, label, table::PAD},
};

/// Height of a kept picture, in points.
const PICTURE: f32 = 92.0;
/// Most of its width.
const PICTURE_WIDTH: f32 = 164.0;
/// Room below a picture for its name and time.
const CAPTION: f32 = 34.0;

/// What the view remembers.
#[derive(Default)]
pub struct FactsState {
    /// The revision whose pictures are on the graphics card.
    of: String,
    textures: BTreeMap<String, VideoTexture>,
}

impl std::fmt::Debug for FactsState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FactsState").field("of", &self.of).finish_non_exhaustive()
    }
}

/// Draws them; asks for them if they are not there yet.
pub fn show(
    ui: &mut Ui,
    view: &View<'_>,
    selected: &Revision,
    state: &mut FactsState,
    intents: &mut Vec<Intent>,
) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let answer = view.answers.facts.get(&selected.id);
    let facts = match answer {
        Some(Ok(Some(facts))) => Some(facts),
        _ => None,
    };
    head(ui, view, selected, facts.map(|facts| facts.kept.effect.as_str()));
    card::line(ui);
    match answer {
        None => {
            intents.push(HistoryIntent::NeedFacts(selected.id.clone()).into());
            say(ui, &format!("Reading what was so at {}…", selected.id), |_| {});
        }
        Some(Err(why)) => {
            let text = format!("What was so at {} cannot be read: {why}", selected.id);
            say(ui, &text, |ui| {
                if ui.add(ActionButton::secondary("Try again").small()).clicked() {
                    intents.push(HistoryIntent::NeedFacts(selected.id.clone()).into());
                }
            });
        }
        Some(Ok(None)) => {
            let text = format!(
                "Nothing was kept of {} but its text: it was accepted while no bench ran, or the \
                 history was lost",
                selected.id
            );
            say(ui, &text, |_| {});
        }
        Some(Ok(Some(facts))) => {
            if !facts.kept.pictures.is_empty() {
                pictures(ui, view, facts, state);
                card::line(ui);
            }
            readings(ui, view, facts);
        }
    }
}

fn say(ui: &mut Ui, text: &str, more: impl FnOnce(&mut Ui)) {
    let tokens = theme::tokens(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        let text = egui::RichText::new(text).font(theme::body()).color(tokens.soft);
        ui.add(egui::Label::new(text).wrap());
        ui.add_space(10.0);
        more(ui);
    });
}

/// Reason, person, door, time and effect.
fn head(ui: &mut Ui, view: &View<'_>, selected: &Revision, effect: Option<&str>) {
    let tokens = theme::tokens(ui);
    Frame::new().inner_margin(Margin::symmetric(12, 9)).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(10.0, 4.0);
        let reason = match selected.message.trim() {
            "" => "No reason was given",
            reason => reason,
        };
        label(ui, reason, theme::strong(13.5), tokens.text);
        ui.horizontal(|ui| {
            if let Some(effect) = effect {
                let effect = words::effect_named(effect);
                ui.add(Pill::new(words::effect_tone(effect), words::effect(effect)).plain())
                    .on_hover_text("The greatest effect among its changes");
            }
            let day = format::day_and_time(selected.at, view.now, view.zone);
            let second = selected.at.to_zoned(view.zone.clone());
            let who = words::author(selected);
            label(ui, format!("{day} · {who}"), theme::body(), tokens.soft).on_hover_text(format!(
                "{}, by {}, origin {}",
                second.strftime("%Y-%m-%d %H:%M:%S %Z"),
                selected.author,
                selected.origin.as_str()
            ));
        });
    });
}

fn pictures(ui: &mut Ui, view: &View<'_>, facts: &Arc<Facts>, state: &mut FactsState) {
    if state.of != facts.kept.revision {
        state.of.clone_from(&facts.kept.revision);
        state.textures.clear();
    }
    let frame = Frame::new().inner_margin(Margin::symmetric(12, 9));
    frame.show(ui, |ui| {
        ScrollArea::horizontal().id_salt("kept pictures").auto_shrink([false, true]).show(
            ui,
            |ui| {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = size::GAP;
                    for picture in &facts.kept.pictures {
                        let texture = state.textures.entry(picture.source.clone()).or_default();
                        if let Some(frame) = facts.pictures.get(&picture.source) {
                            texture.upload(ui.ctx(), frame);
                        }
                        let before = format::seconds_between(picture.at, facts.kept.at).max(0.0);
                        let time = format::clock(picture.at, view.zone);
                        let age = if before < 1.0 {
                            time
                        } else {
                            format!("{time}, {} before", format::span_s(before))
                        };
                        one(ui, &picture.source, &age, texture);
                    }
                });
            },
        );
    });
}

fn one(ui: &mut Ui, source: &str, age: &str, texture: &VideoTexture) {
    let tokens = theme::tokens(ui);
    let whole = vec2(PICTURE_WIDTH, PICTURE + CAPTION);
    let (rect, response) = ui.allocate_exact_size(whole, Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, format!("picture of {source}, {age}"))
    });
    let top = Rect::from_min_size(rect.min, vec2(rect.width(), PICTURE));
    let painter = ui.painter();
    painter.rect_filled(rect, 6, tokens.card);
    painter.rect_filled(top, CornerRadius { nw: 6, ne: 6, sw: 0, se: 0 }, tokens.picture_ground);
    match texture.shown() {
        Some((texture, pixels)) => {
            let scale = (top.width() / pixels.x).min(top.height() / pixels.y);
            let inside = Rect::from_center_size(top.center(), pixels * scale);
            let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            painter.image(texture, inside, uv, Color32::WHITE);
        }
        None => {
            let at = egui::Align2::CENTER_CENTER;
            painter.text(top.center(), at, "cannot be read", theme::small(), Color32::GRAY);
        }
    }
    let line = Stroke::new(1.0, tokens.line);
    painter.rect_stroke(rect, 6, line, StrokeKind::Inside);
    let lines = Rect::from_min_max(pos2(rect.left() + 8.0, top.bottom()), rect.max);
    let layout = Layout::top_down(Align::Min);
    let mut text =
        ui.new_child(egui::UiBuilder::new().max_rect(lines.shrink2(vec2(0.0, 2.0))).layout(layout));
    text.spacing_mut().item_spacing.y = 0.0;
    label(&mut text, source, theme::medium(12.0), tokens.text);
    label(&mut text, age, theme::mono_tiny(), tokens.dim);
}

fn readings(ui: &mut Ui, view: &View<'_>, facts: &Facts) {
    let tokens = theme::tokens(ui);
    let width = ui.available_width();
    let room = width - 2.0 * PAD - 2.0;
    let columns = [0.0, 0.19, 0.44, 0.58, 0.72, 0.78, 1.0].map(|part| PAD + 2.0 + part * room);
    let (titles, _) = ui.allocate_exact_size(vec2(width, size::TITLES), Sense::hover());
    for (index, (text, right)) in [
        ("Instrument", false),
        ("Parameter", false),
        ("Asked for", true),
        ("Read back", true),
        ("Unit", false),
        ("Then", false),
    ]
    .into_iter()
    .enumerate()
    {
        let from = titles.left() + columns[index];
        let to = titles.left() + columns[index + 1] - PAD;
        cell_at(ui, titles, from, to, right, |ui| label(ui, text, theme::medium(11.5), tokens.dim));
    }
    card::line(ui);
    let readings = &facts.kept.readings;
    if readings.is_empty() {
        say(ui, "No readings are kept", |_| {});
        return;
    }
    ScrollArea::vertical().id_salt("kept readings").auto_shrink([false, false]).show_rows(
        ui,
        size::ROW,
        readings.len(),
        |ui, range| {
            for at in range {
                let Some(reading) = readings.get(at) else { continue };
                let first = at.checked_sub(1).and_then(|before| readings.get(before));
                let first = first.is_none_or(|before| before.instrument != reading.instrument);
                let decimals = view
                    .status
                    .instruments
                    .get(&reading.instrument)
                    .and_then(|it| it.parameters.get(&reading.parameter)?.decimals);
                let shown = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "–".to_owned(), |it| plain(it, decimals))
                };
                let cells = [
                    if first { reading.instrument.clone() } else { String::new() },
                    reading.parameter.clone(),
                    shown(&reading.setpoint),
                    shown(&reading.readback),
                    reading.unit.clone().unwrap_or_default(),
                ];
                let pill = quality(&reading.quality, reading.age_ms);
                let name = format!(
                    "{} {}: asked for {}, read back {} {}, {}",
                    reading.instrument,
                    cells[1],
                    cells[2],
                    cells[3],
                    cells[4],
                    pill.text()
                );
                row(ui, &columns, &cells, pill, &name);
            }
        },
    );
}

fn row(ui: &mut Ui, columns: &[f32; 7], cells: &[String; 5], pill: Pill, name: &str) {
    let tokens = theme::tokens(ui);
    let (row, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Row, true, name));
    for (index, text) in cells.iter().enumerate() {
        let (font, colour) = match index {
            0 => (theme::medium(13.0), tokens.text),
            4 => (theme::body(), tokens.dim),
            _ => (theme::mono(), tokens.text),
        };
        let (from, to) = (row.left() + columns[index], row.left() + columns[index + 1] - PAD);
        let right = index == 2 || index == 3;
        cell_at(ui, row, from, to, right, |ui| label(ui, text, font, colour));
    }
    let (from, to) = (row.left() + columns[5], row.left() + columns[6]);
    cell_at(ui, row, from, to, false, |ui| ui.add(pill.at_most(to - from)));
    let line = Stroke::new(1.0, tokens.line);
    ui.painter().hline(row.x_range(), row.bottom() - 0.5, line);
}

/// How good the readback was, and how old.
fn quality(quality: &str, age_ms: Option<u64>) -> Pill {
    #[allow(clippy::cast_precision_loss, reason = "ages are small")]
    let age_s = age_ms.map(|ms| ms as f64 / 1000.0);
    let old = age_s.filter(|age| *age >= 1.0).map(format::span_s);
    match quality {
        "good" => {
            let text = old.map_or_else(|| "Fresh".to_owned(), |old| format!("Read {old} before"));
            Pill::new(Tone::Good, text).mark(Mark::Dot)
        }
        "stale" => {
            Pill::new(Tone::Amber, old.map_or("Stale".to_owned(), |old| format!("Stale {old}")))
        }
        "invalid" => Pill::new(Tone::Bad, "Not understood"),
        _ => Pill::new(Tone::Neutral, "Not read"),
    }
}

/// A kept value as its parameter would show it.
fn plain(value: &Value, decimals: Option<usize>) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => format::number(value, decimals),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kept_values_look_as_live_ones_do() {
        assert_eq!(plain(&json!(3.3), Some(3)), "3.300");
        assert_eq!(plain(&json!(800), Some(3)), "800");
        assert_eq!(plain(&json!("low"), None), "low");
        assert_eq!(plain(&json!(true), None), "on");
    }

    #[test]
    fn what_was_old_then_says_so() {
        assert_eq!(quality("good", Some(200)).text(), "Fresh");
        assert_eq!(quality("good", Some(12_000)).text(), "Read 12 s before");
        assert_eq!(quality("stale", Some(12_000)).text(), "Stale 12 s");
        assert_eq!(quality("none", None).text(), "Not read");
    }
}

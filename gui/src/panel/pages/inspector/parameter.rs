//! One parameter of an instrument: its field, or its value where it cannot be set.

use egui::{Id, Ui};
use setpoint_bench::{Edit, KeyPath, Value};
use setpoint_instruments::{InstrumentStatus, ParamValue, ParameterStatus, Quality};
use setpoint_runtime::StagedEdit;

use super::{FIELD, enter_parameter, remarks, row};
use crate::panel::{
    format, icons,
    intent::{Intent, StageIntent},
    pages::{
        View,
        bench::{BenchState, Refused},
    },
    theme,
    widgets::{FieldEvent, ValueField, icon_button, label, picker, toggle, two_lines, width_of},
};

/// Draws one parameter's row.
pub(super) fn show(
    ui: &mut Ui,
    view: &View<'_>,
    state: &mut BenchState,
    instrument: &InstrumentStatus,
    parameter: &ParameterStatus,
    edit: Option<&StagedEdit>,
) -> Vec<Intent> {
    let mut intents = Vec::new();
    if parameter.access == "r" {
        read_only(ui, view, parameter);
        return intents;
    }
    let path = KeyPath::setpoint(&instrument.id, &parameter.name);
    let field = Field {
        name: format!("{} {} setpoint", instrument.id, parameter.name),
        parameter,
        edit,
        path: &path,
    };
    row(
        ui,
        |ui| {
            let tokens = theme::tokens(ui);
            if let Some(hazard) = &parameter.hazard {
                let room = ui.available_width() - 20.0;
                ui.scope(|ui| {
                    ui.set_max_width(room);
                    two_lines(ui, &parameter.label, theme::body(), tokens.text)
                        .on_hover_text(&parameter.name);
                });
                label(ui, icons::WARNING, theme::icon(14.0), tokens.amber)
                    .on_hover_text(format!("Careful: {hazard}"));
            } else {
                two_lines(ui, &parameter.label, theme::body(), tokens.text)
                    .on_hover_text(&parameter.name);
            }
        },
        |ui| match parameter.kind {
            "bool" => field.switch(ui, &mut intents),
            "enum" if is_switch(&parameter.choices) => field.switch(ui, &mut intents),
            "enum" => field.list(ui, &mut intents),
            _ => field.typed(ui, state, &mut intents),
        },
    );
    remarks(ui, view, state, &path);
    intents
}

fn is_switch(choices: &[String]) -> bool {
    let has = |word: &str| choices.iter().any(|choice| choice == word);
    choices.len() == 2 && has("on") && has("off")
}

/// A value that is only read, and how old it is.
fn read_only(ui: &mut Ui, view: &View<'_>, parameter: &ParameterStatus) {
    row(
        ui,
        |ui| {
            let tokens = theme::tokens(ui);
            two_lines(ui, &parameter.label, theme::body(), tokens.soft)
                .on_hover_text(&parameter.name);
        },
        |ui| {
            let tokens = theme::tokens(ui);
            let fresh = parameter.quality == Quality::Good;
            let colour = if fresh { tokens.text } else { tokens.dim };
            let text = match &parameter.readback {
                Some(value) => format::param(value, parameter.decimals),
                None => "—".to_owned(),
            };
            let unit = parameter.unit.as_deref().filter(|_| parameter.readback.is_some());
            ui.add_space(10.0);
            label(ui, text, theme::mono(), colour);
            if let Some(unit) = unit {
                label(ui, unit, theme::mono(), tokens.dim);
            }
            if let Some(at) = parameter.at {
                let age = format::seconds_between(at, view.now);
                let words = if age < 2.0 {
                    "now".to_owned()
                } else {
                    format!("{} ago", format::span_s(age))
                };
                let colour = if fresh { tokens.dim } else { tokens.amber };
                label(ui, words, theme::small(), colour);
            }
        },
    );
}

/// One setpoint and what is staged for it.
struct Field<'a> {
    name: String,
    parameter: &'a ParameterStatus,
    edit: Option<&'a StagedEdit>,
    path: &'a KeyPath,
}

impl Field<'_> {
    fn stage(&self, value: Value) -> Intent {
        StageIntent::Stage(vec![Edit { path: self.path.clone(), value: Some(value) }]).into()
    }

    fn unstage(&self) -> Intent {
        StageIntent::Unstage(vec![self.path.clone()]).into()
    }

    /// The word of a choice: staged, else set, else read; and whether it is only read.
    fn word(&self) -> (String, bool) {
        let decimals = self.parameter.decimals;
        if let Some(value) = self.edit.and_then(|edit| edit.value.as_ref()) {
            return (format::value(value, decimals), false);
        }
        let asked = self.parameter.setpoint.as_ref();
        let shown = asked.or(self.parameter.readback.as_ref());
        (shown.map_or_else(String::new, |value| format::param(value, decimals)), asked.is_none())
    }

    fn switch(&self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        let (word, only_read) = self.word();
        let mut on = word == "on";
        if toggle(ui, &mut on, &self.name).changed() {
            let value = match self.parameter.kind {
                "bool" => Value::Bool(on),
                _ => Value::String(if on { "on" } else { "off" }.to_owned()),
            };
            intents.push(self.stage(value));
        }
        self.beside(ui, &word, only_read, intents);
    }

    fn list(&self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        let (word, only_read) = self.word();
        let id = ("choice", &self.name);
        let width = FIELD;
        let choices = &self.parameter.choices;
        let (_, chosen) = picker(ui, id, &self.name, &word, choices, width);
        if let Some(chosen) = chosen {
            intents.push(self.stage(Value::String(chosen)));
        }
        self.beside(ui, &word, only_read, intents);
    }

    /// What stands beside a switch or list: that it is staged, or that nobody asked for it.
    fn beside(&self, ui: &mut Ui, word: &str, only_read: bool, intents: &mut Vec<Intent>) {
        let tokens = theme::tokens(ui);
        if self.edit.is_some() {
            let decimals = self.parameter.decimals;
            let old = self.parameter.setpoint.as_ref();
            let old = old.map_or_else(|| "—".to_owned(), |value| format::param(value, decimals));
            let change = format!("{old} → {word}");
            let switch = self.parameter.kind != "enum" || is_switch(&self.parameter.choices);
            let text = if switch { change } else { "staged".to_owned() };
            label(ui, text, theme::mono_small(), tokens.amber);
            let name = format!("Take back {}", self.name);
            if icon_button(ui, icons::CLOSE, 18.0, &name).clicked() {
                intents.push(self.unstage());
            }
        } else if only_read {
            let text = if word.is_empty() { "not read" } else { "device" };
            label(ui, text, theme::mono_small(), tokens.dim)
                .on_hover_text("Not in the bench file; left as the device has it");
        }
    }

    fn typed(&self, ui: &mut Ui, state: &mut BenchState, intents: &mut Vec<Intent>) {
        let parameter = self.parameter;
        let decimals = parameter.decimals;
        let text_of = |value: &ParamValue| format::param(value, decimals);
        let running = parameter.setpoint.as_ref().map(text_of);
        let staged = self.edit.map(|edit| {
            edit.value.as_ref().map_or_else(String::new, |value| format::value(value, decimals))
        });
        let refused = state.refused.get(self.path).map(|refused| refused.text.clone());
        let bad = refused.is_some();
        let text = refused.or_else(|| staged.clone()).or_else(|| running.clone());
        let device = parameter.readback.as_ref().map(|value| format!("device: {}", text_of(value)));
        let hint = device.unwrap_or_else(|| "not set".to_owned());
        let field = ValueField {
            name: &self.name,
            text: text.as_deref().unwrap_or(""),
            old: running.as_deref().filter(|_| staged.is_some() && !bad),
            unit: parameter.unit.as_deref(),
            staged: staged.is_some() && !bad,
            refused: bad,
            hint: Some(&hint),
            width: FIELD,
        };
        let (answer, event) = field.show(ui, Id::unique(("setpoint", self.path)));
        let (range, room) = (parameter.range, ui.available_width());
        if let Some((least, greatest)) = range {
            let tokens = theme::tokens(ui);
            let words = format::range(least, greatest, parameter.unit.as_deref());
            answer.on_hover_text(format!("{}: {words}", parameter.name));
            if width_of(ui, &words, theme::mono_small()) <= room {
                label(ui, words, theme::mono_small(), tokens.dim);
            }
        }
        match event {
            Some(FieldEvent::Entered(text)) if text.trim().is_empty() => {
                state.refused.remove(self.path);
            }
            Some(FieldEvent::Entered(text)) => match enter_parameter(parameter, &text) {
                Ok(value) => {
                    state.refused.remove(self.path);
                    intents.push(self.stage(value));
                }
                Err(reason) => {
                    state.refused.insert(self.path.clone(), Refused { text, reason });
                }
            },
            Some(FieldEvent::Unstaged) => {
                state.refused.remove(self.path);
                if self.edit.is_some() {
                    intents.push(self.unstage());
                }
            }
            Some(FieldEvent::Reverted) | None => {}
        }
    }
}

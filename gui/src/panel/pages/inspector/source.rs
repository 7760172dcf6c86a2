//! One source.

use egui::{Id, Label, RichText, Ui};
use setpoint_bench::{Edit, KeyPath, Value, schema};
use setpoint_runtime::{SourceInfo, StagedEdit};
use setpoint_video::SourceState;

use super::{FIELD, body, group_title, head, remarks, row};
use crate::panel::{
    format, icons,
    intent::{Intent, StageIntent},
    pages::{
        View,
        bench::{BenchState, Refused},
    },
    theme,
    widgets::{FieldEvent, Mark, Pill, Tone, ValueField, icon_button, label, picker, toggle},
};

/// Draws one source.
pub(super) fn show(
    ui: &mut Ui,
    view: &View<'_>,
    state: &mut BenchState,
    source: &SourceInfo,
) -> Vec<Intent> {
    let mut intents = Vec::new();
    let it = &source.measured;
    let kind = it.kind.replace('_', " ");
    let words = source.label.as_ref().map_or(kind.clone(), |label| format!("{label} · {kind}"));
    head(ui, &it.id, &words, pill(it.state));
    body(ui, &format!("source {}", it.id), |ui| {
        let tokens = theme::tokens(ui);
        let words = measured(source);
        if !words.is_empty() {
            ui.add(Label::new(RichText::new(words).color(tokens.soft)).wrap());
        }
        if let Some(error) = &it.error {
            ui.add_space(6.0);
            ui.add(Label::new(RichText::new(error).color(tokens.bad)).wrap());
        }
        group_title(ui, "Picture");
        for key in KEYS {
            intents.extend(one(ui, view, state, &it.id, key));
        }
    });
    intents
}

fn pill(state: SourceState) -> Pill {
    let (tone, mark, text) = match state {
        SourceState::Live => (Tone::Good, Mark::Dot, "Live"),
        SourceState::Slow => (Tone::Amber, Mark::Triangle, "Slow"),
        SourceState::Frozen => (Tone::Bad, Mark::Triangle, "Frozen"),
        SourceState::Fallback => (Tone::Bad, Mark::Square, "No picture"),
        SourceState::Starting => (Tone::Info, Mark::Dot, "Starting…"),
        SourceState::Disabled => (Tone::Neutral, Mark::Square, "Disabled"),
    };
    Pill::new(tone, text).mark(mark)
}

fn measured(source: &SourceInfo) -> String {
    let it = &source.measured;
    let mut parts = Vec::new();
    if let (Some(width), Some(height)) = (it.width, it.height) {
        parts.push(format!("{width}×{height}"));
    }
    if let Some(rate) = it.framerate {
        parts.push(format!("{rate:.1} of {} fps", format::number(source.asked_framerate, None)));
    }
    parts.extend(it.format.clone());
    parts.push(format::count(usize::try_from(it.frames).unwrap_or(usize::MAX), "frame", "frames"));
    if it.drops > 0 {
        parts.push(format!("{} skipped", it.drops));
    }
    parts.join(" · ")
}

/// Width of a field; there is no range beside it.
const WIDE: f32 = 186.0;

/// How a key is set.
#[derive(Clone, Copy)]
enum Kind {
    Word,
    Text,
    Rate,
    Switch(bool),
}

struct Key {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: Kind,
}

const KEYS: &[Key] = &[
    Key { name: "pattern", label: "Pattern", hint: "", kind: Kind::Word },
    Key { name: "resolution", label: "Resolution", hint: "", kind: Kind::Text },
    Key { name: "framerate", label: "Frame rate", hint: "", kind: Kind::Rate },
    Key { name: "format", label: "Format", hint: "", kind: Kind::Word },
    Key { name: "enabled", label: "Enabled", hint: "", kind: Kind::Switch(true) },
    Key { name: "preview", label: "Preview", hint: "", kind: Kind::Switch(true) },
];

/// The words that the bench file takes for a key.
fn words(path: &KeyPath) -> &'static [&'static str] {
    match schema::at(path).map(schema::Node::kind) {
        Some(schema::Kind::Choice(words)) => words,
        _ => &[],
    }
}

fn one(
    ui: &mut Ui,
    view: &View<'_>,
    state: &mut BenchState,
    source: &str,
    key: &Key,
) -> Vec<Intent> {
    let path = KeyPath::new(["sources", source, key.name]);
    let edit = view.staged().and_then(|open| open.edits.iter().find(|edit| edit.path == path));
    let running = view.status.values.get(&path);
    let entry =
        Entry { name: format!("{source} {} setting", key.name), running, edit, path: &path, key };
    let mut intents = Vec::new();
    row(
        ui,
        |ui| {
            let tokens = theme::tokens(ui);
            label(ui, key.label, theme::body(), tokens.text).on_hover_text(path.to_string());
        },
        |ui| match key.kind {
            Kind::Word => entry.list(ui, words(&path), &mut intents),
            Kind::Switch(default) => entry.switch(ui, default, &mut intents),
            Kind::Text | Kind::Rate => entry.typed(ui, state, &mut intents),
        },
    );
    remarks(ui, view, state, &path);
    intents
}

/// One key and what is staged for it.
struct Entry<'a> {
    name: String,
    running: Option<&'a Value>,
    edit: Option<&'a StagedEdit>,
    path: &'a KeyPath,
    key: &'a Key,
}

impl Entry<'_> {
    fn stage(&self, value: Value) -> Intent {
        StageIntent::Stage(vec![Edit { path: self.path.clone(), value: Some(value) }]).into()
    }

    fn shown(&self) -> Option<&Value> {
        match self.edit {
            Some(edit) => edit.value.as_ref(),
            None => self.running,
        }
    }

    fn list(&self, ui: &mut Ui, words: &[&str], intents: &mut Vec<Intent>) {
        let current = self.shown().and_then(Value::as_str).unwrap_or("").to_owned();
        let mut choices: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if !current.is_empty() && !choices.contains(&current) {
            choices.insert(0, current.clone());
        }
        let shown = if current.is_empty() { "default" } else { &current };
        let width = if self.edit.is_some() { FIELD } else { WIDE };
        let id = ("source", &self.name);
        let (_, chosen) = picker(ui, id, &self.name, shown, &choices, width);
        if let Some(chosen) = chosen {
            intents.push(self.stage(Value::String(chosen)));
        }
        self.beside(ui, intents);
    }

    fn switch(&self, ui: &mut Ui, default: bool, intents: &mut Vec<Intent>) {
        let mut on = match self.shown() {
            Some(Value::Bool(on)) => *on,
            _ => default,
        };
        if toggle(ui, &mut on, &self.name).changed() {
            intents.push(self.stage(Value::Bool(on)));
        }
        self.beside(ui, intents);
    }

    fn beside(&self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        if self.edit.is_none() {
            return;
        }
        let tokens = theme::tokens(ui);
        label(ui, "staged", theme::mono_small(), tokens.amber);
        let name = format!("Take back {}", self.name);
        if icon_button(ui, icons::CLOSE, 18.0, &name).clicked() {
            intents.push(StageIntent::Unstage(vec![self.path.clone()]).into());
        }
    }

    fn typed(&self, ui: &mut Ui, state: &mut BenchState, intents: &mut Vec<Intent>) {
        let text_of = |value: &Value| format::value(value, None);
        let running = self.running.map(text_of);
        let refused = state.refused.get(self.path).map(|refused| refused.text.clone());
        let bad = refused.is_some();
        let text = refused.or_else(|| self.shown().map(text_of)).unwrap_or_default();
        let staged = self.edit.is_some() && !bad;
        let wide = text.len() + running.as_ref().map_or(0, String::len) > 20;
        let field = ValueField {
            name: &self.name,
            text: &text,
            old: running.as_deref().filter(|_| staged && !wide),
            unit: matches!(self.key.kind, Kind::Rate).then_some("fps"),
            staged,
            refused: bad,
            hint: Some("default"),
            width: WIDE,
        };
        let (answer, event) = field.show(ui, Id::unique(("source", self.path)));
        if let Some(running) = running.as_ref().filter(|_| staged) {
            answer.on_hover_text(format!("now: {running}"));
        }
        let tokens = theme::tokens(ui);
        label(ui, self.key.hint, theme::mono_small(), tokens.dim);
        match event {
            Some(FieldEvent::Entered(text)) if text.trim().is_empty() => {
                state.refused.remove(self.path);
            }
            Some(FieldEvent::Entered(text)) => match self.enter(&text) {
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
                    intents.push(StageIntent::Unstage(vec![self.path.clone()]).into());
                }
            }
            Some(FieldEvent::Reverted) | None => {}
        }
    }

    /// Whole numbers stay whole, fractions (`30000/1001`) stay text; the rest is for the check of
    /// the bench file to judge.
    fn enter(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self.key.kind {
            Kind::Rate if text.contains('/') => Ok(Value::String(text.to_owned())),
            Kind::Rate => {
                if let Ok(whole) = text.parse::<i64>() {
                    return Ok(Value::Int(whole));
                }
                super::enter_number(text, None, None).map(Value::Float)
            }
            _ => Ok(Value::String(text.replace('×', "x"))),
        }
    }
}

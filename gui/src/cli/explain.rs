//! `setpoint check FILE --explain PATH`: where a value comes from and what it overrides.

use std::env;

use serde_json::{Value as Json, json};
use setpoint_bench::{
    Catalogue, KeyPath, Value,
    layers::{LayerKind, LayeredReading, Leaf, Provenance},
};

use crate::cli::{
    Failure, Output, check, excerpt,
    input::Bench,
    look::{Look, Tone},
    printable,
};

/// So many keys of a table are listed; the others are counted.
const SHOWN: usize = 100;
/// A value is cut after so many letters where it has a line of its own,
const VALUE: usize = 200;
/// and where it stands in a list.
const SHORT: usize = 34;
/// Keys are cut after so many letters.
const NAME: usize = 120;
/// So many names are offered in place of one that is not there.
const OFFERED: usize = 12;

/// Explains one key. As with a check, a bench with errors ends with 1.
pub fn run(bench: &Bench, path: &KeyPath, all: bool, output: Output) -> Result<(), Failure> {
    let layers = &bench.layers;
    if bench.findings().iter().any(|finding| finding.code == "not_utf8") {
        return Err(Failure::wrong(format!("{} holds no text to explain", bench.name))
            .with_findings(bench.findings(), &mut bench.sources()));
    }
    let unset = unset_parameter(bench, path);
    if !layers.is_known(path) && !unset {
        return Err(unknown(bench, path));
    }
    let places = layers.explain(path);
    let value = layers.effective(path);
    let most = if all { usize::MAX } else { SHOWN };
    let (keys, count) = layers.leaves(path, most);
    if output.is_json() {
        let keys = all_or_json_leaves(layers, path, &keys, count);
        output.json(&json!({
            "ok": bench.ok(),
            "explain": {
                "path": path,
                "value": value.clone().or_else(|| preset(layers, path)),
                "source": source(layers, path, &places),
                "places": places.iter().map(|place| as_json(layers, place)).collect::<Vec<_>>(),
                "keys": keys,
            },
            "diagnostics": bench.findings(),
        }))?;
    } else if !output.quiet {
        let look = Look::stdout();
        let lines = match &value {
            Some(Value::Table(_)) => table(layers, path, (&keys, count), &places, look),
            _ => one(layers, path, value, &places, look),
        };
        lines.iter().for_each(|line| output.line(line));
        if look.breaks {
            excerpts(bench, &places, look).iter().for_each(|block| output.line(block));
        }
        if !bench.findings().is_empty() {
            output.line("");
            check::report(bench, all, output, look);
        }
    }
    if bench.ok() { Ok(()) } else { Err(Failure::wrong("")) }
}

/// The lines that the places are on, for a person at a terminal. What is hidden has none.
fn excerpts(bench: &Bench, places: &[Provenance], look: Look) -> Vec<String> {
    let mut sources = bench.sources();
    let mut blocks = Vec::new();
    let shown = |place: &&Provenance| {
        place.layer.is_file() && !matches!(&place.raw, Value::String(raw) if raw.contains('•'))
    };
    for (index, place) in places.iter().enumerate().filter(|(_, place)| shown(place)) {
        let title = (word(index, place), &*kind(&bench.layers, place));
        blocks.push(String::new());
        blocks.push(excerpt::place(title, (&place.file, place.span), &mut sources, look));
    }
    blocks
}

/// What a place has to do with the value that holds.
fn word(index: usize, place: &Provenance) -> &'static str {
    match (index, place.holds) {
        (0, _) => "from",
        (_, true) => "and",
        (_, false) => "overrides",
    }
}

/// Programs get every key.
fn all_or_json_leaves(
    layers: &LayeredReading,
    path: &KeyPath,
    shown: &[Leaf],
    count: usize,
) -> Vec<Json> {
    let all;
    let keys = if shown.len() < count {
        all = layers.leaves(path, usize::MAX).0;
        all.as_slice()
    } else {
        shown
    };
    let place = |leaf: &Leaf| leaf.place.as_ref().map(|place| as_json(layers, place));
    keys.iter()
        .map(|leaf| json!({"path": leaf.path, "value": leaf.value, "place": place(leaf)}))
        .collect()
}

/// Whether it is a parameter that the instrument has and the bench does not set.
fn unset_parameter(bench: &Bench, path: &KeyPath) -> bool {
    let Some((id, parameter)) = path.as_setpoint() else { return false };
    let kind = KeyPath::new(["instruments", id, "type"]);
    let kind = bench.layers.effective(&kind);
    let facts = kind.as_ref().and_then(Value::as_str).and_then(|it| bench.drivers.parameters(it));
    facts.is_some_and(|facts| facts.iter().any(|one| one.name == parameter && one.settable))
}

fn unknown(bench: &Bench, path: &KeyPath) -> Failure {
    let (meant, known, there) = bench.layers.nearest_key(path);
    let name = printable::line(&bench.name).into_owned();
    let shown = printable::start(&path.to_string(), NAME);
    let mut message = format!("{name} has no key {shown}");
    if let Some(meant) = meant {
        message.push_str(&format!("; did you mean {meant}?"));
    } else if there.is_empty() {
        message.push_str(&format!("; {known} has no keys below it"));
    } else {
        let more = there.len().saturating_sub(OFFERED);
        let mut names: Vec<String> = there.into_iter().take(OFFERED).collect();
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let whole = known.is_empty();
        let place = if whole { "at the top".to_owned() } else { format!("in {known}") };
        message.push_str(&format!("; {place} there can be {}", names.join(", ")));
    }
    Failure::wrong(message)
}

/// The value that holds where no layer has the key.
fn preset(layers: &LayeredReading, path: &KeyPath) -> Option<Value> {
    layers.schema_key(path)?.preset.value_in(&layers.environment)
}

/// In one word: `layers`, `default` or `unset`.
fn source(layers: &LayeredReading, path: &KeyPath, places: &[Provenance]) -> &'static str {
    match (places.is_empty(), preset(layers, path)) {
        (false, _) => "layers",
        (true, Some(_)) => "default",
        (true, None) => "unset",
    }
}

fn as_json(layers: &LayeredReading, place: &Provenance) -> Json {
    let mut json = json!(place);
    if let Some(variable) = variable(layers, place) {
        json["variable"] = variable.into();
    }
    let through: Vec<Json> = place
        .through
        .iter()
        .map(|written| json!({"written": written, "from": set_in(layers, written)}))
        .collect();
    json["through"] = through.into();
    json
}

/// The variable that sets a key.
fn variable(layers: &LayeredReading, place: &Provenance) -> Option<String> {
    if place.layer.is_file() {
        return None;
    }
    if place.layer == LayerKind::CommandLine {
        return Some("--env".to_owned());
    }
    let text = &layers.files.get(usize::from(place.origin))?.text;
    let line = text.lines().nth((place.span.line as usize).checked_sub(1)?)?;
    let name = line.trim_start().split('=').next().unwrap_or_default().trim_end();
    Some(name.strip_prefix("export ").unwrap_or(name).trim().to_owned())
}

/// Where what is put into a value is set: `.env:2`, `environment`, `with` or a template for a
/// placeholder; nothing if it is not set.
fn set_in(layers: &LayeredReading, written: &str) -> Option<String> {
    let inner = written.strip_prefix("${")?.strip_suffix('}')?;
    let inner = inner.split_once(":-").map_or(inner, |(name, _)| name);
    let (secret, name) = match inner.strip_prefix("secret:") {
        Some(name) => (true, name),
        None => (false, inner),
    };
    let own = format!("SETPOINT_SECRET_{name}");
    let names = if secret { vec![own.as_str(), name] } else { vec![name] };
    if names.iter().any(|name| env::var(name).is_ok()) {
        return Some("environment".to_owned());
    }
    let file = layers.files.iter().find(|file| file.kind == LayerKind::DotEnv)?;
    names.iter().find_map(|name| {
        let sets = |line: &str| {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            line.split_once('=').is_some_and(|(key, _)| key.trim() == *name)
        };
        // The last one holds.
        let number = file.text.lines().enumerate().filter(|(_, line)| sets(line)).last()?.0 + 1;
        Some(format!("{}:{number}", file.name))
    })
}

/// What is told of one value.
fn one(
    layers: &LayeredReading,
    path: &KeyPath,
    value: Option<Value>,
    places: &[Provenance],
    look: Look,
) -> Vec<String> {
    let name = printable::start(&path.to_string(), NAME);
    let Some(first) = places.first() else {
        return match preset(layers, path) {
            Some(value) => vec![
                format!("{} = {value}", look.paint(Tone::Bold, &name)),
                "  default; no layer sets it".to_owned(),
            ],
            None => vec![
                format!("{} is not set", look.paint(Tone::Bold, &name)),
                "  no layer sets it, and it has no default".to_owned(),
            ],
        };
    };
    // What is only there for putting layers together has no value of its own.
    let value = value.unwrap_or_else(|| first.raw.clone());
    let name = look.paint(Tone::Bold, &name);
    let mut lines = vec![match &value {
        Value::Table(_) => name,
        value => format!("{name} = {}", printable::start(&value.to_string(), VALUE)),
    }];
    lines.extend(layered(layers, places, look));
    lines
}

/// One line a place, highest first; below it where variables are set.
fn layered(layers: &LayeredReading, places: &[Provenance], look: Look) -> Vec<String> {
    let wheres: Vec<String> = places.iter().map(place).collect();
    let kinds: Vec<String> = places.iter().map(|place| kind(layers, place)).collect();
    let wide = |texts: &[String]| texts.iter().map(|it| printable::columns(it)).max().unwrap_or(0);
    let (left, right) = (wide(&wheres), wide(&kinds));
    let mut lines = Vec::new();
    for (index, ((place, at), kind)) in places.iter().zip(&wheres).zip(&kinds).enumerate() {
        let word = word(index, place);
        let tone = if index == 0 || place.holds { Tone::Green } else { Tone::Dim };
        let gap = " ".repeat("overrides".len() - word.len());
        let raw = match &place.raw {
            Value::Table(_) => String::new(),
            raw => printable::start(&raw.to_string(), VALUE),
        };
        let line = format!(
            "  {}{gap}  {}  {}  {raw}",
            look.paint(tone, word),
            padded(at, left),
            padded(kind, right)
        );
        lines.push(line.trim_end().to_owned());
        for written in &place.through {
            let what = printable::start(written, NAME);
            let from = match set_in(layers, written) {
                Some(from) => format!("{what} is set in {}", printable::line(&from)),
                None if written.starts_with("$(") => format!("{what} is filled by with"),
                None => format!("{what} is not set"),
            };
            lines.push(format!("             {}", look.paint(Tone::Dim, &from)));
        }
    }
    lines
}

/// Every key below a table, and where its value comes from.
fn table(
    layers: &LayeredReading,
    path: &KeyPath,
    (keys, count): (&[Leaf], usize),
    places: &[Provenance],
    look: Look,
) -> Vec<String> {
    let name = printable::start(&path.to_string(), NAME);
    let noun = if count == 1 { "key" } else { "keys" };
    let mut lines = vec![format!("{}: {count} {noun}", look.paint(Tone::Bold, &name))];
    lines.extend(layered(layers, places, look));
    lines.push(String::new());
    let depth = path.names().len();
    let rows: Vec<[String; 3]> = keys
        .iter()
        .map(|leaf| {
            let below = KeyPath::new(leaf.path.names().iter().skip(depth).cloned()).to_string();
            let value = printable::start(&leaf.value.to_string(), SHORT);
            let from = leaf
                .place
                .as_ref()
                .map_or_else(String::new, |it| format!("{}  {}", place(it), kind(layers, it)));
            [printable::start(&below, NAME), value, from]
        })
        .collect();
    let wide = |column: usize, most: usize| {
        let widths = rows.iter().map(|row| row.get(column).map_or(0, |it| printable::columns(it)));
        widths.max().unwrap_or(0).min(most)
    };
    let (left, middle) = (wide(0, 30), wide(1, SHORT));
    for [below, value, from] in &rows {
        let value = padded(value, middle);
        lines.push(format!("  {}  {value}  {}", padded(below, left), look.paint(Tone::Dim, from)));
    }
    if count > keys.len() {
        lines.push(format!("  and {} more; --all shows every one", count - keys.len()));
    }
    lines
}

/// `bench.toml:12:9`; of variables and the command line the name.
fn place(place: &Provenance) -> String {
    let file = printable::line(&place.file);
    match place.layer {
        LayerKind::Environment | LayerKind::CommandLine => file.into_owned(),
        _ => format!("{file}:{}:{}", place.span.line, place.span.column),
    }
}

/// `overlay`, `include, template rail`, `SETPOINT__BENCH__NAME`.
fn kind(layers: &LayeredReading, place: &Provenance) -> String {
    let kind = match place.layer {
        LayerKind::Include => "include",
        LayerKind::Main => "file",
        LayerKind::Overlay => "overlay",
        LayerKind::CommandLine => "command line",
        LayerKind::DotEnv | LayerKind::Environment => {
            return printable::start(&variable(layers, place).unwrap_or_default(), NAME);
        }
    };
    match &place.template {
        Some(template) => format!("{kind}, template {}", printable::start(template, NAME)),
        None => kind.to_owned(),
    }
}

fn padded(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(printable::columns(text));
    format!("{text}{}", " ".repeat(gap))
}

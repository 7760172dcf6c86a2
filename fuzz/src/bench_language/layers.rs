//! Several files and variables that make one bench.

use std::{collections::BTreeMap, sync::Arc};

use setpoint_bench::{
    KeyPath, Severity, Value,
    layers::{LayeredReading, Surroundings, Unreadable, read_layers},
};

use super::{Types, parts};

/// Files and variables in memory.
#[derive(Default)]
struct Memory<'i> {
    files: BTreeMap<&'i str, &'i str>,
    variables: BTreeMap<&'i str, &'i str>,
}

impl Surroundings for Memory<'_> {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        self.files.get(name).map(|text| (*text).into()).ok_or(Unreadable::Missing)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        if pattern.contains("***") {
            return Err(Unreadable::Other("that is no pattern".to_owned()));
        }
        // Enough for a fuzzer: one star, in the last part of the path.
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        let matches = |name: &&&str| match pattern.contains('*') {
            true => {
                let between = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                between.is_some_and(|between| !between.contains('/'))
            }
            false => **name == pattern,
        };
        Ok(self.files.keys().filter(matches).map(|name| (*name).to_owned()).collect())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn variables(&self) -> Vec<(String, String)> {
        let all = self.variables.iter().filter(|(name, _)| name.starts_with("SETPOINT__"));
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

/// Files with lines `===== NAME` between them, the first being `bench.toml`; the file
/// `environment` holds variables, `NAME=VALUE` a line, and `--env=NAME`. There is a bench if and
/// only if there is no error; every effective value is what stands at the place that it is said to
/// come from; no secret is shown.
pub fn layers(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else { return };
    let mut memory = Memory::default();
    let mut asked = None;
    for (index, (name, text)) in parts(input).into_iter().enumerate() {
        match (index, name) {
            (0, _) => drop(memory.files.insert("bench.toml", text)),
            (_, "environment") => {
                for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
                    match name {
                        "--env" => asked = Some(value),
                        name => drop(memory.variables.insert(name, value)),
                    }
                }
            }
            (_, name) => drop(memory.files.insert(name, text)),
        }
    }
    let reading = read_layers("bench.toml", &memory, asked, &Types);
    let errors = reading.reading.diagnostics.iter().any(|it| it.severity == Severity::Error);
    assert_eq!(reading.reading.bench.is_none(), errors, "{:?}", reading.reading.diagnostics);
    places(&reading);
    hidden(&reading, &memory, input);
    values(&reading, &KeyPath::default(), &reading.reading.values);
    let again = read_layers("bench.toml", &memory, asked, &Types);
    assert_eq!(again.reading.diagnostics, reading.reading.diagnostics);
}

/// Findings are in a text that was read, on a line that it has.
fn places(reading: &LayeredReading) {
    for finding in &reading.reading.diagnostics {
        let file = reading.files.iter().find(|file| *file.name == *finding.file);
        let Some(file) = file else { continue };
        let lines = file.text.split('\n').count();
        assert!(finding.span.line as usize <= lines, "{finding:?}");
    }
}

/// A secret that stands nowhere else in the input is nowhere in what is shown.
fn hidden(reading: &LayeredReading, memory: &Memory<'_>, input: &str) {
    let secrets = memory.variables.iter().filter(|(name, value)| {
        name.starts_with("SETPOINT_SECRET_")
            && value.len() >= 8
            && input.matches(**value).count() == 1
    });
    for (name, secret) in secrets {
        let shown = reading.masked_values().to_string();
        assert!(!shown.contains(secret), "{name} is shown in {shown}");
        for finding in &reading.reading.diagnostics {
            assert!(!format!("{finding:?}").contains(secret), "{name} is shown in {finding:?}");
        }
        for file in &reading.files {
            assert!(!file.text.contains(secret), "{name} is shown in {}", file.text);
        }
    }
}

/// Every value is the one at the place that it comes from.
fn values(reading: &LayeredReading, path: &KeyPath, value: &Value) {
    if let Value::Table(table) = value {
        table.iter().for_each(|(name, value)| values(reading, &path.child(name), value));
        return;
    }
    let all = reading.explain(path);
    let Some(first) = all.first() else { panic!("{path} = {value} comes from nowhere") };
    assert!(first.holds, "{path}: {first:?}");
    let several = all.iter().filter(|one| one.holds).count() > 1;
    // What is put together of several parts stands nowhere as it is.
    if several || !first.through.is_empty() || !first.layer.is_file() {
        return;
    }
    let whole = first.raw.get(path).or(Some(&first.raw));
    assert!(whole.is_some_and(|raw| plain_means(raw, value)), "{path} = {value}: {first:?}");
    let file = reading.files.get(usize::from(first.origin));
    assert!(file.is_some_and(|file| *file.name == *first.file), "{path}: {first:?}");
}

/// `$${` and `$$(` in a file stand for `${` and `$(`.
fn plain_means(raw: &Value, value: &Value) -> bool {
    match (raw, value) {
        (Value::String(raw), Value::String(value)) => raw == value || raw.contains("$$"),
        (Value::Array(raw), Value::Array(value)) => {
            raw.len() == value.len() && raw.iter().zip(value).all(|(a, b)| plain_means(a, b))
        }
        (Value::Table(raw), Value::Table(value)) => {
            raw.len() == value.len()
                && raw
                    .iter()
                    .all(|(name, raw)| value.get(name).is_some_and(|value| plain_means(raw, value)))
        }
        (raw, value) => super::same(raw, value),
    }
}

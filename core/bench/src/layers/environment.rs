//! Variables as a layer: `SETPOINT__INSTRUMENTS__PSU__ADDRESS=…`.

use std::{collections::HashMap, ops::Range};

use indexmap::IndexMap;

use super::{
    component::Variables,
    dotenv,
    origin::{Layer, at},
    surroundings::{SECRET, Surroundings},
};
use crate::{
    check::{Finding, Problem, nearest},
    diagnostic::Severity,
    document::{Form, Place},
    path::KeyPath,
    schema::{self, Kind},
    value::{Table, Value},
};

/// What the names of variables begin with that set a key.
pub(super) const PREFIX: &str = "SETPOINT__";
/// The variable that names the environment.
pub(super) const CHOICE: &str = "SETPOINT_ENV";
/// Another way to set the same.
const LONG_CHOICE: &str = "SETPOINT__BENCH__ENVIRONMENT";
/// Where a table has more keys, no name is looked for that was probably meant.
const MOST_COMPARED: usize = 1_000;

/// Names that differ in capitals alone; more of them are as good as these.
const MOST_SPELLINGS: usize = 8;

/// Variables of the process before those of `.env`.
pub(super) struct Both<'s> {
    pub(super) dotenv: HashMap<String, String>,
    pub(super) surroundings: &'s dyn Surroundings,
}

impl Variables for Both<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.surroundings.variable(name).or_else(|| self.dotenv.get(name).cloned())
    }

    fn secret(&self, name: &str) -> Option<String> {
        let file = |name: &str| self.dotenv.get(name).cloned();
        self.surroundings
            .secret(name)
            .or_else(|| file(&format!("{SECRET}{name}")))
            .or_else(|| file(name))
    }
}

/// The process environment as the text of a layer and its entries, sorted by name.
pub(super) fn process(surroundings: &dyn Surroundings) -> (String, Vec<dotenv::Entry>) {
    let mut all = surroundings.variables();
    all.retain(|(name, _)| name.starts_with(PREFIX));
    all.extend(surroundings.variable(CHOICE).map(|value| (CHOICE.to_owned(), value)));
    all.sort();
    let mut text = String::new();
    let mut entries = Vec::with_capacity(all.len());
    for (name, value) in all {
        let key = text.len()..text.len() + name.len();
        text.push_str(&name);
        text.push('=');
        let start = text.len();
        text.extend(value.chars().flat_map(|letter| {
            let plain = (!letter.is_control()).then_some(letter);
            let escaped = letter.is_control().then(|| letter.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        }));
        entries.push(dotenv::Entry { name, value, key, span: start..text.len() });
        text.push('\n');
    }
    (text, entries)
}

/// `.env` as it may be shown: values that set no key are hidden, each letter behind a star, so
/// that lines and columns stay.
pub(super) fn masked(
    text: &str,
    entries: &[dotenv::Entry],
    malformed: &[dotenv::Malformed],
) -> String {
    let hidden = |entry: &&dotenv::Entry| !entry.name.starts_with(PREFIX) && entry.name != CHOICE;
    let mut stretches: Vec<Range<usize>> =
        entries.iter().filter(hidden).map(|it| it.span.clone()).collect();
    stretches.extend(malformed.iter().map(|(line, _)| line.clone()));
    stretches.sort_by_key(|stretch| stretch.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for stretch in stretches {
        out.push_str(text.get(done..stretch.start).unwrap_or_default());
        out.extend(text.get(stretch.clone()).unwrap_or_default().chars().map(|_| '*'));
        done = stretch.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Where and with what value variables choose an environment, the strongest of them.
pub(super) fn choice<'e>(
    process: &'e [dotenv::Entry],
    file: &'e [dotenv::Entry],
) -> Option<(bool, &'e dotenv::Entry)> {
    let named = |entries: &'e [dotenv::Entry], name: &str| {
        entries.iter().rev().find(|it| it.name.eq_ignore_ascii_case(name) && !it.value.is_empty())
    };
    let of_process = |name| named(process, name).map(|entry| (true, entry));
    let of_file = |name| named(file, name).map(|entry| (false, entry));
    of_process(CHOICE)
        .or_else(|| of_process(LONG_CHOICE))
        .or_else(|| of_file(CHOICE))
        .or_else(|| of_file(LONG_CHOICE))
}

/// The place of an entry's value.
pub(super) fn place(entry: &dotenv::Entry, origin: u16) -> Place {
    let (key, span) = (Some(entry.key.clone()), entry.span.clone());
    Place { origin, key, span, form: Form::Plain, parts: Vec::new() }
}

/// Keys of the files below, for finding them by the names of variables.
pub(super) struct Known<'l> {
    layers: &'l [Layer],
    /// Keys of tables by the names that variables have for them, in the order of the files.
    tables: HashMap<Vec<String>, IndexMap<String, Vec<String>>>,
}

impl<'l> Known<'l> {
    pub(super) fn new(layers: &'l [Layer]) -> Self {
        Self { layers, tables: HashMap::new() }
    }

    fn keys(&mut self, path: &[String]) -> &IndexMap<String, Vec<String>> {
        let layers = self.layers;
        self.tables.entry(path.to_vec()).or_insert_with(|| {
            let mut keys: IndexMap<String, Vec<String>> = IndexMap::new();
            for layer in layers {
                let found = at(&layer.values, &layer.root, path).map(|(value, _)| value);
                for (name, _) in found.and_then(Value::as_table).into_iter().flatten() {
                    let spellings = keys.entry(folded(name)).or_default();
                    if spellings.len() < MOST_SPELLINGS
                        && !spellings.iter().any(|known| known == name)
                    {
                        spellings.push(name.to_string());
                    }
                }
            }
            keys
        })
    }

    /// The key that the name of a variable means.
    fn path(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let wanted: Vec<&str> = name.get(PREFIX.len()..).unwrap_or_default().split("__").collect();
        if wanted.iter().any(|part| part.is_empty()) {
            let message = format!("{name} names no key: names stand between two “_” each");
            return Err(Problem::new("unknown_variable", message));
        }
        let mut path: Vec<String> = Vec::new();
        let mut node = Some(schema::root());
        for (depth, part) in wanted.iter().enumerate() {
            let kind = node.map(schema::Node::kind);
            let free = matches!(
                kind,
                None | Some(Kind::Setpoints | Kind::Limits | Kind::Module | Kind::With)
            );
            let keys = self.keys(&path);
            if matches!(kind, Some(Kind::Setpoints | Kind::Limits)) {
                // A parameter may be written as one key in quotation marks.
                let rest = wanted.get(depth..).unwrap_or_default().join(".");
                if let Some([spelling]) = keys.get(&folded(&rest)).map(Vec::as_slice)
                    && spelling.contains('.')
                {
                    path.push(spelling.clone());
                    return Ok(path);
                }
            }
            let next = match keys.get(&folded(part)).map(Vec::as_slice) {
                Some([one]) => one.clone(),
                Some(several) => match several.iter().find(|known| known == part) {
                    Some(exact) => exact.clone(),
                    None => {
                        let message = format!("{name} could mean {}", several.join(" or "));
                        return Err(Problem::new("unknown_variable", message));
                    }
                },
                None if free => part.to_lowercase(),
                None => {
                    let lower = part.to_lowercase();
                    let children = || node.into_iter().flat_map(schema::Node::children);
                    if !children().any(|(child, _)| child == lower) {
                        let most = if keys.len() <= MOST_COMPARED { keys.len() } else { 0 };
                        let existing = keys.values().take(most).flatten().map(String::as_str);
                        let meant =
                            nearest(&lower, children().map(|(child, _)| child).chain(existing));
                        let meant = meant.map(|meant| spelled(&wanted, depth, &meant));
                        let owner = KeyPath::new(path.iter().cloned());
                        let owner = if path.is_empty() {
                            "the bench".to_owned()
                        } else {
                            owner.to_string()
                        };
                        let message = format!("{name} names nothing: {owner} has no “{lower}”");
                        return Err(Problem::new("unknown_variable", message).suggest(meant));
                    }
                    lower
                }
            };
            node = node.filter(|_| !free).and_then(|node| node.child(&next));
            path.push(next);
        }
        Ok(path)
    }
}

/// The name of a variable with one part put right.
fn spelled(wanted: &[&str], depth: usize, meant: &str) -> String {
    let parts = wanted.iter().enumerate().map(|(at, part)| {
        if at == depth { meant.to_uppercase().replace('-', "_") } else { (*part).to_owned() }
    });
    format!("{PREFIX}{}", parts.collect::<Vec<_>>().join("__"))
}

/// Names of variables have no capital letters to tell apart, and no hyphens.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

enum Node {
    Leaf(String, Place),
    Table(IndexMap<String, Node>, Range<usize>),
}

/// The layer that variables make, and what is wrong with their names.
pub(super) fn layer(
    entries: &[dotenv::Entry],
    origin: u16,
    known: &mut Known<'_>,
    chosen: Option<&dotenv::Entry>,
) -> (Layer, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut top = Node::Table(IndexMap::new(), 0..0);
    let mut error = |entry: &dotenv::Entry, path: String, problem| {
        let bytes = entry.key.clone();
        findings.push(Finding::of(Severity::Error, origin, bytes, path, problem));
    };
    for entry in entries.iter().filter(|entry| entry.name.starts_with(PREFIX)) {
        let path = match known.path(&entry.name) {
            Ok(path) => path,
            Err(problem) => {
                error(entry, String::new(), problem);
                continue;
            }
        };
        if !put(&mut top, &path, entry, origin) {
            let message =
                format!("{} sets a key above or below one that another variable sets", entry.name);
            let path = KeyPath::new(path).to_string();
            error(entry, path, Problem::new("layer_conflict", message));
        }
    }
    if let Some(entry) = chosen {
        put(&mut top, &["bench".to_owned(), "environment".to_owned()], entry, origin);
    }
    let (values, root) = top.finish(None, origin);
    (Layer { origin, values, root }, findings)
}

fn put(node: &mut Node, path: &[String], entry: &dotenv::Entry, origin: u16) -> bool {
    let Some((first, rest)) = path.split_first() else {
        let empty = matches!(node, Node::Table(table, _) if table.is_empty())
            || matches!(node, Node::Leaf(..));
        if empty {
            *node = Node::Leaf(entry.value.clone(), place(entry, origin));
        }
        return empty;
    };
    match node {
        Node::Leaf(..) => false,
        Node::Table(table, _) => {
            let fresh = || Node::Table(IndexMap::new(), entry.key.clone());
            put(table.entry(first.clone()).or_insert_with(fresh), rest, entry, origin)
        }
    }
}

impl Node {
    fn finish(self, key: Option<Range<usize>>, origin: u16) -> (Value, Place) {
        match self {
            Self::Leaf(text, place) => (Value::String(text), place),
            Self::Table(table, span) => {
                let mut values = Table::with_capacity(table.len());
                let mut parts = Vec::with_capacity(table.len());
                for (name, node) in table {
                    let key = match &node {
                        Self::Table(_, span) => Some(span.clone()),
                        Self::Leaf(..) => None,
                    };
                    let (value, place) = node.finish(key, origin);
                    values.insert(name, value);
                    parts.push(place);
                }
                (Value::Table(values), Place { origin, key, span, form: Form::Implied, parts })
            }
        }
    }
}

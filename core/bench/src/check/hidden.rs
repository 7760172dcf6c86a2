//! Characters that nobody sees and that change what a person reads.

use std::ops::Range;

use super::findings::{Finding, Findings, MOST};
use crate::{
    diagnostic::Severity,
    document::{Document, Form, Place},
    path::KeyPath,
    value::Value,
};

/// The first character of a text that is not seen, and its byte offset.
pub(super) fn first(text: &str) -> Option<(usize, char)> {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return None;
    }
    text.char_indices().find(|(_, c)| is_hidden(*c))
}

/// What a message says of it.
pub(super) fn describe(c: char) -> String {
    let does = match c {
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "which changes the order in which text is shown"
        }
        _ => "which nobody sees",
    };
    format!("holds the character U+{:04X}, {does}; remove it", u32::from(c))
}

/// Whether a character is not seen, or moves others.
pub(super) fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => true,
        _ => c.is_control(),
    }
}

/// Warns of hidden characters in a text that are in no value that `findings` tells of already: in
/// comments and keys.
pub(super) fn outside_values(origin: u16, text: &str, findings: &mut Findings) {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut told: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::new();
    let mut offset = mark;
    for line in text.get(mark..).unwrap_or_default().split_inclusive('\n') {
        if !line.is_ascii() {
            for (index, c) in line.char_indices().filter(|(_, c)| is_hidden(*c)) {
                found.push((offset + index, c));
            }
        }
        offset += line.len();
        if found.len() > MOST {
            break;
        }
    }
    if found.is_empty() {
        return;
    }
    let here = |finding: &&Finding| finding.origin == origin && finding.code == "hidden_character";
    told.extend(findings.list().iter().filter(here).map(|it| (it.bytes.start, it.bytes.end)));
    told.sort_unstable();
    let statements = Statements::of(text);
    for (at, c) in found {
        let before = told.partition_point(|(start, _)| *start <= at);
        let known = before.checked_sub(1).and_then(|index| told.get(index));
        if known.is_some_and(|(_, end)| at < *end) {
            continue;
        }
        findings.add(Finding {
            origin,
            bytes: at..at + c.len_utf8(),
            severity: Severity::Warning,
            code: "hidden_character",
            path: statements.path(text, at),
            message: format!("the text {}", describe(c)),
            suggestion: None,
        });
    }
}

/// Where headers and keys stand, and their paths.
struct Statements(Vec<(Range<usize>, bool, KeyPath)>);

impl Statements {
    fn of(text: &str) -> Self {
        let document = Document::recover(text);
        let mut all = Vec::new();
        collect(document.values(), document.root(), &KeyPath::default(), &mut all);
        all.sort_by_key(|(bytes, ..)| bytes.start);
        Self(all)
    }

    /// The key on whose lines an offset is, else the table that goes on there.
    fn path(&self, text: &str, at: usize) -> String {
        let before = self.0.partition_point(|(bytes, ..)| bytes.start <= at);
        let before = self.0.get(..before).unwrap_or_default();
        let on_its_lines = |bytes: &Range<usize>| {
            at < bytes.end || text.get(bytes.end..at).is_some_and(|gap| !gap.contains('\n'))
        };
        let found = match before.last() {
            Some((bytes, _, path)) if on_its_lines(bytes) => Some(path),
            _ => before.iter().rfind(|(_, header, _)| *header).map(|(.., path)| path),
        };
        found.map(ToString::to_string).unwrap_or_default()
    }
}

fn collect(
    value: &Value,
    place: &Place,
    path: &KeyPath,
    found: &mut Vec<(Range<usize>, bool, KeyPath)>,
) {
    match (place.form, value) {
        (Form::Headed | Form::Implied | Form::Dotted, Value::Table(table)) => {
            if place.form == Form::Headed && !path.is_empty() {
                found.push((place.span.clone(), true, path.clone()));
            }
            for ((name, value), place) in table.iter().zip(&place.parts) {
                collect(value, place, &path.child(name.to_owned()), found);
            }
        }
        (Form::Repeated, Value::Array(items)) => {
            for (value, place) in items.iter().zip(&place.parts) {
                collect(value, place, path, found);
            }
        }
        _ => {
            let start = place.key.as_ref().map_or(place.span.start, |key| key.start);
            found.push((start..place.span.end.max(start), false, path.clone()));
        }
    }
}

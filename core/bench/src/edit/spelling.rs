//! How keys are spelt in a text.

use std::ops::Range;

use super::{layout, render};
use crate::{
    document::{Form, Place},
    path::KeyPath,
    value::{basic, literal},
};

/// The stretches of the names of a dotted key that begins at an offset, quotation marks included.
pub(super) fn names(text: &str, at: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let blank = |at: &usize| matches!(bytes.get(*at), Some(b' ' | b'\t'));
    let mut found = Vec::new();
    let mut at = at;
    loop {
        while blank(&at) {
            at += 1;
        }
        let start = at;
        match bytes.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                at += 1;
                while let Some(byte) = bytes.get(at) {
                    at += 1;
                    match byte {
                        b'\\' if *quote == b'"' => at += 1,
                        byte if byte == quote => break,
                        _ => {}
                    }
                }
            }
            _ => {
                let ends = |byte: &u8| b" \t\r\n.=]#,{}\"'".contains(byte);
                at += bytes.iter().skip(at).take_while(|byte| !ends(byte)).count();
            }
        }
        if at == start {
            return found;
        }
        found.push(start..at.min(text.len()));
        while blank(&at) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'.') {
            return found;
        }
        at += 1;
    }
}

/// The name that a text spells.
pub(super) fn meant(spelt: &str) -> String {
    let path: Option<KeyPath> = spelt.parse().ok();
    path.and_then(|path| path.last().map(str::to_owned)).unwrap_or_else(|| spelt.to_owned())
}

/// Another name in the quotation marks of the one before it.
pub(super) fn like(old: &str, name: &str) -> String {
    match old.chars().next() {
        Some('"') => basic(name),
        Some('\'') => literal(name).unwrap_or_else(|| basic(name)),
        _ => render::key(name),
    }
}

/// The names in a header; `start` is that of its first bracket.
pub(super) fn header(text: &str, start: usize) -> Vec<Range<usize>> {
    let rest = text.get(start..).unwrap_or_default();
    names(text, start + if rest.starts_with("[[") { 2 } else { 1 })
}

/// The names in the key of a statement that has a line of its own.
pub(super) fn statement(text: &str, place: &Place) -> Vec<Range<usize>> {
    let key = place.key.as_ref().map_or(place.span.start, |key| key.start);
    names(text, layout::line_start(text, key))
}

/// Every statement and header below a place whose key spells the place's own name, with the names
/// in it and how many of them lead to the place. `base` counts the names that a header above the
/// place has spelt already.
pub(super) fn spelt<'p>(
    text: &str,
    place: &'p Place,
    base: usize,
    depth: usize,
) -> Vec<(&'p Place, Vec<Range<usize>>, usize)> {
    let mut found = Vec::new();
    walk(place, true, &mut |place| match place.form {
        Form::Headed => found.push((place, header(text, place.span.start), depth)),
        _ => found.push((place, statement(text, place), depth.saturating_sub(base))),
    });
    found
}

fn walk<'p>(place: &'p Place, lines: bool, found: &mut impl FnMut(&'p Place)) {
    let lines = match place.form {
        Form::Headed => {
            found(place);
            false
        }
        Form::Implied | Form::Dotted | Form::Repeated => lines,
        Form::Plain
        | Form::Date
        | Form::List
        | Form::Inline
        | Form::InlineDotted
        | Form::Broken => {
            if lines {
                found(place);
            }
            return;
        }
    };
    for part in &place.parts {
        walk(part, lines, found);
    }
}

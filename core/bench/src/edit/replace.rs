//! Putting a value in the place of another.

use super::{batch::Patch, list, render};
use crate::{
    document::{Document, Form, Place},
    path::KeyPath,
    value::Value,
};

/// The patches that turn one value into another. Items of a list that stay keep their bytes.
pub(super) fn replace(text: &str, place: &Place, old: &Value, new: &Value) -> Vec<Patch> {
    let written = text.get(place.span.clone()).unwrap_or_default();
    if let (Value::Array(old), Value::Array(new), Form::List) = (old, new, place.form) {
        if old.len() != new.len() {
            let value = list::resized(text, place, old, new);
            return vec![in_column(text, place, written, value)];
        }
        let items = old.iter().zip(new).zip(&place.parts);
        let changed = items.filter(|((old, new), _)| !old.means(new));
        return changed.flat_map(|((old, new), part)| replace(text, part, old, new)).collect();
    }
    let value = match new {
        Value::String(new) if place.form == Form::Date && is_date(new) => new.clone(),
        _ => render::value(new, Some(written)),
    };
    vec![in_column(text, place, written, value)]
}

/// Whether a text is a date or time as a file writes it, and read as it is.
fn is_date(text: &str) -> bool {
    let written = text.bytes().all(|b| b.is_ascii_digit() || b"-:.+ TtZz".contains(&b));
    let is_date = |document: Document| {
        document.root().parts.first().is_some_and(|place| place.form == Form::Date)
            && document.values().get(&KeyPath::new(["a"])).and_then(Value::as_str) == Some(text)
    };
    written && text.len() < 64 && Document::parse(&format!("a = {text}")).is_ok_and(is_date)
}

/// A comment after the value stays in its column, if there is room.
fn in_column(text: &str, place: &Place, old: &str, new: String) -> Patch {
    let plain = Patch::new(place.span.clone(), new);
    let rest = text.get(place.span.end..).unwrap_or_default();
    let gap = rest.bytes().take_while(|byte| *byte == b' ').count();
    let is_comment = rest.as_bytes().get(gap) == Some(&b'#');
    if gap < 2 || !is_comment || old.contains('\n') || plain.text.contains('\n') {
        return plain;
    }
    let room = gap + old.chars().count();
    match room.checked_sub(plain.text.chars().count()) {
        None | Some(0) => plain,
        Some(gap_now) => {
            Patch::new(plain.bytes.start..plain.bytes.end + gap, plain.text + &" ".repeat(gap_now))
        }
    }
}

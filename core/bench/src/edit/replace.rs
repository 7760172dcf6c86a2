//! Putting a value in the place of another.

use super::{batch::Patch, layout, render};
use crate::{
    document::{Form, Place},
    value::Value,
};

/// The patches that turn one value into another. Items of a list that stay keep their bytes, if
/// the list stays as long as it is.
pub(super) fn replace(text: &str, place: &Place, old: &Value, new: &Value) -> Vec<Patch> {
    if let (Value::Array(old), Value::Array(new)) = (old, new)
        && place.form == Form::List
        && old.len() == new.len()
    {
        let items = old.iter().zip(new).zip(&place.parts);
        let changed = items.filter(|((old, new), _)| !old.means(new));
        return changed.flat_map(|((old, new), part)| replace(text, part, old, new)).collect();
    }
    let written = text.get(place.span.clone()).unwrap_or_default();
    let value = render::value(new, Some(written));
    vec![in_column(text, place, written, value)]
}

/// A comment after the value stays in its column, if there is room.
fn in_column(text: &str, place: &Place, old: &str, new: String) -> Patch {
    let plain = Patch::new(place.span.clone(), new);
    let rest = layout::line(text, place.span.end);
    let gap = rest.len() - rest.trim_start_matches(' ').len();
    if gap < 2 || !rest[gap..].starts_with('#') || old.contains('\n') || plain.text.contains('\n') {
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

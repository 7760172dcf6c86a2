//! Values as text, written the way their neighbours are.

use super::number;
use crate::value::{Value, basic, literal};

/// A value as text; `like` is how the one before it, or beside it, is written.
pub(super) fn value(value: &Value, like: Option<&str>) -> String {
    let like = like.unwrap_or_default();
    match value {
        Value::Float(new) => number::float(*new, like).unwrap_or_else(|| value.to_string()),
        Value::Int(new) if number::is_float(like) => {
            #[allow(clippy::cast_precision_loss, reason = "kept only if it reads back the same")]
            let float = *new as f64;
            #[allow(clippy::cast_possible_truncation, reason = "likewise")]
            let exact = float as i64 == *new && float.abs() < 9e15;
            let text =
                || number::float(float, like).unwrap_or_else(|| Value::Float(float).to_string());
            if exact { text() } else { value.to_string() }
        }
        Value::Int(new) => number::int(*new, like).unwrap_or_else(|| value.to_string()),
        Value::String(new) => text(new, like).unwrap_or_else(|| value.to_string()),
        _ => value.to_string(),
    }
}

/// A key, quoted where it must be.
pub(super) fn key(name: &str) -> String {
    toml_edit::Key::new(name).to_string()
}

/// Names joined by dots, quoted where they must be.
pub(super) fn dotted<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    names.into_iter().map(|name| key(name)).collect::<Vec<_>>().join(".")
}

/// Text in the quotation marks that its neighbour has.
fn text(new: &str, like: &str) -> Option<String> {
    // Line ends are part of the text, and a file should not have both kinds.
    let windows = like.contains("\r\n");
    let fits = if windows {
        new.contains("\r\n") && !new.replace("\r\n", "").contains('\n')
    } else {
        like.contains('\n') && new.contains('\n')
    };
    match like.get(..3) {
        Some("\"\"\"") if fits => Some(long(new, windows, like, false)),
        Some("'''") if fits => Some(long(new, windows, like, true)),
        _ => match like.chars().next() {
            Some('\'') => literal(new),
            Some('"') => Some(basic(new)),
            _ => None,
        },
    }
}

/// Text with lines of its own, as `"""…"""` or `'''…'''`; the latter only if it can hold it.
fn long(new: &str, windows: bool, like: &str, plain: bool) -> String {
    let line_end = if windows { "\r\n" } else { "\n" };
    let new = if windows { new.replace("\r\n", "\n") } else { new.to_owned() };
    let inside = like.get(3..).unwrap_or_default();
    // The first line end of all does not belong to the text.
    let opens = inside.starts_with(['\n', '\r']) || new.starts_with('\n');
    let first = if opens { line_end } else { "" };
    let control = |c: char| c.is_control() && c != '\t' && c != '\n';
    if plain && !new.contains("'''") && !new.ends_with('\'') && !new.contains(control) {
        return format!("'''{first}{}'''", new.replace('\n', line_end));
    }
    let mut text = format!("\"\"\"{first}");
    let mut quotes = 0;
    let mut chars = new.chars().peekable();
    while let Some(c) = chars.next() {
        quotes = if c == '"' { quotes + 1 } else { 0 };
        match c {
            '"' if quotes == 3 || chars.peek().is_none() => {
                text.push_str("\\\"");
                quotes = 0;
            }
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str(line_end),
            c if control(c) => text.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text + "\"\"\""
}

//! Values as text, written the way their neighbours are.

use crate::value::{Value, basic, literal};

/// A value as text; `like` is how the one before it, or beside it, is written.
pub(super) fn value(value: &Value, like: Option<&str>) -> String {
    let like = like.unwrap_or_default();
    match value {
        Value::Float(new) => number(*new, like).unwrap_or_else(|| value.to_string()),
        Value::Int(new) if is_float(like) => {
            #[allow(clippy::cast_precision_loss, reason = "kept only if it reads back the same")]
            let float = *new as f64;
            #[allow(clippy::cast_possible_truncation, reason = "likewise")]
            let exact = float as i64 == *new && float.abs() < 9e15;
            exact.then(|| number(float, like)).flatten().unwrap_or_else(|| value.to_string())
        }
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

/// A number with as many decimals, or the exponent, that its neighbour has, if it reads back the
/// same.
fn number(new: f64, like: &str) -> Option<String> {
    let text = if is_float(like) && like.contains(['e', 'E']) {
        format!("{new:e}")
    } else if let Some((_, decimals)) = like.split_once('.').filter(|_| is_float(like)) {
        format!("{new:.0$}", decimals.bytes().filter(u8::is_ascii_digit).count().min(30))
    } else if is_int(like) && new.fract() == 0.0 && new.abs() < 9e15 {
        format!("{new:.0}")
    } else {
        return None;
    };
    // Zero has a sign too.
    let same = text.parse::<f64>().is_ok_and(|read| read.to_bits() == new.to_bits());
    (same && new.is_finite()).then_some(text)
}

fn is_float(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.contains(['.', 'e', 'E'])
        && digits.bytes().all(|b| b.is_ascii_digit() || b"._eE+-".contains(&b))
}

fn is_int(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// Text in the quotation marks that its neighbour has.
fn text(new: &str, like: &str) -> Option<String> {
    match like.chars().next() {
        Some('\'') => literal(new),
        Some('"') => Some(basic(new)),
        _ => None,
    }
}

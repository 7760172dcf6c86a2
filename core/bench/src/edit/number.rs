//! Numbers written like others.

/// As many decimals are a choice of whoever wrote them; more are what a number needed.
const DECIMALS: usize = 9;

/// A fraction with the sign, decimals, exponent and grouping that its neighbour has, if it reads
/// back the same.
pub(super) fn float(new: f64, like: &str) -> Option<String> {
    if !new.is_finite() {
        return (new == f64::INFINITY && like == "+inf").then(|| like.to_owned());
    }
    let body = like.trim_start_matches(['+', '-']);
    let plain = body.replace('_', "");
    let digits = |text: &str| text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let mut text = if is_float(like) && plain.contains(['e', 'E']) {
        exponent(new, &plain, digits(plain.split(['e', 'E']).next()?))
    } else if is_float(like) && plain.contains('.') && digits(&plain) <= DECIMALS {
        format!("{new:.0$}", digits(&plain))
    } else if is_int(like) && new.fract() == 0.0 && new.abs() < 9e15 {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and not that large")]
        let whole = new as i64;
        // A whole number has no zero below zero.
        let is_kept = new.to_bits() != (-0.0_f64).to_bits();
        return is_kept.then(|| int(whole, like).unwrap_or_else(|| whole.to_string()));
    } else {
        return None;
    };
    if let Some(size) = group_size(body.split(['.', 'e', 'E']).next()?) {
        let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
        let end = rest.find(['.', 'e', 'E']).unwrap_or(rest.len());
        let (whole, rest) = rest.split_at(end);
        text = format!("{sign}{}{rest}", grouped(whole, size));
    }
    if like.starts_with('+') && !text.starts_with('-') {
        text.insert(0, '+');
    }
    exact(&text, new).then_some(text)
}

/// A whole number in the base, width and grouping that its neighbour has.
pub(super) fn int(new: i64, like: &str) -> Option<String> {
    let prefix = like.get(..2).filter(|prefix| matches!(*prefix, "0x" | "0o" | "0b"));
    if let Some(prefix) = prefix {
        let digits = like.get(2..)?.replace('_', "");
        let text = match prefix {
            _ if new < 0 => return None,
            "0x" if digits.contains(|c: char| c.is_ascii_uppercase()) => format!("{new:X}"),
            "0x" => format!("{new:x}"),
            "0o" => format!("{new:o}"),
            _ => format!("{new:b}"),
        };
        let width = if digits.starts_with('0') { digits.len() } else { 0 };
        let text = format!("{}{text}", "0".repeat(width.saturating_sub(text.len()).min(64)));
        let text = group_size(like.get(2..)?).map_or(text.clone(), |size| grouped(&text, size));
        return Some(format!("{prefix}{text}"));
    }
    if !is_int(like) {
        return None;
    }
    let text = new.unsigned_abs().to_string();
    let text = group_size(like).map_or(text.clone(), |size| grouped(&text, size));
    let sign = match new {
        ..0 => "-",
        _ if like.starts_with('+') => "+",
        _ => "",
    };
    Some(format!("{sign}{text}"))
}

/// `1.50e+06`
fn exponent(new: f64, like: &str, decimals: usize) -> String {
    let text = format!("{new:.0$e}", decimals.min(DECIMALS));
    let text = if exact(&text, new) && decimals <= DECIMALS { text } else { format!("{new:e}") };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (negative, digits) =
        exponent.strip_prefix('-').map_or((false, exponent), |digits| (true, digits));
    let letter = if like.contains('E') { 'E' } else { 'e' };
    let old = like.split_once(['e', 'E']).map_or("", |(_, exponent)| exponent);
    let sign = match (negative, old.starts_with('+')) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    };
    let width = old.trim_start_matches(['+', '-']);
    let width = if width.starts_with('0') { width.len().min(8) } else { 0 };
    format!("{mantissa}{letter}{sign}{digits:0>width$}")
}

/// How many digits stand behind the last underscore.
fn group_size(digits: &str) -> Option<usize> {
    digits.rsplit_once('_').map(|(_, last)| last.len()).filter(|size| *size > 0)
}

fn grouped(digits: &str, size: usize) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Whether a text is read as this number. Zero has a sign too.
fn exact(text: &str, number: f64) -> bool {
    text.replace('_', "").parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits())
}

/// Whether a fraction is written so, or one of the words for what is none.
pub(super) fn is_float(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    matches!(digits, "inf" | "nan")
        || digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.contains(['.', 'e', 'E'])
            && digits.bytes().all(|b| b.is_ascii_digit() || b"._eE+-".contains(&b))
}

fn is_int(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let based = ["0x", "0o", "0b"].iter().any(|prefix| digits.starts_with(prefix));
    based || !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

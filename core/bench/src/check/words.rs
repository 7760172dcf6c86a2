//! Words for messages: names that were probably meant, numbers, lists.

use super::hidden;

/// Longer words are not compared: the time it takes grows with both lengths.
const LONGEST: usize = 64;

/// The candidate that was probably meant: nearly the same letters, or the same beginning.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = (lower.chars().count() / 3).max(1);
    let distance = |candidate: &str| {
        let other = candidate.to_lowercase();
        let letters = strsim::osa_distance(&lower, &other);
        // `volt` for `voltage`, `ch1` for `ch1.voltage`.
        let begins = lower.len() >= 3 && other.starts_with(&lower);
        if begins { letters.min(allowed) } else { letters }
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != word)
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// A number as people write it: `52`, `3.6`, `1e-9`.
pub(crate) fn number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        format!("{number:e}")
    } else {
        format!("{number}")
    }
}

/// A number with its unit, if it has one.
pub(crate) fn quantity(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some(unit) if !unit.is_empty() => format!("{} {unit}", number(value)),
        _ => number(value),
    }
}

/// `"a", "b" or "c"`
pub(crate) fn either<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// A text in quotation marks, cut where it is long; characters that nobody sees are written out.
pub(crate) fn quoted(text: &str) -> String {
    let mut short = String::new();
    let mut rest = text.chars();
    for c in rest.by_ref().take(40) {
        match hidden::is_hidden(c) {
            true => short.push_str(&format!("\\u{:04X}", u32::from(c))),
            false => short.push(c),
        }
    }
    if rest.next().is_some() {
        short.push('…');
    }
    format!("“{short}”")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_beginnings_and_nothing_far_off() {
        let names = ["resolution", "framerate", "format", "ch1.voltage"];
        assert_eq!(nearest("resoluton", names).as_deref(), Some("resolution"));
        assert_eq!(nearest("Format", names).as_deref(), Some("format"));
        assert_eq!(nearest("ch1", names).as_deref(), Some("ch1.voltage"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest(&"f".repeat(100_000), names), None);
    }

    #[test]
    fn words_are_listed_with_or() {
        assert_eq!(either(["off", "on", "auto"]), "\"off\", \"on\" or \"auto\"");
        assert_eq!(quoted(&"a".repeat(41)), format!("“{}…”", "a".repeat(40)));
        assert_eq!(quoted("a\u{202e}\n"), "“a\\u202E\n”");
        assert_eq!(quantity(3.6, Some("V")), "3.6 V");
        assert_eq!(quantity(1e-9, None), "1e-9");
    }
}

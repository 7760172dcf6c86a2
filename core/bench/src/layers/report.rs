//! From findings of all layers to what is told.

use std::collections::{HashMap, HashSet};

use super::{merge::Secret, origin::Origin, surroundings::Unreadable, whole::Whole};
use crate::{
    catalogue::Catalogue,
    check::{self, Finding, LayerText, Reading},
    diagnostic::Severity,
    document::Place,
    value::{Table, Value},
};

/// What is known besides the values.
pub(super) struct Circumstances<'a> {
    /// The main file's name as the person gave it.
    pub(super) main: &'a str,
    pub(super) origins: &'a [Origin],
    /// A file is missing or is no TOML.
    pub(super) incomplete: bool,
    /// Why the main file has no text.
    pub(super) unreadable: Option<Unreadable>,
}

/// Checks what the layers came to, and reports everything in the order of files and of places in
/// them.
pub(super) fn report(known: Circumstances<'_>, whole: Whole, catalogue: &dyn Catalogue) -> Reading {
    let Circumstances { main, origins, incomplete, unreadable } = known;
    if let Some(why) = unreadable {
        return no_text(main, &why);
    }
    let Whole { values, root, findings, secrets, broken, partial } = whole;
    let texts: Vec<LayerText<'_>> = origins
        .iter()
        .map(|it| LayerText { name: &it.name, text: &it.text, is_file: it.kind.is_file() })
        .collect();
    let hidden = Hidden::new(&secrets);
    let filled: HashSet<String> = secrets.iter().map(|it| it.path.to_string()).collect();
    let mut seen = HashSet::new();
    let review = |finding: &mut Finding| {
        let about_layers = ABOUT_LAYERS.contains(&finding.code);
        let start = (finding.origin, finding.bytes.start);
        let missing = finding.code == "missing_key" && in_any(&partial, &finding.path);
        let follows = !about_layers && broken.contains(&start);
        // That one never shows a value, and may be about another component made of the same text.
        if !about_layers && finding.code != "plain_secret" {
            hidden.hide(finding);
        }
        // What a placeholder puts in need not stand in any file.
        if finding.code == "plain_secret" && filled.contains(&finding.path) {
            return false;
        }
        // One mistake in a template is one mistake, whatever is made from it.
        !missing && !follows && seen.insert((start, finding.code, finding.message.clone()))
    };
    let values = (&values, &root);
    check::check_layers(main, &texts, values, findings, incomplete, catalogue, review)
}

/// What one file comes to that says all.
pub(super) fn report_one(
    main: &str,
    text: &str,
    values: (&Value, &Place),
    catalogue: &dyn Catalogue,
) -> Reading {
    let texts = [LayerText { name: main, text, is_file: true }];
    check::check_layers(main, &texts, values, Vec::new(), false, catalogue, |_| true)
}

/// Codes of findings about how a text is made whole. They never show a value.
const ABOUT_LAYERS: [&str; 5] =
    ["unset_variable", "unset_secret", "bad_variable", "bad_placeholder", "unfilled_placeholder"];

/// Whether a key lies right below one of some components.
fn in_any(components: &HashSet<String>, path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(component, _)| components.contains(component))
}

fn no_text(main: &str, why: &Unreadable) -> Reading {
    let mut reading = match why {
        Unreadable::NotUtf8 { line, column } => return check::not_utf8(main, *line, *column),
        _ => check::not_utf8(main, 1, 1),
    };
    for finding in &mut reading.diagnostics {
        finding.code = why.code().to_owned();
        finding.message = format!("the file cannot be read: {why}");
        finding.span = Default::default();
    }
    reading
}

/// Secrets, for taking them out of findings.
struct Hidden<'s> {
    places: HashMap<(u16, usize), &'s Secret>,
    values: HashSet<&'s str>,
}

impl<'s> Hidden<'s> {
    fn new(secrets: &'s [Secret]) -> Self {
        let place = |secret: &'s Secret| ((secret.origin, secret.bytes.start), secret);
        let values = secrets.iter().map(|secret| secret.value.as_str());
        Self {
            places: secrets.iter().map(place).collect(),
            values: values.filter(|value| !value.is_empty()).collect(),
        }
    }

    /// Takes secrets out of a finding: about the value itself nothing is said but that it is
    /// wrong, since messages quote and cut what they are about.
    fn hide(&self, finding: &mut Finding) {
        if finding.severity == Severity::Error
            && let Some(secret) = self.places.get(&(finding.origin, finding.bytes.start))
        {
            let key = secret.path.last().unwrap_or_default();
            finding.message = format!("{key} does not take what {} comes to", secret.written);
            finding.suggestion = None;
            return;
        }
        for value in &self.values {
            if finding.message.contains(value) {
                finding.message = finding.message.replace(value, "•••");
            }
            if finding.suggestion.as_ref().is_some_and(|text| text.contains(value)) {
                finding.suggestion = None;
            }
        }
    }
}

/// Values with what is written in place of secrets.
pub(super) fn masked(values: &Value, secrets: &[Secret]) -> Value {
    let mut by_path: Vec<(&[String], &str)> =
        secrets.iter().map(|secret| (secret.path.names(), secret.written.as_str())).collect();
    by_path.sort();
    below(values, &by_path, 0)
}

fn below(value: &Value, secrets: &[(&[String], &str)], depth: usize) -> Value {
    let Some((first, written)) = secrets.first() else { return value.clone() };
    if first.len() == depth {
        return (*written).into();
    }
    let Value::Table(table) = value else { return (*written).into() };
    let of = |name: &str| {
        let key = |secret: &(&[String], &str)| secret.0.get(depth).map(String::as_str) < Some(name);
        let start = secrets.partition_point(key);
        let rest = secrets.get(start..).unwrap_or_default();
        let end =
            rest.partition_point(|secret| secret.0.get(depth).map(String::as_str) == Some(name));
        rest.get(..end).unwrap_or_default()
    };
    let parts =
        table.iter().map(|(name, value)| (name.to_owned(), below(value, of(name), depth + 1)));
    Value::Table(parts.collect::<Table>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stands_for_a_secret() {
        let document =
            crate::Document::parse("a.b = 'x'\na.c = 'y'\nl = ['x', 'y']\nd = 1\n").unwrap();
        let secret = |path: &str| Secret {
            path: path.parse().unwrap(),
            written: "${secret:T}".to_owned(),
            origin: 0,
            bytes: 0..0,
            value: "x".to_owned(),
        };
        let shown = masked(document.values(), &[secret("l"), secret("a.b")]);
        assert_eq!(
            shown.to_string(),
            "{ a = { b = \"${secret:T}\", c = \"y\" }, l = \"${secret:T}\", d = 1 }"
        );
    }
}

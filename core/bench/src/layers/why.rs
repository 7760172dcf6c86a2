//! Keys as a person asks for them: known or not, by default, and all that lie below one.

use std::{cell::OnceCell, collections::HashMap, ops::Range};

use super::{LayeredReading, explain::Provenance, merge::Piece, origin::at, quiet::quiet};
use crate::{
    check::nearest,
    diagnostic::Span,
    document::Cursor,
    path::KeyPath,
    schema::{self, Node},
    value::Value,
};

/// A key below one that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its whole path.
    pub path: KeyPath,
    /// The effective value; what is written in place of one that holds a secret.
    pub value: Value,
    /// The place whose value holds; `None` for what is in no text.
    pub place: Option<Provenance>,
}

/// A text with dots in place of a number, however many digits it is written with.
fn without_number(text: String, number: f64) -> String {
    let is = |digits: &str| {
        let decimals = digits.rsplit_once('.').map_or(0, |(_, decimals)| decimals.len());
        let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).unwrap_or(i32::MAX));
        // Whole numbers are rounded by nobody.
        let near = if decimals == 0 { f64::EPSILON } else { half * 1.000_001 };
        digits.parse::<f64>().is_ok_and(|read| (read - number.abs()).abs() <= near)
    };
    let (mut shown, mut rest, mut before) = (String::new(), text.as_str(), None);
    while let Some(first) = rest.chars().next() {
        let of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        let inside = before.is_some_and(|before: char| before.is_alphanumeric() || before == '_');
        let length = match first.is_ascii_digit() && !inside {
            true => rest.find(|letter| !of_number(letter)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        let digits = token.trim_end_matches('.');
        match is(digits) {
            true => shown.extend(["•••", token.get(digits.len()..).unwrap_or_default()]),
            false => shown.push_str(token),
        }
        (before, rest) = (token.chars().next_back(), behind);
    }
    shown
}

impl LayeredReading {
    /// The effective value of a key, as [`masked_values`](Self::masked_values) has it; `None` if
    /// no layer has the key. The value of a key that is secret by itself is dots.
    pub fn effective(&self, path: &KeyPath) -> Option<Value> {
        let value = self.resolved.get(path)?;
        if self.secrets.iter().any(|it| it.path.starts_with(path) || path.starts_with(&it.path)) {
            let whole = super::report::masked(&self.resolved, &self.secrets);
            // Below a value that was put in as a whole there are no keys any more.
            let mut asked = path.clone();
            loop {
                if let Some(value) = whole.get(&asked) {
                    return Some(value.clone());
                }
                asked = asked.parent()?;
            }
        }
        Some(quiet(path, value))
    }

    /// A text about the bench with dots in place of what secrets come to, numbers also where they
    /// are written with other digits.
    pub fn without_secrets(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if !secret.value.is_empty() && text.contains(&secret.value) {
                text = text.replace(&secret.value, "•••");
            }
            if let Ok(number) = secret.value.trim().parse::<f64>()
                && number.is_finite()
            {
                text = without_number(text, number);
            }
        }
        text
    }

    /// What the schema says about a key that may be in this bench, whether it is or not: names
    /// that the file's author gives have to be there, and the key has to be one that a component
    /// of this type takes.
    pub fn schema_key(&self, path: &KeyPath) -> Option<&'static schema::Key> {
        self.node(path)?.key
    }

    fn node(&self, path: &KeyPath) -> Option<&'static Node> {
        let mut node = schema::root();
        let mut value = Some(&self.resolved);
        for name in path.names() {
            value = value.and_then(Value::as_table).and_then(|table| table.get(name));
            let fixed = node.children().any(|(known, _)| known == name);
            if !fixed && value.is_none() {
                return None;
            }
            node = node.child(name)?;
        }
        node.may_be_in(self.component_type(path)).then_some(node)
    }

    fn component_type(&self, path: &KeyPath) -> Option<&str> {
        let component = path.names().get(..2)?;
        let kind = KeyPath::new(component.iter().cloned()).child("type");
        self.resolved.get(&kind)?.as_str()
    }

    /// Whether there is anything to explain: a layer has the key, or it has a place in the schema.
    pub fn is_known(&self, path: &KeyPath) -> bool {
        !path.is_empty()
            && (self.resolved.get(path).is_some()
                || self.node(path).is_some()
                || !self.pieces(path).is_empty())
    }

    /// The key that was probably meant by one that is not [known](Self::is_known), and the longest
    /// beginning of it that is known, with the names of the keys that are there.
    pub fn nearest_key(&self, path: &KeyPath) -> (Option<KeyPath>, KeyPath, Vec<String>) {
        let names = path.names();
        let prefix = |depth: usize| KeyPath::new(names.iter().take(depth).cloned());
        let known = (1..names.len()).rev().map(prefix).find(|path| self.is_known(path));
        let known = known.unwrap_or_else(|| KeyPath::new(Vec::<String>::new()));
        let there = self.names_below(&known);
        let depth = known.names().len();
        let meant = names
            .get(depth)
            .and_then(|name| nearest(name, there.iter().map(String::as_str)))
            .map(|name| {
                let rest = names.iter().skip(depth + 1);
                let whole = rest.fold(known.child(name.clone()), |path, name| path.child(name));
                if self.is_known(&whole) { whole } else { known.child(name) }
            });
        (meant, known, there)
    }

    /// The names of all keys that are or may be right below one.
    fn names_below(&self, path: &KeyPath) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let value = if path.is_empty() { Some(&self.resolved) } else { self.resolved.get(path) };
        let layers = self.layers().iter().filter_map(|layer| {
            at(&layer.values, &layer.root, path.names()).map(|(value, _)| value)
        });
        for table in value.into_iter().chain(layers).filter_map(Value::as_table) {
            names.extend(table.keys().map(|name| name.to_string()));
        }
        if let Some(node) = self.node(path) {
            let component = self.component_type(path);
            let may = node.children().filter(|(_, child)| child.may_be_in(component));
            names.extend(may.map(|(name, _)| name.to_owned()));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The keys below a table that have values of their own, in the order of the bench, at most
    /// `most` of them, and how many there are. Of what is no table, nothing.
    pub fn leaves(&self, path: &KeyPath, most: usize) -> (Vec<Leaf>, usize) {
        let Some(table @ Value::Table(_)) = self.resolved.get(path) else {
            return (Vec::new(), 0);
        };
        let masked = self.effective(path);
        let mut found = Vec::new();
        let mut count = 0;
        collect(table, path, &mut |path: KeyPath, value: &Value| {
            count += 1;
            if found.len() < most {
                found.push((path, value.clone()));
            }
        });
        let known = OnceCell::new();
        let pieces: Vec<Option<Piece<'_>>> = found
            .iter()
            .map(|(leaf, _)| {
                let mut asked = leaf.clone();
                loop {
                    let first = self.pieces_with(&asked, &known).into_iter().next();
                    if first.is_some() {
                        return first;
                    }
                    // What was put in as a whole has no keys of its own.
                    asked = asked.parent().filter(|above| above != path)?;
                }
            })
            .collect();
        let spans = self.spans(pieces.iter().flatten());
        let leaves = found.into_iter().zip(pieces).map(|((leaf, value), piece)| {
            let place = piece.map(|piece| {
                let bytes = super::explain::bytes(&piece);
                let at = (piece.place.origin, bytes.start, bytes.end);
                let span = spans.get(&at).copied().unwrap_or_default();
                self.provenance_at(&piece, true, span, &leaf)
            });
            let shown = masked.as_ref().and_then(|whole| below(whole, path, &leaf));
            Leaf { value: quiet(&leaf, &shown.unwrap_or(value)), path: leaf, place }
        });
        (leaves.collect(), count)
    }

    /// Lines and columns of many places, one walk over each text.
    fn spans<'p>(
        &self,
        pieces: impl Iterator<Item = &'p Piece<'p>>,
    ) -> HashMap<(u16, usize, usize), Span> {
        let mut places: Vec<(u16, Range<usize>)> =
            pieces.map(|piece| (piece.place.origin, super::explain::bytes(piece))).collect();
        places.sort_by_key(|(origin, bytes)| (*origin, bytes.start));
        let mut cursor: Option<(u16, Cursor<'_>)> = None;
        let mut spans = HashMap::with_capacity(places.len());
        for (origin, bytes) in places {
            if cursor.as_ref().is_none_or(|(of, _)| *of != origin) {
                let text = self.origins.get(usize::from(origin)).map_or("", |it| &it.text);
                cursor = Some((origin, Cursor::new(text)));
            }
            if let Some((_, cursor)) = &mut cursor {
                spans.insert((origin, bytes.start, bytes.end), cursor.span(bytes));
            }
        }
        spans
    }
}

/// A value below another one, or what stands in place of one above it.
fn below(whole: &Value, base: &KeyPath, leaf: &KeyPath) -> Option<Value> {
    let mut value = whole;
    for name in leaf.names().iter().skip(base.names().len()) {
        match value {
            Value::Table(table) => value = table.get(name)?,
            _ => break,
        }
    }
    Some(value.clone())
}

fn collect(value: &Value, path: &KeyPath, found: &mut impl FnMut(KeyPath, &Value)) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                collect(value, &path.child(name.to_owned()), found);
            }
        }
        value => found(path.clone(), value),
    }
}

#[cfg(test)]
mod tests {
    use super::without_number;

    #[test]
    fn a_number_is_hidden_however_it_is_written() {
        for (text, shown) in [
            ("asked for 3.450 V, reads 3.45", "asked for ••• V, reads •••"),
            (
                "ch3.45 stays, and so does 13.45 or 3.450.1",
                "ch3.45 stays, and so does 13.45 or 3.450.1",
            ),
            ("rounded: 3.5. Not 3", "rounded: •••. Not 3"),
            ("", ""),
        ] {
            assert_eq!(without_number(text.to_owned(), 3.45), shown);
        }
        assert_eq!(without_number("5.0 and 5, not 50".to_owned(), 5.0), "••• and •••, not 50");
    }
}

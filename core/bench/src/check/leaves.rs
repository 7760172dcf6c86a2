//! Parameters as a file nests them: `ch1.voltage = 3.3` is a table `ch1` with a `voltage`.

use std::ops::Range;

use crate::{
    document::{Form, Place},
    value::Value,
};

/// One parameter in `set` or `limits`.
pub(crate) struct Leaf<'d> {
    /// The names on the way, outermost first.
    pub(crate) names: Vec<&'d str>,
    pub(crate) value: &'d Value,
    pub(crate) place: &'d Place,
    dotted: bool,
}

impl Leaf<'_> {
    /// As its driver writes it: `ch1.voltage`.
    pub(crate) fn parameter(&self) -> String {
        self.names.join(".")
    }

    /// Where its key stands, with the names before the dots. `text` is the one its place is in.
    pub(crate) fn key(&self, text: &str) -> Range<usize> {
        let last = self.place.head();
        if !self.dotted {
            return last;
        }
        // Under a header a key begins its line.
        let before = text.get(..last.start).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let indent = before[line..].chars().take_while(|c| c.is_whitespace() || *c == '\u{feff}');
        line + indent.map(char::len_utf8).sum::<usize>()..last.end
    }
}

/// All parameters below a table, in file order.
pub(crate) fn leaves<'d>(value: &'d Value, place: &'d Place) -> Vec<Leaf<'d>> {
    let mut found = Vec::new();
    collect(value, place, &mut Vec::new(), &mut found);
    found
}

fn collect<'d>(
    value: &'d Value,
    place: &'d Place,
    names: &mut Vec<&'d str>,
    found: &mut Vec<Leaf<'d>>,
) {
    let Some(table) = value.as_table() else { return };
    for ((name, value), part) in table.iter().zip(&place.parts) {
        names.push(name);
        if matches!(value, Value::Table(_)) {
            collect(value, part, names, found);
        } else if part.form != Form::Broken {
            let dotted = place.form == Form::Dotted;
            found.push(Leaf { names: names.clone(), value, place: part, dotted });
        }
        names.pop();
    }
}

/// All parameters below a table, by their dotted names.
pub(crate) fn by_name(value: &Value) -> Vec<(String, &Value)> {
    fn collect<'v>(value: &'v Value, prefix: &str, found: &mut Vec<(String, &'v Value)>) {
        for (name, value) in value.as_table().into_iter().flatten() {
            let dot = if prefix.is_empty() { "" } else { "." };
            let name = format!("{prefix}{dot}{name}");
            if matches!(value, Value::Table(_)) {
                collect(value, &name, found);
            } else {
                found.push((name, value));
            }
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

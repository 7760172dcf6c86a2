//! Parameters as a file nests them: `ch1.voltage = 3.3` is a table `ch1` with a `voltage`.

use std::ops::Range;

use crate::{
    document::{Form, Place},
    value::Value,
};

/// One parameter in `set` or `limits`.
pub(crate) struct Leaf<'d, 'w> {
    /// The names on the way, outermost first.
    pub(crate) names: &'w [&'d str],
    /// As its driver writes it: `ch1.voltage`.
    pub(crate) parameter: &'w str,
    pub(crate) value: &'d Value,
    pub(crate) place: &'d Place,
    dotted: bool,
}

impl Leaf<'_, '_> {
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

/// Visits all parameters below a table, in file order.
pub(crate) fn each<'d>(value: &'d Value, place: &'d Place, visit: &mut dyn FnMut(&Leaf<'d, '_>)) {
    Way { names: Vec::new(), parameter: String::new() }.below(value, place, visit);
}

/// The way to a parameter, as names and as the text that joins them.
struct Way<'d> {
    names: Vec<&'d str>,
    parameter: String,
}

impl<'d> Way<'d> {
    fn below(&mut self, value: &'d Value, above: &'d Place, visit: &mut dyn FnMut(&Leaf<'d, '_>)) {
        let Some(table) = value.as_table() else { return };
        for ((name, value), place) in table.iter().zip(&above.parts) {
            let length = self.parameter.len();
            join(&mut self.parameter, name);
            self.names.push(name);
            if matches!(value, Value::Table(_)) {
                self.below(value, place, visit);
            } else if place.form != Form::Broken {
                let dotted = above.form == Form::Dotted;
                let Self { names, parameter } = &*self;
                visit(&Leaf { names, parameter, value, place, dotted });
            }
            self.names.pop();
            self.parameter.truncate(length);
        }
    }
}

fn join(parameter: &mut String, name: &str) {
    if !parameter.is_empty() {
        parameter.push('.');
    }
    parameter.push_str(name);
}

/// All parameters below a table, by their dotted names.
pub(crate) fn by_name(value: &Value) -> Vec<(String, &Value)> {
    fn collect<'v>(value: &'v Value, way: &mut String, found: &mut Vec<(String, &'v Value)>) {
        for (name, value) in value.as_table().into_iter().flatten() {
            let length = way.len();
            join(way, name);
            if matches!(value, Value::Table(_)) {
                collect(value, way, found);
            } else {
                found.push((way.clone(), value));
            }
            way.truncate(length);
        }
    }
    let mut found = Vec::new();
    collect(value, &mut String::new(), &mut found);
    found
}

//! Where values stand in a text.

use std::ops::Range;

use toml_edit::{InlineTable, Item, Key, Table};

use crate::value::{self, Value};

/// Where one key or list item stands. Offsets are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of the texts it stands in that were put together; 0 where there is one text.
    pub origin: u16,
    /// The last name of its key: `voltage` of `ch1.voltage`, `psu` of `[instruments.psu]`. A table
    /// that several keys imply has the name in the first of them. `None` for the top and for list
    /// items.
    pub key: Option<Range<usize>>,
    /// Its value; the header, brackets included, of a table that has one.
    pub span: Range<usize>,
    /// How it is written.
    pub form: Form,
    /// Places of what it holds, in the order of the keys or items of its value.
    pub parts: Vec<Place>,
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `3.3`, `"on"`
    Plain,
    /// A date or time, which no key of a bench file takes.
    Date,
    /// `[0.0, 3.6]`
    List,
    /// `{ a = 1 }`
    Inline,
    /// `a` in `{ a.b = 1 }`
    InlineDotted,
    /// `[a]`, an item of `[[a]]`, and the top of the file
    Headed,
    /// `a` where there is `[a.b]` and no `[a]`
    Implied,
    /// `a` of `a.b = 1`
    Dotted,
    /// `[[a]]`
    Repeated,
}

impl Place {
    /// Where to point for something that is missing in it: the header if it has one, else the
    /// key, else the value.
    pub fn head(&self) -> Range<usize> {
        match (self.form, &self.key) {
            (Form::Headed, _) | (_, None) => self.span.clone(),
            (_, Some(key)) => key.clone(),
        }
    }
}

pub(super) fn read(top: &Table) -> (Value, Place) {
    table(top, None, Form::Headed)
}

fn table(table: &Table, key: Option<Range<usize>>, form: Form) -> (Value, Place) {
    let span = table.span().or_else(|| key.clone()).unwrap_or(0..0);
    let mut values = value::Table::with_capacity(table.len());
    let mut parts = Vec::with_capacity(table.len());
    for (name, item) in table.iter() {
        let key = table.key(name).and_then(Key::span);
        let Some((value, place)) = item_of(item, key) else { continue };
        values.insert(name.to_owned(), value);
        parts.push(place);
    }
    (Value::Table(values), Place { origin: 0, key, span, form, parts })
}

fn inline(table: &InlineTable, key: Option<Range<usize>>) -> (Value, Place) {
    let form = if table.is_dotted() { Form::InlineDotted } else { Form::Inline };
    let span = table.span().or_else(|| key.clone()).unwrap_or(0..0);
    let mut values = value::Table::with_capacity(table.len());
    let mut parts = Vec::with_capacity(table.len());
    for (name, item) in table.iter() {
        let (value, place) = plain(item, table.key(name).and_then(Key::span));
        values.insert(name.to_owned(), value);
        parts.push(place);
    }
    (Value::Table(values), Place { origin: 0, key, span, form, parts })
}

fn item_of(item: &Item, key: Option<Range<usize>>) -> Option<(Value, Place)> {
    Some(match item {
        Item::None => return None,
        Item::Value(value) => plain(value, key),
        Item::Table(inner) => {
            let form = match (inner.is_dotted(), inner.is_implicit()) {
                (true, _) => Form::Dotted,
                (false, true) => Form::Implied,
                (false, false) => Form::Headed,
            };
            table(inner, key, form)
        }
        Item::ArrayOfTables(list) => {
            let (items, parts) = list.iter().map(|item| table(item, None, Form::Headed)).unzip();
            let span = list.span().or_else(|| key.clone()).unwrap_or(0..0);
            (Value::Array(items), Place { origin: 0, key, span, form: Form::Repeated, parts })
        }
    })
}

fn plain(value: &toml_edit::Value, key: Option<Range<usize>>) -> (Value, Place) {
    let span = value.span().unwrap_or(0..0);
    let mut place = Place { origin: 0, key, span, form: Form::Plain, parts: Vec::new() };
    let value = match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::Int(*number.value()),
        toml_edit::Value::Float(number) => Value::Float(*number.value()),
        toml_edit::Value::Boolean(switch) => Value::Bool(*switch.value()),
        toml_edit::Value::Datetime(date) => {
            place.form = Form::Date;
            Value::String(date.value().to_string())
        }
        toml_edit::Value::Array(list) => {
            place.form = Form::List;
            let (items, parts) = list.iter().map(|item| plain(item, None)).unzip();
            place.parts = parts;
            Value::Array(items)
        }
        toml_edit::Value::InlineTable(table) => return inline(table, place.key),
    };
    (value, place)
}

/// The parser's words for what is wrong, made plain where they are terse.
pub(super) fn describe(text: &str, bytes: &Range<usize>, message: &str) -> String {
    let met = text.get(bytes.clone()).unwrap_or_default();
    match message {
        "duplicate key" => format!("“{}” is there already; a key may stand once", short(met)),
        "string values must be quoted, expected literal string" => {
            format!("text stands in quotation marks: \"{}\"", short(met))
        }
        "recursion limit" => "keys and brackets are nested too deeply here".to_owned(),
        _ if met.is_empty() || met.contains('\n') => message.to_owned(),
        _ => format!("{message} at “{}”", short(met)),
    }
}

fn short(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

//! A transaction as TOML, and back.

use std::fmt::Write as _;

use jiff::Timestamp;
use setpoint_bench::{Clash, Document, KeyPath, Value, value::Table};

use super::{EditRecord, TransactionRecord};

const REMARK: &str = "\
# Changes that are staged and not yet in effect. Setpoint keeps this file; deleting it discards them.
# `base` is the value that the key had when the edit was staged, `value` the one asked for.
# Without `base` the key was not there; without `value` it is removed.
";

/// The whole text of a file.
pub(super) fn write(record: &TransactionRecord) -> String {
    let mut text = REMARK.to_owned();
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    let words = |words: &str| Value::from(words);
    line("id", &words(&record.id));
    line("opened", &record.opened);
    line("touched", &record.touched);
    line("origin", &words(&record.origin));
    line("author", &words(&record.author));
    line("message", &words(&record.message));
    line("base", &words(&record.base));
    line("draft", &record.draft);
    line("begun", &record.begun);
    for edit in &record.edits {
        text.push_str("\n[[edits]]\n");
        for (key, value) in &fields(edit) {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

fn fields(edit: &EditRecord) -> Table {
    let mut fields = Table::new();
    fields.insert("path", edit.path.to_string().into());
    put(&mut fields, "base", edit.base.as_ref());
    put(&mut fields, "value", edit.value.as_ref());
    if let Some(clash) = &edit.clash {
        let mut table = Table::new();
        table.insert("path", clash.path.to_string().into());
        put(&mut table, "base", clash.base.as_ref());
        put(&mut table, "file", clash.file.as_ref());
        put(&mut table, "mine", clash.mine.as_ref());
        if let Some(renamed) = &clash.renamed {
            table.insert("renamed", renamed.to_string().into());
        }
        fields.insert("clash", Value::Table(table));
    }
    fields
}

fn put(table: &mut Table, key: &str, value: Option<&Value>) {
    if let Some(value) = value {
        table.insert(key, value.clone());
    }
}

/// The transaction in a text.
///
/// # Errors
/// What is wrong with it, in words. Keys that are not known are passed over: a later version may
/// have written them.
pub(super) fn read(text: &str) -> Result<TransactionRecord, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let mut top = Fields::of(document.into_values(), "the file")?;
    let id = top.words("id")?;
    let opened = top.time("opened")?;
    let touched = top.time("touched")?;
    let origin = top.words("origin")?;
    let author = top.words("author")?;
    let message = top.words("message")?;
    let base = top.words("base")?;
    let (draft, begun) = (top.flag("draft")?, top.flag("begun")?);
    let edits = match top.0.shift_remove("edits") {
        None => Vec::new(),
        Some(Value::Array(edits)) => edits.into_iter().map(edit).collect::<Result<_, _>>()?,
        Some(other) => return Err(format!("edits is a {}", other.type_name())),
    };
    Ok(TransactionRecord {
        id,
        opened,
        touched,
        origin,
        author,
        message,
        base,
        draft,
        begun,
        edits,
    })
}

fn edit(value: Value) -> Result<EditRecord, String> {
    let mut fields = Fields::of(value, "one of edits")?;
    let path = fields.path("path")?;
    let clash = fields.0.shift_remove("clash");
    Ok(EditRecord {
        path,
        base: fields.0.shift_remove("base"),
        value: fields.0.shift_remove("value"),
        clash: clash.map(read_clash).transpose()?,
    })
}

fn read_clash(value: Value) -> Result<Clash, String> {
    let mut fields = Fields::of(value, "clash")?;
    let renamed = fields.0.contains_key("renamed").then(|| fields.path("renamed")).transpose()?;
    Ok(Clash {
        path: fields.path("path")?,
        base: fields.0.shift_remove("base"),
        file: fields.0.shift_remove("file"),
        mine: fields.0.shift_remove("mine"),
        renamed,
    })
}

/// The keys of a table, taken one by one.
struct Fields(Table);

impl Fields {
    fn of(value: Value, what: &str) -> Result<Self, String> {
        match value {
            Value::Table(table) => Ok(Self(table)),
            other => Err(format!("{what} is a {}", other.type_name())),
        }
    }

    fn any(&mut self, key: &str) -> Result<Value, String> {
        self.0.shift_remove(key).ok_or_else(|| format!("{key} is missing"))
    }

    fn words(&mut self, key: &str) -> Result<String, String> {
        match self.any(key)? {
            Value::String(words) => Ok(words),
            other => Err(format!("{key} is a {}", other.type_name())),
        }
    }

    fn flag(&mut self, key: &str) -> Result<bool, String> {
        match self.any(key)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(format!("{key} is a {}", other.type_name())),
        }
    }

    fn time(&mut self, key: &str) -> Result<Timestamp, String> {
        self.words(key)?.parse().map_err(|error| format!("{key}: {error}"))
    }

    fn path(&mut self, key: &str) -> Result<KeyPath, String> {
        self.words(key)?.parse().map_err(|error| format!("{key}: {error}"))
    }
}

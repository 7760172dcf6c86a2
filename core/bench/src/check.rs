//! Deciding whether a bench file may run.
//!
//! Codes of findings, all of them:
//!
//! | about | codes |
//! |---|---|
//! | the text as a whole | `syntax`, `empty`, `not_utf8`, `too_large`, `too_many` (findings that are not listed) |
//! | keys | `unknown_key`, `missing_key`, `bad_name`, `duplicate_key` |
//! | values | `wrong_type`, `out_of_range`, `not_a_choice`, `bad_value`, `bad_address`, `unsupported`, `hidden_character` |
//! | instruments | `unknown_type`, `unknown_parameter`, `read_only`, `limit_widens`, `duplicate_address`, `hazard`, `poll_too_fast` |
//! | sources | `duplicate_mount_point`, `data_rate` |
//! | modules | `bad_expression`, `unknown_role`, `unknown_target`, `ambiguous_target`, `wrong_kind`, `disabled_target`, `dependency_circle`, `outside_folder` |
//! | safety | `open_to_all`, `simulated`, `plain_secret` |
//! | things that do nothing | `no_effect`, `unused`, `duplicate_label` |
//!
//! One component is looked at by itself ([`component()`]), and the bench from what each component
//! tells of itself ([`whole()`]); an untouched component has not to be looked at again.

mod allowed;
mod build;
mod component;
mod drivers;
mod facts;
mod findings;
mod hidden;
mod instruments;
mod layered;
mod leaves;
mod lines;
mod modules;
mod plain;
mod sources;
mod walk;
mod whole;
pub(crate) mod words;

use crate::{
    catalogue::Catalogue,
    diagnostic::{Diagnostic, Severity, Span},
    document::{self, Document},
    model::Bench,
    value::{Table, Value},
};

pub(crate) use allowed::allowed;
pub use component::{Built, Checked, Context, Name, component, components};
pub use drivers::{Driver, Drivers};
pub use facts::{At, Claim, Deed, Facts, Module, Role, Secret, Server, Use};
pub use findings::{Finding, Findings};
pub(crate) use findings::{MOST, Problem};
pub(crate) use layered::{LayerText, check_layers};
pub use whole::{Between, whole};
pub(crate) use words::{nearest, quoted};

/// What reading a text came to.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The typed bench; `None` if there is an error among the findings.
    pub bench: Option<Bench>,
    /// The values as written, top table; empty if the text is not TOML.
    pub values: Value,
    /// All findings, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a whole text. `file` is the name that findings carry.
pub fn read(file: &str, text: &str, catalogue: &dyn Catalogue) -> Reading {
    match parse(file, text) {
        Ok(document) => check(file, document, catalogue),
        Err(refused) => *refused,
    }
}

/// The first half of [`read`]: a text to what it holds, as far as it is TOML.
///
/// # Errors
/// What [`read`] answers for a text that is too large or empty.
pub fn parse(file: &str, text: &str) -> Result<Document, Box<Reading>> {
    if text.len() > document::LONGEST {
        let message = document::too_long(text.len());
        return Err(refused(file, "too_large", message, Default::default()));
    }
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(Box::new(empty(file)));
    }
    Ok(Document::recover(text))
}

/// What reading an empty file comes to.
pub(crate) fn empty(file: &str) -> Reading {
    let message = "the file is empty; if that is meant, write `format = 1` into it";
    *refused(file, "empty", message.to_owned(), Default::default())
}

/// The second half of [`read`]: what a text holds to what it means.
pub fn check(file: &str, document: Document, catalogue: &dyn Catalogue) -> Reading {
    let mut drivers = Drivers::default();
    let text = document.text();
    let mut context =
        Context { catalogue, drivers: &mut drivers, texts: &|_| text, layered: false };
    let checked: Vec<(Name<'_>, Checked)> = components(document.values(), document.root())
        .map(|(name, value, place)| (name, component(name, value, place, &mut context)))
        .collect();
    let broken = !document.errors().is_empty();
    let environment = environment(document.values());
    let between = whole(environment, checked.iter().map(|(name, checked)| (*name, &checked.facts)));
    let built = checked.iter().filter_map(|(name, one)| Some((*name, one.built.as_ref()?)));
    let bench = assemble(file, built);
    let mut findings = Findings::default();
    document.errors().iter().for_each(|error| findings.add(Finding::syntax(0, error)));
    checked.into_iter().for_each(|(_, one)| findings.append(one.findings));
    findings.append_between(between);
    hidden_characters(0, text, &mut findings);
    if broken {
        findings.leave_out_what_may_be_there();
    }
    let bench = bench.filter(|_| !findings.any_error());
    let diagnostics = findings.finish(&[(file, text)]);
    // Part of a file would look as if the rest had been removed.
    let values = if broken { Value::Table(Table::new()) } else { document.into_values() };
    Reading { bench, values, diagnostics }
}

/// Warns of characters that nobody sees in a text's comments and keys, after `findings` has all
/// that its values gave.
pub fn hidden_characters(origin: u16, text: &str, findings: &mut Findings) {
    hidden::outside_values(origin, text, findings);
}

/// `[bench] environment` of a file's values, or what holds where there is none.
pub fn environment(values: &Value) -> &str {
    let bench = values.as_table().and_then(|top| top.get("bench")).and_then(Value::as_table);
    bench
        .and_then(|bench| bench.get("environment"))
        .and_then(Value::as_str)
        .unwrap_or("development")
}

/// The typed bench of components without errors, in file order; `file` names it where `[bench]`
/// does not.
pub fn assemble<'b>(
    file: &str,
    parts: impl Iterator<Item = (Name<'b>, &'b Built)>,
) -> Option<Bench> {
    build::bench(file, parts)
}

/// What reading a file comes to that is not UTF-8: it has no text to check. `line` and `column` are
/// those of the first bad byte, from 1.
pub fn not_utf8(file: &str, line: usize, column: usize) -> Reading {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (line, column) = (number(line), number(column));
    let span = Span { line, column, end_line: line, end_column: column.saturating_add(1) };
    let message = "this is not UTF-8 text; save the file in the encoding UTF-8";
    *refused(file, "not_utf8", message.to_owned(), span)
}

fn refused(file: &str, code: &str, message: String, span: Span) -> Box<Reading> {
    let finding = Diagnostic {
        severity: Severity::Error,
        code: code.to_owned(),
        path: String::new(),
        message,
        file: file.to_owned(),
        span,
        suggestion: None,
    };
    let values = Value::Table(Table::new());
    Box::new(Reading { bench: None, values, diagnostics: vec![finding] })
}

/// One line about all findings: `2 errors, 1 warning: address takes … (bench.toml:29:15)`, with
/// the first of the worst. Empty if there are none.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let counts = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Info, "remark", "remarks"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter_map(|(severity, one, many)| {
            match diagnostics.iter().filter(|it| it.severity == severity).count() {
                0 => None,
                1 => Some(format!("1 {one}")),
                count => Some(format!("{count} {many}")),
            }
        })
        .collect();
    let worst = diagnostics.iter().map(|it| it.severity).max();
    let first = diagnostics.iter().find(|it| Some(it.severity) == worst);
    first.map_or_else(String::new, |first| {
        let counts = counts.join(", ");
        let Diagnostic { message, file, span, .. } = first;
        format!("{counts}: {message} ({file}:{}:{})", span.line, span.column)
    })
}

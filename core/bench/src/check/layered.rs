//! Checking values that come from several texts.
//!
//! The walk knows one text. So all texts are put behind each other and every place is moved to
//! where it stands in that; findings are taken apart again.

use std::ops::Range;

use super::{
    Reading, build,
    findings::{Finding, Findings},
    walk,
};
use crate::{
    catalogue::Catalogue,
    diagnostic::{Diagnostic, Severity},
    document::{Document, Place},
    layers::LayerFinding,
    value::Value,
};

/// Checks values put together from `texts` (names and texts by origin) and reports what was found
/// with them and before, by text and place. `review` may change or drop findings; it is told the
/// text and the bytes of each.
pub(crate) fn check_layers(
    file: &str,
    texts: &[(&str, &str)],
    values: Value,
    root: &Place,
    before: Vec<LayerFinding>,
    catalogue: &dyn Catalogue,
    review: impl FnOnce(&mut Vec<(u16, Range<usize>, Diagnostic)>),
) -> Reading {
    let mut starts = Vec::with_capacity(texts.len());
    let mut all = String::with_capacity(texts.iter().map(|(_, text)| text.len() + 1).sum());
    for (_, text) in texts {
        starts.push(all.len());
        all.push_str(text);
        all.push('\n');
    }
    let start_of = |origin: u16| starts.get(usize::from(origin)).copied().unwrap_or(0);
    let moved = |bytes: Range<usize>, start: usize| start + bytes.start..start + bytes.end;
    let root = shifted(root, &|origin| start_of(origin));
    let mut findings: Findings = walk::check(&values, &root, &all, true, catalogue);
    for finding in before {
        let (origin, bytes, severity, path, problem) = finding.into_parts();
        findings.add(Finding { bytes: moved(bytes, start_of(origin)), severity, path, problem });
    }
    let any_error = findings.any_error();
    let mut placed: Vec<(u16, Range<usize>, Diagnostic)> = Vec::new();
    let mut spans: Vec<Option<crate::document::Cursor<'_>>> = texts.iter().map(|_| None).collect();
    for finding in findings.sorted(all.len()) {
        let index = starts.partition_point(|start| *start <= finding.bytes.start).saturating_sub(1);
        let (name, text) = texts.get(index).copied().unwrap_or_default();
        let start = starts.get(index).copied().unwrap_or(0);
        let local = |at: usize| at.saturating_sub(start).min(text.len());
        let bytes = local(finding.bytes.start)..local(finding.bytes.end);
        let Some(cursor) = spans.get_mut(index) else { continue };
        let cursor = cursor.get_or_insert_with(|| crate::document::Cursor::new(text));
        let diagnostic = Diagnostic {
            severity: finding.severity,
            code: finding.problem.code.to_owned(),
            path: finding.path,
            message: finding.problem.message,
            file: name.to_owned(),
            span: cursor.span(bytes.clone()),
            suggestion: finding.problem.suggestion,
        };
        placed.push((u16::try_from(index).unwrap_or(u16::MAX), bytes, diagnostic));
    }
    review(&mut placed);
    let diagnostics: Vec<Diagnostic> = placed.into_iter().map(|(_, _, finding)| finding).collect();
    let wrong = any_error || diagnostics.iter().any(|it| it.severity == Severity::Error);
    let bench = (!wrong).then(|| build::bench(file, &values)).flatten();
    Reading { bench, values, diagnostics }
}

/// Checks one text that needs nothing of other files.
pub(crate) fn check_alone(
    file: &str,
    text: &str,
    values: Value,
    root: &Place,
    catalogue: &dyn Catalogue,
) -> Reading {
    let findings = walk::check(&values, root, text, true, catalogue);
    let bench = (!findings.any_error()).then(|| build::bench(file, &values)).flatten();
    let diagnostics = findings.finish(file, text);
    Reading { bench, values, diagnostics }
}

/// A document by itself: what it wants of other files and of the environment is an error.
pub(super) fn check_document(file: &str, document: Document, catalogue: &dyn Catalogue) -> Reading {
    let findings =
        walk::check(document.values(), document.root(), document.text(), false, catalogue);
    let bench = (!findings.any_error()).then(|| build::bench(file, document.values())).flatten();
    let diagnostics = findings.finish(file, document.text());
    Reading { bench, values: document.into_values(), diagnostics }
}

fn shifted(place: &Place, start: &dyn Fn(u16) -> usize) -> Place {
    let by = start(place.origin);
    let moved = |bytes: &Range<usize>| bytes.start + by..bytes.end + by;
    Place {
        origin: place.origin,
        key: place.key.as_ref().map(moved),
        span: moved(&place.span),
        form: place.form,
        parts: place.parts.iter().map(|part| shifted(part, start)).collect(),
    }
}

//! Checking values that come from several texts.

use super::{
    Checked, Context, Drivers, Finding, Findings, Name, Reading, assemble, component, components,
    environment, hidden_characters, whole,
};
use crate::{catalogue::Catalogue, document::Place, value::Value};

/// One of the texts that values come from.
pub(crate) struct LayerText<'t> {
    /// As findings name it.
    pub(crate) name: &'t str,
    pub(crate) text: &'t str,
    /// Whether people write it into a file of the bench: what a variable says is nothing that
    /// stands there.
    pub(crate) is_file: bool,
}

/// Checks values put together from `texts`, by origin, and reports what was found
/// with them and before, by text and place. `review` may change a finding, and tells whether it
/// stays. `incomplete`: a text is missing, or a part of it.
pub(crate) fn check_layers(
    file: &str,
    texts: &[LayerText<'_>],
    (values, root): (&Value, &Place),
    before: Vec<Finding>,
    incomplete: bool,
    catalogue: &dyn Catalogue,
    review: impl FnMut(&mut Finding) -> bool,
) -> Reading {
    let mut drivers = Drivers::default();
    let text_of = |origin: u16| {
        let text = texts.get(usize::from(origin)).filter(|text| text.is_file);
        text.map_or("", |text| text.text)
    };
    let mut context = Context { catalogue, drivers: &mut drivers, texts: &text_of, layered: true };
    let checked: Vec<(Name<'_>, Checked)> = components(values, root)
        .map(|(name, value, place)| (name, component(name, value, place, &mut context)))
        .collect();
    let between =
        whole(environment(values), checked.iter().map(|(name, checked)| (*name, &checked.facts)));
    let built = checked.iter().filter_map(|(name, one)| Some((*name, one.built.as_ref()?)));
    let bench = assemble(file, built);
    let mut findings = Findings::default();
    before.into_iter().for_each(|finding| findings.add(finding));
    checked.into_iter().for_each(|(_, one)| findings.append(one.findings));
    findings.append_between(between);
    for (origin, text) in texts.iter().enumerate().filter(|(_, text)| text.is_file) {
        hidden_characters(u16::try_from(origin).unwrap_or(u16::MAX), text.text, &mut findings);
    }
    findings.retain(review);
    if incomplete {
        findings.leave_out_what_may_be_there();
    }
    let bench = bench.filter(|_| !findings.any_error() && !incomplete);
    let names: Vec<(&str, &str)> = texts.iter().map(|it| (it.name, it.text)).collect();
    let diagnostics = findings.finish(&names);
    // Part of a bench would look as if the rest had been removed.
    let values = if incomplete { Value::Table(Default::default()) } else { values.clone() };
    Reading { bench, values, diagnostics }
}

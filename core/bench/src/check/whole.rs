//! What can only be told from all components together.

use std::collections::HashMap;

use super::{
    component::Name,
    facts::{Claim, Facts},
    findings::Finding,
};
use crate::diagnostic::Severity;

/// What is wrong between components, given in file order: the number of a component and what is
/// found in it. Names and facts are borrowed; one pass over them, no values are read.
pub fn whole<'f>(
    parts: impl Iterator<Item = (Name<'f>, &'f Facts)> + Clone,
) -> Vec<(usize, Finding)> {
    let mut found = Vec::new();
    let mut lines = HashMap::new();
    let mut mount_points = HashMap::new();
    for (index, (name, facts)) in parts.enumerate() {
        if let Some(claim) = &facts.line
            && let Some(other) = taken(&mut lines, claim, name)
        {
            let message = format!(
                "instrument “{other}” is at {} already; give one of them another address or \
                 `enabled = false`",
                claim.text
            );
            found.push((index, error(name, "address", claim, "duplicate_address", message)));
        }
        if let Some(claim) = &facts.mount_point
            && let Some(other) = taken(&mut mount_points, claim, name)
        {
            let message = format!("source “{other}” is served at {} already", claim.text);
            found.push((index, error(name, "rtsp", claim, "duplicate_mount_point", message)));
        }
    }
    found
}

/// Who has it already; from now on this one, if nobody has.
fn taken<'f>(
    all: &mut HashMap<&'f str, &'f str>,
    claim: &'f Claim,
    name: Name<'f>,
) -> Option<&'f str> {
    let id = name.id.unwrap_or_default();
    match all.entry(claim.key()) {
        std::collections::hash_map::Entry::Occupied(other) => Some(other.get()),
        std::collections::hash_map::Entry::Vacant(free) => {
            free.insert(id);
            None
        }
    }
}

fn error(name: Name<'_>, key: &str, claim: &Claim, code: &'static str, message: String) -> Finding {
    Finding {
        origin: claim.at.origin,
        bytes: claim.at.bytes(),
        severity: Severity::Error,
        code,
        path: name.path().child(key).to_string(),
        message,
        suggestion: None,
    }
}

//! What can only be told from all components together.

mod circles;
mod roles;
mod safety;

use std::collections::{HashMap, HashSet, hash_map::Entry};

use foldhash::fast::RandomState;

use super::{
    component::Name,
    facts::{At, Claim, Facts},
    findings::{Finding, MOST, Problem},
};
use crate::diagnostic::Severity;

/// What is wrong between components, given in file order. `environment` is the one the bench runs in.
/// Names and facts are borrowed; no values
/// are read, and each component is passed once or twice.
pub fn whole<'f>(environment: &str, parts: impl Iterator<Item = (Name<'f>, &'f Facts)>) -> Between {
    let parts: Vec<(Name<'f>, &'f Facts)> = parts.collect();
    let mut found = Between::default();
    taken(&parts, &mut found);
    templates(&parts, &mut found);
    safety::check(environment, &parts, &mut found);
    if parts.iter().any(|(_, facts)| facts.module.is_some()) {
        let names = roles::Names::new(&parts);
        roles::check(&parts, &names, &mut found);
        circles::check(&parts, &names, &mut found);
    }
    found
}

/// All components, in file order.
type Parts<'f> = [(Name<'f>, &'f Facts)];

/// What was found between components.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Between {
    /// Numbers of components, and what was found in them.
    pub list: Vec<(usize, Finding)>,
    /// How many more there are: ten thousand are listed.
    pub left_out: usize,
    /// Whether there is an error among them, listed or not.
    pub errors: bool,
}

impl Between {
    fn add(
        &mut self,
        (index, path): (usize, String),
        severity: Severity,
        at: At,
        problem: Problem,
    ) {
        self.errors |= severity == Severity::Error;
        if self.list.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let Problem { code, message, suggestion } = problem;
        let (origin, bytes) = (at.origin, at.bytes());
        let finding = Finding { origin, bytes, severity, code, path, message, suggestion };
        self.list.push((index, finding));
    }
}

/// Texts that only one component may have.
fn taken(parts: &Parts<'_>, found: &mut Between) {
    let mut lines = Taken::new(parts, |facts| facts.line.as_ref());
    let mut mount_points = Taken::new(parts, |facts| facts.mount_point.as_deref());
    let mut labels = Taken::new(parts, |facts| facts.label.as_ref());
    for (index, (name, facts)) in parts.iter().enumerate() {
        let about = |key: &str| (index, name.path().child(key).to_string());
        if let Some((claim, other, written)) = lines.hold(index, facts) {
            let id = other.id.unwrap_or_default();
            let alike = written.eq_ignore_ascii_case(&claim.text);
            let spelling = if alike { String::new() } else { format!(", written {written}") };
            let message = format!(
                "instrument “{id}” is at {} already{spelling}; give one of them another address \
                 or `enabled = false`",
                claim.text
            );
            let problem = Problem::new("duplicate_address", message);
            found.add(about("address"), Severity::Error, claim.at, problem);
        }
        if let Some((claim, other, _)) = mount_points.hold(index, facts) {
            let id = other.id.unwrap_or_default();
            let message = format!("source “{id}” is served at {} already", claim.text);
            let problem = Problem::new("duplicate_mount_point", message);
            found.add(about("rtsp"), Severity::Error, claim.at, problem);
        }
        if let Some((claim, other, _)) = labels.hold(index, facts) {
            let message = format!(
                "{} has the label {} too: people cannot tell them apart",
                other.path(),
                super::quoted(&claim.text)
            );
            let problem = Problem::new("duplicate_label", message);
            found.add(about("label"), Severity::Warning, claim.at, problem);
        }
    }
}

/// Who has which text of one sort. Texts are looked at only where their hashes are the same.
struct Taken<'p, 'f> {
    parts: &'p Parts<'f>,
    of: fn(&'f Facts) -> Option<&'f Claim>,
    holders: HashMap<u64, usize, RandomState>,
}

impl<'p, 'f> Taken<'p, 'f> {
    fn new(parts: &'p Parts<'f>, of: fn(&'f Facts) -> Option<&'f Claim>) -> Self {
        let count = parts.iter().filter(|(_, facts)| of(facts).is_some()).count();
        let holders = HashMap::with_capacity_and_hasher(count, RandomState::default());
        Self { parts, of, holders }
    }

    /// The claim of a component whose text another has already, that other, and how the text is
    /// written there. Where nobody has it, this component has it from now on.
    fn hold(&mut self, index: usize, facts: &'f Facts) -> Option<(&'f Claim, Name<'f>, &'f str)> {
        let claim = (self.of)(facts)?;
        let holder = match self.holders.entry(claim.hash()) {
            Entry::Occupied(holder) => *holder.get(),
            Entry::Vacant(free) => {
                free.insert(index);
                return None;
            }
        };
        let (name, facts) = self.parts.get(holder)?;
        let other = (self.of)(facts)?;
        (other.key() == claim.key()).then_some((claim, *name, &*other.text))
    }
}

/// Templates that nothing begins with.
fn templates(parts: &Parts<'_>, found: &mut Between) {
    let templates = |name: &Name<'_>| name.top == "templates" && name.id.is_some();
    if !parts.iter().any(|(name, _)| templates(name)) {
        return;
    }
    let used = parts.iter().filter_map(|(_, facts)| facts.template.as_deref());
    let used: HashSet<&str> = used.map(|template| &*template.text).collect();
    for (index, (name, facts)) in parts.iter().enumerate().filter(|(_, (name, _))| templates(name))
    {
        let id = name.id.unwrap_or_default();
        if !used.contains(id) {
            let message = format!("no component begins with template {id}: nothing comes of it");
            let about = (index, name.path().to_string());
            found.add(about, Severity::Warning, facts.head, Problem::new("unused", message));
        }
    }
}

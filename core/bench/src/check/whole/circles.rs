//! Modules that wait for each other.

use super::{Between, Parts, roles::Names};
use crate::{
    check::{facts::Claim, findings::Problem},
    diagnostic::Severity,
};

/// Longer circles are not spelled out whole.
const SPELLED: usize = 8;

/// What a search knows of a component.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Never,
    /// On the way that is being followed, at this place of it.
    Here(usize),
    Done,
}

/// One step of the way: a component and which of its targets comes next.
struct Step<'f> {
    index: usize,
    targets: Vec<(&'f str, &'f Claim, usize)>,
    next: usize,
}

/// One finding for each target that closes a circle. No recursion: a chain may be of any length.
pub(super) fn check<'f>(parts: &Parts<'f>, names: &Names<'f>, found: &mut Between) {
    let mut seen = vec![Seen::Never; parts.len()];
    for start in 0..parts.len() {
        if seen.get(start) != Some(&Seen::Never) {
            continue;
        }
        let mut way = vec![step(parts, names, start)];
        mark(&mut seen, start, Seen::Here(0));
        while let Some(here) = way.last_mut() {
            let Some(&(role, claim, target)) = here.targets.get(here.next) else {
                mark(&mut seen, here.index, Seen::Done);
                way.pop();
                continue;
            };
            here.next += 1;
            let from = here.index;
            match seen.get(target).copied().unwrap_or(Seen::Done) {
                Seen::Done => {}
                Seen::Never => {
                    mark(&mut seen, target, Seen::Here(way.len()));
                    way.push(step(parts, names, target));
                }
                Seen::Here(begin) => {
                    let circle = way.get(begin..).unwrap_or_default();
                    let message = format!(
                        "modules wait for each other in a circle: {}",
                        spell(parts, circle, target)
                    );
                    let path = parts
                        .get(from)
                        .map(|(name, _)| name.path().child("roles").child(role).to_string());
                    let about = (from, path.unwrap_or_default());
                    found.add(
                        about,
                        Severity::Error,
                        claim.at,
                        Problem::new("dependency_circle", message),
                    );
                }
            }
        }
    }
}

fn mark(seen: &mut [Seen], index: usize, mark: Seen) {
    if let Some(place) = seen.get_mut(index) {
        *place = mark;
    }
}

/// The modules that a component waits for.
fn step<'f>(parts: &Parts<'f>, names: &Names<'f>, index: usize) -> Step<'f> {
    let module = parts.get(index).and_then(|(_, facts)| facts.module.as_deref());
    let roles = module.map(|module| module.roles.as_slice()).unwrap_or_default();
    let claims = roles.iter().flat_map(|role| role.targets.iter().map(|it| (&*role.name, it)));
    let targets = claims.filter_map(|(role, claim)| {
        // A name that several have is told of already.
        let [only] = names.find(parts, &claim.text)[..] else { return None };
        let (name, _) = parts.get(only)?;
        (name.top == "modules").then_some((role, claim, only))
    });
    Step { index, targets: targets.collect(), next: 0 }
}

/// `a → b → a`
fn spell(parts: &Parts<'_>, circle: &[Step<'_>], target: usize) -> String {
    let name = |index: usize| parts.get(index).and_then(|(name, _)| name.id).unwrap_or_default();
    let mut names: Vec<String> =
        circle.iter().take(SPELLED).map(|step| name(step.index).to_owned()).collect();
    if let Some(more) = circle.len().checked_sub(SPELLED).filter(|more| *more > 0) {
        names.push(format!("… ({more} more)"));
    }
    names.push(name(target).to_owned());
    names.join(" → ")
}

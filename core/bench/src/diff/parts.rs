//! Where in a bench changes are: for events, which are looked for by path.

use super::{Change, ChangeKind, is_component};
use crate::{path::KeyPath, value::Value};

/// So many parts of one change are told one by one.
pub const MOST_PARTS: usize = 50;
/// So many keys of a part are named.
const NAMED: usize = 3;

/// What is told of one part of a bench where a change touches several.
#[derive(Debug, Clone, PartialEq)]
pub struct PartChange {
    /// The part: `instruments.psu`, `runtime`.
    pub path: KeyPath,
    /// `r2 changed psu: ch1.voltage 3.3 → 3.45`, without secrets.
    pub message: String,
    /// What changed in it; nothing where this stands for parts that are not told one by one.
    pub changes: Vec<Change>,
}

/// The longest path at or below which all of these lie; empty where there is none, and of none.
pub fn common_path<'a>(paths: impl IntoIterator<Item = &'a KeyPath>) -> KeyPath {
    let mut paths = paths.into_iter().map(KeyPath::names);
    let Some(first) = paths.next() else { return KeyPath::default() };
    let shared = paths.fold(first, |shared, names| {
        let same = shared.iter().zip(names).take_while(|(one, other)| one == other).count();
        shared.get(..same).unwrap_or_default()
    });
    KeyPath::new(shared)
}

/// The part of a bench that a key belongs to: its instrument, source, module or template, or the
/// table at the top of the file.
pub fn part_of(path: &KeyPath) -> KeyPath {
    let names = path.names();
    let component = (1..=names.len()).find_map(|end| names.get(..end).filter(|n| is_component(n)));
    KeyPath::new(component.or(names.get(..1)).unwrap_or_default())
}

/// Things by the part that their path lies in, in the order in which the parts come up. Nothing
/// where one part has them all: then their common path leads to it.
pub fn by_part<'a, T>(all: impl IntoIterator<Item = (&'a KeyPath, T)>) -> Vec<(KeyPath, Vec<T>)> {
    let mut parts: indexmap::IndexMap<KeyPath, Vec<T>> = indexmap::IndexMap::new();
    for (path, one) in all {
        parts.entry(part_of(path)).or_default().push(one);
    }
    if parts.len() > 1 { parts.into_iter().collect() } else { Vec::new() }
}

/// What there is to tell of each part that a revision changed, the first [`MOST_PARTS`] one by one.
/// Nothing where it changed one part only.
pub fn part_changes(revision: &str, changes: &[Change]) -> Vec<PartChange> {
    let mut parts = by_part(changes.iter().map(|change| (&change.path, change)));
    let left = parts.split_off(parts.len().min(MOST_PARTS));
    let mut told: Vec<PartChange> = parts
        .into_iter()
        .map(|(path, changes)| PartChange {
            message: format!("{revision} {}", said(&path, &changes)),
            changes: changes.into_iter().cloned().collect(),
            path,
        })
        .collect();
    if !left.is_empty() {
        let message = format!("{revision} changed {} more parts of the bench", left.len());
        let path = common_path(left.iter().map(|(path, _)| path));
        told.push(PartChange { path, message, changes: Vec::new() });
    }
    told
}

/// `changed psu: ch1.voltage 3.3 → 3.45, ch1.current_limit 0.5 → 0.6`, `added psu`
fn said(part: &KeyPath, changes: &[&Change]) -> String {
    let name = part_name(part);
    match changes {
        [one] if one.path == *part => match one.kind {
            ChangeKind::Added => format!("added {name}"),
            ChangeKind::Removed => format!("removed {name}"),
            ChangeKind::Changed => format!("changed {}", one.said(&name)),
        },
        changes => {
            let below = part.names().len();
            let named = changes.iter().take(NAMED).map(|change| {
                let rest = KeyPath::new(change.path.names().get(below..).unwrap_or_default());
                let rest = rest.to_string();
                change.said(rest.strip_prefix("set.").unwrap_or(&rest))
            });
            let mut words = named.collect::<Vec<_>>().join(", ");
            if let more @ 1.. = changes.len().saturating_sub(NAMED) {
                words.push_str(&format!(" and {more} more"));
            }
            format!("changed {name}: {words}")
        }
    }
}

/// How a part is called where it is clear that it is one: `psu` for `instruments.psu`.
pub fn part_name(part: &KeyPath) -> String {
    match part.names() {
        [top, name] if matches!(&**top, "instruments" | "sources" | "modules") => {
            KeyPath::new([name.as_str()]).to_string()
        }
        _ => part.to_string(),
    }
}

impl Change {
    /// The change in few words, its key under a name: `ch1.voltage 3.3 → 3.45`. Long values are
    /// left out, secret ones are dots.
    pub fn said(&self, name: &str) -> String {
        let shown = self.shown();
        let plain = |value: &Option<Value>| match value {
            Some(Value::Table(_)) | None => None,
            // Long ones would bury what matters, here and in every list.
            Some(value) => Some(value.to_string()).filter(|text| text.len() <= 60),
        };
        match (self.kind, plain(&shown.old), plain(&shown.new)) {
            (ChangeKind::Changed, Some(old), Some(new)) => format!("{name} {old} → {new}"),
            (ChangeKind::Added, _, Some(new)) => format!("{name} = {new} added"),
            (ChangeKind::Added, ..) => format!("{name} added"),
            (ChangeKind::Removed, ..) => format!("{name} removed"),
            (ChangeKind::Changed, ..) => format!("{name} changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Effect;

    fn change(path: &str, old: Option<Value>, new: Option<Value>) -> Change {
        let kind = match (&old, &new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        Change { kind, path: path.parse().unwrap(), old, new, effect: Effect::Live }
    }

    fn told(changes: &[Change]) -> Vec<(String, String)> {
        let parts = part_changes("r2", changes).into_iter();
        parts.map(|part| (part.path.to_string(), part.message)).collect()
    }

    #[test]
    fn the_common_path_ends_where_the_keys_part() {
        let common = |paths: &[&str]| {
            let paths: Vec<KeyPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
            common_path(&paths).to_string()
        };
        assert_eq!(common(&[]), "");
        assert_eq!(common(&["instruments.psu.set.ch1.voltage"]), "instruments.psu.set.ch1.voltage");
        let channel = ["instruments.psu.set.ch1.voltage", "instruments.psu.set.ch1.current_limit"];
        assert_eq!(common(&channel), "instruments.psu.set.ch1");
        assert_eq!(common(&["instruments.psu.set", "instruments.psu2.set"]), "instruments");
        assert_eq!(common(&["instruments.\"odd name\".type"]), "instruments.\"odd name\".type");
        assert_eq!(common(&["instruments.psu.type", "sources.ball.type"]), "");
    }

    #[test]
    fn what_lies_in_one_part_is_told_once() {
        let voltage = change("instruments.psu.set.ch1.voltage", Some(3.3.into()), Some(2.1.into()));
        let label = change("instruments.psu.label", None, Some("Lamp".into()));
        assert_eq!(told(&[voltage, label]), []);
        assert_eq!(told(&[]), []);
    }

    #[test]
    fn several_parts_are_told_each_with_what_changed_in_it() {
        let set = |name: &str, value: f64| {
            change(&format!("instruments.psu.set.{name}"), Some(0.5.into()), Some(value.into()))
        };
        let changes = [
            set("ch1.voltage", 1.0),
            set("ch1.current_limit", 1.5),
            change("runtime.snapshot_retention", Some(50.into()), Some(60.into())),
            set("ch2.voltage", 2.0),
            set("ch2.current_limit", 2.5),
            change("sources.ball", None, Some(Value::Table(crate::value::Table::new()))),
            change("instruments.\"odd name\".set.a", Some(1.into()), Some(2.into())),
        ];
        let expected = [
            (
                "instruments.psu",
                "r2 changed psu: ch1.voltage 0.5 → 1.0, ch1.current_limit 0.5 → 1.5, ch2.voltage \
                 0.5 → 2.0 and 1 more",
            ),
            ("runtime", "r2 changed runtime: snapshot_retention 50 → 60"),
            ("sources.ball", "r2 added ball"),
            ("instruments.\"odd name\"", "r2 changed \"odd name\": a 1 → 2"),
        ];
        assert_eq!(told(&changes), expected.map(|(path, said)| (path.into(), said.into())));
        assert_eq!(part_changes("r2", &changes)[0].changes.len(), 4);
    }

    #[test]
    fn more_parts_than_anyone_reads_are_counted() {
        let label = |number: usize| {
            change(&format!("instruments.psu{number}.label"), None, Some("x".into()))
        };
        let told = told(&(0..MOST_PARTS + 7).map(label).collect::<Vec<_>>());
        assert_eq!(told.len(), MOST_PARTS + 1);
        let last = told.last().unwrap();
        assert_eq!(*last, ("instruments".into(), "r2 changed 7 more parts of the bench".into()));
    }

    #[test]
    fn no_secret_is_told() {
        let token = |value: &str| Some(Value::from(value));
        let changes = [
            change("rtsp.token", token("hunter1"), token("hunter2")),
            change("bench.name", token("a"), token("b")),
        ];
        let told = told(&changes);
        assert!(!format!("{told:?}").contains("hunter"), "{told:?}");
    }
}

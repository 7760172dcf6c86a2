//! What differs between the values of two benches.

use std::collections::HashMap;

use super::{Change, ChangeKind, Effect};
use crate::{
    path::KeyPath,
    schema::{self, Kind, Node},
    value::{Table, Value},
};

/// The keys that differ between the values of two benches, in the order of the second file,
/// removed ones at the place they had. The order of keys is no difference, nor is `3` for `3.0`;
/// lists are compared as a whole.
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut walk = Walk { names: Vec::new(), running: true, changes: Vec::new() };
    let top = Known { covering: schema::root(), exact: true, component: false };
    walk.values(top, Some(old), Some(new));
    walk.changes
}

struct Walk<'v> {
    names: Vec<&'v str>,
    /// Whether the instrument or source that the key belongs to is to run.
    running: bool,
    changes: Vec<Change>,
}

/// Where the schema is while a walk goes down.
#[derive(Clone, Copy)]
struct Known {
    /// The key, or the closest one above it that the schema has.
    covering: &'static Node,
    /// Whether that is the key itself.
    exact: bool,
    /// Whether the key is a component as a whole.
    component: bool,
}

impl Known {
    fn below(self, name: &str) -> Self {
        let component = self.exact && matches!(self.covering.kind(), Kind::Named(_));
        match self.covering.child(name).filter(|_| self.exact) {
            Some(covering) => Self { covering, exact: true, component },
            None => Self { exact: false, component, ..self },
        }
    }
}

impl<'v> Walk<'v> {
    fn values(&mut self, known: Known, old: Option<&'v Value>, new: Option<&'v Value>) {
        match (old, new) {
            (None, None) => {}
            (Some(Value::Table(old)), Some(Value::Table(new))) if old.is_same(new) => {}
            (Some(Value::Table(old)), Some(Value::Table(new))) => self.tables(known, old, new),
            (Some(old), Some(new)) if old.means(new) => {}
            (Some(_), Some(_)) => self.add(known, ChangeKind::Changed, old, new),
            // A component is one change, another table is one for each of its keys.
            (None, Some(Value::Table(table))) if !known.component => {
                for (name, value) in table {
                    self.below(known, name, None, Some(value));
                }
            }
            (Some(Value::Table(table)), None) if !known.component => {
                for (name, value) in table {
                    self.below(known, name, Some(value), None);
                }
            }
            (None, Some(_)) => self.add(known, ChangeKind::Added, old, new),
            (Some(_), None) => self.add(known, ChangeKind::Removed, old, new),
        }
    }

    fn tables(&mut self, known: Known, old: &'v Table, new: &'v Table) {
        // Keys that are gone, by the last key before them that is still there.
        let mut gone: HashMap<Option<&'v str>, Vec<&'v str>> = HashMap::new();
        let mut last = None;
        for (at, name) in old.keys().enumerate() {
            if new.get_near(at, name).is_some() {
                last = Some(name);
            } else {
                gone.entry(last).or_default().push(name);
            }
        }
        let mut removed = |walk: &mut Self, place: Option<&'v str>| {
            if !gone.is_empty() {
                for name in gone.remove(&place).unwrap_or_default() {
                    walk.below(known, name, old.get(name), None);
                }
            }
        };
        removed(self, None);
        for (at, (name, value)) in new.iter().enumerate() {
            self.below(known, name, old.get_near(at, name), Some(value));
            removed(self, Some(name));
        }
    }

    fn below(
        &mut self,
        above: Known,
        name: &'v str,
        old: Option<&'v Value>,
        new: Option<&'v Value>,
    ) {
        let known = above.below(name);
        self.names.push(name);
        match self.names.len() {
            1 => self.running = true,
            _ if known.component => self.running = new.is_some_and(enabled),
            _ => {}
        }
        self.values(known, old, new);
        self.names.pop();
    }

    fn add(&mut self, known: Known, kind: ChangeKind, old: Option<&Value>, new: Option<&Value>) {
        let path = KeyPath::new(self.names.iter().copied());
        let effect = self.effect(known.covering, old, new);
        self.changes.push(Change { kind, path, old: old.cloned(), new: new.cloned(), effect });
    }

    fn effect(&self, node: &Node, old: Option<&Value>, new: Option<&Value>) -> Effect {
        let Some(key) = node.key else { return Effect::None };
        let preset = key.preset.value();
        let (was, will) = (old.or(preset.as_ref()), new.or(preset.as_ref()));
        match key.kind {
            Kind::Instrument | Kind::Source => {
                match (was.is_some_and(enabled), will.is_some_and(enabled)) {
                    (false, true) => Effect::Connect,
                    (true, false) => Effect::Disconnect,
                    (true, true) => Effect::Restart,
                    (false, false) => Effect::None,
                }
            }
            _ if same(was, will) => Effect::None,
            Kind::Switch if key.effect == Effect::Connect => match will {
                Some(Value::Bool(false)) => Effect::Disconnect,
                _ => Effect::Connect,
            },
            // Nothing of it runs, so nothing runs differently.
            _ if !self.running => Effect::None,
            _ => key.effect,
        }
    }
}

/// Whether a key is a component as a whole: an instrument, a source, a module, whatever its author
/// gives a name by the schema.
pub(crate) fn is_component<S: AsRef<str>>(names: &[S]) -> bool {
    let Some((_, above)) = names.split_last() else { return false };
    let node = above.iter().try_fold(schema::root(), |node, name| node.child(name.as_ref()));
    node.is_some_and(|node| matches!(node.kind(), Kind::Named(_)))
}

/// Whether a component is to run.
fn enabled(component: &Value) -> bool {
    let switch = component.as_table().and_then(|table| table.get("enabled"));
    !matches!(switch, Some(Value::Bool(false)))
}

fn same(was: Option<&Value>, will: Option<&Value>) -> bool {
    match (was, will) {
        (Some(was), Some(will)) => was.means(will),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    /// One line for each change: kind, path, effect.
    fn changes(old: &str, new: &str) -> Vec<String> {
        let values = |text| Document::parse(text).unwrap().into_values();
        diff(&values(old), &values(new))
            .iter()
            .map(|change| {
                let json = serde_json::to_value(change).unwrap();
                let word = |key: &str| json[key].as_str().unwrap().to_owned();
                format!("{} {} {}", word("kind"), word("path"), word("effect"))
            })
            .collect()
    }

    const PSU: &str = "[instruments.psu]\ntype = 'rigol_dp832'\naddress = 'sim:'\n";

    #[test]
    fn order_and_spelling_of_numbers_are_no_difference() {
        let old = "a = 3\n[b]\nc = [1, 2]\nd.e = 1\n";
        let new = "b = { d = { e = 1.0 }, c = [1.0, 2] }\na = 3.0\n";
        assert_eq!(changes(old, new), Vec::<String>::new());
    }

    #[test]
    fn a_setpoint_is_live() {
        let old = format!("{PSU}set.ch1.voltage = 3.3\nset.ch1.output = 'on'\n");
        let new = format!("{PSU}set.ch1.voltage = 3.45\nset.ch2.voltage = 1\n");
        assert_eq!(
            changes(&old, &new),
            [
                "changed instruments.psu.set.ch1.voltage live",
                "removed instruments.psu.set.ch1.output live",
                "added instruments.psu.set.ch2.voltage live",
            ]
        );
    }

    #[test]
    fn a_component_that_comes_or_goes_is_one_change() {
        let other = PSU.replace("psu", "spare");
        assert_eq!(changes("", PSU), ["added instruments.psu connect"]);
        assert_eq!(
            changes(PSU, &other),
            ["removed instruments.psu disconnect", "added instruments.spare connect"]
        );
        let off = format!("{PSU}enabled = false\n");
        assert_eq!(changes("", &off), ["added instruments.psu none"]);
        assert_eq!(changes("[modules.log]\ntype = 'recorder'\n", ""), ["removed modules.log none"]);
        assert_eq!(
            changes("", "[sources.a]\ntype = 'test_pattern'\n"),
            ["added sources.a connect"]
        );
    }

    #[test]
    fn effects_come_from_the_schema() {
        let source = "[sources.a]\ntype = 'test_pattern'\n";
        for (old, new, expected) in [
            (PSU, "address = 'tcp://x:1'\n", "changed instruments.psu.address restart"),
            (PSU, "wire.gap = '1s'\n", "added instruments.psu.wire.gap restart"),
            (PSU, "enabled = false\n", "added instruments.psu.enabled disconnect"),
            (PSU, "enabled = true\n", "added instruments.psu.enabled none"),
            (PSU, "label = 'x'\n", "added instruments.psu.label none"),
            (PSU, "on_reconnect = 'reapply'\n", "added instruments.psu.on_reconnect live"),
            (PSU, "limits.ch1.voltage = [0, 1]\n", "added instruments.psu.limits.ch1.voltage live"),
            (source, "pattern = 'ball'\n", "added sources.a.pattern live"),
            (source, "framerate = 25\n", "added sources.a.framerate renegotiate"),
            (source, "format = 'RGB'\n", "added sources.a.format renegotiate"),
            (source, "resolution = '64x64'\n", "added sources.a.resolution renegotiate"),
            (source, "preview = true\n", "added sources.a.preview none"),
        ] {
            let name = new.split([' ', '.']).next().unwrap();
            let kept: String = old
                .lines()
                .filter(|line| !line.starts_with(name))
                .fold(String::new(), |all, line| all + line + "\n");
            assert_eq!(changes(old, &format!("{kept}{new}")), [expected]);
        }
        assert_eq!(
            changes("", "[runtime]\nquiet = '1s'\nlog_level = 'info'\n"),
            ["added runtime.quiet live", "added runtime.log_level none"]
        );
        assert_eq!(
            changes("bench.name = 'a'\n", "bench.name = 'b'\n"),
            ["changed bench.name none"]
        );
    }

    #[test]
    fn a_component_that_does_not_run_is_not_disturbed() {
        let off = format!("{PSU}enabled = false\n");
        let moved = off.replace("sim:", "tcp://x:1");
        assert_eq!(changes(&off, &moved), ["changed instruments.psu.address none"]);
        assert_eq!(
            changes(&moved, PSU),
            ["changed instruments.psu.address restart", "removed instruments.psu.enabled connect"]
        );
    }

    #[test]
    fn removed_keys_come_where_they_were() {
        let old = "a = 1\nb = 1\nc = 1\nd = 1\n";
        let new = "e = 1\nd = 2\nb = 2\n";
        let paths: Vec<String> =
            changes(old, new).iter().map(|line| line.split(' ').nth(1).unwrap().into()).collect();
        assert_eq!(paths, ["a", "e", "d", "b", "c"]);
    }
}

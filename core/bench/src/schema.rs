//! Which keys exist: one table. Checks, defaults and what a change does are all read from it.

pub mod json;
mod pattern;
pub mod reference;
mod table;
mod takes;

use std::sync::OnceLock;

use crate::{diff::Effect, path::KeyPath, value::Value};

pub use table::KEYS;
pub(crate) use table::{LATER_SOURCE_TYPES, MODULE_TYPES, SOURCE_TYPES};

/// Least and greatest side of a picture, in pixels.
pub(crate) const SIDE: (u32, u32) = (16, 4_096);

/// Fewest and most frames a second.
pub(crate) const FRAMES: (u32, u32) = (1, 120);

/// One key of a bench file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its path; `*` stands for a name that the file's author chooses.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds where it is not in the file.
    pub preset: Preset,
    /// What changing it does to what is running.
    pub effect: Effect,
    /// Whether this version acts on it; if not, why setting it does nothing.
    pub idle: Option<&'static str>,
    /// What it is, for people: whole sentences, code between backticks.
    pub about: &'static str,
    /// Unit of its numbers, where they have one that the value does not name itself.
    pub unit: Option<&'static str>,
    /// Number of the file's format that first had it.
    pub since: i64,
    /// What becomes of its value where several layers have one.
    pub merge: Merge,
    /// Whether its value is kept from logs and pictures.
    pub secret: bool,
    /// The types of component that have it; empty for all of them.
    pub only: &'static [&'static str],
}

/// What becomes of a value where a layer that goes before has one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The value of the layer that goes before holds.
    Replace,
    /// The keys of both hold; each by its own rule.
    Deep,
    /// The list that goes before holds; where its file names it under `append`, its items follow
    /// those of the list below.
    Append,
}

impl Merge {
    /// What values of a kind do unless a key says otherwise.
    const fn of(kind: Kind) -> Self {
        use Kind as K;
        match kind {
            K::Group
            | K::Line
            | K::Named(_)
            | K::Instrument
            | K::Source
            | K::Module
            | K::Template
            | K::With
            | K::Roles
            | K::Setpoints
            | K::Limits => Self::Deep,
            K::Texts | K::Files | K::Actions | K::Role => Self::Append,
            _ => Self::Replace,
        }
    }
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Keys of its own, written under a header.
    Group,
    /// Keys of its own, written in one line: `wire = { … }`.
    Line,
    /// Things by the names their author gives them; what one of them is called.
    Named(&'static str),
    /// `[instruments.<id>]`
    Instrument,
    /// `[sources.<id>]`
    Source,
    /// `[modules.<id>]`
    Module,
    /// `[templates.<name>]`: whatever a component may hold, placeholders in it.
    Template,
    /// The name of a template.
    TemplateName,
    /// Values for the placeholders of a template: `{ channel = 1 }`.
    With,
    /// Names of instruments, sources and modules by the roles they play: `{ sensor = "thermo" }`.
    Roles,
    /// What fills one role: a name or a list of names.
    Role,
    /// Parameters and the values asked for.
    Setpoints,
    /// Parameters and the ranges that narrow the driver's.
    Limits,
    /// Any text.
    Text,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A whole number; least and greatest, both allowed.
    Whole(i64, i64),
    /// `true` or `false`
    Switch,
    /// `"250ms"`; least and greatest, both allowed.
    Duration(&'static str, &'static str),
    /// A duration or the one word `off`; likewise.
    DurationOrOff(&'static str, &'static str),
    /// A list of texts.
    Texts,
    /// A list of files, `*` standing for any name.
    Files,
    /// A list of paths of keys: `["modules.log.roles.what"]`.
    Paths,
    /// A condition over parameters of roles: `sensor.a.temperature > 320 for 2s`.
    Condition,
    /// A list of settings of roles' parameters: `["trip.ch1.output = off"]`.
    Actions,
    /// The number of the file's format.
    Format,
    /// Where an instrument is: `tcp://HOST:PORT`, `serial:///dev/…`, `sim:`.
    Address,
    /// The name of a driver.
    Driver,
    /// The kind of a source.
    SourceType,
    /// The kind of a module.
    ModuleType,
    /// `/pattern`
    MountPoint,
    /// `1280x720`
    Resolution,
    /// `30` or `"30000/1001"`
    Framerate,
}

/// What holds where a key is not in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// It must be there.
    Required,
    /// Nothing.
    Absent,
    /// This text.
    Text(&'static str),
    /// This whole number.
    Whole(i64),
    /// `true` or `false`
    Switch(bool),
    /// A text that depends on the environment.
    ByEnvironment {
        /// In [`PRODUCTION`].
        production: &'static str,
        /// In every other.
        elsewhere: &'static str,
    },
}

/// The environment in which a bench is in earnest.
pub const PRODUCTION: &str = "production";

impl Preset {
    /// As a file would write it; `None` where that depends on the environment.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Required | Self::Absent | Self::ByEnvironment { .. } => None,
            Self::Text(text) => Some(text.into()),
            Self::Whole(number) => Some(number.into()),
            Self::Switch(switch) => Some(switch.into()),
        }
    }

    /// The same in an environment.
    pub fn value_in(self, environment: &str) -> Option<Value> {
        match self {
            Self::ByEnvironment { production, .. } if environment == PRODUCTION => {
                Some(production.into())
            }
            Self::ByEnvironment { elsewhere, .. } => Some(elsewhere.into()),
            preset => preset.value(),
        }
    }
}

impl Kind {
    /// Whether it is a table that has a header of its own.
    pub(crate) fn has_header(self) -> bool {
        use Kind::{Group, Instrument, Limits, Module, Named, Setpoints, Source, Template};
        matches!(
            self,
            Group | Named(_) | Instrument | Source | Module | Template | Setpoints | Limits
        )
    }
}

/// A key and the keys below it.
#[derive(Debug)]
pub struct Node {
    /// The key; `None` for the top of the file.
    pub key: Option<&'static Key>,
    /// In the order of [`KEYS`]. There are few: looking through them is faster than a hash.
    named: Vec<(&'static str, Node)>,
    any: Option<Box<Node>>,
}

impl Node {
    /// The key of this name below it, or the one that stands for any name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        let named = self.named.iter().find(|(other, _)| *other == name);
        named.map(|(_, node)| node).or(self.any.as_deref())
    }

    /// The keys below it that have a name of their own.
    pub fn children(&self) -> impl Iterator<Item = (&'static str, &Node)> {
        self.named.iter().map(|(name, node)| (*name, node))
    }

    /// What it takes; the top of the file is a table of keys.
    pub fn kind(&self) -> Kind {
        self.key.map_or(Kind::Group, |key| key.kind)
    }

    /// Whether a component of this type may have the key. Where the type is not known nobody can
    /// tell, so it may.
    pub fn may_be_in(&self, component: Option<&str>) -> bool {
        let only = self.only();
        only.is_empty() || component.is_none_or(|component| only.contains(&component))
    }

    /// Whether a component of this type must have the key.
    pub fn must_be_in(&self, component: Option<&str>) -> bool {
        self.key.is_some_and(|key| key.preset == Preset::Required)
            && (self.only().is_empty() || component.is_some())
            && self.may_be_in(component)
    }

    /// The types of component that have the key; empty for all of them.
    pub fn only(&self) -> &'static [&'static str] {
        self.key.map_or(&[], |key| key.only)
    }

    fn add(&mut self, names: &mut std::str::Split<'static, char>, key: &'static Key) {
        match names.next() {
            None => self.key = Some(key),
            Some("*") => self.any.get_or_insert_with(|| Box::new(Self::empty())).add(names, key),
            Some(name) => {
                let there = self.named.iter().position(|(other, _)| *other == name);
                let at = there.unwrap_or_else(|| {
                    self.named.push((name, Self::empty()));
                    self.named.len() - 1
                });
                self.named[at].1.add(names, key);
            }
        }
    }

    fn empty() -> Self {
        Self { key: None, named: Vec::new(), any: None }
    }
}

/// [`KEYS`] as a tree.
pub fn root() -> &'static Node {
    static ROOT: OnceLock<Node> = OnceLock::new();
    ROOT.get_or_init(|| {
        let mut root = Node::empty();
        for key in KEYS {
            root.add(&mut key.path.split('.'), key);
        }
        root
    })
}

/// Whether a top-level table holds things by names that the file's author gives them.
pub fn holds_by_name(top: &str) -> bool {
    matches!(root().child(top).map(Node::kind), Some(Kind::Named(_)))
}

/// The key that a path names; `None` if there is no such key, or if it lies below one that takes
/// names of its own (`set`, `limits`, a module).
pub fn at(path: &KeyPath) -> Option<&'static Node> {
    path.names().iter().try_fold(root(), |node, name| node.child(name))
}

/// The key that a path names, or the closest one above it.
pub fn covering(path: &KeyPath) -> &'static Node {
    let mut node = root();
    for name in path.names() {
        match node.child(name) {
            Some(child) => node = child,
            None => break,
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_reached_by_its_path() {
        for key in KEYS {
            let path: KeyPath = key.path.replace('*', "name").parse().unwrap();
            assert_eq!(at(&path).unwrap().key.unwrap().path, key.path);
        }
    }

    #[test]
    fn a_parameter_is_covered_by_set() {
        let path = KeyPath::setpoint("psu", "ch1.voltage");
        assert!(at(&path).is_none());
        assert_eq!(covering(&path).kind(), Kind::Setpoints);
    }

    #[test]
    fn presets_are_allowed_values() {
        for key in KEYS {
            for value in [PRODUCTION, "x"].iter().filter_map(|in_| key.preset.value_in(in_)) {
                assert!(crate::check::allowed(key.kind, &value).is_ok(), "{}", key.path);
            }
        }
    }
}

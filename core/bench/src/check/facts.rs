//! What the check of one component hands on to the check of the whole bench.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use super::drivers::Driver;
use smol_str::SmolStr;

use crate::{document::Place, expression::Operator, value::Value};

/// Where something stands: a stretch of bytes in one of the texts. Half the size of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    /// Which of the texts.
    pub origin: u16,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl At {
    /// A stretch of the text that a place is in.
    pub fn new(origin: u16, bytes: &Range<usize>) -> Self {
        // Texts have 16 MiB at most.
        let small = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { origin, start: small(bytes.start), end: small(bytes.end) }
    }

    /// The value of a place.
    pub fn value(place: &Place) -> Self {
        Self::new(place.origin, &place.span)
    }

    /// As a range of bytes.
    pub fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text of a component that others may not have too, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// As written.
    pub text: SmolStr,
    /// What it is compared by, where that differs.
    same: Option<Box<str>>,
    /// Of what it is compared by: thousands of claims are compared without their texts.
    hash: u64,
    /// Where.
    pub at: At,
}

impl Claim {
    /// A text that is compared as it is written.
    pub fn new(text: &str, at: At) -> Self {
        Self { text: text.into(), same: None, hash: hash(text), at }
    }

    /// A text that is the same as all that give the same `key`.
    pub fn keyed(text: &str, key: &str, at: At) -> Self {
        let same = (key != text).then(|| key.into());
        Self { text: text.into(), same, hash: hash(key), at }
    }

    /// What it is compared by.
    pub fn key(&self) -> &str {
        self.same.as_deref().unwrap_or(&self.text)
    }

    /// Equal for equal keys.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// What the check of the whole bench has to know of one component.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// It says `enabled = false`.
    pub disabled: bool,
    /// The line that an enabled instrument has for itself; simulated ones have none.
    pub line: Option<Claim>,
    /// The address of an enabled instrument that is simulated.
    pub simulated: Option<At>,
    /// Where a source is served.
    pub mount_point: Option<Box<Claim>>,
    /// What people call it.
    pub label: Option<Claim>,
    /// The template it begins with.
    pub template: Option<Box<Claim>>,
    /// What is known of an instrument's type.
    pub driver: Option<Arc<Driver>>,
    /// The narrower ranges of an instrument's parameters.
    pub limits: Vec<(Box<str>, (f64, f64))>,
    /// Secrets in plain text.
    pub secrets: Vec<Secret>,
    /// What a module uses.
    pub module: Option<Box<Module>>,
    /// Where streams are served.
    pub server: Option<Box<Server>>,
    /// Where the header or key of the component stands.
    pub head: At,
}

/// A secret in plain text.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its key, as a dotted path.
    pub path: Box<str>,
    /// What is said of it, from the key's name on.
    pub message: Box<str>,
    /// What to write instead.
    pub instead: Box<str>,
    /// Where its value stands.
    pub at: At,
}

/// `[rtsp]` that listens to all networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// The address.
    pub open: Claim,
    /// Whether viewers have to know a token.
    pub token: bool,
}

/// What a module uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Module {
    /// Its type.
    pub kind: Box<str>,
    /// Its roles, in file order.
    pub roles: Vec<Role>,
    /// Parameters that it compares or sets, in file order.
    pub uses: Vec<Use>,
}

/// One role of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its name in the module.
    pub name: Box<str>,
    /// What fills it: names of components.
    pub targets: Vec<Claim>,
    /// Whether its parameters are compared or set.
    pub used: bool,
}

/// A parameter that a module compares or sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// Number of the role among the module's.
    pub role: usize,
    /// The parameter's dotted name.
    pub parameter: Claim,
    /// The key it stands under: `when` or `then`.
    pub key: &'static str,
    /// What is done with it.
    pub what: Deed,
    /// Where the value stands that it is compared with or set to.
    pub at: At,
}

/// What a module does with a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// It is compared with a value.
    Compare(Operator, Value),
    /// It is compared with another parameter.
    Read(Operator),
    /// It is set.
    Set(Value),
}

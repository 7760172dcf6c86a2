//! Facts about instrument types, which this crate does not know by itself.

use std::time::Duration;

/// What is known of instrument types. The instrument crate's driver library is one; tests have
/// small ones of their own. Large files are checked on several threads, which ask it at once.
pub trait Catalogue: Sync {
    /// Names of all instrument types, sorted.
    fn types(&self) -> Vec<String>;

    /// The parameters of one type in the driver's order, channels expanded (`ch1.voltage`);
    /// `None` if there is no such type.
    fn parameters(&self, instrument_type: &str) -> Option<Vec<ParameterFacts>>;

    /// What asking a device of one type costs on its line; `None` if that is not known.
    fn line(&self, _instrument_type: &str) -> Option<LineFacts> {
        None
    }
}

/// What asking a device costs on its line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineFacts {
    /// What is asked again and again.
    pub polls: Vec<Poll>,
    /// Bits a second of a serial line.
    pub baud: u32,
    /// Bits of one byte on a serial line, start, parity and stop bits included.
    pub bits: u32,
    /// Least silence between two messages.
    pub gap: Duration,
}

/// A question that is asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// How often.
    pub every: Duration,
    /// Bytes of question and reply together, terminators included, at least.
    pub bytes: usize,
}

/// What a check needs to know of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterFacts {
    /// Dotted name: `ch1.voltage`.
    pub name: String,
    /// The type of its values.
    pub kind: ParameterKind,
    /// Unit of its values and range, as the driver writes it: `V`, `K`.
    pub unit: Option<String>,
    /// Least and greatest value, both allowed.
    pub range: Option<(f64, f64)>,
    /// The words an enum takes; empty for other kinds.
    pub choices: Vec<String>,
    /// Whether it can be set.
    pub settable: bool,
    /// What setting it does to the world, if that is dangerous: `energises the load`.
    pub hazard: Option<String>,
}

/// The type of a parameter's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A number; whole numbers are taken too.
    Float,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of a few words.
    Enum,
    /// Any text.
    String,
}

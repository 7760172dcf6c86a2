//! Driver files: TOML that teaches Setpoint an instrument's language.
//!
//! [`Driver::from_toml`] reads one strictly: an unknown key, a template that cannot be read, a
//! reference to something that is not there are errors with line and column. What comes out has
//! its channels expanded and its channel numbers filled in; nothing of the file is looked up again
//! while an instrument runs.
//!
//! | part | holds |
//! |---|---|
//! | `file` | the keys as written |
//! | `build` | from those to a [`Driver`], with all findings |
//! | [`param`] | one parameter: values in and out, ranges, text for people |
//! | [`wire`] | framing and line settings, with what a bench file replaces |
//! | [`vectors`] | the examples in a driver file that prove it |

use std::{path::Path, time::Duration};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{expression::Expression, template::Template, value::ParamValue};

mod build;
mod file;
pub mod param;
pub mod vectors;
pub mod wire;

pub use param::{Kind, Param, ParamFacts, Ramp, Simulation, ValueError, Verify};
pub use vectors::{Vector, VectorFailure};
pub use wire::{Ends, Flow, Medium, Parity, SerialLine, Wire, WireFile, WireOverrides};

/// One instrument type.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// The instrument's `type` in a bench file: `rigol_dp832`.
    pub id: String,
    /// What people call it: `Rigol DP832 power supply`.
    pub name: String,
    /// Models it is for, as the identity question answers them; empty: any.
    pub models: Vec<String>,
    /// Where its facts come from.
    pub sources: Vec<String>,
    /// Against what it has been run.
    pub verified: Vec<String>,
    /// The file it was read from.
    pub file: String,
    /// Framing and line settings.
    pub wire: WireFile,
    /// The question asked on connect, and to find step again after a late reply.
    pub identity: Option<Identity>,
    /// How the device reports errors.
    pub errors: Option<Errors>,
    /// Parameters in file order, channel by channel.
    pub params: IndexMap<String, Param>,
    /// Questions that give several values at once, by name.
    pub groups: IndexMap<String, Group>,
    /// Parameters read first on connect.
    pub on_connect: Vec<String>,
    /// Values that make the device safe, in order. Kept for tools; a session writes nothing unasked.
    pub safe_state: Vec<(String, ParamValue)>,
    /// The examples that prove it.
    pub vectors: Vec<Vector>,
}

/// A question and the form of its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The line, without terminator.
    pub send: String,
    /// The answer.
    pub expect: Template,
}

/// Who the device is.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The question; fields `model`, `serial`, `firmware` of the answer are shown.
    pub question: Question,
    /// What the simulator answers.
    pub sim_reply: Option<String>,
}

/// How the device reports errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// Gives one error, or that there is none.
    pub question: Question,
    /// True of an answer that is an error.
    pub fail: Expression,
    /// How often it is asked at most, until there is none.
    pub drain: u32,
    /// Whether it is asked after every set.
    pub after_set: bool,
    /// Words for the answer's `code`; for a code that is not listed, for the bits in it.
    pub meaning: IndexMap<i64, String>,
    /// What the simulator answers.
    pub sim: Option<SimErrors>,
}

/// Error replies of the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimErrors {
    /// There is no error.
    pub none: String,
    /// The command is not known.
    pub unknown: String,
    /// The value is not allowed.
    pub range: String,
    /// The codes are bits of one register, cleared by reading, not a queue.
    pub accumulate: bool,
}

/// A question that gives several values at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The question.
    pub question: Question,
    /// How often it is asked.
    pub poll: Duration,
}

/// One thing that is wrong with a driver file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct DriverProblem {
    /// The file's name as it was given.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// Why a driver file cannot be used: all findings, at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct DriverError {
    /// In file order.
    pub problems: Vec<DriverProblem>,
}

/// The text of a driver file on disk; one that cannot be read is a finding at 1:1.
pub(crate) fn read(path: &Path) -> Result<String, DriverProblem> {
    std::fs::read_to_string(path).map_err(|error| DriverProblem {
        file: path.display().to_string(),
        line: 1,
        column: 1,
        message: format!("the file cannot be read: {error}"),
    })
}

impl Driver {
    /// Reads a driver file; `file_name` is what findings call it.
    ///
    /// # Errors
    /// Every finding with its place.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, DriverError> {
        build::driver(file_name, text)
    }

    /// The facts about every parameter that others need.
    pub fn facts(&self) -> Vec<ParamFacts> {
        self.params.values().map(Param::facts).collect()
    }

    /// The question whose answer holds a parameter, if it can be read.
    pub fn question<'a>(&'a self, param: &'a Param) -> Option<&'a Question> {
        match (&param.get, &param.from) {
            (Some(question), _) => Some(question),
            (None, Some((group, _))) => Some(&self.groups.get(group)?.question),
            (None, None) => None,
        }
    }
}

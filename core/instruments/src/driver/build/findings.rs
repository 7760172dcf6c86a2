//! What is wrong with a driver file, and where.

use std::ops::Range;

use crate::driver::{DriverError, DriverProblem};

/// Findings and where they are.
pub(super) struct Findings<'a> {
    pub(super) file: &'a str,
    text: &'a str,
    pub(super) found: Vec<(usize, String)>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push((span.start, message.into()));
    }

    /// The value, or a finding and nothing.
    pub(super) fn take<T, E: ToString>(
        &mut self,
        span: Range<usize>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(span, error.to_string())).ok()
    }

    pub(super) fn into_error(mut self) -> DriverError {
        self.found.sort();
        let place = |start: usize| {
            let before = self.text.get(..start).unwrap_or(self.text);
            let line = before.rsplit('\n').next().unwrap_or_default();
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        };
        let problem = |(start, message): &(usize, String)| {
            let (line, column) = place(*start);
            let (file, message) = (self.file.to_owned(), message.clone());
            DriverProblem { file, line, column, message }
        };
        DriverError { problems: self.found.iter().map(problem).collect() }
    }
}

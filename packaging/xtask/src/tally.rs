//! Counting what `cargo test` says.

use std::fmt;

/// What all test programs together came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that held.
    pub(crate) passed: usize,
    /// Tests that did not.
    pub(crate) failed: usize,
    /// Tests that were left out.
    pub(crate) ignored: usize,
}

impl Tally {
    /// Takes a line such as
    /// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …` in; other
    /// lines count for nothing.
    pub(crate) fn count(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else { return };
        let counted = result.split_once(". ").map_or(result, |(_, counted)| counted);
        for part in counted.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// `412 passed, 0 failed`; what was left out is named only where there is something.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(out, ", {} ignored", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_programs_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 14 tests",
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.20s",
            "test result::says ... ok",
        ] {
            tally.count(line);
        }
        assert_eq!(tally, Tally { passed: 15, failed: 1, ignored: 2 });
        assert_eq!(tally.to_string(), "15 passed, 1 failed, 2 ignored");
    }
}

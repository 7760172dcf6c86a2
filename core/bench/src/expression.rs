//! Conditions and settings that modules hold: `sensor.a.temperature > 320 for 2s` and
//! `trip.ch1.output = off`.
//!
//! ```text
//! condition  = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | ( comparison | "(" condition ")" ) [ "for" DURATION ]
//! comparison = ROLE.PARAMETER ( "<" | "<=" | ">" | ">=" | "=" | "==" | "!=" ) operand
//! operand    = NUMBER | WORD | "true" | "false" | "text" | ROLE.PARAMETER
//! setting    = ROLE.PARAMETER "=" ( NUMBER | WORD | "true" | "false" | "text" )
//! ```
//!
//! Parentheses and `not` may be [`DEEPEST`] deep; the time it takes grows with the text's length.

mod parse;
mod tokens;

use std::{ops::Range, time::Duration};

use crate::value::Value;

/// How deep parentheses and `not` may be nested.
pub const DEEPEST: usize = 64;

/// What holds or does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// One comparison.
    Compare(Comparison),
    /// It holds while the inner one does not.
    Not(Box<Condition>),
    /// All of them hold; two at least.
    All(Vec<Condition>),
    /// Any of them holds; two at least.
    Any(Vec<Condition>),
    /// The inner one has held without a break for this long.
    For(Box<Condition>, Duration),
}

/// A parameter held against something.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub parameter: Reference,
    /// How.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
    /// Where the operand stands, in bytes of the text.
    pub at: Range<usize>,
}

/// A parameter of what fills a role: `sensor.a.temperature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The role's name in the module: `sensor`.
    pub role: String,
    /// The parameter's dotted name: `a.temperature`.
    pub parameter: String,
    /// Where it stands, in bytes of the text.
    pub at: Range<usize>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`, `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// Whether only numbers can be compared so.
    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What a parameter is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A number, word, text, `true` or `false`.
    Value(Value),
    /// Another parameter.
    Parameter(Reference),
}

/// One value to be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// What is set.
    pub parameter: Reference,
    /// To what.
    pub value: Value,
    /// Where the value stands, in bytes of the text.
    pub at: Range<usize>,
}

/// Why and where a text is no condition or setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What was met and what was expected.
    pub message: String,
    /// Where, in bytes of the text; empty at its end.
    pub at: Range<usize>,
}

/// Reads a condition.
///
/// # Errors
/// The first thing in the text that does not belong there.
pub fn condition(text: &str) -> Result<Condition, ExpressionError> {
    parse::Parser::new(text)?.condition()
}

/// Reads a setting.
///
/// # Errors
/// The first thing in the text that does not belong there.
pub fn setting(text: &str) -> Result<Setting, ExpressionError> {
    parse::Parser::new(text)?.setting()
}

impl Condition {
    /// All comparisons in it, in the order of the text.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        fn collect<'c>(condition: &'c Condition, found: &mut Vec<&'c Comparison>) {
            match condition {
                Condition::Compare(comparison) => found.push(comparison),
                Condition::Not(inner) | Condition::For(inner, _) => collect(inner, found),
                Condition::All(parts) | Condition::Any(parts) => {
                    parts.iter().for_each(|part| collect(part, found));
                }
            }
        }
        let mut found = Vec::new();
        collect(self, &mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(condition: &Condition) -> String {
        let all = |parts: &[Condition], word: &str| {
            let parts: Vec<String> = parts.iter().map(shown).collect();
            format!("({})", parts.join(word))
        };
        match condition {
            Condition::Compare(Comparison { parameter, operator, operand, .. }) => {
                let operand = match operand {
                    Operand::Value(value) => value.to_string(),
                    Operand::Parameter(other) => format!("{}:{}", other.role, other.parameter),
                };
                format!("{}:{} {operator:?} {operand}", parameter.role, parameter.parameter)
            }
            Condition::Not(inner) => format!("!{}", shown(inner)),
            Condition::All(parts) => all(parts, " & "),
            Condition::Any(parts) => all(parts, " | "),
            Condition::For(inner, time) => format!("{} for {time:?}", shown(inner)),
        }
    }

    #[test]
    fn conditions_are_read_with_and_before_or() {
        for (text, expected) in [
            ("s.a.t > 320 for 2s", "s:a.t Greater 320 for 2s"),
            (
                "s.x=on or s.y!=off and s.z<=-1.5",
                "(s:x Equal \"on\" | (s:y NotEqual \"off\" & s:z LessOrEqual -1.5))",
            ),
            (
                "(s.x == true or s.y > 1) and not s.z < o.w",
                "((s:x Equal true | s:y Greater 1) & !s:z Less o:w)",
            ),
            ("(s.x > 1 and s.y > 1) for 250ms", "(s:x Greater 1 & s:y Greater 1) for 250ms"),
            ("not not s.x >= 1e-9", "!!s:x GreaterOrEqual 1e-9"),
            ("s.x = 'for it'", "s:x Equal \"for it\""),
        ] {
            assert_eq!(shown(&condition(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_pointed_at() {
        for (text, under, says) in [
            ("", "", "is empty"),
            ("320 < s.x", "320", "begins with ROLE.PARAMETER"),
            ("temperature > 3", "temperature", "begins with ROLE.PARAMETER"),
            ("s.x", "", "expected <, <=, >, >=, = or !="),
            ("s.x > ", "", "expected a number"),
            ("s.x >> 3", ">", "expected a number"),
            ("s.x > 3 s.y > 4", "s.y", "expected “and”, “or”"),
            ("(s.x > 3", "", "expected “)”"),
            ("s.x > 3)", ")", "expected “and”, “or”"),
            ("s.x > 3 && s.y > 4", "&", "and, or, not"),
            ("s.x > 3 for ever", "ever", "takes a duration such as 2s"),
            ("s.x > 3 for", "", "takes a duration such as 2s"),
            ("s.x = \"open", "\"open", "has no end"),
            ("s..x > 3", "s..x", "begins with ROLE.PARAMETER"),
            ("s.x > 1.2.3", "1.2.3", "is not a number"),
        ] {
            let error = condition(text).unwrap_err();
            assert_eq!(&text[error.at.clone()], under, "{text}: {error}");
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn settings_set_one_value() {
        let set = setting("trip.ch1.output = off").unwrap();
        assert_eq!(
            (set.parameter.role.as_str(), set.parameter.parameter.as_str()),
            ("trip", "ch1.output")
        );
        assert_eq!((set.value, set.at), (Value::from("off"), 18..21));
        for (text, says) in [
            ("trip.ch1.output > 3", "expected ="),
            ("trip.ch1.output == off", "expected ="),
            ("trip.ch1.output = other.x", "a setting takes a value"),
            ("trip.ch1.output = off on", "goes on after its value"),
            ("off", "begins with ROLE.PARAMETER"),
        ] {
            let error = setting(text).unwrap_err();
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        for start in ["(", "not "] {
            let deep = format!("{}s.x > 1", start.repeat(1_000_000));
            assert!(condition(&deep).unwrap_err().message.contains("nested too deeply"));
        }
        let long = vec!["s.x > 1"; 100_000].join(" and ");
        assert_eq!(condition(&long).unwrap().comparisons().len(), 100_000);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_pointed_into(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "s.x", "t.ch1.y", ">", "<=", "=", "!", "(", ")", "and", "or", "not", "for",
                    "2s", "-1.5", "on", "'ü'", "\"", "ß", " ", "\n",
                ]),
                0..20,
            ),
            other in "\\PC*",
        ) {
            for text in [words.concat(), words.join(" "), other] {
                for error in [condition(&text).err(), setting(&text).err()].into_iter().flatten() {
                    proptest::prop_assert!(text.get(error.at.clone()).is_some(), "{text} {error:?}");
                }
                for comparison in condition(&text).iter().flat_map(Condition::comparisons) {
                    let Reference { role, parameter, at } = &comparison.parameter;
                    proptest::prop_assert_eq!(&text[at.clone()], format!("{role}.{parameter}"));
                }
            }
        }
    }
}

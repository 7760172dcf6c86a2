//! From tokens to conditions and settings.

use std::ops::Range;

use super::{
    Comparison, Condition, DEEPEST, ExpressionError, Operand, Operator, Reference, Setting,
    tokens::{Token, tokens},
};
use crate::{duration, value::Value};

pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token<'t>, Range<usize>)>,
    next: usize,
    end: usize,
    depth: usize,
}

type Result<T> = std::result::Result<T, ExpressionError>;

const BEGIN: &str = "a comparison begins with ROLE.PARAMETER, such as sensor.a.temperature";

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self> {
        Ok(Self { text, tokens: tokens(text)?, next: 0, end: text.len(), depth: 0 })
    }

    pub(super) fn condition(mut self) -> Result<Condition> {
        if self.tokens.is_empty() {
            return self.wrong(format!("it is empty: {BEGIN}"));
        }
        let condition = self.any()?;
        if self.peek().is_some() {
            return self.expected("“and”, “or” or the end");
        }
        Ok(condition)
    }

    pub(super) fn setting(mut self) -> Result<Setting> {
        let parameter =
            self.reference("a setting begins with ROLE.PARAMETER, such as trip.ch1.output")?;
        match self.tokens.get(self.next) {
            // `==` is as long as two.
            Some((Token::Compare(Operator::Equal), at)) if at.len() == 1 => self.next += 1,
            _ => return self.expected("= and a value"),
        }
        let at = self.here();
        let Operand::Value(value) = self.operand()? else {
            let message = "a setting takes a value, not another parameter".to_owned();
            return Err(ExpressionError { message, at });
        };
        if self.peek().is_some() {
            return self.wrong("the setting goes on after its value".to_owned());
        }
        Ok(Setting { parameter, value, at })
    }

    fn any(&mut self) -> Result<Condition> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(single(parts).unwrap_or_else(Condition::Any))
    }

    fn all(&mut self) -> Result<Condition> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(single(parts).unwrap_or_else(Condition::All))
    }

    fn one(&mut self) -> Result<Condition> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.wrong("parentheses and “not” are nested too deeply here".to_owned());
        }
        let found = if self.word("not") {
            Condition::Not(Box::new(self.one()?))
        } else {
            let inner = if self.peek() == Some(Token::Open) {
                self.next += 1;
                let inner = self.any()?;
                if self.peek() != Some(Token::Close) {
                    return self.expected("“)”, “and” or “or”");
                }
                self.next += 1;
                inner
            } else {
                self.comparison()?
            };
            self.held(inner)?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn held(&mut self, inner: Condition) -> Result<Condition> {
        if !self.word("for") {
            return Ok(inner);
        }
        let time = match self.peek() {
            Some(Token::Word(word)) => duration::parse(word),
            _ => None,
        };
        match time {
            Some(time) => {
                self.next += 1;
                Ok(Condition::For(Box::new(inner), time))
            }
            None => self.wrong("“for” takes a duration such as 2s or 250ms".to_owned()),
        }
    }

    fn comparison(&mut self) -> Result<Condition> {
        let parameter = self.reference(BEGIN)?;
        let Some(Token::Compare(operator)) = self.peek() else {
            return self.expected("<, <=, >, >=, = or !=");
        };
        self.next += 1;
        let at = self.here();
        let operand = self.operand()?;
        Ok(Condition::Compare(Comparison { parameter, operator, operand, at }))
    }

    fn reference(&mut self, otherwise: &str) -> Result<Reference> {
        let at = self.here();
        let found = match self.peek() {
            Some(Token::Word(word)) => reference(word, at),
            _ => None,
        };
        match found {
            Some(found) => {
                self.next += 1;
                Ok(found)
            }
            None => self.wrong(otherwise.to_owned()),
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        let at = self.here();
        let operand = match self.peek() {
            Some(Token::Text(text)) => Operand::Value(text.into()),
            Some(Token::Word(word)) if !matches!(word, "and" | "or" | "not" | "for") => {
                match value(word) {
                    Some(value) => Operand::Value(value),
                    None => match reference(word, at) {
                        Some(other) => Operand::Parameter(other),
                        None => return self.wrong(format!("{} is not a number", short(word))),
                    },
                }
            }
            _ => return self.expected("a number, a word or a text in quotation marks"),
        };
        self.next += 1;
        Ok(operand)
    }

    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).map(|(token, _)| *token)
    }

    /// Where the next token stands.
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.end..self.end, |(_, at)| at.clone())
    }

    /// Whether the next token is this word, which is then passed.
    fn word(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(Token::Word(word));
        self.next += usize::from(found);
        found
    }

    fn expected<T>(&self, wanted: &str) -> Result<T> {
        let met = match self.text.get(self.here()) {
            Some(met) if !met.is_empty() => format!(", not {}", short(met)),
            _ => " at the end".to_owned(),
        };
        self.wrong(format!("expected {wanted}{met}"))
    }

    fn wrong<T>(&self, message: String) -> Result<T> {
        Err(ExpressionError { message, at: self.here() })
    }
}

/// The only one, or all of them back.
fn single(mut parts: Vec<Condition>) -> std::result::Result<Condition, Vec<Condition>> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            parts.push(last);
            Err(parts)
        }
        (_, None) => Err(parts),
    }
}

fn reference(word: &str, at: Range<usize>) -> Option<Reference> {
    let (role, parameter) = word.split_once('.')?;
    let names = word.split('.').all(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    });
    let letter = word.starts_with(|first: char| first.is_alphabetic());
    (names && letter).then(|| Reference { role: role.into(), parameter: parameter.into(), at })
}

/// A number, `true`, `false` or a bare word; `None` for what has a dot and is no number.
fn value(word: &str) -> Option<Value> {
    let number = word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    match word {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ if number => {
            let whole = word.parse::<i64>().ok().map(Value::Int);
            let float = || word.parse::<f64>().ok().filter(|number| number.is_finite());
            whole.or_else(|| float().map(Value::Float))
        }
        _ => (!word.contains('.')).then(|| word.into()),
    }
}

fn short(word: &str) -> String {
    crate::check::quoted(word)
}

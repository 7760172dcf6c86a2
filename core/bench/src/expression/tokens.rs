//! An expression's text in pieces.

use std::ops::Range;

use super::{ExpressionError, Operator};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'t> {
    Open,
    Close,
    Compare(Operator),
    /// Anything without spaces: a name, a number, `and`.
    Word(&'t str),
    /// A text, without its quotation marks.
    Text(&'t str),
}

/// All tokens and where they stand; `=` and `==` are told apart by their length.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let (token, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let Some(end) = inner.find(first) else {
                    let message = format!("the text that begins with {first} has no end");
                    return Err(ExpressionError { message, at: at..text.len() });
                };
                (Token::Text(inner.get(..end).unwrap_or_default()), end + 2)
            }
            '<' | '>' | '=' | '!' if operator(rest).is_some() => match operator(rest) {
                Some((operator, length)) => (Token::Compare(operator), length),
                None => continue,
            },
            '!' | '&' | '|' => {
                let message = format!("{first} is not known here; the words are and, or, not");
                return Err(ExpressionError { message, at: at..at + 1 });
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "()<>=!&|\"'".contains(c);
                let end = rest.find(ends).unwrap_or(rest.len());
                (Token::Word(rest.get(..end).unwrap_or_default()), end)
            }
        };
        found.push((token, at..at + length));
        at += length;
    }
    Ok(found)
}

fn operator(rest: &str) -> Option<(Operator, usize)> {
    let all = [
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("=", Operator::Equal),
    ];
    let (sign, operator) = all.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((operator, sign.len()))
}

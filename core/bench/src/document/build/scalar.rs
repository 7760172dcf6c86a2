//! Plain values: texts, numbers, true and false, dates.

use std::borrow::Cow;

use toml_parser::{
    ErrorSink, ParseError, Span,
    decoder::{Encoding, ScalarKind},
};

use crate::{document::Form, value::Value};

/// The value that is written as `raw`; one that is broken was told of.
pub(super) fn scalar(
    raw: &str,
    span: Span,
    kind: Option<Encoding>,
    error: &mut dyn ErrorSink,
) -> (Form, Value) {
    if kind == Some(Encoding::BasicString)
        && let Some(text) = plain_text(raw)
    {
        return (Form::Plain, Value::String(text.to_owned()));
    }
    if kind.is_none()
        && let Some(value) = plain_scalar(raw)
    {
        return (Form::Plain, value);
    }
    let raw = toml_parser::Raw::new_unchecked(raw, kind, span);
    let mut bad = false;
    let mut decoded = Cow::Borrowed("");
    let kind = raw.decode_scalar(&mut decoded, &mut |problem: ParseError| {
        bad = true;
        error.report_error(problem);
    });
    if bad {
        return BROKEN;
    }
    let mut wrong = |message: &'static str| {
        error.report_error(ParseError::new(message).with_unexpected(span));
        BROKEN
    };
    match kind {
        ScalarKind::String => (Form::Plain, Value::String(decoded.into_owned())),
        ScalarKind::Boolean(switch) => (Form::Plain, Value::Bool(switch)),
        ScalarKind::Integer(radix) => match i64::from_str_radix(&decoded, radix.value()) {
            Ok(number) => (Form::Plain, Value::Int(number)),
            Err(_) => wrong("this whole number is too large; it may have 63 bits"),
        },
        ScalarKind::Float => match decoded.parse::<f64>() {
            Ok(number) if number.is_infinite() && decoded.contains(char::is_numeric) => {
                wrong("this number is too large")
            }
            Ok(number) => (Form::Plain, Value::Float(number)),
            Err(_) => wrong("this is not a number"),
        },
        ScalarKind::DateTime => match decoded.parse::<toml_edit::Datetime>() {
            Ok(date) => (Form::Date, Value::String(date.to_string())),
            Err(_) => wrong("there is no such date or time"),
        },
    }
}

/// What stands between the quotation marks, if each character is a visible one of ASCII or a blank
/// and stands for itself. It need not go through the parser, which takes several times as long.
fn plain_text(raw: &str) -> Option<&str> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    inner.bytes().all(plain).then_some(inner)
}

/// `true`, `false`, or a number of digits with one point at most. What is written another way goes
/// through the parser.
fn plain_scalar(raw: &str) -> Option<Value> {
    let digits = match raw.as_bytes() {
        b"true" => return Some(Value::Bool(true)),
        b"false" => return Some(Value::Bool(false)),
        [b'0'] | [b'0', b'.', ..] | [b'1'..=b'9', ..] => raw.bytes(),
        _ => return None,
    };
    let mut point = None;
    for (at, byte) in digits.enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() && at + 1 < raw.len() => point = Some(at),
            _ => return None,
        }
    }
    match point {
        None => raw.parse().ok().map(Value::Int),
        Some(_) => raw.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
    }
}

/// Whether a key without quotation marks is one. Only what is none has to go through the parser.
pub(super) fn is_bare(raw: &str) -> bool {
    let bare = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'A'..=b'Z' | b'_' | b'-');
    !raw.is_empty() && raw.bytes().all(bare)
}

const BROKEN: (Form, Value) = (Form::Broken, Value::Bool(false));

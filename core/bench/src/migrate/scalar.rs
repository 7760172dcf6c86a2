//! What a plain word of YAML means, by the core schema of YAML 1.2: `yes` and `on` are texts.

use super::node::Data;
use crate::value::Value;

pub(super) fn core(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => {
            return Data::Odd("null".to_owned(), "null (nothing)");
        }
        "true" | "True" | "TRUE" => return Data::Plain(true.into(), None),
        "false" | "False" | "FALSE" => return Data::Plain(false.into(), None),
        ".nan" | ".NaN" | ".NAN" => return Data::Plain(f64::NAN.into(), None),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Data::Plain((sign * f64::INFINITY).into(), None);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return whole(text, i64::from_str_radix(digits, radix).ok());
        }
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(text, text.parse().ok());
    }
    if looks_like_a_float(digits)
        && let Ok(number) = text.parse::<f64>()
    {
        // `3.300` keeps its decimals; TOML wants digits on both sides of the point.
        let spelt = keeps_its_spelling(digits) && number.is_finite();
        return Data::Plain(Value::Float(number), spelt.then(|| text.to_owned()));
    }
    Data::Plain(Value::String(text.to_owned()), None)
}

fn whole(text: &str, number: Option<i64>) -> Data {
    match number {
        Some(number) => Data::Plain(number.into(), None),
        None => Data::Odd(text.to_owned(), "a number beyond 64 bits"),
    }
}

/// `1.5`, `.5`, `5.`, `1e3`
fn looks_like_a_float(digits: &str) -> bool {
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.contains(['.', 'e', 'E'])
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
}

/// `3.300` and `0.5`, but not `.5`, `5.`, `007.5` or `1.0e3`.
fn keeps_its_spelling(digits: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.split_once('.').is_some_and(|(whole, part)| {
        all_digits(whole) && all_digits(part) && (whole == "0" || !whole.starts_with('0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_mean_what_yaml_1_2_says() {
        for (text, expected) in [
            ("3", Some("3")),
            ("007", Some("7")),
            ("+5", Some("5")),
            ("0x1F", Some("31")),
            ("0o17", Some("15")),
            ("3.300", Some("3.3")),
            ("-.5", Some("-0.5")),
            ("1e3", Some("1000.0")),
            ("-.inf", Some("-inf")),
            (".nan", Some("nan")),
            ("TRUE", Some("true")),
            ("yes", Some("\"yes\"")),
            ("on", Some("\"on\"")),
            ("1.2.3", Some("\"1.2.3\"")),
            ("1-2", Some("\"1-2\"")),
            ("12:30", Some("\"12:30\"")),
            ("~", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            let found = match core(text) {
                Data::Plain(value, _) => Some(value.to_string()),
                _ => None,
            };
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert!(matches!(core("3.300"), Data::Plain(_, Some(spelt)) if spelt == "3.300"));
        assert!(matches!(core(".5"), Data::Plain(_, None)));
    }
}

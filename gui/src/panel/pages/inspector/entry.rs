//! From what was typed to a value that can be staged, or the reason why not.

use setpoint_bench::Value;
use setpoint_instruments::ParameterStatus;

use crate::panel::format;

/// What was typed for a parameter as a value of the bench file.
///
/// # Errors
/// Why it cannot be, in a few words that fit under the field.
pub fn enter_parameter(parameter: &ParameterStatus, text: &str) -> Result<Value, String> {
    let text = text.trim();
    match parameter.kind {
        "float" => enter_number(text, parameter.range, parameter.unit.as_deref()).map(Value::Float),
        "int" => {
            let value: i64 =
                text.replace('−', "-").parse().map_err(|_| "not a whole number".to_owned())?;
            #[allow(clippy::cast_precision_loss, reason = "instrument integers are small")]
            within(value as f64, parameter.range, parameter.unit.as_deref())?;
            Ok(Value::Int(value))
        }
        "bool" => match text {
            "on" | "true" => Ok(Value::Bool(true)),
            "off" | "false" => Ok(Value::Bool(false)),
            _ => Err("neither on nor off".to_owned()),
        },
        "enum" if !parameter.choices.iter().any(|choice| choice == text) => {
            Err(format!("not one of {}", parameter.choices.join(", ")))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// What was typed as a number within a range.
///
/// # Errors
/// Why it cannot be.
pub fn enter_number(
    text: &str,
    range: Option<(f64, f64)>,
    unit: Option<&str>,
) -> Result<f64, String> {
    let value = format::parse_number(text).ok_or_else(|| "not a number".to_owned())?;
    within(value, range, unit)?;
    Ok(value)
}

fn within(value: f64, range: Option<(f64, f64)>, unit: Option<&str>) -> Result<(), String> {
    let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
    match range {
        Some((least, _)) if value < least => {
            Err(format!("below the minimum of {}{unit}", format::number(least, None)))
        }
        Some((_, greatest)) if value > greatest => {
            Err(format!("above the maximum of {}{unit}", format::number(greatest, None)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_staged_says_why() {
        assert_eq!(enter_number("3,45", Some((0.0, 30.0)), Some("V")), Ok(3.45));
        let check = |text, why: &str| {
            let refused = enter_number(text, Some((0.0, 30.0)), Some("V"));
            assert_eq!(refused, Err(why.to_owned()));
        };
        check("52", "above the maximum of 30 V");
        check("-1", "below the minimum of 0 V");
        check("warm", "not a number");
    }
}

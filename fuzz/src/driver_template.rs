//! Properties of driver files and the templates in them.

use setpoint_instruments::{
    Driver,
    template::{Arg, Form, Template},
    value::ParamValue,
};

/// A driver file; or a template on the first line and lines to read with it on the others.
///
/// A template writes what it reads: fields of a line, written again, read as the same. Values that
/// a parameter accepts go over the wire as something it takes for the same value.
pub fn driver_template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Driver::from_toml("driver.toml", text) {
        Ok(driver) => parameters(&driver),
        Err(error) => {
            assert!(!error.problems.is_empty());
            let lines = text.split('\n').count();
            for problem in &error.problems {
                let (line, column) = (problem.line, problem.column);
                assert!((1..=lines).contains(&line) && column >= 1, "{problem:?}");
                assert!(!problem.message.is_empty());
            }
        }
    }
    let mut lines = text.lines();
    let Some(Ok(template)) = lines.next().map(Template::new) else { return };
    assert_eq!(Some(template.source()), text.lines().next());
    written(&template);
    lines.take(16).for_each(|line| read(&template, line));
}

fn parameters(driver: &Driver) {
    let _ = driver.verify_vectors();
    assert_eq!(driver.facts().len(), driver.params.len());
    for param in driver.params.values() {
        assert_eq!(param.readable(), driver.question(param).is_some(), "{}", param.name);
        let mut values = vec![
            ParamValue::Bool(true),
            ParamValue::Bool(false),
            ParamValue::Int(3),
            ParamValue::Float(0.5),
            ParamValue::Text("x".to_owned()),
        ];
        values.extend(param.choices().into_iter().map(ParamValue::Text));
        if let Some((least, greatest)) = param.range {
            values.extend([least, greatest].map(ParamValue::Float));
        }
        for value in values {
            let Ok(value) = param.accept(&value, param.range) else { continue };
            assert_eq!(param.accept(&value, param.range).as_ref(), Ok(&value), "{}", param.name);
            assert!(param.agrees(&value, &value), "{} {value}", param.name);
            let _ = (param.show(&value), param.is_off(&value));
            let Some(template) = &param.set else { continue };
            let line = template.format(&|_| Some(param.to_arg(&value)));
            if let (Ok(line), Ok(())) = (line, template.check_readable()) {
                let _ = template.parse(&line);
            }
        }
    }
}

/// What a template writes of plain values it reads back.
fn written(template: &Template) {
    if template.check_readable().is_err() {
        return;
    }
    let numbers = |name: &str| match template.form(name) {
        Some(Form::Any) => Some(Arg::Text("7".to_owned())),
        Some(Form::Int { .. }) => Some(Arg::Int(-12)),
        Some(Form::Float { .. }) => Some(Arg::Float(1.5)),
        None => None,
    };
    let line = template.format(&numbers).unwrap_or_else(|error| panic!("{error}"));
    // Text of the template that looks like a part of a value leaves more than one way to read it.
    if plainly_parted(template, &line) {
        let fields = template.parse(&line).unwrap_or_else(|error| panic!("{error}"));
        for name in template.names() {
            assert!(fields.contains_key(name), "{name} of {line:?}");
        }
        assert!(template.parse_any_case(&line).is_ok());
    }
}

/// Whether what stands between holes cannot be taken for a part of a value.
fn plainly_parted(template: &Template, line: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let source = template.source();
    let outside = source.split('{').map(|part| part.split_once('}').map_or(part, |it| it.1));
    line.is_ascii()
        && !source.contains('\\')
        && outside.into_iter().all(|part| !part.contains(number))
}

/// Fields of a line, written again, read as the same.
fn read(template: &Template, line: &str) {
    let any_case = template.parse_any_case(line);
    let Ok(fields) = template.parse(line) else { return };
    assert!(any_case.is_ok() || !line.is_ascii(), "{line:?} with {}", template.source());
    let Ok(again) = template.format(&|name| fields.get(name).cloned()) else { return };
    let mut names: Vec<&str> = template.names().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    let rounded = template
        .names()
        .any(|name| matches!(template.form(name), Some(Form::Float { decimals: Some(_), .. })));
    // A hole that is there twice holds what was read last.
    if names.len() == count && !rounded {
        let back = template.parse(&again);
        assert_eq!(back.as_ref(), Ok(&fields), "{line:?} with {}", template.source());
    }
}

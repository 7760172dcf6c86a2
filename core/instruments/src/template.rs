//! Lines with holes: how a value is written into a message and read out of a reply.
//!
//! `:SOUR1:VOLT {value:.3f}` writes, `{code:d},"{text}"` reads. Everything outside braces must
//! match to the byte; input left over is an error.
//!
//! | hole | writes | reads |
//! |---|---|---|
//! | `{name}` | the value as it is | any text |
//! | `{name:d}`, `{name:04d}`, `{name:+d}` | a whole number | a whole number |
//! | `{name:f}`, `{name:.3f}`, `{name:+.3f}` | a number, with that many digits | a number |
//!
//! `\r`, `\n`, `\t`, `\\` and `\x05` stand for bytes; `{{` and `}}` for braces.

use std::fmt;

use indexmap::IndexMap;

/// What a hole holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// To be matched as it is.
    Text(String),
    /// A hole.
    Field {
        /// Its name.
        name: String,
        /// What it takes and how it is written.
        form: Form,
    },
}

/// How a hole is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Any,
    /// A whole number.
    Int {
        /// Written with a sign always.
        plus: bool,
        /// Filled with zeros to this many characters.
        width: usize,
    },
    /// A number.
    Float {
        /// Written with a sign always.
        plus: bool,
        /// Digits after the point; as many as needed if not given.
        decimals: Option<usize>,
    },
}

/// A value for a hole, or out of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text; written as it is into a hole of any form.
    Text(String),
}

impl fmt::Display for Arg {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value}"),
            Self::Text(value) => out.write_str(value),
        }
    }
}

/// The values read out of a line, by the name of their hole.
pub type Fields = IndexMap<String, Arg>;

/// Why a template, or a line for it, cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template itself is wrong.
    #[error("{0}")]
    Syntax(String),
    /// A line is not what the template says.
    #[error("“{line}” is not of the form “{template}”: {reason}")]
    Mismatch {
        /// The line.
        line: String,
        /// The template.
        template: String,
        /// What differs.
        reason: String,
    },
    /// A value for a hole is missing or of another type.
    #[error("“{template}” needs {needs} for {{{field}}}")]
    Value {
        /// The template.
        template: String,
        /// The hole.
        field: String,
        /// What it takes.
        needs: &'static str,
    },
}

/// A line with holes.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] with the part that is wrong.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        let wrong = |what: String| TemplateError::Syntax(format!("template “{source}”: {what}"));
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source.chars();
        while let Some(c) = rest.next() {
            match c {
                '\\' => text.push(escape(&mut rest).map_err(wrong)?),
                '{' if rest.as_str().starts_with('{') => {
                    rest.next();
                    text.push('{');
                }
                '}' if rest.as_str().starts_with('}') => {
                    rest.next();
                    text.push('}');
                }
                '}' => return Err(wrong("a } without its {; write }} for the character".into())),
                '{' => {
                    let (inside, after) = rest
                        .as_str()
                        .split_once('}')
                        .ok_or_else(|| wrong("a { without its }".into()))?;
                    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
                    if name.is_empty()
                        || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    {
                        return Err(wrong(format!("“{name}” is not a name")));
                    }
                    let form = parse_form(form)
                        .ok_or_else(|| wrong(format!("“{form}” is not a form; d, f or .3f are")))?;
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Field { name: name.to_owned(), form });
                    rest = after.chars();
                }
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { source: source.to_owned(), pieces })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of the holes, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The form of a hole.
    pub fn form(&self, field: &str) -> Option<Form> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Field { name, form } if name == field => Some(*form),
            _ => None,
        })
    }

    /// The same template with one hole filled for good.
    pub fn bind(&self, field: &str, text: &str) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in &self.pieces {
            let piece = match piece {
                Piece::Field { name, .. } if name == field => Piece::Text(text.to_owned()),
                other => other.clone(),
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (_, piece) => pieces.push(piece),
            }
        }
        let mut source = self.source.clone();
        for hole in [format!("{{{field}}}"), format!("{{{field}:d}}")] {
            source = source.replace(&hole, text);
        }
        Self { source, pieces }
    }

    /// Whether lines of this form can be read back: no two holes may touch, and one that stands
    /// there twice must have one form.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] naming the holes.
    pub fn check_readable(&self) -> Result<(), TemplateError> {
        for pair in self.pieces.windows(2) {
            if let [Piece::Field { name: a, .. }, Piece::Field { name: b, .. }] = pair {
                return Err(TemplateError::Syntax(format!(
                    "template “{}”: nothing stands between {{{a}}} and {{{b}}}, so a reply cannot \
                     be told apart",
                    self.source
                )));
            }
        }
        for piece in &self.pieces {
            if let Piece::Field { name, form } = piece
                && self.form(name) != Some(*form)
            {
                return Err(TemplateError::Syntax(format!(
                    "template “{}”: {{{name}}} stands in it in two forms, so no value fits both",
                    self.source
                )));
            }
        }
        Ok(())
    }

    /// The line with values in its holes.
    ///
    /// # Errors
    /// [`TemplateError::Value`] if one is missing or of another type.
    pub fn format(&self, value: &dyn Fn(&str) -> Option<Arg>) -> Result<String, TemplateError> {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Field { name, form } => {
                    let written = value(name).and_then(|arg| write_arg(&arg, *form));
                    line.push_str(&written.ok_or_else(|| TemplateError::Value {
                        template: self.source.clone(),
                        field: name.clone(),
                        needs: needs(*form),
                    })?);
                }
            }
        }
        Ok(line)
    }

    /// The values in a line of this form.
    ///
    /// # Errors
    /// [`TemplateError::Mismatch`] naming the first thing that differs.
    pub fn parse(&self, line: &str) -> Result<Fields, TemplateError> {
        self.read(line, false)
    }

    /// As [`Template::parse`], but letters outside holes match in either case, as devices take
    /// commands.
    ///
    /// # Errors
    /// [`TemplateError::Mismatch`] naming the first thing that differs.
    pub fn parse_any_case(&self, line: &str) -> Result<Fields, TemplateError> {
        self.read(line, true)
    }

    fn read(&self, line: &str, any_case: bool) -> Result<Fields, TemplateError> {
        let mismatch = |reason: String| TemplateError::Mismatch {
            line: visible(line),
            template: self.source.clone(),
            reason,
        };
        let mut fields = Fields::new();
        let mut rest = line;
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let end = starts(rest, text, any_case)
                        .ok_or_else(|| mismatch(format!("expected “{}”", visible(text))))?;
                    rest = &rest[end..];
                }
                Piece::Field { name, form } => {
                    let end = match self.pieces.get(index + 1) {
                        None => rest.len(),
                        // The last text is the end of the line, wherever else it may stand.
                        Some(Piece::Text(text)) if index + 2 == self.pieces.len() => {
                            last_place_of(rest, text, any_case)
                                .ok_or_else(|| mismatch(format!("expected “{}”", visible(text))))?
                        }
                        Some(Piece::Text(text)) => place_of(rest, text, any_case)
                            .ok_or_else(|| mismatch(format!("expected “{}”", visible(text))))?,
                        Some(Piece::Field { .. }) => {
                            return Err(mismatch("two holes touch".to_owned()));
                        }
                    };
                    let (text, after) = rest.split_at(end);
                    let arg = read_arg(text, *form).ok_or_else(|| {
                        mismatch(format!("“{}” is not {}", visible(text), needs(*form)))
                    })?;
                    fields.insert(name.clone(), arg);
                    rest = after;
                }
            }
        }
        if !rest.is_empty() {
            return Err(mismatch(format!("“{}” is left over", visible(rest))));
        }
        Ok(fields)
    }
}

/// Where a text begins that ends a line.
fn last_place_of(line: &str, text: &str, any_case: bool) -> Option<usize> {
    let place = line.len().checked_sub(text.len())?;
    (starts(line.get(place..)?, text, any_case)? == text.len()).then_some(place)
}

/// Control characters made visible, for messages.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

fn escape(rest: &mut std::str::Chars<'_>) -> Result<char, String> {
    match rest.next() {
        Some('r') => Ok('\r'),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('\\') => Ok('\\'),
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| digits.len() == 2)
                .map(char::from)
                .ok_or_else(|| format!("“\\x{digits}” needs two hexadecimal digits"))
        }
        other => Err(format!("“\\{}” is not known", other.map(String::from).unwrap_or_default())),
    }
}

fn parse_form(text: &str) -> Option<Form> {
    if text.is_empty() {
        return Some(Form::Any);
    }
    let (plus, body) = match text.strip_prefix('+') {
        Some(body) => (true, body),
        None => (false, text),
    };
    if let Some(width) = body.strip_suffix('d') {
        let width = if width.is_empty() { 0 } else { width.strip_prefix('0')?.parse().ok()? };
        return (width < 100).then_some(Form::Int { plus, width });
    }
    let digits = body.strip_suffix('f')?;
    let decimals =
        if digits.is_empty() { None } else { Some(digits.strip_prefix('.')?.parse().ok()?) };
    (decimals.unwrap_or(0) < 20).then_some(Form::Float { plus, decimals })
}

fn needs(form: Form) -> &'static str {
    match form {
        Form::Any => "a value",
        Form::Int { .. } => "a whole number",
        Form::Float { .. } => "a number",
    }
}

fn write_arg(arg: &Arg, form: Form) -> Option<String> {
    if let Arg::Text(text) = arg {
        return Some(text.clone());
    }
    match (form, arg) {
        (Form::Any, arg) => Some(arg.to_string()),
        (Form::Int { plus, width }, arg) => {
            let number = match arg {
                Arg::Int(number) => *number,
                #[allow(clippy::cast_possible_truncation, reason = "whole and in range, checked")]
                Arg::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                    *number as i64
                }
                _ => return None,
            };
            Some(if plus { format!("{number:+0width$}") } else { format!("{number:0width$}") })
        }
        (Form::Float { plus, decimals }, arg) => {
            let number = match arg {
                #[allow(clippy::cast_precision_loss, reason = "instrument integers are small")]
                Arg::Int(number) => *number as f64,
                Arg::Float(number) => *number,
                Arg::Text(_) => return None,
            };
            if !number.is_finite() {
                return None;
            }
            let digits = match decimals {
                Some(decimals) => format!("{:.decimals$}", number.abs()),
                None => format!("{}", number.abs()),
            };
            // -0.0004 to three digits is 0.000: some devices refuse a signed zero.
            let zero = digits.chars().all(|c| c == '0' || c == '.');
            let sign = match (number < 0.0 && !zero, plus) {
                (true, _) => "-",
                (false, true) => "+",
                (false, false) => "",
            };
            Some(format!("{sign}{digits}"))
        }
    }
}

fn read_arg(text: &str, form: Form) -> Option<Arg> {
    match form {
        Form::Any => Some(Arg::Text(text.to_owned())),
        Form::Int { .. } => text.trim().parse().ok().map(Arg::Int),
        Form::Float { .. } => {
            let text = text.trim();
            // `nan`, `inf` and `infinity` are words here, not numbers.
            let numeric = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
            text.chars().all(numeric).then(|| text.parse().ok().map(Arg::Float)).flatten()
        }
    }
}

/// Bytes of `line` that `text` takes at its beginning.
fn starts(line: &str, text: &str, any_case: bool) -> Option<usize> {
    let head = line.get(..text.len())?;
    let same = if any_case { head.eq_ignore_ascii_case(text) } else { head == text };
    same.then_some(text.len())
}

fn place_of(line: &str, text: &str, any_case: bool) -> Option<usize> {
    line.char_indices()
        .map(|(place, _)| place)
        .find(|place| line.get(*place..).is_some_and(|rest| starts(rest, text, any_case).is_some()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(template: &str, arg: Arg) -> String {
        Template::new(template).unwrap().format(&|_| Some(arg.clone())).unwrap()
    }

    #[test]
    fn writes() {
        assert_eq!(line(":VOLT {value:.3f}", Arg::Float(5.0)), ":VOLT 5.000");
        assert_eq!(line(":VOLT {value:.3f}", Arg::Int(5)), ":VOLT 5.000");
        assert_eq!(line("{value:.3f}", Arg::Float(-0.0004)), "0.000");
        assert_eq!(line("{value:+.2f}", Arg::Float(4.2)), "+4.20");
        assert_eq!(line("W{value:04d}", Arg::Int(780)), "W0780");
        assert_eq!(line("{value:d}", Arg::Float(3.0)), "3");
        assert_eq!(line("{value}", Arg::Text("ON".into())), "ON");
        assert_eq!(line(r"\x05{{{value}}}\r\n", Arg::Int(1)), "\x05{1}\r\n");
    }

    #[test]
    fn writing_refuses_the_wrong_type() {
        let whole = Template::new("{value:d}").unwrap();
        assert!(whole.format(&|_| Some(Arg::Float(3.5))).is_err());
        assert!(whole.format(&|_| None).is_err());
        let number = Template::new("{value:f}").unwrap();
        assert!(number.format(&|_| Some(Arg::Float(f64::NAN))).is_err());
    }

    #[test]
    fn reads() {
        let error = Template::new(r#"{code:d},"{text}""#).unwrap();
        let fields = error.parse(r#"-113,"Undefined header""#).unwrap();
        assert_eq!(fields["code"], Arg::Int(-113));
        assert_eq!(fields["text"], Arg::Text("Undefined header".into()));
        let triple = Template::new("{volts:f},{amps:f},{watts:f}").unwrap();
        assert_eq!(triple.parse("5.0005,0.4997,+2.5E0").unwrap()["watts"], Arg::Float(2.5));
    }

    #[test]
    fn reading_is_strict() {
        let reading = Template::new("{value:f} K").unwrap();
        for wrong in ["4.2", "4.2 K ", "x K", "nan K", "inf K", "", "4.2 k"] {
            assert!(reading.parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Template::new("OK").unwrap().parse("OKAY").is_err());
    }

    #[test]
    fn bad_templates() {
        for wrong in ["{", "}", "{}", "{a b}", "{v:x}", "{v:.f}", r"\q", r"\x5", "{v:5d}"] {
            assert!(Template::new(wrong).is_err(), "{wrong}");
        }
        assert!(Template::new("{a}{b}").unwrap().check_readable().is_err());
        assert!(Template::new("{a:d},{a:f}").unwrap().check_readable().is_err());
        assert!(Template::new("{a:d},{a:d}").unwrap().check_readable().is_ok());
    }

    #[test]
    fn binding_fills_a_hole_for_good() {
        let bound = Template::new(":SOUR{ch}:VOLT {value:.3f}").unwrap().bind("ch", "2");
        assert_eq!(bound.names().collect::<Vec<_>>(), ["value"]);
        assert_eq!(bound.format(&|_| Some(Arg::Float(1.0))).unwrap(), ":SOUR2:VOLT 1.000");
        assert_eq!(bound.source(), ":SOUR2:VOLT {value:.3f}");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            value in -1e6..1e6f64, decimals in 0usize..7, before in "[A-Z:? ]{0,8}",
            after in "( [A-Za-z]{1,3})?", plus: bool,
        ) {
            let sign = if plus { "+" } else { "" };
            let template =
                Template::new(&format!("{before}{{value:{sign}.{decimals}f}}{after}")).unwrap();
            let line = template.format(&|_| Some(Arg::Float(value))).unwrap();
            let fields = template.parse(&line).unwrap();
            let Arg::Float(back) = fields["value"] else { panic!("not a number") };
            let precision = 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap());
            prop_assert!((back - value).abs() <= precision * 1.0001 + 1e-9);
        }

        #[test]
        fn whole_numbers_read_back(value: i64, width in 1usize..12) {
            let template = Template::new(&format!("P {{value:0{width}d}};")).unwrap();
            let line = template.format(&|_| Some(Arg::Int(value))).unwrap();
            prop_assert_eq!(&template.parse(&line).unwrap()["value"], &Arg::Int(value));
        }

        #[test]
        fn no_input_panics(source in ".{0,30}", line in ".{0,30}") {
            if let Ok(template) = Template::new(&source) {
                let _ = template.parse(&line);
                let _ = template.parse_any_case(&line);
            }
        }
    }
}

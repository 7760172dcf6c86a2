//! What keys take and what changing them does, in words for people.

use super::{FRAMES, Kind, MODULE_TYPES, Merge, SIDE, SOURCE_TYPES};
use crate::diff::Effect;

/// More words than this are not listed where there is little room.
pub(super) const FEW: usize = 10;

impl Kind {
    /// What a key of this kind takes, code between backticks: `` `true` or `false` ``.
    pub fn takes(self) -> String {
        match self {
            Self::Group | Self::Line => "keys of its own".to_owned(),
            Self::Instrument | Self::Source | Self::Module => "a table".to_owned(),
            Self::Named(what) => format!("tables, one for {what}"),
            Self::Template => "a table with any keys".to_owned(),
            Self::With => "values by placeholder".to_owned(),
            Self::Setpoints => "a value for each parameter".to_owned(),
            Self::Limits => "`[least, greatest]` for each parameter".to_owned(),
            Self::Roles => "names by role".to_owned(),
            Self::Role => "a name or a list of names".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Files => "a list of files".to_owned(),
            Self::Paths => "a list of paths of keys".to_owned(),
            Self::Condition => "a condition as text".to_owned(),
            Self::Actions => "a list of settings as text".to_owned(),
            Self::TemplateName => "the name of a template".to_owned(),
            Self::Driver => "the name of a driver".to_owned(),
            Self::Choice(words) if words.len() > FEW => format!("one of {} words", words.len()),
            Self::Choice(words) => either(words),
            Self::SourceType => either(SOURCE_TYPES),
            Self::ModuleType => either(MODULE_TYPES),
            Self::Whole(least, greatest) => {
                format!("a whole number, {} to {}", grouped(least), grouped(greatest))
            }
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Duration(least, greatest) => format!("a duration, {least} to {greatest}"),
            Self::DurationOrOff(least, greatest) => {
                format!("a duration, {least} to {greatest}, or `\"off\"`")
            }
            Self::Format => "`1`".to_owned(),
            Self::Address => "`tcp://HOST:PORT`, `serial:///dev/…` or `sim:`".to_owned(),
            Self::MountPoint => "a path such as `/pattern`".to_owned(),
            Self::Resolution => {
                let (least, greatest) = SIDE;
                format!("width and height, each {least} to {greatest}: `\"1280x720\"`")
            }
            Self::Framerate => {
                let (least, greatest) = FRAMES;
                format!("{least} to {greatest}, or a fraction as text: `\"30000/1001\"`")
            }
        }
    }
}

impl Effect {
    /// What a change with this effect does, after “changing it”: `restarts this one`.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "changes nothing that runs",
            Self::Live => "takes effect while everything runs",
            Self::Renegotiate => "gives the stream another shape, viewers stay connected",
            Self::Restart => "restarts this one alone",
            Self::Connect => "connects or disconnects it",
            Self::Disconnect => "disconnects it",
        }
    }
}

impl Merge {
    /// What becomes of the value below, in one or two words: `replaces`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Replace => "replaces",
            Self::Deep => "merges",
            Self::Append => "replaces or appends",
        }
    }
}

/// `` `"a"`, `"b"` or `"c"` ``
fn either(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// `100,000`
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_choices_are_in_the_words() {
        let whole = Kind::Whole(-1_000, 4_000_000);
        assert_eq!(whole.takes(), "a whole number, -1,000 to 4,000,000");
        assert_eq!(Kind::Whole(1, 999).takes(), "a whole number, 1 to 999");
        assert_eq!(Kind::Choice(&["a", "b", "c"]).takes(), "`\"a\"`, `\"b\"` or `\"c\"`");
        assert_eq!(Kind::Choice(&["a"]).takes(), "`\"a\"`");
    }
}

//! How text may look where it goes: colours and width.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    os::fd::AsFd,
};

/// Columns taken where nobody says how many there are.
const WIDTH: usize = 100;
/// Narrower than this nothing can be shown well; it is not tried.
const NARROWEST: usize = 40;

/// A colour or weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Wrong, gone, dangerous.
    Red,
    /// To be looked at.
    Yellow,
    /// Fine, added.
    Green,
    /// What runs on and only changes its shape.
    Cyan,
    /// More weight.
    Bold,
    /// Less weight.
    Dim,
    /// The words that differ in a line that was taken out.
    RedWord,
    /// Likewise in a line that was put in.
    GreenWord,
}

/// How text may look on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether colours may be used.
    pub colours: bool,
    /// Columns.
    pub width: usize,
    /// Whether lines are broken to the width: on a terminal, not where programs search in them.
    pub breaks: bool,
}

impl Look {
    /// Without colours.
    #[cfg(test)]
    pub const PLAIN: Self = Self { colours: false, width: WIDTH, breaks: false };

    /// Of stdout.
    pub fn stdout() -> Self {
        Self::of(&io::stdout())
    }

    /// Of stderr.
    pub fn stderr() -> Self {
        Self::of(&io::stderr())
    }

    fn of(stream: &(impl AsFd + IsTerminal)) -> Self {
        let terminal = stream.is_terminal();
        let size = terminal.then(|| rustix::termios::tcgetwinsize(stream).ok()).flatten();
        let width = size.map_or(0, |size| usize::from(size.ws_col));
        Self {
            colours: colours(terminal, &|name| env::var_os(name)),
            width: if width == 0 { WIDTH } else { width.max(NARROWEST) },
            breaks: terminal,
        }
    }

    /// A text in a tone, where tones may be used.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colours || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Red => "1;31",
            Tone::Yellow => "1;33",
            Tone::Green => "32",
            Tone::Cyan => "36",
            Tone::Bold => "1",
            Tone::Dim => "2",
            Tone::RedWord => "1;7;31",
            Tone::GreenWord => "1;7;32",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// As usual (bixense.com/clicolors, no-color.org): `NO_COLOR` takes colours away, else
/// `CLICOLOR_FORCE` gives them, else a terminal that can has them unless `CLICOLOR` is 0.
fn colours(terminal: bool, variable: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        false
    } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        true
    } else {
        terminal
            && set("CLICOLOR").is_none_or(|value| value != "0")
            && set("TERM").is_none_or(|term| term != "dumb")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides_on_colours() {
        for (terminal, variables, expected) in [
            (true, &[][..], true),
            (false, &[], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (true, &[("CLICOLOR", "0")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("TERM", "xterm")], true),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(it, _)| *it == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(colours(terminal, &variable), expected, "{terminal} {variables:?}");
        }
    }
}

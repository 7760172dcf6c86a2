//! Text that others wrote, made fit to be shown on a terminal.
//!
//! A file, a name or an answer may hold what moves the cursor, changes colours or turns the
//! direction of writing. None of it reaches the terminal: it is shown as `\u{1b}`.

use std::{borrow::Cow, fmt::Write as _};

use unicode_width::UnicodeWidthChar;

/// Marks that may stand on one letter (accents); more would be painted over other lines.
const MARKS: usize = 3;

/// Adds letters to a text, those unfit for a terminal escaped.
#[derive(Debug, Default)]
pub struct Escape {
    marks: usize,
}

impl Escape {
    /// Adds one letter. A tab stays.
    pub fn push(&mut self, out: &mut String, letter: char) {
        let mark = !letter.is_ascii() && letter.width() == Some(0);
        self.marks = if mark { self.marks + 1 } else { 0 };
        if letter == '\t' || (harmless(letter) && self.marks <= MARKS) {
            out.push(letter);
        } else {
            // Writing to a text cannot fail.
            let _ = match letter {
                '\n' | '\r' => write!(out, "{}", letter.escape_default()),
                _ => write!(out, "{}", letter.escape_unicode()),
            };
        }
    }
}

/// Whether a letter can be printed in the middle of a text and takes the room it seems to.
fn harmless(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_control();
    }
    // The standard library knows what can be printed; a mark counts as such behind a letter only.
    let mut text = [b'a', 0, 0, 0, 0];
    let length = letter.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..=length]).is_ok_and(|text| !text.escape_debug().any(|it| it == '\\'))
}

/// A text as one line without anything that would steer the terminal.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut escape = Escape::default();
    Cow::Owned(text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        escape.push(&mut out, letter);
        out
    }))
}

/// The same for a text whose line ends are meant.
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// At most so many letters of a text as one line, with `…` for the rest.
pub fn start(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => line(text).into_owned(),
        Some(_) => {
            let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
            format!("{}…", line(&text[..end]))
        }
    }
}

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// Breaks a text between words so that no line takes more columns than this, as far as its words
/// let it.
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split(' ') {
        let wide = columns(word);
        if used > 0 && used + 1 + wide > width {
            out.push('\n');
            used = 0;
        } else if !out.is_empty() {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += wide;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        for (hostile, shown) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\rb\nc", "a\\rb\\nc"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}drowssap", "\\u{202e}drowssap"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{2028}", "\\u{2028}"),
            ("\u{7f}\0", "\\u{7f}\\u{0}"),
            ("\u{feff}", "\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(line(hostile), shown);
        }
    }

    #[test]
    fn letters_of_all_languages_pass() {
        for text in ["µΩ 25 °C", "温度", "e\u{301}te\u{301}", "“x” → y\\z", "a\tb", "🔬"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let tower = format!("a{}", "\u{301}".repeat(50));
        assert_eq!(line(&tower).matches('\u{301}').count(), MARKS);
    }

    #[test]
    fn cutting_and_breaking_count_letters_and_columns() {
        assert_eq!(start("äöüß", 4), "äöüß");
        assert_eq!(start("äöüßx", 4), "äöü…");
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("a-word-too-long it is", 5), "a-word-too-long\nit is");
        assert_eq!(wrap("温度 温度", 4), "温度\n温度");
    }
}

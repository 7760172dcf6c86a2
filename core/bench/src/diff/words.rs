//! What differs inside a line, and how much of two lines is the same.

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::Piece;

/// Lines that have less than this in common are not shown as one changed line.
pub(super) const ALIKE: f32 = 0.4;

/// Words of a line that are looked at to tell how like another it is.
const LOOKED_AT: usize = 200;

/// Where more words than this differ between two lines, all of them are said to.
const COMPARED: usize = 1_000;

/// The pieces of a line and of what it was changed to. What differs is emphasised by words: a
/// number, a name or a sign is emphasised as a whole.
pub(super) fn emphasis(
    old: &str,
    new: &str,
    deadline: Option<Instant>,
) -> (Vec<Piece>, Vec<Piece>) {
    let (old, new) = (words(old), words(new));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), &new[head..]);
    let both = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = both.take_while(|(a, b)| a == b).count();
    let (old_middle, old_tail) = old_rest.split_at(old_rest.len() - tail);
    let (new_middle, new_tail) = new_rest.split_at(new_rest.len() - tail);

    let (mut left, mut right) = (Side::default(), Side::default());
    left.add(old.get(..head).unwrap_or_default(), false);
    right.add(new.get(..head).unwrap_or_default(), false);
    if old_middle.len().max(new_middle.len()) > COMPARED {
        left.add(old_middle, true);
        right.add(new_middle, true);
    } else {
        let ops = capture_diff_slices_deadline(Algorithm::Myers, old_middle, new_middle, deadline);
        for op in ops {
            let same = matches!(op, DiffOp::Equal { .. });
            left.add(old_middle.get(op.old_range()).unwrap_or_default(), !same);
            right.add(new_middle.get(op.new_range()).unwrap_or_default(), !same);
        }
    }
    left.add(old_tail, false);
    right.add(new_tail, false);
    (left.joined(), right.joined())
}

/// Pieces of one line while they are found.
#[derive(Default)]
struct Side(Vec<Piece>);

impl Side {
    fn add(&mut self, words: &[&str], emphasised: bool) {
        for word in words {
            match self.0.last_mut() {
                Some(last) if last.emphasised == emphasised => last.text.push_str(word),
                _ => self.0.push(Piece { text: (*word).to_owned(), emphasised }),
            }
        }
    }

    /// Spaces between emphasised words are emphasised with them: one mark, not many.
    fn joined(self) -> Vec<Piece> {
        let mut joined: Vec<Piece> = Vec::with_capacity(self.0.len());
        let mut all = self.0.into_iter().peekable();
        while let Some(mut piece) = all.next() {
            let between = joined.last().is_some_and(|last| last.emphasised) && all.peek().is_some();
            piece.emphasised |= between && piece.text.trim().is_empty();
            match joined.last_mut() {
                Some(last) if last.emphasised == piece.emphasised => {
                    last.text.push_str(&piece.text)
                }
                _ => joined.push(piece),
            }
        }
        joined
    }
}

/// A line cut into names and numbers (`ch1`, `-3.300`, `192.0.2.21`), stretches of spaces, and
/// signs one by one.
fn words(line: &str) -> Vec<&str> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Space,
        Name,
        Number,
        Sign,
    }
    let mut words = Vec::new();
    let mut start = 0;
    let mut kind: Option<Kind> = None;
    let mut all = line.char_indices().peekable();
    while let Some((at, letter)) = all.next() {
        let next_is_digit = all.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let here = match letter {
            _ if letter.is_whitespace() => Kind::Space,
            '.' if kind == Some(Kind::Number) && next_is_digit => Kind::Number,
            // Letters go on with a number: `250ms`, `1280x720`.
            _ if letter.is_alphanumeric() || matches!(letter, '_' | '-') => match kind {
                Some(Kind::Name) => Kind::Name,
                Some(Kind::Number) => Kind::Number,
                _ if letter.is_ascii_digit() || (letter == '-' && next_is_digit) => Kind::Number,
                _ => Kind::Name,
            },
            _ => Kind::Sign,
        };
        if kind.is_some_and(|kind| kind != here || kind == Kind::Sign) {
            words.push(line.get(start..at).unwrap_or_default());
            start = at;
        }
        kind = Some(here);
    }
    if start < line.len() {
        words.push(line.get(start..).unwrap_or_default());
    }
    words
}

/// What tells how like another a line is.
pub(super) struct Look<'l> {
    /// `ch1.voltage` of `ch1.voltage = 3.3`.
    pub(super) key: &'l str,
    has_value: bool,
    /// In alphabetical order, without spaces.
    words: Vec<&'l str>,
    weight: usize,
}

impl<'l> Look<'l> {
    pub(super) fn of(line: &'l str) -> Self {
        let line = line.trim();
        let key = line.split_once('=').filter(|(key, _)| !key.starts_with('#'));
        let start = line.char_indices().nth(LOOKED_AT * 8).map_or(line.len(), |(at, _)| at);
        let mut words = words(line.get(..start).unwrap_or_default());
        words.retain(|word| !word.trim().is_empty());
        words.truncate(LOOKED_AT);
        words.sort_unstable();
        let weight = words.iter().map(|word| word.len()).sum();
        let (has_value, key) = (key.is_some(), key.map_or(line, |(key, _)| key.trim_end()));
        Self { key, has_value, words, weight }
    }

    /// How much of two lines is the same, from 0 to 1. A value that was given another is the
    /// same line, however little is left of it.
    pub(super) fn alike(&self, other: &Self) -> f32 {
        let mut common = 0;
        let (mut mine, mut theirs) = (self.words.iter().peekable(), other.words.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(mine.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += a.len();
                    mine.next();
                    theirs.next();
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a few thousand at most")]
        let share = match self.weight + other.weight {
            0 => 1.0,
            all => 2.0 * common as f32 / all as f32,
        };
        let same_key = self.has_value && other.has_value && self.key == other.key;
        if same_key { 0.5 + share / 2.0 } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_words() {
        for (line, expected) in [
            ("ch1.voltage = -3.300", "ch1|.|voltage| |=| |-3.300"),
            ("a=[0.0, 1e-6]# µ-x", "a|=|[|0.0|,| |1e-6|]|#| |µ-x"),
            ("x = \"tcp://192.0.2.21:5555\"", "x| |=| |\"|tcp|:|/|/|192.0.2.21|:|5555|\""),
            ("wait = '250ms' ..", "wait| |=| |'|250ms|'| |.|."),
            ("", ""),
        ] {
            assert_eq!(words(line).join("|"), expected);
        }
    }

    /// Both lines, emphasis in brackets.
    fn shown(old: &str, new: &str) -> [String; 2] {
        let (left, right) = emphasis(old, new, None);
        [left, right].map(|pieces| {
            pieces
                .iter()
                .map(|it| if it.emphasised { format!("⟦{}⟧", it.text) } else { it.text.clone() })
                .collect()
        })
    }

    #[test]
    fn only_what_differs_is_emphasised() {
        for (old, new, expected) in [
            ("v = [0.0, 3.6]", "v = [0.0, 3.45]", ["v = [0.0, ⟦3.6⟧]", "v = [0.0, ⟦3.45⟧]"]),
            ("v = -3.3", "v = 3.3", ["v = ⟦-3.3⟧", "v = ⟦3.3⟧"]),
            ("ch1.v = 1", "ch2.v = 1", ["⟦ch1⟧.v = 1", "⟦ch2⟧.v = 1"]),
            (
                "a = \"tcp://192.0.2.21:5555\"",
                "a = \"tcp://192.0.2.22:5555\"",
                ["a = \"tcp://⟦192.0.2.21⟧:5555\"", "a = \"tcp://⟦192.0.2.22⟧:5555\""],
            ),
            ("a = 'on'", "a = \"off\"", ["a = ⟦'on'⟧", "a = ⟦\"off\"⟧"]),
            ("a=1", "a = 1", ["a=1", "a⟦ ⟧=⟦ ⟧1"]),
            ("# one two", "# six ten", ["# ⟦one two⟧", "# ⟦six ten⟧"]),
            ("a = 1", "a = 1 # why", ["a = 1", "a = 1⟦ # why⟧"]),
        ] {
            assert_eq!(shown(old, new), expected);
        }
    }

    #[test]
    fn a_value_given_anew_is_the_same_line() {
        let alike = |a, b| Look::of(a).alike(&Look::of(b));
        assert!(alike("address = \"sim:\"", "address = \"tcp://192.0.2.21:5555\"") >= ALIKE);
        assert!(alike("a = 3.3", "a = 'x'") >= ALIKE);
        assert!(alike("[instruments.a]", "[instruments.b]") >= ALIKE);
        assert!(alike("type = 'x'", "label = 'other'") < ALIKE);
        assert!(alike("x = 1", "y = 2") < ALIKE);
        assert!(alike("# one", "voltage = 3.3") < ALIKE);
    }
}

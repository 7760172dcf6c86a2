//! Two texts line by line in one column.

use serde::Serialize;
use setpoint_bench::diff::{Line, Piece, Row};

use crate::cli::{
    look::{Look, Tone},
    printable,
};

/// A line is cut after so many letters.
const LONGEST: usize = 400;

/// One line of the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unified<'r> {
    /// `=` in both, `-` taken out, `+` put in, `…` so many lines in both are left out.
    pub mark: char,
    /// Its number in the first text.
    pub old: Option<usize>,
    /// Its number in the second text.
    pub new: Option<usize>,
    /// The line; what differs within it is emphasised.
    #[serde(flatten)]
    pub content: Content<'r>,
}

/// What a line of the view holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content<'r> {
    /// Pieces of a line, and whether each is what differs.
    #[serde(rename = "pieces")]
    Line(Vec<(&'r str, bool)>),
    /// How many lines are left out.
    Folded(usize),
}

/// Rows of a side-by-side view below each other: a line that was changed is taken out and put in.
pub fn unified(rows: &[Row]) -> Vec<Unified<'_>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Row::Same(old, new) => out.push(Unified {
                mark: '=',
                old: Some(old.number),
                new: Some(new.number),
                content: Content::of(new),
            }),
            Row::Differs(old, new) => {
                out.extend(old.as_ref().map(|old| Unified {
                    mark: '-',
                    old: Some(old.number),
                    new: None,
                    content: Content::of(old),
                }));
                out.extend(new.as_ref().map(|new| Unified {
                    mark: '+',
                    old: None,
                    new: Some(new.number),
                    content: Content::of(new),
                }));
            }
            Row::Folded(count) => out.push(Unified {
                mark: '…',
                old: None,
                new: None,
                content: Content::Folded(*count),
            }),
        }
    }
    out
}

impl<'r> Content<'r> {
    fn of(line: &'r Line) -> Self {
        let piece = |piece: &'r Piece| (piece.text.as_str(), piece.emphasised);
        Self::Line(line.pieces.iter().map(piece).collect())
    }
}

/// The view for a terminal: numbers of both texts, a mark, the line.
pub fn draw(lines: &[Unified<'_>], look: Look) -> Vec<String> {
    let widest = lines.iter().filter_map(|line| line.old.max(line.new)).max().unwrap_or(0);
    let digits = widest.to_string().len();
    lines.iter().map(|line| draw_one(line, digits, look)).collect()
}

fn draw_one(line: &Unified<'_>, digits: usize, look: Look) -> String {
    let pieces = match &line.content {
        Content::Line(pieces) => pieces,
        Content::Folded(count) => {
            let margin = " ".repeat(2 * digits + 1);
            return look.paint(Tone::Dim, &format!("{margin} … {count} lines are the same"));
        }
    };
    let number =
        |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
    let margin = format!("{:>digits$} {:>digits$}", number(line.old), number(line.new));
    let (mark, tone, word) = match line.mark {
        '-' => ("-", Some(Tone::Red), Tone::RedWord),
        '+' => ("+", Some(Tone::Green), Tone::GreenWord),
        _ => (" ", None, Tone::Bold),
    };
    let mut out = look.paint(Tone::Dim, &margin);
    out.push(' ');
    let paint = |text: &str| tone.map_or_else(|| text.to_owned(), |tone| look.paint(tone, text));
    out.push_str(&paint(&format!("{mark} ")));
    let mut left = LONGEST;
    for (text, emphasised) in pieces {
        if left == 0 {
            out.push('…');
            break;
        }
        let shown = printable::start(text, left);
        left -= text.chars().take(left).count();
        out.push_str(&if *emphasised { look.paint(word, &shown) } else { paint(&shown) });
    }
    // Nothing to see at its end is nothing to print.
    out.truncate(out.trim_end_matches(' ').len());
    out
}

#[cfg(test)]
mod tests {
    use setpoint_bench::diff::side_by_side;

    use super::*;

    const OLD: &str = "a\nb\nc\nvoltage = 3.300 # bias\nd\ne\nf\n";
    const NEW: &str = "a\nb\nc\nvoltage = 3.450 # bias\nx = \"\u{1b}[2J\"\nd\ne\nf\n";

    #[test]
    fn a_changed_line_is_taken_out_and_put_in() {
        let rows = side_by_side(OLD, NEW, 1);
        assert_eq!(
            draw(&unified(&rows), Look::PLAIN),
            [
                "    … 2 lines are the same",
                "3 3   c",
                "4   - voltage = 3.300 # bias",
                "  4 + voltage = 3.450 # bias",
                "  5 + x = \"\\u{1b}[2J\"",
                "5 6   d",
                "    … 2 lines are the same",
            ]
        );
    }

    #[test]
    fn words_that_differ_stand_out() {
        let rows = side_by_side(OLD, NEW, 0);
        let drawn = draw(&unified(&rows), Look { colours: true, ..Look::PLAIN });
        assert!(drawn[1].contains("\u{1b}[1;7;31m3.300\u{1b}[0m"), "{:?}", drawn[1]);
        assert!(drawn[2].contains("\u{1b}[1;7;32m3.450\u{1b}[0m"), "{:?}", drawn[2]);
    }

    #[test]
    fn a_long_line_is_cut() {
        let long = "x".repeat(1 << 20);
        let rows = side_by_side("", &long, 0);
        let drawn = draw(&unified(&rows), Look::PLAIN);
        assert!(drawn[0].ends_with("x…") && drawn[0].len() < 500, "{}", drawn[0].len());
    }
}

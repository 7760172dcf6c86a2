//! Lines of a bench file, coloured.

use std::ops::Range;

use egui::{Color32, Stroke, TextFormat, text::LayoutJob};
use setpoint_bench::diff::Piece;

use crate::panel::theme::{self, Tokens};

/// What a stretch of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    Table,
    Text,
    Comment,
}

/// The parts of one line. Texts that span lines are not followed: a line is coloured by itself.
fn parts(line: &str) -> Vec<(Range<usize>, Part)> {
    let mut parts = Vec::new();
    let mut from = 0;
    let header = line.trim_start().starts_with('[');
    let base = if header { Part::Table } else { Part::Plain };
    let mut quote: Option<(char, usize)> = None;
    let mut escaped = false;
    let mut put = |range: Range<usize>, part| {
        if !range.is_empty() {
            parts.push((range, part));
        }
    };
    for (index, letter) in line.char_indices() {
        match quote {
            Some((open, start)) => {
                if escaped {
                    escaped = false;
                } else if letter == '\\' && open == '"' {
                    escaped = true;
                } else if letter == open {
                    put(start..index + 1, if header { base } else { Part::Text });
                    from = index + 1;
                    quote = None;
                }
            }
            None if letter == '"' || letter == '\'' => {
                put(from..index, base);
                from = index;
                quote = Some((letter, index));
            }
            None if letter == '#' => {
                put(from..index, base);
                put(index..line.len(), Part::Comment);
                return parts;
            }
            // The brackets themselves stay plain.
            None if header && (letter == '[' || letter == ']') => {
                put(from..index, base);
                put(index..index + 1, Part::Plain);
                from = index + 1;
            }
            None => {}
        }
    }
    put(from..line.len(), if quote.is_some() { Part::Text } else { base });
    parts
}

/// How the differing words of a line stand out.
#[derive(Debug, Clone, Copy)]
pub struct Emphasis {
    /// Behind them.
    pub ground: Color32,
    /// They themselves.
    pub text: Color32,
}

/// A line of a side-by-side view.
pub fn line(pieces: &[Piece], emphasis: Emphasis, tokens: &Tokens) -> LayoutJob {
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let parts = parts(&text);
    let mut job = LayoutJob::default();
    let mut start = 0;
    for piece in pieces {
        let end = start + piece.text.len();
        if piece.emphasised {
            let mut format = TextFormat::simple(theme::mono(), emphasis.text);
            format.background = emphasis.ground;
            job.append(&text[start..end], 0.0, format);
        } else {
            for (range, part) in &parts {
                let (from, to) = (range.start.max(start), range.end.min(end));
                if from < to {
                    let format = TextFormat::simple(theme::mono(), colour(*part, tokens));
                    job.append(&text[from..to], 0.0, format);
                }
            }
        }
        start = end;
    }
    job
}

/// A line with one stretch underlined: what a finding is about. The range counts bytes.
pub fn underlined(text: &str, span: Range<usize>, tone: Color32, tokens: &Tokens) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (range, part) in parts(text) {
        let cuts = [
            (range.start..range.end.min(span.start), false),
            (range.start.max(span.start)..range.end.min(span.end), true),
            (range.start.max(span.end)..range.end, false),
        ];
        for (cut, marked) in cuts {
            if cut.start >= cut.end {
                continue;
            }
            let colour = if marked { tone } else { colour(part, tokens) };
            let mut format = TextFormat::simple(theme::mono(), colour);
            if marked {
                format.underline = Stroke::new(1.5, tone);
            }
            job.append(&text[cut], 0.0, format);
        }
    }
    job
}

fn colour(part: Part, tokens: &Tokens) -> Color32 {
    match part {
        Part::Plain => tokens.text,
        Part::Table => tokens.syntax_table,
        Part::Text => tokens.syntax_text,
        Part::Comment => tokens.dim,
    }
}

/// The bytes between two columns that count characters from 1; clamped to the line.
pub fn columns(line: &str, from: u32, to: u32) -> Range<usize> {
    let byte = |column: u32| {
        line.char_indices()
            .nth(column.saturating_sub(1) as usize)
            .map_or(line.len(), |(index, _)| index)
    };
    let start = byte(from);
    start..byte(to).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> Vec<(&str, Part)> {
        parts(line).into_iter().map(|(range, part)| (&line[range], part)).collect()
    }

    #[test]
    fn tables_texts_and_comments_are_told_apart() {
        assert_eq!(
            seen("[sources.a] # x"),
            [
                ("[", Part::Plain),
                ("sources.a", Part::Table),
                ("]", Part::Plain),
                (" ", Part::Table),
                ("# x", Part::Comment)
            ]
        );
        assert_eq!(
            seen(r##"a = "x # \" y" # z"##),
            [
                ("a = ", Part::Plain),
                (r##""x # \" y""##, Part::Text),
                (" ", Part::Plain),
                ("# z", Part::Comment)
            ]
        );
        assert_eq!(seen("a = \"open"), [("a = ", Part::Plain), ("\"open", Part::Text)]);
    }

    #[test]
    fn nothing_is_lost_whatever_the_emphasis() {
        let pieces = [("a = \"6", false), ("40", true), ("x480\" # ü", false)]
            .map(|(text, emphasised)| Piece { text: text.into(), emphasised });
        let emphasis = Emphasis { ground: Color32::RED, text: Color32::BLACK };
        let job = line(&pieces, emphasis, &theme::DARK);
        assert_eq!(job.text, "a = \"640x480\" # ü");
        assert!(job.sections.iter().any(|it| it.format.background == Color32::RED));
        let job =
            underlined("a = \"ü\" # x", columns("a = \"ü\" # x", 5, 8), Color32::RED, &theme::DARK);
        assert_eq!(job.text, "a = \"ü\" # x");
        let marked: Vec<_> =
            job.sections.iter().filter(|it| it.format.underline.width > 0.0).collect();
        assert_eq!(marked.len(), 1);
    }

    #[test]
    fn columns_outside_a_line_are_clamped() {
        assert_eq!(columns("aüb", 2, 3), 1..3);
        assert_eq!(columns("ab", 9, 12), 2..2);
        assert_eq!(columns("ab", 0, 0), 0..0);
    }
}

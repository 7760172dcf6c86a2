//! Two texts side by side.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, TextDiff};

use super::{Line, LineEnd, Piece, Row, pairs::pairs, words};

/// After this long the differences found are still right, but may be more than there need be.
const LONGEST: Duration = Duration::from_millis(500);

/// Two texts side by side, `context` unchanged lines kept around each difference; all of them with
/// [`usize::MAX`]. Ends of lines are not compared, a byte order mark is left out.
pub fn side_by_side(old: &str, new: &str, context: usize) -> Vec<Row> {
    // Lines and words together: many long lines do not take longer than few.
    let deadline = Instant::now().checked_add(LONGEST);
    let (old, old_ends) = lines(old);
    let (new, new_ends) = lines(new);
    let line = |ends: &[LineEnd], at: usize, pieces| {
        let end = ends.get(at).copied().unwrap_or(LineEnd::Open);
        Line { number: at + 1, pieces, end }
    };
    let left = |at: usize| line(&old_ends, at, whole(old.get(at)));
    let right = |at: usize| line(&new_ends, at, whole(new.get(at)));

    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Myers);
    if let Some(deadline) = deadline {
        config.deadline(deadline);
    }
    let diff = config.diff_slices(&old, &new);
    let mut rows = Vec::new();
    let ops = diff.ops();
    for (place, op) in ops.iter().enumerate() {
        match *op {
            DiffOp::Equal { old_index, new_index, len } => {
                let before = if place == 0 { 0 } else { context };
                let after = if place + 1 == ops.len() { 0 } else { context };
                let same = |at: usize| Row::Same(left(old_index + at), right(new_index + at));
                let shown = before.saturating_add(after);
                let hidden = if context == usize::MAX { 0 } else { len.saturating_sub(shown) };
                // A note takes as much room as the one line that it would stand for.
                if hidden < 2 {
                    rows.extend((0..len).map(same));
                } else {
                    rows.extend((0..before).map(same));
                    rows.push(Row::Folded(hidden));
                    rows.extend((len - after..len).map(same));
                }
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                let gone = old_index..old_index + old_len;
                rows.extend(gone.map(|at| Row::Differs(Some(left(at)), None)));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                let added = new_index..new_index + new_len;
                rows.extend(added.map(|at| Row::Differs(None, Some(right(at)))));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let gone = old.get(old_index..old_index + old_len).unwrap_or_default();
                let added = new.get(new_index..new_index + new_len).unwrap_or_default();
                for (mine, theirs) in pairs(gone, added, deadline) {
                    let (mine, theirs) =
                        (mine.map(|at| old_index + at), theirs.map(|at| new_index + at));
                    rows.push(match (mine, theirs) {
                        (Some(mine), Some(theirs)) => {
                            let (was, is) = words::emphasis(
                                old.get(mine).copied().unwrap_or_default(),
                                new.get(theirs).copied().unwrap_or_default(),
                                deadline,
                            );
                            Row::Differs(
                                Some(line(&old_ends, mine, was)),
                                Some(line(&new_ends, theirs, is)),
                            )
                        }
                        _ => Row::Differs(mine.map(left), theirs.map(right)),
                    });
                }
            }
        }
    }
    rows
}

/// The lines of a text, and how each of them ends.
fn lines(text: &str) -> (Vec<&str>, Vec<LineEnd>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split_inclusive('\n').map(cut).unzip()
}

fn cut(line: &str) -> (&str, LineEnd) {
    let Some(line) = line.strip_suffix('\n') else { return (line, LineEnd::Open) };
    match line.strip_suffix('\r') {
        Some(line) => (line, LineEnd::CrLf),
        None => (line, LineEnd::Lf),
    }
}

fn whole(line: Option<&&str>) -> Vec<Piece> {
    let text = line.copied().unwrap_or_default();
    if text.is_empty() {
        return Vec::new();
    }
    vec![Piece { text: text.to_owned(), emphasised: false }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as text: emphasis in brackets, a gap where a side has no line.
    fn rows(old: &str, new: &str, context: usize) -> Vec<String> {
        let line = |line: &Line| {
            let text: String = line
                .pieces
                .iter()
                .map(|piece| {
                    if piece.emphasised { format!("[{}]", piece.text) } else { piece.text.clone() }
                })
                .collect();
            format!("{} {text}", line.number)
        };
        let side = |side: &Option<Line>| side.as_ref().map_or("-".to_owned(), line);
        side_by_side(old, new, context)
            .iter()
            .map(|row| match row {
                Row::Same(old, new) => format!("{} = {}", line(old), line(new)),
                Row::Differs(old, new) => format!("{} | {}", side(old), side(new)),
                Row::Folded(count) => format!("({count})"),
            })
            .collect()
    }

    #[test]
    fn the_word_that_differs_is_emphasised() {
        let old = "a\nb\nvoltage = 3.300 # bias\nc\nd\ne\nf\n";
        let new = "a\nb\nvoltage = 3.450 # bias\r\nc\nd\ne\nf\n";
        assert_eq!(
            rows(old, new, 1),
            [
                "1 a = 1 a",
                "2 b = 2 b",
                "3 voltage = [3.300] # bias | 3 voltage = [3.450] # bias",
                "4 c = 4 c",
                "(3)",
            ]
        );
    }

    #[test]
    fn added_and_removed_lines_have_one_side() {
        assert_eq!(rows("a\nb\n", "a\nx y\nb\n", 3), ["1 a = 1 a", "- | 2 x y", "2 b = 3 b"]);
        assert_eq!(rows("a\nb\n", "b\n", 3), ["1 a | -", "2 b = 1 b"]);
        assert_eq!(rows("", "a", 3), ["- | 1 a"]);
    }

    #[test]
    fn lines_that_are_alike_stand_beside_each_other() {
        let old = "ch1.voltage = 3.3\n";
        let new = "ch0.current = 1 # first\nch1.voltage = 3.4\n";
        assert_eq!(
            rows(old, new, 0),
            ["- | 1 ch0.current = 1 # first", "1 ch1.voltage = [3.3] | 2 ch1.voltage = [3.4]"]
        );
    }

    #[test]
    fn equal_texts_fold_to_one_row() {
        assert_eq!(rows("a\nb\nc\n", "a\nb\nc", 2), ["(3)"]);
        assert_eq!(rows("", "", 2), Vec::<String>::new());
    }

    #[test]
    fn a_moved_block_is_removed_and_added_as_a_whole() {
        let (a, b) = ("[a]\nx = 1\n", "[b]\ny = 2\nz = 3\n");
        assert_eq!(
            rows(&format!("{a}{b}"), &format!("{b}{a}"), 9),
            [
                "1 [a] | -",
                "2 x = 1 | -",
                "3 [b] = 1 [b]",
                "4 y = 2 = 2 y = 2",
                "5 z = 3 = 3 z = 3",
                "- | 4 [a]",
                "- | 5 x = 1",
            ]
        );
    }

    #[test]
    fn ends_of_lines_and_the_mark_are_told_but_not_compared() {
        let all = side_by_side("\u{feff}a\r\n\u{feff}b", "a\n\u{feff}b\n", usize::MAX);
        let ends: Vec<_> = all
            .iter()
            .map(|row| match row {
                Row::Same(old, new) => (old.text(), old.end, new.end),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            ends,
            [
                ("a".to_owned(), LineEnd::CrLf, LineEnd::Lf),
                ("\u{feff}b".to_owned(), LineEnd::Open, LineEnd::Lf),
            ]
        );
    }

    #[test]
    fn every_line_of_both_texts_is_shown_or_folded() {
        let old: String = (0..300).map(|n| format!("line {}\n", n % 7)).collect();
        let new: String = (0..250).map(|n| format!("line {}\n", n % 5)).collect();
        let (mut left, mut right) = (0, 0);
        for row in side_by_side(&old, &new, 2) {
            match row {
                Row::Same(..) => (left, right) = (left + 1, right + 1),
                Row::Folded(count) => (left, right) = (left + count, right + count),
                Row::Differs(mine, theirs) => {
                    left += usize::from(mine.is_some());
                    right += usize::from(theirs.is_some());
                }
            }
        }
        assert_eq!((left, right), (300, 250));
    }
}

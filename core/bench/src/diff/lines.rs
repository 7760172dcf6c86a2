//! Two texts side by side.

use std::time::Duration;

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, TextDiffConfig};

use super::{Line, Piece, Row};

/// After this long the differences found are still right, but may be more than there need be.
const LONGEST: Duration = Duration::from_millis(500);

/// Blocks of changed lines larger than this (lines on one side times lines on the other) are
/// paired in order, not by likeness.
const MATCHED: usize = 400;

/// Lines that have less than this in common are not shown as one changed line.
const ALIKE: f32 = 0.4;

/// Two texts side by side, `context` unchanged lines kept around each difference. Ends of lines
/// are not compared.
pub fn side_by_side(old: &str, new: &str, context: usize) -> Vec<Row> {
    let old: Vec<&str> = old.trim_start_matches('\u{feff}').lines().collect();
    let new: Vec<&str> = new.trim_start_matches('\u{feff}').lines().collect();
    let diff = config().diff_slices(&old, &new);
    let mut rows = Vec::new();
    let ops = diff.ops();
    for (place, op) in ops.iter().enumerate() {
        match *op {
            DiffOp::Equal { old_index, new_index, len } => {
                let before = if place == 0 { 0 } else { context };
                let after = if place + 1 == ops.len() { 0 } else { context };
                let same = |at: usize| {
                    let line = old.get(old_index + at).copied().unwrap_or_default();
                    Row::Same(whole(old_index + at, line), whole(new_index + at, line))
                };
                let hidden = len.saturating_sub(before.saturating_add(after));
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
                for at in old_index..old_index + old_len {
                    rows.push(Row::Differs(old.get(at).map(|line| whole(at, line)), None));
                }
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                for at in new_index..new_index + new_len {
                    rows.push(Row::Differs(None, new.get(at).map(|line| whole(at, line))));
                }
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let left = old.get(old_index..old_index + old_len).unwrap_or_default();
                let right = new.get(new_index..new_index + new_len).unwrap_or_default();
                for (mine, theirs) in pairs(left, right) {
                    rows.push(changed(
                        mine.and_then(|at| Some((old_index + at, *left.get(at)?))),
                        theirs.and_then(|at| Some((new_index + at, *right.get(at)?))),
                    ));
                }
            }
        }
    }
    rows
}

fn config() -> TextDiffConfig {
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Myers).timeout(LONGEST);
    config
}

fn whole(index: usize, line: &str) -> Line {
    let piece = Piece { text: line.to_owned(), emphasised: false };
    Line { number: index + 1, pieces: if line.is_empty() { Vec::new() } else { vec![piece] } }
}

/// Which lines of a changed block belong together: those most alike, in order.
fn pairs(old: &[&str], new: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    let (rows, columns) = (old.len(), new.len());
    if rows * columns > MATCHED {
        let longer = 0..rows.max(columns);
        return longer
            .map(|at| ((at < rows).then_some(at), (at < columns).then_some(at)))
            .collect();
    }
    let likeness: Vec<Vec<f32>> =
        old.iter().map(|mine| new.iter().map(|theirs| alike(mine, theirs)).collect()).collect();
    // best[i][j]: the most likeness that the lines from i and j on can have in pairs.
    let mut best = vec![vec![0.0_f32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            let together =
                if likeness[i][j] >= ALIKE { likeness[i][j] + best[i + 1][j + 1] } else { 0.0 };
            best[i][j] = together.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < rows || j < columns {
        if i < rows && j < columns {
            let together =
                likeness[i][j] >= ALIKE && best[i][j] <= likeness[i][j] + best[i + 1][j + 1];
            if together {
                found.push((Some(i), Some(j)));
                (i, j) = (i + 1, j + 1);
                continue;
            }
        }
        if j >= columns || (i < rows && best[i + 1][j] >= best[i][j + 1]) {
            found.push((Some(i), None));
            i += 1;
        } else {
            found.push((None, Some(j)));
            j += 1;
        }
    }
    found
}

/// How much of two lines is the same, from 0 to 1.
fn alike(old: &str, new: &str) -> f32 {
    config().diff_words(old.trim(), new.trim()).ratio()
}

fn changed(old: Option<(usize, &str)>, new: Option<(usize, &str)>) -> Row {
    let (Some((mine, old)), Some((theirs, new))) = (old, new) else {
        let line = |side: Option<(usize, &str)>| side.map(|(at, line)| whole(at, line));
        return Row::Differs(line(old), line(new));
    };
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for change in config().diff_words(old, new).iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                push(&mut left, change.value(), false);
                push(&mut right, change.value(), false);
            }
            ChangeTag::Delete => push(&mut left, change.value(), true),
            ChangeTag::Insert => push(&mut right, change.value(), true),
        }
    }
    Row::Differs(
        Some(Line { number: mine + 1, pieces: left }),
        Some(Line { number: theirs + 1, pieces: right }),
    )
}

fn push(pieces: &mut Vec<Piece>, text: &str, emphasised: bool) {
    match pieces.last_mut() {
        Some(last) if last.emphasised == emphasised => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), emphasised }),
    }
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

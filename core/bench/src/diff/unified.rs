//! Two texts in one column.

use super::{Line, Row, side_by_side};

/// One line of a one-column view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line of both texts, with its number and end in each.
    Same(Line, Line),
    /// A line of the first text only.
    Removed(Line),
    /// A line of the second text only.
    Added(Line),
    /// This many unchanged lines are left out.
    Folded(usize),
}

/// What differs between two texts in one column, `context` unchanged lines kept around each
/// difference: the removed lines of a difference, then the added ones. The numbers and the
/// emphasis are those of [`side_by_side`].
pub fn unified(old: &str, new: &str, context: usize) -> Vec<Entry> {
    one_column(side_by_side(old, new, context))
}

/// Rows of a side-by-side view as one column.
pub fn one_column(rows: Vec<Row>) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(rows.len());
    let mut added = Vec::new();
    for row in rows {
        match row {
            Row::Differs(old, new) => {
                entries.extend(old.map(Entry::Removed));
                added.extend(new.map(Entry::Added));
            }
            Row::Same(old, new) => {
                entries.append(&mut added);
                entries.push(Entry::Same(old, new));
            }
            Row::Folded(count) => {
                entries.append(&mut added);
                entries.push(Entry::Folded(count));
            }
        }
    }
    entries.append(&mut added);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_lines_come_before_added_ones() {
        let old = "a = 1\nb = 1\nx\ny\nz\nc = 1\n";
        let new = "a = 2\nb = 2\nx\ny\nz\nd = [1]";
        let shown: Vec<String> = unified(old, new, 1)
            .iter()
            .map(|entry| match entry {
                Entry::Same(old, new) => format!("{} {}   {}", old.number, new.number, new.text()),
                Entry::Removed(line) => format!("{} - {}", line.number, line.text()),
                Entry::Added(line) => format!("{} + {}", line.number, line.text()),
                Entry::Folded(count) => format!("({count})"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1 - a = 1",
                "2 - b = 1",
                "1 + a = 2",
                "2 + b = 2",
                "3 3   x",
                "4 4   y",
                "5 5   z",
                "6 - c = 1",
                "6 + d = [1]"
            ]
        );
    }
}

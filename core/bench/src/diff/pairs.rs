//! Which lines of a changed block belong together.

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::words::{ALIKE, Look};

/// Blocks larger than this (lines on one side times lines on the other) are paired by their keys,
/// not by all that their lines have in common.
const MATCHED: usize = 400;

/// A line on the left, one on the right, by their number in the block.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs of lines that are alike, in order, and the lines that have none; every line once.
pub(super) fn pairs(old: &[&str], new: &[&str], deadline: Option<Instant>) -> Vec<Pair> {
    let old: Vec<Look<'_>> = old.iter().map(|line| Look::of(line)).collect();
    let new: Vec<Look<'_>> = new.iter().map(|line| Look::of(line)).collect();
    if old.len().saturating_mul(new.len()) <= MATCHED {
        return matched(&old, &new, 0, 0);
    }
    let keys = |looks: &[Look<'_>]| looks.iter().map(|look| look.key.to_owned()).collect();
    let (old_keys, new_keys): (Vec<String>, Vec<String>) = (keys(&old), keys(&new));
    let mut found = Vec::with_capacity(old.len().max(new.len()));
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old_keys, &new_keys, deadline) {
        let (left, right) = (op.old_range(), op.new_range());
        let (mine, theirs) = (&old[left.clone()], &new[right.clone()]);
        if matches!(op, DiffOp::Equal { .. }) {
            found.extend(left.zip(right).map(|(a, b)| (Some(a), Some(b))));
        } else if mine.len().saturating_mul(theirs.len()) <= MATCHED {
            found.extend(matched(mine, theirs, left.start, right.start));
        } else {
            // In order; those that are nothing like each other are not one changed line.
            let one = |a: usize, b: usize| match (mine.get(a), theirs.get(b)) {
                (Some(x), Some(y)) if x.alike(y) >= ALIKE => [Some((true, true)), None],
                (Some(_), Some(_)) => [Some((true, false)), Some((false, true))],
                (x, y) => [Some((x.is_some(), y.is_some())), None],
            };
            for at in 0..mine.len().max(theirs.len()) {
                for (a, b) in one(at, at).into_iter().flatten() {
                    found.push((a.then_some(left.start + at), b.then_some(right.start + at)));
                }
            }
        }
    }
    found
}

/// The pairs that have most in common; `left` and `right` are the numbers of the first lines.
fn matched(old: &[Look<'_>], new: &[Look<'_>], left: usize, right: usize) -> Vec<Pair> {
    let (rows, columns) = (old.len(), new.len());
    let likeness: Vec<Vec<f32>> =
        old.iter().map(|mine| new.iter().map(|theirs| mine.alike(theirs)).collect()).collect();
    // best[i][j]: the most likeness that the lines from i and j on can have in pairs.
    let mut best = vec![vec![0.0_f32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            let together =
                if likeness[i][j] >= ALIKE { likeness[i][j] + best[i + 1][j + 1] } else { 0.0 };
            best[i][j] = together.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let mut found = Vec::with_capacity(rows.max(columns));
    let (mut i, mut j) = (0, 0);
    while i < rows || j < columns {
        if i < rows && j < columns {
            let together =
                likeness[i][j] >= ALIKE && best[i][j] <= likeness[i][j] + best[i + 1][j + 1];
            if together {
                found.push((Some(left + i), Some(right + j)));
                (i, j) = (i + 1, j + 1);
                continue;
            }
        }
        if j >= columns || (i < rows && best[i + 1][j] >= best[i][j + 1]) {
            found.push((Some(left + i), None));
            i += 1;
        } else {
            found.push((None, Some(right + j)));
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_are_paired_by_their_keys() {
        let old: Vec<String> = (0..60).map(|n| format!("key{n} = {n}")).collect();
        let new: Vec<String> = (5..70).map(|n| format!("key{n} = 'other {n}'")).collect();
        let lines = |all: &'static [String]| all.iter().map(String::as_str).collect::<Vec<_>>();
        let (old, new) = (lines(old.leak()), lines(new.leak()));
        let found = pairs(&old, &new, None);
        let both = found.iter().filter(|(a, b)| a.is_some() && b.is_some()).count();
        assert_eq!((both, found.len()), (55, 70));
        assert!(found.contains(&(Some(5), Some(0))) && found.contains(&(None, Some(64))));
    }

    #[test]
    fn every_line_of_a_block_is_there_once_and_in_order() {
        let old: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
        let new: Vec<String> = (0..90).map(|n| format!("[other{n}] # {n}")).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let found = pairs(&old, &new, None);
        assert!(found.iter().filter_map(|(a, _)| *a).eq(0..50));
        assert!(found.iter().filter_map(|(_, b)| *b).eq(0..90));
    }
}

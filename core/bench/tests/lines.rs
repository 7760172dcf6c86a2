//! Two random texts, line by line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use setpoint_bench::diff::{Entry, Line, Row, one_column, side_by_side, unified};

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "(ch[12]\\.)?[ab] ?= ?[0-3](\\.[05])?( # [ab ]{0,3})?",
        "\\[[ab]\\]",
        "[ab '\"µ\r\u{feff}]{0,4}",
    ];
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    (prop::collection::vec((line, end), 0..30), any::<bool>(), any::<bool>()).prop_map(
        |(lines, mark, open)| {
            let mut text = if mark { "\u{feff}" } else { "" }.to_owned();
            for (line, end) in lines {
                text.push_str(&line);
                text.push_str(end);
            }
            if open {
                text.pop();
            }
            text
        },
    )
}

/// The lines of one side put together again; their numbers must be in order.
fn joined<'l>(lines: impl Iterator<Item = &'l Line>) -> String {
    let mut text = String::new();
    for (at, line) in lines.enumerate() {
        assert_eq!(line.number, at + 1);
        for pair in line.pieces.windows(2) {
            assert_ne!(pair[0].emphasised, pair[1].emphasised);
        }
        assert!(line.pieces.iter().all(|piece| !piece.text.is_empty()));
        text.push_str(&line.text());
        text.push_str(line.end.as_str());
    }
    text
}

fn left(row: &Row) -> Option<&Line> {
    match row {
        Row::Same(line, _) => Some(line),
        Row::Differs(line, _) => line.as_ref(),
        Row::Folded(_) => None,
    }
}

fn right(row: &Row) -> Option<&Line> {
    match row {
        Row::Same(_, line) => Some(line),
        Row::Differs(_, line) => line.as_ref(),
        Row::Folded(_) => None,
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_put_together_are_the_texts(old in text(), new in text()) {
        let rows = side_by_side(&old, &new, usize::MAX);
        prop_assert_eq!(joined(rows.iter().filter_map(left)), without_mark(&old));
        prop_assert_eq!(joined(rows.iter().filter_map(right)), without_mark(&new));
        for row in &rows {
            match row {
                Row::Same(old, new) => prop_assert_eq!(old.text(), new.text()),
                Row::Differs(Some(old), Some(new)) => {
                    prop_assert_ne!(old.text(), new.text());
                    // What is not emphasised is the same on both sides.
                    let kept = |line: &Line| -> String {
                        let plain = line.pieces.iter().filter(|piece| !piece.emphasised);
                        let all: String = plain.map(|piece| piece.text.as_str()).collect();
                        all.split_whitespace().collect()
                    };
                    prop_assert_eq!(kept(old), kept(new));
                }
                Row::Differs(old, new) => prop_assert!(old.is_some() || new.is_some()),
                Row::Folded(_) => prop_assert!(false, "nothing may be folded"),
            }
        }
        let column = unified(&old, &new, usize::MAX);
        let one = |entry: &Entry, first: bool| match entry {
            Entry::Same(old, new) => Some(if first { old.clone() } else { new.clone() }),
            Entry::Removed(line) => first.then(|| line.clone()),
            Entry::Added(line) => (!first).then(|| line.clone()),
            Entry::Folded(_) => None,
        };
        for (first, text) in [(true, &old), (false, &new)] {
            let lines: Vec<Line> = column.iter().filter_map(|entry| one(entry, first)).collect();
            prop_assert_eq!(joined(lines.iter()), without_mark(text));
        }
    }

    #[test]
    fn folding_leaves_out_lines_that_are_far_from_any_difference(
        old in text(), new in text(), context in 0_usize..4,
    ) {
        let all = side_by_side(&old, &new, usize::MAX);
        let mut at = 0;
        for row in side_by_side(&old, &new, context) {
            match row {
                Row::Folded(count) => {
                    let near = at.max(context) - context..all.len().min(at + count + context);
                    prop_assert!(count > 1);
                    for hidden in &all[at..at + count] {
                        prop_assert!(matches!(hidden, Row::Same(..)));
                    }
                    // As close as it may be.
                    let edges = [near.start.checked_sub(1), Some(near.end)];
                    for edge in edges.into_iter().flatten().filter_map(|at| all.get(at)) {
                        prop_assert!(matches!(edge, Row::Differs(..)));
                    }
                    at += count;
                }
                shown => {
                    prop_assert_eq!(&shown, &all[at]);
                    at += 1;
                }
            }
        }
        prop_assert_eq!(at, all.len());
    }
}

/// Longer than any of these takes on a slow machine, far shorter than without a bound.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn large_and_hostile_texts_take_bounded_time() {
    let many = |line: &dyn Fn(usize) -> String| (0..100_000).map(line).collect::<String>();
    let numbered = |word: &str| many(&|n| format!("{word}{n} = {n}\n"));
    let long = |word: &str| format!("a = '{}'\n", format!("{word} ").repeat(300_000));
    let wide = |add: usize| {
        let value = |n: usize| {
            (0..400).map(|k| format!("{},", k * (n + add) % (7 + add))).collect::<String>()
        };
        (0..1_000).map(|n| format!("k{} = [{}]\n", n % 25, value(n))).collect::<String>()
    };
    for (name, old, new) in [
        ("one value of 100,000", numbered("k"), numbered("k").replace("k500 = 500", "k500 = 1")),
        ("all values", numbered("k"), many(&|n| format!("k{n} = 'x{n}'\n"))),
        ("nothing in common", numbered("k"), many(&|n| format!("[other.{n}]\n"))),
        ("shuffled", numbered("k"), many(&|n| format!("k{0} = {0}\n", n * 7919 % 100_000))),
        ("few words", many(&|n| format!("a = {}\n", n % 7)), many(&|n| format!("a = {}\n", n % 5))),
        ("one long line", long("a"), long("b")),
        ("many wide lines", wide(0), wide(3)),
    ] {
        let begun = Instant::now();
        let rows = side_by_side(&old, &new, 3);
        let took = begun.elapsed();
        eprintln!("{name}: {} rows, {took:?}", rows.len());
        assert!(took < BOUND, "{name} took {took:?}");
        let sides = rows.iter().fold((0, 0), |(a, b), row| match row {
            Row::Folded(count) => (a + count, b + count),
            row => (a + usize::from(left(row).is_some()), b + usize::from(right(row).is_some())),
        });
        assert_eq!(sides, (old.lines().count(), new.lines().count()), "{name}");
        assert!(!one_column(rows).is_empty());
    }
}

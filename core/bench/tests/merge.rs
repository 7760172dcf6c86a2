//! Two people change one bench.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "common/random.rs"]
mod random;

use std::{collections::BTreeSet, time::Instant};

use proptest::prelude::*;
use random::{document, edited, leaves, same, text, three};
use setpoint_bench::{
    Clash, KeyPath, Merged, Value, diff,
    merge::{MergeError, Side, resolve},
};

fn merge(base: &str, file: &str, mine: &str) -> Merged {
    let (base, mine) = (document(base), document(mine));
    setpoint_bench::merge(base.values(), &document(file), mine.values()).unwrap()
}

fn covered(path: &KeyPath, clashes: &[Clash]) -> bool {
    clashes.iter().any(|clash| path.starts_with(&clash.path) || clash.path.starts_with(path))
}

/// What a merge must give for one key, where that can be said.
fn decided([base, file, mine]: [Option<&Value>; 3]) -> Option<Option<&Value>> {
    if same(file, mine) || same(base, mine) {
        Some(file)
    } else if same(base, file) {
        Some(mine)
    } else {
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_key_is_merged_or_clashes([a, b, base] in three()) {
        let file = document(&edited(&text(&base), &a));
        let merged = setpoint_bench::merge(&base, &file, &b).unwrap();
        let all = [&base, &a, &b].map(leaves);
        let found = leaves(document(&merged.text).values());
        let keys: BTreeSet<&KeyPath> = all.iter().flat_map(|one| one.keys()).collect();
        for path in found.keys() {
            prop_assert!(keys.contains(path), "{path} was made up");
        }
        for path in keys {
            if covered(path, &merged.clashes) {
                prop_assert!(same(found.get(path), all[1].get(path)), "{path} is not the file's");
                continue;
            }
            let [base, file, mine] = &all;
            let expected = decided([base.get(path), file.get(path), mine.get(path)]);
            match expected {
                Some(expected) => prop_assert!(
                    same(found.get(path), expected), "{path}: {:?}\n{merged:?}", found.get(path)
                ),
                None => prop_assert!(false, "{path} clashes and nobody says so"),
            }
        }
        for clash in &merged.clashes {
            let Clash { path, base: was, file: theirs, mine, .. } = clash;
            prop_assert_eq!(was.as_ref(), base.get(path));
            prop_assert_eq!(theirs.as_ref(), file.values().get(path));
            prop_assert_eq!(mine.as_ref(), b.get(path));
            let sides = [was.as_ref(), theirs.as_ref(), mine.as_ref()];
            prop_assert!(decided(sides).is_none(), "{clash} is none");
        }
        prop_assert_eq!(&merged.changes, &diff(file.values(), document(&merged.text).values()));
        // Remarks on lines of their own stay, in order.
        let mut lines = merged.text.lines();
        for remark in file.text().lines().filter(|line| line.starts_with("# remark")) {
            prop_assert!(lines.any(|line| line == remark), "{remark} is gone\n{}", merged.text);
        }
    }

    #[test]
    fn who_is_first_does_not_matter([a, b, base] in three()) {
        let one = setpoint_bench::merge(&base, &document(&text(&a)), &b).unwrap();
        let other = setpoint_bench::merge(&base, &document(&text(&b)), &a).unwrap();
        let paths = |merged: &Merged| -> BTreeSet<KeyPath> {
            merged.clashes.iter().map(|clash| clash.path.clone()).collect()
        };
        prop_assert_eq!(paths(&one), paths(&other));
        let plain = |merged: &Merged| {
            let mut all = leaves(document(&merged.text).values());
            all.retain(|path, _| !covered(path, &merged.clashes));
            all
        };
        let (one, other) = (plain(&one), plain(&other));
        prop_assert!(one.keys().eq(other.keys()));
        prop_assert!(one.values().zip(other.values()).all(|(a, b)| a.means(b)));
    }

    #[test]
    fn one_side_alone_is_taken_as_it_is([a, b, base] in three()) {
        for (one, two) in [(&base, &b), (&a, &base), (&a, &a)] {
            let file = document(&text(one));
            let merged = setpoint_bench::merge(&base, &file, two).unwrap();
            prop_assert_eq!(&merged.clashes, &[]);
            let expected = if one == &base { two } else { one };
            prop_assert_eq!(diff(document(&merged.text).values(), expected), []);
            if one != &base || two == &base {
                prop_assert_eq!(merged.text.as_str(), file.text());
            }
        }
    }

    #[test]
    fn clashes_are_decided_one_by_one([a, b, base] in three(), sides in any::<u64>()) {
        let merged = setpoint_bench::merge(&base, &document(&text(&a)), &b).unwrap();
        let choices: Vec<(KeyPath, Side)> = merged
            .clashes
            .iter()
            .enumerate()
            .filter(|(at, _)| sides >> (2 * at + 1) & 1 == 1)
            .map(|(at, clash)| {
                let side = if sides >> (2 * at) & 1 == 1 { Side::Mine } else { Side::File };
                (clash.path.clone(), side)
            })
            .collect();
        let after = resolve(&merged, &choices).unwrap();
        prop_assert_eq!(after.clashes.len() + choices.len(), merged.clashes.len());
        let found = document(&after.text);
        for clash in &merged.clashes {
            let mine = choices.contains(&(clash.path.clone(), Side::Mine));
            let expected = if mine { &clash.mine } else { &clash.file };
            let (now, expected) = (found.values().get(&clash.path), expected.as_ref());
            prop_assert!(same(now, expected), "{clash}: {now:?}");
        }
        let outside = |merged: &Merged| {
            let mut all = leaves(document(&merged.text).values());
            all.retain(|path, _| !covered(path, &merged.clashes));
            all
        };
        let rest = Merged { clashes: merged.clashes.clone(), ..after };
        prop_assert_eq!(outside(&rest), outside(&merged));
    }
}

const BASE: &str = "\
# Table 3
[instruments.psu]
type = 'rigol_dp832'      # by the door
address = 'sim:'

[instruments.psu.set]
ch1.voltage = 3.300
ch1.output = 'off'
";

fn with(change: &[(&str, &str)]) -> String {
    change.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from));
        text.replace(from, to)
    })
}

/// The clashes of a merge, in words.
fn clashes(merged: &Merged) -> Vec<String> {
    merged.clashes.iter().map(Clash::to_string).collect()
}

#[test]
fn keys_that_do_not_touch_are_merged_into_the_files_text() {
    let file = with(&[("3.300", "3.450 # warm"), ("# Table 3", "# Table 4")]);
    let mine = with(&[
        ("'off'", "'on'"),
        ("\n[instruments.psu.set]", "\n[instruments.psu.set]\nch2.voltage = 1.0"),
    ]);
    let merged = merge(BASE, &file, &mine);
    assert_eq!(clashes(&merged), Vec::<String>::new());
    assert_eq!(merged.text, file.replace("'off'", "'on'") + "ch2.voltage = 1.000\n");
}

#[test]
fn a_value_that_both_changed_keeps_the_files_until_it_is_decided() {
    let file = with(&[("3.300", "3.200")]);
    let mine = with(&[("3.300", "3.45"), ("sim:", "tcp://x:1")]);
    let merged = merge(BASE, &file, &mine);
    assert_eq!(
        clashes(&merged),
        ["instruments.psu.set.ch1.voltage: was 3.3, the file says 3.2, mine is 3.45"]
    );
    let both = file.replace("sim:", "tcp://x:1");
    assert_eq!(merged.text, both);
    let path: KeyPath = "instruments.psu.set.ch1.voltage".parse().unwrap();
    let decided = resolve(&merged, &[(path.clone(), Side::Mine)]).unwrap();
    assert_eq!(decided.text, both.replace("3.200", "3.450"));
    assert_eq!(resolve(&merged, &[(path.clone(), Side::File)]).unwrap().text, both);
    let error = resolve(&decided, &[(path.clone(), Side::Mine)]).unwrap_err();
    assert_eq!(error, MergeError::NoClash { path });
}

#[test]
fn a_component_removed_by_one_and_changed_by_the_other_clashes_as_a_whole() {
    let other = with(&[("3.300", "3.200")]);
    let gone = merge(BASE, "", &other);
    assert_eq!(
        clashes(&gone),
        ["instruments.psu: removed in the file, changed (set.ch1.voltage) in mine"]
    );
    assert_eq!(gone.text, "");
    let mine = [("instruments.psu".parse().unwrap(), Side::Mine)];
    let back = document(&resolve(&gone, &mine).unwrap().text).into_values();
    assert_eq!(diff(&back, document(&other).values()), []);

    let kept = merge(BASE, &other, "");
    assert_eq!(clashes(&kept).len(), 1);
    assert_eq!(kept.text, other);
    assert_eq!(resolve(&kept, &mine).unwrap().text.trim(), "# Table 3");
    // A component that nobody else touched just goes.
    assert_eq!(clashes(&merge(BASE, BASE, "")), Vec::<String>::new());
}

#[test]
fn a_rename_and_a_change_are_spelled_out() {
    let renamed = with(&[("instruments.psu", "instruments.supply")]);
    let other = with(&[("3.300", "3.200")]);
    let merged = merge(BASE, &other, &renamed);
    let psu: KeyPath = "instruments.psu".parse().unwrap();
    assert_eq!(
        clashes(&merged),
        [
            "instruments.psu: renamed to instruments.supply in mine, changed (set.ch1.voltage) in the file"
        ]
    );
    let values = document(&merged.text).into_values();
    assert!(values.get(&psu).is_some());
    assert!(values.get(&"instruments.supply".parse().unwrap()).is_some());
    let merged = merge(BASE, &renamed, &other);
    assert_eq!(merged.clashes[0].renamed, Some("instruments.supply".parse().unwrap()));
    assert_eq!(merged.text, renamed);
}

#[test]
fn what_both_add_is_compared_key_by_key() {
    let psu = |volts: &str| format!("[instruments.psu]\ntype = 'x'\nset.ch1.voltage = {volts}\n");
    let merged = merge("", &psu("1"), &(psu("2") + "label = 'mine'\n"));
    assert_eq!(
        clashes(&merged),
        ["instruments.psu.set.ch1.voltage: was not there, the file says 1, mine is 2"]
    );
    assert!(merged.text.contains("label = 'mine'") || merged.text.contains("label = \"mine\""));
    assert_eq!(clashes(&merge("", &psu("1"), &psu("1.0"))), Vec::<String>::new());
}

#[test]
fn tables_lists_and_values_clash_where_they_meet() {
    for (base, file, mine, expected) in [
        ("a = 1", "a = { b = 1 }", "a = 2", "a: was 1, the file says a table, mine is 2"),
        ("[a]\nb = 1", "a = 2", "[a]\nb = 2", "a: was a table, the file says 2, mine is a table"),
        ("a = [1]", "a = [1, 2]", "a = [0, 1]", "a: was [1], the file says [1, 2], mine is [0, 1]"),
        ("a = 1", "", "a = 2", "a: was 1, the file says it is removed, mine is 2"),
        ("a = 1", "a = 2", "", "a: was 1, the file says 2, mine removes it"),
        (
            "[a]\nb = 1\nc = 1",
            "[a]\nb = 2\nc = 1",
            "",
            "a.b: was 1, the file says 2, mine removes it",
        ),
    ] {
        let merged = merge(base, file, mine);
        assert_eq!(clashes(&merged), [expected]);
        let clash = merged.clashes[0].clone();
        let found = document(&merged.text).into_values();
        assert!(same(found.get(&clash.path), clash.file.as_ref()), "{}", merged.text);
        let decided = resolve(&merged, &[(clash.path.clone(), Side::Mine)]).unwrap();
        assert_eq!(
            diff(document(&decided.text).values(), document(mine).values()),
            [],
            "{expected}"
        );
    }
}

#[test]
fn a_table_that_one_side_empties_goes_with_its_header() {
    let file = with(&[("sim:", "tcp://x:1")]);
    let (without, _) = BASE.split_once("\n[instruments.psu.set]").unwrap();
    let merged = merge(BASE, &file, without);
    assert_eq!(clashes(&merged), Vec::<String>::new());
    assert_eq!(merged.text, file.split_once("\n[instruments.psu.set]").unwrap().0);
}

#[test]
fn a_large_bench_is_merged_in_time_that_grows_with_its_length() {
    let bench = |count: usize, from: &str, to: &str| -> String {
        let one = |n: usize| {
            format!(
                "[instruments.i{n}]\ntype = 'rigol_dp832'\naddress = 'tcp://192.0.2.1:{n}'\n\
                 label = 'Number {n}'\nenabled = true\non_reconnect = 'compare'\n\
                 [instruments.i{n}.set]\nch1.voltage = 3.300\nch1.current_limit = 0.5\n\
                 ch2.voltage = 1.000\nch2.current_limit = 0.25\nch3.voltage = 5.000\n"
            )
        };
        (0..count).map(|n| one(n).replace(from, to)).collect()
    };
    let took = |count: usize| {
        let base = bench(count, "", "");
        let file = document(&bench(count, "3.300", "3.450"));
        let mine =
            document(&bench(count, "1.000", "2.000").replace("i7]", "j7]").replace("i7.", "j7."));
        let begun = Instant::now();
        let base = document(&base);
        let reading = begun.elapsed();
        let begun = Instant::now();
        let merged = setpoint_bench::merge(base.values(), &file, mine.values()).unwrap();
        (reading, begun.elapsed(), merged)
    };
    let (reading, small, merged) = took(500);
    assert_eq!(merged.clashes.len(), 1);
    assert_eq!(merged.changes.len(), 500);
    let (reading_large, large, _) = took(2_000);
    eprintln!("500 instruments: read {reading:?}, merge {small:?}");
    eprintln!("2,000 instruments: read {reading_large:?}, merge {large:?}");
    // Four times the work; sixteen times would be quadratic.
    assert!(large < small * 12, "{small:?} {large:?}");
}

/// One side takes the last key of a table that is written as its keys alone, and keeps the table.
#[test]
fn a_table_that_both_have_stays_when_its_last_key_goes() {
    let base = "[a.b.c]\nx = 1\n";
    let merged = merge(base, base, "[a.b]\n");
    assert_eq!(diff(document(&merged.text).values(), document("[a.b]\n").values()), []);
}

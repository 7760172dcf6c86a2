//! Keys that get other names.

use super::*;

fn rename(path: &str, name: &str) -> TextEdit {
    TextEdit::rename(path.parse().unwrap(), name)
}

/// Renames there and back.
#[track_caller]
fn both(before: &str, path: &str, name: &str, after: &str) {
    let there = apply_with(before, &[rename(path, name)], &Options::default()).unwrap();
    assert_eq!(there, after);
    let path: KeyPath = path.parse().unwrap();
    let back = TextEdit::Rename {
        path: path.parent().unwrap().child(name),
        name: path.last().unwrap().to_owned(),
    };
    assert_eq!(apply_with(&there, &[back], &Options::default()).unwrap(), before);
}

#[test]
fn a_name_changes_wherever_it_is_spelt() {
    let after = BENCH.replace("[instruments.psu", "[instruments.supply");
    both(BENCH, "instruments.psu", "supply", &after);
    both(BENCH, "instruments", "devices", &BENCH.replace("[instruments.", "[devices."));
    both(BENCH, "instruments.psu.set", "put", &BENCH.replace("psu.set]", "psu.put]"));
    let after = BENCH.replace("\nch1.", "\nch3.");
    both(BENCH, "instruments.psu.set.ch1", "ch3", &after);
    let after = BENCH.replace("ch1.voltage", "ch1.volts");
    both(BENCH, "instruments.psu.set.ch1.voltage", "volts", &after);
    both(BENCH, "instruments.psu.wire.gap", "pause", &BENCH.replace("gap", "pause"));
    both(BENCH, "instruments.psu.wire", "line", &BENCH.replace("wire", "line"));
}

#[test]
fn every_form_is_found() {
    for (before, path, after) in [
        ("a.b.c = 1\na.b.d = 2\na.e = 3\n", "a.b", "a.x.c = 1\na.x.d = 2\na.e = 3\n"),
        ("[f]\na.b = 1\n[f.a.t]\nc = 1\n", "f.a", "[f]\nx.b = 1\n[f.x.t]\nc = 1\n"),
        ("t = { a.b = 1, c = 2, a.d = 3 }\n", "t.a", "t = { x.b = 1, c = 2, x.d = 3 }\n"),
        ("t = { a.b.c = 1, a.d = 3 }\n", "t.a.b", "t = { a.x.c = 1, a.d = 3 }\n"),
        ("t = { u = { a = 1 } }\n", "t.u.a", "t = { u = { x = 1 } }\n"),
        ("[[a]]\nb = 1\n[a.c]\n[[a]]\n", "a", "[[x]]\nb = 1\n[x.c]\n[[x]]\n"),
        ("[ p . 'a' ]\n[ p.\"a\".c ]\n", "p.a", "[ p . 'x' ]\n[ p.\"x\".c ]\n"),
        ("[a.b]\nb.b = 1\n[a.b.b.c]\n", "a.b", "[a.x]\nb.b = 1\n[a.x.b.c]\n"),
        ("\u{feff}a = 1\r\n", "a", "\u{feff}x = 1\r\n"),
        ("  \"a\" . b = 1\n", "a", "  \"x\" . b = 1\n"),
    ] {
        both(before, path, "x", after);
    }
    let odd = apply_with(
        "a.b = 1\n'c' = 2\n",
        &[rename("a", "x.😀"), rename("c", "it's")],
        &Options::default(),
    );
    assert_eq!(odd.unwrap(), "\"x.😀\".b = 1\n\"it's\" = 2\n");
}

#[test]
fn names_can_be_swapped_in_steps_and_edits_see_new_names() {
    let edits = [
        rename("a", "c"),
        rename("b", "a"),
        rename("c", "b"),
        TextEdit::set("b.x".parse().unwrap(), 5),
        TextEdit::remove("a.y".parse().unwrap()),
    ];
    let after = apply_with("[a]\nx = 1\n[b]\ny = 2\n", &edits, &Options::default()).unwrap();
    assert_eq!(after, "[b]\nx = 5\n[a]\n");
}

#[test]
fn what_cannot_be_renamed_says_why() {
    let error = |edit| apply_with(BENCH, &[edit], &Options::default()).unwrap_err().to_string();
    assert_eq!(
        error(rename("instruments.psu", "thermo")),
        "instruments.psu cannot become instruments.thermo: that is in the file already; \
         remove it first"
    );
    assert_eq!(
        error(rename("instruments.ps", "x")),
        "instruments.ps cannot be renamed or moved: instruments.ps is not in the file"
    );
    assert!(error(TextEdit::rename(KeyPath::default(), "x")).contains("cannot be renamed"));
    let same = apply_with(BENCH, &[rename("bench", "bench")], &Options::default()).unwrap();
    assert_eq!(same, BENCH);
}

#[test]
fn references_make_a_text_follow() {
    let before = "[instruments.psu]\ntype = 'x'\n[modules.m]\nroles = { trip = 'psu', what = ['psu'] } # who\n";
    let path: KeyPath = "instruments.psu".parse().unwrap();
    let values = values(before);
    let edits: Vec<TextEdit> = std::iter::once(TextEdit::rename(path.clone(), "s"))
        .chain(references(&values, &path, "s").into_iter().map(TextEdit::Put))
        .collect();
    let after = apply_with(before, &edits, &Options::default()).unwrap();
    assert_eq!(after, before.replace("psu", "s"));
}

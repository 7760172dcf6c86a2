//! How values are written.

use super::*;

#[track_caller]
fn written(old: &str, new: Value, expected: &str) {
    let before = format!("x = 1\na = {old} # c\ny = 2\n");
    check(&before, &[set("a", new)], &before.replace(old, expected));
}

fn texts(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(*item)).collect())
}

fn whole(items: &[i64]) -> Value {
    Value::Array(items.iter().map(|item| Value::Int(*item)).collect())
}

#[test]
fn whole_numbers_keep_base_width_case_grouping_and_sign() {
    for (old, new, expected) in [
        ("0x1F", 0xab, "0xAB"),
        ("0x1f", 0xab, "0xab"),
        ("0x001f", 0xab, "0x00ab"),
        ("0xFFFF_FFFF", 0x12345, "0x1_2345"),
        ("0o755", 0o644, "0o644"),
        ("0b0000_1111", 5, "0b0000_0101"),
        ("0b1", -2, "-2"),
        ("1_000_000", 25_000, "25_000"),
        ("1_000", 7, "7"),
        ("1_000", -1_234_567, "-1_234_567"),
        ("+3", 4, "+4"),
        ("+3", -4, "-4"),
        ("-3", 4, "4"),
    ] {
        written(old, Value::Int(new), expected);
    }
}

#[test]
fn fractions_keep_exponent_grouping_sign_and_type() {
    for (old, new, expected) in [
        ("1.50e+06", 2.25e7, "2.25e+07"),
        ("1E-3", 2e-4, "2E-4"),
        ("1e3", 0.5, "5e-1"),
        ("1.5e3", 1.234_567e3, "1.234567e3"),
        ("+3.30", 4.5, "+4.50"),
        ("+3.30", -4.5, "-4.50"),
        ("1_000.50", 1_234_567.25, "1_234_567.25"),
        ("3.3", f64::INFINITY, "inf"),
        ("+inf", f64::INFINITY, "+inf"),
        ("3.3", f64::NEG_INFINITY, "-inf"),
        ("inf", 3.5, "3.5"),
        ("nan", 3.0, "3.0"),
        ("0x10", 32.0, "0x20"),
        ("1_000", 2_000.0, "2_000"),
        ("3", -0.0, "-0.0"),
    ] {
        let before = format!("a = {old} # c\n");
        let after = apply(&before, &[set("a", new)]).unwrap();
        assert_eq!(after, format!("a = {expected} # c\n"), "{old}");
    }
    written("1.0e2", Value::Int(3), "3.0e0");
    written("inf", Value::Int(3), "3.0");
    check("a = 3.3\n", &[set("a", f64::NAN)], "a = nan\n");
    check("a = 3.3\n", &[set("a", -f64::NAN)], "a = nan\n");
}

#[test]
fn text_of_several_lines_stays_so() {
    for (old, new, expected) in [
        ("\"\"\"\nx\ny\n\"\"\"", "1\n2", "\"\"\"\n1\n2\"\"\""),
        ("\"\"\"x\ny\"\"\"", "a \"\"\" b\\\n\"c\"", "\"\"\"a \"\"\\\" b\\\\\n\"c\\\"\"\"\""),
        ("\"\"\"x\ny\"\"\"", "\nz", "\"\"\"\n\nz\"\"\""),
        ("'''\nx\ny'''", "it's\nso", "'''\nit's\nso'''"),
        ("'''x\ny'''", "a\n'", "\"\"\"a\n'\"\"\""),
        ("'''x\ny'''", "a\r\nb", "\"\"\"a\\u000D\nb\"\"\""),
        ("'''x'''", "plain", "'plain'"),
        ("\"x\"", "a\nb", "\"a\\nb\""),
    ] {
        written(old, new.into(), expected);
        if old.contains('\n') && !new.contains('\r') {
            let windows = |text: &str| text.replace('\n', "\r\n");
            let before = windows(&format!("a = {old}\nb = 1\n"));
            let after = apply(&before, &[set("a", windows(new))]).unwrap();
            assert_eq!(after, windows(&format!("a = {expected}\nb = 1\n")));
        }
    }
    // Line ends are part of a text: others than those of the file are not put into it.
    let before = "a = \"\"\"\r\nx\r\n\"\"\"\r\n";
    check(before, &[set("a", "y\nz\r\n")], "a = \"y\\nz\\r\\n\"\r\n");
}

#[test]
fn dates_stay_dates() {
    written("1979-05-27", "1980-01-01".into(), "1980-01-01");
    written("1979-05-27T07:32:00Z", "1980-01-01T07:32:00.5Z".into(), "1980-01-01T07:32:00.5Z");
    written("1979-05-27", "soon".into(), "\"soon\"");
    written("'1979-05-27'", "1980-01-01".into(), "'1980-01-01'");
    check("a = 1979-05-27\n", &[set("a", "1979-05-27")], "a = 1979-05-27\n");
}

#[test]
fn items_come_into_a_list_and_go_without_disturbing_others() {
    for (old, new, expected) in [
        ("['a', 'b']", texts(&["a", "b", "c"]), "['a', 'b', 'c']"),
        ("['a', 'b']", texts(&["c", "a", "b"]), "['c', 'a', 'b']"),
        ("[ 'a','b' ]", texts(&["a", "x", "b"]), "[ 'a','x','b' ]"),
        ("[ 'a', 'b' ]", texts(&["b"]), "[ 'b' ]"),
        ("[ 'a', 'b', ]", texts(&["a"]), "[ 'a', ]"),
        ("['a', 'b']", texts(&["a"]), "['a']"),
        ("['a', 'b']", texts(&[]), "[]"),
        ("[]", texts(&["a"]), "[\"a\"]"),
        ("['a']", texts(&["a", "b"]), "['a', 'b']"),
        (
            "[\n  'a', # one\n  # two\n  'b', # too\n  'c' # three\n]",
            texts(&["a", "c"]),
            "[\n  'a', # one\n  # two\n  'c' # three\n]",
        ),
        (
            "[\n  'a', # one\n  'b' # two\n]",
            texts(&["a", "b", "c"]),
            "[\n  'a', # one\n  'b', # two\n  'c'\n]",
        ),
        ("[\n  'a',\n  'b',\n]", texts(&["a", "x", "b"]), "[\n  'a',\n  'x',\n  'b',\n]"),
        ("[\n  'a',\n  'b'\n]", texts(&["a"]), "[\n  'a'\n]"),
        ("[\n  0x01, 0x02,\n  0x03\n]", whole(&[1, 3]), "[\n  0x01,\n  0x03\n]"),
        ("[1.00, 2.00]", Value::Array(vec![1.into(), 5.5.into(), 3.into()]), "[1.00, 5.50, 3.00]"),
        ("[\n  # none yet\n]", texts(&["a"]), "[\n  # none yet\n  \"a\",\n]"),
        ("[\n  'a', # , ]\n]", texts(&[]), "[]"),
        ("[\n  # why\n  'a',\n]", texts(&[]), "[\n  # why\n]"),
        ("[[1, 2], [3]]", Value::Array(vec![whole(&[1, 2]), whole(&[3, 4])]), "[[1, 2], [3, 4]]"),
    ] {
        written(old, new.clone(), expected);
        let windows = format!("a = {old}\n").replace('\n', "\r\n");
        let after = apply(&windows, &[set("a", new)]).unwrap();
        assert_eq!(after, format!("a = {expected}\n").replace('\n', "\r\n"));
    }
}

#[test]
fn odd_names_and_lists_of_tables_do_no_harm() {
    let before = "\"\" = 1\n'a.b' = 2\n\"😀\".\"c\\\"d\" = 3\n[[list]]\nx = 1\n[[list]]\nx = 2\n";
    let path = |names: &[&str]| KeyPath::new(names.iter().copied());
    let edits = [
        Edit { path: path(&[""]), value: Some(5.into()) },
        Edit { path: path(&["a.b"]), value: Some(6.into()) },
        Edit { path: path(&["😀", "c\"d"]), value: Some(7.into()) },
        Edit { path: path(&["😀", "\n"]), value: Some(8.into()) },
    ];
    let after = before
        .replace("= 1\n'", "= 5\n'")
        .replace("'a.b' = 2", "'a.b' = 6")
        .replace("= 3\n", "= 7\n\"😀\".\"\\n\" = 8\n");
    check(before, &edits, &after);
    let inside = apply(before, &[set("list.x", 3)]).unwrap_err();
    assert_eq!(inside.to_string(), "list.x cannot be set: list is a list, not a table");
    let end = before.find("[[list]]").unwrap();
    check(before, &[remove("list")], &before[..end]);
    let list = Value::Array(vec![table("{ x = 1 }")]);
    let after = apply(before, &[set("list", list)]).unwrap();
    assert_eq!(after, before[..end].to_owned() + "list = [{ x = 1 }]\n");
}

#[test]
fn ten_thousand_edits_of_every_kind_take_a_few_readings() {
    let count = 10_000;
    let numbered = |make: &dyn Fn(usize) -> String| (0..count).map(make).collect::<String>();
    let path = |text: String| -> KeyPath { text.parse().unwrap() };
    let wide = "[t]\n".to_owned() + &numbered(&|n| format!("k{n} = {n}\n"));
    let braces = format!("t = {{ {} }}\n", numbered(&|n| format!("k{n} = {n}, ")) + "z = 0");
    let tables = numbered(&|n| format!("[instruments.i{n}]\ntype = 'x'\n\n"));
    let put = |make: &dyn Fn(usize) -> (String, Option<i64>)| -> Vec<TextEdit> {
        let edit = |n| {
            let (text, value) = make(n);
            TextEdit::Put(Edit { path: path(text), value: value.map(Value::Int) })
        };
        (0..count).map(edit).collect()
    };
    let renames = |prefix: &str| -> Vec<TextEdit> {
        let one = |n| TextEdit::rename(path(format!("{prefix}{n}")), format!("r{n}"));
        (0..count).map(one).collect()
    };
    let moves: Vec<TextEdit> = (0..count)
        .map(|n| TextEdit::Move {
            path: path(format!("t.k{n}")),
            to: Spot::Into(path("u".to_owned())),
        })
        .collect();
    let now = Options { annotate: Some("2026-01-31T12:00:00Z") };
    for (text, edits) in [
        (&wide, put(&|n| (format!("t.k{n}"), Some(-1)))),
        (&wide, put(&|n| (format!("t.k{n}"), None))),
        (&wide, put(&|n| (format!("t.n{n}"), Some(1)))),
        (&wide, put(&|n| (format!("t.new.n{n}"), Some(1)))),
        (&wide, put(&|n| (format!("instruments.i{n}.set.v"), Some(1)))),
        (&wide, put(&|n| ("t.k1".to_owned(), (n % 2 == 0).then_some(1)))),
        (&wide, put(&|n| (format!("n{n}"), Some(1)))),
        (&wide, renames("t.k")),
        (&wide, moves),
        (&braces, put(&|n| (format!("t.k{n}"), Some(-1)))),
        (&braces, put(&|n| (format!("t.k{n}"), None))),
        (&braces, put(&|n| (format!("t.n{n}"), Some(1)))),
        (&braces, renames("t.k")),
        (&tables, put(&|n| (format!("instruments.i{n}"), None))),
        (&tables, put(&|n| (format!("instruments.i{n}.set.v"), Some(1)))),
        (&tables, put(&|n| (format!("instruments.i{n}"), Some(1)))),
        (&tables, renames("instruments.i")),
    ] {
        let begun = std::time::Instant::now();
        apply_with(text, &edits, &now).unwrap_or_else(|e| panic!("{e}: {:?}", edits.first()));
        let took = begun.elapsed();
        assert!(took.as_secs() < 20, "{took:?} for {:?}", edits.first());
        if std::env::var_os("SHOW_TIMES").is_some() {
            println!("{took:?} {:?}", edits.first());
        }
    }
}

#[test]
fn a_component_can_be_edited_on_its_own() {
    let edits = [
        TextEdit::set("instruments.psu.set.ch1.voltage".parse().unwrap(), 3.5),
        TextEdit::set("instruments.psu.label".parse().unwrap(), "Bias"),
        TextEdit::set("instruments.psu.limits.ch1.voltage".parse().unwrap(), table("[0.0, 3.6]")),
        TextEdit::remove("instruments.psu.wire".parse().unwrap()),
        TextEdit::rename("instruments.psu.set.ch1.current_limit".parse().unwrap(), "amps"),
    ];
    assert_eq!(touches(&edits), Some("instruments.psu".parse().unwrap()));
    let start = BENCH.find("# Bias supply.").unwrap();
    let end = BENCH.find("# Cryostat").unwrap();
    for annotate in [None, Some("2026-01-31T12:00:00Z")] {
        let options = Options { annotate };
        let slice = apply_with(&BENCH[start..end], &edits, &options).unwrap();
        let whole = apply_with(BENCH, &edits, &options).unwrap();
        assert_eq!([&BENCH[..start], &slice, &BENCH[end..]].concat(), whole);
    }
}

#[test]
fn what_comes_in_place_of_everything_begins_the_text() {
    let plain = "[a.b]\nx = 1\n";
    for (before, after) in [
        (plain.to_owned(), "a = { }\n".to_owned()),
        (plain.replace('\n', "\r\n"), "a = { }\r\n".to_owned()),
        (format!("\u{feff}{plain}"), "\u{feff}a = { }\n".to_owned()),
        (format!("\n{plain}"), "\na = { }\n".to_owned()),
        (format!("# kept\n{plain}"), "# kept\na = { }\n".to_owned()),
        ("a.b.x = 1\n".to_owned(), "a = { }\n".to_owned()),
        ("a.b.x = 1".to_owned(), "a = { }".to_owned()),
    ] {
        check(&before, &[set("a", table("{}"))], &after);
    }
    let source = "[sources.a]\ntype = \"x\"\n";
    check(source, &[set("sources", table("{}"))], "[sources]\n");
    let other = set("sources.b", table("{ type = \"y\" }"));
    let after = "[sources.b]\ntype = \"y\"\n";
    check(source, &[remove("sources.a"), other.clone()], after);
    check(source, &[other, remove("sources.a")], after);
}

mod forms;
mod moving;
mod remarks;
mod renaming;

use super::*;
use crate::value::Table;

fn set(path: &str, value: impl Into<Value>) -> Edit {
    Edit { path: path.parse().unwrap(), value: Some(value.into()) }
}

fn remove(path: &str) -> Edit {
    Edit { path: path.parse().unwrap(), value: None }
}

fn values(text: &str) -> Value {
    Document::parse(text).unwrap().into_values()
}

/// A table as an inline one is written.
fn table(text: &str) -> Value {
    values(&format!("t = {text}")).as_table().unwrap()["t"].clone()
}

#[track_caller]
fn check(before: &str, edits: &[Edit], after: &str) {
    assert_eq!(apply(before, edits).unwrap(), after);
}

const BENCH: &str = "\
# Optics table 3
format = 1

[bench]
name = \"Optics\"     # on the door

# Bias supply.
[instruments.psu]
type = 'rigol_dp832'
address = \"sim:\"
wire = { gap = \"1s\" }

[instruments.psu.set]
ch1.voltage = 3.300      # V
ch1.current_limit = 0.5
# ch2.voltage = 1.0

# Cryostat
[instruments.thermo]
type = 'lakeshore_335'
address = 'sim:'

[sources.ball]
type = \"test_pattern\"
";

#[track_caller]
fn check_bench(edits: &[Edit], from: &str, to: &str) {
    assert!(BENCH.contains(from), "{from}");
    check(BENCH, edits, &BENCH.replacen(from, to, 1));
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    check_bench(
        &[set("instruments.psu.set.ch1.voltage", 3.45)],
        "ch1.voltage = 3.300      # V\n",
        "ch1.voltage = 3.450      # V\n",
    );
    check_bench(
        &[set("instruments.thermo.address", "tcp://x:1")],
        "address = 'sim:'",
        "address = 'tcp://x:1'",
    );
    check_bench(&[set("instruments.psu.wire.gap", "20ms")], "\"1s\"", "\"20ms\"");
}

#[test]
fn a_comment_keeps_its_column() {
    check_bench(
        &[set("instruments.psu.set.ch1.voltage", 12.3456)],
        "3.300      # V",
        "12.3456    # V",
    );
    check_bench(&[set("bench.name", "O")], "\"Optics\"     # on", "\"O\"          # on");
    check_bench(
        &[set("bench.name", "A long name for it")],
        "\"Optics\"     # on",
        "\"A long name for it\"     # on",
    );
}

#[test]
fn numbers_are_written_like_the_old_ones_and_lose_nothing() {
    for (old, new, expected) in [
        ("3.300", Value::Float(3.45), "3.450"),
        ("3.300", Value::Float(3.4567), "3.4567"),
        ("3.0", Value::Int(4), "4.0"),
        ("3.000", Value::Int(-4), "-4.000"),
        ("3", Value::Float(4.0), "4"),
        ("3", Value::Float(4.5), "4.5"),
        ("3", Value::Int(5), "5"),
        ("1e-3", Value::Float(2e-3), "2e-3"),
        ("3.0", Value::Float(1e300), "1e+300"),
        ("3.0", Value::Int(i64::MAX), "9223372036854775807"),
        ("'x'", Value::Float(4.0), "4.0"),
        ("3.0", Value::Float(-0.0), "-0.0"),
        ("0x10", Value::Int(17), "0x11"),
    ] {
        let after = apply(&format!("a = {old}\n"), &[set("a", new)]).unwrap();
        let read = values(&after).as_table().unwrap()["a"].as_f64();
        let wanted = values(&format!("a = {expected}")).as_table().unwrap()["a"].as_f64();
        assert_eq!(read.map(f64::to_bits), wanted.map(f64::to_bits), "{old}: {after}");
        if expected != "1e+300" {
            assert_eq!(after, format!("a = {expected}\n"));
        }
    }
}

#[test]
fn an_equal_value_changes_nothing() {
    check("a = 3.300\nb = 0x10\n", &[set("a", 3.3), set("b", 16.0)], "a = 3.300\nb = 0x10\n");
}

#[test]
fn text_keeps_its_quotation_marks_where_they_can_hold_it() {
    for (old, new, expected) in [
        ("'x'", "y\\z", "'y\\z'"),
        ("'x'", "it's", "\"it's\""),
        ("\"x\"", "a \"b\" \\ \n", "\"a \\\"b\\\" \\\\ \\n\""),
        ("\"\"\"\nx\n\"\"\"", "y", "\"y\""),
    ] {
        let after = format!("a = {expected} # c\n");
        check(&format!("a = {old} # c\n"), &[set("a", new)], &after);
    }
}

#[test]
fn items_of_a_list_change_one_by_one() {
    let list = |items: &[f64]| Value::Array(items.iter().map(|item| Value::Float(*item)).collect());
    let before = "a = [\n  0.00, # least\n  3.60,\n]\n";
    check(before, &[set("a", list(&[0.0, 4.5]))], &before.replace("3.60", "4.50"));
    check(before, &[set("a", list(&[1.0]))], "a = [\n  1.00, # least\n]\n");
    // A comment ends with its line, also where the list stands on one.
    let longer = &[set("a", list(&[1.0, 2.0, 3.0]))];
    check("a = [1.0, 2.0, # c\n]\n", longer, "a = [1.0, 2.0, # c\n 3.0,\n]\n");
    check("a = [1.0, 2.0 # c\n]\n", longer, "a = [1.0, 2.0, # c\n 3.0\n]\n");
    check("a = [1.0, # c\n 2.0]\n", &[set("a", list(&[1.0]))], "a = [1.0 # c\n]\n");
}

#[test]
fn a_missing_key_follows_the_last_of_its_table() {
    check_bench(
        &[set("instruments.psu.set.ch2.voltage", 1.5), set("instruments.psu.set.ch2.output", "on")],
        "ch1.current_limit = 0.5\n",
        "ch1.current_limit = 0.5\nch2.voltage = 1.500\nch2.output = \"on\"\n",
    );
    check_bench(
        &[set("instruments.psu.enabled", false)],
        "\"1s\" }\n",
        "\"1s\" }\nenabled = false\n",
    );
    check_bench(
        &[set("instruments.psu.wire.baud", 9600)],
        "gap = \"1s\" }",
        "gap = \"1s\", baud = 9600 }",
    );
    check("# top\n\n# about a\n[a]\n", &[set("b", 1)], "# top\n\nb = 1\n\n# about a\n[a]\n");
    check("[a]\n  x=1\n[b]\n", &[set("a.y", 2)], "[a]\n  x=1\n  y=2\n[b]\n");
    check("[a]\n[b]\n", &[set("a.y", 2)], "[a]\ny = 2\n[b]\n");
    check("a = {}\n", &[set("a.b.c", 2)], "a = { b.c = 2 }\n");
    check("", &[set("a", 2)], "a = 2\n");
}

#[test]
fn dotted_tables_grow_in_their_own_style() {
    let before = "[instruments.psu]\ntype = 'x'\nset.ch1.voltage = 3.3\nlabel = 'y'\n";
    check(
        before,
        &[set("instruments.psu.set.ch2.voltage", 1)],
        "[instruments.psu]\ntype = 'x'\nset.ch1.voltage = 3.3\nset.ch2.voltage = 1\nlabel = 'y'\n",
    );
    check(
        "instruments.psu.type = 'x'\nformat = 1\n",
        &[set("instruments.b", table("{ type = 'y', set = { ch1 = { v = 1 } } }"))],
        "instruments.psu.type = 'x'\ninstruments.b.type = \"y\"\ninstruments.b.set.ch1.v = 1\nformat = 1\n",
    );
}

#[test]
fn a_missing_table_comes_after_the_last_of_its_instrument() {
    check_bench(
        &[set("instruments.thermo.set.loop1.setpoint", 295.0)],
        "address = 'sim:'\n",
        "address = 'sim:'\n\n[instruments.thermo.set]\nloop1.setpoint = 295.0\n",
    );
    check_bench(
        &[set("instruments.psu.limits.ch1.voltage", table("[0.0, 3.6]"))],
        "# ch2.voltage = 1.0\n",
        "# ch2.voltage = 1.0\n\n[instruments.psu.limits]\nch1.voltage = [0.0, 3.6]\n",
    );
    check(
        "[instruments.psu.set]\na = 1\n",
        &[set("instruments.psu.label", "x")],
        "[instruments.psu.set]\na = 1\n\n[instruments.psu]\nlabel = \"x\"\n",
    );
}

#[test]
fn an_added_instrument_has_headers_of_its_own() {
    let new = table(
        "{ type = 'x', address = 'sim:', wire = { gap = '1s' }, set = { ch1 = { v = 1.5, w = 'on' } } }",
    );
    let text = "\
[instruments.spare]
type = \"x\"
address = \"sim:\"
wire = { gap = \"1s\" }

[instruments.spare.set]
ch1.v = 1.5
ch1.w = \"on\"
";
    check_bench(
        &[set("instruments.spare", new.clone())],
        "address = 'sim:'\n\n[sources",
        &format!("address = 'sim:'\n\n{text}\n[sources"),
    );
    check("", &[set("instruments.spare", new.clone())], text);
    check("\u{feff}", &[set("instruments.spare", new)], &format!("\u{feff}{text}"));
    check(
        "[a]\nx = 1",
        &[set("modules.log", table("{ type = 'recorder', roles = { what = ['a'] } }"))],
        "[a]\nx = 1\n\n[modules.log]\ntype = \"recorder\"\nroles = { what = [\"a\"] }",
    );
}

#[test]
fn a_removed_key_goes_with_its_line() {
    check_bench(&[remove("instruments.psu.set.ch1.voltage")], "ch1.voltage = 3.300      # V\n", "");
    check_bench(&[remove("instruments.psu.wire.gap")], "{ gap = \"1s\" }", "{}");
    check("a = [\n1,\n]\nb = 2", &[remove("b")], "a = [\n1,\n]");
    check("a = [\n1,\n]\nb = 2", &[remove("a")], "b = 2");
}

#[test]
fn items_between_braces_go_with_one_comma() {
    let before = "t = { a = 1, b.c = 2, b.d = 3, e = 4 } # x\n";
    check(before, &[remove("t.a")], "t = { b.c = 2, b.d = 3, e = 4 } # x\n");
    check(before, &[remove("t.b")], "t = { a = 1, e = 4 } # x\n");
    check(before, &[remove("t.b.c")], "t = { a = 1, b.d = 3, e = 4 } # x\n");
    check(before, &[remove("t.e"), remove("t.b.d")], "t = { a = 1, b.c = 2 } # x\n");
    check(before, &[remove("t.e"), set("t.f", 5)], "t = { a = 1, b.c = 2, b.d = 3, f = 5 } # x\n");
    check(before, &[remove("t.a"), remove("t.b"), remove("t.e")], "t = {} # x\n");
}

/// One that is written as its keys would not be there without the last of them.
#[test]
fn a_table_that_is_set_to_nothing_is_an_empty_one() {
    let empty = || Value::Table(Table::new());
    check("a.x = 1\nb = 2\n", &[set("a", empty())], "b = 2\na = { }\n");
    check("t = { a.x = 1 }\n", &[set("t.a", empty())], "t = { a = { } }\n");
    let text = "x = 1\n\n[a.b]\ny = 1\n\n[c]\n";
    check(text, &[set("a", empty())], "x = 1\na = { }\n\n[c]\n");
    check("[a]\nx = 1\n", &[set("a", empty())], "[a]\n");
    check("a = { x = 1 }\n", &[set("a", empty())], "a = {}\n");
    let whole = Value::Table([("b".to_owned(), empty())].into_iter().collect());
    check("a.b.x = 1\nc = 2\n", &[set("a", whole)], "c = 2\na.b = { }\n");
}

#[test]
fn a_removed_table_goes_with_the_tables_below_it_and_comments_stay() {
    check_bench(
        &[remove("instruments.psu")],
        "\
[instruments.psu]
type = 'rigol_dp832'
address = \"sim:\"
wire = { gap = \"1s\" }

[instruments.psu.set]
ch1.voltage = 3.300      # V
ch1.current_limit = 0.5
",
        "",
    );
    check_bench(&[remove("sources")], "\n[sources.ball]\ntype = \"test_pattern\"\n", "");
    check("[a]\nx = 1\n\n[b]\ny = 2\n\n[c]\n", &[remove("b")], "[a]\nx = 1\n\n[c]\n");
    check("[a]\nx = 1\n\n[b]\ny = 2", &[remove("b")], "[a]\nx = 1");
    check("[a]\nx = 1\n", &[remove("a")], "");
}

#[test]
fn a_whole_table_changes_key_by_key() {
    check_bench(
        &[set(
            "instruments.psu.set",
            table("{ ch1 = { voltage = 3.3, current_limit = 1.0 }, ch2 = { voltage = 2.0 } }"),
        )],
        "ch1.current_limit = 0.5\n",
        "ch1.current_limit = 1.0\nch2.voltage = 2.000\n",
    );
    check("[a]\nb = 1\nc = 2\n", &[set("a", table("{ c = 2, d = 3 }"))], "[a]\nc = 2\nd = 3\n");
}

#[test]
fn a_table_can_become_a_value_and_a_value_a_table() {
    check("x = 0\n\n[a]\nb = 1\n", &[set("a", 1)], "x = 0\na = 1\n");
    check("a = 1 # c\n", &[set("a", table("{ b = 1 }"))], "a = { b = 1 } # c\n");
}

#[test]
fn later_edits_see_earlier_ones() {
    check(
        "[a]\n",
        &[set("a.b.c", 1), set("a.b.d", 2), set("a.b.c", 3), remove("a.b.d")],
        "[a]\nb.c = 3\n",
    );
    let new = table("{ type = 'x', address = 'sim:' }");
    check(
        "",
        &[
            set("instruments.a", new.clone()),
            set("instruments.a.label", "l"),
            set("instruments.b", new),
        ],
        "[instruments.a]\ntype = \"x\"\naddress = \"sim:\"\nlabel = \"l\"\n\n\
         [instruments.b]\ntype = \"x\"\naddress = \"sim:\"\n",
    );
}

#[test]
fn line_ends_and_byte_order_mark_are_kept() {
    let before = format!("\u{feff}{}", BENCH.replace('\n', "\r\n"));
    let edits = [
        set("instruments.psu.set.ch1.voltage", 1.0),
        set("instruments.psu.set.ch2.voltage", 2.0),
        set("instruments.new", table("{ type = 'x', set = { a = 1 } }")),
        remove("sources.ball"),
        remove("format"),
    ];
    let after = apply(&before, &edits).unwrap();
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    let plain = apply(BENCH, &edits).unwrap();
    assert_eq!(after, format!("\u{feff}{}", plain.replace('\n', "\r\n")));
    check("\u{feff}a = 1\r\n", &[remove("a")], "\u{feff}");
}

#[test]
fn what_cannot_be_done_says_why_and_changes_nothing() {
    let error = |edit: Edit| apply(BENCH, &[edit]).unwrap_err();
    assert_eq!(
        error(set("bench.name.x", 1)).to_string(),
        "bench.name.x cannot be set: bench.name is a text, not a table"
    );
    assert_eq!(
        error(remove("bench.nam")).to_string(),
        "bench.nam cannot be removed: it is not in the file"
    );
    assert!(matches!(apply("a = ", &[]), Err(EditError::Syntax(_))));
}

#[test]
fn many_edits_take_one_pass() {
    let before: String = (0..2_000)
        .map(|n| format!("[instruments.i{n}]\ntype = 'x'\n[instruments.i{n}.set]\nv = 1.0\n\n"))
        .collect();
    let mut edits: Vec<Edit> =
        (0..2_000).map(|n| set(&format!("instruments.i{n}.set.v"), 2.0)).collect();
    edits.extend((0..500).map(|n| set(&format!("instruments.i{n}.set.w"), 2.0)));
    edits.extend((500..1_000).map(|n| remove(&format!("instruments.i{n}.type"))));
    edits.extend((0..500).map(|n| set(&format!("instruments.n{n}"), Value::Table(Table::new()))));
    let after = values(&apply(&before, &edits).unwrap());
    assert_eq!(after.as_table().unwrap()["instruments"].as_table().unwrap().len(), 2_500);
}

#[test]
fn a_key_and_a_table_added_at_one_place_do_not_mix() {
    check(
        "[instruments.a]\ntype = 'x'",
        &[set("instruments.a.set.v", 1), set("instruments.a.label", "l")],
        "[instruments.a]\ntype = 'x'\nlabel = \"l\"\n\n[instruments.a.set]\nv = 1",
    );
}

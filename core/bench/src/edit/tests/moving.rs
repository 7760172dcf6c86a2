//! Keys that are put somewhere else.

use super::*;

fn shift(path: &str, to: Spot) -> TextEdit {
    TextEdit::Move { path: path.parse().unwrap(), to }
}

fn into(path: &str, table: &str) -> TextEdit {
    let table = if table.is_empty() { KeyPath::default() } else { table.parse().unwrap() };
    shift(path, Spot::Into(table))
}

#[track_caller]
fn moved(before: &str, edit: TextEdit, after: &str) {
    assert_eq!(apply_with(before, &[edit], &Options::default()).unwrap(), after);
}

fn ahead(path: &str, name: &str) -> TextEdit {
    shift(path, Spot::Before(name.to_owned()))
}

fn behind(path: &str, name: &str) -> TextEdit {
    shift(path, Spot::After(name.to_owned()))
}

#[test]
fn keys_change_places_with_their_comments() {
    let before = "# title\nx = 1 # one\n# about y\ny = [\n  2,\n]\nz.a = 3\nz.b = 4\n";
    moved(
        before,
        ahead("y", "x"),
        "# title\n# about y\ny = [\n  2,\n]\nx = 1 # one\nz.a = 3\nz.b = 4\n",
    );
    moved(
        before,
        behind("x", "z"),
        "# title\n# about y\ny = [\n  2,\n]\nz.a = 3\nz.b = 4\nx = 1 # one\n",
    );
    moved(
        before,
        ahead("z", "y"),
        "# title\nx = 1 # one\nz.a = 3\nz.b = 4\n# about y\ny = [\n  2,\n]\n",
    );
    moved(before, behind("z.a", "b"), &before.replace("z.a = 3\nz.b = 4\n", "z.b = 4\nz.a = 3\n"));
    moved(before, behind("x", "x"), before);
    moved(before, behind("y", "x"), before);
    moved("a = 1\r\nb = 2", ahead("b", "a"), "b = 2\r\na = 1");
    moved("a = 1\r\nb = 2", behind("a", "b"), "b = 2\r\na = 1");
    moved("a = 1\r\nb = 2", behind("b", "a"), "a = 1\r\nb = 2");
    moved("t = { a = 1, b.c = 2, d = 3 }\n", ahead("t.d", "a"), "t = { d = 3, a = 1, b.c = 2 }\n");
    moved("t = { a = 1, b.c = 2, d = 3 }\n", behind("t.a", "b"), "t = { b.c = 2, a = 1, d = 3 }\n");
}

#[test]
fn tables_change_places_with_all_that_belongs_to_them() {
    let psu = "# Bias supply.\n[instruments.psu]";
    let (start, end) = (BENCH.find(psu).unwrap(), BENCH.find("# Cryostat").unwrap());
    let sources = BENCH.find("[sources").unwrap();
    let after =
        [&BENCH[..start], &BENCH[end..sources], &BENCH[start..end], &BENCH[sources..]].concat();
    moved(BENCH, behind("instruments.psu", "thermo"), &after);
    moved(BENCH, ahead("instruments.thermo", "psu"), &after);
    moved(&after, ahead("instruments.psu", "thermo"), BENCH);
    moved("[a]\nx = 1\n[b]\ny = 2", behind("a", "b"), "[b]\ny = 2\n[a]\nx = 1");
    moved("[a]\nx = 1\n[b]\ny = 2", ahead("b", "a"), "[b]\ny = 2\n[a]\nx = 1");
    moved("[a]\n[c]\n[a.b]\n[d]\n", ahead("d", "c"), "[a]\n[d]\n[c]\n[a.b]\n");
    let error = apply_with(BENCH, &[behind("format", "bench")], &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "format cannot stand next to bench: keys come before tables that have headers"
    );
}

#[test]
fn a_key_goes_to_another_table_with_comments_and_bytes() {
    let before = "[a]\n# about x\nx = 3.300   # V\ny = 1\n\n[b]\nz = 1\n";
    let after = "[a]\ny = 1\n\n[b]\nz = 1\n# about x\nx = 3.300   # V\n";
    moved(before, into("a.x", "b"), after);
    moved(before, into("a.x", ""), "# about x\nx = 3.300   # V\n\n[a]\ny = 1\n\n[b]\nz = 1\n");
    moved(
        before,
        into("a.x", "c"),
        "[a]\ny = 1\n\n[b]\nz = 1\n\n[c]\n# about x\nx = 3.300   # V\n",
    );
    moved(
        "[a]\nb.c.d = 0x01\nb.c.e = 2\n[f]\ng.h = 1\n",
        into("a.b.c", "f.g"),
        "[a]\n[f]\ng.h = 1\ng.c.d = 0x01\ng.c.e = 2\n",
    );
    moved(
        "[a]\nx = 0x01 # c\n[t]\nu = { v = 1 }\n",
        into("a.x", "t.u"),
        "[a]\n[t]\nu = { v = 1, x = 0x01 }\n",
    );
    moved("t = { a = 0x01, b = 2 }\n[u]\n", into("t.a", "u"), "t = { b = 2 }\n[u]\na = 0x01\n");
}

#[test]
fn a_table_goes_to_another_with_all_that_belongs_to_it() {
    let after = "\
# Optics table 3
format = 1

[bench]
name = \"Optics\"     # on the door

# Cryostat
[instruments.thermo]
type = 'lakeshore_335'
address = 'sim:'

[sources.ball]
type = \"test_pattern\"

# Bias supply.
[templates.psu]
type = 'rigol_dp832'
address = \"sim:\"
wire = { gap = \"1s\" }

[templates.psu.set]
ch1.voltage = 3.300      # V
ch1.current_limit = 0.5
# ch2.voltage = 1.0
";
    moved(BENCH, into("instruments.psu", "templates"), after);
    moved("[a.b]\nx = 1\n[c]\ny = 2\n", into("a.b", "c"), "[c]\ny = 2\n\n[c.b]\nx = 1\n");
    moved("[a]\n[[a.b]]\nx = 1\n[[a.b]]\n", into("a.b", ""), "[a]\n\n[[b]]\nx = 1\n[[b]]\n");
}

#[test]
fn what_cannot_be_moved_says_why() {
    let error = |edit| apply_with(BENCH, &[edit], &Options::default()).unwrap_err().to_string();
    assert_eq!(
        error(into("instruments.psu", "instruments.psu.set")),
        "instruments.psu cannot be moved into instruments.psu.set, which is a part of it"
    );
    assert!(error(into("instruments", "instruments")).contains("a part of it"));
    assert!(error(into("instruments.psu.type", "instruments.thermo")).contains("remove it first"));
    assert_eq!(
        error(into("instruments.psu.type", "format")),
        "format cannot be set: format is a whole number, not a table"
    );
    assert!(error(ahead("instruments.psu", "pus")).contains("instruments.pus is not in the file"));
    moved(BENCH, into("instruments.psu", "instruments"), BENCH);
}

/// If each of them needed a reading of the text, they would be refused.
#[test]
fn ten_thousand_keys_between_one_pair_of_braces_are_edited_in_a_few_readings() {
    let count = 10_000;
    let items: Vec<String> = (0..count).map(|n| format!("key_{n} = {n}")).collect();
    let text = format!("[t]\nv = {{ {} }}\n[u]\n", items.join(", "));
    let key = |n: usize| KeyPath::new(["t".to_owned(), "v".to_owned(), format!("key_{n}")]);
    let each = |edit: &dyn Fn(usize) -> Vec<TextEdit>| {
        let edits: Vec<TextEdit> = (1..count).flat_map(edit).collect();
        apply_with(&text, &edits, &Options::default()).unwrap()
    };
    let to = |n: usize, to: Spot| TextEdit::Move { path: key(n), to };
    let renamed =
        each(&|n| vec![TextEdit::set(key(n), -1), TextEdit::rename(key(n), format!("other_{n}"))]);
    assert!(renamed.contains("{ key_0 = 0, other_1 = -1, other_2 = -1,"));
    let turned = each(&|n| vec![to(n, Spot::After("key_0".to_owned()))]);
    assert!(turned.contains("{ key_0 = 0, key_9999 = 9999, key_9998 = 9998,"));
    let moved = each(&|n| vec![to(n, Spot::Into("u".parse().unwrap()))]);
    assert!(moved.starts_with("[t]\nv = { key_0 = 0 }\n[u]\nkey_1 = 1\nkey_2 = 2\n"));
}

//! Remarks on what was changed.

use super::*;

const ONE: &str = "2026-01-31T12:00:00Z";
const TWO: &str = "2026-02-01T08:30:00Z";

fn noted(before: &str, edits: &[Edit], now: &str) -> String {
    let edits: Vec<TextEdit> = edits.iter().cloned().map(TextEdit::Put).collect();
    apply_with(before, &edits, &Options { annotate: Some(now) }).unwrap()
}

#[test]
fn a_changed_value_says_when_and_what_it_was() {
    let once = noted(BENCH, &[set("instruments.psu.set.ch1.voltage", 3.45)], ONE);
    let line = "ch1.voltage = 3.450      # V # changed 2026-01-31T12:00:00Z, was 3.300\n";
    assert_eq!(once, BENCH.replace("ch1.voltage = 3.300      # V\n", line));
    let twice = noted(&once, &[set("instruments.psu.set.ch1.voltage", 3.5)], TWO);
    let line = "ch1.voltage = 3.500      # V # changed 2026-02-01T08:30:00Z, was 3.450\n";
    assert_eq!(twice, BENCH.replace("ch1.voltage = 3.300      # V\n", line));
    assert_eq!(noted(&twice, &[set("instruments.psu.set.ch1.voltage", 3.5)], TWO), twice);
}

#[test]
fn remarks_of_others_stay_on_both_sides() {
    for (before, after) in [
        ("a = 1", "a = 2  # changed T, was 1"),
        ("a = 1 # changed 2025-01-01T00:00:00Z, was 0", "a = 2 # changed T, was 1"),
        ("a = 1 # x # changed 2025-01-01T00:00:00Z # y", "a = 2 # x # changed T, was 1 # y"),
        ("a = 1 # changed my mind", "a = 2 # changed my mind # changed T, was 1"),
        ("t = { a = 1, b = 2 }", "t = { a = 2, b = 2 }  # changed T, was 1"),
    ] {
        let path = if before.starts_with('t') { "t.a" } else { "a" };
        let after = after.replace('T', ONE);
        for end in ["", "\n", "\r\n"] {
            let before = format!("{before}{end}");
            assert_eq!(noted(&before, &[set(path, 2)], ONE), format!("{after}{end}"));
        }
    }
    // What cannot stand in a comment, or ends it for the next change, is left out.
    for old in ["'#1'", "\"\"\"\nx\"\"\"", "'0123456789012345678901234567890123456789'"] {
        let after = noted(&format!("a = {old}\n"), &[set("a", 2)], ONE);
        assert_eq!(after, format!("a = 2  # changed {ONE}\n"));
    }
    let several =
        noted("t = { a = 1, b = 2 }\n", &[set("t.a", 2), remove("t.b"), set("t.c", 3)], ONE);
    assert_eq!(several, format!("t = {{ a = 2, c = 3 }}  # changed {ONE}\n"));
    let list =
        noted("a = [\n  1, # one\n]\n", &[set("a", Value::Array(vec![1.into(), 2.into()]))], ONE);
    assert_eq!(list, format!("a = [\n  1, # one\n  2,\n]  # changed {ONE}\n"));
}

#[test]
fn what_is_added_says_when_and_takes_that_along() {
    let added = format!("# Added dynamically: {ONE}\n");
    let before = "[a]\n  x = 1\n";
    let once = noted(before, &[set("a.y", 2), set("a.z", 3)], ONE);
    assert_eq!(once, format!("[a]\n  x = 1\n  {added}  y = 2\n  {added}  z = 3\n"));
    let changed = noted(&once, &[set("a.y", 5)], TWO);
    assert_eq!(changed, once.replace("y = 2", &format!("y = 5  # changed {TWO}, was 2")));
    // With remarks or without: a remark does not outlive what it is about.
    assert_eq!(apply(&once, &[remove("a.y"), remove("a.z")]).unwrap(), before);
    assert_eq!(noted(&once, &[remove("a.y"), remove("a.z")], TWO), before);
    assert_eq!(noted("", &[set("x", 1)], ONE), format!("{added}x = 1\n"));
    assert_eq!(noted("[a]\n", &[set("x", 1)], ONE), format!("{added}x = 1\n\n[a]\n"));
}

#[test]
fn components_come_and_go_with_one_remark() {
    let new = table("{ type = 'x', set = { v = 1 } }");
    let once = noted(BENCH, &[set("instruments.spare", new.clone())], ONE);
    let block = format!(
        "# Added dynamically: {ONE}\n[instruments.spare]\ntype = \"x\"\n\n\
         [instruments.spare.set]\nv = 1\n\n"
    );
    assert_eq!(once, BENCH.replace("[sources", &format!("{block}[sources")));
    let gone = noted(&once, &[remove("instruments.spare")], TWO);
    let mark = format!("# Removed: spare at {TWO}\n\n");
    assert_eq!(gone, BENCH.replace("[sources", &format!("{mark}[sources")));
    let again = noted(&gone, &[set("instruments.spare", new)], ONE);
    assert_eq!(again, once);
    assert_eq!(noted(&again, &[remove("instruments.spare")], TWO), gone);
    assert_eq!(
        noted("[instruments.a]\nx = 1", &[remove("instruments.a")], ONE),
        format!("# Removed: a at {ONE}")
    );
    let two = "x = 1\n\n[instruments.a]\nx = 1\n\n[instruments.b]\nx = 1\n";
    let both = noted(two, &[remove("instruments")], ONE);
    assert_eq!(both, format!("x = 1\n\n# Removed: a at {ONE}\n# Removed: b at {ONE}\n"));
    let back = noted(&both, &[set("instruments", table("{ a = { x = 1 }, b = { x = 1 } }"))], TWO);
    let added = format!("# Added dynamically: {TWO}\n");
    assert_eq!(
        back,
        format!("x = 1\n\n{added}[instruments.a]\nx = 1\n\n{added}[instruments.b]\nx = 1\n")
    );
    // What looks like a remark and is a text is none.
    let text = format!("x = \"\"\"\n# Removed: a at {ONE}\n\"\"\"\n");
    assert!(noted(&text, &[set("instruments.a", table("{ x = 1 }"))], TWO).starts_with(&text));
}

#[test]
fn a_time_is_a_time() {
    let options = Options { annotate: Some("now\nb = 2") };
    let edit = TextEdit::set("a".parse().unwrap(), 2);
    let error = apply_with("a = 1", &[edit], &options).unwrap_err();
    assert!(matches!(error, EditError::Time(_)), "{error}");
}

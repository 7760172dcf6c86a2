//! Edits of every kind in random files of every form: what was asked for is there, lines that
//! were not asked about keep their bytes, and remarks change nothing but comments.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use setpoint_bench::{
    Document, Edit, EditError, KeyPath, TextEdit, Value, apply_with,
    edit::{Options, Spot},
};

const ONE: &str = "2026-01-31T12:00:00Z";
const TWO: &str = "2026-02-01T08:30:00Z";

/// Pieces of files that make no sense together but are TOML in any order and number: each with
/// a place for its number in every name of the top table.
const PIECES: &[&str] = &[
    "[instruments.p#]\ntype = 'x' # who\naddress = \"sim:\"\n\n  [instruments.p#.set]\n  ch1.voltage = 3.300      # V\n  ch1.on=true\n",
    "# about\n[t#]\nlist = [\n  1, # one\n  0x02,\n  # three\n  3\n] # end\nhex = 0x00_1F\nbig = 1_000_000\n",
    "[t#.a.b]\nx = 1e-3\n[t#.c]\n'odd name' = +3.30\n\"\" = inf\n",
    "[inl#]\na = { b = 1, c.d = 'x', c.e = [1, 2], f = { g = 1.50 } } # here\n# last\n",
    "[[list#]]\nx = 1\n[list#.sub]\ny = 2\n\n[[list#]]\n",
    "[dot#]\na.b.c = 1\n# between\na.b.d = 'two' \na.e = 3\n\"q\".r = 1979-05-27\n\n\n",
    "[dot#]\napple.colour = 'red'\n[dot#.apple.taste]\nsweet = true\n",
    "\n# alone\n\n[sources.s#]\ntype = \"\"\"\nsome # text\n[no.header]\nlines\"\"\"\nlabel = '''a\nb'''\t# tab\n",
    "[modules.m#]\nroles = { one = 'p1', two = ['p1', 'p2'] }\n",
];

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PIECES)
}

/// A file, its line ends and marks as chance has it.
fn file() -> impl Strategy<Value = String> {
    let top = "(|# title\n\n)(|format = 1 # one\n|  format=1\nname\\.first = 'a'\nname\\.last = \"b\" #\n)";
    let pieces = prop::collection::vec(piece(), 0..5);
    (top, pieces, any::<[bool; 3]>()).prop_map(|(top, pieces, [windows, mark, open])| {
        let mut text = top;
        for (number, piece) in pieces.iter().enumerate() {
            text += &piece.replace('#', "\u{0}").replace("\u{0}]", &format!("{number}]"));
            text = text.replace("\u{0}.", &format!("{number}.")).replace('\u{0}', "#");
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        if open {
            text.truncate(text.trim_end().len());
        }
        if mark { format!("\u{feff}{text}") } else { text }
    })
}

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i16>().prop_map(|number| Value::Int(number.into())),
        (-100_000_i32..100_000).prop_map(|number| Value::Float(f64::from(number) / 1_000.0)),
        any::<f64>().prop_map(Value::Float),
        "[a-z#'\"\\\\ =\\[\\]{},.\nµ]{0,8}".prop_map(Value::String),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let list = prop::collection::vec(prop_oneof![(1_i64..4).prop_map(Value::Int), plain()], 0..5);
    let table = prop::collection::vec(("[a-d]|set|type", plain()), 0..4)
        .prop_map(|keys| Value::Table(keys.into_iter().collect()));
    prop_oneof![4 => plain(), 2 => list.prop_map(Value::Array), 1 => table]
}

/// What is to be done to one of the keys of a file.
#[derive(Debug, Clone)]
enum Wish {
    Set(Value),
    Remove,
    Add(String, Value),
    Rename(String),
    Beside(prop::sample::Index, bool),
    Into(prop::sample::Index),
    IntoNew(String),
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]{1,3}|odd name|a\\.b|😀|it's|\"|"
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        4 => value().prop_map(Wish::Set),
        2 => Just(Wish::Remove),
        3 => (name(), value()).prop_map(|(name, value)| Wish::Add(name, value)),
        2 => name().prop_map(Wish::Rename),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, ahead)| Wish::Beside(at, ahead)),
        2 => any::<prop::sample::Index>().prop_map(Wish::Into),
        1 => name().prop_map(Wish::IntoNew),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<(prop::sample::Index, Wish)>> {
    prop::collection::vec((any::<prop::sample::Index>(), wish()), 1..6)
}

/// Every key of a table, those below others after them.
fn keys(value: &Value) -> Vec<KeyPath> {
    let mut all = vec![KeyPath::default()];
    let mut at = 0;
    while let Some(path) = all.get(at).cloned() {
        if let Some(Value::Table(table)) = value.get(&path) {
            all.extend(table.iter().map(|(name, _)| path.child(name)));
        }
        at += 1;
    }
    all
}

fn edit(values: &Value, at: prop::sample::Index, wish: &Wish) -> TextEdit {
    let all = keys(values);
    let path = at.get(&all).clone();
    let tables: Vec<&KeyPath> = all
        .iter()
        .filter(|path| values.get(path).is_some_and(|v| v.as_table().is_some()))
        .collect();
    match wish {
        Wish::Set(value) => TextEdit::Put(Edit { path, value: Some(value.clone()) }),
        Wish::Remove => TextEdit::remove(path),
        Wish::Add(name, value) => {
            TextEdit::Put(Edit { path: path.child(name), value: Some(value.clone()) })
        }
        Wish::Rename(name) => TextEdit::rename(path, name),
        Wish::Beside(other, ahead) => {
            let around = path.parent().and_then(|parent| values.get(&parent));
            let names: Vec<&str> = around
                .and_then(Value::as_table)
                .into_iter()
                .flat_map(|table| table.keys())
                .collect();
            let name = if names.is_empty() { "x" } else { other.get(&names) }.to_owned();
            let to = if *ahead { Spot::Before(name) } else { Spot::After(name) };
            TextEdit::Move { path, to }
        }
        Wish::Into(table) => TextEdit::Move { path, to: Spot::Into((*table.get(&tables)).clone()) },
        Wish::IntoNew(name) => {
            TextEdit::Move { path, to: Spot::Into(KeyPath::new([name.as_str()])) }
        }
    }
}

/// A plain tree that edits are made in the simplest way there is.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(Value),
    Table(BTreeMap<String, Tree>),
}

impl Tree {
    fn new(value: &Value) -> Self {
        match value {
            Value::Table(table) => {
                Self::Table(table.iter().map(|(name, v)| (name.to_owned(), Self::new(v))).collect())
            }
            leaf => Self::Leaf(leaf.clone()),
        }
    }

    fn table(&mut self, names: &[String], make: bool) -> Option<&mut BTreeMap<String, Tree>> {
        let Self::Table(table) = self else { return None };
        let Some((name, rest)) = names.split_first() else { return Some(table) };
        if make {
            table.entry(name.clone()).or_insert_with(|| Self::Table(BTreeMap::new()));
        }
        table.get_mut(name)?.table(rest, make)
    }

    /// `None` if that cannot be done.
    fn change(&mut self, edit: &TextEdit) -> Option<()> {
        let path = edit.path();
        let Some((name, above)) = path.names().split_last() else {
            let TextEdit::Put(Edit { value: Some(value @ Value::Table(_)), .. }) = edit else {
                return None;
            };
            *self = Self::new(value);
            return Some(());
        };
        match edit {
            TextEdit::Put(Edit { value: Some(value), .. }) => {
                self.table(above, true)?.insert(name.clone(), Self::new(value));
            }
            TextEdit::Put(Edit { value: None, .. }) => {
                self.table(above, false)?.remove(name)?;
            }
            TextEdit::Rename { name: new, .. } => {
                let table = self.table(above, false)?;
                let moved = table.remove(name)?;
                if table.insert(new.clone(), moved).is_some() {
                    return None;
                }
            }
            TextEdit::Move { to: Spot::Before(other) | Spot::After(other), .. } => {
                let table = self.table(above, false)?;
                (table.contains_key(name) && table.contains_key(other)).then_some(())?;
            }
            TextEdit::Move { to: Spot::Into(into), .. } => {
                if into.starts_with(path) {
                    return None;
                }
                let moved = self.table(above, false)?.remove(name)?;
                if self.table(into.names(), true)?.insert(name.clone(), moved).is_some() {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Whether a text says so. Empty tables need not be there.
    fn is(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Table(tree), Some(Value::Table(found))) => {
                tree.iter().all(|(name, tree)| tree.is(found.get(name)))
                    && found.keys().all(|name| tree.contains_key(name))
            }
            (Self::Table(tree), None) => tree.values().all(|tree| tree.is(None)),
            (Self::Leaf(Value::Float(one)), Some(Value::Float(other))) if one.is_nan() => {
                other.is_nan()
            }
            (Self::Leaf(leaf), Some(found)) => {
                leaf.to_string() == found.to_string() || leaf.means(found)
            }
            (Self::Leaf(_), None) | (Self::Table(_), Some(_)) => false,
        }
    }
}

fn read(text: &str) -> Value {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).into_values()
}

/// Lines that hold nothing but a comment, those of texts left out.
fn remarks(text: &str) -> Vec<&str> {
    let ours =
        |line: &&str| line.starts_with("# Added dynamically: ") || line.starts_with("# Removed: ");
    text.lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .filter(|line| line.starts_with('#') && !ours(line))
        .collect()
}

/// Whole lines of statements that an edit is not about, with what is behind them.
fn untouched<'t>(text: &'t str, edits: &[TextEdit]) -> Vec<&'t str> {
    let document = Document::parse(text).unwrap();
    let touches = |path: &KeyPath| {
        edits.iter().any(|edit| {
            let mut all = vec![edit.path().clone()];
            if let TextEdit::Move { path, to: Spot::Into(table) } = edit {
                all.push(table.child(path.last().unwrap_or_default()));
            }
            all.iter().any(|touched| path.starts_with(touched) || touched.starts_with(path))
        })
    };
    let mut lines = Vec::new();
    for path in keys(document.values()) {
        let Some((value, place)) = document.find(&path) else { continue };
        let in_braces = (1..path.names().len()).any(|count| {
            let above = KeyPath::new(path.names()[..count].iter().cloned());
            document
                .find(&above)
                .is_some_and(|(_, place)| place.form == setpoint_bench::document::Form::Inline)
        });
        let is_statement =
            value.as_table().is_none() || place.form == setpoint_bench::document::Form::Inline;
        let is_list = place.form == setpoint_bench::document::Form::Repeated;
        if in_braces || is_list || !is_statement || touches(&path) {
            continue;
        }
        let key = place.key.clone().unwrap();
        let start = text[..key.start].rfind('\n').map_or(0, |end| end + 1);
        let end = text[place.span.end..].find('\n').map_or(text.len(), |end| place.span.end + end);
        lines.push(text[start..end].trim_start_matches('\u{feff}').trim_end_matches('\r'));
    }
    lines
}

fn check_sound(before: &str, after: &str) {
    assert_eq!(before.starts_with('\u{feff}'), after.starts_with('\u{feff}'));
    let is_blank = |text: &str| text.trim_start_matches('\u{feff}').is_empty();
    if !is_blank(before) && !is_blank(after) {
        assert_eq!(before.ends_with('\n'), after.ends_with('\n'), "{before:?}\n{after:?}");
    }
    if before.contains('\n') {
        let lone = |text: &str| text.matches('\n').count() != text.matches("\r\n").count();
        assert!(lone(before) || !lone(after), "{before:?}\n{after:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn edits_of_every_kind_do_what_they_say_and_no_more(text in file(), wishes in wishes()) {
        let mut edits = Vec::new();
        let mut tree = Tree::new(&read(&text));
        let mut now = text.clone();
        // Each wish is about the keys that the wishes before it have left.
        for (at, wish) in &wishes {
            let edit = edit(&read(&now), *at, wish);
            let mut next = tree.clone();
            let possible = next.change(&edit);
            match apply_with(&now, std::slice::from_ref(&edit), &Options::default()) {
                Ok(after) => {
                    prop_assert!(possible.is_some(), "{edit:?} should fail\n{now}\n---\n{after}");
                    prop_assert!(next.is(Some(&read(&after))), "{edit:?}\n{now}\n---\n{after}");
                    check_sound(&now, &after);
                    let kept = untouched(&now, std::slice::from_ref(&edit));
                    for line in kept {
                        prop_assert!(after.contains(line), "“{line}”: {edit:?}\n{now}\n---\n{after}");
                    }
                    if edit.path().names().len() > 1 {
                        // Comments of their own are all there, in some order; but those in a list
                        // go with it.
                        let (mut old, mut new) = (remarks(&now), remarks(&after));
                        old.sort_unstable();
                        new.sort_unstable();
                        let mut new = new.into_iter();
                        let all = old.iter().all(|line| ["# text", "# three"].contains(line) || new.any(|one| one == *line));
                        prop_assert!(all, "{edit:?}\n{now}\n---\n{after}");
                    }
                    tree = next;
                    now = after;
                    edits.push(edit);
                }
                Err(EditError::NotProven { path }) => {
                    prop_assert!(false, "{path} is not proven: {edit:?}\n{now}");
                }
                // Told beforehand, where a table was left over empty, or has no room.
                Err(EditError::NotBeside { .. }) => {}
                Err(error) => prop_assert!(possible.is_none(), "{error}: {edit:?}\n{now}"),
            }
        }
        // All at once says the same, with remarks and without.
        for annotate in [None, Some(ONE)] {
            match apply_with(&text, &edits, &Options { annotate }) {
                Ok(after) => prop_assert!(tree.is(Some(&read(&after))), "{edits:?}\n{text}\n---\n{after}"),
                Err(EditError::NotProven { path }) => {
                    prop_assert!(false, "{path} is not proven: {edits:?}\n{text}");
                }
                // A table that went with its last key is still known while edits are made.
                Err(EditError::Taken { .. } | EditError::NotBeside { .. }) => {}
                Err(error) => prop_assert!(false, "{error}: {edits:?}\n{text}"),
            }
        }
    }

    #[test]
    fn remarks_are_replaced_and_change_only_comments(
        text in file(),
        at in any::<prop::sample::Index>(),
        first in plain(),
        second in plain(),
    ) {
        let values = read(&text);
        let leaves: Vec<KeyPath> = keys(&values)
            .into_iter()
            .filter(|path| values.get(path).is_some_and(|value| value.as_table().is_none()))
            .collect();
        if leaves.is_empty() {
            return Ok(());
        }
        let path = at.get(&leaves).clone();
        let set = |value: &Value| [TextEdit::Put(Edit { path: path.clone(), value: Some(value.clone()) })];
        let noted = |text: &str, value: &Value, now| {
            apply_with(text, &set(value), &Options { annotate: Some(now) }).unwrap()
        };
        let quiet = apply_with(&text, &set(&first), &Options::default()).unwrap();
        let once = noted(&text, &first, ONE);
        let bare = |text: &str| read(text).to_string();
        prop_assert_eq!(bare(&quiet), bare(&once));
        let twice = noted(&once, &second, TWO);
        if bare(&once) != bare(&twice) {
            prop_assert_eq!(twice.matches("# changed ").count(), 1, "{}\n---\n{}", &once, &twice);
            let old = twice.contains(ONE) && !twice.contains("# Added dynamically");
            prop_assert!(twice.contains(TWO) && !old, "{}\n---\n{}", &once, &twice);
        }
        check_sound(&text, &twice);
    }

    #[test]
    fn a_rename_there_and_back_changes_nothing(text in file(), at in any::<prop::sample::Index>()) {
        let all = keys(&read(&text));
        let path = at.get(&all).clone();
        let Some(last) = path.last().map(str::to_owned) else { return Ok(()) };
        // A bare key that comes to need quotation marks keeps them.
        let there = TextEdit::rename(path.clone(), "other-name");
        let back = TextEdit::rename(path.parent().unwrap().child("other-name"), last);
        let renamed = apply_with(&text, std::slice::from_ref(&there), &Options::default()).unwrap();
        prop_assert_ne!(&renamed, &text);
        let both = apply_with(&renamed, std::slice::from_ref(&back), &Options::default()).unwrap();
        prop_assert_eq!(&both, &text);
        let both = apply_with(&text, &[there, back], &Options { annotate: Some(ONE) }).unwrap();
        prop_assert_eq!(both, text);
    }
}

//! What holds for any layers.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;
use proptest::prelude::*;

use super::{
    LayerKind, LayeredReading, Surroundings, Unreadable, Variables,
    component::{Context, Templates},
    merge::{Merge, Piece},
    origin::{Layer, Origin},
    read_layers, whole,
};
use crate::{
    Document, Edit, KeyPath, TextEdit, Value,
    catalogue::{Catalogue, ParameterFacts},
    document::Place,
    edit::Options,
};

struct Nothing;

impl Catalogue for Nothing {
    fn types(&self) -> Vec<String> {
        Vec::new()
    }

    fn parameters(&self, _: &str) -> Option<Vec<ParameterFacts>> {
        None
    }
}

impl Variables for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

#[derive(Default)]
struct Files {
    texts: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
}

impl Surroundings for Files {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        self.texts.get(name).map(|text| text.as_str().into()).ok_or(Unreadable::Missing)
    }

    fn matching(&self, _: &str) -> Result<Vec<String>, Unreadable> {
        Ok(Vec::new())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }
}

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (-9_i64..9).prop_map(Value::Int),
        (-9_i32..9).prop_map(|number| Value::Float(f64::from(number) / 4.0)),
        "[a-c$]{0,3}".prop_map(Value::String),
        prop::collection::vec((0_i64..4).prop_map(Value::Int), 0..3).prop_map(Value::Array),
    ]
}

/// Names `t…` are tables in all layers and names `v…` values, so that layers do not clash.
fn table(depth: u32) -> BoxedStrategy<Value> {
    let values = prop::collection::btree_map("v[a-c]", plain(), 0..3);
    if depth == 0 {
        return values.prop_map(|values| Value::Table(values.into_iter().collect())).boxed();
    }
    let tables = prop::collection::btree_map("t[a-b]", table(depth - 1), 0..3);
    (values, tables)
        .prop_map(|(values, tables)| Value::Table(values.into_iter().chain(tables).collect()))
        .boxed()
}

/// A file: tables with headers where they are at the top.
fn text(value: &Value) -> String {
    let mut text = String::new();
    for (name, value) in value.as_table().into_iter().flatten() {
        match value {
            Value::Table(table) => {
                text.push_str(&format!("[{name}]\n"));
                for (name, value) in table {
                    text.push_str(&format!("{name} = {value}\n"));
                }
            }
            value => text.insert_str(0, &format!("{name} = {value}\n")),
        }
    }
    text
}

fn layers(texts: &[String]) -> (Vec<Layer>, Vec<Origin>) {
    let layer = |(index, text): (usize, &String)| {
        let origin = Origin {
            name: format!("{index}.toml").into(),
            file: format!("{index}.toml").into(),
            kind: LayerKind::Main,
            text: text.as_str().into(),
            append: Default::default(),
            dollars: false,
        };
        let layer = Layer::new(Document::parse(text).unwrap(), u16::try_from(index).unwrap());
        (layer, origin)
    };
    texts.iter().enumerate().map(layer).unzip()
}

fn merged(pieces: &[(&Value, &Place)], origins: &[Origin]) -> (Value, Place) {
    let templates: Templates<'_> = IndexMap::new();
    let context =
        Context { origins, templates: &templates, variables: &Nothing, catalogue: &Nothing };
    let pieces: Vec<Piece<'_>> =
        pieces.iter().map(|(value, place)| Piece { value, place, template: None }).collect();
    let mut merge = Merge::new(&context, Vec::new());
    let result = merge.merge(&pieces).unwrap();
    assert_eq!(merge.findings, []);
    result
}

/// Every value is what stands at its place in its text.
fn stands(value: &Value, place: &Place, origins: &[Origin]) {
    match value {
        Value::Table(table) => {
            assert_eq!(table.len(), place.parts.len());
            for (value, place) in table.values().zip(&place.parts) {
                stands(value, place, origins);
            }
        }
        value => {
            let text = &origins[usize::from(place.origin)].text;
            let written = &text[place.span.clone()];
            let read = Document::parse(&format!("x = {written}")).unwrap();
            assert_eq!(&read.values().as_table().unwrap()["x"], value, "{written}");
        }
    }
}

fn leaves(value: &Value, path: &KeyPath, found: &mut Vec<(KeyPath, Value)>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                leaves(value, &path.child(name.to_owned()), found);
            }
        }
        value => found.push((path.clone(), value.clone())),
    }
}

fn leaves_of(reading: &LayeredReading) -> Vec<(KeyPath, Value)> {
    let mut found = Vec::new();
    leaves(&reading.reading.values, &KeyPath::default(), &mut found);
    found
}

/// A main file with two includes and an overlay, all about modules, which take any keys.
fn bench(parts: &[Value]) -> Files {
    let file = |head: &str, value: &Value| format!("{head}[modules]\nm = {value}\n");
    let names = ["bench.toml", "a.toml", "b.toml", "bench.development.toml"];
    let heads = ["bench.include = [\"a.toml\", \"b.toml\"]\n", "", "", ""];
    let texts = names.iter().zip(heads).zip(parts);
    let texts = texts.map(|((name, head), value)| ((*name).to_owned(), file(head, value)));
    Files { texts: texts.collect(), variables: Vec::new() }
}

proptest! {
    #[test]
    fn it_does_not_matter_which_layers_are_merged_first(parts in prop::collection::vec(table(2), 3)) {
        let texts: Vec<String> = parts.iter().map(text).collect();
        let (layers, origins) = layers(&texts);
        let all: Vec<(&Value, &Place)> = layers.iter().map(|it| (&it.values, &it.root)).collect();
        let (whole, _) = merged(&all, &origins);
        let (lower, lower_place) = merged(&all[..2], &origins);
        let (upper, upper_place) = merged(&all[1..], &origins);
        prop_assert_eq!(&merged(&[(&lower, &lower_place), all[2]], &origins).0, &whole);
        prop_assert_eq!(&merged(&[all[0], (&upper, &upper_place)], &origins).0, &whole);
        // And a layer above itself changes nothing.
        prop_assert_eq!(&merged(&[all[0], all[0]], &origins).0, all[0].0);
    }

    #[test]
    fn every_value_stands_where_its_place_says(parts in prop::collection::vec(table(2), 1..4)) {
        let texts: Vec<String> = parts.iter().map(text).collect();
        let (layers, origins) = layers(&texts);
        let whole = whole::resolve(&layers, &origins, &Nothing, &Nothing);
        stands(&whole.values, &whole.root, &origins);
        let all: Vec<(&Value, &Place)> = layers.iter().map(|it| (&it.values, &it.root)).collect();
        prop_assert!(whole.values.means(&merged(&all, &origins).0));
    }

    #[test]
    fn the_first_that_is_explained_holds(parts in prop::collection::vec(table(2), 4)) {
        let files = bench(&parts);
        let reading = read_layers("bench.toml", &files, None, &Nothing);
        for (path, value) in leaves_of(&reading) {
            let from = reading.explain(&path);
            let first = from.first().unwrap();
            prop_assert_eq!(&first.raw, &value);
            prop_assert!(first.holds && from[1..].iter().all(|it| !it.holds));
            // Highest layer first, each of another text.
            let kinds: Vec<LayerKind> = from.iter().map(|it| it.layer).collect();
            prop_assert!(kinds.is_sorted_by(|a, b| a >= b), "{:?}", kinds);
            let text = &reading.files[usize::from(first.origin)].text;
            let line = text.lines().nth(first.span.line as usize - 1).unwrap();
            let written: String = line.chars().skip(first.span.column as usize - 1).collect();
            let expected = value.to_string();
            prop_assert!(written.starts_with(&expected), "{} {}", written, expected);
        }
    }

    #[test]
    fn an_edit_comes_out_as_asked_and_nothing_else_changes(
        parts in prop::collection::vec(table(2), 4),
        picks in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(plain())), 1..4),
    ) {
        let files = bench(&parts);
        let reading = read_layers("bench.toml", &files, None, &Nothing);
        let mut all = leaves_of(&reading);
        all.retain(|(path, _)| path.names()[0] == "modules");
        prop_assume!(!all.is_empty());
        let mut edits: Vec<Edit> = Vec::new();
        for (pick, value) in picks {
            let path = pick.get(&all).0.clone();
            if !edits.iter().any(|edit| edit.path == path) {
                edits.push(Edit { path, value });
            }
        }
        let all_edits: Vec<TextEdit> = edits.iter().cloned().map(TextEdit::Put).collect();
        let texts = reading.edit_layers(&all_edits, &Options::default(), &files, &Nothing).unwrap();
        let mut after = Files { texts: files.texts.clone(), variables: Vec::new() };
        after.texts.extend(texts);
        let after = leaves_of(&read_layers("bench.toml", &after, None, &Nothing));
        for (path, old) in leaves_of(&reading) {
            let wanted = match edits.iter().find(|edit| edit.path == path) {
                Some(edit) => edit.value.clone(),
                None => Some(old),
            };
            let found = after.iter().find(|(known, _)| *known == path).map(|(_, value)| value);
            prop_assert_eq!(found.is_some(), wanted.is_some(), "{}", path);
            if let (Some(found), Some(wanted)) = (found, wanted) {
                prop_assert!(found.means(&wanted), "{} {} {}", path, found, wanted);
            }
        }
        prop_assert!(after.len() <= leaves_of(&reading).len());
    }

    #[test]
    fn nothing_written_in_any_file_or_variable_is_too_odd(
        value in "[$({}):a-]{0,12}",
        line in "[A-Z_=\"'\\\\ #$x]{0,16}",
        name in "[A-Z_a]{0,12}",
    ) {
        let mut files = Files::default();
        let quoted = Value::from(value);
        let text = format!(
            "[templates.t]\nlabel = {quoted}\nwire = {{ tx_end = {quoted} }}\n\
             [instruments.a]\ntemplate = \"t\"\naddress = {quoted}\nwith = {{ a = {quoted} }}\n"
        );
        files.texts.insert("bench.toml".to_owned(), text);
        files.texts.insert(".env".to_owned(), line.clone());
        files.variables.push((format!("SETPOINT__{name}"), line));
        let reading = read_layers("bench.toml", &files, None, &Nothing);
        for finding in &reading.reading.diagnostics {
            prop_assert!(finding.span.line > 0 && finding.span.column > 0);
        }
    }
}

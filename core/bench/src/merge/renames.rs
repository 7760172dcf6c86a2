//! Components that were not removed but given another name.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::Clash;
use crate::{path::KeyPath, value::Value};

/// Says of each component that one side removed whether that side has it under another name: as
/// it was, key for key.
pub(super) fn tell(clashes: &mut [Clash], base: &Value, file: &Value, mine: &Value) {
    let mut by_file = Newcomers { base, side: file, found: HashMap::new() };
    let mut by_me = Newcomers { base, side: mine, found: HashMap::new() };
    for clash in clashes {
        let Some(was) = clash.base.as_ref().filter(|was| was.as_table().is_some()) else {
            continue;
        };
        let side = match (&clash.file, &clash.mine) {
            (None, Some(_)) => &mut by_file,
            (Some(_), None) => &mut by_me,
            _ => continue,
        };
        clash.renamed = side.named(&clash.path, was);
    }
}

/// What one side has added.
struct Newcomers<'v> {
    base: &'v Value,
    side: &'v Value,
    /// By the table they were added to, then by what they hold.
    found: HashMap<KeyPath, HashMap<u64, (&'v str, &'v Value)>>,
}

impl Newcomers<'_> {
    fn named(&mut self, path: &KeyPath, was: &Value) -> Option<KeyPath> {
        let above = path.parent()?;
        let Self { base, side, found } = self;
        let added = found.entry(above.clone()).or_insert_with(|| {
            let before = base.get(&above).and_then(Value::as_table);
            let now = side.get(&above).and_then(Value::as_table);
            let mut added = HashMap::new();
            for (name, value) in now.into_iter().flatten() {
                if !before.is_some_and(|before| before.contains_key(name)) {
                    let name: &str = name;
                    added.entry(content(value)).or_insert((name, value));
                }
            }
            added
        });
        let (name, value) = added.get(&content(was))?;
        value.means(was).then(|| above.child(*name))
    }
}

/// The same for values that mean the same.
fn content(value: &Value) -> u64 {
    let mut hash = DefaultHasher::new();
    std::mem::discriminant(value).hash(&mut hash);
    match value {
        Value::Bool(switch) => switch.hash(&mut hash),
        Value::Int(_) | Value::Float(_) => {
            hash = DefaultHasher::new();
            // Zero has two signs that mean the same.
            value.as_f64().map(|number| (number + 0.0).to_bits()).hash(&mut hash);
        }
        Value::String(text) => text.hash(&mut hash),
        Value::Array(items) => items.iter().for_each(|item| content(item).hash(&mut hash)),
        Value::Table(table) => {
            // In any order.
            let sum = table.iter().fold(0_u64, |sum, (name, value)| {
                let mut one = DefaultHasher::new();
                let name: &str = name;
                (name, content(value)).hash(&mut one);
                sum.wrapping_add(one.finish())
            });
            sum.hash(&mut hash);
        }
    }
    hash.finish()
}

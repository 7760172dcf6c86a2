//! Keys and values in file order.

use std::{collections::HashMap, fmt, sync::Arc};

use foldhash::fast::RandomState;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};
use smol_str::SmolStr;

use crate::value::Value;

/// Up to this many keys a look through all of them is faster than a hash.
const FEW: usize = 16;

/// The keys of a table with their values, in file order.
///
/// What is in it is shared between clones until one of them is changed: a bench of ten thousand
/// instruments of which one differs from another bench shares all the others with it.
#[derive(Clone, Default)]
pub struct Table(Arc<Inner>);

/// Keys and values in order.
pub type Iter<'t> = std::iter::Map<
    std::slice::Iter<'t, (SmolStr, Value)>,
    fn(&'t (SmolStr, Value)) -> (&'t str, &'t Value),
>;

#[derive(Clone, Default)]
struct Inner {
    entries: Vec<(SmolStr, Value)>,
    /// Where each key is, if there are more than [`FEW`].
    index: Option<Arc<HashMap<SmolStr, usize, RandomState>>>,
}

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with room for `keys` keys.
    pub fn with_capacity(keys: usize) -> Self {
        Self(Arc::new(Inner { entries: Vec::with_capacity(keys), index: None }))
    }

    /// From keys and values; `None` if two keys are the same.
    pub(crate) fn try_from_entries(entries: Vec<(SmolStr, Value)>) -> Option<Self> {
        let table = Self::from_distinct(entries);
        let distinct = match &table.0.index {
            Some(index) => index.len() == table.len(),
            None => table.keys().enumerate().all(|(at, key)| table.position(key) == Some(at)),
        };
        distinct.then_some(table)
    }

    /// From keys of which no two are the same.
    pub(crate) fn from_distinct(mut entries: Vec<(SmolStr, Value)>) -> Self {
        entries.shrink_to_fit();
        let mut inner = Inner { entries, index: None };
        inner.reindex();
        Self(Arc::new(inner))
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// Whether both are the very same memory, which makes them equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The place of a key in the order of the file, counted from 0.
    pub fn position(&self, key: &str) -> Option<usize> {
        match &self.0.index {
            Some(index) => index.get(key).copied(),
            None => self.0.entries.iter().position(|(name, _)| name == key),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.get_full(key).map(|(_, _, value)| value)
    }

    /// The position, name and value of a key.
    pub fn get_full(&self, key: &str) -> Option<(usize, &str, &Value)> {
        let position = self.position(key)?;
        self.get_index(position).map(|(name, value)| (position, name, value))
    }

    /// The key and value at a position.
    pub fn get_index(&self, position: usize) -> Option<(&str, &Value)> {
        self.0.entries.get(position).map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let position = self.position(key)?;
        Arc::make_mut(&mut self.0).entries.get_mut(position).map(|(_, value)| value)
    }

    /// The value of a key, to be changed; a key that is not there yet is put at the end.
    pub fn get_or_insert_with(&mut self, key: &str, value: impl FnOnce() -> Value) -> &mut Value {
        let position = match self.position(key) {
            Some(position) => position,
            None => {
                self.push(key.into(), value());
                self.len() - 1
            }
        };
        &mut Arc::make_mut(&mut self.0).entries[position].1
    }

    /// Whether a key is in it.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a key, at the end if it was not there, and returns the value that it had.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.get_mut(&key) {
            Some(there) => Some(std::mem::replace(there, value)),
            None => {
                self.push(key, value);
                None
            }
        }
    }

    /// Removes a key; those after it move up.
    pub fn shift_remove(&mut self, key: &str) -> Option<Value> {
        let position = self.position(key)?;
        let inner = Arc::make_mut(&mut self.0);
        let (name, value) = inner.entries.remove(position);
        if inner.entries.len() <= FEW {
            inner.index = None;
        } else if let Some(index) = &mut inner.index {
            let index = Arc::make_mut(index);
            index.remove(&name);
            index.values_mut().filter(|at| **at > position).for_each(|at| *at -= 1);
        }
        Some(value)
    }

    /// Keys and values in order, moved out where nothing else shares them.
    pub(crate) fn into_entries(self) -> Vec<(SmolStr, Value)> {
        Arc::unwrap_or_clone(self.0).entries
    }

    /// The value of a key that probably is at a position: it is, where two tables are alike.
    pub(crate) fn get_near(&self, position: usize, key: &str) -> Option<&Value> {
        match self.0.entries.get(position) {
            Some((name, value)) if name == key => Some(value),
            _ => self.get(key),
        }
    }

    /// Keys and values in order.
    pub fn iter(&self) -> Iter<'_> {
        self.into_iter()
    }

    /// Keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.0.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Values in order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.0.entries.iter().map(|(_, value)| value)
    }

    fn push(&mut self, key: SmolStr, value: Value) {
        let inner = Arc::make_mut(&mut self.0);
        if let Some(index) = &mut inner.index {
            Arc::make_mut(index).insert(key.clone(), inner.entries.len());
        }
        inner.entries.push((key, value));
        if inner.index.is_none() {
            inner.reindex();
        }
    }
}

impl Inner {
    fn reindex(&mut self) {
        self.index = (self.entries.len() > FEW).then(|| {
            let names = self.entries.iter().enumerate();
            Arc::new(names.map(|(position, (name, _))| (name.clone(), position)).collect())
        });
    }
}

/// The order of keys does not matter.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
            || self.len() == other.len()
                && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

/// Of two values for one key the last one stays.
impl<K: Into<SmolStr>> FromIterator<(K, Value)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut table = Self::new();
        table.extend(entries);
        table
    }
}

impl<K: Into<SmolStr>> Extend<(K, Value)> for Table {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, entries: I) {
        for (name, value) in entries {
            self.insert(name, value);
        }
    }
}

impl<'t> IntoIterator for &'t Table {
    type Item = (&'t str, &'t Value);
    type IntoIter = Iter<'t>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.entries.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl IntoIterator for Table {
    type Item = (String, Value);
    type IntoIter = std::iter::Map<
        std::vec::IntoIter<(SmolStr, Value)>,
        fn((SmolStr, Value)) -> (String, Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.into_entries().into_iter().map(|(name, value)| (name.into(), value))
    }
}

/// The value of a key that must be there, as in a map of the standard library.
impl std::ops::Index<&str> for Table {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        match self.get(key) {
            Some(value) => value,
            None => unreachable!("there is no key {key:?}"),
        }
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Table;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a table of keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let mut table = Table::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    table.insert(name, value);
                }
                Ok(table)
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_an_index_map_does(
            steps in vec((0_u8..60, any::<bool>(), any::<i64>()), 0..120),
        ) {
            let mut table = Table::new();
            let mut other: IndexMap<String, Value> = IndexMap::new();
            let mut before = (table.clone(), other.clone());
            for (key, removes, value) in steps {
                let key = format!("k{key}");
                if removes {
                    prop_assert_eq!(table.shift_remove(&key), other.shift_remove(&key));
                } else {
                    let value = Value::Int(value);
                    prop_assert_eq!(table.insert(key.as_str(), value.clone()), other.insert(key, value));
                }
                if value % 5 == 0 {
                    before = (table.clone(), other.clone());
                }
            }
            for (table, other) in [(table, other), before] {
                prop_assert_eq!(table.len(), other.len());
                prop_assert!(table.iter().eq(other.iter().map(|(k, v)| (k.as_str(), v))));
                for key in 0..60 {
                    let key = format!("k{key}");
                    prop_assert_eq!(table.get(&key), other.get(&key));
                    prop_assert_eq!(table.position(&key), other.get_index_of(&key));
                }
            }
        }
    }

    #[test]
    fn clones_share_until_one_is_changed() {
        let one: Table = [("a", Value::Int(1))].into_iter().collect();
        let mut other = one.clone();
        assert!(one.is_same(&other));
        other.insert("a", Value::Int(2));
        assert_eq!((&one["a"], &other["a"]), (&Value::Int(1), &Value::Int(2)));
        assert_ne!(one, other);
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let one: Table = [("a", Value::Int(1)), ("b", Value::Int(2))].into_iter().collect();
        let other: Table = [("b", Value::Int(2)), ("a", Value::Int(1))].into_iter().collect();
        assert_eq!(one, other);
        assert_eq!(serde_json::to_string(&other).unwrap(), r#"{"b":2,"a":1}"#);
        assert_eq!(serde_json::from_str::<Table>(r#"{"b":2,"a":1}"#).unwrap(), one);
    }
}

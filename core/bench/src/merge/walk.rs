//! Three values side by side, key by key.

use super::{Clash, Reconciled};
use crate::{
    diff::is_component,
    edit::Edit,
    path::KeyPath,
    value::{Table, Value},
};

pub(super) fn walk(
    path: &KeyPath,
    base: Option<&Value>,
    file: Option<&Value>,
    mine: Option<&Value>,
) -> Reconciled {
    let names = path.names().iter().map(String::as_str).collect();
    let mut walk = Walk { names, found: Reconciled::default() };
    walk.values(base, file, mine);
    walk.found
}

struct Walk<'v> {
    names: Vec<&'v str>,
    found: Reconciled,
}

impl<'v> Walk<'v> {
    /// Whether the merged bench is without the key.
    fn values(
        &mut self,
        base: Option<&'v Value>,
        file: Option<&'v Value>,
        mine: Option<&'v Value>,
    ) -> bool {
        use Value::Table as T;
        match (base, file, mine) {
            (_, None, None) => true,
            (_, Some(T(file)), Some(T(mine))) => {
                let so_far = self.found.edits.len();
                let gone = self.tables(base.and_then(Value::as_table), Some(file), Some(mine));
                if gone && !file.is_empty() && !self.names.is_empty() {
                    // Both have it, and nothing is left in it: it stays.
                    self.found.edits.truncate(so_far);
                    self.take(Some(&Value::Table(Table::new())));
                }
                false
            }
            (None, None, Some(_)) => self.take(mine),
            (None, Some(_), None) => false,
            // A table that is not there is one without keys, unless it is a component.
            (Some(T(base)), None, Some(T(mine))) if !is_component(&self.names) => {
                self.tables(Some(base), None, Some(mine))
            }
            (Some(T(base)), Some(T(file)), None) if !is_component(&self.names) => {
                let so_far = self.found.edits.len();
                let gone = self.tables(Some(base), Some(file), None);
                if gone {
                    // All of it goes, its header too.
                    self.found.edits.truncate(so_far);
                    self.take(None);
                }
                gone
            }
            _ if same(file, mine) => false,
            _ if same(base, file) => self.take(mine),
            _ if same(base, mine) => file.is_none(),
            _ => {
                self.found.clashes.push(Clash {
                    path: self.path(),
                    base: base.cloned(),
                    file: file.cloned(),
                    mine: mine.cloned(),
                    renamed: None,
                });
                file.is_none()
            }
        }
    }

    /// Whether no key is left.
    fn tables(
        &mut self,
        base: Option<&'v Table>,
        file: Option<&'v Table>,
        mine: Option<&'v Table>,
    ) -> bool {
        fn get<'t>(table: Option<&'t Table>, name: &str) -> Option<&'t Value> {
            table.and_then(|table| table.get(name))
        }
        let mut gone = true;
        for (name, value) in file.into_iter().flatten() {
            gone &= self.below(name, get(base, name), Some(value), get(mine, name));
        }
        for (name, value) in mine.into_iter().flatten() {
            if get(file, name).is_none() {
                gone &= self.below(name, get(base, name), None, Some(value));
            }
        }
        gone
    }

    fn below(
        &mut self,
        name: &'v str,
        base: Option<&'v Value>,
        file: Option<&'v Value>,
        mine: Option<&'v Value>,
    ) -> bool {
        self.names.push(name);
        let gone = self.values(base, file, mine);
        self.names.pop();
        gone
    }

    fn take(&mut self, mine: Option<&Value>) -> bool {
        self.found.edits.push(Edit { path: self.path(), value: mine.cloned() });
        mine.is_none()
    }

    fn path(&self) -> KeyPath {
        KeyPath::new(self.names.iter().copied())
    }
}

fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.means(other),
        _ => false,
    }
}

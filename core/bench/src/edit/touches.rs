//! How far edits reach.

use super::{Spot, TextEdit, annotate};
use crate::path::KeyPath;

/// The one component that all edits stay inside of, such as `instruments.psu`: they set, remove,
/// rename or move keys below it, and not the component itself. `None` if there is none, or more
/// than one.
///
/// If that component is in the file, and all of its headers and keys are a stretch of the text
/// with nothing else between them, then [`super::apply_with`] may be given that stretch instead of
/// the whole text.
pub fn touches<'e>(edits: impl IntoIterator<Item = &'e TextEdit>) -> Option<KeyPath> {
    let mut component: Option<&[String]> = None;
    for edit in edits {
        let target = match edit {
            TextEdit::Move { to: Spot::Into(table), .. } => Some((table, 2)),
            _ => None,
        };
        for (path, least) in std::iter::once((edit.path(), 3)).chain(target) {
            let names = path.names();
            let [group, ..] = names else { return None };
            if names.len() < least || !annotate::is_group(group) {
                return None;
            }
            let here = names.get(..2)?;
            if component.is_some_and(|before| before != here) {
                return None;
            }
            component = Some(here);
        }
    }
    component.map(|names| KeyPath::new(names.iter().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> KeyPath {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_stays_inside_of_one_component_does() {
        let set = |text: &str| TextEdit::set(path(text), 1);
        let inside = [
            set("instruments.psu.set.ch1.voltage"),
            TextEdit::remove(path("instruments.psu.label")),
            TextEdit::rename(path("instruments.psu.set.ch2"), "ch3"),
            TextEdit::Move {
                path: path("instruments.psu.wire.gap"),
                to: Spot::Into(path("instruments.psu")),
            },
        ];
        assert_eq!(touches(&inside), Some(path("instruments.psu")));
        for other in [
            set("instruments.thermo.label"),
            set("sources.psu.label"),
            set("bench.name"),
            set("runtime.a.b"),
            TextEdit::remove(path("instruments.psu")),
            TextEdit::rename(path("instruments.psu"), "supply"),
            TextEdit::remove(KeyPath::default()),
            TextEdit::Move {
                path: path("instruments.psu.label"),
                to: Spot::Into(path("instruments")),
            },
        ] {
            let edits: Vec<TextEdit> = inside.iter().cloned().chain([other.clone()]).collect();
            assert_eq!(touches(&edits), None, "{other:?}");
        }
        assert_eq!(touches([]), None);
    }
}

//! Ids from the names that people gave.

use std::collections::{HashMap, HashSet};

/// Longer ids are cut.
const LONGEST: usize = 48;

/// An id for each name, all different. A name that is an id already stays as it is; where two
/// names want the same one, the later gets a number.
pub(super) fn make(names: &[Option<&str>], otherwise: &str) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let firsts: Vec<bool> = names
        .iter()
        .map(|name| name.is_some_and(|name| valid(name) && taken.insert(name.to_owned())))
        .collect();
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut ids = Vec::with_capacity(names.len());
    for (name, first) in names.iter().zip(firsts) {
        let name = name.unwrap_or_default();
        if first {
            ids.push(name.to_owned());
            continue;
        }
        let wanted = if valid(name) { name.to_owned() } else { plain(name, otherwise) };
        let mut id = wanted.clone();
        while !taken.insert(id.clone()) {
            // It goes on from the last number, so that many equal names take no longer.
            let number = next.entry(wanted.clone()).or_insert(1);
            *number += 1;
            id = format!("{wanted}_{number}");
        }
        ids.push(id);
    }
    ids
}

/// Whether a bench file takes it as an id.
pub(super) fn valid(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `Front Camera (µ)` as `front_camera_u`
fn plain(name: &str, otherwise: &str) -> String {
    let mut id = String::new();
    for c in name.chars() {
        if id.len() >= LONGEST {
            break;
        }
        match letters(c) {
            Some(letters) => id.push_str(letters),
            None if c.is_ascii_alphanumeric() || c == '-' => id.push(c.to_ascii_lowercase()),
            None if id.ends_with('_') || id.is_empty() => {}
            None => id.push('_'),
        }
    }
    let id = id.trim_end_matches('_').trim_start_matches('-');
    if id.is_empty() {
        otherwise.to_owned()
    } else if id.starts_with(|first: char| first.is_ascii_alphabetic()) {
        id.to_owned()
    } else {
        format!("{otherwise}_{id}")
    }
}

/// Letters of the languages around, in plain ones.
fn letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
        'ö' | 'Ö' | 'ø' | 'Ø' | 'œ' | 'Œ' => "oe",
        'ü' | 'Ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "a",
        'ç' | 'Ç' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'È' | 'É' | 'Ê' | 'Ë' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'Ì' | 'Í' | 'Î' | 'Ï' => "i",
        'ñ' | 'Ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'Ò' | 'Ó' | 'Ô' | 'Õ' => "o",
        'ù' | 'ú' | 'û' | 'Ù' | 'Ú' | 'Û' | 'µ' | 'μ' => "u",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_that_are_valid_and_unique() {
        let names = [
            Some("cam"),
            Some("Front Camera (µ)"),
            Some("cam"),
            Some("cam_2"),
            Some("2nd"),
            Some(""),
            None,
            Some("日本"),
            Some("Küche"),
            Some("-x-"),
        ];
        let ids = make(&names, "source");
        assert_eq!(
            ids,
            [
                "cam",
                "front_camera_u",
                "cam_3",
                "cam_2",
                "source_2nd",
                "source",
                "source_2",
                "source_3",
                "kueche",
                "x-"
            ]
        );
    }

    #[test]
    fn many_equal_names_take_no_longer_than_many_others() {
        let ids = make(&vec![Some("a b"); 100_000], "source");
        assert_eq!(ids.last().map(String::as_str), Some("a_b_100000"));
        assert!(valid(&make(&[Some("ä".repeat(1_000).as_str())], "source")[0]));
    }
}

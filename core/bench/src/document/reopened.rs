//! How often a text comes back to a table, told before it is parsed.
//!
//! `[a]` after `[a.b]` is good TOML, and the parser then moves everything that came in between by
//! one place. Now and then that does no harm; from far away and ten thousand times it takes
//! minutes.

use std::collections::HashMap;

/// Tables that are moved, all in all. They take about a second; no bench is near it.
const MOST: usize = 50_000_000;

/// The offset of the header from which on it takes too long.
pub(super) fn too_often(text: &str) -> Option<usize> {
    // The number of the header that made or last moved each table.
    let mut seen: HashMap<String, usize> = HashMap::new();
    let (mut headers, mut moved) = (0_usize, 0_usize);
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_start_matches([' ', '\t', '\u{feff}']);
        let Some(header) = line.strip_prefix('[') else { continue };
        headers += 1;
        let (header, is_list) = header.strip_prefix('[').map_or((header, false), |it| (it, true));
        let path: String = header
            .split(']')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !matches!(c, ' ' | '\t' | '"' | '\''))
            .collect();
        for (dot, _) in path.match_indices('.').take(100) {
            let above = path.get(..dot).unwrap_or_default();
            if !seen.contains_key(above) {
                seen.insert(above.to_owned(), headers);
            }
        }
        if is_list {
            continue;
        }
        // What is escaped may be any name.
        let before = if path.contains('\\') { Some(0) } else { seen.insert(path, headers) };
        moved += before.map_or(0, |before| headers - before);
        if moved > MOST {
            return Some(start);
        }
    }
    None
}

//! `.env`: lines `NAME=VALUE`.
//!
//! Empty lines and lines that begin with `#` count for nothing; `export ` may stand before a name.
//! A value may stand in single quotes, as it is, or in double quotes, with `\n`, `\r`, `\t`, `\\`,
//! `\"` and `\$`. Without quotes it ends at ` #` and loses spaces at both ends. Values are not
//! looked through for variables. Of two lines with one name the later holds.

use std::ops::Range;

use super::expand::is_name;

/// One line that sets a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// Where the name stands.
    pub(super) key: Range<usize>,
    /// Where the value stands, quotes included.
    pub(super) span: Range<usize>,
}

/// A line that cannot be read: where it is and why.
pub(super) type Malformed = (Range<usize>, &'static str);

/// All entries in order, and the lines that are none.
pub(super) fn read(text: &str) -> (Vec<Entry>, Vec<Malformed>) {
    let (mut entries, mut malformed) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let mut start = offset;
        offset += line.len();
        let unmarked = line.trim_start_matches('\u{feff}').trim_start();
        start += line.len() - unmarked.len();
        let line = unmarked.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line, start) {
            Ok(entry) => entries.push(entry),
            Err(why) => malformed.push((start..start + line.len(), why)),
        }
    }
    (entries, malformed)
}

fn entry(line: &str, start: usize) -> Result<Entry, &'static str> {
    let (before, after) = line.split_once('=').ok_or("has no “=”")?;
    let exported = before
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .unwrap_or(before)
        .trim_start();
    let key = start + before.len() - exported.len();
    let name = exported.trim_end();
    if !is_name(name) {
        return Err("has no name of letters, digits and “_” before the “=”");
    }
    let raw = after.trim_start();
    let begin = start + line.len() - raw.len();
    let (value, length) = match raw.chars().next() {
        Some('\'') => single(raw)?,
        Some('"') => double(raw)?,
        _ => {
            let comment = if raw.starts_with('#') {
                Some(0)
            } else {
                raw.find(" #").or_else(|| raw.find("\t#"))
            };
            let value = raw.get(..comment.unwrap_or(raw.len())).unwrap_or_default().trim_end();
            (value.to_owned(), value.len())
        }
    };
    let rest = raw.get(length..).unwrap_or_default().trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err("goes on after the closing quotation mark");
    }
    Ok(Entry {
        name: name.to_owned(),
        value,
        key: key..key + name.len(),
        span: begin..begin + length,
    })
}

const OPEN: &str = "has no closing quotation mark";

fn single(raw: &str) -> Result<(String, usize), &'static str> {
    let inner = raw.get(1..).unwrap_or_default();
    let end = inner.find('\'').ok_or(OPEN)?;
    Ok((inner.get(..end).unwrap_or_default().to_owned(), end + 2))
}

fn double(raw: &str) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut letters = raw.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, at + 1)),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, letter @ ('\\' | '"' | '$'))) => value.push(letter),
                Some(_) => return Err("has a “\\” before a letter that needs none"),
                None => return Err(OPEN),
            },
            letter => value.push(letter),
        }
    }
    Err(OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_all_their_forms() {
        let text = "\u{feff}A=1\r\n# c\n\n export B = two words # c\nC='${x} \\n'\n\
                    D=\"a\\tb\\\"\\$ # no\" # c\nE=\nF=a#b\nA=2\nG= # c";
        let (entries, malformed) = read(text);
        assert_eq!(malformed, []);
        let found: Vec<(&str, &str)> =
            entries.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "${x} \\n"),
            ("D", "a\tb\"$ # no"),
            ("E", ""),
            ("F", "a#b"),
            ("A", "2"),
            ("G", ""),
        ];
        assert_eq!(found, expected);
        for entry in &entries {
            assert_eq!(&text[entry.key.clone()], entry.name);
        }
        assert_eq!(&text[entries[1].span.clone()], "two words");
        assert_eq!(&text[entries[2].span.clone()], "'${x} \\n'");
    }

    #[test]
    fn other_lines_are_malformed() {
        let text = "A\n=1\nA B=1\n1A=1\nA='x\nA=\"x\nA='x' y\nA=\"\\x\"\nA=\"\\\nexportA=1\n";
        let (entries, malformed) = read(text);
        assert_eq!(malformed.len(), 9);
        assert_eq!(entries.len(), 1);
        assert_eq!(&text[malformed[2].0.clone()], "A B=1");
    }
}

//! Headers that begin a piece.

use std::ops::Range;

/// The headers of a text that lead to another component than the one before, in order.
///
/// It knows of TOML what it takes to tell a header from what looks like one inside a text or a
/// list. Where a text is not TOML it may be wrong; a piece that is cut wrongly is not TOML either.
pub(super) struct Headers<'t> {
    text: &'t str,
    at: usize,
    /// The component that the last header leads to.
    last: Option<&'t str>,
}

/// A header.
pub(super) struct Header {
    /// Where its line begins.
    pub(super) start: usize,
}

impl<'t> Headers<'t> {
    /// Those after an offset at which a line begins, outside of everything.
    pub(super) fn new(text: &'t str, from: usize) -> Self {
        Self { text, at: from, last: None }
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.text.len(), |end| from + end + 1)
    }

    /// Past a statement that is no header: over all lines of its value.
    fn statement(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut open = 0_usize;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(skipped) = rest.iter().position(|byte| TELLING[usize::from(*byte)]) else {
                return bytes.len();
            };
            at += skipped;
            match rest[skipped] {
                b'\n' if open == 0 => return at + 1,
                b'#' => {
                    at = self.line_end(at);
                    if open == 0 {
                        return at;
                    }
                    continue;
                }
                byte @ (b'"' | b'\'') => {
                    at = after_text(bytes, at, byte);
                    continue;
                }
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
    }
}

/// The bytes that tell where a statement ends.
const TELLING: [bool; 256] = {
    let mut telling = [false; 256];
    let bytes = b"\n#\"'[]{}";
    let mut at = 0;
    while at < bytes.len() {
        telling[bytes[at] as usize] = true;
        at += 1;
    }
    telling
};

impl Iterator for Headers<'_> {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        while self.at < self.text.len() {
            let start = self.at;
            let line = self.text.get(start..)?;
            // A byte order mark is one at the very beginning only.
            let line = if start == 0 { line.trim_start_matches('\u{feff}') } else { line };
            let inner = line.trim_start_matches([' ', '\t']);
            let Some(names) = inner.strip_prefix('[') else {
                self.at = self.statement(self.text.len() - inner.len());
                continue;
            };
            self.at = self.line_end(start);
            let names = names.strip_prefix('[').unwrap_or(names);
            let component = component(names);
            if self.last != Some(component) {
                self.last = Some(component);
                return Some(Header { start });
            }
        }
        None
    }
}

/// The part of a header that names the component, as it is written.
fn component(names: &str) -> &str {
    let end = |range: Range<usize>| {
        let bytes = names.as_bytes();
        let mut at = range.start;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' | b'\'' => {
                    at = after_text(bytes, at, byte);
                    continue;
                }
                b'.' | b']' | b'\n' => break,
                _ => {}
            }
            at += 1;
        }
        at.min(names.len())
    };
    let first = end(0..0);
    let top = names.get(..first).unwrap_or_default();
    let plain = top.trim().trim_matches(['"', '\'']);
    if names.as_bytes().get(first) != Some(&b'.') || !crate::schema::holds_by_name(plain) {
        return top;
    }
    names.get(..end(first + 1..first + 1)).unwrap_or(top)
}

/// The offset after a quoted text that begins at `at`, by the parser's rules.
fn after_text(bytes: &[u8], at: usize, quote: u8) -> usize {
    let long = bytes.get(at..at + 3) == Some(&[quote; 3]);
    let mut at = if long { at + 3 } else { at + 1 };
    if !long {
        // Up to where it ends or something is escaped, which is nearly always where it ends.
        let rest = bytes.get(at..).unwrap_or_default();
        let found = memchr::memchr3(quote, b'\n', b'\\', rest);
        at += found.unwrap_or(rest.len());
    }
    let mut quotes = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == quote {
            quotes += 1;
            if !long {
                return at;
            }
            if quotes == 3 {
                // Two more may belong to the text.
                let more = bytes.iter().skip(at).take(2).take_while(|byte| **byte == quote);
                return at + more.count();
            }
            continue;
        }
        quotes = 0;
        match byte {
            b'\\' if quote == b'"' && matches!(bytes.get(at), Some(b'\\' | b'"')) => at += 1,
            b'\n' if !long => return at - 1,
            _ => {}
        }
    }
    at
}

//! How deep a text nests, told before it is parsed.
//!
//! The parser has limits of its own for brackets and for dotted keys, but not for the two
//! together: eighty brackets with eighty names each would make a tree of 6,400 levels, and
//! walking that can overflow the stack of a thread. Texts that are not TOML count too: the parser
//! goes on after an error.

/// Brackets and dots above each other.
pub(crate) const DEEPEST: usize = 100;

/// What one open bracket holds.
struct Level {
    opened: u8,
    /// Dots in the key or number being read.
    dots: usize,
}

/// The offset of the first byte that nests deeper than [`DEEPEST`].
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut above: Vec<Level> = Vec::new();
    let mut here = Level { opened: 0, dots: 0 };
    let mut sum = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = after_text(bytes, at, byte);
                continue;
            }
            b'#' => {
                let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
                at += bytes.get(at..)?.iter().position(ends)?;
                continue;
            }
            b'[' | b'{' => {
                above.push(std::mem::replace(&mut here, Level { opened: byte, dots: 0 }));
                sum += 1;
            }
            // The closing brackets come two after the opening ones in ASCII.
            b']' | b'}' if here.opened + 2 == byte => {
                sum -= 1 + here.dots;
                here = above.pop()?;
            }
            b'.' => {
                here.dots += 1;
                sum += 1;
            }
            // A key stands on one line with the bracket that it leads to.
            b',' | b'\r' | b'\n' => sum -= std::mem::take(&mut here.dots),
            _ => {}
        }
        if sum > DEEPEST {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The offset after a quoted text that begins at `at`, by the parser's own rules.
fn after_text(bytes: &[u8], at: usize, quote: u8) -> usize {
    let long = bytes.get(at..at + 3) == Some(&[quote; 3]);
    let mut at = if long { at + 3 } else { at + 1 };
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

//! JSON as a tree. `serde_json` says whether a text is JSON and reads its texts and numbers; what
//! is here only finds where they stand.

use std::collections::HashSet;

use serde::de::IgnoredAny;

use super::node::{self, Data, Node, Refused, Tree};
use crate::value::Value;

/// Reads a text; offsets are of `text`, from `start` on.
pub(super) fn read(text: &str, start: usize) -> Result<Tree, Refused> {
    let body = text.get(start..).unwrap_or_default();
    if let Err(error) = serde_json::from_str::<IgnoredAny>(body) {
        let line_start: usize =
            body.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        return Err(Refused::new(message, start + line_start + error.column().saturating_sub(1)));
    }
    let mut reader = Reader { text, at: start, left: node::MOST_NODES };
    let root = reader.value(0)?;
    if root.map().is_none() {
        return Err(Refused::new("a file begins with a table of keys: { … }", start));
    }
    Ok(Tree { root, head: Vec::new(), tail: Vec::new(), remarks: Vec::new() })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    left: usize,
}

impl Reader<'_> {
    /// The byte of the next thing that is not blank.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Refused> {
        let first = self.peek();
        let start = self.at;
        if depth > node::DEEPEST {
            return Err(Refused::too_deep(start));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| Refused::too_many(start))?;
        match first {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                let text = self.string()?;
                Ok(Node::new(Data::Plain(Value::String(text), None), start..self.at))
            }
            _ => Ok(self.word()),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, Refused> {
        let start = self.at;
        self.at += 1;
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        while self.peek().is_some_and(|byte| byte != b'}') {
            let key = self.at;
            let name = self.string()?;
            let place = key..self.at;
            if name.len() > node::LONGEST_KEY {
                return Err(Refused::long_key(key));
            }
            if !seen.insert(name.clone()) {
                let message = format!("“{name}” is there already; a key may stand once");
                return Err(Refused::new(message, key));
            }
            self.skip(b':');
            let mut node = self.value(depth + 1)?;
            node.at = place;
            entries.push((name, node));
            self.skip(b',');
        }
        self.at += 1;
        Ok(Node::new(Data::Map(entries), start..self.at))
    }

    fn list(&mut self, depth: usize) -> Result<Node, Refused> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        while self.peek().is_some_and(|byte| byte != b']') {
            items.push(self.value(depth + 1)?);
            self.skip(b',');
        }
        self.at += 1;
        Ok(Node::new(Data::List(items), start..self.at))
    }

    /// Steps over one sign, if it is next.
    fn skip(&mut self, sign: u8) {
        if self.peek() == Some(sign) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<String, Refused> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'\\') => self.at += 2,
                Some(b'"') => break self.at += 1,
                Some(_) => self.at += 1,
                None => break,
            }
        }
        let spelt = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(spelt).map_err(|error| Refused::new(error.to_string(), start))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Node {
        let start = self.at;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        // At least one byte, so that it comes to an end whatever the text.
        self.at += rest.iter().position(ends).unwrap_or(rest.len()).max(1);
        let spelt = self.text.get(start..self.at).unwrap_or_default();
        let whole = !spelt.contains(['.', 'e', 'E']);
        let data = match spelt {
            "true" => Data::Plain(true.into(), None),
            "false" => Data::Plain(false.into(), None),
            "null" => Data::Odd(spelt.to_owned(), "null (nothing)"),
            _ if whole => match spelt.parse::<i64>() {
                Ok(number) => Data::Plain(number.into(), Some(spelt.to_owned())),
                Err(_) => Data::Odd(spelt.to_owned(), "a number beyond 64 bits"),
            },
            _ => match spelt.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    Data::Plain(number.into(), Some(spelt.to_owned()))
                }
                _ => Data::Odd(spelt.to_owned(), "a number out of reach"),
            },
        };
        Node::new(data, start..self.at)
    }
}

//! A text, its values, and where each key stands.

mod build;
mod errors;
mod lines;
mod place;

use std::{ops::Range, sync::OnceLock};

pub use build::{DEEPEST, LONGEST_KEY};
pub use errors::{MOST_ERRORS, SyntaxError};
pub(crate) use lines::Cursor;
use lines::Lines;
pub use place::{Form, Place};

use crate::{diagnostic::Span, path::KeyPath, value::Value};

/// The longest text that is read, in bytes: 16 MiB.
pub const LONGEST: usize = 16 << 20;

/// A TOML text with its values and the place of every key. A byte order mark and Windows line
/// ends are allowed; byte offsets count from the very first byte of the text.
#[derive(Debug, Clone)]
pub struct Document {
    text: String,
    values: Value,
    root: Place,
    errors: Vec<SyntaxError>,
    lines: OnceLock<Lines>,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// The first thing in it that is not TOML; a text longer than [`LONGEST`]; tables and lists
    /// more than [`DEEPEST`] deep in each other; a name longer than [`LONGEST_KEY`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut document = Self::recover(text);
        if document.errors.is_empty() { Ok(document) } else { Err(document.errors.swap_remove(0)) }
    }

    /// Reads a text and goes on after mistakes: what can be read of it, with everything in it that
    /// is not TOML in [`Document::errors`]. Keys whose value cannot be read have the form
    /// [`Form::Broken`].
    pub fn recover(text: &str) -> Self {
        if text.len() > LONGEST {
            let error = SyntaxError::at(text, 0..0, too_long(text.len()));
            return Self { errors: vec![error], ..Self::empty(text) };
        }
        let (values, root, errors) = Reader::default().read(text);
        Self { text: text.to_owned(), values, root, errors, lines: OnceLock::new() }
    }

    fn empty(text: &str) -> Self {
        let values = Value::Table(crate::value::Table::new());
        let root =
            Place { origin: 0, key: None, span: 0..0, form: Form::Headed, parts: Vec::new() };
        Self { text: text.to_owned(), values, root, errors: Vec::new(), lines: OnceLock::new() }
    }

    /// The text, as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What in it is not TOML, in order of the text: one mistake a line, at most [`MOST_ERRORS`].
    /// None in a document of [`Document::parse`].
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// The top table, keys in file order.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// The top table, without the rest.
    pub fn into_values(self) -> Value {
        self.values
    }

    /// The top table and its place, without the rest.
    pub(crate) fn into_parts(self) -> (Value, Place) {
        (self.values, self.root)
    }

    /// The place of the top table; its parts are in the order of [`Document::values`].
    pub fn root(&self) -> &Place {
        &self.root
    }

    /// A key's value and place; `None` if it is not in the file.
    pub fn find(&self, path: &KeyPath) -> Option<(&Value, &Place)> {
        let mut found = (&self.values, &self.root);
        for name in path.names() {
            let (index, _, value) = found.0.as_table()?.get_full(name)?;
            found = (value, found.1.parts.get(index)?);
        }
        Some(found)
    }

    /// Lines and columns of a stretch of bytes.
    pub fn span(&self, bytes: Range<usize>) -> Span {
        self.lines.get_or_init(|| Lines::new(&self.text)).span(&self.text, bytes)
    }
}

/// Reads texts one after another, each in the memory that the one before it took.
#[derive(Default)]
pub(crate) struct Reader {
    tokens: Vec<toml_parser::lexer::Token>,
    room: build::Room,
}

impl Reader {
    /// What can be read of a text of [`LONGEST`] bytes at most, where it stands, and what in it is
    /// not TOML.
    pub(crate) fn read(&mut self, text: &str) -> (Value, Place, Vec<SyntaxError>) {
        let source = toml_parser::Source::new(text);
        self.tokens.clear();
        self.tokens.extend(source.lex());
        let mut problems = errors::Collected::default();
        let room = std::mem::take(&mut self.room);
        let mut builder = build::Builder::new(source, room, self.tokens.len() / 4);
        let mut checked = toml_parser::parser::ValidateWhitespace::new(&mut builder, source);
        toml_parser::parser::parse_document(&self.tokens, &mut checked, &mut problems);
        let (values, root);
        (values, root, self.room) = builder.finish(&mut problems);
        (values, root, problems.finish(text))
    }
}

/// The sentence for a text of `length` bytes that is longer than [`LONGEST`].
pub(crate) fn too_long(length: usize) -> String {
    format!("the file is {} MiB long; a bench file may have 16 MiB", length.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(document: &'a Document, path: &str) -> &'a Place {
        document.find(&path.parse().unwrap()).unwrap().1
    }

    fn key<'a>(document: &'a Document, path: &str) -> &'a str {
        &document.text()[place(document, path).key.clone().unwrap()]
    }

    fn value<'a>(document: &'a Document, path: &str) -> &'a str {
        &document.text()[place(document, path).span.clone()]
    }

    #[test]
    fn every_key_has_its_place() {
        let text = "name = 'x'\n[a.b]\nc.d = [1, { e = 2 }]\nf = { g.h = 3, \"i\" = 4 }\n";
        let document = Document::parse(text).unwrap();
        assert_eq!(value(&document, "name"), "'x'");
        assert_eq!((key(&document, "a"), place(&document, "a").form), ("a", Form::Implied));
        assert_eq!((key(&document, "a.b"), value(&document, "a.b")), ("b", "[a.b]"));
        assert_eq!((key(&document, "a.b.c"), place(&document, "a.b.c").form), ("c", Form::Dotted));
        assert_eq!(
            (key(&document, "a.b.c.d"), value(&document, "a.b.c.d")),
            ("d", "[1, { e = 2 }]")
        );
        assert_eq!((key(&document, "a.b.f.g.h"), value(&document, "a.b.f.g.h")), ("h", "3"));
        assert_eq!(
            (key(&document, "a.b.f.i"), value(&document, "a.b.f")),
            ("\"i\"", "{ g.h = 3, \"i\" = 4 }")
        );
    }

    #[test]
    fn repeated_tables_are_a_list() {
        let document = Document::parse("[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 3\n").unwrap();
        let (list, place) = document.find(&"a".parse().unwrap()).unwrap();
        assert_eq!(list.to_string(), "[{ x = 1 }, { x = 2, b = { y = 3 } }]");
        assert_eq!(place.parts.len(), 2);
        assert_eq!(&document.text()[place.parts[1].span.clone()], "[[a]]");
    }

    #[test]
    fn columns_count_characters_and_no_byte_order_mark() {
        let document = Document::parse("\u{feff}\"µ\" = 1\r\nb = \"ü\"\r\n").unwrap();
        let first = document.span(place(&document, "\"µ\"").span.clone());
        assert_eq!((first.line, first.column, first.end_column), (1, 7, 8));
        let second = document.span(place(&document, "b").span.clone());
        assert_eq!((second.line, second.column, second.end_column), (2, 5, 8));
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let error = Document::parse("\u{feff}a = 1\r\n'ö' b = 2\r\n").unwrap_err();
        assert_eq!((error.span.line, error.span.column), (2, 5));
        let error = Document::parse("[a]\nb = 1\nb = 2\n").unwrap_err();
        assert_eq!((error.span.line, error.span.column, error.span.end_column), (3, 1, 2));
        assert_eq!(
            error.to_string(),
            "line 3, column 1: “b” is there already; a key may stand once"
        );
    }

    #[test]
    fn nesting_has_an_end_and_none_of_it_overflows_the_stack() {
        let dotted = vec!["a"; 70].join(".");
        let deep = format!("{}1{}", format!("{dotted} = {{").repeat(70), "}".repeat(70));
        for text in [deep, "a = ".to_owned() + &"[".repeat(100_000), "a = {".repeat(100_000)] {
            assert!(Document::parse(&text).unwrap_err().message.contains("nested too deeply"));
        }
        // Brackets in texts and comments are none.
        let harmless = format!("a = \"{0}\" # {0}\nb = '''{0}\n\"'''", "[".repeat(200));
        assert!(Document::parse(&harmless).is_ok());
    }

    #[test]
    fn a_text_of_more_than_16_mib_is_refused() {
        let text = "#".repeat(LONGEST + 1);
        assert!(Document::parse(&text).unwrap_err().message.contains("17 MiB"));
    }

    #[test]
    fn coming_back_to_tables_costs_no_more_than_reading_them() {
        let there: String = (0..50_000).map(|n| format!("[x{n}.y]\n")).collect();
        let back: String = (0..50_000).map(|n| format!("[x{n}]\na = 1\n")).collect();
        let document = Document::parse(&(there + &back)).unwrap();
        assert_eq!(document.values().as_table().unwrap().len(), 50_000);
        assert_eq!(place(&document, "x49999").form, Form::Headed);
        assert_eq!(value(&document, "x49999"), "[x49999]");
    }

    #[test]
    fn several_mistakes_are_told_at_once_and_the_rest_is_read() {
        let text = "a = \nb = 1\n[c\nd = on\ne = 2\n[f.]\ng = 3\n[c]\nx\n[h]\ni = 4\ni = 5\n";
        let document = Document::recover(text);
        let lines: Vec<u32> = document.errors().iter().map(|error| error.span.line).collect();
        assert_eq!(lines, [1, 3, 4, 6, 8, 9, 12]);
        assert_eq!(place(&document, "a").form, Form::Broken);
        assert_eq!(value(&document, "b"), "1");
        assert_eq!(value(&document, "c.e"), "2");
        assert_eq!(value(&document, "h.i"), "4");
        assert!(document.find(&"f".parse().unwrap()).is_none());
    }

    proptest::proptest! {
        /// Another reader of TOML, which has no short ways for what is plain.
        #[test]
        fn values_are_what_another_reader_makes_of_them(
            value in "[0-9]{1,3}(\\.[0-9]{0,3})?|[0-9.eE_+-]{1,6}|0?[0-9]{18,20}|[a-z]{4,5}|true|false|\"[ -~\t\u{7f}é]{0,6}\"",
            key in "[ -~é]{1,4}|[A-Za-z0-9_-]{1,4}",
        ) {
            for text in [format!("a = {value}"), format!("{key} = 1")] {
                let other = text.parse::<toml::Table>();
                let ours = Document::parse(&text);
                proptest::prop_assert_eq!(ours.is_ok(), other.is_ok(), "{}", text);
                let (Ok(ours), Ok(other)) = (ours, other) else { continue };
                let (ours, other) = (ours.into_values(), toml::Value::Table(other));
                // Dates are texts here.
                if !other.to_string().contains(['-', ':']) || !ours.to_string().contains(['-', ':']) {
                    let other = serde_json::to_value(&other).unwrap();
                    proptest::prop_assert_eq!(serde_json::to_value(&ours).unwrap(), other, "{}", text);
                }
            }
        }
    }
}

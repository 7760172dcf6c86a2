//! What the parser tells, in the order of the text.

use std::borrow::Cow;

use smol_str::SmolStr;
use toml_parser::{ErrorSink, ParseError, Span, decoder::Encoding, parser::EventReceiver};

use super::{
    Builder, LONGEST_KEY, Name, Reading, range,
    scalar::{is_bare, scalar},
};
use crate::document::Form;

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.end_line(error);
        self.names.clear();
        self.reading = Reading::Header { start: span.start(), repeated: false };
    }

    fn std_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if let Reading::Header { start, repeated } = self.reading {
            self.header(start..span.end(), repeated, error);
        }
    }

    fn array_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.end_line(error);
        self.names.clear();
        self.reading = Reading::Header { start: span.start(), repeated: true };
    }

    fn array_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.std_table_close(span, error);
    }

    fn inline_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) -> bool {
        self.enter(span, Form::Inline, error)
    }

    fn inline_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.broken(error);
        self.names.clear();
        if let Some(Some(table)) = self.open.pop() {
            self.nodes[table].span.end = span.end();
        }
    }

    fn array_open(&mut self, span: Span, error: &mut dyn ErrorSink) -> bool {
        self.enter(span, Form::List, error)
    }

    fn array_close(&mut self, span: Span, _error: &mut dyn ErrorSink) {
        self.slot = None;
        if let Some(Some(list)) = self.open.pop() {
            self.nodes[list].span.end = span.end();
        }
    }

    fn simple_key(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let Some(raw) = self.source.get(span) else { return };
        if kind.is_none() && raw.len() <= LONGEST_KEY && is_bare(raw.as_str()) {
            let name = SmolStr::new(raw.as_str());
            return self.names.push(Name { name, span: range(span), bad: false });
        }
        let raw = toml_parser::Raw::new_unchecked(raw.as_str(), kind, span);
        let (mut decoded, mut bad) = (Cow::Borrowed(""), false);
        raw.decode_key(&mut decoded, &mut |problem: ParseError| {
            bad = true;
            error.report_error(problem);
        });
        if decoded.len() > LONGEST_KEY {
            bad = true;
            let message =
                format!("this key is {} bytes long; a key may have {LONGEST_KEY}", decoded.len());
            error.report_error(ParseError::new(message).with_unexpected(span));
        }
        self.names.push(Name { name: SmolStr::new(decoded), span: range(span), bad });
    }

    fn key_val_sep(&mut self, _span: Span, error: &mut dyn ErrorSink) {
        self.key(error);
    }

    fn scalar(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let Some(raw) = self.source.get(span) else { return };
        let (form, value) = scalar(raw.as_str(), span, kind, error);
        self.put(range(span), form, value);
    }

    fn value_sep(&mut self, _span: Span, error: &mut dyn ErrorSink) {
        self.broken(error);
        self.names.clear();
    }

    fn newline(&mut self, _span: Span, error: &mut dyn ErrorSink) {
        if self.open.is_empty() {
            self.end_line(error);
            self.names.clear();
        }
    }
}

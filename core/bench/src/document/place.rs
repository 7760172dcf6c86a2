//! Where values stand in a text.

use std::ops::Range;

/// Where one key or list item stands. Offsets are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of the texts it stands in that were put together; 0 where there is one text.
    pub origin: u16,
    /// The last name of its key: `voltage` of `ch1.voltage`, `psu` of `[instruments.psu]`. A table
    /// that several keys imply has the name in the first of them. `None` for the top and for list
    /// items.
    pub key: Option<Range<usize>>,
    /// Its value; the header, brackets included, of a table that has one.
    pub span: Range<usize>,
    /// How it is written.
    pub form: Form,
    /// Places of what it holds, in the order of the keys or items of its value.
    pub parts: Vec<Place>,
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `3.3`, `"on"`
    Plain,
    /// A date or time, which no key of a bench file takes.
    Date,
    /// `[0.0, 3.6]`
    List,
    /// `{ a = 1 }`
    Inline,
    /// `a` in `{ a.b = 1 }`
    InlineDotted,
    /// `[a]`, an item of `[[a]]`, and the top of the file
    Headed,
    /// `a` where there is `[a.b]` and no `[a]`
    Implied,
    /// `a` of `a.b = 1`
    Dotted,
    /// `[[a]]`
    Repeated,
    /// A value that cannot be read; an error tells why.
    Broken,
}

impl Place {
    /// Where to point for something that is missing in it: the header if it has one, else the
    /// key, else the value.
    pub fn head(&self) -> Range<usize> {
        match (self.form, &self.key) {
            (Form::Headed, _) | (_, None) => self.span.clone(),
            (_, Some(key)) => key.clone(),
        }
    }
}

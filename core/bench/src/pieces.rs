//! A text cut into pieces of one component each, so that after a change only the pieces that it
//! touches are read again.
//!
//! A piece begins with the line of a header (`[instruments.psu]`) that leads to another component
//! than the header before it, and ends before the next such line. What comes before the first
//! header is a piece too. Each piece is a TOML text of its own, since headers name their tables in
//! full.

mod headers;

use std::{ops::Range, sync::Arc};

use headers::Headers;

/// One piece and what was made of it.
pub(crate) struct Piece<T> {
    /// Where it begins in the text, in bytes.
    pub(crate) start: u32,
    /// The number of lines before it.
    pub(crate) line: u32,
    /// What does not depend on where it stands.
    pub(crate) inner: Arc<Inner<T>>,
}

/// What belongs to a piece wherever it stands.
pub(crate) struct Inner<T> {
    /// Bytes.
    length: u32,
    /// Line ends in it.
    lines: u32,
    /// What was made of its text.
    pub(crate) made: T,
}

impl<T> Clone for Piece<T> {
    fn clone(&self) -> Self {
        Self { start: self.start, line: self.line, inner: self.inner.clone() }
    }
}

impl<T> Piece<T> {
    /// Its bytes in the text.
    pub(crate) fn bytes(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.inner.length as usize
    }
}

/// A text in pieces, in order; together they are the whole text.
pub(crate) struct Pieces<T> {
    text: Arc<str>,
    list: Vec<Piece<T>>,
}

impl<T> Clone for Pieces<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), list: self.list.clone() }
    }
}

impl<T> Pieces<T> {
    /// Cuts a text and makes something of each piece: `make` gets the texts of all of them.
    pub(crate) fn cut(text: Arc<str>, make: &mut Make<'_, T>) -> Self {
        let mut building = Building::new(Vec::new(), 0);
        let mut start = 0;
        for end in Headers::new(&text, 0).map(|header| header.start) {
            building.add(start..end);
            start = end;
        }
        building.add(start..text.len());
        building.finish(text, &[], make)
    }

    /// The whole text as one piece, for texts whose pieces cannot stand by themselves.
    pub(crate) fn uncut(text: Arc<str>, make: &mut Make<'_, T>) -> Self {
        let mut building = Building::new(Vec::new(), 0);
        building.add(0..text.len());
        building.finish(text, &[], make)
    }

    /// Another text, cut; pieces that are in both are shared. What is looked at byte by byte is
    /// the stretch that differs and the pieces that it lies in.
    pub(crate) fn again(&self, text: Arc<str>, make: &mut Make<'_, T>) -> Self {
        let (old, now) = (self.text.as_bytes(), text.as_bytes());
        let head = same_head(old, now);
        let tail = same_tail(&old[head..], &now[head..]);
        if head == old.len() && head == now.len() {
            return Self { list: self.list.clone(), text };
        }
        // The header of the first touched piece may lead to the component before it now.
        let touched = self.list.partition_point(|piece| piece.start as usize <= head);
        let kept = touched.saturating_sub(2);
        let mut list = Vec::with_capacity(self.list.len() + 1);
        list.extend(self.list.iter().take(kept).cloned());
        let (from, line) = self.list.get(kept).map_or((0, 0), |it| (it.start as usize, it.line));
        let mut building = Building::new(list, line);
        // Pieces that begin here or later in the old text are the same in both.
        let from_here = old.len() - tail;
        let mut start = from;
        let mut rest: Option<&[Piece<T>]> = None;
        for header in Headers::new(&text, from) {
            // A piece begins where it began, so it begins with a header already.
            if header.start == from && from > 0 {
                continue;
            }
            building.add(start..header.start);
            start = header.start;
            let before = (start + old.len()).checked_sub(now.len());
            if let Some(before) = before.filter(|before| *before >= from_here)
                && let Ok(index) =
                    self.list.binary_search_by_key(&before, |piece| piece.start as usize)
            {
                rest = self.list.get(index..);
                break;
            }
        }
        if rest.is_none() {
            building.add(start..text.len());
        }
        building.finish(text, rest.unwrap_or_default(), make)
    }

    /// The text.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The pieces in order.
    pub(crate) fn list(&self) -> &[Piece<T>] {
        &self.list
    }
}

/// What is made of the texts of pieces, in order and as many.
pub(crate) type Make<'m, T> = dyn FnMut(&[&str]) -> Vec<T> + 'm;

struct Building<T> {
    /// Pieces of another text that are kept, at the beginning.
    list: Vec<Piece<T>>,
    /// Line ends so far.
    line: u32,
    /// The bytes of pieces that follow and have to be made.
    cuts: Vec<Range<usize>>,
}

impl<T> Building<T> {
    fn new(list: Vec<Piece<T>>, line: u32) -> Self {
        Self { list, line, cuts: Vec::new() }
    }

    fn add(&mut self, bytes: Range<usize>) {
        if !bytes.is_empty() {
            self.cuts.push(bytes);
        }
    }

    /// Makes what has to be made; `rest` are pieces of another text that follow.
    fn finish(mut self, text: Arc<str>, rest: &[Piece<T>], make: &mut Make<'_, T>) -> Pieces<T> {
        // An empty text has one piece, which is empty.
        if text.is_empty() {
            self.cuts.push(0..0);
        }
        let cuts = self.cuts.iter();
        let texts: Vec<&str> =
            cuts.map(|bytes| text.get(bytes.clone()).unwrap_or_default()).collect();
        self.list.reserve_exact(texts.len() + rest.len());
        let mut start = self.cuts.first().map_or(0, |bytes| small(bytes.start));
        for (text, made) in texts.iter().zip(make(&texts)) {
            let lines = small(memchr::memchr_iter(b'\n', text.as_bytes()).count());
            let inner = Inner { length: small(text.len()), lines, made };
            self.list.push(Piece { start, line: self.line, inner: Arc::new(inner) });
            start += small(text.len());
            self.line += lines;
        }
        for Piece { inner, .. } in rest {
            self.list.push(Piece { start, line: self.line, inner: inner.clone() });
            start += inner.length;
            self.line += inner.lines;
        }
        Pieces { text, list: self.list }
    }
}

/// Texts have 16 MiB at most.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How many bytes both have in common at the beginning.
fn same_head(one: &[u8], other: &[u8]) -> usize {
    // Stretches are compared as a whole, which is many times as fast as byte by byte.
    const STRETCH: usize = 1 << 12;
    let stretches = one.chunks(STRETCH).zip(other.chunks(STRETCH));
    let same = stretches.take_while(|(one, other)| one == other).map(|(one, _)| one.len());
    let same: usize = same.sum();
    let rest = one[same..].iter().zip(&other[same..]);
    same + rest.take_while(|(one, other)| one == other).count()
}

/// The same at the end.
fn same_tail(one: &[u8], other: &[u8]) -> usize {
    const STRETCH: usize = 1 << 12;
    let stretches = one.rchunks(STRETCH).zip(other.rchunks(STRETCH));
    let same = stretches.take_while(|(one, other)| one == other).map(|(one, _)| one.len());
    let same: usize = same.sum();
    let rest = one[..one.len() - same].iter().rev().zip(other[..other.len() - same].iter().rev());
    same + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn texts(pieces: &Pieces<String>) -> Vec<&str> {
        let texts: Vec<&str> = pieces.list.iter().map(|piece| &*piece.inner.made).collect();
        assert_eq!(texts.concat(), *pieces.text);
        let mut line = 0;
        for piece in &pieces.list {
            let bytes = piece.start as usize..(piece.start + piece.inner.length) as usize;
            assert_eq!(pieces.text.get(bytes), Some(&*piece.inner.made));
            assert_eq!(piece.line, line);
            line += small(piece.inner.made.matches('\n').count());
        }
        texts
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn cut(text: &str) -> Pieces<String> {
        Pieces::cut(text.into(), &mut owned)
    }

    #[test]
    fn a_piece_holds_one_component() {
        let text = "# top\nformat = 1\n[instruments.a]\nx = 1\n\n[instruments.a.set]\ny = [\n[1],\n]\n  \
                    [instruments.b]\nz = \"\"\"\n[sources.c]\n\"\"\"\n# end\n[sources.'c']\n[runtime]\n[runtime.x]";
        assert_eq!(
            texts(&cut(text)),
            [
                "# top\nformat = 1\n",
                "[instruments.a]\nx = 1\n\n[instruments.a.set]\ny = [\n[1],\n]\n",
                "  [instruments.b]\nz = \"\"\"\n[sources.c]\n\"\"\"\n# end\n",
                "[sources.'c']\n",
                "[runtime]\n[runtime.x]",
            ]
        );
        assert_eq!(texts(&cut("")), [""]);
        assert_eq!(texts(&cut("[a]")), ["[a]"]);
    }

    #[test]
    fn what_is_not_touched_is_shared() {
        let old = "[instruments.a]\nx = 1\n[instruments.b]\nx = 1\n[instruments.c]\nx = 1\n\
                   [instruments.d]\nx = 1\n[instruments.e]\nx = 1\n";
        let pieces = cut(old);
        let mut made = Vec::new();
        let now = old.replacen("c]\nx = 1", "c]\nx = 12\n\n", 1);
        let again = pieces.again(now.as_str().into(), &mut |texts| {
            made.extend(owned(texts));
            owned(texts)
        });
        assert_eq!(texts(&again), texts(&cut(&now)));
        assert_eq!(made, ["[instruments.b]\nx = 1\n", "[instruments.c]\nx = 12\n\n\n"]);
    }

    fn line() -> impl Strategy<Value = &'static str> {
        select(vec![
            "[instruments.a]\n",
            "[instruments.b]\n",
            "[instruments.a.set]\n",
            "[ instruments . 'b' ]\r\n",
            "[[sources]]\n",
            "[sources.c]\n",
            "[runtime]\n",
            "x = 1\n",
            "y = \"a\"\n",
            "z = [\n",
            "[1],\n",
            "]\n",
            "s = \"\"\"\n",
            "\"\"\"\n",
            "l = '''\n",
            "'''\n",
            "# [instruments.a]\n",
            "t = { a = 1 }\n",
            "\n",
            "\u{feff}",
            "é = 'ü",
        ])
    }

    proptest! {
        #[test]
        fn cutting_again_is_cutting_the_text(
            lines in vec(line(), 0..30),
            changes in vec((0_usize..30, 0_usize..3, vec(line(), 0..3)), 1..4),
        ) {
            let mut pieces = cut(&lines.concat());
            let mut lines = lines;
            for (at, removed, added) in changes {
                let at = at.min(lines.len());
                let end = (at + removed).min(lines.len());
                lines.splice(at..end, added);
                let now = lines.concat();
                let whole = cut(&now);
                pieces = pieces.again(now.as_str().into(), &mut owned);
                prop_assert_eq!(texts(&pieces), texts(&whole));
            }
        }
    }
}

//! All files of a bench in one text: the bench file as it is, the others behind it as comments.
//!
//! So one text is what a revision keeps, what two versions are compared by and what a rollback
//! brings back, also where a bench has several files. It is the bench file's own text where there
//! are no others.

/// The line that begins the other files.
const MARK: &str = "#: The other files of this bench follow as comments, line by line.";

/// What stands behind it, or behind a file's name, if the text before has no line end at its end.
const OPEN: &str = " (no line end)";

const FILE: &str = "#: file ";

/// One text of the bench file's and those of other files, which are given by names relative to
/// the bench's folder.
pub fn pack<'f>(main: &str, others: impl IntoIterator<Item = (&'f str, &'f str)>) -> String {
    let mut others = others.into_iter().peekable();
    if others.peek().is_none() && block(main).is_none() {
        return main.to_owned();
    }
    let mut packed = main.to_owned();
    if !main.is_empty() && !main.ends_with('\n') {
        packed.push('\n');
        packed.push_str(MARK);
        packed.push_str(OPEN);
    } else {
        packed.push_str(MARK);
    }
    packed.push('\n');
    for (name, text) in others {
        packed.push_str(FILE);
        packed.push_str(&crate::value::basic(name));
        if !text.is_empty() && !text.ends_with('\n') {
            packed.push_str(OPEN);
        }
        packed.push('\n');
        for line in text.lines_with_ends() {
            packed.push_str("#|");
            packed.push_str(line);
            if !line.ends_with('\n') {
                packed.push('\n');
            }
        }
    }
    packed
}

/// How long [`pack`] makes it, in bytes: two more for each line of another file.
pub fn packed_len<'f>(main: &str, others: impl IntoIterator<Item = (&'f str, &'f str)>) -> usize {
    let mut others = others.into_iter().peekable();
    let mark = if others.peek().is_some() { MARK.len() + OPEN.len() + 2 } else { 0 };
    let of = |(name, text): (&str, &str)| {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
        FILE.len() + crate::value::basic(name).len() + OPEN.len() + 2 + text.len() + 2 * lines
    };
    main.len() + mark + others.map(of).sum::<usize>()
}

/// The bench file's text, and names and texts of the other files.
pub fn unpack(packed: &str) -> (&str, Vec<(String, String)>) {
    match block(packed) {
        Some((main, others)) => (main, others),
        None => (packed, Vec::new()),
    }
}

/// The same, if there is a list of other files, be it empty.
fn block(packed: &str) -> Option<(&str, Vec<(String, String)>)> {
    let start = packed.rmatch_indices(MARK).map(|(at, _)| at).find(|at| {
        packed.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n'))
    })?;
    let (mut main, rest) = (packed.get(..start)?, packed.get(start..)?);
    let mut lines = rest.lines_with_ends();
    match lines.next()?.strip_prefix(MARK)?.trim_end_matches('\n') {
        "" => {}
        OPEN => main = main.strip_suffix('\n')?,
        _ => return None,
    }
    let mut others: Vec<(String, String, bool)> = Vec::new();
    for line in lines {
        if let Some(content) = line.strip_prefix("#|") {
            others.last_mut()?.1.push_str(content);
            continue;
        }
        let named = line.strip_prefix(FILE)?.strip_suffix('\n')?;
        let (name, open) = match named.strip_suffix(OPEN) {
            Some(name) => (name, true),
            None => (named, false),
        };
        let name = toml_edit::Key::parse(name).ok()?.pop()?.get().to_owned();
        others.push((name, String::new(), open));
    }
    let others = others.into_iter().map(|(name, mut text, open)| {
        if open {
            text.truncate(text.len().saturating_sub(1));
        }
        (name, text)
    });
    Some((main, others.collect()))
}

trait LinesWithEnds {
    fn lines_with_ends(&self) -> std::str::SplitInclusive<'_, char>;
}

impl LinesWithEnds for str {
    fn lines_with_ends(&self) -> std::str::SplitInclusive<'_, char> {
        self.split_inclusive('\n')
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[test]
    fn a_bench_of_one_file_is_its_own_text() {
        assert_eq!(pack("format = 1\n", []), "format = 1\n");
        assert_eq!(unpack("format = 1\n"), ("format = 1\n", Vec::new()));
    }

    #[test]
    fn other_files_are_comments_and_the_whole_is_toml() {
        let packed = pack("a = 1", [("cameras/b.toml", "[x]\r\ny = 1"), ("c", "")]);
        assert_eq!(
            packed,
            "a = 1\n#: The other files of this bench follow as comments, line by line. (no line end)\n\
             #: file \"cameras/b.toml\" (no line end)\n#|[x]\r\n#|y = 1\n#: file \"c\"\n"
        );
        let values = crate::Document::parse(&packed).unwrap().into_values();
        assert_eq!(values.to_string(), "{ a = 1 }");
    }

    fn text() -> impl Strategy<Value = String> {
        let line = select(vec![
            "a = 1\n",
            "b = 2",
            "\n",
            "\r\n",
            MARK,
            "#: file \"x\"\n",
            "#|",
            "#|c\n",
            OPEN,
            "#: ",
        ]);
        vec(line, 0..8).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn a_pack_is_not_longer_than_was_said(main in text(), others in vec(("[a-c\"\\\\ ]{0,3}", text()), 0..3)) {
            let given = || others.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let (is, said) = (pack(&main, given()).len(), packed_len(&main, given()));
            // A text that itself looks like a pack gets a mark too.
            prop_assert!(is <= said + MARK.len() + OPEN.len() + 2 && said <= is + 80, "{} {}", is, said);
        }

        #[test]
        fn what_was_packed_comes_out(main in text(), others in vec(("[a-c\"\\\\ ]{0,3}", text()), 0..3)) {
            let given = others.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let packed = pack(&main, given);
            prop_assert_eq!(unpack(&packed), (main.as_str(), others));
        }
    }
}

//! `${NAME}`, `${NAME:-default}`, `${secret:NAME}` and, in templates, `$(name)`.
//!
//! A text is read once from left to right; what is put in is never read again. `$${` stands for
//! `${`, and `$$(` in a template for `$(`. Any other `$` is just that.

use std::ops::Range;

use crate::document::Place;

/// One stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// To be taken as it is.
    Text(&'t str),
    /// The value of a variable.
    Variable { name: &'t str, default: Option<&'t str> },
    /// A secret.
    Secret(&'t str),
    /// A value that the user of a template gives.
    Hole(&'t str),
    /// Something that begins like one of these and is none.
    Bad(&'static str),
}

/// A part and where it begins and ends in the text.
pub(super) type Spot<'t> = (Part<'t>, Range<usize>);

/// Cuts a text into its parts. `holes`: whether `$(name)` is one.
pub(super) fn parts(text: &str, holes: bool) -> Vec<Spot<'_>> {
    let mut found = Vec::new();
    let (mut plain, mut at) = (0, 0);
    let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
    while let Some(offset) = slice(at..text.len()).find('$') {
        let start = at + offset;
        let rest = slice(start..text.len());
        let (open, close) = if rest.starts_with("${") {
            ('{', '}')
        } else if holes && rest.starts_with("$(") {
            ('(', ')')
        } else if rest.starts_with("$${") || (holes && rest.starts_with("$$(")) {
            // The first dollar goes, what follows is plain.
            found.push((Part::Text(slice(plain..start)), plain..start));
            plain = start + 1;
            at = start + 3;
            continue;
        } else {
            at = start + 1;
            continue;
        };
        found.push((Part::Text(slice(plain..start)), plain..start));
        let length = rest.find(close);
        let inner = rest.get(2..length.unwrap_or(2)).unwrap_or_default();
        let end = length.map_or(start + 2, |length| start + length + 1);
        let part = match (length, open) {
            (None, '{') => Part::Bad("has no closing “}”; for a plain “${” write “$${”"),
            (None, _) => Part::Bad("has no closing “)”; for a plain “$(” write “$$(”"),
            (Some(_), '{') => variable(inner),
            (Some(_), _) if is_name(inner) => Part::Hole(inner),
            (Some(_), _) => {
                Part::Bad("is not a placeholder such as $(channel); for a plain “$(” write “$$(”")
            }
        };
        found.push((part, start..end));
        (plain, at) = (end, end);
    }
    found.push((Part::Text(slice(plain..text.len())), plain..text.len()));
    found.retain(|(part, _)| *part != Part::Text(""));
    found
}

fn variable(inner: &str) -> Part<'_> {
    if let Some(name) = inner.strip_prefix("secret:") {
        return match name.split_once(":-") {
            _ if is_name(name) => Part::Secret(name),
            Some(_) => {
                Part::Bad("has a default, and a secret has none: it would stand in the file")
            }
            None => Part::Bad("names no secret; write it like ${secret:TOKEN}"),
        };
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if is_name(name) {
        Part::Variable { name, default }
    } else {
        Part::Bad(
            "is none of ${NAME}, ${NAME:-default} and ${secret:NAME}; for a plain “${” write “$${”",
        )
    }
}

/// Letters, digits and underscores, not beginning with a digit.
pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text that comes out as `text` when its variables are put in.
pub(super) fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

/// Where a part of a value stands in the file. The whole value if the file writes it in other
/// letters than the value has (`\u0024`).
pub(super) fn locate(
    source: &str,
    place: &Place,
    value: &str,
    part: &Range<usize>,
) -> Range<usize> {
    let exact = || {
        let raw = source.get(place.span.clone())?;
        let written = value.get(part.clone())?;
        let opening = written.get(..2)?;
        let before = value.get(..part.start)?.matches(opening).count();
        let (offset, _) = raw.match_indices(opening).nth(before)?;
        raw.get(offset..)?.starts_with(written).then(|| {
            let start = place.span.start + offset;
            start..start + written.len()
        })
    };
    exact().unwrap_or_else(|| place.span.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, holes: bool) -> String {
        let shown = parts(text, holes).into_iter().map(|(part, _)| match part {
            Part::Text(text) => text.to_owned(),
            Part::Variable { name, default: None } => format!("<{name}>"),
            Part::Variable { name, default: Some(default) } => format!("<{name}|{default}>"),
            Part::Secret(name) => format!("<!{name}>"),
            Part::Hole(name) => format!("<?{name}>"),
            Part::Bad(_) => "<bad>".to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn a_text_is_cut_once_from_left_to_right() {
        for (text, own, template) in [
            ("", "", ""),
            ("5 $", "5 $", "5 $"),
            ("a${B}c", "a<B>c", "a<B>c"),
            ("${A}${B:-x y}", "<A><B|x y>", "<A><B|x y>"),
            ("${A:-}", "<A|>", "<A|>"),
            ("$${A}", "${A}", "${A}"),
            ("$$${A}", "$${A}", "$${A}"),
            ("$(a)$$(b)", "$(a)$$(b)", "<?a>$(b)"),
            ("${secret:T}", "<!T>", "<!T>"),
            ("${secret:T:-x}", "<bad>", "<bad>"),
            ("${secret:}", "<bad>", "<bad>"),
            ("${1A} ${ A} ${}", "<bad> <bad> <bad>", "<bad> <bad> <bad>"),
            ("x ${A", "x <bad>A", "x <bad>A"),
            ("x $(A", "x $(A", "x <bad>A"),
            ("$()", "$()", "<bad>"),
            ("ü${Ä}ü", "ü<bad>ü", "ü<bad>ü"),
        ] {
            assert_eq!(shown(text, false), own, "{text}");
            assert_eq!(shown(text, true), template, "{text}");
        }
    }

    #[test]
    fn what_is_escaped_comes_out_as_it_was() {
        for text in ["${A}", "$${A}", "$", "a $ b ${", "${${", "$$$${x}"] {
            assert_eq!(shown(&escape(text), false), text);
        }
    }
}

//! What may be a label, and how it stands in a file name.

use std::{borrow::Cow, fmt};

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest label, in characters.
const MOST_CHARACTERS: usize = 60;

/// The longest label in a file name, in bytes: with what stands around it, and as a temporary
/// file, a name stays within the 143 bytes that encrypted folders leave.
const MOST_BYTES: usize = 72;

/// Why a text cannot be a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) &'static str);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A label with every letter in one piece: é can be typed as e with an accent behind it, and is the
/// same to a reader.
pub(super) fn composed(label: &str) -> Cow<'_, str> {
    const { ComposingNormalizerBorrowed::new_nfc() }.normalize(label)
}

/// Whether a text may be a label at all; whether it is free is another question.
pub(super) fn check(label: &str) -> Result<(), Unfit> {
    if label.trim().is_empty() {
        return Err(Unfit("it is empty"));
    }
    if label.trim() != label {
        return Err(Unfit("it begins or ends with a space"));
    }
    if label.chars().count() > MOST_CHARACTERS {
        return Err(Unfit("it is longer than 60 characters"));
    }
    if label.chars().any(|c| matches!(c, '/' | '\\')) {
        return Err(Unfit("a slash would lead into another folder"));
    }
    if label.chars().any(is_hidden) {
        return Err(Unfit("it has characters that cannot be seen"));
    }
    if !label.chars().any(char::is_alphanumeric) {
        return Err(Unfit("it has neither a letter nor a digit"));
    }
    let number = label.strip_prefix(['r', 'R']);
    if number.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Unfit("it looks like the id of a revision"));
    }
    Ok(())
}

/// Characters that are not seen or turn others around.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A label as it can stand in a file name, on a memory stick too: letters and digits of any
/// script, dots, dashes and underscores; anything else is a dash.
pub(super) fn for_file(label: &str) -> String {
    let mut name = String::new();
    for c in composed(label.trim()).chars() {
        let c = if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
        if name.len() + c.len_utf8() > MOST_BYTES {
            break;
        }
        name.push(c);
    }
    name
}

/// What two labels must not share: they would be one to a reader of file names, or on a disk that
/// does not tell capital letters from small ones.
pub(super) fn folded(label: &str) -> String {
    for_file(label).to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_become_harmless() {
        assert_eq!(for_file(" vor / dem Strahl\n"), "vor---dem-Strahl");
        assert_eq!(for_file("../../etc"), "..-..-etc");
        assert_eq!(for_file("Übergabe: α=3"), "Übergabe--α-3");
        assert_eq!(for_file(&"x".repeat(300)).len(), MOST_BYTES);
        assert_eq!(for_file(&"α".repeat(300)).len(), MOST_BYTES);
        assert_eq!(folded("Day One"), folded("day-one"));
        assert_eq!(for_file("caf\u{65}\u{301}"), "caf\u{e9}");
    }

    #[test]
    fn what_misleads_is_no_label() {
        for good in ["aligned", "before beam time", "2026-11-21", "r41b", "für α", "x.y_z"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "  ",
            " a",
            "a/b",
            "a\\b",
            "..",
            "---",
            "r41",
            "R7",
            "r",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}",
            &"x".repeat(61),
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_label_gives_a_name_within_its_folder(label in "\\PC{1,80}") {
            let name = for_file(&label);
            prop_assert!(name.len() <= MOST_BYTES);
            prop_assert!(!name.contains(['/', '\\', '\0', ':', '*', '?', '"', '<', '>', '|']));
            // Written again, it stays what it is: file and log agree.
            prop_assert_eq!(for_file(&name), name);
        }
    }
}

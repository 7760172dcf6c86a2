//! Which texts may be half of what their writer means to write.

/// Whether a text that was not renamed into place may be half written, judging by the one that
/// was there before. `closed`: its writer closed the file after writing.
///
/// Torn TOML is often valid TOML: three in ten beginnings of a bench file parse, and a cut at the
/// border of a table silently drops instruments.
pub(super) fn may_be_torn(before: &str, now: &str, closed: bool) -> bool {
    // As `str::lines` counts, and many times faster.
    let lines = |text: &str| {
        let ends = text.bytes().filter(|byte| *byte == b'\n').count();
        ends + usize::from(!text.is_empty() && !text.ends_with('\n'))
    };
    now.is_empty()
        || (now.len() < before.len() && before.starts_with(now))
        || (before.ends_with('\n') && !now.ends_with('\n'))
        || lines(now) * 5 < lines(before) * 4
        // A writer that is still at it: getting shorter is enough.
        || (!closed && now.len() < before.len() && lines(now) < lines(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "[a]\nx = 1\n\n[b]\nx = 2\n\n[c]\nx = 3\n\n[d]\nx = 4\n";

    #[test]
    fn every_beginning_is_in_doubt() {
        for cut in 0..BEFORE.len() {
            assert!(may_be_torn(BEFORE, &BEFORE[..cut], true), "cut at {cut}");
        }
    }

    #[test]
    fn the_beginning_of_an_edited_text_is_in_doubt() {
        let edited = BEFORE.replace("x = 1", "x = 100");
        // Of a closed file, a cut after a whole line of the last fifth cannot be told from an edit.
        let last_fifth = edited.find("\n[d]").unwrap();
        for cut in 0..edited.len() {
            assert!(may_be_torn(BEFORE, &edited[..cut], false), "cut at {cut}");
            let told = cut <= last_fifth || !edited[..cut].ends_with('\n');
            assert_eq!(may_be_torn(BEFORE, &edited[..cut], true), told, "cut at {cut}");
        }
    }

    #[test]
    fn usual_edits_are_not() {
        for closed in [true, false] {
            assert!(!may_be_torn(BEFORE, &BEFORE.replace('4', "5"), closed));
            assert!(!may_be_torn(BEFORE, &BEFORE.replace("x = 1", "x"), closed));
            assert!(!may_be_torn(BEFORE, &format!("{BEFORE}\n[e]\n"), closed));
        }
        assert!(!may_be_torn(BEFORE, &BEFORE.replace("[d]\nx = 4\n", "y = 5\n"), true));
        assert!(!may_be_torn("", "[a]", false));
    }
}

//! Rules that one file can break on its own.

use super::{Finding, files::File};

/// Longer, and a file holds more than one idea.
const MOST_LINES: usize = 1_000;

/// What must not stand in any text, and why. Written in two halves, so that this file keeps the
/// rule.
const WORDS: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it, or write down what is left where issues are kept"),
    (concat!("FIX", "ME"), "mend it, or write down what is left where issues are kept"),
    (concat!("db", "g!("), "was for finding something out; remove it"),
];

/// Absolute paths of somebody's machine.
const PLACES: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

/// Whose home stands for anybody's in hints and examples.
const INVENTED: &[&str] = &["me/", "ada/"];

/// Ways of writing a colour down.
const COLOURS: &[&str] = &[
    "Color32::from_rgb(",
    "Color32::from_gray(",
    "Color32::from_rgba_premultiplied(",
    "Color32::from_rgba_unmultiplied(",
    "hex_color!(",
];

/// All breaches in one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |line: usize, message: String| {
        findings.push(Finding { file: file.path.clone(), line, message });
    };
    let rust = file.extension() == "rs";
    let lines = file.text.lines().count();
    if rust && lines > MOST_LINES {
        found(0, format!("{lines} lines, at most {MOST_LINES}: split it by its ideas"));
    }
    let locked = file.path == "Cargo.lock";
    for (number, line) in file.text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        if locked {
            if line.starts_with("source = ")
                && !line.contains("github.com/rust-lang/crates.io-index")
            {
                found(number, "a crate from elsewhere than crates.io".to_owned());
            }
            continue;
        }
        for (word, advice) in WORDS {
            if has_word(line, word) {
                found(number, format!("“{word}”: {advice}"));
            }
        }
        for place in PLACES {
            if has_path(line, place) {
                found(number, format!("“{place}” is a place on one machine only"));
            }
        }
        if rust && !may_name_colours(&file.path) {
            for colour in COLOURS.iter().filter(|colour| holds_number_after(line, colour)) {
                found(number, format!("“{colour}…” outside the theme: use a token of the theme"));
            }
        }
    }
    findings
}

/// Whether `word` stands in `line` and is not a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let goes_on =
        |next: Option<char>| next.is_some_and(|char| char.is_alphanumeric() || char == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !goes_on(before) && (word.ends_with('(') || !goes_on(after))
    })
}

/// Whether a path that begins with `place` stands in `line`; `https://site/…` is none.
fn has_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + place.len()..];
        !before.is_some_and(|char| char.is_alphanumeric() || "/.-_}".contains(char))
            && !INVENTED.iter().any(|name| after.starts_with(name))
    })
}

/// The panel paints, and its theme is where colours are given their names.
fn may_name_colours(path: &str) -> bool {
    !path.starts_with("gui/") || path.starts_with("gui/src/panel/theme")
}

/// Whether the colour is written down here, not computed from pixels or tokens.
fn holds_number_after(line: &str, start: &str) -> bool {
    let mut rests = line.match_indices(start).map(|(at, _)| &line[at + start.len()..]);
    rests.any(|rest| {
        rest.trim_start().starts_with(|char: char| char.is_ascii_digit() || char == '"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|found| format!("{}: {}", found.line, found.message)).collect()
    }

    #[test]
    fn what_is_left_undone_is_found_with_its_line() {
        let text = format!("fn a() {{}}\n// {}: later\n", WORDS[0].0);
        let found = messages("core/bench/src/a.rs", &text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("2: "), "{found:?}");
        assert!(messages("a.rs", &format!("{}S and MAS{}", WORDS[0].0, WORDS[0].0)).is_empty());
        assert_eq!(messages("a.rs", &format!("{}x)", WORDS[2].0)).len(), 1);
    }

    #[test]
    fn a_long_file_is_found() {
        assert!(messages("a.rs", &"x\n".repeat(1_000)).is_empty());
        assert_eq!(messages("a.rs", &"x\n".repeat(1_001)).len(), 1);
    }

    #[test]
    fn colours_belong_in_the_theme() {
        let text = "let red = Color32::from_rgb(200, 0, 0);\n";
        assert_eq!(messages("gui/src/panel/pages/bench.rs", text).len(), 1);
        assert!(messages("gui/src/panel/theme/dark.rs", text).is_empty());
        assert!(messages("gui/src/panel/frame.rs", "Color32::from_rgb(pixel[0], …)").is_empty());
    }

    #[test]
    fn places_on_one_machine_are_found_and_addresses_are_not() {
        let text = format!("path = \"{}someone/bench.toml\"", PLACES[1]);
        assert_eq!(messages("README.md", &text).len(), 1);
        let hint = format!("{}me/bench.toml", PLACES[1]);
        assert!(messages("README.md", &hint).is_empty());
        assert!(messages("README.md", &format!("https://example.org{}page", PLACES[1])).is_empty());
        assert!(messages("a.rs", &format!("target{}x", PLACES[2])).is_empty());
    }

    #[test]
    fn crates_come_from_crates_io() {
        let good = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert!(messages("Cargo.lock", good).is_empty());
        assert_eq!(messages("Cargo.lock", "source = \"registry+https://elsewhere/\"\n").len(), 1);
    }
}

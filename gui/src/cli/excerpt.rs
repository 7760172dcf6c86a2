//! Findings with the lines they are about, as compilers show them.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use setpoint_bench::{Diagnostic, Severity, Span};
use setpoint_store::access::EXPOSED;

use crate::cli::{
    look::{Look, Tone},
    printable::{self, Escape},
    sources::{Source, Sources},
};

/// So many findings are shown with their lines; the others are counted.
const SHOWN: usize = 100;
/// A message is cut after so many letters; it may quote a value of any length.
const MESSAGE: usize = 600;
/// Keys and suggestions are cut after so many letters.
const NAME: usize = 200;
/// A span over more lines than this is shown by its first line.
const LINES: usize = 6;

/// The finding over several lines, without a line end after the last. A place that is in none of
/// the texts leaves the excerpt out.
pub fn render(finding: &Diagnostic, sources: &mut Sources<'_>, look: Look) -> String {
    let (level, word) = match finding.severity {
        Severity::Error => (Level::ERROR, "error"),
        Severity::Warning => (Level::WARNING, "warning"),
        Severity::Info => (Level::INFO, "info"),
    };
    let code = printable::start(&finding.code, NAME);
    let mut message = printable::start(&finding.message, MESSAGE);
    if look.breaks {
        // The lines that follow are indented by what stands before the first.
        let before = word.len() + code.len() + "[]: ".len();
        message = printable::wrap(&message, look.width.saturating_sub(before));
    }
    // Where a secret stands in plain text, nobody who looks on has to read it too.
    let shown = (!matches!(&*finding.code, "plain_secret" | EXPOSED))
        .then(|| shown(&finding.file, finding.span, sources, look.width))
        .flatten();
    let key = printable::start(&finding.path, NAME);
    let named = key.is_empty() || shown.as_ref().is_some_and(|shown| shown.text.contains(&key));
    let label = shown.as_ref().filter(|shown| !named && shown.has_room(&key, look.width));
    let labelled = label.is_some();

    let span = finding.span;
    let origin = Origin::path(printable::start(&finding.file, NAME))
        .line(span.line as usize)
        .char_column(span.column as usize);
    let mut group = Group::with_title(level.primary_title(message).id(code)).element(origin);
    if let Some(Shown { text, span: bytes, .. }) = &shown {
        let mut mark = AnnotationKind::Primary.span(bytes.clone());
        if labelled {
            mark = mark.label(key.clone());
        }
        let snippet = Snippet::source(text.clone()).line_start(span.line as usize);
        group = group.element(snippet.annotation(mark));
    }
    if !named && !labelled {
        group = group.element(Level::NOTE.message(format!("this is {key}")));
    }
    if let Some(hint) = &finding.suggestion {
        let hint = printable::start(hint, NAME);
        group = group.element(Level::HELP.message(format!("did you mean “{hint}”?")));
    }
    drawn(group, look)
}

/// A place in a file with the line it is on, below a word and what is to be said of it. A place
/// that is in none of the texts leaves the excerpt out.
pub fn place(
    (word, message): (&str, &str),
    (file, span): (&str, Span),
    sources: &mut Sources<'_>,
    look: Look,
) -> String {
    let origin = Origin::path(printable::start(file, NAME))
        .line(span.line as usize)
        .char_column(span.column as usize);
    let title = Level::INFO.with_name(word).primary_title(printable::start(message, MESSAGE));
    let mut group = Group::with_title(title).element(origin);
    if let Some(Shown { text, span: bytes, .. }) = shown(file, span, sources, look.width) {
        let snippet = Snippet::source(text).line_start(span.line as usize);
        group = group.element(snippet.annotation(AnnotationKind::Primary.span(bytes)));
    }
    drawn(group, look)
}

fn drawn(group: Group<'_>, look: Look) -> String {
    let renderer =
        if look.colours { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    let shown = renderer.term_width(look.width).render(&[group]);
    shown.lines().filter(|line| !is_empty_origin(line)).collect::<Vec<_>>().join("\n")
}

/// The renderer counts columns in the excerpt, which may be cut or escaped, so the place is given
/// to it apart from the excerpt. For an excerpt without a place it writes `:::` with nothing behind.
fn is_empty_origin(line: &str) -> bool {
    let mut pieces = line.split('\u{1b}');
    let first = pieces.next().unwrap_or_default();
    let rest = pieces.filter_map(|piece| piece.split_once('m')).map(|(_, text)| text);
    std::iter::once(first).chain(rest).collect::<String>().trim() == ":::"
}

/// What is shown of a file, ready for a terminal.
struct Shown {
    text: String,
    /// The bytes of `text` that the finding is about.
    span: Range<usize>,
    /// Columns up to the end of the span, on its line.
    columns: usize,
}

impl Shown {
    /// Whether a label fits behind the marks.
    fn has_room(&self, label: &str, width: usize) -> bool {
        // Line number, bar and gaps.
        const MARGIN: usize = 10;
        self.columns + MARGIN + printable::columns(label) <= width
    }
}

fn shown(file: &str, span: Span, sources: &mut Sources<'_>, width: usize) -> Option<Shown> {
    let source = sources.get(file)?;
    let (first, last) = (span.line as usize, span.end_line as usize);
    if last > first
        && last - first < LINES
        && let Some(shown) = several_lines(span, source, width)
    {
        return Some(shown);
    }
    let line = source.line(first)?;
    let start = source.offset(first, span.column as usize);
    let letters = if last > first {
        usize::MAX
    } else {
        (span.end_column as usize).saturating_sub(span.column as usize).max(1)
    };
    // More than a screen on both sides, so that the renderer sees that there is more.
    let reach = 2 * width;
    let before = line.get(..start).unwrap_or_default();
    let from = before.char_indices().rev().nth(reach - 1).map_or(0, |(at, _)| at);
    let mut text = String::new();
    let mut escape = Escape::default();
    before.get(from..).unwrap_or_default().chars().for_each(|it| escape.push(&mut text, it));
    let begin = text.len();
    let mut end = begin;
    for (count, letter) in line.get(start..).unwrap_or_default().chars().take(reach).enumerate() {
        escape.push(&mut text, letter);
        // What is marked fits the screen; the rest of it can be seen to go on.
        if count < letters && count < width / 2 {
            end = text.len();
        }
    }
    let columns = printable::columns(&text[..end]);
    Some(Shown { text, span: begin..end, columns })
}

/// A span over a few lines that all fit the screen.
fn several_lines(span: Span, source: &mut Source<'_>, width: usize) -> Option<Shown> {
    let (first, last) = (span.line as usize, span.end_line as usize);
    let (from, to) =
        (source.offset(first, span.column as usize), source.offset(last, span.end_column as usize));
    let mut text = String::new();
    let mut bytes = 0..0;
    for number in first..=last {
        let line = source.line(number)?;
        // Bytes are at least as many as columns.
        if line.len() > width {
            return None;
        }
        let mut escape = Escape::default();
        for (at, letter) in line.char_indices() {
            if number == first && at == from {
                bytes.start = text.len();
            }
            if number == last && at == to {
                bytes.end = text.len();
            }
            escape.push(&mut text, letter);
        }
        if number == first && from >= line.len() {
            bytes.start = text.len();
        }
        if number == last && to >= line.len() {
            bytes.end = text.len();
        }
        text.push('\n');
    }
    // The label stands on a line of its own.
    Some(Shown { columns: 0, span: bytes, text })
}

/// All findings, a block each, in the order given. Of many the first hundred, errors before the
/// rest, and then how many more of which kind there are; `all` shows every one.
pub fn report(
    findings: &[Diagnostic],
    sources: &mut Sources<'_>,
    look: Look,
    all: bool,
) -> Vec<String> {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    let most = if all { findings.len() } else { SHOWN };
    let mut rest = Vec::new();
    if findings.len() > most {
        // Stable, so that among equals the first in the file are shown.
        order.sort_by_key(|&at| findings.get(at).map(|finding| Reverse(finding.severity)));
        rest = order.split_off(most);
        order.sort_unstable();
    }
    let finding = |at: usize| findings.get(at);
    let mut blocks: Vec<String> =
        order.into_iter().filter_map(finding).map(|it| render(it, sources, look)).collect();
    if !rest.is_empty() {
        blocks.push(counts(rest.into_iter().filter_map(finding), look));
    }
    blocks
}

/// `4,900 more findings are not shown:` and how many of which code.
fn counts<'d>(rest: impl Iterator<Item = &'d Diagnostic>, look: Look) -> String {
    let mut codes: BTreeMap<(Reverse<Severity>, &str), usize> = BTreeMap::new();
    for finding in rest {
        *codes.entry((Reverse(finding.severity), &finding.code)).or_default() += 1;
    }
    let total: usize = codes.values().sum();
    let noun = if total == 1 { "finding is" } else { "findings are" };
    let mut out = look.paint(Tone::Bold, &format!("{total} more {noun} not shown:"));
    for ((Reverse(severity), code), count) in codes {
        let (word, tone) = match severity {
            Severity::Error => ("error", Tone::Red),
            Severity::Warning => ("warning", Tone::Yellow),
            Severity::Info => ("info", Tone::Cyan),
        };
        let word = look.paint(tone, word);
        out.push_str(&format!("\n{count:>7} {word} {}", printable::start(code, NAME)));
    }
    out
}

/// `2 errors, 1 warning`; empty where there is nothing to count.
pub fn summary(findings: &[Diagnostic]) -> String {
    let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "remark")]
        .into_iter()
        .filter_map(|(severity, word)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: u32, column: u32, end_line: u32, end_column: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "out_of_range".into(),
            path: String::new(),
            message: "too much".into(),
            file: "bench.toml".into(),
            span: Span { line, column, end_line, end_column },
            suggestion: None,
        }
    }

    fn plain(finding: &Diagnostic, text: &str) -> String {
        render(finding, &mut Sources::of("bench.toml", text), Look::PLAIN)
    }

    /// The line of the text and the line of marks below it, without the margin.
    fn marked(finding: &Diagnostic, text: &str) -> [String; 2] {
        let shown = plain(finding, text);
        let lines: Vec<_> = shown.lines().filter_map(|line| line.split_once('|')).collect();
        assert_eq!(lines.len(), 3, "{shown}");
        [lines[1].1.to_owned(), lines[2].1.to_owned()]
    }

    #[test]
    fn a_finding_in_full() {
        let mut finding = finding(2, 5, 2, 9);
        finding.path = "a.ü".into();
        finding.suggestion = Some("5.20".into());
        assert_eq!(
            plain(&finding, "x = 1\nü = 52.0\n"),
            "\
error[out_of_range]: too much
 --> bench.toml:2:5
  |
2 | ü = 52.0
  |     ^^^^ a.ü
  |
  = help: did you mean “5.20”?"
        );
    }

    #[test]
    fn a_place_is_shown_below_a_word_of_its_own() {
        let span = Span { line: 2, column: 5, end_line: 2, end_column: 9 };
        let mut sources = Sources::of("bench.toml", "x = 1\nü = 52.0\n");
        assert_eq!(
            place(("from", "file"), ("bench.toml", span), &mut sources, Look::PLAIN),
            "from: file\n --> bench.toml:2:5\n  |\n2 | ü = 52.0\n  |     ^^^^"
        );
    }

    #[test]
    fn a_secret_in_plain_text_is_not_shown_again() {
        let mut finding = finding(1, 5, 1, 14);
        (finding.code, finding.path) = ("plain_secret".into(), "t".into());
        let shown = plain(&finding, "t = \"hunter2\"\n");
        assert!(shown.contains("bench.toml:1:5") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn marks_stand_under_what_they_mean() {
        for (text, place, line, marks) in [
            ("温度 = 52.0", (1, 6, 1, 10), " 温度 = 52.0", "        ^^^^"),
            ("\tx = 1", (1, 2, 1, 3), "     x = 1", "     ^"),
            ("a = 1\r\n", (1, 5, 1, 6), " a = 1", "     ^"),
            ("\u{feff}a = 1", (1, 1, 1, 2), " a = 1", " ^"),
            ("a =", (1, 4, 1, 4), " a =", "    ^"),
            ("a\u{202e}b = 1", (1, 1, 1, 4), " a\\u{202e}b = 1", " ^^^^^^^^^^"),
            ("a = \"\u{1b}[2J\" x", (1, 12, 1, 13), " a = \"\\u{1b}[2J\" x", "                 ^"),
        ] {
            let (line_, column, end_line, end_column) = place;
            let found = marked(&finding(line_, column, end_line, end_column), text);
            assert_eq!(found, [line, marks], "{text:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_finding() {
        let text = format!("a = \"{}\" bad \"{}\"", "x".repeat(500_000), "y".repeat(500_000));
        let shown = plain(&finding(1, 500_008, 1, 500_011), &text);
        assert!(shown.contains("xxx\" bad \"yyy"), "{shown}");
        assert!(shown.contains("1:500008"), "{shown}");
        assert!(shown.len() < 1000, "{}", shown.len());
        let shown = plain(&finding(1, 5, 1, 500_000), &text);
        assert!(shown.len() < 1000 && shown.contains("^^^"), "{shown}");
    }

    #[test]
    fn findings_on_one_long_line_take_one_walk() {
        let text = "k = 1, ".repeat(1 << 20);
        let findings: Vec<_> =
            (0..10_000).map(|n| finding(1, n * 700 + 1, 1, n * 700 + 2)).collect();
        let begun = std::time::Instant::now();
        let mut sources = Sources::of("bench.toml", &text);
        let blocks = report(&findings, &mut sources, Look::PLAIN, true);
        assert_eq!(blocks.len(), 10_000);
        // From the start each time it would be half a minute and more.
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_span_over_lines_is_shown_whole_or_by_its_first_line() {
        let text = "a = [\n  1,\n  2,\n]\nb = 1\n";
        let shown = plain(&finding(1, 5, 4, 2), text);
        assert!(shown.contains("1 |   a = [") && shown.contains("4 | | ]"), "{shown}");
        let long = format!("a = [\n{}]\n", "1,\n".repeat(500));
        let shown = plain(&finding(1, 5, 502, 2), &long);
        assert!(shown.ends_with("1 | a = [\n  |     ^"), "{shown}");
    }

    #[test]
    fn each_file_has_its_own_text() {
        let mut sources = Sources::of("bench.toml", "a = 1\n");
        sources.add("layer.toml", "b = 2\n");
        let mut finding = finding(1, 5, 1, 6);
        for (file, line) in [("bench.toml", "a = 1"), ("layer.toml", "b = 2")] {
            finding.file = file.into();
            let shown = render(&finding, &mut sources, Look::PLAIN);
            assert!(shown.contains(&format!("--> {file}:1:5")) && shown.contains(line), "{shown}");
        }
        finding.file = "gone.toml".into();
        let shown = render(&finding, &mut sources, Look::PLAIN);
        assert!(shown.ends_with("--> gone.toml:1:5"), "{shown}");
    }

    #[test]
    fn places_outside_the_text_do_not_panic() {
        let far = u32::MAX;
        for (line, column, end_line, end_column) in [
            (0, 0, 0, 0),
            (9, 1, 9, 2),
            (1, 99, 1, 120),
            (1, 3, 2, 1),
            (1, 5, 1, 2),
            (2, 1, 1, 1),
            (1, 1, far, far),
            (far, far, far, far),
            (2, 1, 2, 1),
            (1, 9, 3, 9),
        ] {
            for text in ["x = 1", "x = 1\n", "", "\n", "ü\r\n\r\n", "\u{feff}"] {
                for look in [Look::PLAIN, Look { colours: true, width: 40, breaks: true }] {
                    let finding = finding(line, column, end_line, end_column);
                    let shown = render(&finding, &mut Sources::of("bench.toml", text), look);
                    assert!(shown.contains("too much"));
                }
            }
        }
    }

    #[test]
    fn names_and_messages_cannot_steer_the_terminal() {
        let hostile = "\u{1b}]0;title\u{7}\u{202e}\n\u{9b}2J";
        let finding = Diagnostic {
            code: hostile.into(),
            path: hostile.into(),
            message: hostile.into(),
            file: hostile.into(),
            suggestion: Some(hostile.into()),
            ..finding(1, 1, 1, 2)
        };
        let shown = render(&finding, &mut Sources::of(hostile, hostile), Look::PLAIN);
        assert!(
            shown.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'),
            "{shown:?}"
        );
    }

    #[test]
    fn of_many_the_errors_come_first_and_the_rest_is_counted() {
        let mut findings: Vec<_> = (1..=150).map(|line| finding(line, 1, line, 2)).collect();
        for warning in &mut findings[..100] {
            warning.severity = Severity::Warning;
            warning.code = "hazard".into();
        }
        let text = "x\n".repeat(150);
        let mut sources = Sources::of("bench.toml", &text);
        let blocks = report(&findings, &mut sources, Look::PLAIN, false);
        assert_eq!(blocks.len(), SHOWN + 1);
        assert_eq!(blocks.iter().filter(|it| it.starts_with("error")).count(), 50);
        assert_eq!(blocks[SHOWN], "50 more findings are not shown:\n     50 warning hazard");
        assert_eq!(report(&findings, &mut sources, Look::PLAIN, true).len(), 150);
    }
}

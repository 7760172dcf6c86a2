//! A finding with the line it is about, as compilers show it.

use std::fmt::Write as _;

use setpoint_bench::{Diagnostic, Severity};

const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const BLUE: &str = "\u{1b}[1;34m";

/// The finding over several lines, without a line end after the last. `text` is the file it is
/// about; a place that is not in it leaves the excerpt out.
pub fn render(finding: &Diagnostic, text: &str, colours: bool) -> String {
    let (word, tone) = match finding.severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
        Severity::Info => ("info", BLUE),
    };
    let paint = |code: &str, text: &str| {
        if colours { format!("{code}{text}{RESET}") } else { text.to_owned() }
    };
    let span = finding.span;
    let head = paint(tone, &format!("{word}[{}]", finding.code));
    let mut out = format!("{head}{}", paint(BOLD, &format!(": {}", finding.message)));
    let number = span.line.to_string();
    let margin = " ".repeat(number.len() + 1);
    let _ = write!(
        out,
        "\n{margin}{} {}:{}:{}",
        paint(BLUE, "-->"),
        finding.file,
        span.line,
        span.column
    );
    let hint = finding.suggestion.as_ref().map(|hint| format!("did you mean “{hint}”?"));
    let line = (span.line as usize).checked_sub(1).and_then(|index| text.lines().nth(index));
    let Some(line) = line else {
        if let Some(hint) = hint {
            let _ = write!(out, "\n{margin}{} {hint}", paint(BLUE, "="));
        }
        return out;
    };
    let bar = paint(BLUE, "|");
    let shown = line.replace('\t', " ");
    let _ = write!(out, "\n {} {bar} {shown}", paint(BLUE, &number));
    let length = line.chars().count() as u32;
    let start = span.column.clamp(1, length + 1);
    let end = if span.end_line > span.line { length + 1 } else { span.end_column };
    let carets = "^".repeat(end.min(length + 1).saturating_sub(start).max(1) as usize);
    let indent = " ".repeat(start as usize - 1);
    let _ = write!(out, "\n{margin} {bar} {indent}{}", paint(tone, &carets));
    if let Some(hint) = hint {
        let _ = write!(out, " {}", paint(tone, &hint));
    }
    out
}

/// `2 errors, 1 warning`; empty where there is nothing to count.
pub fn summary(findings: &[Diagnostic]) -> String {
    let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
    [(Severity::Error, "error"), (Severity::Warning, "warning")]
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
    use setpoint_bench::Span;

    use super::*;

    fn finding(line: u32, column: u32, end_line: u32, end_column: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "out_of_range".into(),
            path: "a.b".into(),
            message: "too much".into(),
            file: "bench.toml".into(),
            span: Span { line, column, end_line, end_column },
            suggestion: None,
        }
    }

    #[test]
    fn carets_stand_under_the_span_counted_in_characters() {
        let text = render(&finding(2, 5, 2, 9), "x = 1\nü = 52.0\n", false);
        let expected =
            "error[out_of_range]: too much\n  --> bench.toml:2:5\n 2 | ü = 52.0\n   |     ^^^^";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_suggestion_follows_the_carets() {
        let mut finding = finding(1, 1, 1, 2);
        finding.suggestion = Some("y".into());
        assert!(render(&finding, "x = 1", false).ends_with("^ did you mean “y”?"));
    }

    #[test]
    fn places_outside_the_text_do_not_panic() {
        for (line, column, end_line, end_column) in
            [(0, 0, 0, 0), (9, 1, 9, 2), (1, 99, 1, 120), (1, 3, 2, 1), (1, 5, 1, 2)]
        {
            assert!(
                render(&finding(line, column, end_line, end_column), "x = 1", true)
                    .contains("too much")
            );
        }
    }
}

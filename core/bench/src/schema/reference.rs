//! The table of keys as a page of the user guide.

use std::fmt::Write as _;

use super::{
    Key, Kind, LATER_SOURCE_TYPES, Merge, Node, PRODUCTION, Preset, root,
    takes::{FEW, grouped},
};
use crate::{check, diff::Effect, document, expression, layers, migrate};

/// The page `docs/guide/reference.md`, in Markdown.
pub fn page() -> String {
    let mut page = Page(String::new());
    page.head();
    let (tables, keys): (Vec<_>, Vec<_>) =
        root().children().partition(|(_, node)| node.children().next().is_some() || named(node));
    page.paragraph("## Top of the file");
    page.rows(keys.into_iter().filter_map(|(name, node)| Some((name.to_owned(), node.key?))));
    for (name, node) in tables {
        page.section(name, node);
    }
    page.limits();
    page.0
}

fn named(node: &Node) -> bool {
    matches!(node.kind(), Kind::Named(_))
}

struct Page(String);

impl Page {
    fn paragraph(&mut self, text: &str) {
        self.line(text);
        self.line("");
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn head(&mut self) {
        self.paragraph("# Bench file reference");
        self.paragraph(
            "<!-- Made from the table of keys in core/bench/src/schema/table:\n     \
             UPDATE_EXPECT=1 cargo test -p setpoint-bench writes it again. -->",
        );
        self.paragraph(
            "Every key that a bench file may have. [The bench file](bench-file.md) says how they \
             work\ntogether. `setpoint schema` gives the same facts to an editor, which then \
             completes keys and\nmarks mistakes while you type.",
        );
        self.paragraph("## How to read the tables");
        self.paragraph(
            "**Default** is what holds where the key is not in the file; *required* means that \
             the file is\nwrong without it. `<id>` is a name of your choice: a letter, then \
             letters, digits, `_` or `-`.\nA duration is text with a unit, `us`, `ms`, `s`, \
             `min`, `h` or `d`: `\"250ms\"`, `\"1.5s\"`.",
        );
        self.paragraph("**Changing it** says what a change of the key does to what is running:");
        for (effect, word) in EFFECTS {
            self.line(&format!("- *{word}*: {}", effect.words()));
        }
        self.line("");
        self.paragraph(
            "**Layers** says what becomes of a value where several files, or the environment, \
             have the key:",
        );
        for (merge, words) in [
            (Merge::Replace, "the value of the later layer holds"),
            (Merge::Deep, "the keys of both hold, each by its own rule"),
            (
                Merge::Append,
                "the list of the later layer holds; its items follow those of the\n  list \
                 below where the file of that layer names the key under `append`",
            ),
        ] {
            self.line(&format!("- *{}*: {words}", merge.words()));
        }
        self.line("");
        self.paragraph("**Since** is the number of the file's format that first had the key.");
    }

    /// A table of the file, and the tables below it.
    fn section(&mut self, name: &str, node: &Node) {
        let mut header = name.to_owned();
        let mut abouts = vec![node];
        let mut node = node;
        if named(node)
            && let Some(one) = node.child("*")
        {
            let id = if one.kind() == Kind::Template { "name" } else { "id" };
            header = format!("{name}.<{id}>");
            abouts.push(one);
            node = one;
        }
        self.paragraph(&format!("## `[{header}]`"));
        let about = abouts.iter().filter_map(|node| Some(node.key?.about));
        self.paragraph(&about.collect::<Vec<_>>().join(" "));
        for why in abouts.iter().filter_map(|node| node.key?.idle) {
            self.paragraph(&format!("**Known and checked, not acted on:** {why}."));
        }
        let mut rows = Vec::new();
        collect("", node, &mut rows);
        if !rows.is_empty() {
            self.rows(rows.iter().map(|(name, key)| (name.clone(), *key)));
        }
        for (name, key) in &rows {
            if let Kind::Choice(words) = key.kind
                && words.len() > FEW
            {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                self.paragraph(&format!("`{name}` is one of {}.", words.join(", ")));
            }
        }
    }

    fn rows(&mut self, rows: impl Iterator<Item = (String, &'static Key)>) {
        self.line("| key | takes | default | what it is | changing it | layers | since |");
        self.line("|---|---|---|---|---|---|---|");
        for (name, key) in rows {
            let cells = [
                format!("`{name}`"),
                takes(key),
                preset(key),
                about(key),
                effect(key).to_owned(),
                key.merge.words().to_owned(),
                key.since.to_string(),
            ];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }

    fn limits(&mut self) {
        self.paragraph("## Limits of a file");
        self.line("| what | at most |");
        self.line("|---|---|");
        let mib = |bytes: usize| format!("{} MiB of UTF-8", bytes >> 20);
        let number = |number: usize| i64::try_from(number).map_or_else(|_| String::new(), grouped);
        let levels = |levels: usize| format!("{levels} levels");
        let bytes = |bytes: usize| format!("{bytes} bytes");
        for (what, most) in [
            ("length of the text", mib(document::LONGEST)),
            ("length of one name in a key", bytes(document::LONGEST_KEY)),
            ("keys and brackets inside each other", levels(document::DEEPEST)),
            ("parentheses and `not` in an expression", levels(expression::DEEPEST)),
            ("mistakes of syntax that one check lists", number(document::MOST_ERRORS)),
            ("findings that one check lists; the rest is counted", number(check::MOST)),
            ("files that a bench is made of", number(layers::MOST_FILES)),
            ("files that include each other in a row", number(layers::MOST_INCLUDING)),
            ("templates behind each other", number(layers::MOST_TEMPLATES)),
            ("all files of a bench together", mib(layers::MOST_BYTES)),
            ("what variables and placeholders put into one component", mib(document::LONGEST)),
            ("the bench with all of it put in", mib(layers::MOST_BYTES)),
            ("keys and list items of a file to migrate", number(migrate::MOST_NODES)),
        ] {
            let _ = writeln!(self.0, "| {what} | {most} |");
        }
        self.line("");
        self.line(
            "What is more than that is refused, or left out, with a finding that says so. No file \
             is cut short\nin silence.",
        );
    }
}

const EFFECTS: [(Effect, &str); 5] = [
    (Effect::None, "nothing"),
    (Effect::Live, "live"),
    (Effect::Renegotiate, "renegotiate"),
    (Effect::Restart, "restart"),
    (Effect::Connect, "connect"),
];

/// The keys below a table, those of tables within it after the table itself.
fn collect(before: &str, node: &Node, rows: &mut Vec<(String, &'static Key)>) {
    let any = node.child("*").map(|child| ("<role>", child));
    for (name, child) in node.children().chain(any.filter(|_| !named(node))) {
        let name = format!("{before}{name}");
        if let Some(key) = child.key {
            rows.push((name.clone(), key));
        }
        collect(&format!("{name}."), child, rows);
    }
}

fn takes(key: &Key) -> String {
    let takes = key.kind.takes();
    key.unit.map_or(takes.clone(), |unit| format!("{takes} ({unit})"))
}

fn preset(key: &Key) -> String {
    match key.preset {
        Preset::Required => "*required*".to_owned(),
        Preset::ByEnvironment { production, elsewhere } => {
            format!("`\"{elsewhere}\"`; in {PRODUCTION} `\"{production}\"`")
        }
        _ => key.preset.value().map_or_else(String::new, |value| format!("`{value}`")),
    }
}

fn about(key: &Key) -> String {
    let mut about = key.about.to_owned();
    if !key.only.is_empty() {
        let types: Vec<String> = key.only.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = write!(about, " Only of type {}.", types.join(", "));
    }
    if key.secret {
        about.push_str(" **Secret.**");
    }
    if key.kind == Kind::SourceType {
        let later: Vec<String> =
            LATER_SOURCE_TYPES.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = write!(about, " Known and refused by this version: {}.", later.join(", "));
    }
    if let Some(why) = key.idle {
        let _ = write!(about, " **Not acted on:** {why}.");
    }
    about
}

fn effect(key: &Key) -> &'static str {
    let found = EFFECTS.iter().find(|(effect, _)| *effect == key.effect);
    found.map_or("", |(_, word)| *word)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "that is how a test fails")]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::schema::KEYS;

    #[test]
    fn the_page_of_the_guide_is_this_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/reference.md");
        let page = page();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &page).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == page,
            "{} is not what the table of keys says; UPDATE_EXPECT=1 writes it again",
            file.display()
        );
    }

    #[test]
    fn every_key_has_a_row_or_a_section() {
        let page = page();
        for key in KEYS {
            assert!(page.contains(key.about), "{}", key.path);
        }
        for effect in KEYS.iter().map(|key| key.effect) {
            assert!(EFFECTS.iter().any(|(known, _)| *known == effect));
        }
    }

    #[test]
    fn descriptions_are_sentences() {
        for key in KEYS {
            let first = key.about.chars().next().unwrap();
            assert!(first.is_uppercase() || first == '`', "{}", key.path);
            assert!(key.about.ends_with('.') && !key.about.contains("  "), "{}", key.path);
            assert_eq!(key.about.matches('`').count() % 2, 0, "{}", key.path);
        }
    }
}

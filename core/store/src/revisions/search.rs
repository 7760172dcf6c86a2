//! Finding revisions by what they changed, who kept them, when and why; over what memory holds.

use jiff::Timestamp;
use serde_json::Value;
use setpoint_bench::KeyPath;

use super::RevisionRecord;

/// Of a revision that changed more keys than this, only the components are remembered.
const MOST_KEYS: usize = 200;

/// A value is remembered up to so many characters.
const VALUE_CHARACTERS: usize = 100;

/// Which revisions are wanted. What is left as it is by [`Default`] does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevisionQuery {
    /// Words that all have to be in message, label, id, author, changed keys or their values, in any
    /// order, capital letters or not. Values count up to 100 characters; of a revision that
    /// changed more than 200 keys, only the names of components count.
    pub text: String,
    /// Who, capital letters or not.
    pub author: Option<String>,
    /// An instrument of which something changed: `psu`, `instruments.psu`, or a key below it,
    /// `instruments.psu.set.ch1.voltage`.
    pub instrument: Option<String>,
    /// Through which door: `panel`, `file`, `api`, …
    pub origin: Option<String>,
    /// Kept at this time or later.
    pub from: Option<Timestamp>,
    /// Kept before this time.
    pub to: Option<Timestamp>,
    /// Only those with a label.
    pub labelled: bool,
    /// At most so many, the newest ones.
    pub limit: Option<usize>,
}

/// What is remembered of a revision's changes, in few bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changed {
    /// `\ninstruments.psu.set.ch1.voltage\n…\n`, as they are written.
    paths: Box<str>,
    /// The same with the values, in small letters.
    words: Box<str>,
}

impl Changed {
    /// From what an audit record has under `details`: its `changes`, each with `path`, `old` and
    /// `new`. Anything else is passed over.
    pub(super) fn of(details: Option<&Value>) -> Self {
        let list = details.and_then(|details| details.get("changes")).and_then(Value::as_array);
        let changes = list.map(Vec::as_slice).unwrap_or_default();
        let path = |change: &Value| change.get("path")?.as_str().map(str::to_owned);
        let mut paths: Vec<String> = changes.iter().filter_map(path).collect();
        let mut words = String::new();
        if paths.len() <= MOST_KEYS {
            for change in changes {
                for key in ["path", "old", "new"] {
                    if let Some(value) = change.get(key).filter(|value| !value.is_null()) {
                        words.extend(in_words(value).chars().take(VALUE_CHARACTERS));
                        words.push('\n');
                    }
                }
            }
        } else {
            paths = paths.iter().map(|path| component(path)).collect();
            paths.sort_unstable();
            paths.dedup();
            // A bench of thousands of instruments that all changed: every key below is concerned.
            if paths.len() > MOST_KEYS * 10 {
                paths = paths.iter().filter_map(|path| top(path)).collect();
                paths.dedup();
            }
            words = paths.join("\n");
        }
        let paths = match paths.as_slice() {
            [] => String::new(),
            some => format!("\n{}\n", some.join("\n")),
        };
        Self { paths: paths.into(), words: words.to_lowercase().into() }
    }

    /// Whether a key, something below it or something that it is a part of changed.
    fn concerns(&self, path: &str) -> bool {
        if self.paths.is_empty() {
            return false;
        }
        let parts = path.match_indices('.').map(|(end, _)| &path[..end]).chain([path]);
        self.paths.contains(&format!("\n{path}."))
            || parts.into_iter().any(|whole| self.paths.contains(&format!("\n{whole}\n")))
    }
}

/// A value as a person would type it.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `instruments.psu` of anything below it.
fn component(path: &str) -> String {
    let path: KeyPath = match path.parse() {
        Ok(path) => path,
        Err(_) => return path.to_owned(),
    };
    KeyPath::new(path.names().iter().take(2).cloned()).to_string()
}

/// `instruments` of anything in it.
fn top(path: &str) -> Option<String> {
    Some(path.parse::<KeyPath>().ok()?.names().first()?.clone())
}

/// A query made ready for comparing it with many revisions.
pub(super) struct Search<'q> {
    query: &'q RevisionQuery,
    words: Vec<String>,
    author: Option<String>,
    instrument: Option<String>,
}

impl<'q> Search<'q> {
    pub(super) fn new(query: &'q RevisionQuery) -> Self {
        let words = query.text.split_whitespace().map(str::to_lowercase).collect();
        let author = query.author.as_deref().map(str::to_lowercase);
        Self {
            query,
            words,
            author,
            instrument: query.instrument.as_deref().map(below_instruments),
        }
    }

    pub(super) fn wants(&self, kept: &RevisionRecord, changed: &Changed) -> bool {
        let RevisionQuery { origin, from, to, labelled, .. } = self.query;
        from.is_none_or(|from| kept.at >= from)
            && to.is_none_or(|to| kept.at < to)
            && (!labelled || kept.label.is_some())
            && origin.as_ref().is_none_or(|origin| *origin == kept.origin)
            && self.author.as_ref().is_none_or(|author| kept.author.to_lowercase() == *author)
            && self.instrument.as_ref().is_none_or(|path| changed.concerns(path))
            && self.has_words(kept, changed)
    }

    fn has_words(&self, kept: &RevisionRecord, changed: &Changed) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let label = kept.label.as_deref().unwrap_or_default();
        let said = [&kept.id, &kept.author, kept.message.as_str(), label].join("\n").to_lowercase();
        self.words.iter().all(|word| said.contains(word) || changed.words.contains(word))
    }
}

/// The path of an instrument that was named with it or without.
fn below_instruments(name: &str) -> String {
    const ALL: &str = "instruments";
    match name.trim().parse::<KeyPath>() {
        Ok(path) if path.names().first().is_some_and(|first| first == ALL) => path.to_string(),
        Ok(path) => {
            let names = std::iter::once(ALL).chain(path.names().iter().map(String::as_str));
            KeyPath::new(names).to_string()
        }
        Err(_) => KeyPath::new([ALL, name]).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(paths: &[&str]) -> Changed {
        let list: Vec<_> = paths.iter().map(|path| json!({"path": path, "old": 1})).collect();
        Changed::of(Some(&json!({ "changes": list })))
    }

    #[test]
    fn a_path_finds_what_is_below_and_above_it() {
        let one = changed(&["instruments.psu.set.ch1.voltage"]);
        for (name, found) in [
            ("psu", true),
            ("instruments.psu", true),
            ("instruments", true),
            ("psu.set.ch1.voltage", true),
            ("psu.set.ch1.voltage.deep", true),
            ("psu.set.ch1.volt", false),
            ("ps", false),
            ("psu2", false),
        ] {
            assert_eq!(one.concerns(&below_instruments(name)), found, "{name}");
        }
        assert!(changed(&["instruments.psu"]).concerns("instruments.psu.set"));
        assert!(!changed(&[]).concerns("instruments"));
        let odd = changed(&["instruments.\"a b\".set.x"]);
        assert!(
            odd.concerns(&below_instruments("a b")) && odd.concerns(&below_instruments("\"a b\""))
        );
    }

    #[test]
    fn of_many_changes_the_components_stay() {
        let many: Vec<String> = (0..MOST_KEYS + 1)
            .map(|n| format!("instruments.dev{}.set.ch{n}.voltage", n % 3))
            .collect();
        let many = changed(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(many.paths.len() < 100, "{}", many.paths);
        assert!(many.concerns("instruments.dev2.set.ch5") && !many.concerns("instruments.dev4"));
        let all: Vec<String> = (0..3000).map(|n| format!("instruments.d{n}.set.x")).collect();
        let all = changed(&all.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(&*all.paths, "\ninstruments\n");
        assert!(all.concerns("instruments.d2999"));
    }
}

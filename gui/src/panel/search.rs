//! The words of a search: plain ones, and `author:ada`, `since:2h`, `path:instruments.psu`.

use jiff::{Timestamp, tz::TimeZone};
use setpoint_runtime::{EventFilter, Order, RevisionQuery};

use crate::times;

/// What can be said of revisions, for people.
pub const REVISIONS: &str = "Words of message, name, changed keys and values; and instrument:psu, \
                             author:ada, origin:api, since:2h, until:2026-11-21";
/// What can be said of events, for people.
pub const EVENTS: &str = "Words of the message; and path:instruments.psu, kind:commit_applied, origin:api, since:2h, \
     until:2026-11-21";

/// The most events that one search takes from the history, the newest ones.
pub const MOST_EVENTS: usize = 5_000;

/// A search for revisions.
///
/// # Errors
/// What is wrong with a word, in a sentence.
pub fn revisions(typed: &str, now: Timestamp, zone: &TimeZone) -> Result<RevisionQuery, String> {
    let mut query = RevisionQuery::default();
    for word in words(typed) {
        match word.key() {
            Some(("instrument", value)) => query.instrument = Some(value.to_owned()),
            Some(("author", value)) => query.author = Some(value.to_owned()),
            Some(("origin", value)) => query.origin = Some(value.to_lowercase()),
            Some(("since", value)) => query.from = Some(time(value, now, zone)?),
            Some(("until", value)) => query.to = Some(time(value, now, zone)?),
            _ => {
                if !query.text.is_empty() {
                    query.text.push(' ');
                }
                query.text.push_str(&word.text);
            }
        }
    }
    Ok(query)
}

/// A search for events: what the history is asked, and the words that the message or another
/// part of what is found has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSearch {
    /// Path, kind, origin and times.
    pub filter: EventFilter,
    /// In small letters; all of them.
    pub words: Vec<String>,
}

impl EventSearch {
    /// Whether it wants anything but everything.
    pub fn is_empty(&self) -> bool {
        let EventFilter { from, until, path, kind, origin, .. } = &self.filter;
        self.words.is_empty()
            && (from.is_none() && until.is_none())
            && (path.is_none() && kind.is_none() && origin.is_none())
    }
}

/// A search for events.
///
/// # Errors
/// What is wrong with a word, in a sentence.
pub fn events(typed: &str, now: Timestamp, zone: &TimeZone) -> Result<EventSearch, String> {
    let mut filter =
        EventFilter { limit: MOST_EVENTS, order: Order::NewestFirst, ..EventFilter::default() };
    let mut plain = Vec::new();
    for word in words(typed) {
        match word.key() {
            Some(("path", value)) => filter.path = Some(value.trim_end_matches('.').to_owned()),
            Some(("kind", value)) => filter.kind = Some(value.to_lowercase()),
            Some(("origin", value)) => filter.origin = Some(value.to_lowercase()),
            Some(("since", value)) => filter.from = Some(time(value, now, zone)?),
            Some(("until", value)) => filter.until = Some(time(value, now, zone)?),
            _ => plain.push(word.text.to_lowercase()),
        }
    }
    Ok(EventSearch { filter, words: plain })
}

/// Whether a path is this key or lies below it: `instruments.psu` is not `instruments.psu2`.
pub fn is_below(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One word; what stands in quotes is one, blanks and all.
struct Word {
    text: String,
    /// Where the first colon outside quotes stands.
    colon: Option<usize>,
}

impl Word {
    /// `author:ada` as its two sides, where both hold something.
    fn key(&self) -> Option<(&str, &str)> {
        let at = self.colon?;
        let (key, value) = (self.text.get(..at)?, self.text.get(at + 1..)?);
        (!key.is_empty() && !value.is_empty()).then_some((key, value))
    }
}

fn words(typed: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let (mut word, mut quoted) = (Word { text: String::new(), colon: None }, false);
    for sign in typed.chars() {
        match sign {
            '"' => quoted = !quoted,
            blank if blank.is_whitespace() && !quoted => {
                all.push(std::mem::replace(&mut word, Word { text: String::new(), colon: None }));
            }
            ':' if !quoted && word.colon.is_none() => {
                word.colon = Some(word.text.len());
                word.text.push(':');
            }
            other => word.text.push(other),
        }
    }
    all.push(word);
    all.retain(|word| !word.text.is_empty());
    all
}

/// A point in time as people write it: an age such as `2h`, a day, or a day with a time.
fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    times::read(text, now, zone).ok_or_else(|| {
        format!("“{text}” is no time: write an age such as 2h, or 2026-11-21, or 2026-11-21T10:42")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:42:07Z".parse().unwrap()
    }

    #[test]
    fn words_with_a_key_ask_for_what_they_name() {
        let typed = "voltage instrument:psu author:\"Ada L\" since:2h until:2026-11-21T10:00 3.45";
        let query = revisions(typed, now(), &TimeZone::UTC).unwrap();
        let expected = RevisionQuery {
            text: "voltage 3.45".to_owned(),
            author: Some("Ada L".to_owned()),
            instrument: Some("psu".to_owned()),
            from: Some("2026-11-21T08:42:07Z".parse().unwrap()),
            to: Some("2026-11-21T10:00:00Z".parse().unwrap()),
            ..RevisionQuery::default()
        };
        assert_eq!(query, expected);
        // A key that means nothing, or that nothing follows yet, is a word like any other.
        let query = revisions("tcp://x author: ", now(), &TimeZone::UTC).unwrap();
        assert_eq!((query.text.as_str(), query.author), ("tcp://x author:", None));
    }

    #[test]
    fn a_time_that_is_none_is_told() {
        let wrong = revisions("since:noon", now(), &TimeZone::UTC).unwrap_err();
        assert!(wrong.starts_with("“noon” is no time"), "{wrong}");
        assert!(events("until:-2h", now(), &TimeZone::UTC).is_err());
    }

    #[test]
    fn events_are_asked_for_by_what_the_history_knows() {
        let search = events("path:instruments. Lost kind:x", now(), &TimeZone::UTC).unwrap();
        assert_eq!(search.filter.path.as_deref(), Some("instruments"));
        assert_eq!(search.filter.kind.as_deref(), Some("x"));
        assert_eq!(search.words, ["lost"]);
        assert!(!search.is_empty());
        assert!(events("  ", now(), &TimeZone::UTC).unwrap().is_empty());
    }

    #[test]
    fn half_a_key_is_not_a_key() {
        assert!(is_below("instruments.psu", "instruments.psu"));
        assert!(is_below("instruments.psu.set", "instruments.psu"));
        assert!(!is_below("instruments.psu2", "instruments.psu"));
        assert!(!is_below("instruments", "instruments.psu"));
    }
}

//! Texts that may be half of what someone means to save: they are asked about, never applied by
//! themselves.
//!
//! Torn TOML is often valid TOML (three in ten beginnings of a bench file parse), and a cut at the
//! border of a table silently drops instruments.

use std::collections::BTreeMap;

use setpoint_bench::{Bench, layers::bundle};

use crate::status::Question;

/// One of so many components may go without asking.
const SHARE: usize = 5;

/// How a text got into its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saved {
    /// A whole file got the name: it is what its writer meant, were it not empty or cut off.
    pub(crate) renamed: bool,
}

/// What happened to a file that is part of what runs and of which nothing was read, or that no
/// text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is there, and empty.
    Empty,
    /// It is not there.
    Gone,
    /// It is the beginning of what it held, as many lines long.
    BrokenOff(usize),
}

/// Values of the bench: the one file that no text of a bench has, for its secrets.
pub(crate) const DOT_ENV: &str = ".env";

/// What became of `.env`, if it is not whole any more.
pub(crate) fn dot_env(then: Option<&str>, now: Option<&str>) -> Option<Missing> {
    let then = then.filter(|then| !then.trim().is_empty())?;
    now.map_or(Some(Missing::Gone), |now| beginning(then, now))
}

/// What is missing where a text is the beginning of what it was.
pub(crate) fn beginning(then: &str, now: &str) -> Option<Missing> {
    let rest = then.strip_prefix(now).unwrap_or_default();
    // Blank lines at the end say nothing.
    if rest.trim().is_empty() {
        None
    } else if now.trim().is_empty() {
        Some(Missing::Empty)
    } else {
        Some(Missing::BrokenOff(now.lines().count()))
    }
}

impl Missing {
    /// In words, of a file.
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Self::Empty => format!("{name} is empty"),
            Self::Gone => format!("{name} is gone"),
            Self::BrokenOff(line) => format!("{name} breaks off in line {line} of what it held"),
        }
    }
}

/// Names of files that the running text has and another has not, or has empty.
pub(crate) fn missing(running: &str, text: &str) -> Vec<String> {
    let now: Vec<String> = bundle::unpack(text).1.into_iter().map(|(name, _)| name).collect();
    let then = bundle::unpack(running).1.into_iter().map(|(name, _)| name);
    then.filter(|name| !now.contains(name)).collect()
}

/// Whether the bench file is empty. That does not check, and is asked about all the same: whoever
/// emptied it should hear what that would remove.
pub(crate) fn is_empty(text: &str) -> bool {
    bundle::unpack(text).0.trim().is_empty()
}

/// Whether a text has to be asked about before it may take the place of what runs. Texts are of
/// all files; `file` is the bench file's name, `missing` what became of [`missing`] files. A text
/// that means no bench lacks everything.
pub(crate) fn question(
    file: &str,
    running: (&str, &Bench),
    found: (&str, Option<&Bench>),
    missing: &[(String, Missing)],
    saved: Saved,
) -> Option<Question> {
    let cause = torn(file, running.0, found.0, missing);
    let instruments = lost(running.1.instruments.keys(), |id| {
        found.1.is_some_and(|bench| bench.instruments.contains_key(id))
    });
    let sources = lost(running.1.sources.keys(), |id| {
        found.1.is_some_and(|bench| bench.sources.contains_key(id))
    });
    let many = |lost: &[&String], of: usize| lost.len() * SHARE > of;
    let one = saved.renamed && instruments.len() + sources.len() == 1;
    let many =
        many(&instruments, running.1.instruments.len()) || many(&sources, running.1.sources.len());
    if cause.is_none() && (one || !many) {
        return None;
    }
    let removed = [("instruments", &instruments), ("sources", &sources)];
    let removed = removed
        .iter()
        .flat_map(|(table, ids)| ids.iter().map(move |id| format!("{table}.{id}")))
        .collect();
    let counts = [
        (instruments.len(), running.1.instruments.len(), "instruments"),
        (sources.len(), running.1.sources.len(), "sources"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(lost, ..)| *lost > 0)
        .map(|(lost, of, what)| format!("{lost} of {of} {what}"))
        .collect();
    let message = match (counts.join(" and "), cause) {
        (counts, Some(cause)) if counts.is_empty() => cause,
        (counts, Some(cause)) => format!("{counts} would be removed: {cause}"),
        (counts, None) => format!("{counts} would be removed"),
    };
    Some(Question { message, removed })
}

fn lost<'a>(
    running: impl Iterator<Item = &'a String>,
    there: impl Fn(&str) -> bool,
) -> Vec<&'a String> {
    running.filter(|id| !there(id)).collect()
}

/// What looks torn about a text, in words.
fn torn(file: &str, running: &str, found: &str, missing: &[(String, Missing)]) -> Option<String> {
    let (main_then, others_then) = bundle::unpack(running);
    let (main_now, others_now) = bundle::unpack(found);
    for (name, what) in missing {
        // With another bench file, one that it named may be meant not to be there.
        if *what != Missing::Gone || name == DOT_ENV || main_then == main_now {
            return Some(what.of(name));
        }
    }
    let others_now: BTreeMap<&str, &str> =
        others_now.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let others = others_then.iter().filter_map(|(name, then)| {
        others_now.get(name.as_str()).map(|now| (name.as_str(), then.as_str(), *now))
    });
    let mut all = std::iter::once((file, main_then, main_now)).chain(others);
    all.find_map(|(name, then, now)| Some(beginning(then, now)?.of(name)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalogue::Drivers;

    const BARE: Saved = Saved { renamed: false };
    const RENAMED: Saved = Saved { renamed: true };

    fn instrument(id: usize) -> String {
        format!(
            "[instruments.i{id}]\ntype = \"rigol_dp832\"\naddress = \"tcp://192.0.2.{id}:5555\"\n\n"
        )
    }

    fn text(count: usize) -> String {
        let list: String = (1..=count).map(instrument).collect();
        format!("[bench]\nname = \"Table\"\n\n{list}# the end\n")
    }

    fn ask(before: &str, now: &str, saved: Saved) -> Option<Question> {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let bench = |text: &str| setpoint_bench::read("bench.toml", text, &drivers).bench;
        let (before, now) = ((before, &bench(before).unwrap()), (now, &bench(now)));
        question("bench.toml", before, (now.0, now.1.as_ref()), &[], saved)
    }

    #[test]
    fn more_than_a_fifth_is_asked_about() {
        let before = text(10);
        let without = |ids: &[usize]| {
            ids.iter().fold(before.clone(), |text, id| text.replace(&instrument(*id), ""))
        };
        assert_eq!(ask(&before, &without(&[3, 4]), BARE), None);
        let asked = ask(&before, &without(&[3, 4, 5]), RENAMED).unwrap();
        assert_eq!(asked.message, "3 of 10 instruments would be removed");
        assert_eq!(asked.removed, ["instruments.i3", "instruments.i4", "instruments.i5"]);
    }

    #[test]
    fn one_of_few_may_go_if_its_file_was_renamed_into_place() {
        let before = text(2);
        let now = before.replace(&instrument(1), "");
        assert_eq!(ask(&before, &now, RENAMED), None);
        assert_eq!(ask(&before, &now, BARE).unwrap().removed, ["instruments.i1"]);
    }

    #[test]
    fn empty_and_cut_off_are_asked_about_however_they_were_saved() {
        let before = text(30);
        let asked = ask(&before, "", RENAMED).unwrap();
        assert_eq!(asked.message, "30 of 30 instruments would be removed: bench.toml is empty");
        // Nothing but a remark is missing.
        let now = before.trim_end_matches("# the end\n");
        let asked = ask(&before, now, RENAMED).unwrap();
        assert!(asked.message.starts_with("bench.toml breaks off in line "), "{}", asked.message);
        assert_eq!(asked.removed, [""; 0]);
        assert_eq!(ask(&before, before.trim_end(), BARE), None);
    }

    #[test]
    fn every_beginning_is_asked_about() {
        let before = text(3);
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        for cut in 0..before.len() - 1 {
            let now = &before[..cut];
            if setpoint_bench::read("bench.toml", now, &drivers).bench.is_some() {
                assert!(ask(&before, now, RENAMED).is_some(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn variables_that_are_not_whole_any_more_are_known() {
        let then = Some("A=1.5\nB=2.5\n");
        for (now, what) in [
            (None, Some(Missing::Gone)),
            (Some(""), Some(Missing::Empty)),
            (Some("\n"), None),
            (Some("A=1.5\n"), Some(Missing::BrokenOff(1))),
            (Some("A=1.5\nB=2"), Some(Missing::BrokenOff(2))),
            (Some("A=1.5\nB=2.5"), None),
            (Some("B=2.5\n"), None),
        ] {
            assert_eq!(dot_env(then, now), what, "{now:?}");
        }
        assert_eq!(dot_env(None, Some("A=1\n")), None);
        assert_eq!(dot_env(Some("\n"), None), None, "nothing was in it");
    }

    #[test]
    fn other_files_count_too() {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let bench = setpoint_bench::read("bench.toml", &text(0), &drivers).bench.unwrap();
        let pack = |main: &str, others: &[(&str, &str)]| bundle::pack(main, others.iter().copied());
        let before = pack("x = 1\n", &[("a.toml", "a = 1\nb = 2\n"), ("b.toml", "c = 1\n")]);
        let ask = |now: &str, missing: &[(String, Missing)]| {
            question("bench.toml", (&before, &bench), (now, Some(&bench)), missing, RENAMED)
                .map(|asked| asked.message)
        };
        let cut = pack("x = 1\n", &[("a.toml", "a = 1\n"), ("b.toml", "c = 1\n")]);
        assert_eq!(ask(&cut, &[]).as_deref(), Some("a.toml breaks off in line 1 of what it held"));
        let without = pack("x = 1\n", &[("a.toml", "a = 1\nb = 2\n")]);
        assert_eq!(missing(&before, &without), ["b.toml"]);
        let gone = [("b.toml".to_owned(), Missing::Gone)];
        assert_eq!(ask(&without, &gone).as_deref(), Some("b.toml is gone"));
        let meant = pack("x = 2\n", &[("a.toml", "a = 1\nb = 2\n")]);
        assert_eq!(ask(&meant, &gone), None);
        let empty = [("b.toml".to_owned(), Missing::Empty)];
        assert_eq!(ask(&meant, &empty).as_deref(), Some("b.toml is empty"));
    }
}

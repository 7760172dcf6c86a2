//! `setpoint history FILE`

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use setpoint_runtime::{CommandError, Offline, RevisionQuery};
use setpoint_store::{BenchFolder, StoreError};

use crate::cli::{
    BenchArg, Failure, Output,
    client::{Client, query, segment},
    input,
    out::note,
    printable::line as shown,
    revision,
    sources::Sources,
    time::{self, time},
};

/// The kept revisions of a bench, newest first, or all that is known of one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  setpoint history bench.toml\n  \
              setpoint history bench.toml --instrument psu --since 2026-11-20\n  \
              setpoint history bench.toml --text \"voltage 3.45\" --author ada --limit 5\n  \
              setpoint history bench.toml r42\n  \
              setpoint history bench.toml r42 --picture sample --output sample.png\n\n\
              Of one revision: who, why, what it changed with the effect of each change, what every\n\
              instrument had read back at that moment, and of which sources there is a picture.")]
pub struct History {
    #[command(flatten)]
    bench: BenchArg,
    /// One revision, such as r42, or a label: all that is known of it.
    #[arg(value_name = "REV", conflicts_with_all = [
        "text", "author", "instrument", "since", "until", "labelled", "limit",
    ])]
    revision: Option<String>,
    /// Writes the picture of this source from that moment, as PNG.
    #[arg(long, value_name = "SOURCE", requires = "revision", requires = "into")]
    picture: Option<String>,
    /// The file that the picture is written to.
    #[arg(id = "into", long = "output", value_name = "FILE", requires = "picture")]
    into: Option<PathBuf>,
    /// Words in message, label, changed keys or values; all of them.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Who.
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// An instrument of which something changed, such as psu, or a key of it.
    #[arg(long, value_name = "PATH")]
    instrument: Option<String>,
    /// From this time on: 2026-11-21, 2026-11-21T10:42, with Z for UTC, or an age such as 2h.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Only those with a label.
    #[arg(long)]
    labelled: bool,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    output: Output,
}

impl History {
    fn query(&self) -> RevisionQuery {
        RevisionQuery {
            text: self.text.clone().unwrap_or_default(),
            author: self.author.clone(),
            instrument: self.instrument.clone(),
            origin: None,
            from: self.since,
            to: self.until,
            labelled: self.labelled,
            limit: self.limit,
        }
    }

    /// `?author=ada&limit=5`; nothing if everything is wanted.
    fn parameters(&self) -> String {
        let RevisionQuery { text, author, instrument, from, to, labelled, limit, .. } =
            self.query();
        query([
            ("text", Some(text).filter(|text| !text.is_empty())),
            ("author", author),
            ("instrument", instrument),
            ("from", from.map(|at| at.to_string())),
            ("to", to.map(|at| at.to_string())),
            ("labelled", labelled.then(|| "true".to_owned())),
            ("limit", limit.map(|limit| limit.to_string())),
        ])
    }
}

pub fn run(command: &History) -> Result<(), Failure> {
    let (file, output) = (&command.bench.file, command.output);
    match (&command.revision, &command.picture, &command.into) {
        (Some(name), Some(source), Some(into)) => {
            return revision::write_picture(file, name, source, into, output);
        }
        (Some(name), _, _) => return revision::show(file, name, output),
        (None, _, _) => {}
    }
    let revisions = match Client::find(&command.bench.file)? {
        Some(client) => client.get(&format!("/v1/revisions{}", command.parameters()))?,
        None => kept(&command.bench.file, &command.query())?,
    };
    if command.output.is_json() {
        return command.output.json(&revisions);
    }
    let list = revisions.as_array().or_else(|| revisions.get("revisions")?.as_array());
    let list = list.map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        let none = "no revision is kept yet";
        let found = command.parameters().is_empty();
        command.output.line(if found { none } else { "no revision is like that" });
    }
    for revision in list {
        command.output.line(line(revision, &TimeZone::system()));
    }
    Ok(())
}

/// What the folder beside the file holds.
fn kept(bench: &Path, query: &RevisionQuery) -> Result<Value, Failure> {
    if !has_history(bench) {
        // No history is an answer; a bench that is not there is none.
        setpoint_store::atomic::read(bench).map_err(|e| Failure::unusable(e.to_string()))?;
        return Ok(json!([]));
    }
    let bench = offline(bench, None)?;
    for problem in bench.revisions().problems() {
        note(&format!("setpoint: {}", shown(problem)));
    }
    let found = bench.revisions().search(query);
    Ok(found
        .iter()
        .map(|one| {
            json!({
                "id": one.id,
                "hash": one.short_hash,
                "at": one.at,
                "author": one.author,
                "origin": one.origin,
                "message": one.message,
                "label": one.label,
            })
        })
        .collect())
}

/// Whether anything is kept about a bench.
pub fn has_history(bench: &Path) -> bool {
    BenchFolder::of(bench).versions().is_dir()
}

/// Refuses to look for revisions where there are none.
pub fn must_exist(bench: &Path) -> Result<(), Failure> {
    if has_history(bench) {
        return Ok(());
    }
    Err(Failure::usage(format!("{} has no history", bench.display())))
}

/// Opens what is kept about a bench that nobody runs; nobody can while it is open.
pub fn offline(bench: &Path, environment: Option<&str>) -> Result<Offline, Failure> {
    Offline::open(bench, environment.map(str::to_owned), input::rules()?).map_err(failed)
}

/// Prints what became of a revision that was kept or named: the words before its name, and those
/// where it has none.
pub fn tell_kept(
    answer: &Value,
    output: Output,
    named: &str,
    nameless: &str,
) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(answer);
    }
    let word = |key: &str| answer.pointer(&format!("/revision/{key}")).and_then(Value::as_str);
    let id = shown(word("id").unwrap_or_default());
    output.line(match word("label") {
        Some(label) => format!("{id} {named} “{}”", shown(label)),
        None => format!("{id} {nameless}"),
    });
    Ok(())
}

/// The text of a kept revision, by id or label, of a bench that runs or not.
pub fn text(bench: &Path, name: &str) -> Result<Arc<str>, Failure> {
    if let Some(client) = Client::find(bench)? {
        return client.text(&format!("/v1/revisions/{}", segment(name))).map(Arc::from);
    }
    must_exist(bench)?;
    offline(bench, None)?.revisions().text(name).map_err(failed)
}

/// What the store says, with the exit status that goes with it.
pub fn failed(error: StoreError) -> Failure {
    match error {
        StoreError::NoRevision { .. } => Failure::usage(error.to_string()),
        error => Failure::unusable(error.to_string()),
    }
}

/// Why a bench that nobody runs was left as it is, with the exit status that goes with it: the
/// same that a running one would end with.
pub fn refused(error: CommandError) -> Failure {
    let message = error.to_string();
    let failure = match &error {
        CommandError::Invalid { .. }
        | CommandError::Failed { .. }
        | CommandError::Conflict { .. }
        | CommandError::Locked { .. } => Failure::wrong(message),
        CommandError::NotFound { .. } | CommandError::Stale { .. } => Failure::usage(message),
        _ => Failure::unusable(message),
    };
    // The text they are about is the one that would have come out, which nobody has.
    failure.with_findings(error.diagnostics(), &mut Sources::default())
}

/// `r41  2026-11-21 10:42:07  ada       file      bench.toml changed on disk`
fn line(revision: &Value, zone: &TimeZone) -> String {
    let word = |key: &str| revision.get(key).and_then(Value::as_str).unwrap_or("-");
    let at = word("at").parse::<Timestamp>();
    let at = at.map_or_else(|_| word("at").to_owned(), |at| time::shown(at, zone));
    let label = match word("label") {
        "-" => String::new(),
        label => format!("  [{}]", shown(label)),
    };
    let (id, origin) = (shown(word("id")), shown(word("origin")));
    let message = cut(word("message"));
    let (author, message) = (shown(word("author")), shown(&message));
    format!("{id:<5} {}  {author:<10} {origin:<9} {message}{label}", shown(&at))
}

/// The greatest length of a message in the list, in characters.
const MESSAGE: usize = 120;

/// The beginning of a message that is too long for a list.
fn cut(message: &str) -> String {
    if message.chars().count() <= MESSAGE {
        return message.to_owned();
    }
    message.chars().take(MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_one_line() {
        let revision = json!({"id": "r4", "at": "2026-11-21T10:42:07Z", "author": "ada",
            "origin": "panel", "message": "Warmer", "label": "aligned"});
        assert_eq!(
            line(&revision, &TimeZone::UTC),
            "r4    2026-11-21 10:42:07  ada        panel     Warmer  [aligned]"
        );
    }
}

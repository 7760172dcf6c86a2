//! `setpoint merge BASE FILE MINE`

use std::path::{Path, PathBuf};

use serde_json::json;
use setpoint_bench::Document;
use setpoint_store::atomic;

use crate::cli::{Failure, Output};

/// Puts the changes of two people into one bench file, key by key
///
/// Prints FILE with what MINE changed since BASE; comments and order are those of FILE. A key that
/// both changed, each to something else, is listed on stderr and keeps the value of FILE; the exit
/// status is 1 then.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  setpoint merge bench-monday.toml bench.toml bench-mine.toml\n  \
                  setpoint merge --write base.toml bench.toml mine.toml\n\n\
                  For git, in .gitattributes and .git/config:\n  bench.toml merge=setpoint\n  \
                  [merge \"setpoint\"] driver = setpoint merge --write --quiet %O %A %B"
)]
pub struct Merge {
    /// What both started from.
    base: PathBuf,
    /// The file that gets the changes.
    file: PathBuf,
    /// The file that has them.
    mine: PathBuf,
    /// Write the result to FILE, if that can be merged at all; else print it.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(command: &Merge) -> Result<(), Failure> {
    let Merge { base, file, mine, write, output } = command;
    let [base, document, mine] = [read(base)?, read(file)?, read(mine)?];
    let merged = setpoint_bench::merge(base.values(), &document, mine.values())
        .map_err(|error| Failure::wrong(error.to_string()))?;
    if *write && merged.text != document.text() {
        // What came between reading and writing is not written over.
        let now = atomic::read(file).map_err(|error| Failure::unusable(error.to_string()))?;
        if *now.text != *document.text() {
            let name = file.display();
            return Err(Failure::unusable(format!("{name} was saved meanwhile; merge it again")));
        }
        atomic::replace(file, merged.text.as_bytes())
            .map_err(|error| Failure::unusable(error.to_string()))?;
    }
    if output.is_json() {
        let clean = merged.clashes.is_empty();
        output.json(&json!({
            "ok": clean,
            "text": merged.text,
            "changes": merged.changes,
            "clashes": merged.clashes,
        }))?;
    } else if !*write {
        output.exactly(&merged.text);
    }
    if merged.clashes.is_empty() {
        return Ok(());
    }
    // Programs have all of it by now.
    if output.is_json() {
        return Err(Failure::wrong(""));
    }
    let count = merged.clashes.len();
    let keys = if count == 1 { "key clashes" } else { "keys clash" };
    let mut message =
        format!("{count} {keys}; the value of {} is kept until you decide", file.display());
    for clash in &merged.clashes {
        message.push_str(&format!("\n  {clash}"));
    }
    Err(Failure::wrong(message))
}

fn read(path: &Path) -> Result<Document, Failure> {
    let file = atomic::read(path).map_err(|error| Failure::unusable(error.to_string()))?;
    Document::parse(&file.text)
        .map_err(|error| Failure::wrong(format!("{} is not TOML: {error}", path.display())))
}

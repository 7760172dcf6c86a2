//! Older and foreign files brought to today's format.
//!
//! A migration keeps an account: every key of the input is either listed with the key that it
//! became ([`Migration::carried`]) or in a note that says why it did not ([`Migration::notes`]),
//! and then also stands as a comment in the migrated text. Bringing the result to today's format
//! once more changes nothing.
//!
//! Limits: texts to 16 MiB, 400,000 keys and list items with those that aliases of YAML repeat,
//! keys to 256 bytes, 100 levels.

mod address;
mod comments;
mod foreign;
mod formats;
mod ids;
mod instruments;
mod json;
mod node;
mod page;
mod scalar;
mod shapes;
mod sources;
mod toml;
mod verbatim;
mod work;
mod yaml;

use std::fmt;

use serde::Serialize;

use crate::{
    catalogue::Catalogue,
    document::{self, Cursor, Document},
};
pub(crate) use node::MOST_NODES;
use node::{Refused, Tree};
use work::Work;

/// What bringing a file to today's format came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The text in today's format, TOML. Byte for byte the input where nothing is to be done.
    pub text: String,
    /// What the input was.
    pub from: Kind,
    /// The language it was written in.
    pub language: Language,
    /// What a person should look at, in the order of the input.
    pub notes: Vec<Note>,
    /// Where each key went that is not in a note as not carried over. A table stands for
    /// everything in it. Empty where nothing was to be done.
    pub carried: Vec<Carried>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A bench of this program.
    Bench,
    /// Foreign: `[instruments.<id>]` with `port`, `baud_rate`, `sample_rate_hz`.
    InstrumentConfiguration,
    /// Foreign: `[[sources]]`, `[server]`, `log_level`.
    VideoConfiguration,
    /// Both in one file.
    InstrumentAndVideoConfiguration,
}

/// The language of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// As bench files are written.
    Toml,
    /// YAML 1.2; JSON with comments too, mostly.
    Yaml,
    /// JSON
    Json,
}

/// One thing that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The key in the input: `sources[0].framerate`, items counted from 0; empty for the file.
    pub path: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// What happened to it.
    pub what: What,
    /// Its key in the migrated text, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why.
    pub why: String,
    /// What to do about it; may be empty.
    pub advice: String,
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is there, and needs attention.
    CarriedOver,
    /// It is there with another value, or was added.
    Changed,
    /// It has no place in today's format and stands as a comment.
    NotCarriedOver,
}

/// A key of the input and the key that it became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// As in [`Note::path`].
    pub from: String,
    /// A key, or the table whose name it became.
    pub to: String,
}

/// Why a file cannot be brought to today's format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// It is longer than any bench file.
    #[error("{file}: {}", document::too_long(*bytes))]
    TooLong {
        /// The file.
        file: String,
        /// Its length.
        bytes: usize,
    },
    /// There is nothing in it.
    #[error("{file}: the file is empty; there is nothing to bring to today's format")]
    Empty {
        /// The file.
        file: String,
    },
    /// It is not what its language allows.
    #[error("{file}:{line}:{column}: this is no {language}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The language it was read as.
        language: Language,
        /// From 1.
        line: u32,
        /// In characters, from 1.
        column: u32,
        /// What was met, and what was expected.
        message: String,
    },
    /// A format this version does not know.
    #[error("{file}:{line}:{column}: {message}")]
    Format {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
        /// In characters, from 1.
        column: u32,
        /// Which format it is, and which version of Setpoint reads it.
        message: String,
    },
    /// Neither a bench nor one of the foreign files that are known.
    #[error(
        "{file}: this is neither a bench nor a file that can be brought to one: there is no \
         [instruments], no sources and no other key of a bench in it"
    )]
    Unknown {
        /// The file.
        file: String,
    },
}

/// Brings a text to today's format. `file` is its name for errors; what it is, the text itself
/// says, and the name's extension only where the text could be either.
///
/// # Errors
/// [`MigrateError`]: the text cannot be read, is of a newer format, or is nothing that is known.
pub fn migrate(
    file: &str,
    text: &str,
    catalogue: &dyn Catalogue,
) -> Result<Migration, MigrateError> {
    if text.len() > document::LONGEST {
        return Err(MigrateError::TooLong { file: file.to_owned(), bytes: text.len() });
    }
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    if text.get(start..).is_none_or(|body| body.trim().is_empty()) {
        return Err(MigrateError::Empty { file: file.to_owned() });
    }
    let (language, mut tree) = read(file, text, start)?;
    let Some(kind) = foreign::recognise(&tree.root) else {
        return Err(MigrateError::Unknown { file: file.to_owned() });
    };
    if kind == Kind::Bench {
        formats::known(file, text, &tree.root)?;
        if language == Language::Toml {
            let text = text.to_owned();
            return Ok(Migration { text, from: kind, language, notes: vec![], carried: vec![] });
        }
    }
    let mut work = Work::new(catalogue, &mut tree);
    match kind {
        Kind::Bench => verbatim::bench(&mut work, &tree.root),
        _ => foreign::file(&mut work, &tree.root),
    }
    let (mut migrated, notes, carried) = work.finish(text);
    // Line ends and the byte order mark as the file had them; no value holds a line end by itself.
    if text.lines().next().is_some_and(|line| text[line.len()..].starts_with("\r\n")) {
        migrated = migrated.replace('\n', "\r\n");
    }
    if start > 0 && language == Language::Toml {
        migrated.insert(0, '\u{feff}');
    }
    Ok(Migration { text: migrated, from: kind, language, notes, carried })
}

/// Finds out which language a text is in, and reads it.
fn read(file: &str, text: &str, start: usize) -> Result<(Language, Tree), MigrateError> {
    let wrong = |language: Language, refused: Refused| {
        let (line, column) = place(text, refused.at);
        let message = refused.message;
        MigrateError::Syntax { file: file.to_owned(), language, line, column, message }
    };
    let body = text.get(start..).unwrap_or_default();
    if body.trim_start().starts_with('{') {
        // No TOML begins like this; YAML may.
        let json = match json::read(text, start) {
            Ok(tree) => return Ok((Language::Json, tree)),
            Err(refused) => refused,
        };
        return match yaml::read(text, start) {
            Ok(tree) => Ok((Language::Yaml, tree)),
            Err(refused) if has_extension(file, &["yaml", "yml"]) => {
                Err(wrong(Language::Yaml, refused))
            }
            Err(_) => Err(wrong(Language::Json, json)),
        };
    }
    let as_toml = Document::parse(text)
        .map_err(|error| Refused::new(error.message, error.bytes.start))
        .and_then(|document| toml::read(text, &document));
    let toml_refused = match as_toml {
        Ok(tree) => return Ok((Language::Toml, tree)),
        Err(refused) => refused,
    };
    match yaml::read(text, start) {
        Ok(tree) => Ok((Language::Yaml, tree)),
        Err(refused) if has_extension(file, &["yaml", "yml"]) || looks_like_yaml(body) => {
            Err(wrong(Language::Yaml, refused))
        }
        Err(_) if has_extension(file, &["json"]) => {
            Err(wrong(Language::Json, json::read(text, start).err().unwrap_or(toml_refused)))
        }
        Err(_) => Err(wrong(Language::Toml, toml_refused)),
    }
}

fn has_extension(file: &str, extensions: &[&str]) -> bool {
    let extension = file.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|it| extensions.iter().any(|known| it.eq_ignore_ascii_case(known)))
}

/// Whether the first line that says something is one of YAML.
fn looks_like_yaml(body: &str) -> bool {
    let mut lines = body.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| match (line.find(':'), line.find('=')) {
        _ if line.starts_with("---") || line.starts_with('%') || line.starts_with("- ") => true,
        (Some(colon), Some(equals)) => colon < equals && !line.starts_with('['),
        (Some(_), None) => !line.starts_with('['),
        (None, _) => false,
    })
}

fn place(text: &str, at: usize) -> (u32, u32) {
    let span = Cursor::new(text).span(at..at);
    (span.line, span.column)
}

/// `TOML`, `YAML`, `JSON`
impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Toml => "TOML",
            Self::Yaml => "YAML",
            Self::Json => "JSON",
        })
    }
}

/// `a bench`, `an instrument configuration`
impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bench => "a bench",
            Self::InstrumentConfiguration => "an instrument configuration",
            Self::VideoConfiguration => "a video source configuration",
            Self::InstrumentAndVideoConfiguration => "an instrument and video configuration",
        })
    }
}

impl Note {
    /// The note without its line: `sources[0].loop: not carried over: …`
    pub fn told(&self) -> String {
        let Self { path, to, why, advice, .. } = self;
        let subject = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let what = match (self.what, to) {
            (What::CarriedOver, Some(to)) => format!("carried over as {to}"),
            (What::CarriedOver, None) => "carried over".to_owned(),
            (What::Changed, Some(to)) => format!("changed in {to}"),
            (What::Changed, None) => "changed".to_owned(),
            (What::NotCarriedOver, _) => "not carried over".to_owned(),
        };
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        format!("{subject}{what}: {why}{advice}")
    }
}

/// `line 12, column 1: sources[0].loop: not carried over: …`
impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}: {}", self.line, self.column, self.told())
    }
}

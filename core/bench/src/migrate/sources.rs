//! `[[sources]]` of a video server's configuration.

use super::{
    foreign::{NO_HOME, Thing, label},
    node,
    page::At,
    shapes, verbatim,
    work::{Key, Work},
};
use crate::{
    KeyPath, Value,
    schema::{self, Kind},
};

/// Keys that say where pictures of other source types come from.
const PLACES: &[&str] = &[
    "location",
    "path",
    "url",
    "uri",
    "file",
    "files",
    "directory",
    "folder",
    "device",
    "loop",
    "repeat",
    "playlist",
];

/// One source. `served`: the file is that of a server, which gives every source a mount point.
pub(super) fn one(work: &mut Work, thing: Thing<'_>, served: bool) {
    let at = work.page.table(&thing.path);
    let entries = thing.key.node.map().unwrap_or_default();
    let mounted = |name: &str| matches!(name, "rtsp" | "mount" | "mount_point" | "mountpoint");
    for (name, node) in entries {
        let from = node::below(thing.key.from, name);
        let key = Key { from: &from, name, node };
        match name.as_str() {
            "name" => label(work, &thing, key),
            "id" if node.text() == thing.path.last() => {
                work.absorbed(at, key, thing.path.to_string());
            }
            "type" => kind(work, at, key),
            "resolution" => shapes::resolution(work, at, key),
            "framerate" | "fps" => shapes::framerate(work, at, key),
            "format" => format(work, at, key),
            "pattern" => pattern(work, at, key),
            "enabled" | "preview" => shapes::switch(work, at, name, key),
            _ if mounted(name) => mount(work, at, key),
            _ if known(name) => verbatim::entry(work, sources_schema(), key, &thing.path),
            _ if PLACES.contains(&name.as_str()) => {
                let why = "this version has test patterns only, and no key for this";
                work.lose(at, key, why, "put it back when a version can run such a source");
            }
            _ => work.lose(at, key, "a source has no such key", NO_HOME),
        }
    }
    if served && !entries.iter().any(|(name, _)| mounted(name)) {
        add_mount(work, at, &thing);
    }
}

fn sources_schema() -> Option<&'static schema::Node> {
    schema::root().child("sources")?.child("any name")
}

fn known(name: &str) -> bool {
    sources_schema().is_some_and(|node| node.child(name).is_some())
}

/// The mount point that the server gave it: its name.
fn add_mount(work: &mut Work, at: At, thing: &Thing<'_>) {
    let id = thing.path.last().unwrap_or_default();
    // Ids are different from each other; names made fit for an address may not be.
    let same = thing.name.is_none_or(|name| name.is_empty() || name == id);
    let value = Value::String(format!("/{id}"));
    let added = work.page.key(at, "rtsp", &value.to_string(), &Default::default());
    if added && !same {
        let to = format!("{}.rtsp", thing.path);
        let why =
            format!("its stream is served at /{id}, since its name is not fit for an address");
        work.changed(thing.key, &to, why, "tell those who watch it");
    }
}

/// `type`: known ones in today's spelling, others as they are.
fn kind(work: &mut Work, at: At, key: Key<'_>) {
    let Some(text) = key.node.text() else { return work.keep(at, "type", key) };
    let plain = text.trim().to_lowercase().replace(['-', ' '], "_");
    let name = match plain.as_str() {
        "videotestsrc" | "testpattern" | "test" => "test_pattern",
        "test_pattern" | "file" | "directory" | "camera" | "rtsp" | "pipeline" => plain.as_str(),
        _ => text,
    };
    let to = format!("{}.type", work.page.path(at));
    if plain == "file_list" {
        work.put_quietly(at, "type", &name.into(), key);
        let why = "a bench has no lists of files, so it does not run like this".to_owned();
        let advice = "write a source for each file, or a directory, when a version runs those";
        return work.attention(key, &to, why, advice);
    }
    work.put(at, "type", &name.into(), key);
    if name != text {
        work.changed(key, &to, format!("“{text}” is called “{name}”"), "");
    }
}

/// `i420` as `I420`.
fn format(work: &mut Work, at: At, key: Key<'_>) {
    match key.node.text() {
        Some(text) => {
            let upper = text.to_uppercase();
            let name = if takes("format", &upper) { upper.as_str() } else { text };
            work.put(at, "format", &name.into(), key);
        }
        None => work.keep(at, "format", key),
    }
}

/// `SMPTE`, `checkers_8` and numbers of GStreamer's `videotestsrc`.
fn pattern(work: &mut Work, at: At, key: Key<'_>) {
    let Some(text) = key.node.text() else { return work.keep(at, "pattern", key) };
    let plain = text.trim().to_lowercase().replace(['_', ' '], "-");
    let name = if takes("pattern", &plain) { plain.as_str() } else { text };
    work.put(at, "pattern", &name.into(), key);
}

fn takes(key: &str, word: &str) -> bool {
    let node: Option<&schema::Node> = schema::at(&KeyPath::new(["sources", "any", key]));
    matches!(node.map(schema::Node::kind), Some(Kind::Choice(words)) if words.contains(&word))
}

/// A mount point, with its slash.
fn mount(work: &mut Work, at: At, key: Key<'_>) {
    match key.node.text() {
        Some(text) if !text.is_empty() && !text.starts_with('/') => {
            work.put(at, "rtsp", &format!("/{text}").into(), key);
        }
        _ => work.keep(at, "rtsp", key),
    }
}

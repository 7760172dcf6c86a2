//! Files of other programs: what they are, and their keys outside of instruments and sources.

use super::{
    Kind, What, ids, instruments,
    node::{self, Data, Node},
    sources, verbatim,
    work::{Key, Work},
};
use crate::{KeyPath, Value, check::words, schema};

/// What a file is, by the keys in it; `None` if it has none that says something.
pub(super) fn recognise(root: &Node) -> Option<Kind> {
    let entries = root.map()?;
    if entries.is_empty() || root.get("format").is_some() {
        return Some(Kind::Bench);
    }
    let any = |names: &[&str], list: &Node| {
        parts(list).any(|part| names.iter().any(|name| part.get(name).is_some()))
    };
    let is_list = |node: &Node| matches!(node.data, Data::List(_));
    let instruments = root.get("instruments").is_some_and(|list| {
        is_list(list) || any(&["port", "baud_rate", "sample_rate_hz", "name"], list)
    });
    let sources = root.get("sources").is_some_and(|list| {
        let nested = |name: &str| {
            parts(list).any(|part| part.get(name).is_some_and(|it| it.map().is_some()))
        };
        is_list(list) || any(&["name"], list) || nested("resolution") || nested("framerate")
    });
    // A server's settings alone are those of a video server.
    let video = sources || root.get("server").is_some() || root.get("log_level").is_some();
    match (instruments, video) {
        (true, true) if sources || root.get("server").is_some() => {
            Some(Kind::InstrumentAndVideoConfiguration)
        }
        (true, _) => Some(Kind::InstrumentConfiguration),
        (false, true) => Some(Kind::VideoConfiguration),
        (false, false) => {
            let known = |name: &str| schema::root().child(name).is_some();
            entries.iter().any(|(name, _)| known(name)).then_some(Kind::Bench)
        }
    }
}

/// Things of a list or of a table of named things.
fn parts(node: &Node) -> Box<dyn Iterator<Item = &Node> + '_> {
    match &node.data {
        Data::List(items) => Box::new(items.iter()),
        Data::Map(entries) => Box::new(entries.iter().map(|(_, node)| node)),
        Data::Plain(..) | Data::Odd(..) => Box::new(std::iter::empty()),
    }
}

/// A whole file.
pub(super) fn file(work: &mut Work, root: &Node) {
    let served = root.get("server").is_some();
    for (name, node) in root.map().unwrap_or_default() {
        let from = node::below("", name);
        let key = Key { from: &from, name, node };
        match name.as_str() {
            "instruments" => things(work, key, "instrument", &mut instruments::one),
            "sources" => things(work, key, "source", &mut |work, thing| {
                sources::one(work, thing, served);
            }),
            "log_level" => log_level(work, key),
            "server" => server(work, key, root.get("sources").is_some()),
            // Keys that a bench has just so.
            _ if node.map().is_some() && schema::root().child(name).is_some() => {
                verbatim::top(work, key);
            }
            _ if node.map().is_some() => {
                work.lose_table(key, "a bench has no such table", NO_HOME);
            }
            _ => {
                let at = work.page.between();
                work.lose(at, key, "a bench has no such key", NO_HOME);
            }
        }
    }
}

pub(super) const NO_HOME: &str = "it stands as a comment in the migrated file; delete that, or \
                                  keep it for whoever needs it";

/// One instrument or source.
pub(super) struct Thing<'n> {
    pub(super) key: Key<'n>,
    /// What people call it, where the file says so.
    pub(super) name: Option<&'n str>,
    /// Its table in the migrated text.
    pub(super) path: KeyPath,
}

/// All instruments or all sources, in a list or by their ids.
fn things(work: &mut Work, key: Key<'_>, what: &str, each: &mut dyn FnMut(&mut Work, Thing<'_>)) {
    let found: Vec<(String, Option<String>, &Node)> = match &key.node.data {
        Data::Map(entries) => entries
            .iter()
            .map(|(id, node)| (node::below(key.from, id), Some(id.clone()), node))
            .collect(),
        Data::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let id = node.get("id").or_else(|| node.get("name")).and_then(word);
                (format!("{}[{index}]", key.from), id, node)
            })
            .collect(),
        Data::Plain(..) | Data::Odd(..) => {
            let at = work.page.between();
            let why = format!("{} takes tables, one for each {what}", key.name);
            return work.lose(at, key, why, "write them as tables");
        }
    };
    if found.is_empty() {
        let at = work.page.between();
        return work.lose(at, key, format!("there is no {what} in it"), "");
    }
    if !key.node.comments.is_empty() {
        let at = work.page.between();
        work.page.remark(at, key.node.comments.clone().lines());
    }
    let named: Vec<Option<&str>> = found.iter().map(|(_, id, _)| id.as_deref()).collect();
    let ids = ids::make(&named, what);
    for ((from, wanted, node), id) in found.iter().zip(ids) {
        let wanted = wanted.as_deref();
        let thing = Key { from, name: wanted.unwrap_or(what), node };
        let path = KeyPath::new([key.name, id.as_str()]);
        if node.map().is_none() {
            let at = work.page.between();
            work.lose(at, thing, format!("{what}s are tables of keys"), "write it as a table");
            continue;
        }
        let table = work.page.table(&path);
        work.page.about(table, node.comments.clone());
        if node.map().is_some_and(<[_]>::is_empty) {
            work.carried(thing, path.to_string());
        }
        match wanted {
            Some(wanted) if wanted == id => {}
            Some(wanted) if !wanted.is_empty() => {
                let name = words::quoted(wanted);
                let why = if ids::valid(wanted) {
                    format!("another {what} has the name {name} already")
                } else {
                    format!(
                        "{name} cannot be an id, which begins with a letter (a to z) and goes on \
                         with letters, digits, “_” or “-”"
                    )
                };
                work.changed(thing, &path.to_string(), why, "rename it if you like");
            }
            _ => {
                let why = format!("the {what} has no name; it is called “{id}” now");
                work.changed(thing, &path.to_string(), why, "rename it if you like");
            }
        }
        let name = node.get("name").and_then(Node::text).or(wanted);
        each(work, Thing { key: thing, name, path });
    }
}

/// A name, also where it is written as a number.
fn word(node: &Node) -> Option<String> {
    match node.plain()? {
        Value::String(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `name`: the label, unless it is the id already.
pub(super) fn label(work: &mut Work, thing: &Thing<'_>, key: Key<'_>) {
    let at = work.page.table(&thing.path);
    match key.node.text() {
        Some(name) if Some(name) == thing.path.last() => {
            work.absorbed(at, key, thing.path.to_string());
        }
        Some("") => {
            let why = "the name is empty";
            work.lose(at, key, why, "give it a label if it needs one");
        }
        None if word(key.node).is_some() => {
            let name = word(key.node).unwrap_or_default();
            work.put(at, "label", &name.into(), key);
        }
        _ => work.keep(at, "label", key),
    }
}

/// `log_level`, in the words that a bench has for it.
fn log_level(work: &mut Work, key: Key<'_>) {
    let at = work.page.table(&KeyPath::new(["runtime"]));
    let Some(word) = key.node.text() else { return work.keep(at, "log_level", key) };
    let lower = word.to_lowercase();
    let level = match lower.as_str() {
        "warning" => "warn",
        "critical" | "fatal" | "panic" | "err" | "off" | "none" => "error",
        "notice" | "information" | "log" => "info",
        "verbose" | "fixme" => "debug",
        "all" | "memdump" => "trace",
        other => other,
    };
    work.put(at, "log_level", &Value::from(level), key);
    if level != lower {
        let why = format!("a bench has no level “{lower}”; the nearest is “{level}”");
        work.changed(key, "runtime.log_level", why, "");
    }
}

/// `[server]`: where streams are served, if there are sources of any.
fn server(work: &mut Work, key: Key<'_>, sources: bool) {
    let path = KeyPath::new(["rtsp"]);
    let Some(entries) = key.node.map() else {
        let at = work.page.between();
        return work.lose(at, key, "server takes a table with address and port", "write it as one");
    };
    let at = work.page.table(&path);
    work.page.about(at, key.node.comments.clone());
    if entries.is_empty() {
        work.carried(key, "rtsp");
    }
    for (name, node) in entries {
        let from = node::below(key.from, name);
        let key = Key { from: &from, name, node };
        match name.as_str() {
            "port" => super::shapes::whole(work, at, "port", key),
            "address" | "host" | "bind" => work.keep(at, "address", key),
            _ => work.lose(at, key, "[rtsp] has an address and a port only", NO_HOME),
        }
    }
    if !sources {
        return;
    }
    let why = "streams were served at the names of their sources; each source has a mount point \
               now, rtsp = \"/NAME\""
        .to_owned();
    work.note(
        key.node.at.clone(),
        key.from,
        What::Changed,
        Some("rtsp".to_owned()),
        why,
        "delete a source's mount point where it is to be shown in the panel only",
    );
}

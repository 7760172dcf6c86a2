//! `[instruments.<id>]` with `name`, `type`, `port`, `baud_rate`, `sample_rate_hz`.

use super::{
    address::{self, Found},
    foreign::{NO_HOME, Thing, label},
    node::{self, Node},
    page::At,
    shapes, verbatim,
    work::{Key, Work},
};
use crate::{Value, check::words, schema};

const HOSTS: &[&str] = &["host", "hostname", "ip", "ip_address"];
const BAUD: &[&str] = &["baud_rate", "baudrate", "baud"];
const RATES: &[&str] = &["sample_rate_hz", "sample_rate", "poll_rate_hz", "poll_interval"];

/// One instrument.
pub(super) fn one(work: &mut Work, thing: Thing<'_>) {
    let at = work.page.table(&thing.path);
    let given = thing.key.node;
    let entries = given.map().unwrap_or_default();
    let host = entries.iter().find(|(name, _)| HOSTS.contains(&name.as_str()));
    let port = given.get("port");
    // A number is half of an address; the host is the other half.
    let joined = match (host, port) {
        (Some((_, host)), Some(port)) if shapes::number(port).is_some() => host
            .text()
            .map(|host| Value::from(format!("tcp://{host}:{}", port.shown().trim_matches('"')))),
        _ => None,
    };
    let network = joined.is_some()
        || [port, given.get("address")].into_iter().flatten().any(|node| {
            let found = node.text().map(address::translate);
            matches!(found, Some(Found::Address(text)) if text.starts_with("tcp:"))
        });
    for (name, node) in entries {
        let from = node::below(thing.key.from, name);
        let key = Key { from: &from, name, node };
        let is_host = HOSTS.contains(&name.as_str());
        match (name.as_str(), &joined) {
            ("name", _) => label(work, &thing, key),
            ("id", _) if node.text() == thing.path.last() => {
                work.absorbed(at, key, thing.path.to_string());
            }
            ("type", _) => driver(work, at, key),
            ("port", Some(address)) => work.put(at, "address", address, key),
            (_, Some(_)) if host.is_some_and(|(first, _)| first == name) => {
                work.absorbed(at, key, format!("{}.address", thing.path));
            }
            ("port" | "address", _) => address(work, at, key),
            _ if is_host && port.is_none() && given.get("address").is_none() => {
                address(work, at, key);
            }
            _ if BAUD.contains(&name.as_str()) => baud(work, at, key, given, network),
            _ if RATES.contains(&name.as_str()) => rate(work, at, key),
            ("enabled", _) => shapes::switch(work, at, name, key),
            _ if known(name) => verbatim::entry(work, instruments_schema(), key, &thing.path),
            _ => work.lose(at, key, "an instrument has no such key", NO_HOME),
        }
    }
}

fn instruments_schema() -> Option<&'static schema::Node> {
    schema::root().child("instruments")?.child("any name")
}

fn known(name: &str) -> bool {
    instruments_schema().is_some_and(|node| node.child(name).is_some())
}

/// `type`. A driver sends commands, so only another spelling of the same name is translated; one
/// that is merely alike is a hint.
fn driver(work: &mut Work, at: At, key: Key<'_>) {
    let Some(given) = key.node.text() else { return work.keep(at, "type", key) };
    let types = &work.types;
    let to = format!("{}.type", work.page.path(at));
    if types.iter().any(|known| known == given) {
        return work.put(at, "type", &given.into(), key);
    }
    let plain = letters(given);
    let mut same = types.iter().filter(|known| letters(known) == plain);
    let mut models = types
        .iter()
        .filter(|known| known.split_once('_').is_some_and(|(_, model)| letters(model) == plain));
    let found = match (same.next(), models.next(), models.next()) {
        (Some(known), ..) if same.next().is_none() => Some(known.clone()),
        (None, Some(known), None) if !plain.is_empty() => Some(known.clone()),
        _ => None,
    };
    let near = words::nearest(given, types.iter().map(String::as_str));
    if let Some(known) = found {
        let why = format!("{} is the driver “{known}”", words::quoted(given));
        work.put(at, "type", &known.into(), key);
        work.changed(key, &to, why, "");
        return;
    }
    work.put(at, "type", &given.into(), key);
    let why = format!("there is no driver {}; it stays as it was", words::quoted(given));
    let advice = match near {
        Some(near) => format!(
            "if the device is a “{near}”, write that; else add a driver file in drivers/ beside \
             the bench file"
        ),
        None => "add a driver file in drivers/ beside the bench file".to_owned(),
    };
    work.attention(key, &to, why, &advice);
}

/// Letters and digits of a name, whatever is between them.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `port`: where the instrument is.
fn address(work: &mut Work, at: At, key: Key<'_>) {
    let Some(given) = key.node.text() else {
        let why = "a number alone is no address: the host is missing";
        return work.lose(at, key, why, "write address = \"tcp://HOST:PORT\"");
    };
    let to = format!("{}.address", work.page.path(at));
    match address::translate(given) {
        Found::Address(address) => work.put(at, "address", &address.into(), key),
        Found::Host(host) => {
            work.put_quietly(at, "address", &format!("tcp://{host}").into(), key);
            let why = "the port number is missing".to_owned();
            work.attention(key, &to, why, "write address = \"tcp://HOST:PORT\"");
        }
        Found::Unclear(why) => {
            work.put_quietly(at, "address", &given.into(), key);
            let advice = "write where the device is: tcp://HOST:PORT or serial:///dev/…";
            work.attention(key, &to, why.to_owned(), advice);
        }
    }
}

/// `baud_rate`: a part of `wire`.
fn baud(work: &mut Work, at: At, key: Key<'_>, instrument: &Node, network: bool) {
    if network {
        let why = "the instrument is on the network, where there is no baud rate";
        return work.lose(at, key, why, NO_HOME);
    }
    if instrument.get("wire").is_some() {
        let why = "wire has the settings of the line, and is there as well";
        return work.lose(at, key, why, "write baud = … into wire if it is right");
    }
    let to = format!("{}.wire.baud", work.page.path(at));
    let Some(baud) = shapes::number(key.node) else {
        let why = format!("a baud rate is a whole number, not {}", key.found());
        return work.lose(at, key, why, "write wire = { baud = 9600 } with the right number");
    };
    if !(50..=4_000_000).contains(&baud) {
        let why = format!("a baud rate is from 50 to 4000000, not {baud}");
        return work.lose(at, key, why, "write wire = { baud = 9600 } with the right number");
    }
    let comments = key.node.all_comments();
    if work.page.key(at, "wire", &format!("{{ baud = {baud} }}"), &comments) {
        work.carried(key, to);
    } else {
        work.lose(at, key, "there is another baud rate already", "decide which one is right");
    }
}

/// `sample_rate_hz`. How often a device is asked is a matter of its driver file, and of a recorder
/// how often values are kept. Neither is begun unasked: a recorder fills a disk.
fn rate(work: &mut Work, at: At, key: Key<'_>) {
    let id = work.page.path(at).last().unwrap_or_default().to_owned();
    let every =
        key.node.plain().and_then(Value::as_f64).filter(|rate| (0.001..=1e6).contains(rate));
    let every = every.filter(|_| key.name.ends_with("_hz")).map(|rate| 1000.0 / rate);
    let every = match every {
        Some(ms) if ms % 1000.0 == 0.0 => format!("{}s", ms / 1000.0),
        Some(ms) if ms >= 1.0 && ms.fract() == 0.0 => format!("{ms}ms"),
        Some(ms) => format!("{}us", (ms * 1000.0).round()),
        None => "1s".to_owned(),
    };
    let why = "how often a device is asked stands in its driver file (poll), not in the bench";
    let advice = format!(
        "to keep its values in a file: [modules.log] with type = \"recorder\", roles = {{ what = \
         [\"{id}\"] }}, every = \"{every}\""
    );
    work.lose(at, key, why, advice);
}

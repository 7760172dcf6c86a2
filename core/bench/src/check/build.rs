//! The typed bench from values that were checked.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::{
    allowed,
    component::{Built, Name},
    leaves,
};
use crate::{
    duration,
    model::{
        Bench, HotReload, Instrument, OnReconnect, RuntimeSettings, Source, Watch, WireSettings,
    },
    schema::{self, Node, Preset},
    value::{Table, Value},
};

/// One component of the typed bench; `None` if nothing of it runs, or if it does not check after
/// all.
pub(super) fn component(name: Name<'_>, value: &Value) -> Option<Built> {
    let node = schema::root().child(name.top)?;
    let keys = |node| Some(Keys { node, table: value.as_table()? });
    match (name.top, name.id) {
        ("bench", None) => {
            let keys = keys(node)?;
            Some(Built::Bench(keys.text("name").map(Into::into), keys.text("environment")?.into()))
        }
        ("runtime", None) => Some(Built::Runtime(Box::new(runtime(&keys(node)?)?))),
        ("instruments", Some(_)) => {
            Some(Built::Instrument(Arc::new(instrument(&keys(node.child("*")?)?)?)))
        }
        ("sources", Some(_)) => Some(Built::Source(Arc::new(source(&keys(node.child("*")?)?)?))),
        _ => None,
    }
}

/// The typed bench of components that were built, in file order.
pub(super) fn bench<'b>(
    file: &str,
    parts: impl Iterator<Item = (Name<'b>, &'b Built)>,
) -> Option<Bench> {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or("bench");
    let empty = Value::Table(Table::new());
    let preset = |top| component(Name { top, id: None }, &empty);
    let mut bench = Bench { name: stem.to_owned(), ..Bench::default() };
    if let Some(Built::Bench(_, environment)) = preset("bench") {
        bench.environment = environment.into();
    }
    if let Some(Built::Runtime(runtime)) = preset("runtime") {
        bench.runtime = *runtime;
    }
    for (name, built) in parts {
        match (built, name.id) {
            (Built::Bench(name, environment), _) => {
                bench.name = name.as_deref().map_or(bench.name, str::to_owned);
                bench.environment = environment.to_string();
            }
            (Built::Runtime(runtime), _) => bench.runtime = RuntimeSettings::clone(runtime),
            (Built::Instrument(instrument), Some(id)) => {
                bench.instruments.insert(id.to_owned(), Arc::clone(instrument));
            }
            (Built::Source(source), Some(id)) => {
                bench.sources.insert(id.to_owned(), Arc::clone(source));
            }
            (Built::Instrument(_) | Built::Source(_), None) => return None,
        }
    }
    Some(bench)
}

fn runtime(keys: &Keys<'_>) -> Option<RuntimeSettings> {
    Some(RuntimeSettings {
        hot_reload: match keys.text("hot_reload") {
            Some(word) => Some(HotReload::named(word)?),
            None => None,
        },
        quiet: keys.duration("quiet")?,
        watch: match keys.text("watch")? {
            "auto" => Watch::Auto,
            "native" => Watch::Native,
            _ => Watch::Poll,
        },
        snapshot_retention: usize::try_from(keys.whole("snapshot_retention")?).ok()?,
        transaction_timeout: keys.duration("transaction_timeout")?,
        log_level: keys.text("log_level")?.to_owned(),
        annotate: keys.switch("annotate").unwrap_or_default(),
    })
}

fn instrument(keys: &Keys<'_>) -> Option<Instrument> {
    let wire = keys.below("wire")?;
    let parameters = |name: &str| keys.table.get(name).map(leaves::by_name).unwrap_or_default();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let range = |value: &Value| match value {
        Value::Array(items) => Some((items.first()?.as_f64()?, items.get(1)?.as_f64()?)),
        _ => None,
    };
    Some(Instrument {
        driver: keys.text("type")?.to_owned(),
        address: keys.text("address")?.to_owned(),
        enabled: keys.switch("enabled")?,
        label: owned(keys.text("label")),
        on_reconnect: match keys.text("on_reconnect")? {
            "reapply" => OnReconnect::Reapply,
            "ignore" => OnReconnect::Ignore,
            _ => OnReconnect::Compare,
        },
        wire: WireSettings {
            reply_timeout: wire.duration("reply_timeout"),
            gap: wire.duration("gap"),
            baud: wire.whole("baud").and_then(|baud| u32::try_from(baud).ok()),
            tx_end: owned(wire.text("tx_end")),
            rx_end: owned(wire.text("rx_end")),
        },
        limits: parameters("limits")
            .into_iter()
            .map(|(name, value)| Some((name, range(value)?)))
            .collect::<Option<_>>()?,
        set: parameters("set").into_iter().map(|(name, value)| (name, value.clone())).collect(),
    })
}

fn source(keys: &Keys<'_>) -> Option<Source> {
    Some(Source {
        pattern: keys.text("pattern")?.to_owned(),
        resolution: allowed::resolution(keys.text("resolution")?)?,
        framerate: allowed::framerate(&keys.value("framerate")?).ok()?,
        format: keys.text("format")?.to_owned(),
        preview: keys.switch("preview")?,
        enabled: keys.switch("enabled")?,
        label: keys.text("label").map(str::to_owned),
        rtsp: keys.text("rtsp").map(str::to_owned),
    })
}

/// The keys of one table, presets of the schema behind them.
struct Keys<'v> {
    node: &'static Node,
    table: &'v Table,
}

impl<'v> Keys<'v> {
    /// A table below this one; an empty one where the file has none.
    fn below(&self, name: &str) -> Option<Self> {
        static EMPTY: LazyLock<Table> = LazyLock::new(Table::new);
        let node = self.node.child(name)?;
        let table = match self.table.get(name) {
            Some(value) => value.as_table()?,
            None => &EMPTY,
        };
        Some(Self { node, table })
    }

    fn value(&self, name: &str) -> Option<Value> {
        self.table.get(name).cloned().or_else(|| self.preset(name).value())
    }

    fn preset(&self, name: &str) -> Preset {
        self.node.child(name).and_then(|node| node.key).map_or(Preset::Absent, |key| key.preset)
    }

    fn text(&self, name: &str) -> Option<&'v str> {
        match (self.table.get(name), self.preset(name)) {
            (Some(value), _) => value.as_str(),
            (None, Preset::Text(text)) => Some(text),
            (None, _) => None,
        }
    }

    fn switch(&self, name: &str) -> Option<bool> {
        match (self.table.get(name), self.preset(name)) {
            (Some(Value::Bool(switch)), _) => Some(*switch),
            (None, Preset::Switch(switch)) => Some(switch),
            _ => None,
        }
    }

    fn whole(&self, name: &str) -> Option<i64> {
        match (self.table.get(name), self.preset(name)) {
            (Some(Value::Int(number)), _) => Some(*number),
            (None, Preset::Whole(number)) => Some(number),
            _ => None,
        }
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        duration::parse(self.text(name)?)
    }
}

//! The typed bench: what a file that checks means.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{path::KeyPath, schema, value::Value};

/// Everything one panel looks after. Only [`crate::read`] makes one, from a text without errors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bench {
    /// `[bench] name`; the file's stem where it has none.
    pub name: String,
    /// `[bench] environment`; `development` where it has none.
    pub environment: String,
    /// `[runtime]`
    pub runtime: RuntimeSettings,
    /// `[instruments.<id>]`, in file order. Two readings share those that did not change.
    pub instruments: IndexMap<String, Arc<Instrument>>,
    /// `[sources.<id>]`, in file order; shared likewise.
    pub sources: IndexMap<String, Arc<Source>>,
}

impl Bench {
    /// What a saved file does: as `[runtime]` says, else as is usual in its environment.
    pub fn hot_reload(&self) -> HotReload {
        let key = schema::at(&KeyPath::new(["runtime", "hot_reload"])).and_then(|node| node.key);
        let usual = || HotReload::named(key?.preset.value_in(&self.environment)?.as_str()?);
        self.runtime.hot_reload.or_else(usual).unwrap_or(HotReload::Propose)
    }

    /// `[instruments.<id>]`
    pub fn instrument(&self, id: &str) -> Option<&Instrument> {
        self.instruments.get(id).map(Arc::as_ref)
    }

    /// `[sources.<id>]`
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(id).map(Arc::as_ref)
    }
}

/// `[runtime]`: how Setpoint itself behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeSettings {
    /// What a saved file does; `None`: the environment decides, see [`Bench::hot_reload`].
    pub hot_reload: Option<HotReload>,
    /// Stillness wanted after a bare write.
    pub quiet: Duration,
    /// How saves are noticed.
    pub watch: Watch,
    /// How many unlabelled revisions are kept.
    pub snapshot_retention: usize,
    /// How long staged changes live without a touch.
    pub transaction_timeout: Duration,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: String,
    /// Whether changes made from elsewhere leave remarks in the file.
    pub annotate: bool,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            hot_reload: None,
            quiet: Duration::from_millis(50),
            watch: Watch::Auto,
            snapshot_retention: 10,
            transaction_timeout: Duration::from_secs(300),
            log_level: "info".to_owned(),
            annotate: false,
        }
    }
}

/// What a save of the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HotReload {
    /// It is applied.
    Apply,
    /// It is checked, and waits for an operator.
    Propose,
    /// Nothing, until someone asks for a reload.
    Off,
}

impl HotReload {
    /// By its word in a bench file.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "apply" => Some(Self::Apply),
            "propose" => Some(Self::Propose),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// How saves of the files are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// By what the system offers, and by asking where that is not enough.
    Auto,
    /// By what the system offers, on every file system.
    Native,
    /// By asking for the state of the files.
    Poll,
}

/// `[instruments.<id>]`
#[derive(Debug, Clone, PartialEq)]
pub struct Instrument {
    /// `type`: the driver's name.
    pub driver: String,
    /// `address`, as written and known to be well formed.
    pub address: String,
    /// `enabled`
    pub enabled: bool,
    /// `label`: what people call it.
    pub label: Option<String>,
    /// `on_reconnect`
    pub on_reconnect: OnReconnect,
    /// `wire`: settings that replace the driver's, checked by the instrument crate's own rules.
    pub wire: WireSettings,
    /// `limits`: parameter to the range that replaces the driver's, never wider.
    pub limits: IndexMap<String, (f64, f64)>,
    /// `set`: parameter (`ch1.voltage`) to the value asked for, in file order.
    pub set: Setpoints,
}

/// Parameters of an instrument and the values asked for, in file order. No more than its driver has:
/// a look through all of them is faster than a hash, and takes half the memory.
#[derive(Debug, Clone, Default)]
pub struct Setpoints(Box<[(String, Value)]>);

impl Setpoints {
    /// The value asked for of a parameter.
    pub fn get(&self, parameter: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == parameter).map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Parameters and values, in file order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&String, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// Of parameters that are all different.
impl FromIterator<(String, Value)> for Setpoints {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

/// The order does not matter.
impl PartialEq for Setpoints {
    fn eq(&self, other: &Self) -> bool {
        // Nearly always it is the same, which needs no search.
        self.0 == other.0
            || self.len() == other.len()
                && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<'s> IntoIterator for &'s Setpoints {
    type Item = (&'s String, &'s Value);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'s, (String, Value)>,
        fn(&'s (String, Value)) -> (&'s String, &'s Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// `wire`: what a bench may change of a driver's framing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WireSettings {
    /// `reply_timeout`
    pub reply_timeout: Option<Duration>,
    /// `gap`: least silence between messages.
    pub gap: Option<Duration>,
    /// `baud`
    pub baud: Option<u32>,
    /// `tx_end`: terminator of what is sent.
    pub tx_end: Option<String>,
    /// `rx_end`: terminator of replies.
    pub rx_end: Option<String>,
}

/// What happens to setpoints when a device answers (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReconnect {
    /// Read back and show what differs; write nothing.
    Compare,
    /// Set what differs, hazardous parameters excepted.
    Reapply,
    /// Read back, and do not remark on differences.
    Ignore,
}

/// `[sources.<id>]` of type `test_pattern`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// `pattern`: `smpte`, `ball`, …
    pub pattern: String,
    /// `resolution`, width and height in pixels.
    pub resolution: (u32, u32),
    /// `framerate`, frames a second as a fraction.
    pub framerate: (u32, u32),
    /// `format`: raw video format, `I420`.
    pub format: String,
    /// `preview`
    pub preview: bool,
    /// `enabled`
    pub enabled: bool,
    /// `label`
    pub label: Option<String>,
    /// `rtsp`: the mount point it is to be served at.
    pub rtsp: Option<String>,
}

//! What an instrument says of itself: plain data, swapped whole.

use std::{collections::VecDeque, sync::Arc};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::value::ParamValue;

/// Whether a device can be talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It answers and is the device its driver is for.
    Connected,
    /// The link is being opened or the device asked who it is.
    Connecting,
    /// It cannot be reached or does not answer; it is tried again.
    Offline,
    /// `enabled = false`
    Disabled,
}

/// How far a readback can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Read within the time it is expected in.
    Good,
    /// Older than expected, or the device is gone.
    Stale,
    /// The device answered something that is not a value.
    Invalid,
    /// Never read.
    None,
}

/// One instrument as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstrumentStatus {
    /// Name in the bench file.
    pub id: String,
    /// The driver's name.
    #[serde(rename = "type")]
    pub driver: String,
    /// What the driver calls the device: `Rigol DP832 power supply`.
    pub driver_name: String,
    /// Address as the bench file writes it.
    pub address: String,
    /// Where the link really goes: `tcp://127.0.0.1:40123`, `serial:///dev/pts/3`. For a simulated
    /// instrument the server's own address. `None` while there is no link.
    pub link: Option<String>,
    /// Whether it can be talked to.
    pub state: LinkState,
    /// Answer to the identity question: `DP832`, serial number and firmware joined by ` · `.
    pub identity: Option<String>,
    /// Time of the last question to its reply, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Why it is offline or what last went wrong.
    pub error: Option<String>,
    /// When the next attempt is due, while offline.
    pub retry_at: Option<Timestamp>,
    /// Parameters in the driver's order, channels expanded. Serialised as a list.
    #[serde(serialize_with = "as_list")]
    pub parameters: IndexMap<String, Arc<ParameterStatus>>,
}

/// One parameter as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterStatus {
    /// Dotted name: `ch1.voltage`.
    pub name: String,
    /// What the driver calls it: `Voltage`.
    pub label: String,
    /// `float`, `int`, `bool`, `enum` or `string`.
    pub kind: &'static str,
    /// Unit of its values.
    pub unit: Option<String>,
    /// `r`, `w` or `rw`.
    pub access: &'static str,
    /// Least and greatest value, limits of the bench file applied.
    #[serde(serialize_with = "pair")]
    pub range: Option<(f64, f64)>,
    /// The words an enum takes.
    pub choices: Vec<String>,
    /// Digits after the point that the driver sends and shows.
    pub decimals: Option<usize>,
    /// What setting it does to the world, if that is dangerous.
    pub hazard: Option<String>,
    /// What the bench file asks for.
    pub setpoint: Option<ParamValue>,
    /// What the device said last.
    pub readback: Option<ParamValue>,
    /// When the reply arrived.
    pub at: Option<Timestamp>,
    /// How far the readback can be trusted.
    pub quality: Quality,
    /// Whether the readback is what was asked for, within the driver's tolerance; `None` where
    /// nothing was asked for or read.
    pub in_tolerance: Option<bool>,
    /// Readbacks of the last 60 s, oldest first; numbers only, at most 2 a second.
    #[serde(skip)]
    pub trend: Trend,
}

/// Readbacks and the times they arrived.
pub type Trend = Arc<VecDeque<(Timestamp, f64)>>;

#[allow(clippy::ref_option, reason = "the signature serde asks for")]
fn pair<S: Serializer>(range: &Option<(f64, f64)>, serializer: S) -> Result<S::Ok, S::Error> {
    range.map(|(least, greatest)| [least, greatest]).serialize(serializer)
}

fn as_list<S: Serializer>(
    parameters: &IndexMap<String, Arc<ParameterStatus>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(parameters.values())
}

//! A driver file as it is written: the keys that exist and their types, nothing more.

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub schema: Spanned<i64>,
    pub driver: About,
    #[serde(default)]
    pub wire: Wire,
    pub identity: Option<Identity>,
    pub errors: Option<Errors>,
    #[serde(default)]
    pub channels: IndexMap<Spanned<String>, Channel>,
    #[serde(default)]
    pub params: IndexMap<Spanned<String>, Param>,
    #[serde(default)]
    pub groups: IndexMap<Spanned<String>, Group>,
    #[serde(default)]
    pub lifecycle: Lifecycle,
    #[serde(default)]
    pub vectors: Vec<Spanned<Vector>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub id: Spanned<String>,
    pub name: Option<String>,
    #[serde(default)]
    pub models: Vec<String>,
    #[serde(default)]
    pub sources: Vec<String>,
    #[serde(default)]
    pub verified: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub tx_end: Option<String>,
    pub rx_end: Option<Spanned<String>>,
    pub rx_strip: Option<String>,
    #[serde(default)]
    pub skip_blank: bool,
    #[serde(default)]
    pub drain_before: bool,
    pub reply_timeout: Option<Spanned<String>>,
    pub gap: Option<Spanned<String>>,
    pub tcp: Option<Tcp>,
    pub serial: Option<Serial>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tcp {
    pub port: Option<u16>,
    pub tx_end: Option<String>,
    pub rx_end: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Serial {
    pub tx_end: Option<String>,
    pub rx_end: Option<String>,
    pub baud: Option<Spanned<u32>>,
    pub bits: Option<Spanned<u8>>,
    #[serde(default)]
    pub parity: super::Parity,
    pub stop: Option<Spanned<u8>>,
    #[serde(default)]
    pub flow: super::Flow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub send: Spanned<String>,
    pub expect: Spanned<String>,
    pub sim: Option<IdentitySim>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentitySim {
    pub reply: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errors {
    pub send: Spanned<String>,
    pub expect: Spanned<String>,
    pub fail: Spanned<String>,
    pub drain: Option<u32>,
    #[serde(default)]
    pub when: When,
    #[serde(default)]
    pub meaning: IndexMap<Spanned<String>, String>,
    pub sim: Option<ErrorsSim>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum When {
    #[default]
    AfterSet,
    Never,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorsSim {
    pub none: Spanned<String>,
    pub unknown: Spanned<String>,
    pub range: Spanned<String>,
    #[serde(default)]
    pub accumulate: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channel {
    pub ids: Option<Spanned<Vec<Scalar>>>,
    pub names: Option<Spanned<IndexMap<String, Scalar>>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    pub fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Param {
    pub label: Option<String>,
    #[serde(rename = "type")]
    pub kind: super::Kind,
    pub unit: Option<String>,
    pub access: Option<Spanned<Access>>,
    pub range: Option<Spanned<[f64; 2]>>,
    #[serde(default)]
    pub range_for: IndexMap<Spanned<String>, [f64; 2]>,
    #[serde(default)]
    pub values: IndexMap<String, Scalar>,
    pub decimals: Option<usize>,
    pub get: Option<Spanned<String>>,
    pub expect: Option<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub set: Option<Spanned<String>>,
    #[serde(default)]
    pub order: i64,
    pub verify: Option<Verify>,
    pub ramp: Option<Ramp>,
    #[serde(default)]
    pub off_first: bool,
    pub hazard: Option<String>,
    pub poll: Option<Spanned<String>>,
    #[serde(default)]
    pub invalid: Vec<String>,
    pub sim: Option<Spanned<Sim>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Access {
    R,
    W,
    Rw,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    pub tol: Option<f64>,
    pub within: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ramp {
    pub max_rate: f64,
    pub per: Per,
    pub tick: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Per {
    S,
    Min,
    H,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sim {
    pub start: Option<Scalar>,
    #[serde(default)]
    pub follows: Vec<String>,
    pub when: Option<String>,
    pub scale: Option<f64>,
    pub offset: Option<f64>,
    pub at_least: Option<f64>,
    pub at_most: Option<String>,
    pub noise: Option<f64>,
    pub lag: Option<String>,
    pub reply: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub send: Spanned<String>,
    pub expect: Spanned<String>,
    pub poll: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifecycle {
    #[serde(default)]
    pub on_connect: Vec<Spanned<String>>,
    #[serde(default)]
    pub safe_state: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    pub param: String,
    pub value: Option<Scalar>,
    #[serde(default)]
    pub with: IndexMap<String, Scalar>,
    pub sends: Option<String>,
    pub asks: Option<String>,
    pub reply: Option<String>,
    pub reads: Option<Scalar>,
}

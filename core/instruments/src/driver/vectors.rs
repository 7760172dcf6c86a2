//! The examples in a driver file that prove it.

use indexmap::IndexMap;

use super::{Driver, WireOverrides};
use crate::{
    template::{Arg, visible},
    value::ParamValue,
};

/// One example: what setting sends, or what a reply reads as. Bytes are those over the first
/// medium of the driver, terminators included.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// The parameter, channel expanded.
    pub param: String,
    /// Setting it to this …
    pub value: Option<ParamValue>,
    /// … while the other fields of its group hold these …
    pub with: IndexMap<String, String>,
    /// … sends this.
    pub sends: Option<String>,
    /// Reading it sends this.
    pub asks: Option<String>,
    /// This reply …
    pub reply: Option<String>,
    /// … reads as this.
    pub reads: Option<ParamValue>,
}

/// An example that does not come out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: vector {index} ({param}): {message}")]
pub struct VectorFailure {
    /// The driver file.
    pub file: String,
    /// Which one, from 1.
    pub index: usize,
    /// The parameter.
    pub param: String,
    /// What came instead.
    pub message: String,
}

impl Driver {
    /// The examples that do not come out; empty if the driver does what its file says.
    pub fn verify_vectors(&self) -> Vec<VectorFailure> {
        let failure = |(index, vector): (usize, &Vector)| {
            let message = self.verify(vector).err()?;
            let (file, param) = (self.file.clone(), vector.param.clone());
            Some(VectorFailure { file, index: index + 1, param, message })
        };
        self.vectors.iter().enumerate().filter_map(failure).collect()
    }

    fn verify(&self, vector: &Vector) -> Result<(), String> {
        let wire = self.wire(self.sim_medium(), &WireOverrides::default());
        let param = self.params.get(&vector.param).ok_or("there is no such parameter")?;
        let same = |what: &str, wanted: &str, is: &str| {
            let told = || format!("{what} “{}”, not “{}”", visible(is), visible(wanted));
            (wanted == is).then_some(()).ok_or_else(told)
        };
        if let (Some(value), Some(sends)) = (&vector.value, &vector.sends) {
            let value = param.accept(value, param.range).map_err(|error| error.to_string())?;
            let template = param.set.as_ref().ok_or("it cannot be set")?;
            let fill = |field: &str| match field {
                "value" => Some(param.to_arg(&value)),
                other => vector.with.get(other).map(|text| Arg::Text(text.clone())),
            };
            let line = template.format(&fill).map_err(|error| error.to_string())?;
            same("setting sends", sends, &(line + &wire.tx_end))?;
        }
        let question = self.question(param);
        if let Some(asks) = &vector.asks {
            let question = question.ok_or("it cannot be read")?;
            same("reading sends", asks, &(question.send.clone() + &wire.tx_end))?;
        }
        if let (Some(reply), Some(reads)) = (&vector.reply, &vector.reads) {
            let question = question.ok_or("it cannot be read")?;
            let line = reply
                .strip_suffix(&wire.rx_end)
                .ok_or_else(|| format!("the reply does not end in “{}”", visible(&wire.rx_end)))?
                .trim_end_matches(|c| wire.rx_strip.contains(c));
            let fields = question.expect.parse(line).map_err(|error| error.to_string())?;
            let field = param.from.as_ref().map_or("value", |(_, field)| field);
            let value = fields.get(field).and_then(|arg| param.from_arg(arg));
            let value = value.ok_or("the reply is not a value")?;
            if !param.agrees(reads, &value) {
                return Err(format!("the reply reads {value}, not {reads}"));
            }
        }
        Ok(())
    }
}

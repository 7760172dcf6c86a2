//! Instruments: what they speak, how they are reached, what they read.
//!
//! A driver file teaches Setpoint an instrument's language; a session owns the link to one device,
//! polls it and carries requests out; a simulator is a server that any driver file can be spoken
//! to with. Sessions and simulators need a tokio runtime.
//!
//! | part | holds |
//! |---|---|
//! | [`value`], [`status`] | [`ParamValue`], [`InstrumentStatus`]: plain data that goes out |
//! | [`driver`] | [`Driver`], a driver file read strictly, and its examples |
//! | [`library`] | [`Library`], the bundled drivers and those of a lab |
//! | [`template`], [`expression`], [`duration`] | the small languages inside driver files |
//! | [`address`] | [`Address`]: `tcp://HOST:PORT`, `serial:///dev/NAME`, `sim:` |
//! | [`transport`], [`line`](mod@line) | sockets and serial lines; messages on them |
//! | `link` | questions and answers, kept in step |
//! | [`session`] | [`Handle`]: one running instrument |
//! | [`sim`] | [`Simulator`]: a simulated instrument behind a real socket or pseudo-terminal |
//!
//! Promises: nothing is written to a device unasked; every wait for a device has a deadline; a
//! late reply is never taken for the answer to another question; an old value is never shown as
//! fresh; a driver file that is wrong in any place is not used.

pub mod address;
pub mod driver;
pub mod duration;
pub mod expression;
pub mod library;
pub mod line;
mod link;
pub mod session;
pub mod sim;
pub mod status;
pub mod template;
pub mod transport;
pub mod value;

pub use address::{Address, AddressError};
pub use driver::{Driver, DriverError, DriverProblem, Kind, ParamFacts, WireOverrides};
pub use library::Library;
pub use link::LinkError;
pub use session::{
    Config, Handle, Instrument, Reapplied, ReconnectRule, SessionError, SetError, SetOutcome,
    Written, disabled_status,
};
pub use sim::Simulator;
pub use status::{InstrumentStatus, LinkState, ParameterStatus, Quality, Trend};
pub use value::ParamValue;

//! Framing and line settings.

use std::time::Duration;

use serde::Deserialize;

use super::Driver;

/// Framing and line settings of a driver file.
#[derive(Debug, Clone, PartialEq)]
pub struct WireFile {
    /// What holds for every transport; its terminators are those of `[wire]`.
    pub common: Wire,
    /// `[wire.tcp]`
    pub tcp: Option<Ends>,
    /// `[wire.tcp] port`: where such devices listen as they leave the factory.
    pub tcp_port: Option<u16>,
    /// `[wire.serial]`
    pub serial: Option<Ends>,
}

/// Terminators that one transport replaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    /// `tx_end`
    pub tx_end: Option<String>,
    /// `rx_end`
    pub rx_end: Option<String>,
}

/// How bytes become messages, and at which pace.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// Ends what is sent.
    pub tx_end: String,
    /// Ends a reply; never empty.
    pub rx_end: String,
    /// Characters taken off the end of a reply.
    pub rx_strip: String,
    /// Replies without a character in them are passed over.
    pub skip_blank: bool,
    /// What arrived before a question is thrown away.
    pub drain_before: bool,
    /// How long a reply may take.
    pub reply_timeout: Duration,
    /// Least silence between two messages.
    pub gap: Duration,
    /// Settings of a serial line.
    pub serial: SerialLine,
}

/// Settings of a serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialLine {
    /// Bits a second.
    pub baud: u32,
    /// Data bits, 5 to 8.
    pub bits: u8,
    /// Parity bit.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop: u8,
    /// Handshake.
    pub flow: Flow,
}

impl Default for SerialLine {
    fn default() -> Self {
        Self { baud: 9600, bits: 8, parity: Parity::None, stop: 1, flow: Flow::None }
    }
}

/// Parity bit of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Odd.
    Odd,
    /// Even.
    Even,
}

/// Handshake of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// None.
    #[default]
    None,
    /// RTS and CTS wires.
    Rtscts,
    /// XON and XOFF characters.
    Xonxoff,
}

/// What a bench file may replace of a driver's wire settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WireOverrides {
    /// `reply_timeout`
    pub reply_timeout: Option<Duration>,
    /// `gap`
    pub gap: Option<Duration>,
    /// `baud`
    pub baud: Option<u32>,
    /// `tx_end`
    pub tx_end: Option<String>,
    /// `rx_end`; an empty one is passed over.
    pub rx_end: Option<String>,
}

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A socket.
    Tcp,
    /// A serial line or pseudo-terminal.
    Serial,
}

impl Driver {
    /// Framing and line settings over one medium, with what a bench file replaces.
    pub fn wire(&self, medium: Medium, overrides: &WireOverrides) -> Wire {
        let mut wire = self.wire.common.clone();
        let ends = match medium {
            Medium::Tcp => &self.wire.tcp,
            Medium::Serial => &self.wire.serial,
        };
        for ends in ends.iter().cloned().chain([Ends {
            tx_end: overrides.tx_end.clone(),
            rx_end: overrides.rx_end.clone().filter(|end| !end.is_empty()),
        }]) {
            wire.tx_end = ends.tx_end.unwrap_or(wire.tx_end);
            wire.rx_end = ends.rx_end.unwrap_or(wire.rx_end);
        }
        wire.reply_timeout = overrides.reply_timeout.unwrap_or(wire.reply_timeout);
        wire.gap = overrides.gap.unwrap_or(wire.gap);
        wire.serial.baud = overrides.baud.unwrap_or(wire.serial.baud);
        wire
    }

    /// What carries a simulated one: a socket if such devices have one, else a serial line.
    pub fn sim_medium(&self) -> Medium {
        if cfg!(unix) && self.wire.tcp.is_none() && self.wire.serial.is_some() {
            Medium::Serial
        } else {
            Medium::Tcp
        }
    }
}

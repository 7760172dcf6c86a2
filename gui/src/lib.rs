//! Setpoint's faces for people: the command line and the panel.
//!
//! | part | holds |
//! |---|---|
//! | [`cli`] | the command line, one file a command |
//! | [`panel`] | the window: shell, pages, dialogs, widgets |
//! | [`author`] | who is at the keyboard |
//! | [`serving`] | starting a runtime with its HTTP server, and stopping both |
//! | [`logging`] | the log on stderr, at the level the bench file asks for |
//! | [`demo`] | a fresh copy of the demo bench |
//! | [`values`] | the plain values of a text |
//! | [`last_bench`] | which bench was open last |
//! | [`settings`] | what the person allows for every bench |
//! | [`times`] | times as people write them |
//!
//! Promises: the drawing thread never waits for disk, device or network; a command ends with the
//! exit status that it documents and never with a panic; a reader that went away is no error.

pub mod author;
pub mod cli;
pub mod demo;
pub mod last_bench;
pub mod logging;
pub mod panel;
pub mod serving;
pub mod settings;
pub mod times;
pub mod values;

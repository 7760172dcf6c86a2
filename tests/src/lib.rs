//! What tests of the real program need.
//!
//! Everything here treats Setpoint as others do: a process with files, sockets, signals and a
//! window. No crate of Setpoint is used, so that a test cannot see what a person cannot.
//!
//! | part | holds |
//! |---|---|
//! | [`bench`] | [`Bench`]: a bench file in a folder of its own, and ways of saving it |
//! | [`program`] | finding `setpoint`, running it to its end, or as a [`Process`] |
//! | [`server`] | [`Server`]: `setpoint serve` |
//! | [`panel`] | [`Panel`]: the panel on a display of its own |
//! | [`api`] | [`Api`]: HTTP with the token of a running instance |
//! | [`wire`] | [`Wire`]: the socket of an instrument |
//! | [`fake`] | [`FakeSupply`]: a small power supply that nobody at Setpoint wrote the driver for |
//! | [`hang`] | [`Hang`]: system calls of a program that do not come back |
//! | [`display`] | [`Display`]: a virtual screen with mouse, keys and screenshots |
//! | [`picture`] | [`Picture`]: a screenshot and the words in it |
//! | [`wait`] | [`until`]: waiting for something to become so |
//!
//! A peer that is missing (`Xvfb`, `tesseract`, `setpoint` itself) fails the test with what to do.

pub mod api;
pub mod bench;
pub mod display;
pub mod fake;
pub mod hang;
pub mod panel;
pub mod picture;
pub mod program;
pub mod server;
pub mod wait;
pub mod wire;

pub use api::{Answer, Api};
pub use bench::Bench;
pub use display::Display;
pub use fake::FakeSupply;
pub use hang::Hang;
pub use panel::Panel;
pub use picture::Picture;
pub use program::{Outcome, Process};
pub use server::Server;
pub use wait::until;
pub use wire::Wire;

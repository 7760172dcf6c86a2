//! The runtime manager: one way in for every change, one [`Status`] and one stream of events out.
//!
//! Every change, whoever makes it, passes the same nine stations in the manager's one task:
//! parse, resolve, check, diff, plan, keep, apply, write, announce. Nothing else touches a
//! device, a pipeline or the file.
//!
//! | part | holds |
//! |---|---|
//! | [`handle`] | [`Runtime`]: how screens and servers reach a running bench |
//! | [`command`] | [`Command`], [`Answer`], [`CommandError`] |
//! | [`status`] | [`Status`], everything a screen needs |
//! | [`event`] | [`Event`], [`Origin`] |
//! | [`catalogue`] | the driver library as the checks of a bench file see it |
//! | [`start`] | opening a bench, also when its file is broken |
//! | `manager` | the task: one command after the other |
//! | `passage` | the nine stations |
//! | `plan` | differences to ordered steps |
//! | `apply` | taking steps, and taking them back |
//! | `components` | the instruments and sources that run |
//! | `staging` | the panel's open transaction |
//! | `keeping` | file, revisions, journal and audit, off the async threads |
//! | `publish` | putting the status together, at most 30 times a second |
//!
//! Promises: a rejected change leaves no trace; a change whose step fails is undone in reverse
//! with the values read just before; a broken file never stops a running bench.

mod apply;
pub mod catalogue;
pub mod command;
mod committing;
mod components;
mod cpu;
pub mod event;
mod event_log;
mod file_side;
mod files;
mod frames;
pub mod handle;
mod keeping;
mod manager;
mod offline;
mod passage;
mod plan;
mod publish;
mod staging;
pub mod start;
pub mod status;

pub use catalogue::Drivers;
pub use command::{Answer, Applied, Command, CommandError, Keep, Reapplied};
pub use event::{Event, Origin, Subject, Tone};
pub use handle::{Pending, Runtime, StatusReader};
pub use offline::{OfflineBench, OfflineEdit};
pub use plan::plan_between;
pub use setpoint_bench::Clash;
pub use start::{Options, StartError};
pub use status::*;

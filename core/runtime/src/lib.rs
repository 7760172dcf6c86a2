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
//! | `beside` | files beside the bench file, drivers among them, and what their changes do |
//! | `plan` | differences to ordered steps |
//! | `apply` | taking steps, and taking them back |
//! | `asking` | raw queries and setpoints set again, beside the manager's work |
//! | `components` | the instruments and sources that run |
//! | `going_back` | what going back to a revision comes to |
//! | `naming` | snapshots and labels of what runs or ran |
//! | [`offline`] | snapshots, labels and going back on the files of a bench that nobody runs |
//! | `staging` | one transaction: its edits, rebased on what runs |
//! | `transactions` | all of them: commands, commit, expiry, previews, the disk |
//! | `keeping` | file, revisions, journal and audit, off the async threads |
//! | `kept` | all that is known of one revision |
//! | `recording` | what goes to the history database: events, readings, pictures |
//! | `journaling` | what is about to happen, and each step as it is taken |
//! | `unfinished` | a change that an earlier run did not finish; `deciding`: what decisions about it write |
//! | `secrets` | what nobody is shown |
//! | `exposed` | who else may read secrets |
//! | `shelf` | what is kept, also where nothing can be |
//! | `standing` | how bench and file stand to each other; `breaker`, `doubt`: what is not applied at once |
//! | `coming` | a text that is being saved, read while it is waited out |
//! | `file_side` | saves seen, reload; `unwritten`: what could not be written, sync |
//! | `telling` | how a change went, where it is looked for |
//! | `publish` | putting the status together, at most 30 times a second |
//!
//! Promises: a rejected change leaves no trace; a change whose step fails is undone in reverse
//! with the values read just before; a broken file never stops a running bench.

mod apply;
mod asking;
mod beside;
mod breaker;
pub mod catalogue;
mod coming;
pub mod command;
mod committing;
mod components;
mod cpu;
mod deciding;
mod doubt;
mod driver_files;
pub mod event;
mod event_log;
mod exposed;
mod file_side;
mod files;
mod frames;
mod going_back;
pub mod handle;
mod journaling;
mod keeping;
mod kept;
mod manager;
mod naming;
pub mod offline;
mod passage;
mod plan;
mod publish;
mod recording;
mod secrets;
mod shelf;
mod staging;
mod standing;
pub mod start;
pub mod status;
mod telling;
mod transactions;
mod unfinished;
mod unwritten;

pub use catalogue::Drivers;
pub use command::{Answer, Applied, Blocker, Command, CommandError, Keep, Reapplied, Validated};
pub use event::{Event, Origin, Subject, Tone};
pub use handle::{Pending, Runtime, StatusReader};
pub use kept::KeptRevision;
pub use offline::Offline;
pub use plan::plan_between;
pub use setpoint_bench::Clash;
pub use setpoint_store::history::{EventFilter, HistoryEvent, Order, RevisionFacts, TrendPoint};
pub use setpoint_store::{AccessRules, RevisionQuery, SettingsError};
pub use start::{Options, StartError};
pub use status::*;

//! What must survive: the bench file itself, its revisions, and the traces from which a restart
//! finds its way. Knows nothing of devices or screens; everything here is plain blocking code, so
//! call it from a thread that may wait for a disk.
//!
//! # Parts
//! - [`folder`]: the folder `.setpoint` beside the bench file, and the lock that keeps a second
//!   Setpoint out
//! - [`atomic`]: reading the bench file, and replacing it so that it is whole at every instant
//! - [`access`]: which files a bench may be made of, by who else may write them and where they lie
//! - [`hash`]: the fingerprint that decides whether two texts are the same
//! - [`watch`]: following the bench file through every way in which programs save
//! - [`revisions`]: every accepted state of the bench file, as plain TOML files
//! - [`audit`]: the append-only record of what was done, each line vouching for the one before
//! - [`history`]: events, readings and pictures at revisions, readbacks over time, in a database
//! - [`transactions`]: changes that are staged and not yet in effect, one file each
//! - [`journal`]: what a commit was about to do, on disk before its first step
//! - [`surroundings`]: the files beside the bench file, for reading it in layers
//! - [`run`]: where a running Setpoint can be reached, and with which token
//! - `private`: folders of this user alone, for locks across folders and where `.setpoint` cannot be
//!   written
//!
//! # Promises
//! - A file is entirely the old text or entirely the new one, also after a crash, and a symbolic
//!   link to it stays a link.
//! - What was acknowledged is on the disk, not only in its cache.
//! - No text that looks half saved is reported before it has been still for a second, or gone on
//!   changing for five.
//! - A revision number is never used twice.
//! - Damage costs what is damaged and no more, and is reported.

pub mod access;
pub mod atomic;
pub mod audit;
mod error;
pub mod folder;
pub mod hash;
pub mod history;
pub mod journal;
mod private;
pub mod revisions;
pub mod run;
pub mod surroundings;
mod trail;
pub mod transactions;
pub mod watch;

pub use access::{AccessError, AccessRules, SettingsError};
pub use atomic::FileText;
pub use audit::{Audit, AuditRecord};
pub use error::{ReadError, StoreError};
pub use folder::{BenchFolder, FolderLock};
pub use hash::TextHash;
pub use history::{History, HistoryReader};
pub use journal::{Intent, Journal, StepNote};
pub use private::TargetLock;
pub use revisions::{Facts, RevisionQuery, RevisionRecord, Revisions};
pub use run::{RunFile, RunGuard};
pub use surroundings::DiskSurroundings;
pub use transactions::{EditRecord, FoundTransactions, TransactionRecord, Transactions};
pub use watch::{Beside, FileSeen, WatchMethod, WatchMode, WatchOptions, Watcher};

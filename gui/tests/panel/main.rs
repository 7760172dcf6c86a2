//! The panel, drawn and clicked without a bench behind it.

mod bench;
mod fixture;
mod shell;
mod snapshots;
mod stage;

//! The watcher against every way in which programs save and systems fail. Absence of a report can
//! only be shown by waiting a while; everything else waits for what is to come, with a deadline.
//!
//! Cases that were reported of other programs, by their numbers in the list that this watcher was
//! built against, and the tests that make them. Those in `cases` run by native watching and by
//! polling; those in `world` in a mount and user namespace of their own.
//!
//! | case | test |
//! |---|---|
//! | 1 save by rename kills a file watch | `cases::case_01_…` |
//! | 2 renamed to a backup, then a gap | `cases::case_02_…` |
//! | 3 truncated, then written | `cases::case_03_…` |
//! | 4 the beginning of a text is a text | `cases::case_04_…`, `torn` |
//! | 5 the writer pauses | `cases::case_05_…` |
//! | 6 data-folder swap | `cases::case_06_…` |
//! | 7, 8 link: its target edited, itself replaced | `cases::case_07_…`, `cases::case_08_…` |
//! | 9 our save keeps the link | `cases::case_09_…` |
//! | 10 bind mount of one file | `world::case_10_…` |
//! | 11 no events and no error | `world::case_11_…`, `watch::filesystem` |
//! | 12 changed below an overlay | `world::case_12_…` |
//! | 13 times that do not change | `cases::case_13_…` |
//! | 16 queue overflow | `watch::native::tests::case_16_…` |
//! | 17 limits of the system | `world::case_17_…` |
//! | 18, 19 folder deleted, folder renamed away | `cases::case_18_…`, `cases::case_19_…` |
//! | 20 mounted over | `world::case_20_…` |
//! | 22 changed before it is watched | `cases::case_22_…` |
//! | 23 own writes | `cases::case_23_…` |
//! | 24, 25 neighbours, readers | `cases::case_24_…`, `cases::case_25_…` |
//! | 26 several files together | `beside::case_26_…` |
//! | 27 a constant stream | `cases::case_27_…` |
//! | 28 one save, five events | `cases::case_28_…` |
//! | 29 events of any kind | `cases::case_29_…` |
//! | 30, 31 a bad file, and the next good one | `cases::case_31_…`; that what runs goes on is the runtime's |
//! | 33 files beside the bench file | `beside::case_33_…` |
//! | 35 BOM and CRLF | `cases::case_35_…` |
//!
//! Not the watcher's: 32 (what is good is known only when all is applied) and 34 (overrides from
//! the environment) are the runtime's, 38 (comments) that of `setpoint_bench`; 36 is Windows.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod bench;
mod beside;
mod cases;
mod idle;
mod saves;
mod torn;
mod world;

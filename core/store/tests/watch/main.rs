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
//! | 16 queue overflow | `overflow::case_16_…` |
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
//! | 30, 31 a bad file, and the next good one | `case_30_…` of the runtime, `cases::case_31_…` |
//! | 32 last good is what all took | `case_32_…` of the runtime |
//! | 33 files beside the bench file | `beside::case_33_…` |
//! | 34 overrides from the environment | `case_34_…` of the runtime |
//! | 35 BOM and CRLF | `cases::case_35_…` |
//! | 38 comments are lost on a save | `case_38_…` of the runtime, properties of `setpoint_bench` |
//!
//! Those of the runtime are in `core/runtime/tests/watch_cases.rs`: they are about what runs, not
//! about what is seen. 36 is Windows.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod bench;
mod beside;
mod cases;
mod idle;
mod overflow;
mod saves;
mod torn;
mod world;

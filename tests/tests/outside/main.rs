//! Setpoint from outside: the real program, real files, sockets, signals and windows.

mod access;
mod audit;
mod bad_edit;
mod bad_input;
mod change;
mod clock;
mod commands;
mod events;
mod file_edit;
mod following;
mod frames;
mod hammer;
mod hostile;
mod keys;
mod recover;
mod revisions;
mod rights;
mod schema;
mod silent_disk;
mod stopping;
mod text;
mod transactions;
mod trend;
mod two_instances;
mod unreachable;
mod window;

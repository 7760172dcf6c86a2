//! Setpoint from outside: the real program, real files, sockets, signals and windows.

mod access;
mod bad_edit;
mod bad_input;
mod change;
mod commands;
mod file_edit;
mod frames;
mod hammer;
mod hostile;
mod stopping;
mod text;
mod two_instances;
mod unreachable;
mod window;

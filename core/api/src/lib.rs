//! HTTP over the runtime: the calls of `interface.md`, for programs and the command line.
//!
//! [`serve`] binds an address and answers until its [`ServerHandle`] is shut down or dropped.
//! Handlers read the runtime's `Status` and hand it commands; they hold no state of their own.
//!
//! | part | holds |
//! |---|---|
//! | [`server`] | [`serve`], [`ServerHandle`], [`ApiError`] |
//! | [`problem`] | [`Problem`]: every refusal as an RFC 9457 document |
//! | [`guard`] | who may ask: `Host` and bearer token |
//! | [`input`] | bodies and headers, read with limits and checked |
//! | [`edits`] | what is to change: bodies with edits |
//! | [`picture`] | a frame as PNG |
//! | `routes` | one file for each group of calls |
//!
//! Promises: every answer with a status of 400 or more is a problem document; nothing but
//! `/healthz` is answered without the token; a key of a request that is not understood is refused,
//! never ignored; a request body is at most 16 MiB and is waited for at most a minute.

pub mod edits;
pub mod guard;
pub mod input;
pub mod picture;
pub mod problem;
mod routes;
pub mod server;

pub use problem::Problem;
pub use server::{ApiError, ServerHandle, serve};

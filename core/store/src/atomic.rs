//! Reading the bench file, and replacing it so that it is whole at every instant.

mod read;
mod replace;

pub use read::{FileText, MAX_BYTES, read};
pub(crate) use read::{Stat, read_with_stat};
pub(crate) use replace::{random_hex, replace_private};
pub use replace::{replace, sweep_temporary};

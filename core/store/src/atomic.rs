//! Reading the bench file, and replacing it so that it is whole at every instant.

mod read;
mod replace;
mod temporary;

pub use read::{FileText, MAX_BYTES, read};
pub(crate) use read::{Stat, read_with_stat};
pub(crate) use replace::replace_private;
pub use replace::{replace, replace_checked};
pub(crate) use temporary::random_hex;
pub use temporary::{sweep_folder, sweep_temporary};

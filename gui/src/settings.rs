//! The person's settings, the same for every bench: `setpoint/settings.toml` in the folder for
//! configuration.

use std::path::PathBuf;

use setpoint_store::{AccessRules, SettingsError};

use crate::last_bench::folder;

/// Where they are: below `$XDG_CONFIG_HOME`, else below `~/.config`; `None` if there is no home.
pub fn file() -> Option<PathBuf> {
    Some(folder("XDG_CONFIG_HOME", ".config")?.join("setpoint").join("settings.toml"))
}

/// Which files a bench may be made of. Without settings nothing is allowed that is dangerous.
///
/// # Errors
/// If there are settings that cannot be read, or hold something else.
pub fn access() -> Result<AccessRules, SettingsError> {
    file().map_or_else(|| Ok(AccessRules::default()), |file| AccessRules::read(&file))
}

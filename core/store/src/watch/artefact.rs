//! Names of files that editors make while they save.

use std::ffi::OsStr;

const ENDS: [&str; 9] =
    ["~", ".swp", ".swo", ".swx", ".tmp", ".bak", ".kate-swp", ".crdownload", ".part"];
const BEGINS: [&str; 5] = [".#", ".goutputstream-", "___jb_", ".syncthing.", "~syncthing~"];

/// Whether a file is a by-product of saving another: a backup, a lock, a temporary file, ours
/// among them. Such a one is no part of a bench, whatever pattern it matches.
pub(crate) fn is_artefact(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return true };
    let enclosed = name.len() > 1 && name.starts_with('#') && name.ends_with('#');
    // Vim tries whether it may write with 4913, 5036, …
    let number = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    enclosed
        || number
        || BEGINS.iter().any(|begin| name.starts_with(begin))
        || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_leave_is_told_from_what_people_write() {
        for name in [
            ".bench.toml.swp",
            "bench.toml~",
            "4913",
            "#bench.toml#",
            ".#bench.toml",
            ".bench.toml.setpoint-0f3a9c11.tmp",
            ".goutputstream-ABC123",
            "bench.toml___jb_tmp___.tmp",
        ] {
            assert!(is_artefact(OsStr::new(name)), "{name}");
        }
        for name in ["bench.toml", ".env", "..data", "2024.toml", "#1.toml", "optics.toml", "12"] {
            assert!(!is_artefact(OsStr::new(name)), "{name}");
        }
    }
}

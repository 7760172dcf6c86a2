//! A fresh copy of the demo bench.

use std::{env, fs, io, path::PathBuf};

use jiff::Zoned;

/// The demo bench as it is delivered.
pub const TEXT: &str = include_str!("../../assets/demo/bench.toml");

/// Copies before trying another folder name is given up.
const ATTEMPTS: u32 = 100;

/// Writes the demo bench into a folder of its own under the user's data folder, or under the
/// temporary folder where that cannot be written, and returns the file's path.
///
/// # Errors
/// The last error if neither folder can be written.
pub fn copy() -> io::Result<PathBuf> {
    let stamp = Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for base in [crate::last_bench::folder("XDG_DATA_HOME", ".local/share"), Some(env::temp_dir())]
        .into_iter()
        .flatten()
    {
        match copy_below(&base.join("setpoint").join("demo"), &stamp) {
            Ok(file) => return Ok(file),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn copy_below(base: &std::path::Path, stamp: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(base)?;
    for attempt in 0..ATTEMPTS {
        let name = if attempt == 0 { stamp.to_owned() } else { format!("{stamp}-{attempt}") };
        let folder = base.join(name);
        match fs::create_dir(&folder) {
            Ok(()) => {
                let file = folder.join("bench.toml");
                fs::write(&file, TEXT)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_copies_at_one_moment_get_folders_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let one = copy_below(folder.path(), "now").unwrap();
        let two = copy_below(folder.path(), "now").unwrap();
        assert_ne!(one, two);
        assert_eq!(fs::read_to_string(two).unwrap(), TEXT);
    }
}

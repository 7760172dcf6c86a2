//! The texts of the repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Text files that people write; pictures, fonts and the like are left alone.
const TEXTS: &[&str] = &["rs", "toml", "md", "sh", "yml", "yaml", "json", "desktop", "lock"];
/// Folders without a dot that are nobody's work.
const SKIPPED: &[&str] = &["target"];
/// Folders with a dot that are.
const DOTTED: &[&str] = &[".cargo", ".ci", ".github"];

/// One text.
#[derive(Debug)]
pub(crate) struct File {
    /// From the top folder, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl File {
    /// What follows the last point of the name.
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |two| two.1)
    }
}

/// All texts below `root`, in order of their paths.
pub(crate) fn collect(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let dotted = name.starts_with('.') && !DOTTED.contains(&name.as_str());
                if !dotted && !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if kind.is_file() {
                let mut file = File { path: slashed(&path), text: String::new() };
                let of_interest =
                    TEXTS.contains(&file.extension()) || file.path.starts_with(".ci/");
                if of_interest {
                    let bytes = fs::read(root.join(&path))?;
                    file.text = String::from_utf8_lossy(&bytes).into_owned();
                    files.push(file);
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

//! The files beside a bench file: which ones there are, and where others could appear.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use setpoint_bench::layers::Surroundings as _;

use super::way::Way;
use crate::{DiskSurroundings, TextHash, atomic::Stat};

/// More folders than this are not watched for one bench; what appears in others is found by
/// asking for their state.
const MOST_FOLDERS: usize = 1_000;

/// How single names are matched, as [`DiskSurroundings`] does.
pub(super) const NAMES: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that belong to a bench besides the bench file. Names and patterns are relative to
/// its folder, with `/` between their parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Files by name, whether they are there or not, with the fingerprint of what the owner has
    /// read. One that holds something else, or that the owner has not read, is reported as
    /// changed when it begins to be followed.
    pub files: Vec<(String, Option<TextHash>)>,
    /// Patterns, as in `include`: each file that matches belongs to the bench.
    pub patterns: Vec<String>,
}

/// The folders in which a pattern looks.
#[derive(Debug, Default)]
pub(super) struct Lookouts {
    patterns: Arc<[String]>,
    pub(super) ways: Vec<Way>,
    /// What names in those folders could match, by part of a pattern.
    pub(super) parts: Vec<glob::Pattern>,
    /// The same of the last parts.
    pub(super) last_parts: Vec<glob::Pattern>,
    /// The state of each folder: it changes when a name comes or goes.
    states: Vec<(PathBuf, Option<Stat>)>,
}

impl Lookouts {
    /// For the patterns of a bench; looks at the folders.
    pub(super) fn new(bench: &Path, patterns: &[String]) -> Self {
        let folder = bench.parent().unwrap_or(Path::new("/"));
        let disk = DiskSurroundings::beside(bench);
        let mut lookouts = Self { patterns: patterns.into(), ..Self::default() };
        for pattern in patterns {
            let parts: Vec<&str> = pattern.split('/').filter(|part| *part != ".").collect();
            let last = parts.len() - 1;
            // The folders above one that is named from the top are nobody's business here.
            let begin = if pattern.starts_with('/') {
                parts.iter().position(|part| is_pattern(part)).unwrap_or(last)
            } else {
                0
            };
            // All folders that the first parts lead to; each is looked into for the next part.
            let above = parts.get(..begin).unwrap_or_default().join("/");
            let mut here = vec![match above.as_str() {
                "" if begin > 0 => PathBuf::from("/"),
                above => folder.join(above),
            }];
            for (at, part) in parts.iter().enumerate().skip(begin) {
                for folder in &here {
                    lookouts.look_into(folder);
                }
                if let Ok(name) = glob::Pattern::new(part) {
                    if at == last && !lookouts.last_parts.contains(&name) {
                        lookouts.last_parts.push(name.clone());
                    }
                    if !lookouts.parts.contains(&name) {
                        lookouts.parts.push(name);
                    }
                }
                if at == last {
                    break;
                }
                here = if is_pattern(part) {
                    let names = disk.folders(&parts[..=at].join("/")).unwrap_or_default();
                    let below = names.into_iter().map(|name| folder.join(name));
                    // `**` also stands for no folder at all.
                    let none = here.into_iter().filter(|_| *part == "**");
                    none.chain(below).collect()
                } else {
                    here.iter().map(|folder| folder.join(part)).collect()
                };
            }
        }
        lookouts
    }

    fn look_into(&mut self, folder: &Path) {
        let known = self.states.iter().any(|(known, _)| known == folder);
        if !known && self.states.len() < MOST_FOLDERS {
            self.ways.push(Way::into_folder(folder));
            self.states.push((folder.to_owned(), Stat::of(folder)));
        }
    }

    /// Whether a name came or went in one of the folders, or a folder was replaced.
    pub(super) fn changed(&self) -> bool {
        self.states.iter().any(|(folder, state)| Stat::of(folder) != *state)
    }

    /// The same patterns, looked up anew.
    pub(super) fn again(&self, bench: &Path) -> Self {
        Self::new(bench, &self.patterns)
    }

    /// The files that match now.
    pub(super) fn files(&self, bench: &Path) -> Vec<PathBuf> {
        let folder = bench.parent().unwrap_or(Path::new("/"));
        let disk = DiskSurroundings::beside(bench);
        let mut files = Vec::new();
        for pattern in self.patterns.iter() {
            // A pattern that is none is a finding of the bench's check.
            for name in disk.matching(pattern).unwrap_or_default() {
                let path = folder.join(name);
                if path != bench && !files.contains(&path) {
                    files.push(path);
                }
            }
        }
        files
    }
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

//! Which crate may use which: the rooms of the design.

use super::{Finding, files::File};

/// One room.
struct Room {
    /// Its folder.
    folder: &'static str,
    /// Its crate.
    name: &'static str,
    /// Crates of this repository that it may use.
    may_use: &'static [&'static str],
    /// Crates of others that it must not, because of what it should know nothing of.
    must_not: &'static [&'static str],
}

const SCREENS: &[&str] = &["egui", "eframe", "egui_extras", "rfd", "clap"];
/// The bench file as a language is pure: no disk, time or task.
const WORLD: &[&str] = &[
    "egui",
    "eframe",
    "egui_extras",
    "rfd",
    "clap",
    "tokio",
    "jiff",
    "rustix",
    "notify",
    "tempfile",
];

/// The rooms, from the ground up.
const ROOMS: &[Room] = &[
    Room { folder: "core/bench", name: "setpoint-bench", may_use: &[], must_not: WORLD },
    Room {
        folder: "core/store",
        name: "setpoint-store",
        may_use: &["setpoint-bench"],
        must_not: SCREENS,
    },
    Room {
        folder: "core/instruments",
        name: "setpoint-instruments",
        may_use: &[],
        must_not: SCREENS,
    },
    Room { folder: "core/video", name: "setpoint-video", may_use: &[], must_not: SCREENS },
    Room {
        folder: "core/runtime",
        name: "setpoint-runtime",
        may_use: &["setpoint-bench", "setpoint-store", "setpoint-instruments", "setpoint-video"],
        must_not: SCREENS,
    },
    Room {
        folder: "core/api",
        name: "setpoint-api",
        may_use: &[
            "setpoint-bench",
            "setpoint-store",
            "setpoint-instruments",
            "setpoint-video",
            "setpoint-runtime",
        ],
        must_not: SCREENS,
    },
    Room {
        folder: "gui",
        name: "setpoint",
        may_use: &[
            "setpoint-bench",
            "setpoint-store",
            "setpoint-instruments",
            "setpoint-video",
            "setpoint-runtime",
            "setpoint-api",
        ],
        must_not: &["tokio-serial", "serialport", "gstreamer", "notify"],
    },
    Room { folder: "tests", name: "setpoint-tests", may_use: OURS, must_not: &[] },
    Room { folder: "packaging/xtask", name: "xtask", may_use: &[], must_not: &[] },
];

const OURS: &[&str] = &[
    "setpoint-bench",
    "setpoint-store",
    "setpoint-instruments",
    "setpoint-video",
    "setpoint-runtime",
    "setpoint-api",
    "setpoint",
];

/// All breaches in the manifests among `files`.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in ROOMS {
        let path = format!("{}/Cargo.toml", room.folder);
        let Some(manifest) = files.iter().find(|file| file.path == path) else {
            let message = format!("the manifest of {} is missing", room.name);
            findings.push(Finding { file: path, line: 0, message });
            continue;
        };
        for Dependency { line, name, tests_only } in dependencies(&manifest.text) {
            if let Some(message) = breach(room, name, tests_only) {
                findings.push(Finding { file: path.clone(), line, message });
            }
        }
    }
    findings
}

/// A crate that a manifest names.
struct Dependency<'a> {
    line: usize,
    name: &'a str,
    tests_only: bool,
}

fn breach(room: &Room, dependency: &str, tests_only: bool) -> Option<String> {
    let name = room.name;
    if name == "xtask" {
        return Some(format!("{name} uses {dependency}: it uses the standard library alone"));
    }
    if dependency.starts_with("setpoint") && !room.may_use.contains(&dependency) {
        return Some(format!("{name} must know nothing of {dependency}"));
    }
    // A crate's own tests may have files and clocks.
    (!tests_only && room.must_not.contains(&dependency))
        .then(|| format!("{name} must do without {dependency}"))
}

fn dependencies(manifest: &str) -> impl Iterator<Item = Dependency<'_>> {
    let mut inside = false;
    let mut tests_only = false;
    manifest.lines().enumerate().filter_map(move |(at, line)| {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
            tests_only = line.contains("dev-dependencies");
            return None;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let named = inside && !name.is_empty() && !name.starts_with('#');
        named.then_some(Dependency { line: at + 1, name, tests_only })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(changed: &str, manifest: &str) -> Vec<Finding> {
        let files: Vec<_> = ROOMS
            .iter()
            .map(|room| File {
                path: format!("{}/Cargo.toml", room.folder),
                text: if room.folder == changed { manifest.to_owned() } else { String::new() },
            })
            .collect();
        check(&files)
    }

    #[test]
    fn a_look_upwards_is_found() {
        let manifest = "[package]\nname = \"setpoint-store\"\n\n[dependencies]\nserde.workspace = true\nsetpoint-runtime = { path = \"../runtime\" }\n";
        let found = repository("core/store", manifest);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].file.as_str(), found[0].line), ("core/store/Cargo.toml", 6));
        assert!(found[0].message.contains("setpoint-runtime"));
    }

    #[test]
    fn the_core_knows_no_screen_and_the_bench_no_clock() {
        assert_eq!(repository("core/api", "[dependencies]\negui.workspace = true\n").len(), 1);
        assert_eq!(repository("core/bench", "[dependencies]\njiff.workspace = true\n").len(), 1);
        assert!(repository("core/store", "[dependencies]\njiff.workspace = true\n").is_empty());
    }

    #[test]
    fn a_crates_own_tests_may_use_files_but_look_no_higher() {
        assert!(repository("core/bench", "[dev-dependencies]\ntempfile = \"3\"\n").is_empty());
        let upwards = "[dev-dependencies]\nsetpoint-runtime.workspace = true\n";
        assert_eq!(repository("core/bench", upwards).len(), 1);
    }

    #[test]
    fn a_room_that_is_gone_is_found() {
        assert_eq!(check(&[]).len(), ROOMS.len());
    }
}

//! The drivers there are: bundled ones, and files of a lab's own, which win.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use indexmap::IndexMap;

use crate::driver::{self, Driver, DriverProblem, ParamFacts};

const BUNDLED: [(&str, &str); 2] = [
    ("rigol_dp832.toml", include_str!("../../../assets/drivers/rigol_dp832.toml")),
    ("lakeshore_335.toml", include_str!("../../../assets/drivers/lakeshore_335.toml")),
];

/// All instrument types that can be used.
#[derive(Debug, Clone, Default)]
pub struct Library {
    drivers: IndexMap<String, Arc<Driver>>,
    problems: Vec<DriverProblem>,
    files: Vec<(PathBuf, String)>,
}

impl Library {
    /// The bundled drivers alone.
    pub fn bundled() -> Self {
        Self::load::<&Path>(&[])
    }

    /// The bundled drivers and the `*.toml` files of these folders, nearest folder first. A folder
    /// that is not there is passed over; a broken file is a problem, and the rest works.
    pub fn load<P: AsRef<Path>>(folders: &[P]) -> Self {
        let mut library = Self::default();
        for (name, text) in BUNDLED {
            library.add(Driver::from_toml(name, text).map_err(|error| error.problems));
        }
        for folder in folders.iter().rev() {
            match files(folder.as_ref()) {
                Ok(files) => {
                    for file in files {
                        let name = file.display().to_string();
                        match driver::read(&file) {
                            Ok(text) => {
                                let driver = Driver::from_toml(&name, &text);
                                library.add(driver.map_err(|error| error.problems));
                                library.files.push((file, text));
                            }
                            Err(problem) => library.problems.push(problem),
                        }
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => library.problems.push(DriverProblem {
                    file: folder.as_ref().display().to_string(),
                    line: 1,
                    column: 1,
                    message: format!("the folder of drivers cannot be read: {error}"),
                }),
            }
        }
        library.drivers.sort_keys();
        library
    }

    fn add(&mut self, driver: Result<Driver, Vec<DriverProblem>>) {
        match driver {
            Ok(driver) => {
                self.drivers.insert(driver.id.clone(), Arc::new(driver));
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// The files of the folders that were read, with their texts as they were then.
    pub fn files(&self) -> &[(PathBuf, String)] {
        &self.files
    }

    /// Names of all types, sorted.
    pub fn types(&self) -> Vec<String> {
        self.drivers.keys().cloned().collect()
    }

    /// One driver.
    pub fn get(&self, name: &str) -> Option<Arc<Driver>> {
        self.drivers.get(name).cloned()
    }

    /// All drivers, sorted by name.
    pub fn drivers(&self) -> impl Iterator<Item = &Arc<Driver>> {
        self.drivers.values()
    }

    /// The parameters of one type in the driver's order, channels expanded.
    pub fn parameters(&self, name: &str) -> Option<Vec<ParamFacts>> {
        Some(self.drivers.get(name)?.facts())
    }

    /// What is wrong with driver files that could not be used.
    pub fn problems(&self) -> &[DriverProblem] {
        &self.problems
    }
}

/// The driver files of a folder, sorted, so that the same folder always gives the same library.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_drivers_are_whole() {
        let library = Library::bundled();
        assert_eq!(library.problems(), []);
        assert_eq!(library.types(), ["lakeshore_335", "rigol_dp832"]);
        for driver in library.drivers() {
            assert_eq!(driver.verify_vectors(), []);
        }
    }

    /// Every way of getting and setting has an example: of each parameter one channel at least.
    #[test]
    fn bundled_drivers_prove_every_template() {
        for driver in Library::bundled().drivers() {
            for param in driver.params.values() {
                let leaf = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
                let of = |vector: &&crate::driver::Vector| leaf(&vector.param) == leaf(&param.name);
                let any = |has: fn(&crate::driver::Vector) -> bool| {
                    driver.vectors.iter().filter(of).any(has)
                };
                let name = format!("{} {}", driver.id, param.name);
                assert!(!param.settable() || any(|v| v.sends.is_some()), "{name} set");
                assert!(!param.readable() || any(|v| v.reads.is_some()), "{name} read");
                assert!(!param.readable() || any(|v| v.asks.is_some()), "{name} asked");
            }
        }
    }

    #[test]
    fn own_files_win_and_broken_ones_are_told() {
        let near = tempfile::tempdir().unwrap();
        let far = tempfile::tempdir().unwrap();
        let text = |name: &str| {
            format!(
                "schema = 1\n[driver]\nid = \"rigol_dp832\"\nname = \"{name}\"\n[params.v]\n\
                 type = \"float\"\nget = \"V?\"\n"
            )
        };
        std::fs::write(near.path().join("mine.toml"), text("near")).unwrap();
        std::fs::write(far.path().join("mine.toml"), text("far")).unwrap();
        std::fs::write(near.path().join("broken.toml"), "schema = 1\n[drivr]\n").unwrap();
        let none = near.path().join("none");
        let library = Library::load(&[near.path(), far.path(), &none]);
        assert_eq!(library.get("rigol_dp832").unwrap().name, "near");
        assert_eq!(library.types().len(), 2);
        let [problem] = library.problems() else { panic!("{:?}", library.problems()) };
        assert!(problem.file.ends_with("broken.toml"));
        assert_eq!(problem.line, 2);
        assert!(problem.message.contains("drivr"), "{problem}");
    }
}

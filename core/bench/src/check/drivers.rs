//! What is known of the types of instrument that files name, looked up once.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use crate::catalogue::{Catalogue, LineFacts, ParameterFacts};

/// Drivers that were asked for. It can be kept from one reading to the next as long as the
/// catalogue says the same.
#[derive(Debug, Clone, Default)]
pub struct Drivers {
    known: HashMap<String, Option<Arc<Driver>>>,
    types: OnceLock<Vec<String>>,
}

/// What is known of one type of instrument.
#[derive(Debug, PartialEq)]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// Its parameters, in the driver's order.
    pub parameters: Vec<ParameterFacts>,
    /// What asking it costs.
    pub line: Option<LineFacts>,
    by_name: HashMap<String, usize, foldhash::fast::RandomState>,
}

impl Driver {
    /// A parameter by its dotted name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterFacts> {
        self.parameters.get(self.position(name)?)
    }

    /// Where a parameter is among [`Driver::parameters`].
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Names of its parameters, in the driver's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|facts| facts.name.as_str())
    }
}

impl Drivers {
    /// The type of this name; `None` if the catalogue has none.
    pub fn get(&mut self, name: &str, catalogue: &dyn Catalogue) -> Option<Arc<Driver>> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let driver = catalogue.parameters(name).map(|parameters| {
            let names = parameters.iter().enumerate();
            let by_name = names.map(|(index, facts)| (facts.name.clone(), index)).collect();
            let line = catalogue.line(name);
            Arc::new(Driver { name: name.to_owned(), by_name, parameters, line })
        });
        self.known.insert(name.to_owned(), driver.clone());
        driver
    }

    /// What others were asked for too.
    pub(crate) fn learn(&mut self, other: Self) {
        self.known.extend(other.known);
        if self.types.get().is_none() {
            self.types = other.types;
        }
    }

    /// Names of all types.
    pub fn types(&self, catalogue: &dyn Catalogue) -> &[String] {
        self.types.get_or_init(|| catalogue.types())
    }
}

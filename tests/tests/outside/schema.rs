//! The schema for editors.

use std::fs;

use serde_json::Value;
use setpoint_tests::{Bench, program};

fn schema(bench: &Bench, arguments: &[&str]) -> (String, Value) {
    let outcome = program::run(bench, &[&["schema"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let schema = serde_json::from_str(&outcome.stdout).expect("a schema is JSON");
    (outcome.stdout, schema)
}

#[test]
fn a_schema_knows_the_drivers_beside_the_bench() {
    let bench = Bench::demo();
    let (text, whole) = schema(&bench, &[]);
    assert_eq!(whole["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(text.contains("rigol_dp832") && text.contains("hot_reload"));
    let drivers = bench.folder().join("drivers");
    fs::create_dir(&drivers).expect("a folder can be made");
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/drivers/rigol_dp832.toml");
    let driver = fs::read_to_string(driver).expect("the driver");
    let driver = driver.replace("id = \"rigol_dp832\"", "id = \"own_supply\"");
    fs::write(drivers.join("own_supply.toml"), driver).expect("it can be written");
    assert!(!text.contains("own_supply"));
    let path = bench.path().display().to_string();
    let (text, _) = schema(&bench, &[&path]);
    assert!(text.contains("own_supply"), "drivers beside the file are known");
    let (_, part) = schema(&bench, &["--part"]);
    assert_ne!(part, whole, "nothing has to be in a part");
    assert_eq!(program::run(&bench, &["schema", "--no-such-thing"]).code, Some(2));
}

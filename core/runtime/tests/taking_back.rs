//! What is taken back when a later step of a change fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod common;

use common::{Bench, STUCK, WIRE, driver, edit};

/// An output that can be set and never read, beside a knob that is stuck.
const BLIND: &str = r#"
[params.power]
type = "enum"
values = { off = "OFF", on = "ON" }
access = "w"
set = "POWER {value}"
order = 30
off_first = true
hazard = "energises the load"
"#;

/// Nobody knows whether it was on: it does not stay on for a change that failed.
#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_cannot_be_read_is_switched_off() {
    let driver = driver("blind", WIRE, &format!("{STUCK}{BLIND}"));
    let text = "bench.name = \"Blind\"\n[instruments.psu]\ntype = \"blind\"\naddress = \"sim:\"\n";
    let bench = Bench::open_with(text, &[("drivers/blind.toml", &driver)]).await;
    let on = edit("instruments.psu.set.power", "on");
    let stuck = edit("instruments.psu.set.stuck", 1.0);
    let failed = bench.change(vec![on, stuck]).await.unwrap_err().to_string();
    assert!(failed.contains("psu.power: switched off (off)"), "{failed}");
    bench.runtime.stop().await;
}

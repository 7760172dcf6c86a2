//! Waiting for what a session says of itself.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;
use setpoint_instruments::{
    Config, Driver, Handle, InstrumentStatus, Library, LinkState, ParamValue, ReconnectRule,
    WireOverrides,
};

/// Longer than anything takes on a busy machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

pub fn config(driver: &str, address: &str) -> Config {
    with_driver(Library::bundled().get(driver).unwrap(), address)
}

pub fn with_driver(driver: Arc<Driver>, address: &str) -> Config {
    Config {
        id: "dut".to_owned(),
        driver,
        address: address.parse().unwrap(),
        wire: WireOverrides::default(),
        setpoints: IndexMap::new(),
        limits: IndexMap::new(),
        on_reconnect: ReconnectRule::Compare,
    }
}

pub async fn until(
    handle: &Handle,
    what: &str,
    holds: impl Fn(&InstrumentStatus) -> bool,
) -> Arc<InstrumentStatus> {
    let mut changes = handle.changes();
    let found = tokio::time::timeout(DEADLINE, changes.wait_for(|status| holds(status))).await;
    match found {
        Ok(status) => status.unwrap().clone(),
        Err(_) => panic!("never: {what}; the status is {:#?}", handle.status()),
    }
}

pub async fn connected(handle: &Handle) -> Arc<InstrumentStatus> {
    until(handle, "connected", |status| status.state == LinkState::Connected).await
}

pub fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.to_owned())
}

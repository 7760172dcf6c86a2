//! Waiting for what a session says of itself.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use indexmap::IndexMap;
use setpoint_instruments::{
    Address, Config, Driver, Handle, InstrumentStatus, Library, LinkState, ParamValue,
    ReconnectRule, WireOverrides,
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
        reports: None,
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

/// A second client of the device, which knows nothing of sessions.
pub async fn ask(link: &str, line: &str) -> String {
    let Ok(Address::Tcp { host, port }) = link.parse::<Address>() else { panic!("{link}") };
    let line = line.to_owned();
    let asking = move || {
        let mut stream = TcpStream::connect((host, port)).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).unwrap();
        reply.trim_end().to_owned()
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}

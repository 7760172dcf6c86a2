//! A session with a simulated temperature controller, over a pseudo-terminal set to 7O1.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use setpoint_instruments::{
    Handle, Library, LinkState, ParamValue, Simulator, address::Address, driver::Medium,
};

mod common;
use common::{config, connected, text, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_sets_and_is_refused() {
    let mut wanted = config("lakeshore_335", "sim:");
    wanted.setpoints.insert("loop1.setpoint".to_owned(), ParamValue::Float(295.0));
    let handle = Handle::start(wanted);
    let status = connected(&handle).await;
    assert!(status.link.as_ref().unwrap().starts_with("serial:///dev/"), "{:?}", status.link);
    assert_eq!(status.identity.as_deref(), Some("MODEL335 · 335A1B7/4512340 · 1.6"));
    let kelvin = status.parameters["a.temperature"].readback.as_ref().unwrap().as_f64().unwrap();
    assert!((kelvin - 294.8).abs() < 0.1, "{kelvin}");

    let outcome = handle.set("loop1.setpoint", ParamValue::Float(295.0)).await.unwrap();
    assert_eq!(outcome.before, Some(ParamValue::Float(294.8)));
    until(&handle, "in tolerance", |status| {
        status.parameters["loop1.setpoint"].in_tolerance == Some(true)
    })
    .await;
    handle.set("loop1.heater_range", text("high")).await.unwrap();
    assert_eq!(handle.query("RANGE? 1").await.unwrap(), "3");
    handle.stop().await;
}

/// `RAMP` sets two things at once: setting one keeps the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_set_together_keep_what_they_hold() {
    let handle = Handle::start(config("lakeshore_335", "sim:"));
    connected(&handle).await;
    handle.set("loop1.ramp_rate", ParamValue::Float(2.5)).await.unwrap();
    assert_eq!(handle.read("loop1.ramp").await.unwrap(), text("off"));
    handle.set("loop1.ramp", text("on")).await.unwrap();
    assert_eq!(handle.query("RAMP? 1").await.unwrap(), "1,2.5");
    handle.set("loop2.i", ParamValue::Float(33.0)).await.unwrap();
    assert_eq!(handle.query("PID? 2").await.unwrap(), "+50.0,+33.0,+0");
    handle.stop().await;
}

/// The device refuses by its event register; the session says it in words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn register_errors_are_told_in_words() {
    let file = include_str!("../../../assets/drivers/lakeshore_335.toml");
    let wide = file.replace("range = [0.0, 1505.0]", "range = [0.0, 99999.0]");
    let wide = setpoint_instruments::Driver::from_toml("wide.toml", &wide).unwrap();
    let device = Simulator::start(Library::bundled().get("lakeshore_335").unwrap()).await.unwrap();
    let handle = Handle::start(common::with_driver(wide.into(), &device.address.to_string()));
    connected(&handle).await;
    let error = handle.set("loop1.setpoint", ParamValue::Float(2000.0)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "loop1.setpoint: the device refused 2000.000 K: execution error: the value is not allowed"
    );
    handle.stop().await;
}

/// The port can be opened again, and the device has kept what it was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_is_let_go_of_and_opened_again() {
    let driver = Library::bundled().get("lakeshore_335").unwrap();
    assert_eq!(driver.sim_medium(), Medium::Serial);
    let device = Simulator::start(driver).await.unwrap();
    let address = device.address.to_string();
    let first = Handle::start(config("lakeshore_335", &address));
    connected(&first).await;
    first.set("loop2.setpoint", ParamValue::Float(300.0)).await.unwrap();

    // A serial line has one owner.
    let second = Handle::start(config("lakeshore_335", &address));
    let status = until(&second, "refused", |status| status.error.is_some()).await;
    let Address::Serial { path } = &device.address else { panic!("{address}") };
    assert_eq!(status.error.as_deref(), Some(&*format!("{path} is in use by another program")));
    assert_eq!(status.state, LinkState::Offline);

    first.stop().await;
    connected(&second).await;
    assert_eq!(second.read("loop2.setpoint").await.unwrap(), ParamValue::Float(300.0));
    second.stop().await;
}

/// Unplugged: the other end of the line is gone for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unplugged_line_goes_offline() {
    let device = Simulator::start(Library::bundled().get("lakeshore_335").unwrap()).await.unwrap();
    let handle = Handle::start(config("lakeshore_335", &device.address.to_string()));
    connected(&handle).await;
    drop(device);
    let status = until(&handle, "offline", |status| status.state == LinkState::Offline).await;
    assert!(status.error.is_some() && status.retry_at.is_some());
    handle.stop().await;
}

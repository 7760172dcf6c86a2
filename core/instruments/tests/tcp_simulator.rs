//! A session with a simulated power supply, over a real socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use setpoint_instruments::{
    LinkState, ParamValue, Quality, SessionError, Simulator, session::Handle,
};

mod common;
use common::{ask, config, connected, text, until};

#[tokio::test]
async fn connects_and_tells_who_it_is() {
    let handle = Handle::start(config("rigol_dp832", "sim:"));
    assert_eq!(handle.status().state, LinkState::Connecting);
    let status = connected(&handle).await;
    assert_eq!(status.identity.as_deref(), Some("DP832 · DP8C1234567 · 00.01.16"));
    assert_eq!(status.address, "sim:");
    assert!(status.link.as_ref().unwrap().starts_with("tcp://127.0.0.1:"));
    assert!(status.round_trip_ms.unwrap() > 0.0);
    let names: Vec<&String> = status.parameters.keys().take(3).collect();
    assert_eq!(names, ["ch1.voltage", "ch1.current_limit", "ch1.output"]);
    for parameter in status.parameters.values() {
        assert_eq!(parameter.quality, Quality::Good, "{}", parameter.name);
        assert!(parameter.at.is_some());
    }
    assert_eq!(status.parameters["ch3.voltage"].range, Some((0.0, 5.0)));
    handle.stop().await;
}

#[tokio::test]
async fn a_value_set_is_on_the_device_and_in_tolerance() {
    let mut wanted = config("rigol_dp832", "sim:");
    wanted.setpoints.insert("ch1.voltage".to_owned(), ParamValue::Float(3.3));
    let handle = Handle::start(wanted);
    let status = connected(&handle).await;
    assert_eq!(status.parameters["ch1.voltage"].in_tolerance, Some(false));
    assert_eq!(status.parameters["ch1.output"].in_tolerance, None);

    let outcome = handle.set("ch1.voltage", ParamValue::Float(3.3)).await.unwrap();
    assert_eq!(outcome.before, Some(ParamValue::Float(0.0)));
    assert_eq!(outcome.readback, ParamValue::Float(3.3));
    assert_eq!(ask(status.link.as_ref().unwrap(), ":SOUR1:VOLT?").await, "3.300");
    until(&handle, "in tolerance", |status| {
        status.parameters["ch1.voltage"].in_tolerance == Some(true)
    })
    .await;

    // Someone turns the knob: the next poll sees it.
    let link = status.link.clone().unwrap();
    ask(&link, ":SOUR1:VOLT 4.000\n*IDN?").await;
    until(&handle, "the change of another client", |status| {
        let voltage = &status.parameters["ch1.voltage"];
        voltage.readback == Some(ParamValue::Float(4.0)) && voltage.in_tolerance == Some(false)
    })
    .await;
    handle.stop().await;
}

#[tokio::test]
async fn refused_values_say_why_and_change_nothing() {
    let mut wanted = config("rigol_dp832", "sim:");
    wanted.limits.insert("ch1.voltage".to_owned(), (0.0, 3.6));
    let handle = Handle::start(wanted);
    let status = connected(&handle).await;
    assert_eq!(status.parameters["ch1.voltage"].range, Some((0.0, 3.6)));

    let error = handle.set("ch1.voltage", ParamValue::Float(30.1)).await.unwrap_err();
    assert_eq!(error.to_string(), "ch1.voltage: 30.100 V is outside 0.000 to 30.000 V");
    assert!(!error.sent);
    let error = handle.set("ch1.output", text("onn")).await.unwrap_err();
    assert_eq!(error.to_string(), "ch1.output takes off, on, not “onn”");
    let error = handle.set("ch1.measured_voltage", ParamValue::Float(1.0)).await.unwrap_err();
    assert_eq!(error.to_string(), "ch1.measured_voltage can only be read");
    let error = handle.set("ch9.voltage", ParamValue::Float(1.0)).await.unwrap_err();
    assert!(matches!(error.cause, SessionError::UnknownParameter { .. }));
    assert_eq!(ask(status.link.as_ref().unwrap(), ":SYST:ERR?").await, "0,\"No error\"");
    handle.stop().await;
}

/// What was read back outside the limits must be possible to put back.
#[tokio::test]
async fn a_set_is_not_held_to_the_limits_of_the_bench() {
    let mut wanted = config("rigol_dp832", "sim:");
    wanted.limits.insert("ch1.voltage".to_owned(), (0.0, 3.6));
    let handle = Handle::start(wanted);
    let status = connected(&handle).await;
    assert_eq!(status.parameters["ch1.voltage"].range, Some((0.0, 3.6)));
    let outcome = handle.set("ch1.voltage", ParamValue::Float(3.7)).await.unwrap();
    assert_eq!(outcome.readback, ParamValue::Float(3.7));
    assert_eq!(ask(status.link.as_ref().unwrap(), ":SOUR1:VOLT?").await, "3.700");
    handle.stop().await;
}

/// A driver that believes in a wider range than the device has, so that the device itself refuses.
#[tokio::test]
async fn what_the_device_refuses_is_told_in_its_words() {
    let file = include_str!("../../../assets/drivers/rigol_dp832.toml");
    let strict = setpoint_instruments::Driver::from_toml("dp832.toml", file).unwrap();
    let wide = file.replace("range = [0.0, 30.0]", "range = [0.0, 300.0]");
    let wide = setpoint_instruments::Driver::from_toml("wide.toml", &wide).unwrap();
    let device = Simulator::start(strict.into()).await.unwrap();
    let handle = Handle::start(common::with_driver(wide.into(), &device.address.to_string()));
    connected(&handle).await;
    let error = handle.set("ch1.voltage", ParamValue::Float(99.0)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ch1.voltage: the device refused 99.000 V: -224, Illegal parameter value"
    );
    assert!(error.sent);
    assert_eq!(error.before, Some(ParamValue::Float(0.0)));
    // The queue is empty again: the next set is not blamed for it.
    handle.set("ch1.voltage", ParamValue::Float(9.0)).await.unwrap();
    handle.stop().await;
}

#[tokio::test]
async fn raw_lines_are_answered() {
    let handle = Handle::start(config("rigol_dp832", "sim:"));
    connected(&handle).await;
    assert_eq!(handle.query(":OUTP? CH1").await.unwrap(), "OFF");
    assert_eq!(handle.query(":SOUR2:VOLT 7").await.unwrap(), "");
    assert_eq!(handle.read("ch2.voltage").await.unwrap(), ParamValue::Float(7.0));
    let error = handle.query(":BOGUS?").await.unwrap_err();
    assert_eq!(error.to_string(), "dut did not answer within 2 s to :BOGUS?");
    // The link is in step again, and what the raw line left in the queue is nobody's fault.
    handle.set("ch2.voltage", ParamValue::Float(8.0)).await.unwrap();
    handle.stop().await;
}

#[tokio::test]
async fn comparing_writes_nothing() {
    let mut wanted = config("rigol_dp832", "sim:");
    wanted.setpoints.insert("ch1.voltage".to_owned(), ParamValue::Float(3.3));
    let handle = Handle::start(wanted);
    let status = connected(&handle).await;
    assert_eq!(status.parameters["ch1.voltage"].in_tolerance, Some(false));
    assert_eq!(ask(status.link.as_ref().unwrap(), ":SOUR1:VOLT?").await, "0.000");
    handle.stop().await;
}

#[tokio::test]
async fn stopping_closes_the_link() {
    let driver = setpoint_instruments::Library::bundled().get("rigol_dp832").unwrap();
    let device = Simulator::start(driver).await.unwrap();
    let address = device.address.to_string();
    let handle = Handle::start(config("rigol_dp832", &address));
    connected(&handle).await;
    handle.stop().await;
    let error = handle.read("ch1.voltage").await.unwrap_err();
    assert_eq!(error.to_string(), "dut is being closed");
    assert_eq!(ask(&address, "*IDN?").await, "RIGOL TECHNOLOGIES,DP832,DP8C1234567,00.01.16");
}

#[tokio::test]
async fn readbacks_make_a_trend_of_two_a_second() {
    let handle = Handle::start(config("rigol_dp832", "sim:"));
    let status = until(&handle, "four readings", |status| {
        status.parameters["ch1.measured_voltage"].trend.len() >= 4
    })
    .await;
    let trend = &status.parameters["ch1.measured_voltage"].trend;
    let span = trend[3].0.duration_since(trend[0].0).as_secs_f64();
    assert!(span >= 1.4, "{span}");
    handle.stop().await;
}

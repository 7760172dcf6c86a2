//! Setting again what the bench file asks for, on a simulated power supply.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{sync::Arc, time::Duration};

use setpoint_instruments::{
    Driver, Handle, Library, ParamValue, Reapplied, ReconnectRule, Simulator, Written,
};
use tokio::sync::mpsc;

mod common;
use common::{ask, config, connected, text, until, with_driver};

fn rigol() -> Arc<Driver> {
    Library::bundled().get("rigol_dp832").unwrap()
}

fn written(parameter: &str, before: ParamValue, asked: ParamValue) -> Written {
    Written {
        parameter: parameter.to_owned(),
        before: Some(before),
        readback: asked.clone(),
        asked,
    }
}

fn applied(set: Vec<Written>, skipped: &[&str]) -> Reapplied {
    Reapplied {
        instrument: "dut".to_owned(),
        set,
        skipped: skipped.iter().map(ToString::to_string).collect(),
        failed: None,
    }
}

/// Someone has switched an output on at the device; another is off that should be on.
#[tokio::test]
async fn by_rule_no_hazardous_parameter_is_touched() {
    let device = Simulator::start(rigol()).await.unwrap();
    let address = device.address.to_string();
    ask(&address, ":OUTP CH1,ON\n*IDN?").await;
    assert_eq!(ask(&address, ":OUTP? CH1").await, "ON");

    let (reports, mut told) = mpsc::channel(4);
    let mut wanted = config("rigol_dp832", &address);
    wanted.on_reconnect = ReconnectRule::Reapply;
    wanted.reports = Some(reports);
    wanted.setpoints.insert("ch1.voltage".to_owned(), ParamValue::Int(3));
    wanted.setpoints.insert("ch1.current_limit".to_owned(), ParamValue::Float(0.5));
    wanted.setpoints.insert("ch1.output".to_owned(), text("off"));
    wanted.setpoints.insert("ch2.output".to_owned(), text("on"));
    wanted.setpoints.insert("ch3.output".to_owned(), text("off"));
    let handle = Handle::start(wanted);
    let report = tokio::time::timeout(Duration::from_secs(30), told.recv()).await.unwrap();
    let set = vec![
        written("ch1.current_limit", ParamValue::Float(1.0), ParamValue::Float(0.5)),
        written("ch1.voltage", ParamValue::Float(0.0), ParamValue::Float(3.0)),
    ];
    assert_eq!(report.unwrap(), applied(set, &["ch1.output", "ch2.output"]));
    assert_eq!(ask(&address, ":OUTP? CH1").await, "ON");
    assert_eq!(ask(&address, ":OUTP? CH2").await, "OFF");
    handle.stop().await;
}

#[tokio::test]
async fn on_request_outputs_go_off_first_and_none_goes_on() {
    let (reports, mut told) = mpsc::channel(4);
    let mut wanted = config("rigol_dp832", "sim:");
    wanted.reports = Some(reports);
    wanted.setpoints.insert("ch1.output".to_owned(), text("off"));
    let handle = Handle::start(wanted.clone());
    let status = connected(&handle).await;
    let link = status.link.clone().unwrap();
    ask(&link, ":OUTP CH1,ON\n*IDN?").await;
    until(&handle, "the output is seen to be on", |status| {
        status.parameters["ch1.output"].readback == Some(text("on"))
    })
    .await;

    // What is asked for by now counts.
    wanted.setpoints.insert("ch2.output".to_owned(), text("on"));
    wanted.setpoints.insert("ch2.voltage".to_owned(), ParamValue::Float(12.0));
    handle.configure(wanted).await;
    let set = vec![
        written("ch1.output", text("on"), text("off")),
        written("ch2.voltage", ParamValue::Float(0.0), ParamValue::Float(12.0)),
    ];
    assert_eq!(handle.reapply().await.unwrap(), applied(set, &["ch2.output"]));
    assert_eq!(ask(&link, ":OUTP? CH1").await, "OFF");
    assert_eq!(ask(&link, ":OUTP? CH2").await, "OFF");
    assert_eq!(handle.reapply().await.unwrap(), applied(vec![], &["ch2.output"]));
    handle.stop().await;
    assert!(told.recv().await.is_none());
}

/// A driver that believes in a wider range than the device has: the device refuses the second.
#[tokio::test]
async fn a_set_that_fails_ends_it_and_what_came_before_is_told() {
    let device = Simulator::start(rigol()).await.unwrap();
    let address = device.address.to_string();
    let wide = include_str!("../../../assets/drivers/rigol_dp832.toml")
        .replace("range = [0.0, 30.0]", "range = [0.0, 300.0]");
    let wide = Driver::from_toml("wide.toml", &wide).unwrap();
    let mut wanted = with_driver(wide.into(), &address);
    wanted.setpoints.insert("ch1.voltage".to_owned(), ParamValue::Float(99.0));
    wanted.setpoints.insert("ch1.current_limit".to_owned(), ParamValue::Float(0.5));
    wanted.setpoints.insert("ch2.voltage".to_owned(), ParamValue::Float(5.0));
    let handle = Handle::start(wanted);
    connected(&handle).await;
    let set = vec![written("ch1.current_limit", ParamValue::Float(1.0), ParamValue::Float(0.5))];
    let why = "dut.ch1.voltage: the device refused 99.000 V: -224, Illegal parameter value";
    let expected = Reapplied { failed: Some(why.to_owned()), ..applied(set, &[]) };
    assert_eq!(handle.reapply().await.unwrap(), expected);
    assert_eq!(ask(&address, ":SOUR2:VOLT?").await, "0.000");
    handle.stop().await;
}

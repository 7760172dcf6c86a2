use super::*;

fn status(readback: f64) -> InstrumentStatus {
    let parameter = setpoint_instruments::ParameterStatus {
        name: "ch1.voltage".into(),
        label: "Voltage".into(),
        kind: "float",
        unit: Some("V".into()),
        access: "rw",
        range: None,
        choices: Vec::new(),
        decimals: None,
        hazard: None,
        setpoint: None,
        readback: Some(setpoint_instruments::ParamValue::Float(readback)),
        at: Some(jiff::Timestamp::UNIX_EPOCH),
        quality: setpoint_instruments::Quality::Good,
        in_tolerance: None,
        trend: Arc::default(),
    };
    InstrumentStatus {
        id: "psu".into(),
        driver: "d".into(),
        driver_name: "D".into(),
        address: "sim:".into(),
        link: None,
        state: setpoint_instruments::LinkState::Connected,
        identity: None,
        round_trip_ms: None,
        error: None,
        retry_at: None,
        parameters: [("ch1.voltage".to_owned(), Arc::new(parameter))].into_iter().collect(),
    }
}

#[tokio::test]
async fn readbacks_are_kept_when_they_change() {
    let publisher = Publisher::new(crate::publish::Core::empty("bench.toml".into()));
    let mut trends = Trends::default();
    let mut look = |readback: f64| {
        let mut status = Status::clone(&publisher.status().load_full());
        status.instruments.insert("psu".into(), Arc::new(self::status(readback)));
        let points = trends.changed(&status, &Secrets::default());
        points.iter().map(|point| point.value.as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(look(1.0), [1.0]);
    assert_eq!(look(1.0), Vec::<f64>::new());
    assert_eq!(look(1.5), [1.5]);
}

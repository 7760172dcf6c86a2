//! Readbacks over time.

use serde_json::Value;
use setpoint_tests::{
    Server,
    program::{ends, good, json_lines},
    until,
};

const OF: &str = "psu.ch1.voltage";

#[test]
fn readbacks_over_time_are_told_of_a_bench_that_runs_or_not() {
    let (bench, server) = Server::demo();
    let path = "/v1/instruments/psu/trend?parameter=ch1.voltage";
    // Readbacks are looked at once a second.
    let [_, answer] = [5.25, 4.75].map(|volts: f64| {
        server.api.change(&[("instruments.psu.set.ch1.voltage", volts.into())], "").good();
        until("the new readback in the trend", || {
            let answer = server.api.get(path);
            let last = answer["points"].as_array()?.last()?["value"].as_f64()?;
            ((last - volts).abs() < 1e-6).then_some(answer)
        })
    });
    assert_eq!((&answer["unit"], &answer["next"]), (&"V".into(), &Value::Null), "{answer:#}");
    let points = answer["points"].as_array().expect("a list");

    let one = server.api.get(&format!("{path}&limit=1"));
    assert_eq!(one["points"][0], points[0]);
    let next = one["next"].as_str().expect("there can be more");
    let rest = server.api.get(&format!("{path}&from={next}"));
    assert_eq!(rest["points"].as_array().map(Vec::as_slice), Some(&points[1..]), "{rest:#}");

    let lines = json_lines(&bench, "trend", &[OF]);
    assert_eq!(lines.len(), points.len(), "{lines:#?}");
    assert_eq!((&lines[0]["at"], &lines[0]["value"]), (&points[0]["at"], &points[0]["value"]));
    assert_eq!(
        (&lines[0]["instrument"], &lines[0]["parameter"]),
        (&"psu".into(), &"ch1.voltage".into())
    );
    let text = good(&bench, "trend", &[OF, "--since", "2h"]);
    assert!(text.lines().last().expect("lines").ends_with("  4.75 V"), "{text}");
    let table = good(&bench, "trend", &[OF, "--format", "csv"]);
    assert_eq!(table.lines().next(), Some("at,instrument,parameter,value"));
    assert!(table.trim_end().ends_with(",psu,ch1.voltage,4.75"), "{table}");
    let earlier = "2000-01-01T00:00:00Z";
    let none = ends(&bench, "trend", &[OF, "--from", earlier, "--until", "2000-01-02"], 0);
    assert!(
        none.stdout.is_empty() && none.stderr.contains("nothing of psu.ch1.voltage"),
        "{none:?}"
    );

    server.stop();
    let kept = json_lines(&bench, "trend", &[OF]);
    assert_eq!(kept[..lines.len()], lines[..]);
    assert_eq!(json_lines(&bench, "trend", &[OF, "--limit", "1"]), lines[..1]);
    let told = good(&bench, "trend", &[OF, "--since", "2h"]);
    assert_eq!(told, text, "with its unit too");
}

#[test]
fn a_trend_of_nothing_is_refused() {
    let (bench, server) = Server::demo();
    for (query, status) in [
        ("psu/trend", 400),
        ("psu/trend?parameter=ch1.voltage&from=yesterday", 400),
        ("psu/trend?parameter=ch1.voltage&form=2026-01-01T00:00:00Z", 400),
        ("psu/trend?parameter=ch1.voltage&from=2100-01-01T00:00:00Z", 400),
        ("psu/trend?parameter=ch1.voltage&limit=0", 400),
        ("psu/trend?parameter=ch9.voltage", 404),
        ("nobody/trend?parameter=ch1.voltage", 404),
    ] {
        let answer = server.api.send("GET", &format!("/v1/instruments/{query}"), &[], None);
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.content_type.starts_with("application/problem+json"), "{answer:?}");
    }
    let missing = ends(&bench, "trend", &["psu.ch9.voltage"], 2);
    assert!(missing.stderr.contains("ch9.voltage"), "{missing:?}");
    ends(&bench, "trend", &["psu"], 2);
}

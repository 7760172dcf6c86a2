//! Driver files are read strictly, and findings say where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use setpoint_instruments::{Driver, Library, ParamValue, driver::Kind};

const HEAD: &str = "schema = 1\n[driver]\nid = \"x\"\n";

fn findings(text: &str) -> Vec<String> {
    let error = Driver::from_toml("x.toml", text).err();
    error.map(|e| e.problems.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn check(body: &str, place: &str, part: &str) {
    let found = findings(&format!("{HEAD}{body}"));
    let [one] = found.as_slice() else { panic!("{found:#?}") };
    assert!(one.starts_with(&format!("x.toml:{place}: ")), "{one}");
    assert!(one.contains(part), "{one}");
}

#[test]
fn unknown_keys_are_errors_with_their_place() {
    check("[wire]\nreply_timout = \"1s\"\n", "5:1", "reply_timout");
    check("[params.v]\ntype = \"float\"\nget = \"V?\"\nrampe = 3\n", "7:1", "rampe");
    check("[[vectors]]\nparam = \"v\"\nsend = \"V\"\n", "6:1", "send");
}

#[test]
fn wrong_types_and_syntax() {
    check("[params.v]\ntype = \"double\"\nget = \"V?\"\n", "5:8", "double");
    check("[wire\n", "4:6", "");
    assert_eq!(findings("schema = 2\n[driver]\nid = \"x\"\n").len(), 1);
}

#[test]
fn durations_and_templates() {
    check("[wire]\ngap = \"20\"\n", "5:7", "is not a duration");
    check("[params.v]\ntype = \"float\"\nset = \"V {valu:.3f}\"\n", "6:7", "{valu}");
    check("[params.v]\ntype = \"float\"\nset = \"V {value:.3q}\"\n", "6:7", ".3q");
    check("[params.v]\ntype = \"float\"\nget = \"V{ch}?\"\n", "6:7", "{ch} is not known here");
}

#[test]
fn references_must_lead_somewhere() {
    let group = "[groups.m]\nsend = \"M?\"\nexpect = \"{a:f},{b:f}\"\n";
    let from = |from: &str| format!("{group}[params.v]\ntype = \"float\"\nfrom = \"{from}\"\n");
    assert_eq!(findings(&format!("{HEAD}{}", from("m.a"))), [""; 0]);
    check(&from("m.c"), "9:8", "“m.c” is not a group");
    check(&from("n.a"), "9:8", "“n.a” is not a group");
    let value = "[params.v]\ntype = \"float\"\nget = \"V?\"\n";
    check(&format!("{value}sim = {{ follows = [\"w\"] }}\n"), "4:9", "there is no parameter “w”");
    check(&format!("{value}[lifecycle]\non_connect = [\"read w\"]\n"), "8:15", "read NAME");
    check(&format!("{value}[lifecycle]\nsafe_state = [\"v = 0\"]\n"), "8:15", "NAME = VALUE");
    check(&format!("{value}[[vectors]]\nparam = \"w\"\n"), "7:1", "no parameter “w”");
    check(&format!("{value}[[vectors]]\nparam = \"v\"\nreply = \"1\"\n"), "7:1", "reply and reads");
}

#[test]
fn parameters_must_make_sense() {
    check("[params.v]\ntype = \"float\"\n", "4:9", "needs get, from or set");
    check("[params.v]\ntype = \"enum\"\nget = \"V?\"\n", "4:9", "an enum needs values");
    check("[params.v]\ntype = \"float\"\nget = \"V?\"\naccess = \"rw\"\n", "7:10", "access");
    check("[params.v]\ntype = \"int\"\nget = \"V?\"\nrange = [3, 1]\n", "7:9", "[least, greatest]");
    let channel =
        "[channels.ch]\nids = [1, 2]\n[params.\"ch.v\"]\ntype = \"int\"\nget = \"{ch}?\"\n";
    check(&format!("{channel}range_for = {{ 3 = [0, 1] }}\n"), "9:15", "has no “3”");
}

#[test]
fn ramps_are_kept() {
    let ramp = |rate: &str| {
        format!(
            "{HEAD}[params.v]\ntype = \"float\"\nset = \"V {{value}}\"\n\
             ramp = {{ max_rate = {rate}, per = \"min\", tick = \"2s\" }}\n"
        )
    };
    let driver = Driver::from_toml("x.toml", &ramp("6.0")).unwrap();
    let kept = driver.params["v"].ramp.unwrap();
    assert!((kept.per_second - 0.1).abs() < 1e-12);
    assert_eq!(kept.tick, std::time::Duration::from_secs(2));
    assert_eq!(findings(&ramp("0")).len(), 1);
}

#[test]
fn all_findings_come_at_once() {
    let text = format!(
        "{HEAD}[wire]\ngap = \"x\"\n[params.v]\ntype = \"float\"\nget = \"V{{q}}?\"\n[params.w]\n\
         type = \"int\"\n"
    );
    let found = findings(&text);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("x.toml:5:7"), "{found:#?}");
}

#[test]
fn channels_are_expanded() {
    let text = format!(
        "{HEAD}[channels.input]\nnames = {{ a = \"A\", b = \"B\" }}\n[channels.ch]\nids = [1, 3]\n\
         [params.\"input.t\"]\ntype = \"float\"\nget = \"T? {{input}}\"\n\
         [params.\"ch.v\"]\ntype = \"float\"\nset = \"V{{ch}} {{value:.2f}}\"\nrange = [0, 9]\n\
         range_for = {{ 3 = [0, 5] }}\n[params.\"ch.on\"]\ntype = \"bool\"\nget = \"O{{ch}}?\"\n"
    );
    let driver = Driver::from_toml("x.toml", &text).unwrap();
    let names: Vec<&String> = driver.params.keys().collect();
    assert_eq!(names, ["a.t", "b.t", "ch1.v", "ch1.on", "ch3.v", "ch3.on"]);
    assert_eq!(driver.params["b.t"].get.as_ref().unwrap().send, "T? B");
    assert_eq!(driver.params["ch1.v"].range, Some((0.0, 9.0)));
    assert_eq!(driver.params["ch3.v"].range, Some((0.0, 5.0)));
    assert_eq!(driver.params["ch3.v"].decimals, Some(2));
    assert_eq!(driver.params["ch3.v"].label, "V");
    assert_eq!(driver.params["ch1.on"].kind, Kind::Bool);
}

#[test]
fn vectors_that_do_not_come_out_are_told() {
    let text = format!(
        "{HEAD}[params.v]\ntype = \"float\"\nget = \"V?\"\nset = \"V {{value:.2f}}\"\n\
         [[vectors]]\nparam = \"v\"\nvalue = 1.5\nsends = \"V 1.5\\n\"\n\
         [[vectors]]\nparam = \"v\"\nasks = \"V?\\n\"\nreply = \"1.5\\n\"\nreads = 1.6\n\
         [[vectors]]\nparam = \"v\"\nreply = \"1.5\"\nreads = 1.5\n\
         [[vectors]]\nparam = \"v\"\nvalue = 2.0\nsends = \"V 2.00\\n\"\n"
    );
    let failures = Driver::from_toml("x.toml", &text).unwrap().verify_vectors();
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "x.toml: vector 1 (v): setting sends “V 1.50\\n”, not “V 1.5\\n”",
            "x.toml: vector 2 (v): the reply reads 1.5, not 1.6",
            "x.toml: vector 3 (v): the reply does not end in “\\n”",
        ]
    );
}

#[test]
fn words_of_the_wire_and_words_that_are_no_values() {
    let text = format!(
        "{HEAD}[params.r]\ntype = \"enum\"\nvalues = {{ off = 0, high = 3 }}\nget = \"R?\"\n\
         [params.t]\ntype = \"float\"\nget = \"T?\"\ninvalid = [\".......\"]\n"
    );
    let driver = Driver::from_toml("x.toml", &text).unwrap();
    let read = |name: &str, reply: &str| {
        let param = &driver.params[name];
        let fields = param.get.as_ref().unwrap().expect.parse(reply).unwrap();
        param.from_arg(&fields["value"])
    };
    assert_eq!(read("r", "+3"), Some(ParamValue::Text("high".to_owned())));
    assert_eq!(read("r", "7"), None);
    assert_eq!(read("t", "+4.2E0"), Some(ParamValue::Float(4.2)));
    for word in [".......", "9.9E37", "9.91E37", "nan", "inf", ""] {
        assert_eq!(read("t", word), None, "{word}");
    }
}

/// A 0 V is a voltage like any other; a manual heater output of 0 % is off.
#[test]
fn what_switches_something_off() {
    let library = Library::bundled();
    let off = |driver: &str, name: &str, value: ParamValue| {
        let param = library.get(driver).unwrap().params[name].clone();
        assert_eq!(param.is_off(&value), param.facts().is_off(&value));
        param.is_off(&value)
    };
    let text = |word: &str| ParamValue::Text(word.to_owned());
    assert!(off("rigol_dp832", "ch1.output", text("off")));
    assert!(off("rigol_dp832", "ch1.output", ParamValue::Bool(false)));
    assert!(!off("rigol_dp832", "ch1.output", text("on")));
    assert!(!off("rigol_dp832", "ch1.output", ParamValue::Bool(true)));
    assert!(!off("rigol_dp832", "ch1.voltage", ParamValue::Float(0.0)));
    assert!(!off("lakeshore_335", "loop1.heater_range", text("low")));
    assert!(off("lakeshore_335", "loop1.manual_output", ParamValue::Float(0.0)));
    assert!(off("lakeshore_335", "loop1.manual_output", ParamValue::Int(0)));
    assert!(!off("lakeshore_335", "loop1.manual_output", ParamValue::Float(0.1)));
}

//! Revisions: kept, named, found, told about, gone back to; by command and over HTTP.

use serde_json::{Value, json};
use setpoint_tests::{
    Bench, Server,
    bench::{demo_text, with},
    picture,
    program::{ends, good, json},
    until,
};

const VOLTAGE: &str = "instruments.psu.set.ch1.voltage";
const KELVIN: &str = "instruments.thermo.set.loop1.setpoint";

fn ids(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list of revisions");
    list.iter().map(|one| one["id"].as_str().expect("an id")).collect()
}

#[test]
fn snapshots_and_names_with_and_without_a_server() {
    let (bench, server) = Server::demo();
    let kept = good(&bench, "snapshot", &["--label", "aligned", "--message", "before beam time"]);
    assert!(kept.contains("r2 is kept as “aligned”"), "{kept}");
    let taken = ends(&bench, "snapshot", &["--label", "aligned"], 2);
    assert!(taken.stderr.contains("aligned"), "{taken:?}");
    ends(&bench, "snapshot", &["--label", "a/b"], 2);
    assert!(good(&bench, "label", &["r1", "first"]).contains("r1 is called “first”"));
    ends(&bench, "label", &["r9", "ninth"], 2);
    let named = json(&bench, "history", &["--labelled"]);
    assert_eq!(ids(&named), ["r2", "r1"]);
    assert_eq!(named[0]["message"], "before beam time");
    assert!(bench.versions().iter().any(|(name, _)| name.ends_with("-aligned.toml")));
    server.stop();

    // On the files alone: what they hold now.
    bench.save_by_rename(with(&demo_text(), "ch1.voltage = 3.300", "ch1.voltage = 4.000"));
    let kept = json(&bench, "snapshot", &["--label", "later"]);
    assert_eq!(
        (&kept["revision"]["id"], &kept["revision"]["label"]),
        (&"r3".into(), &"later".into())
    );
    let told = json(&bench, "history", &["later"]);
    assert_eq!(told["changes"][0]["path"], VOLTAGE, "{told:#}");
    assert!(good(&bench, "label", &["first", "--remove"]).contains("r1 has no name"));
    ends(&bench, "label", &["r1", "aligned"], 2);
    assert_eq!(ids(&json(&bench, "history", &["--labelled"])), ["r3", "r2"]);
}

#[test]
fn history_is_searched_by_every_filter() {
    let (bench, server) = Server::demo();
    let change = |path: &str, value: Value, author: &str, message: &str| {
        let body = json!({"edits": [{"path": path, "value": value}], "message": message});
        let headers = [("Content-Type", "application/json"), ("X-Setpoint-Author", author)];
        let body = body.to_string();
        let answer = server.api.send("PATCH", "/v1/bench", &headers, Some(body.as_bytes())).good();
        answer["revision"].clone()
    };
    server.api.until_instrument("thermo", "connected");
    change(VOLTAGE, json!(4.75), "ada", "more light");
    let kelvin = change(KELVIN, json!(290.0), "grace", "colder");
    change(VOLTAGE, json!(5.25), "grace", "even more light");
    let at = kelvin["at"].as_str().expect("a time");

    let check = |bench: &Bench| {
        for (arguments, expected) in [
            (&["--text", "light"][..], &["r4", "r2"][..]),
            (&["--text", "LIGHT even"], &["r4"]),
            (&["--text", "4.75"], &["r4", "r2"]),
            (&["--author", "grace"], &["r4", "r3"]),
            (&["--author", "grace", "--instrument", "psu"], &["r4"]),
            (&["--instrument", "thermo"], &["r3"]),
            (&["--instrument", VOLTAGE], &["r4", "r2"]),
            (&["--since", at], &["r4", "r3"]),
            (&["--until", at], &["r2", "r1"]),
            (&["--since", "1h", "--limit", "2"], &["r4", "r3"]),
            (&["--labelled"], &[]),
        ] {
            assert_eq!(ids(&json(bench, "history", arguments)), expected, "{arguments:?}");
        }
    };
    check(&bench);
    for (query, expected) in [
        ("text=light&author=ada", &["r2"][..]),
        ("text=light&author=grace", &["r4"]),
        ("origin=api&limit=1", &["r4"]),
        (&format!("to={at}"), &["r2", "r1"]),
    ] {
        assert_eq!(ids(&server.api.get(&format!("/v1/revisions?{query}"))), expected, "{query}");
    }
    let wrong = server.api.send("GET", "/v1/revisions?textt=light", &[], None);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let text = good(&bench, "history", &["--author", "ada"]);
    assert!(text.contains("ada") && text.contains("more light"), "{text}");
    assert!(good(&bench, "history", &["--author", "nobody"]).contains("no revision is like that"));

    server.stop();
    check(&bench);
    ends(&bench, "history", &["--since", "yesterday"], 2);
}

#[test]
fn one_revision_tells_what_changed_what_was_read_and_what_was_seen() {
    let (bench, server) = Server::demo();
    server.api.until_live("pattern");
    good(&bench, "set", &[&format!("{VOLTAGE}=4.75"), "-m", "more light"]);
    // Pictures are made aside.
    let told = until("what is kept with r2", || {
        let told = server.api.get("/v1/revisions/r2");
        told["facts"].is_object().then_some(told)
    });
    assert_eq!((&told["author"], &told["origin"]), (&"tester".into(), &"api".into()), "{told:#}");
    assert_eq!(
        (&told["changes"][0]["path"], &told["changes"][0]["effect"]),
        (&VOLTAGE.into(), &"live".into())
    );
    assert_eq!(told["facts"]["effect"], "live");
    assert!(told["facts"]["readings"].as_array().is_some_and(|list| list.len() > 5), "{told:#}");

    let text = good(&bench, "history", &["r2"]);
    let check = |text: &str| {
        for expected in [
            "revision  r2",
            "author    tester · api",
            "reason    more light",
            "~ instruments.psu.set.ch1.voltage  3.3 → 4.75  (set live)",
            "psu.ch1.voltage",
            "asked for 4.75, good",
            "thermo.",
            "  pattern          240×135  ",
        ] {
            assert!(text.contains(expected), "{expected} is missing:\n{text}");
        }
    };
    check(&text);
    let into = bench.home().join("pattern.png");
    let file = into.display().to_string();
    let check_picture = || {
        good(&bench, "history", &["r2", "--picture", "pattern", "--output", &file]);
        let (width, height, _) = picture::pixels(&std::fs::read(&into).expect("it is written"));
        assert_eq!((width, height), (240, 135));
        std::fs::remove_file(&into).expect("it is there");
        let none = ends(&bench, "history", &["r2", "--picture", "nobody", "--output", &file], 2);
        assert!(none.stderr.contains("nobody"), "{none:?}");
        assert!(!into.exists());
    };
    check_picture();
    ends(&bench, "history", &["r9"], 2);
    ends(&bench, "history", &["r2", "--author", "ada"], 2);
    ends(&bench, "history", &["r2", "--picture", "pattern"], 2);
    let first = json(&bench, "history", &["r1"]);
    assert_eq!(first["changes"], Value::Null, "{first:#}");

    server.stop();
    check(&good(&bench, "history", &["r2"]));
    let now = json(&bench, "history", &["r2"]);
    assert_eq!((&now["changes"], &now["facts"]), (&told["changes"], &told["facts"]));
    check_picture();
}

#[test]
fn going_back_and_comparing_by_keys() {
    let (bench, server) = Server::demo();
    server.api.until_instrument("thermo", "connected");
    let mut wire = server.wire("psu");
    let both = [(VOLTAGE, json!(4.75)), (KELVIN, json!(290.0))];
    server.api.change(&both, "both").good();

    let path = bench.path().display().to_string();
    let compared = |old: &str, new: &str| {
        let arguments = ["diff", old, new, "--bench", &path, "--format", "json"];
        let outcome = setpoint_tests::program::run(&bench, &arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let list = report["changes"].as_array().expect("a list");
        list.iter().map(|one| one["path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(compared("r1", "r2"), [VOLTAGE, KELVIN]);

    let back = json(&bench, "rollback", &["r1", "--only", "instruments.psu"]);
    assert_eq!(back["changes"].as_array().map(Vec::len), Some(1), "{back:#}");
    wire.until(":SOUR1:VOLT?", 3.3);
    assert!(bench.text().contains("loop1.setpoint = 290.0"), "{}", bench.text());
    assert_eq!(compared("r2", "r3"), [VOLTAGE]);
    assert_eq!(compared("r1", "r3"), [KELVIN]);
    let nothing = ends(&bench, "rollback", &["r1", "--only", "instruments.psu"], 2);
    assert!(nothing.stderr.contains("instruments.psu"), "{nothing:?}");
    let outcome = setpoint_tests::program::run(&bench, &["diff", "r1", "r9", "--bench", &path]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");

    server.stop();
    assert_eq!(compared("r1", "r2"), [VOLTAGE, KELVIN]);
    good(&bench, "rollback", &["r2", "--only", VOLTAGE]);
    assert_eq!(compared("r2", "r4"), Vec::<String>::new());
}

#[test]
fn http_keeps_and_names_revisions() {
    let (_bench, server) = Server::demo();
    let api = &server.api;
    let made = api.json("POST", "/v1/revisions", &json!({"label": "aligned", "message": "why"}));
    assert_eq!(made.status, 201, "{}", made.text());
    let revision = made.json()["revision"].clone();
    assert_eq!((&revision["id"], &revision["label"]), (&"r2".into(), &"aligned".into()));
    let refused = |method: &str, path: &str, body: Value, status: u16| {
        let answer = api.json(method, path, &body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        assert!(answer.content_type.starts_with("application/problem+json"), "{answer:?}");
    };
    refused("POST", "/v1/revisions", json!({"label": "aligned"}), 409);
    refused("POST", "/v1/revisions", json!({"label": "a/b"}), 422);
    refused("POST", "/v1/revisions", json!({"lable": "x"}), 400);
    refused("PATCH", "/v1/revisions/r1", json!({"label": "aligned"}), 409);
    refused("PATCH", "/v1/revisions/r9", json!({"label": "x"}), 404);
    refused("PATCH", "/v1/revisions/r1", json!({}), 400);
    let named = api.json("PATCH", "/v1/revisions/r1", &json!({"label": "first"})).good();
    assert_eq!(named["revision"]["label"], "first", "{named:#}");
    assert_eq!(api.send("GET", "/v1/revisions/first", &[], None).text(), demo_text());
    let bare = api.json("PATCH", "/v1/revisions/first", &json!({"label": null})).good();
    assert_eq!(bare["revision"]["label"], Value::Null);
    assert_eq!(ids(&api.get("/v1/revisions?labelled=true")), ["r2"]);
}

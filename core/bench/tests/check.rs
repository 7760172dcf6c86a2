//! Every file in `testdata/check` is checked; the report beside it says what is expected of it.
//! `UPDATE_EXPECT=1 cargo test -p setpoint-bench` writes the reports again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use common::{Types, listed_codes};
use setpoint_bench::{
    Bench, KeyPath, Severity, Value,
    check::{
        Built, Checked, Context, Drivers, Findings, Name, assemble, component, components,
        not_utf8, summary, whole,
    },
    document::{Document, Place},
    model::{HotReload, OnReconnect, Watch},
    read,
};

/// One line for each finding, and what is under its span.
fn report(text: &str) -> String {
    let reading = read("bench.toml", text, &Types);
    let mut out = String::new();
    for finding in &reading.diagnostics {
        let span = finding.span;
        let line = text.lines().nth(span.line as usize - 1).unwrap_or_default();
        let line = line.trim_start_matches('\u{feff}');
        let end = if span.end_line == span.line { span.end_column } else { u32::MAX };
        let shown: String = line
            .chars()
            .skip(span.column as usize - 1)
            .take((end - span.column) as usize)
            .collect();
        writeln!(out, "{finding}").unwrap();
        writeln!(out, "    {} at {}: {shown}", finding.code, finding.path).unwrap();
    }
    let errors = reading.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(reading.bench.is_none(), errors, "a bench if and only if there is no error");
    writeln!(out, "=> {}", if errors { "does not run" } else { "runs" }).unwrap();
    out
}

/// Names and texts of all files in `testdata/check`.
fn cases() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/check");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    files.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn reports_are_as_expected() {
    let mut wrong = Vec::new();
    let cases = cases();
    for (path, text) in &cases {
        let found = report(text);
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}\n{found}", path.display()));
        }
    }
    assert!(cases.len() >= 120, "only {} files", cases.len());
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn every_listed_code_is_met_and_every_met_code_is_listed() {
    let mut met: BTreeSet<String> = cases()
        .iter()
        .flat_map(|(_, text)| read("bench.toml", text, &Types).diagnostics)
        .map(|finding| finding.code)
        .collect();
    // No file can hold these; tests of their own do.
    met.insert(not_utf8("bench.toml", 1, 1).diagnostics[0].code.clone());
    met.extend(["too_large", "too_many"].map(str::to_owned));
    assert_eq!(met, listed_codes(include_str!("../src/check.rs")));
}

#[test]
fn forty_mistakes_are_told_in_one_run() {
    let text = include_str!("../testdata/check/forty_mistakes.toml");
    let reading = read("bench.toml", text, &Types);
    let errors = reading.diagnostics.iter().filter(|it| it.severity == Severity::Error);
    // Two findings at one place are one mistake.
    let places: BTreeSet<_> = errors.map(|it| it.span).collect();
    assert!(places.len() >= 40, "{}", places.len());
}

fn bench(text: &str) -> Bench {
    let reading = read("lab/table 3.toml", text, &Types);
    reading.bench.unwrap_or_else(|| panic!("{}", summary(&reading.diagnostics)))
}

#[test]
fn presets_hold_where_the_file_says_nothing() {
    let bench = bench(
        "[instruments.a]\ntype = 'rigol_dp832'\naddress = 'sim:'\n\
         [sources.b]\ntype = 'test_pattern'\n",
    );
    assert_eq!((bench.name.as_str(), bench.environment.as_str()), ("table 3", "development"));
    assert_eq!(bench.runtime, Default::default());
    let instrument = &bench.instruments["a"];
    assert!(instrument.enabled && instrument.set.is_empty() && instrument.limits.is_empty());
    assert_eq!(instrument.on_reconnect, OnReconnect::Compare);
    let source = &bench.sources["b"];
    assert_eq!((source.resolution, source.framerate), ((1280, 720), (30, 1)));
    assert_eq!((source.pattern.as_str(), source.format.as_str()), ("smpte", "I420"));
    assert!(source.preview && source.enabled);
}

#[test]
fn what_the_file_says_is_in_the_bench() {
    let bench = bench(
        r#"
        bench.name = "Optics"
        [runtime]
        hot_reload = "propose"
        quiet = "20ms"
        watch = "poll"
        snapshot_retention = 3
        log_level = "debug"
        [instruments.psu]
        type = "rigol_dp832"
        address = "tcp://192.0.2.21:5555"
        label = "Bias"
        on_reconnect = "reapply"
        wire = { reply_timeout = "1.5s", gap = "20ms", baud = 9600, tx_end = "\r\n" }
        limits.ch1.voltage = [0, 3.6]
        [instruments.psu.set]
        ch2 = { voltage = 5 }
        ch1.voltage = 3.3
        "ch1.output" = "off"
        [instruments.thermo]
        type = "lakeshore_335"
        address = "sim:"
        enabled = false
        [sources.cam]
        type = "test_pattern"
        pattern = "ball"
        resolution = "640x481"
        framerate = "30000/1001"
        format = "RGB"
        preview = false
        label = "Camera"
        "#,
    );
    assert_eq!(bench.name, "Optics");
    assert_eq!(bench.hot_reload(), HotReload::Propose);
    assert_eq!(bench.runtime.watch, Watch::Poll);
    assert_eq!(bench.runtime.quiet, Duration::from_millis(20));
    assert_eq!(bench.runtime.snapshot_retention, 3);
    assert_eq!(bench.runtime.log_level, "debug");
    let psu = &bench.instruments["psu"];
    assert_eq!(psu.label.as_deref(), Some("Bias"));
    assert_eq!(psu.on_reconnect, OnReconnect::Reapply);
    assert_eq!(psu.wire.reply_timeout, Some(Duration::from_millis(1_500)));
    assert_eq!((psu.wire.baud, psu.wire.tx_end.as_deref()), (Some(9_600), Some("\r\n")));
    assert_eq!(psu.limits["ch1.voltage"], (0.0, 3.6));
    let set: Vec<String> =
        psu.set.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    assert_eq!(set, ["ch2.voltage = 5", "ch1.voltage = 3.3", "ch1.output = \"off\""]);
    assert!(!bench.instruments["thermo"].enabled);
    let cam = &bench.sources["cam"];
    assert_eq!((cam.resolution, cam.framerate), ((640, 481), (30_000, 1_001)));
    assert_eq!(cam.label.as_deref(), Some("Camera"));
    assert!(!cam.preview);
}

#[test]
fn the_demo_bench_checks_without_a_finding() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo/bench.toml");
    let text = fs::read_to_string(path).unwrap();
    let reading = read("bench.toml", &text, &Types);
    assert_eq!(reading.diagnostics, []);
    assert!(reading.bench.is_some());
}

#[test]
fn values_come_also_from_a_file_with_errors_and_are_empty_without_toml() {
    let reading = read("bench.toml", "nonsense = 3\n", &Types);
    assert!(reading.bench.is_none());
    assert_eq!(reading.values.as_table().unwrap()["nonsense"], Value::Int(3));
    let reading = read("bench.toml", "nonsense", &Types);
    assert!(reading.values.as_table().unwrap().is_empty());
}

#[test]
fn a_summary_counts_and_names_the_first_of_the_worst() {
    let text = "[rtsp]\n[sources.a]\ntype = 'test_pattern'\npatern = 'ball'\npreview = 3\n";
    let reading = read("bench.toml", text, &Types);
    let line = summary(&reading.diagnostics);
    assert!(line.starts_with("2 errors, 1 warning: sources.a has no key “patern”"), "{line}");
    assert!(line.ends_with("(bench.toml:4:1)"), "{line}");
    assert_eq!(summary(&[]), "");
}

#[test]
fn a_text_of_more_than_16_mib_is_refused_before_it_is_read() {
    let reading = read("bench.toml", &"#".repeat((16 << 20) + 1), &Types);
    assert_eq!(reading.diagnostics[0].code, "too_large");
}

#[test]
fn findings_without_number_come_to_an_end() {
    let text: String = (0..30_000).map(|n| format!("k{n} = 1\n")).collect();
    let reading = read("bench.toml", &text, &Types);
    assert_eq!(reading.diagnostics.len(), 10_001);
    let last = reading.diagnostics.last().unwrap();
    assert_eq!(
        (last.code.as_str(), last.message.as_str()),
        ("too_many", "20000 more findings are not listed")
    );
}

#[test]
fn a_finding_serialises_as_the_command_line_prints_it() {
    let reading = read("bench.toml", "[sources.a]\ntype = 'test_pattern'\nresoluton = 1\n", &Types);
    let json = serde_json::to_value(&reading.diagnostics).unwrap();
    assert_eq!(json[0]["code"], "unknown_key");
    assert_eq!(json[0]["path"], "sources.a.resoluton");
    assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(3), Some(1)));
    assert_eq!((json[0]["end_line"].as_u64(), json[0]["end_column"].as_u64()), (Some(3), Some(10)));
    assert_eq!(json[0]["suggestion"], "resolution");
}

#[test]
fn a_large_bench_is_read_whole() {
    let text: String = (0..3_000)
        .map(|n| {
            format!(
                "[instruments.i{n}]\ntype = 'rigol_dp832'\naddress = 'tcp://10.0.0.1:{}'\n\
                 [instruments.i{n}.set]\nch1.voltage = 1.0\n",
                n + 1
            )
        })
        .collect();
    assert_eq!(bench(&text).instruments.len(), 3_000);
}

#[test]
fn paths_in_findings_can_be_read_back() {
    let reading = read("bench.toml", "[instruments.\"odd name\"]\n", &Types);
    for finding in &reading.diagnostics {
        let path: KeyPath = finding.path.parse().unwrap();
        assert_eq!(path.names()[1], "odd name");
    }
    assert_eq!(reading.diagnostics.len(), 3);
}

/// Says of a place and all in it that they are in another text.
fn move_to(origin: u16, place: &mut Place) {
    place.origin = origin;
    place.parts.iter_mut().for_each(|part| move_to(origin, part));
}

#[test]
fn components_of_several_texts_are_checked_one_by_one() {
    let texts = [
        "[instruments.a]\ntype = 'rigol_dp832'\naddress = 'tcp://psu:1'\n",
        "\n[instruments.b]\ntype = 'rigol_dp832'\naddress = 'tcp://PSU:1'\n\
         [instruments.b.set]\nch1.volts = 3\n",
    ];
    let files = [("bench.toml", texts[0]), ("more.toml", texts[1])];
    let documents = texts.map(|text| Document::parse(text).unwrap());
    let mut roots = documents.clone().map(|document| document.root().clone());
    move_to(1, &mut roots[1]);

    let mut drivers = Drivers::default();
    let lookup = |origin: u16| texts[usize::from(origin)];
    let mut context =
        Context { catalogue: &Types, drivers: &mut drivers, texts: &lookup, layered: true };
    let mut checked = Vec::new();
    for (document, root) in documents.iter().zip(&roots) {
        for (name, value, place) in components(document.values(), root) {
            checked.push((name, component(name, value, place, &mut context)));
        }
    }
    let between =
        whole("development", checked.iter().map(|(name, checked)| (*name, &checked.facts)));
    // Each finding is in the component that it is reported for: here the second instrument.
    assert_eq!(
        between.list.iter().map(|(index, _)| checked[*index].0.id).collect::<Vec<_>>(),
        [Some("b")]
    );

    // An instrument without an error is shared by all benches made of it.
    let built = |(name, checked): &(_, Checked)| Some((*name, checked.built.clone()?));
    let built: Vec<(Name<'_>, Built)> = checked.iter().filter_map(built).collect();
    let bench = || assemble("bench.toml", built.iter().map(|(name, one)| (*name, one))).unwrap();
    assert_eq!(bench().instruments.keys().collect::<Vec<_>>(), ["a"]);
    assert!(Arc::ptr_eq(&bench().instruments["a"], &bench().instruments["a"]));

    let mut findings = Findings::default();
    checked.into_iter().for_each(|(_, one)| findings.append(one.findings));
    findings.append_between(between);
    let told: Vec<(String, String, u32, u32)> = findings
        .finish(&files)
        .into_iter()
        .map(|it| (it.file, it.code, it.span.line, it.span.column))
        .collect();
    let more = |code: &str, line, column| ("more.toml".to_owned(), code.to_owned(), line, column);
    assert_eq!(told, [more("duplicate_address", 4, 11), more("unknown_parameter", 6, 1)]);
}

#[test]
fn great_numbers_of_mistakes_come_to_an_end() {
    let circle: String = (0..2_000)
        .map(|n| {
            format!(
                "[modules.m{n}]\ntype = 'recorder'\nto = 'x'\nroles = {{ a = 'm{}', b = 'none' }}\n",
                (n + 1) % 2_000
            )
        })
        .collect();
    let codes = |text: &str| {
        let mut codes = BTreeMap::new();
        for finding in read("bench.toml", text, &Types).diagnostics {
            *codes.entry(finding.code).or_insert(0) += 1;
        }
        codes
    };
    let found = codes(&circle);
    assert_eq!((found["dependency_circle"], found["unknown_target"]), (1, 2_000));
    // Every use of every one that plays the role is wrong.
    let psus: String = (0..300)
        .map(|n| format!("[instruments.i{n}]\ntype = 'rigol_dp832'\naddress = 'sim:'\n"))
        .collect();
    let players: Vec<String> = (0..300).map(|n| format!("'i{n}'")).collect();
    let when = vec!["r.nothing > 1"; 300].join(" or ");
    let text = format!(
        "{psus}[modules.m]\ntype = 'interlock'\nroles = {{ r = [{}] }}\nwhen = '{when}'\n\
         then = ['r.ch1.output = off']\n",
        players.join(", ")
    );
    assert_eq!(codes(&text)["too_many"], 1);
}

#[test]
fn no_message_repeats_a_password() {
    let text = "[instruments.a]\ntype = 'rigol_dp832'\naddress = 'tcp://me:hunter2@psu:1'\n";
    let reading = read("bench.toml", text, &Types);
    assert_eq!(reading.diagnostics.len(), 2);
    assert!(reading.diagnostics.iter().all(|it| !it.message.contains("hunter2")));
}

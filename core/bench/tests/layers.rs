//! Every folder in `testdata/layers` is a bench in layers; `expected.txt` in it says what is found
//! and what comes out. `UPDATE_EXPECT=1 cargo test -p setpoint-bench --test layers` writes them
//! again.
//!
//! A file `environment` holds the process environment, `NAME=VALUE` a line, and `--env=NAME`; a
//! file `explain` paths to be explained; a file `edits` edits, one a line
//! (see `edit`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use common::{Types, listed_codes};
use setpoint_bench::{
    Document, KeyPath, Severity, TextEdit, Value,
    edit::{Options, Spot},
    layers::{LayeredReading, Surroundings, Unreadable, WithTexts, read_layers},
};

/// Files and variables in memory.
#[derive(Default, Clone)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    variables: BTreeMap<String, String>,
}

impl Surroundings for Memory {
    fn file(&self, name: &str) -> Result<Arc<str>, Unreadable> {
        let bytes = self.files.get(name).ok_or(Unreadable::Missing)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(Unreadable::NotUtf8 { line: 1, column: 1 }),
        }
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, Unreadable> {
        if pattern.contains("***") {
            return Err(Unreadable::Other("that is no pattern".to_owned()));
        }
        Ok(self.files.keys().filter(|name| matches(pattern, name)).cloned().collect())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone().into_iter().collect()
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => (0..=name.len())
            .take_while(|at| !name[..*at].contains('/'))
            .any(|at| name.is_char_boundary(at) && matches(rest, &name[at..])),
        letter => name.strip_prefix(letter).is_some_and(|name| matches(rest, name)),
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

struct Case {
    memory: Memory,
    asked: Option<String>,
    explain: Vec<KeyPath>,
    edits: Vec<TextEdit>,
}

fn case(folder: &Path) -> Case {
    let mut memory = Memory::default();
    collect(folder, "", &mut memory.files);
    let mut lines = |name: &str| {
        let bytes = memory.files.remove(name).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let environment = lines("environment");
    let explain = lines("explain").iter().map(|line| line.parse().unwrap()).collect();
    let edits = lines("edits").iter().map(|line| edit(line)).collect();
    lines("expected.txt");
    let mut asked = None;
    for line in environment {
        let (name, value) = line.split_once('=').unwrap();
        if name == "--env" {
            asked = Some(value.to_owned());
        } else {
            memory.variables.insert(name.to_owned(), value.to_owned());
        }
    }
    Case { memory, asked, explain, edits }
}

/// `a.b = 1`, `- a.b` to remove, `~ a.b name` to rename, `> a.b c` to move into a table, `< a.b c`
/// to move in front of a key of the same table.
fn edit(line: &str) -> TextEdit {
    if let Some(path) = line.strip_prefix("- ") {
        return TextEdit::remove(path.parse().unwrap());
    }
    let signed = |sign| line.strip_prefix(sign).map(|rest: &str| rest.split_once(' ').unwrap());
    if let Some((path, name)) = signed("~ ") {
        return TextEdit::rename(path.parse().unwrap(), name);
    }
    if let Some((path, table)) = signed("> ") {
        let to = Spot::Into(table.parse().unwrap());
        return TextEdit::Move { path: path.parse().unwrap(), to };
    }
    if let Some((path, name)) = signed("< ") {
        return TextEdit::Move { path: path.parse().unwrap(), to: Spot::Before(name.to_owned()) };
    }
    let (path, value) = line.split_once(" = ").unwrap();
    let document = Document::parse(&format!("x = {value}")).unwrap();
    let value = document.values().as_table().unwrap()["x"].clone();
    TextEdit::set(path.parse().unwrap(), value)
}

/// What is under the span of a finding.
fn shown(reading: &LayeredReading, file: &str, span: setpoint_bench::Span) -> String {
    let text = reading.files.iter().find(|it| *it.name == *file).map_or("", |it| &it.text);
    let line = text.lines().nth(span.line as usize - 1).unwrap_or_default();
    let end = if span.end_line == span.line { span.end_column } else { u32::MAX };
    let line = line.trim_start_matches('\u{feff}').chars();
    line.skip(span.column as usize - 1).take((end - span.column) as usize).collect()
}

fn leaves(value: &Value, path: &str, out: &mut String) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                let name = KeyPath::new([name.to_owned()]);
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{name}"), out);
            }
        }
        value => writeln!(out, "{path} = {value}").unwrap(),
    }
}

fn report(case: &Case) -> String {
    let reading = read_layers("lab/bench.toml", &case.memory, case.asked.as_deref(), &Types);
    let mut out = String::new();
    for finding in &reading.reading.diagnostics {
        writeln!(out, "{finding}").unwrap();
        let shown = shown(&reading, &finding.file, finding.span);
        writeln!(out, "    {} at {}: {shown}", finding.code, finding.path).unwrap();
    }
    let errors = reading.reading.diagnostics.iter().any(|it| it.severity == Severity::Error);
    assert_eq!(
        reading.reading.bench.is_none(),
        errors,
        "a bench if and only if there is no error\n{out}"
    );
    let files: Vec<&str> = reading.files.iter().map(|file| &*file.name).collect();
    let does = if errors { "does not run" } else { "runs" };
    writeln!(out, "=> {does}, for {}, from {}\n", reading.environment, files.join(", ")).unwrap();
    leaves(&reading.masked_values(), "", &mut out);
    for path in &case.explain {
        writeln!(out, "\n{path}:").unwrap();
        for from in reading.explain(path) {
            let holds = if from.holds { "" } else { "  not " };
            let template = from.template.map(|name| format!(" template {name}"));
            write!(out, "{holds}{} at {}:{}", from.raw, from.file, from.span.line).unwrap();
            write!(out, ":{} {:?}{}", from.span.column, from.layer, template.unwrap_or_default())
                .unwrap();
            writeln!(out, " {}", from.through.join(" ")).unwrap();
        }
    }
    if !case.edits.is_empty() {
        for edit in &case.edits {
            let holder = reading.holder(edit.path()).map(|it| (it.file, it.exists));
            writeln!(out, "\nholder of {}: {holder:?}", edit.path()).unwrap();
        }
        match reading.edit_layers(&case.edits, &Options::default(), &case.memory, &Types) {
            Err(error) => writeln!(out, "\n{error}").unwrap(),
            Ok(texts) => {
                for (file, text) in texts {
                    writeln!(out, "\n--- {file}\n{text}").unwrap();
                }
            }
        }
    }
    assert!(!out.contains("hunter"), "a secret in sight\n{out}");
    out
}

fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layers");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_listed_code_is_met_and_every_met_code_is_listed() {
    let read = |case: &Case| {
        read_layers("lab/bench.toml", &case.memory, case.asked.as_deref(), &Types).reading
    };
    let met = folders().into_iter().flat_map(|folder| read(&case(&folder)).diagnostics);
    let mut met: BTreeSet<String> = met.map(|finding| finding.code).collect();
    let of_checks = listed_codes(include_str!("../src/check.rs"));
    met.retain(|code| !of_checks.contains(code));
    // Files in memory belong to nobody; tests with files on disk meet it.
    met.insert("not_allowed".to_owned());
    assert_eq!(met, listed_codes(include_str!("../src/layers.rs")));
}

#[test]
fn benches_in_layers_come_out_as_expected() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let case = case(&folder);
        let found = report(&case);
        let expected = folder.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}\n{found}", folder.display()));
        }
    }
    assert!(folders().len() >= 30, "only {} cases", folders().len());
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn a_bench_of_one_file_is_read_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/check");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let wants_more = ["${", "include = [\"", "template", "append"];
        if wants_more.iter().any(|words| text.contains(words)) {
            continue;
        }
        count += 1;
        let mut memory = Memory::default();
        memory.files.insert("bench.toml".to_owned(), text.clone().into_bytes());
        let layered = read_layers("bench.toml", &memory, None, &Types).reading;
        let alone = setpoint_bench::read("bench.toml", &text, &Types);
        assert_eq!(layered.diagnostics, alone.diagnostics, "{}", path.display());
        assert!(layered.values.means(&alone.values));
        assert_eq!(format!("{:?}", layered.bench), format!("{:?}", alone.bench));
    }
    assert!(count >= 20, "only {count} files");
}

#[test]
fn a_text_that_is_not_saved_yet_is_read_in_its_layers() {
    let mut memory = Memory::default();
    memory.files.insert("a.toml".to_owned(), b"[sources.a]\ntype = \"test_pattern\"\n".to_vec());
    let mut surroundings = WithTexts::new(&memory);
    surroundings.put("bench.toml", "bench.include = [\"a.toml\"]\n");
    let reading = read_layers("bench.toml", &surroundings, None, &Types).reading;
    assert_eq!(reading.diagnostics, []);
    assert!(reading.bench.unwrap().sources.contains_key("a"));
}

#[test]
fn a_bench_has_its_secrets_and_the_reading_knows_where() {
    let text = "[templates.t]\ntype = \"rigol_dp832\"\naddress = \"${A}\"\n\
                [instruments.psu]\ntemplate = \"t\"\nlabel = \"${secret:B}\"\n";
    let mut memory = Memory::default();
    memory.files.insert("bench.toml".to_owned(), text.into());
    memory.variables.insert("A".to_owned(), "sim:".to_owned());
    memory.variables.insert("B".to_owned(), "hunter2".to_owned());
    let reading = read_layers("bench.toml", &memory, None, &Types);
    assert!(reading.holds_secret(&"instruments.psu.label".parse().unwrap()));
    assert!(reading.holds_secret(&"instruments.psu".parse().unwrap()));
    assert!(!reading.holds_secret(&"instruments.psu.address".parse().unwrap()));
    let bench = reading.reading.bench.unwrap();
    assert_eq!(bench.instruments["psu"].address, "sim:");
    assert_eq!(bench.instruments["psu"].label.as_deref(), Some("hunter2"));
}

#[test]
fn edits_can_be_written_in_a_way_of_ones_own() {
    let mut memory = Memory::default();
    let text = "[sources.a]\ntype = \"test_pattern\"\nlabel = \"a\"\n";
    memory.files.insert("bench.toml".to_owned(), text.into());
    let reading = read_layers("bench.toml", &memory, None, &Types);
    let edits = [edit("sources.a.label = \"b\"")];
    let remarked = |text: &str, edits: &[TextEdit]| {
        setpoint_bench::apply_with(text, edits, &Options::default())
            .map(|text| format!("# changed\n{text}"))
    };
    let texts = reading.edit_layers_by(&edits, &memory, &Types, &remarked).unwrap();
    assert_eq!(
        texts,
        [("bench.toml".to_owned(), format!("# changed\n{}", text.replace("\"a\"", "\"b\"")))]
    );
    // What does not come out as asked is refused, whoever wrote it.
    let other = |text: &str, _: &[TextEdit]| Ok(text.replace("\"a\"", "\"c\""));
    assert!(reading.edit_layers_by(&edits, &memory, &Types, &other).is_err());
}

#[test]
fn files_that_are_too_long_to_be_kept_together_are_told_of() {
    let mut memory = Memory::default();
    let long = format!("# {}\n", "x".repeat(9 << 20));
    let main = format!("bench.include = [\"more.toml\"]\n{long}");
    memory.files.insert("bench.toml".to_owned(), main.into());
    memory.files.insert("more.toml".to_owned(), long.into());
    let reading = read_layers("bench.toml", &memory, None, &Types).reading;
    assert!(reading.bench.is_none());
    let [finding] = reading.diagnostics.as_slice() else { panic!("{:?}", reading.diagnostics) };
    assert_eq!(finding.code, "too_large");
    assert!(finding.message.starts_with("the files of this bench are 19 MiB long together"));
}

fn hostile(text: &str, variables: &[(String, String)]) -> LayeredReading {
    let mut memory = Memory::default();
    memory.files.insert("bench.toml".to_owned(), text.as_bytes().to_vec());
    memory.variables.extend(variables.iter().cloned());
    read_layers("bench.toml", &memory, None, &Types)
}

/// Four times as many of something must not take as long as a quadratic time would.
fn grows(what: &str, make: impl Fn(usize) -> (String, Vec<(String, String)>)) {
    common::grows(what, 1_000, make, |(text, variables)| drop(hostile(text, variables)));
}

#[test]
fn time_grows_with_the_bench_and_not_faster() {
    let repeat =
        |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    grows("templates of one's own, some not there, variables not set", |count| {
        (
            repeat(count, &|n| {
                format!(
                    "[templates.t{n}]\ntype = \"rigol_dp832\"\n[instruments.i{n}]\ntemplate = \"t{n}\"\n\
         address = \"${{A{n}}}\"\n[sources.s{n}]\ntemplate = \"x{n}\"\n"
                )
            }),
            Vec::new(),
        )
    });
    grows("a text with many variables, many secrets", |count| {
        (
            format!(
                "bench.name = \"{}\"\n{}",
                repeat(count, &|n| format!("${{N{n}}}")),
                repeat(count, &|n| format!("[sources.s{n}]\ntype = \"${{secret:S{n}}}\"\n"))
            ),
            (0..count).map(|n| (format!("S{n}"), format!("hunter{n}"))).collect(),
        )
    });
    grows("variables that set keys, right and wrong", |count| {
        (
            repeat(count, &|n| format!("[instruments.i{n}]\ntype = \"rigol_dp832\"\n")),
            (0..count)
                .map(|n| {
                    (
                        format!(
                            "SETPOINT__INSTRUMENTS__{}{n}__ADDRESS",
                            if n % 2 == 0 { "I" } else { "J" }
                        ),
                        "sim:".to_owned(),
                    )
                })
                .collect(),
        )
    });
}

#[test]
fn of_several_names_as_near_the_first_is_suggested() {
    let text = "[instruments.vsu]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n\
                [instruments.xsu]\ntype = \"rigol_dp832\"\naddress = \"sim:\"\n";
    for _ in 0..20 {
        let name = "SETPOINT__INSTRUMENTS__PSU__LABEL".to_owned();
        let reading = hostile(text, &[(name, "x".to_owned())]);
        let finding = &reading.reading.diagnostics[0];
        let meant = finding.suggestion.as_deref();
        assert_eq!(meant, Some("SETPOINT__INSTRUMENTS__VSU__LABEL"), "{finding}");
    }
}

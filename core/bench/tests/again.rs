//! Reading what was touched comes to the same as reading everything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod common;

use std::{fs, path::Path, sync::Arc};

use common::Types;
use proptest::{collection::vec, prelude::*, sample::select};
use setpoint_bench::{BenchText, Edit, Value, apply, diff};

/// A bench of many instruments and a few other things.
fn bench(instruments: usize) -> String {
    let mut text = "# A bench\nformat = 1\n\n[bench]\nname = \"Large\"\n".to_owned();
    for n in 0..instruments {
        text.push_str(&format!(
            "\n# Supply {n}\n[instruments.psu{n}]\ntype = \"rigol_dp832\"\naddress = \"tcp://192.0.2.{}:{}\"\n\
             enabled = true\n\n[instruments.psu{n}.set]\nch1.voltage = 3.300 # V\nch1.output = \"on\"\n",
            n % 250,
            5000 + n,
        ));
    }
    text.push_str("\n[sources.a]\ntype = \"test_pattern\"\nrtsp = \"/a\"\n");
    text
}

#[test]
fn one_changed_table_is_one_table_read() {
    let text = bench(200);
    let before = BenchText::read("bench.toml", text.as_str().into(), &Types);
    assert!(before.reading().bench.is_some(), "{:?}", before.reading().diagnostics.first());
    let edit = Edit {
        path: "instruments.psu77.set.ch1.voltage".parse().unwrap(),
        value: Some(Value::Float(2.5)),
    };
    let now = apply(&text, &[edit]).unwrap();
    let after = before.again(now.into(), &Types);
    assert!(after.touched() <= 2, "{} pieces", after.touched());
    assert!(after.proven(&Types));
    let changes = diff(&before.reading().values, &after.reading().values);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path.to_string(), "instruments.psu77.set.ch1.voltage");
    // What was not touched is the very same memory.
    let instrument = |text: &BenchText, id: &str| {
        Arc::as_ptr(&text.reading().bench.as_ref().unwrap().instruments[id])
    };
    assert_eq!(instrument(&before, "psu3"), instrument(&after, "psu3"));
    assert_ne!(instrument(&before, "psu77"), instrument(&after, "psu77"));
}

#[test]
fn many_pieces_are_in_their_order_whoever_reads_them() {
    let text = bench(900);
    let wrong: String = text
        .split_inclusive("3.300")
        .enumerate()
        .map(|(n, part)| if n % 97 == 5 { part.replace("3.300", "\"x\"") } else { part.to_owned() })
        .collect();
    let before = BenchText::read("bench.toml", text.as_str().into(), &Types);
    assert!(before.touched() > 900 && before.proven(&Types));
    let after = before.again(wrong.as_str().into(), &Types);
    let types = after.reading().diagnostics.iter().filter(|finding| finding.code == "wrong_type");
    assert_eq!(types.count(), 10);
    assert!(after.proven(&Types));
    assert!(BenchText::read("bench.toml", wrong.into(), &Types).proven(&Types));
    assert!(after.again(text.into(), &Types).proven(&Types));
}

#[test]
fn what_all_components_have_to_do_with_each_other_is_checked_again() {
    let text = bench(40);
    let before = BenchText::read("bench.toml", text.as_str().into(), &Types);
    let clash = text.replace("tcp://192.0.2.30:5030", "tcp://192.0.2.3:5003");
    let after = before.again(clash.into(), &Types);
    let codes: Vec<&str> =
        after.reading().diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"duplicate_address"), "{codes:?}");
    assert!(after.proven(&Types));
    assert!(after.again(text.into(), &Types).proven(&Types));
}

/// Every text that the data-driven tests of the check have, whatever is wrong with it.
fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/check");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    texts.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_case_of_the_check_is_the_same_in_pieces() {
    let mut last = BenchText::read("bench.toml", "format = 1\n".into(), &Types);
    for text in texts() {
        let read = BenchText::read("bench.toml", text.as_str().into(), &Types);
        assert!(read.proven(&Types), "{text}");
        last = last.again(text.as_str().into(), &Types);
        assert!(last.proven(&Types), "after another: {text}");
        // And with one line less, wherever it was.
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for index in (0..lines.len()).step_by(lines.len() / 12 + 1) {
            let mut lines = lines.clone();
            lines.remove(index);
            let next = read.again(lines.concat().into(), &Types);
            assert!(next.proven(&Types), "{}", lines.concat());
        }
    }
}

fn block() -> impl Strategy<Value = &'static str> {
    select(vec![
        "[instruments.a]\ntype = 'rigol_dp832'\naddress = 'sim:'\n",
        "[instruments.a.set]\nch1.voltage = 3.3\n",
        "[instruments.b]\ntype = 'lakeshore_335'\naddress = 'tcp://x:1'\n",
        "[instruments.c]\ntype = 'lakeshore_335'\naddress = 'tcp://X:1'\nlabel = 'c'\n",
        "[instruments]\n",
        "[instruments]\nd = { type = 'rigol_dp832', address = 'sim:' }\n",
        "instruments.e.type = 'rigol_dp832'\n",
        "[sources.a]\ntype = 'test_pattern'\nrtsp = '/a'\n",
        "[sources.b]\ntype = 'test_pattern'\nrtsp = '/a'\n",
        "[[sources]]\ntype = 'test_pattern'\n",
        "[runtime]\nquiet = '20ms'\n",
        "[bench]\nname = 'x'\n",
        "[modules.m]\ntype = 'interlock'\n",
        "[\"instruments\".'a'.limits]\nch1.voltage = [0, 1]\n",
        "format = 1\n",
        "# comment\n\n",
        "x = \"\"\"\n",
        "y = [\n",
        "]\n",
        "\u{feff}",
        "z =\n",
    ])
}

proptest! {
    #[test]
    fn any_text_after_any_other(
        first in vec(block(), 0..12),
        changes in vec((0_usize..12, 0_usize..3, vec(block(), 0..3)), 1..4),
    ) {
        let mut blocks = first;
        let mut read = BenchText::read("bench.toml", blocks.concat().into(), &Types);
        prop_assert!(read.proven(&Types));
        for (at, removed, added) in changes {
            let at = at.min(blocks.len());
            let end = (at + removed).min(blocks.len());
            blocks.splice(at..end, added);
            read = read.again(blocks.concat().into(), &Types);
            prop_assert!(read.proven(&Types), "{}", blocks.concat());
        }
    }
}

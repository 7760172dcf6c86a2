mod common;
use setpoint_bench::*;
use std::time::Instant;
#[test]
fn perf() {
    let text: String = (0..10_000).map(|n| format!(
"# instrument {n}\n[instruments.i{n}]\ntype = \"rigol_dp832\"\naddress = \"tcp://10.0.0.1:{}\"  # rack\nlabel = \"x\"\non_reconnect = \"compare\"\n\n[instruments.i{n}.set]\nch1.voltage = 3.300 # V\nch1.current_limit = 0.5\nch2.voltage = 1.0\n\n", n+1)).collect();
    println!("{} bytes", text.len());
    let t = Instant::now();
    let d = Document::parse(&text).unwrap();
    println!("parse {:?}", t.elapsed());
    let t = Instant::now();
    let r = read("b.toml", &text, &common::Types);
    println!("read {:?} {}", t.elapsed(), r.diagnostics.len());
    let other = text.replace("3.300", "3.400");
    let t = Instant::now();
    let r2 = read("b.toml", &other, &common::Types);
    println!("read {:?}", t.elapsed());
    let t = Instant::now();
    let ch = diff(&r.values, &r2.values);
    println!("diff {:?} {}", t.elapsed(), ch.len());
    let edits: Vec<Edit> = ch.into_iter().map(|c| Edit { path: c.path, value: c.new }).collect();
    let t = Instant::now();
    let a = apply(&text, &edits).unwrap();
    println!("apply all {:?}", t.elapsed());
    assert_eq!(a, other);
    let t = Instant::now();
    apply(&text, &edits[..1]).unwrap();
    println!("apply one {:?}", t.elapsed());
    let rm: Vec<Edit> = edits
        .iter()
        .map(|e| Edit { path: KeyPath::new(e.path.names()[..2].to_vec()), value: None })
        .collect();
    let t = Instant::now();
    let e = apply(&text, &rm).unwrap();
    println!("remove all {:?} {}", t.elapsed(), e.len());
    let add: Vec<Edit> = edits
        .iter()
        .enumerate()
        .map(|(n, e)| Edit {
            path: KeyPath::new(["instruments".to_string(), format!("n{n}")]),
            value: r.values.as_table().unwrap()["instruments"]
                .as_table()
                .unwrap()
                .get(&e.path.names()[1])
                .cloned(),
        })
        .collect();
    let t = Instant::now();
    let e = apply(&text, &add).unwrap();
    println!("add all {:?} {}", t.elapsed(), e.len());
    let lim: Vec<Edit> = edits
        .iter()
        .map(|e| Edit {
            path: KeyPath::new(e.path.names()[..2].to_vec())
                .child("limits")
                .child("ch1")
                .child("voltage"),
            value: Some(Value::Array(vec![0.0.into(), 1.0.into()])),
        })
        .collect();
    let t = Instant::now();
    let e = apply(&text, &lim).unwrap();
    println!("limits all {:?} {}", t.elapsed(), e.len());
    let t = Instant::now();
    let rows = diff::side_by_side(&text, &other, 3);
    println!("sides {:?} {}", t.elapsed(), rows.len());
    let bad = text.replace("ch2.voltage = 1.0", "ch2.voltag = \"x\"");
    let t = Instant::now();
    let r = read("b.toml", &bad, &common::Types);
    println!("bad {:?} {}", t.elapsed(), r.diagnostics.len());
    drop(d);
    for n in [2_000, 4_000, 8_000, 16_000] {
        let mut t = String::new();
        for i in 0..n {
            t.push_str(&format!("[x{i}.y]\n"));
        }
        for i in 0..n {
            t.push_str(&format!("[x{i}]\n"));
        }
        let s = Instant::now();
        let _ = Document::parse(&t).unwrap();
        println!("reopen {n} {} bytes {:?}", t.len(), s.elapsed());
    }
    let one = format!(
        "a = {{ {} }}",
        (0..100_000).map(|n| format!("k{n} = 1")).collect::<Vec<_>>().join(", ")
    );
    let s = Instant::now();
    let r = read("b.toml", &one, &common::Types);
    println!("one line {:?} {}", s.elapsed(), r.diagnostics.len());
    let wide = format!(
        "[instruments.a]\ntype='rigol_dp832'\naddress='sim:'\nset = {{ {} }}",
        (0..100_000).map(|n| format!("k{n} = 1")).collect::<Vec<_>>().join(", ")
    );
    let s = Instant::now();
    let r = read("b.toml", &wide, &common::Types);
    println!("one line {:?} {}", s.elapsed(), r.diagnostics.len());
}

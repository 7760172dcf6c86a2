use proptest::{collection::vec, option, prelude::*};
use setpoint_bench::{Value, value::Table};

use super::*;

fn folder() -> (tempfile::TempDir, BenchFolder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
    (dir, folder)
}

fn edit(path: &str, base: f64, value: f64) -> EditRecord {
    let path = path.parse().unwrap();
    EditRecord { path, base: Some(base.into()), value: Some(value.into()), clash: None }
}

fn record(id: &str) -> TransactionRecord {
    TransactionRecord {
        id: id.to_owned(),
        opened: "2026-01-31T12:00:00.123456789Z".parse().unwrap(),
        touched: "2026-01-31T12:03:00Z".parse().unwrap(),
        origin: "api".to_owned(),
        author: "Ada".to_owned(),
        message: "a \"higher\" voltage\n".to_owned(),
        base: "r41".to_owned(),
        draft: false,
        begun: true,
        edits: vec![edit("instruments.psu.set.ch1.voltage", 3.0, 3.45)],
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        // Every finite number, whole ones often: 1.0 must not come back as 1.
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        (-100_i32..100).prop_map(|whole| Value::Float(f64::from(whole))),
        Just(Value::Float(f64::INFINITY)),
        Just(Value::from("2026-01-31T12:00:00Z")),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((name(), inner), 0..4)
                .prop_map(|keys| Value::Table(keys.into_iter().collect::<Table>())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9_-]{0,6}", "[ -~äß\"'.\\n]{0,6}"]
}

fn path() -> impl Strategy<Value = KeyPath> {
    vec(name(), 1..5).prop_map(KeyPath::new)
}

fn clash() -> impl Strategy<Value = Clash> {
    let values = (option::of(value()), option::of(value()), option::of(value()));
    (path(), values, option::of(path())).prop_map(|(path, (base, file, mine), renamed)| Clash {
        path,
        base,
        file,
        mine,
        renamed,
    })
}

fn edits() -> impl Strategy<Value = Vec<EditRecord>> {
    let one = (path(), option::of(value()), option::of(value()), option::of(clash()));
    let one = one.prop_map(|(path, base, value, clash)| EditRecord { path, base, value, clash });
    vec(one, 0..5)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_exactly(
        edits in edits(), message in any::<String>(), author in any::<String>(),
        draft in any::<bool>(), begun in any::<bool>(),
    ) {
        let record = TransactionRecord { edits, message, author, draft, begun, ..record("t7") };
        prop_assert_eq!(text::read(&text::write(&record)), Ok(record));
    }
}

#[test]
fn a_restart_brings_all_back_in_the_order_they_were_opened() {
    let (_dir, folder) = folder();
    let (transactions, found) = Transactions::open(&folder);
    assert_eq!(found, FoundTransactions::default());
    let (first, second) = (transactions.next_id().unwrap(), transactions.next_id().unwrap());
    assert_eq!([first.as_str(), second.as_str()], ["t1", "t2"]);
    let earlier = TransactionRecord {
        opened: "2026-01-30T12:00:00Z".parse().unwrap(),
        edits: Vec::new(),
        ..record(&second)
    };
    transactions.save(&record(&first)).unwrap();
    transactions.save(&earlier).unwrap();
    let (_, found) = Transactions::open(&folder);
    assert_eq!(found, FoundTransactions { kept: vec![earlier, record(&first)], problems: vec![] });
}

#[test]
fn no_id_is_given_twice() {
    let (_dir, folder) = folder();
    let (transactions, _) = Transactions::open(&folder);
    let id = transactions.next_id().unwrap();
    transactions.save(&record(&id)).unwrap();
    transactions.remove(&id).unwrap();
    transactions.remove(&id).unwrap();
    let (transactions, found) = Transactions::open(&folder);
    assert_eq!(found.kept, []);
    assert_eq!(transactions.next_id().unwrap(), "t2");
    // Also when the count is lost.
    for damage in [None, Some("?")] {
        match damage {
            None => fs::remove_file(folder.transactions().join(LAST)).unwrap(),
            Some(text) => fs::write(folder.transactions().join(LAST), text).unwrap(),
        }
        let (transactions, _) = Transactions::open(&folder);
        assert!(number(&transactions.next_id().unwrap()).unwrap() > 1_000_000);
    }
}

#[test]
fn a_damaged_one_is_moved_aside_and_the_others_are_there() {
    let (_dir, folder) = folder();
    let (transactions, _) = Transactions::open(&folder);
    for id in ["t1", "t2", "t3"] {
        transactions.save(&record(id)).unwrap();
    }
    let file = |name: &str| folder.transactions().join(name);
    fs::write(file("t2.toml"), "id = \"t2\"\n[[edits").unwrap();
    fs::rename(file("t3.toml"), file("t4.toml")).unwrap();
    fs::write(file("t4.toml.damaged"), "an earlier one").unwrap();
    fs::write(file(".t1.toml.setpoint-0123abcd.tmp"), "half").unwrap();
    let (_, found) = Transactions::open(&folder);
    assert_eq!(found.kept, [record("t1")]);
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    assert!(found.problems[0].contains("t2.toml is damaged"), "{:?}", found.problems);
    assert!(found.problems[1].contains("t4.toml.damaged-2"), "{:?}", found.problems);
    assert!(file("t2.toml.damaged").exists() && !file("t2.toml").exists());
    assert_eq!(fs::read_to_string(file("t4.toml.damaged")).unwrap(), "an earlier one");
    assert!(!file(".t1.toml.setpoint-0123abcd.tmp").exists());
    let (_, found) = Transactions::open(&folder);
    assert_eq!((found.kept.len(), found.problems.len()), (1, 0));
}

#[test]
fn one_that_cannot_be_read_now_stays_and_its_number_is_not_given_again() {
    let (_dir, folder) = folder();
    let (transactions, _) = Transactions::open(&folder);
    transactions.save(&record("t1")).unwrap();
    // Whose disk fails is not to be had in a test; this one fails for root as well.
    let path = folder.transactions().join("t70000000000.toml");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let (transactions, found) = Transactions::open(&folder);
    assert_eq!(found.kept, [record("t1")]);
    assert!(found.problems.len() == 1 && found.problems[0].contains("cannot be read"), "{found:?}");
    assert!(fs::symlink_metadata(&path).is_ok(), "it stays where it is");
    assert_eq!(transactions.next_id().unwrap(), "t70000000001");
}

#[test]
fn one_that_would_be_too_large_to_read_is_refused() {
    let (_dir, folder) = folder();
    let (transactions, _) = Transactions::open(&folder);
    transactions.save(&record("t1")).unwrap();
    let message = "x".repeat(usize::try_from(atomic::MAX_BYTES).unwrap());
    let error = transactions.save(&TransactionRecord { message, ..record("t1") }).unwrap_err();
    assert!(error.to_string().contains("smaller parts"), "{error}");
    assert_eq!(Transactions::open(&folder).1.kept, [record("t1")], "what was kept still is");
}

#[test]
fn a_folder_that_cannot_be_read_is_no_reason_not_to_start() {
    let (_dir, folder) = folder();
    fs::write(folder.transactions(), "in the way").unwrap();
    let (transactions, found) = Transactions::open(&folder);
    assert_eq!((found.kept.len(), found.problems.len()), (0, 1));
    assert!(transactions.next_id().is_err());
    assert!(transactions.save(&record("t1")).is_err());
}

#[test]
fn it_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_dir, folder) = folder();
    let (transactions, _) = Transactions::open(&folder);
    transactions.save(&record("t1")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.transactions()), 0o700);
    assert_eq!(mode(&folder.transactions().join("t1.toml")), 0o600);
}

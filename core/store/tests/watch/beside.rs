//! Files beside the bench file: includes, those that a pattern finds, `.env`.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::symlink,
    thread,
    time::Duration,
};

use setpoint_store::{Beside, FileSeen, TextHash, WatchOptions, atomic};

use crate::bench::*;

both_ways! {
    case_26_several_files_saved_together_are_one_report,
    case_33_includes_and_overlays_count_as_the_bench_file_does,
    files_that_appear_are_found_by_pattern,
    files_that_go_and_come_back_are_told,
    one_that_goes_while_the_set_is_told_is_told,
    data_folder_swap_of_two_files_is_one_report,
    half_an_include_is_held_back,
    own_writes_beside_are_nothing,
    artefacts_are_no_part_of_a_bench,
    what_the_owner_has_not_read_is_told_once,
    the_set_of_files_may_change,
    patterns_from_the_top_are_followed_where_they_lead,
}

/// A bench with an include, known to its owner, and patterns of its own.
fn layered(how: How) -> Bench {
    let bench = Bench::plain(how);
    fs::write(bench.path("optics.toml"), FIRST).unwrap();
    fs::create_dir(bench.path("conf")).unwrap();
    bench.watcher.set_beside(set());
    bench.watcher.look_now();
    bench.expect_nothing();
    bench
}

fn set() -> Beside {
    Beside {
        files: vec![
            ("optics.toml".to_owned(), Some(TextHash::of(FIRST))),
            (".env".to_owned(), None),
            ("../late.toml".to_owned(), None),
        ],
        patterns: ["bench.*.toml", "conf/**/*.toml", "drivers/*.toml", "any/*"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// The owner says which files there are while it does not know yet that one is gone.
fn one_that_goes_while_the_set_is_told_is_told(how: How) {
    let bench = layered(how);
    fs::write(bench.path("conf/a.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    fs::remove_file(bench.path("conf/a.toml")).unwrap();
    bench.watcher.set_beside(set());
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    bench.expect_nothing();
}

fn case_26_several_files_saved_together_are_one_report(how: How) {
    let bench = layered(how);
    save_over(&bench.path("optics.toml"), &edited(10));
    fs::write(bench.path(".env"), "A=1\n").unwrap();
    bench.save_over(&edited(10));
    fs::write(bench.path("conf/a.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.together(&edited(10)), [".env", "conf/a.toml", "optics.toml"]);
    bench.expect_nothing();
}

fn case_33_includes_and_overlays_count_as_the_bench_file_does(how: How) {
    let bench = layered(how);
    for n in 10..13 {
        save_over(&bench.path("optics.toml"), &edited(n));
        assert_eq!(bench.beside(), ["optics.toml"]);
        fs::write(bench.path("bench.lab.toml"), edited(n)).unwrap();
        assert_eq!(bench.beside(), ["bench.lab.toml"]);
        fs::write(bench.path(".env"), format!("A={n}\n")).unwrap();
        assert_eq!(bench.beside(), [".env"]);
    }
    // Written, and not closed.
    let mut file = OpenOptions::new().append(true).open(bench.path("optics.toml")).unwrap();
    file.write_all(b"y = 1\n").unwrap();
    assert_eq!(bench.beside(), ["optics.toml"]);
    bench.expect_nothing();
    // The bench file is followed as before.
    bench.save_over(&edited(20));
    bench.only(&edited(20));
}

fn files_that_appear_are_found_by_pattern(how: How) {
    let bench = layered(how);
    fs::write(bench.path("conf/a.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    // In folders that did not exist either.
    fs::create_dir_all(bench.path("conf/more/still")).unwrap();
    fs::write(bench.path("conf/more/still/b.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.beside(), ["conf/more/still/b.toml"]);
    fs::create_dir(bench.path("drivers")).unwrap();
    fs::write(bench.path("drivers/own.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.beside(), ["drivers/own.toml"]);
    for (name, text) in [("conf/a.toml", "x = 2\n"), ("drivers/own.toml", "x = 2\n")] {
        save_over(&bench.path(name), text);
        assert_eq!(bench.beside(), [name]);
    }
    bench.expect_nothing();
}

fn files_that_go_and_come_back_are_told(how: How) {
    let bench = layered(how);
    fs::write(bench.path("conf/a.toml"), "x = 1\n").unwrap();
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    for name in ["optics.toml", "conf/a.toml"] {
        fs::remove_file(bench.path(name)).unwrap();
        assert_eq!(bench.beside(), [name]);
        fs::write(bench.path(name), "y = 1\n").unwrap();
        assert_eq!(bench.beside(), [name]);
        // With a gap, as some programs save.
        fs::rename(bench.path(name), bench.path("old")).unwrap();
        thread::sleep(Duration::from_millis(100));
        fs::write(bench.path(name), "y = 2\n").unwrap();
        assert_eq!(bench.beside(), [name]);
        bench.expect_nothing();
    }
    fs::rename(bench.path("conf"), bench.path("away")).unwrap();
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    fs::rename(bench.path("away"), bench.path("conf")).unwrap();
    assert_eq!(bench.beside(), ["conf/a.toml"]);
    save_over(&bench.path("conf/a.toml"), "y = 3\n");
    assert_eq!(bench.beside(), ["conf/a.toml"]);
}

fn data_folder_swap_of_two_files_is_one_report(how: How) {
    let fill = |folder: &std::path::Path, text: &str| {
        fs::create_dir(folder).unwrap();
        for name in ["bench.toml", "optics.toml"] {
            fs::write(folder.join(name), text).unwrap();
        }
    };
    let bench = Bench::how(how, |folder| {
        fill(&folder.join("v1"), FIRST);
        symlink("v1", folder.join("..data")).unwrap();
        for name in ["bench.toml", "optics.toml"] {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
        folder.join("bench.toml")
    });
    bench.watcher.set_beside(set());
    bench.expect_nothing();
    for n in 2..5 {
        fill(&bench.path(&format!("v{n}")), &edited(n));
        symlink(format!("v{n}"), bench.path("..data_tmp")).unwrap();
        fs::rename(bench.path("..data_tmp"), bench.path("..data")).unwrap();
        assert_eq!(bench.together(&edited(n)), ["optics.toml"]);
        bench.expect_nothing();
    }
}

fn half_an_include_is_held_back(how: How) {
    let bench = layered(how);
    // Saved together with the bench file, which then waits for it.
    let mut file =
        OpenOptions::new().write(true).truncate(true).open(bench.path("optics.toml")).unwrap();
    bench.save_over(&edited(10));
    assert!(matches!(bench.next(), FileSeen::Settling));
    bench.expect_nothing();
    file.write_all(edited(10).as_bytes()).unwrap();
    drop(file);
    assert_eq!(bench.together(&edited(10)), ["optics.toml"]);
    // It settles to what it was, and that is said.
    fs::write(bench.path("optics.toml"), "").unwrap();
    assert!(matches!(bench.next(), FileSeen::Settling));
    fs::write(bench.path("optics.toml"), edited(10)).unwrap();
    bench.settled_as_before();
    bench.expect_nothing();
}

fn own_writes_beside_are_nothing(how: How) {
    let bench = layered(how);
    for n in 10..15 {
        for name in ["optics.toml", "conf/made.toml"] {
            bench.watcher.believe_beside(&bench.path(name), TextHash::of(edited(n)));
            atomic::replace(&bench.path(name), edited(n).as_bytes()).unwrap();
        }
        bench.write_own(&edited(n));
    }
    bench.expect_nothing();
    // Someone else's are something.
    for name in ["optics.toml", "conf/made.toml"] {
        save_over(&bench.path(name), &edited(10));
        assert_eq!(bench.beside(), [name]);
    }
}

fn artefacts_are_no_part_of_a_bench(how: How) {
    let bench = layered(how);
    fs::create_dir(bench.path("any")).unwrap();
    fs::write(bench.path("any/real"), "x").unwrap();
    assert_eq!(bench.beside(), ["any/real"]);
    for name in [".real.swp", "real~", "4913", "#real#", ".#real", ".real.setpoint-0a1b2c3d.tmp"] {
        fs::write(bench.path("any").join(name), "x").unwrap();
    }
    fs::write(bench.path("conf/#a.toml#"), "x").unwrap();
    fs::write(bench.path("conf/notes.txt"), "x").unwrap();
    bench.expect_nothing();
}

fn what_the_owner_has_not_read_is_told_once(how: How) {
    let bench = Bench::plain(how);
    fs::write(bench.path(".env"), "A=1\n").unwrap();
    fs::write(bench.path("bench.lab.toml"), "x = 1\n").unwrap();
    // Another than it has read.
    fs::write(bench.path("optics.toml"), edited(10)).unwrap();
    bench.watcher.set_beside(set());
    assert_eq!(bench.beside(), [".env", "bench.lab.toml", "optics.toml"]);
    bench.watcher.set_beside(set());
    bench.expect_nothing();
}

fn the_set_of_files_may_change(how: How) {
    let bench = layered(how);
    bench.watcher.set_beside(Beside::default());
    save_over(&bench.path("optics.toml"), &edited(10));
    fs::write(bench.path(".env"), "A=1\n").unwrap();
    bench.expect_nothing();
    bench.save_over(&edited(10));
    bench.only(&edited(10));
    bench.watcher.set_beside(set());
    assert_eq!(bench.beside(), [".env", "optics.toml"]);
    save_over(&bench.path("optics.toml"), &edited(11));
    assert_eq!(bench.beside(), ["optics.toml"]);
}

fn patterns_from_the_top_are_followed_where_they_lead(how: How) {
    let (dir, shared) = (folder(), folder());
    let file = plain(dir.path());
    // Comparing everything would come upon it as well, later.
    let compare_every = Duration::from_secs(3_600);
    let (watcher, seen) = follow(&file, WatchOptions { compare_every, ..how.options() });
    let bench = Bench::of(dir, file, watcher, seen);
    bench.expect(FIRST);
    let top = shared.path().to_str().unwrap();
    let patterns = ["one.*.toml", "rigs/*/rig.toml", "later/deep/*.toml"];
    bench.watcher.set_beside(Beside {
        patterns: patterns.iter().map(|pattern| format!("{top}/{pattern}")).collect(),
        ..Beside::default()
    });
    bench.expect_nothing();
    for name in ["one.a.toml", "rigs/left/rig.toml", "later/deep/x.toml"] {
        let path = shared.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for text in ["x = 1\n", "x = 2\n"] {
            fs::write(&path, text).unwrap();
            match bench.settled() {
                FileSeen::Beside { changed, .. } => {
                    assert_eq!(changed, std::slice::from_ref(&path))
                }
                other => panic!("{other:?}"),
            }
        }
    }
    bench.expect_nothing();
}

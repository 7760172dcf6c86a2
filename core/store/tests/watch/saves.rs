//! Ways of saving, deleting, pausing, one after the other.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek as _, Write},
    os::unix::fs::{FileExt as _, symlink},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::{Duration, Instant},
};

use setpoint_store::{Beside, FileSeen, ReadError, TextHash, WatchOptions, atomic};

use crate::bench::*;

#[test]
fn a_rename_over_it_is_read_at_once_again_and_again() {
    let bench = Bench::new();
    for n in 10..20 {
        bench.save_over(&edited(n));
        let save = bench.expect(&edited(n));
        assert!(save.finished);
    }
}

#[test]
fn a_write_in_place_is_read_when_closed() {
    let bench = Bench::new();
    fs::write(&bench.file, edited(10)).unwrap();
    assert!(bench.expect(&edited(10)).finished);
    let mut file = OpenOptions::new().append(true).open(&bench.file).unwrap();
    file.write_all(b"\n[d]\n").unwrap();
    drop(file);
    bench.expect(&(edited(10) + "\n[d]\n"));
}

#[test]
fn a_write_without_close_is_read_when_still() {
    let bench = Bench::new();
    let mut file = OpenOptions::new().append(true).open(&bench.file).unwrap();
    file.write_all(b"y = 1\n").unwrap();
    let save = bench.expect(&(FIRST.to_owned() + "y = 1\n"));
    assert!(!save.finished);
    assert!(save.settled >= WatchOptions::default().quiet, "{:?}", save.settled);
    drop(file);
    bench.expect_nothing();
}

#[test]
fn a_stream_of_writes_does_not_starve_it() {
    let bench = Bench::new();
    let mut file = OpenOptions::new().append(true).open(&bench.file).unwrap();
    let begun = Instant::now();
    // Nothing is ever still for the quiet time here.
    let seen = loop {
        file.write_all(b"y = 1\n").unwrap();
        match bench.seen.recv_timeout(Duration::from_millis(5)) {
            Ok(FileSeen::Settling) => {}
            Ok(seen) => break seen,
            Err(_) => assert!(begun.elapsed() < DEADLINE, "starved"),
        }
    };
    assert!(matches!(seen, FileSeen::Text { .. }), "{seen:?}");
}

#[test]
fn a_stream_of_torn_looking_saves_is_told_of_in_the_end() {
    let bench = Bench::new();
    let begun = Instant::now();
    let mut cuts = (0..FIRST.len()).cycle();
    // None of them stays for the second that it would take to be believed.
    let seen = loop {
        fs::write(&bench.file, &FIRST[..cuts.next().unwrap()]).unwrap();
        match bench.seen.recv_timeout(Duration::from_millis(200)) {
            Ok(FileSeen::Settling) => {}
            Ok(seen) => break seen,
            Err(_) => assert!(begun.elapsed() < DEADLINE, "held back for ever"),
        }
    };
    assert!(matches!(seen, FileSeen::Text { .. }), "{seen:?}");
    assert!(begun.elapsed() > Duration::from_secs(4), "not without waiting");
}

#[test]
fn a_backup_by_rename_and_a_new_file_is_one_save() {
    let bench = Bench::new();
    fs::rename(&bench.file, bench.path("bench.toml~")).unwrap();
    fs::write(&bench.file, edited(10)).unwrap();
    bench.expect(&edited(10));
    bench.expect_nothing();
}

#[test]
fn a_file_behind_links_is_followed() {
    let bench = Bench::with(|folder| {
        fs::create_dir(folder.join("git")).unwrap();
        fs::write(folder.join("git/optics.toml"), FIRST).unwrap();
        symlink("git/optics.toml", folder.join("current.toml")).unwrap();
        symlink("current.toml", folder.join("bench.toml")).unwrap();
        folder.join("bench.toml")
    });
    let target = bench.path("git/optics.toml");
    save_over(&target, &edited(10));
    bench.expect(&edited(10));
    fs::write(&target, edited(11)).unwrap();
    bench.expect(&edited(11));
    // The link is led elsewhere, and followed there.
    fs::write(bench.path("other.toml"), edited(12)).unwrap();
    symlink("other.toml", bench.path("link")).unwrap();
    fs::rename(bench.path("link"), bench.path("current.toml")).unwrap();
    bench.expect(&edited(12));
    fs::write(bench.path("other.toml"), edited(13)).unwrap();
    bench.expect(&edited(13));
    fs::write(&target, edited(14)).unwrap();
    bench.expect_nothing();
}

#[test]
fn a_linked_folder_that_is_swapped_is_followed() {
    let bench = Bench::with(|folder| {
        for version in ["v1", "v2"] {
            fs::create_dir(folder.join(version)).unwrap();
        }
        fs::write(folder.join("v1/bench.toml"), FIRST).unwrap();
        fs::write(folder.join("v2/bench.toml"), edited(10)).unwrap();
        symlink("v1", folder.join("..data")).unwrap();
        symlink("..data/bench.toml", folder.join("bench.toml")).unwrap();
        folder.join("bench.toml")
    });
    symlink("v2", bench.path("..data_tmp")).unwrap();
    fs::rename(bench.path("..data_tmp"), bench.path("..data")).unwrap();
    bench.expect(&edited(10));
}

#[test]
fn gone_and_back() {
    let bench = Bench::new();
    fs::remove_file(&bench.file).unwrap();
    assert!(matches!(bench.settled(), FileSeen::Gone));
    // Back with what it held: that is news too.
    fs::write(&bench.file, FIRST).unwrap();
    bench.expect(FIRST);
    fs::remove_file(&bench.file).unwrap();
    assert!(matches!(bench.settled(), FileSeen::Gone));
    fs::write(&bench.file, edited(10)).unwrap();
    bench.expect(&edited(10));
}

#[test]
fn its_folder_may_go_and_come_back() {
    let bench = Bench::with(|folder| {
        fs::create_dir(folder.join("lab")).unwrap();
        fs::write(folder.join("lab/bench.toml"), FIRST).unwrap();
        folder.join("lab/bench.toml")
    });
    // Twice, so that the watch on the second folder is seen to live.
    for n in [10, 20] {
        fs::rename(bench.path("lab"), bench.path(&format!("old{n}"))).unwrap();
        assert!(matches!(bench.settled(), FileSeen::Gone));
        fs::create_dir(bench.path("lab")).unwrap();
        fs::write(&bench.file, edited(n)).unwrap();
        bench.expect(&edited(n));
        bench.save_over(&edited(n + 1));
        bench.expect(&edited(n + 1));

        fs::remove_dir_all(bench.path("lab")).unwrap();
        assert!(matches!(bench.settled(), FileSeen::Gone));
        fs::create_dir(bench.path("lab")).unwrap();
        fs::write(&bench.file, edited(n + 2)).unwrap();
        bench.expect(&edited(n + 2));
        bench.save_over(&edited(n + 3));
        bench.expect(&edited(n + 3));
    }
    // Moved away and back: the watch has to live on as well.
    fs::rename(bench.path("lab"), bench.path("away")).unwrap();
    fs::rename(bench.path("away"), bench.path("lab")).unwrap();
    bench.save_over(&edited(30));
    bench.expect(&edited(30));
}

#[test]
fn a_folder_above_may_be_swapped() {
    let bench = Bench::with(|folder| {
        fs::create_dir_all(folder.join("home/lab")).unwrap();
        fs::write(folder.join("home/lab/bench.toml"), FIRST).unwrap();
        folder.join("home/lab/bench.toml")
    });
    fs::create_dir_all(bench.path("next/lab")).unwrap();
    fs::write(bench.path("next/lab/bench.toml"), edited(10)).unwrap();
    fs::rename(bench.path("home"), bench.path("old")).unwrap();
    fs::rename(bench.path("next"), bench.path("home")).unwrap();
    // No event tells of that.
    bench.expect(&edited(10));
    bench.save_over(&edited(11));
    bench.expect(&edited(11));
}

#[test]
fn a_burst_ends_with_its_last_text() {
    let bench = Bench::new();
    for n in 1000..1200 {
        if n % 2 == 0 {
            bench.save_over(&edited(n));
        } else {
            fs::write(&bench.file, edited(n)).unwrap();
        }
    }
    loop {
        if let FileSeen::Text { text, .. } = bench.settled()
            && *text == edited(1199)
        {
            break;
        }
    }
    bench.expect_nothing();
}

#[test]
fn the_same_text_again_is_nothing() {
    let bench = Bench::new();
    bench.save_over(FIRST);
    bench.expect_nothing();
    let file = File::options().append(true).open(&bench.file).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    drop(file);
    bench.watcher.look_now();
    bench.expect_nothing();
    bench.save_over(&edited(10));
    bench.expect(&edited(10));
}

#[test]
fn what_the_owner_wrote_is_nothing() {
    let bench = Bench::new();
    for n in 10..15 {
        bench.watcher.believe(TextHash::of(edited(n)));
        atomic::replace(&bench.file, edited(n).as_bytes()).unwrap();
    }
    bench.expect_nothing();
    // Someone else writing one of these texts later is something.
    bench.save_over(FIRST);
    bench.expect(FIRST);
    bench.save_over(&edited(14));
    bench.expect(&edited(14));
}

#[test]
fn a_text_is_told_as_coming_while_it_is_waited_for() {
    let dir = folder();
    let file = plain(dir.path());
    // Long, so that a slow machine is not late with the second write.
    let options = WatchOptions { quiet: Duration::from_secs(2), ..WatchOptions::default() };
    let (_watcher, seen) = follow_with(&file, options, |seen| !matches!(seen, FileSeen::Settling));
    let next = || seen.recv_timeout(DEADLINE).unwrap();
    assert!(matches!(next(), FileSeen::Text { text, .. } if *text == *FIRST));
    let mut open = OpenOptions::new().write(true).open(&file).unwrap();
    open.write_all(edited(4).as_bytes()).unwrap();
    assert!(matches!(next(), FileSeen::Coming { text, .. } if *text == edited(4)));
    // It was not to last.
    open.rewind().unwrap();
    open.write_all(edited(5).as_bytes()).unwrap();
    let FileSeen::Coming { text: coming, hash } = next() else { panic!("nothing is coming") };
    assert_eq!((&*coming, hash), (&*edited(5), TextHash::of(edited(5))));
    let FileSeen::Text { text, .. } = next() else { panic!("no text") };
    assert!(Arc::ptr_eq(&text, &coming), "what was made of it is of use");
    // What is known already is not coming.
    open.rewind().unwrap();
    open.write_all(edited(5).as_bytes()).unwrap();
    let quiet = seen.recv_timeout(options.quiet + A_WHILE);
    assert!(matches!(quiet, Err(RecvTimeoutError::Timeout)), "{quiet:?}");
}

#[test]
fn a_long_wait_is_told_of_when_it_begins() {
    let options = WatchOptions { quiet: Duration::from_millis(1200), ..WatchOptions::default() };
    let dir = folder();
    let file = plain(dir.path());
    let (watcher, seen) = follow(&file, options);
    let bench = Bench::of(dir, file, watcher, seen);
    bench.expect(FIRST);
    // A bare write: whoever made it may go on.
    let mut writer = OpenOptions::new().append(true).open(&bench.file).unwrap();
    for (text, whole) in [("# one\n", "# one\n"), ("# two\n", "# one\n# two\n")] {
        writer.write_all(text.as_bytes()).unwrap();
        let written = Instant::now();
        assert!(matches!(bench.next(), FileSeen::Settling));
        assert!(written.elapsed() < options.quiet / 2, "told when it begins");
        bench.only(&format!("{FIRST}{whole}"));
        assert!(written.elapsed() >= options.quiet);
    }
    // A finished save is not waited for, nor is anything the owner's own.
    bench.save_over(FIRST);
    assert!(matches!(bench.next(), FileSeen::Text { .. }));
    bench
        .watcher
        .set_beside(Beside { files: vec![("more.toml".to_owned(), None)], patterns: Vec::new() });
    fs::write(bench.path("more.toml"), "").unwrap();
    assert_eq!(bench.beside(), ["more.toml"]);
    bench.write_own(&edited(10));
    assert!(bench.seen.recv_timeout(options.quiet * 2).is_err(), "its own is nothing");
}

#[test]
fn a_file_that_is_written_without_a_pause_is_told_of() {
    let bench = Bench::new();
    let stop = AtomicBool::new(false);
    let mut seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = OpenOptions::new().write(true).open(&bench.file).unwrap();
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n = (n + 1) % 10;
                file.write_all_at(n.to_string().as_bytes(), 8).unwrap();
            }
        });
        let seen = loop {
            match bench.seen.recv_timeout(DEADLINE) {
                Ok(FileSeen::Settling) => {}
                seen => break seen,
            }
        };
        stop.store(true, Ordering::Relaxed);
        // Where times are too coarse to notice the writing, that is a text.
        let told = matches!(&seen, Ok(FileSeen::Unreadable(_) | FileSeen::Text { .. }));
        assert!(told, "{seen:?}");
        seen.unwrap()
    });
    // What it holds in the end is reported.
    let holds = fs::read_to_string(&bench.file).unwrap();
    while !matches!(&seen, FileSeen::Text { text, .. } if **text == *holds) {
        seen = bench.next();
    }
}

#[test]
fn neighbours_and_readers_are_nothing() {
    let bench = Bench::new();
    fs::write(bench.path("notes.txt"), "x").unwrap();
    fs::write(bench.path("bench.toml.swp"), "x").unwrap();
    fs::read(&bench.file).unwrap();
    bench.expect_nothing();
}

#[test]
fn half_a_text_is_held_back_until_the_rest_follows() {
    let bench = Bench::new();
    let whole = edited(10) + "\n[d]\nx = 4\n";
    // The writer stops for longer than the quiet time: after truncating, and between two tables.
    let mut file = OpenOptions::new().write(true).truncate(true).open(&bench.file).unwrap();
    assert!(matches!(bench.next(), FileSeen::Settling));
    file.write_all(&whole.as_bytes()[..10]).unwrap();
    bench.expect_nothing();
    file.write_all(&whole.as_bytes()[10..]).unwrap();
    drop(file);
    assert!(bench.expect(&whole).finished);
    bench.expect_nothing();
}

#[test]
fn half_a_text_that_was_closed_is_held_back_too() {
    let bench = Bench::new();
    for torn in ["", &FIRST[..10], &FIRST[..11], "[a]\nx = 9\n", "[a]\nx = 100\n\n[b]\nx = 2"] {
        fs::write(&bench.file, torn).unwrap();
        assert!(matches!(bench.next(), FileSeen::Settling), "{torn:?}");
        bench.expect_nothing();
        fs::write(&bench.file, FIRST).unwrap();
        // It settles to what it was, and says so.
        bench.expect(FIRST);
    }
}

#[test]
fn a_shorter_text_that_stays_is_believed() {
    let bench = Bench::new();
    fs::write(&bench.file, &FIRST[..10]).unwrap();
    let save = bench.expect(&FIRST[..10]);
    assert!(save.settled >= Duration::from_secs(1), "{:?}", save.settled);
    fs::write(&bench.file, "").unwrap();
    bench.expect("");
}

#[test]
fn a_shorter_text_that_was_renamed_into_place_is_believed_at_once() {
    let bench = Bench::new();
    bench.save_over(&FIRST[..10]);
    assert!(matches!(bench.next(), FileSeen::Text { .. }));
    // An empty one is not: a full disk makes such files.
    bench.save_over("");
    assert!(matches!(bench.next(), FileSeen::Settling));
    bench.expect("");
}

#[test]
fn what_cannot_be_read_is_said_once_and_the_next_good_text_follows() {
    let bench = Bench::new();
    fs::write(&bench.file, b"a = 1\n# \xff\n").unwrap();
    let FileSeen::Unreadable(error) = bench.settled() else {
        panic!("not unreadable");
    };
    assert_eq!(error, ReadError::NotUtf8 { path: bench.file.clone(), line: 2, column: 3 });
    bench.expect_nothing();
    bench.save_over(FIRST);
    bench.expect(FIRST);
    fs::remove_file(&bench.file).unwrap();
    fs::create_dir(&bench.file).unwrap();
    let folder = ReadError::Folder { path: bench.file.clone() };
    assert!(matches!(bench.settled(), FileSeen::Unreadable(error) if error == folder));
}

#[test]
fn pausing_is_deaf_until_resumed_or_asked() {
    let bench = Bench::new();
    bench.watcher.pause();
    bench.save_over(&edited(10));
    bench.expect_nothing();
    bench.watcher.look_now();
    bench.expect(&edited(10));
    bench.save_over(&edited(11));
    bench.expect_nothing();
    bench.watcher.resume();
    bench.expect(&edited(11));
    bench.save_over(&edited(12));
    bench.expect(&edited(12));
}

/// What is there now is what was reported last, and not what the owner found in between.
#[test]
fn going_back_is_told_to_an_owner_who_read_the_file_itself() {
    let bench = Bench::new();
    bench.watcher.pause();
    bench.save_over(&edited(10));
    bench.watcher.knows(None, Ok(TextHash::of(edited(10))));
    bench.save_over(FIRST);
    bench.watcher.resume();
    bench.only(FIRST);
    // The same of a write of its own, and of a file that was gone for a moment.
    bench.watcher.pause();
    bench.write_own(&edited(11));
    bench.watcher.knows(None, Ok(TextHash::of(edited(11))));
    bench.save_over(FIRST);
    bench.watcher.resume();
    bench.only(FIRST);
    bench.watcher.pause();
    fs::remove_file(&bench.file).unwrap();
    let path = bench.file.clone();
    bench.watcher.knows(None, Err(ReadError::Missing { path }));
    bench.save_over(FIRST);
    bench.watcher.resume();
    bench.only(FIRST);
    // One that did not take in what was reported is told again, and once.
    bench.watcher.look_again();
    bench.only(FIRST);
    // Knowing what is there and was reported is nothing.
    bench.watcher.knows(None, Ok(TextHash::of(FIRST)));
    bench.expect_nothing();
    // It is not taken for something of its own later.
    bench.save_over(&edited(11));
    bench.only(&edited(11));
}

#[test]
fn options_change_while_it_runs() {
    let bench = Bench::new();
    let quiet = Duration::from_millis(800);
    bench.watcher.set_options(WatchOptions { quiet, ..WatchOptions::default() });
    let mut file = OpenOptions::new().append(true).open(&bench.file).unwrap();
    file.write_all(b"y = 1\n").unwrap();
    assert!(bench.expect(&(FIRST.to_owned() + "y = 1\n")).settled >= quiet);
    bench.watcher.set_quiet(Duration::from_millis(1));
    file.write_all(b"z = 1\n").unwrap();
    assert!(bench.expect(&(FIRST.to_owned() + "y = 1\nz = 1\n")).settled < quiet);
}

#[test]
fn a_file_that_is_not_there_yet_is_awaited() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lab/bench.toml");
    let (_watcher, seen) = follow(&file, WatchOptions::default());
    assert!(matches!(seen.recv_timeout(DEADLINE), Ok(FileSeen::Gone)));
    fs::create_dir(dir.path().join("lab")).unwrap();
    fs::write(&file, FIRST).unwrap();
    loop {
        match seen.recv_timeout(DEADLINE).unwrap() {
            FileSeen::Text { text, .. } => return assert_eq!(&*text, FIRST),
            FileSeen::Settling => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn dropping_it_ends_it() {
    let Bench { watcher, seen, file, dir: _dir, .. } = Bench::new();
    drop(watcher);
    save_over(&file, &edited(10));
    assert_eq!(seen.recv_timeout(DEADLINE).unwrap_err(), RecvTimeoutError::Disconnected);
}

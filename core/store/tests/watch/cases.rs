//! Cases that other programs failed in, each by native watching and by polling: exactly one report
//! of the final text, and none of any other.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{Read as _, Seek as _, Write},
    os::unix::fs::{FileExt as _, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::mpsc::RecvTimeoutError,
    thread,
    time::{Duration, Instant, SystemTime},
};

use setpoint_store::FileSeen;

use crate::bench::*;

both_ways! {
    case_01_saves_by_rename_do_not_end_the_watch,
    case_02_renamed_to_a_backup_with_a_gap_before_the_new_file,
    case_03_truncated_then_written,
    case_04_the_head_of_a_text_is_not_believed,
    case_05_the_writer_pauses_longer_than_the_quiet_time,
    case_06_data_folder_swap,
    case_07_target_of_a_link_edited,
    case_08_link_itself_replaced,
    case_09_own_save_keeps_the_link,
    case_13_content_changes_and_times_do_not,
    case_18_folder_deleted_and_recreated,
    case_19_folder_renamed_away_and_another_put_there,
    case_22_changed_while_watching_begins,
    case_23_own_writes_are_nothing,
    case_24_neighbours_are_nothing,
    case_25_readers_are_nothing,
    case_27_a_stream_of_saves_does_not_starve_it,
    case_28_one_save_of_many_events_is_one_report,
    case_29_events_of_any_kind_count,
    case_31_the_next_good_file_after_a_bad_one,
    case_35_bom_and_crlf_stay,
    a_thousand_saves_in_a_second_end_with_the_last,
    clocks_may_jump,
    a_folder_may_go_away_and_come_back,
}

fn case_01_saves_by_rename_do_not_end_the_watch(how: How) {
    let bench = Bench::plain(how);
    for n in 10..14 {
        bench.save_over(&edited(n));
        bench.expect(&edited(n));
    }
    bench.expect_nothing();
}

fn case_02_renamed_to_a_backup_with_a_gap_before_the_new_file(how: How) {
    let bench = Bench::plain(how);
    fs::rename(&bench.file, bench.path("bench.toml~")).unwrap();
    thread::sleep(Duration::from_millis(100));
    fs::write(&bench.file, edited(10)).unwrap();
    bench.only(&edited(10));
}

fn case_03_truncated_then_written(how: How) {
    let bench = Bench::plain(how);
    let mut file = OpenOptions::new().write(true).truncate(true).open(&bench.file).unwrap();
    thread::sleep(Duration::from_millis(150));
    file.write_all(edited(10).as_bytes()).unwrap();
    drop(file);
    bench.only(&edited(10));
}

fn case_04_the_head_of_a_text_is_not_believed(how: How) {
    let bench = Bench::plain(how);
    // A cut at the border of a table, closed: valid, and without two of three instruments.
    let head = FIRST.find("[b]").unwrap();
    fs::write(&bench.file, &FIRST[..head]).unwrap();
    thread::sleep(Duration::from_millis(300));
    fs::write(&bench.file, edited(10)).unwrap();
    bench.only(&edited(10));
}

fn case_05_the_writer_pauses_longer_than_the_quiet_time(how: How) {
    let bench = Bench::plain(how);
    let text = edited(10);
    let mut file = OpenOptions::new().write(true).truncate(true).open(&bench.file).unwrap();
    for piece in text.as_bytes().chunks(text.len() / 3) {
        file.write_all(piece).unwrap();
        thread::sleep(Duration::from_millis(120));
    }
    drop(file);
    bench.only(&text);
}

fn case_06_data_folder_swap(how: How) {
    let bench = Bench::how(how, |folder| {
        version(folder, "v1", FIRST);
        symlink("v1", folder.join("..data")).unwrap();
        symlink("..data/bench.toml", folder.join("bench.toml")).unwrap();
        folder.join("bench.toml")
    });
    for n in 2..5 {
        version(bench.dir.path(), &format!("v{n}"), &edited(n));
        symlink(format!("v{n}"), bench.path("..data_tmp")).unwrap();
        fs::rename(bench.path("..data_tmp"), bench.path("..data")).unwrap();
        fs::remove_dir_all(bench.path(&format!("v{}", n - 1))).unwrap();
        bench.only(&edited(n));
    }
}

fn version(folder: &Path, name: &str, text: &str) {
    fs::create_dir(folder.join(name)).unwrap();
    fs::write(folder.join(name).join("bench.toml"), text).unwrap();
}

fn linked(folder: &Path) -> PathBuf {
    fs::create_dir(folder.join("git")).unwrap();
    fs::write(folder.join("git/bench.toml"), FIRST).unwrap();
    symlink("git/bench.toml", folder.join("bench.toml")).unwrap();
    folder.join("bench.toml")
}

fn case_07_target_of_a_link_edited(how: How) {
    let bench = Bench::how(how, linked);
    fs::write(bench.path("git/bench.toml"), edited(10)).unwrap();
    bench.only(&edited(10));
    save_over(&bench.path("git/bench.toml"), &edited(11));
    bench.only(&edited(11));
}

fn case_08_link_itself_replaced(how: How) {
    let bench = Bench::how(how, linked);
    fs::write(bench.path("other.toml"), edited(10)).unwrap();
    symlink("other.toml", bench.path("link")).unwrap();
    fs::rename(bench.path("link"), &bench.file).unwrap();
    bench.only(&edited(10));
    fs::write(bench.path("other.toml"), edited(11)).unwrap();
    bench.only(&edited(11));
}

fn case_09_own_save_keeps_the_link(how: How) {
    let bench = Bench::how(how, linked);
    bench.write_own(&edited(10));
    bench.expect_nothing();
    assert!(fs::symlink_metadata(&bench.file).unwrap().is_symlink());
    save_over(&bench.path("git/bench.toml"), &edited(11));
    bench.only(&edited(11));
}

fn case_13_content_changes_and_times_do_not(how: How) {
    let bench = Bench::plain(how);
    let before = fs::metadata(&bench.file).unwrap().modified().unwrap();
    for n in [2, 3, 4] {
        // As long as the one before, in the same inode, with the time of before.
        let mut file = OpenOptions::new().write(true).open(&bench.file).unwrap();
        file.write_all(edited(n).as_bytes()).unwrap();
        file.set_modified(before).unwrap();
        drop(file);
        bench.only(&edited(n));
    }
}

fn in_folder(folder: &Path) -> PathBuf {
    fs::create_dir(folder.join("lab")).unwrap();
    plain(&folder.join("lab"))
}

fn case_18_folder_deleted_and_recreated(how: How) {
    let bench = Bench::how(how, in_folder);
    for n in [10, 20] {
        fs::remove_dir_all(bench.path("lab")).unwrap();
        fs::create_dir(bench.path("lab")).unwrap();
        fs::write(&bench.file, edited(n)).unwrap();
        bench.only(&edited(n));
        bench.save_over(&edited(n + 1));
        bench.only(&edited(n + 1));
    }
}

fn case_19_folder_renamed_away_and_another_put_there(how: How) {
    let bench = Bench::how(how, in_folder);
    for n in [10, 20] {
        fs::create_dir(bench.path("next")).unwrap();
        fs::write(bench.path("next/bench.toml"), edited(n)).unwrap();
        fs::rename(bench.path("lab"), bench.path(&format!("old{n}"))).unwrap();
        fs::rename(bench.path("next"), bench.path("lab")).unwrap();
        bench.only(&edited(n));
        // What happens to the old one is not this bench's any more.
        fs::write(bench.path(&format!("old{n}/bench.toml")), edited(99)).unwrap();
        bench.save_over(&edited(n + 1));
        bench.only(&edited(n + 1));
    }
}

fn case_22_changed_while_watching_begins(how: How) {
    let dir = folder();
    let file = plain(dir.path());
    let (at, text) = (file.clone(), edited(500));
    let writer = thread::Builder::new().name("writer".into()).spawn(move || {
        for n in 100..=500 {
            save_over(&at, &edited(n));
        }
    });
    let (_watcher, seen) = follow(&file, how.options());
    writer.unwrap().join().unwrap();
    loop {
        match seen.recv_timeout(DEADLINE).unwrap() {
            FileSeen::Text { text: found, .. } if *found == text => break,
            FileSeen::Text { .. } | FileSeen::Settling => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen.recv_timeout(A_WHILE).unwrap_err(), RecvTimeoutError::Timeout);
}

fn case_23_own_writes_are_nothing(how: How) {
    let bench = Bench::plain(how);
    for n in 10..30 {
        bench.write_own(&edited(n));
    }
    bench.expect_nothing();
    bench.save_over(&edited(10));
    bench.only(&edited(10));
}

fn case_24_neighbours_are_nothing(how: How) {
    let bench = Bench::plain(how);
    let mut log = File::create(bench.path("setpoint.log")).unwrap();
    for n in 0..200 {
        writeln!(log, "line {n}").unwrap();
    }
    for name in [".bench.toml.swp", "bench.toml~", "4913", "#bench.toml#", ".#bench.toml"] {
        fs::write(bench.path(name), "x").unwrap();
        fs::remove_file(bench.path(name)).unwrap();
    }
    fs::write(bench.path(".bench.toml.setpoint-0a1b2c3d.tmp"), "x").unwrap();
    bench.expect_nothing();
}

fn case_25_readers_are_nothing(how: How) {
    let bench = Bench::plain(how);
    for _ in 0..100 {
        fs::read(&bench.file).unwrap();
    }
    bench.expect_nothing();
}

fn case_27_a_stream_of_saves_does_not_starve_it(how: How) {
    let bench = Bench::plain(how);
    // A minute of it is in the soak.
    let asked = std::env::var("SETPOINT_SAVES_SECONDS").ok().and_then(|text| text.parse().ok());
    let stream = Duration::from_secs(asked.unwrap_or(3));
    let file = bench.file.clone();
    let writer = thread::Builder::new().name("writer".into()).spawn(move || {
        // Kept open: nothing says that a save is done.
        let bare = OpenOptions::new().write(true).open(&file).unwrap();
        let begun = Instant::now();
        let mut n = 1000;
        while begun.elapsed() < stream {
            bare.write_all_at(edited(n).as_bytes(), 0).unwrap();
            thread::sleep(Duration::from_millis(20));
            n += 1;
        }
        edited(n - 1)
    });
    // Well before the stream ends.
    let first = bench.settled();
    let writer = writer.unwrap();
    assert!(!writer.is_finished(), "{first:?} came after the last save");
    let last = writer.join().unwrap();
    loop {
        if matches!(bench.settled(), FileSeen::Text { text, .. } if *text == last) {
            break;
        }
    }
    bench.expect_nothing();
}

fn case_28_one_save_of_many_events_is_one_report(how: How) {
    let bench = Bench::plain(how);
    fs::set_permissions(&bench.file, Permissions::from_mode(0o600)).unwrap();
    let mut file = File::create(&bench.file).unwrap();
    for piece in edited(10).as_bytes().chunks(5) {
        file.write_all(piece).unwrap();
    }
    file.sync_all().unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    drop(file);
    fs::set_permissions(&bench.file, Permissions::from_mode(0o644)).unwrap();
    bench.only(&edited(10));
}

fn case_29_events_of_any_kind_count(how: How) {
    let bench = Bench::plain(how);
    // A hard link makes an event of its own, and none of data.
    fs::write(bench.path("prepared"), edited(10)).unwrap();
    fs::remove_file(&bench.file).unwrap();
    fs::hard_link(bench.path("prepared"), &bench.file).unwrap();
    bench.only(&edited(10));
    // A write in the middle, with no truncation before it.
    let mut file = OpenOptions::new().read(true).write(true).open(&bench.file).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    file.seek(std::io::SeekFrom::Start(text.find("10").unwrap() as u64)).unwrap();
    file.write_all(b"11").unwrap();
    drop(file);
    bench.only(&edited(11));
}

fn case_31_the_next_good_file_after_a_bad_one(how: How) {
    let bench = Bench::plain(how);
    for n in [10, 11] {
        save_over(&bench.file, "a = 1\n");
        fs::write(bench.path("bad"), b"a = \"\xff\"\n").unwrap();
        fs::rename(bench.path("bad"), &bench.file).unwrap();
        loop {
            match bench.settled() {
                FileSeen::Unreadable(_) => break,
                FileSeen::Text { text, .. } => assert_eq!(&*text, "a = 1\n"),
                other => panic!("{other:?}"),
            }
        }
        bench.expect_nothing();
        bench.save_over(&edited(n));
        bench.only(&edited(n));
    }
}

fn case_35_bom_and_crlf_stay(how: How) {
    let bench = Bench::plain(how);
    let text = format!("\u{feff}{}", edited(10).replace('\n', "\r\n"));
    fs::write(&bench.file, &text).unwrap();
    bench.only(&text);
}

fn a_thousand_saves_in_a_second_end_with_the_last(how: How) {
    let bench = Bench::plain(how);
    for n in 1000..2000 {
        bench.save_over(&edited(n));
    }
    let mut before = 999;
    while before != 1999 {
        let FileSeen::Text { text, .. } = bench.settled() else { panic!("no text") };
        // Only what was saved, and in order.
        let n = (1000..2000).find(|n| edited(*n) == *text).unwrap();
        assert!(n > before, "{n} after {before}");
        before = n;
    }
    bench.expect_nothing();
}

fn clocks_may_jump(how: How) {
    let bench = Bench::plain(how);
    let ages = [Duration::ZERO, Duration::from_secs(4_000_000_000), Duration::from_secs(86_400)];
    for (n, age) in ages.into_iter().enumerate() {
        fs::write(bench.path("prepared"), edited(n + 10)).unwrap();
        let file = File::options().append(true).open(bench.path("prepared")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + age).unwrap();
        drop(file);
        fs::rename(bench.path("prepared"), &bench.file).unwrap();
        bench.only(&edited(n + 10));
        // The time alone says nothing.
        let file = File::options().append(true).open(&bench.file).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + age * 2).unwrap();
        drop(file);
        bench.expect_nothing();
    }
}

fn a_folder_may_go_away_and_come_back(how: How) {
    let bench = Bench::how(how, in_folder);
    fs::rename(bench.path("lab"), bench.path("away")).unwrap();
    assert!(matches!(bench.settled(), FileSeen::Gone));
    fs::write(bench.path("away/bench.toml"), edited(10)).unwrap();
    bench.expect_nothing();
    fs::rename(bench.path("away"), bench.path("lab")).unwrap();
    bench.only(&edited(10));
    bench.save_over(&edited(11));
    bench.only(&edited(11));
}

//! Cases that need mounts or limits of their own. Each runs again in a child process in a user and
//! mount namespace of its own, where that is allowed: nothing of it is seen outside.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use setpoint_store::{FileSeen, WatchMethod, WatchMode, WatchOptions};

use crate::bench::*;

const INSIDE: &str = "SETPOINT_TEST_WORLD";
/// Set where a machine allows no namespaces: then the cases of this file are left out.
const WITHOUT: &str = "SETPOINT_TESTS_WITHOUT_ROOT";

/// Runs a test in a world of its own. `name` is its whole name.
pub fn in_own_world(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    if std::env::var_os(WITHOUT).is_some() {
        return;
    }
    let allowed = unshare().args(["mount", "-t", "tmpfs", "none", "/mnt"]).output().unwrap();
    assert!(
        allowed.status.success(),
        "{name} needs a user and mount namespace in which it may mount, or root. Allow it (in a \
         container: --privileged, or CAP_SYS_ADMIN and no seccomp filter), or set {WITHOUT}=1 to \
         leave such tests out. unshare said: {}",
        String::from_utf8_lossy(&allowed.stderr)
    );
    // What is still mounted when the test ends cannot be removed from inside.
    let temporary = tempfile::tempdir().unwrap();
    let child = unshare()
        .env("TMPDIR", temporary.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let wrong = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && told.contains("1 passed"), "{told}\n{wrong}");
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--propagation", "private", "--"]);
    command
}

#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().unwrap();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{program} {arguments:?}: {wrong}");
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn case_10_bind_mount_of_one_file() {
    in_own_world("world::case_10_bind_mount_of_one_file", || {
        let bench = Bench::with(|folder| {
            fs::write(folder.join("outside.toml"), FIRST).unwrap();
            let file = folder.join("bench.toml");
            fs::write(&file, "").unwrap();
            run("mount", &["--bind", text(&folder.join("outside.toml")), text(&file)]);
            file
        });
        fs::write(bench.path("outside.toml"), edited(10)).unwrap();
        bench.only(&edited(10));
        // The mount keeps the old file: what runs is what the name leads to.
        save_over(&bench.path("outside.toml"), &edited(11));
        bench.expect_nothing();
        // Another program's container is started anew.
        run("umount", &[text(&bench.file)]);
        run("mount", &["--bind", text(&bench.path("outside.toml")), text(&bench.file)]);
        loop {
            // Between the two there was an empty file, for longer or shorter.
            match bench.settled() {
                FileSeen::Text { text, .. } if *text == edited(11) => break,
                FileSeen::Text { text, .. } => assert_eq!(&*text, ""),
                other => panic!("{other:?}"),
            }
        }
    });
}

/// A bench on an overlay whose lower layer can be changed below it.
fn overlay(options: WatchOptions) -> Bench {
    let dir = folder();
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    plain(&dir.path().join("lower"));
    let at = |name: &str| text(&dir.path().join(name)).to_owned();
    let layers =
        format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
    run("mount", &["-t", "overlay", "overlay", "-o", &layers, &at("merged")]);
    let file = dir.path().join("merged/bench.toml");
    let (watcher, seen) = follow(&file, options);
    let bench = Bench::of(dir, file, watcher, seen);
    bench.expect(FIRST);
    bench
}

/// Changes the file below the overlay; what the kernel keeps of it is forgotten.
fn change_below(bench: &Bench, text: &str) {
    fs::write(bench.path("lower/bench.toml"), text).unwrap();
}

#[test]
fn case_11_no_events_and_no_error() {
    in_own_world("world::case_11_no_events_and_no_error", || {
        let options = WatchOptions { method: WatchMethod::Native, ..WatchOptions::default() };
        let bench = overlay(options);
        assert_eq!(bench.watcher.mode(), WatchMode::Native);
        change_below(&bench, &edited(10));
        bench.expect(&edited(10));
        let WatchMode::Polling { reason } = bench.watcher.mode() else { panic!("native") };
        assert!(reason.contains("did not tell"), "{reason}");
        change_below(&bench, &edited(11));
        bench.only(&edited(11));
        // What is told of is told of again.
        bench.save_over(&edited(12));
        bench.expect(&edited(12));
        assert_eq!(bench.watcher.mode(), WatchMode::Native);
    });
}

#[test]
fn case_12_changed_below_an_overlay() {
    in_own_world("world::case_12_changed_below_an_overlay", || {
        let bench = overlay(WatchOptions::default());
        let WatchMode::Polling { reason } = bench.watcher.mode() else { panic!("native") };
        assert!(reason.contains("is on an overlay"), "{reason}");
        for n in 10..13 {
            change_below(&bench, &edited(n));
            bench.only(&edited(n));
        }
        // What is done through it is told of all the same.
        bench.save_over(&edited(20));
        assert!(bench.only(&edited(20)).finished);
    });
}

#[test]
fn case_17_limits_of_the_system() {
    in_own_world("world::case_17_limits_of_the_system", || {
        for (limit, words) in [
            ("max_inotify_instances", "max_user_instances"),
            ("max_inotify_watches", "max_user_watches"),
        ] {
            let limit = Path::new("/proc/sys/user").join(limit);
            let before = fs::read_to_string(&limit).unwrap();
            fs::write(&limit, "0").unwrap();
            let dir = tempfile::tempdir_in("/dev/shm").unwrap();
            let file = plain(dir.path());
            let options =
                WatchOptions { compare_every: Duration::from_millis(500), ..How::Native.options() };
            let (watcher, seen) = follow(&file, options);
            let bench = Bench::of(dir, file, watcher, seen);
            bench.expect(FIRST);
            let WatchMode::Polling { reason } = bench.watcher.mode() else { panic!("native") };
            assert!(reason.contains(words), "{reason}");
            bench.save_over(&edited(10));
            bench.expect(&edited(10));
            // Native again when that is possible, and said so.
            fs::write(&limit, before).unwrap();
            match bench.next() {
                FileSeen::Mode(mode) => assert_eq!(mode, WatchMode::Native),
                other => panic!("{other:?}"),
            }
            bench.save_over(&edited(11));
            assert!(bench.only(&edited(11)).finished);
        }
    });
}

#[test]
fn case_20_mounted_over_and_unmounted() {
    in_own_world("world::case_20_mounted_over_and_unmounted", || {
        let bench = Bench::with(|folder| {
            fs::create_dir_all(folder.join("lab/deep")).unwrap();
            plain(&folder.join("lab/deep"))
        });
        // Over its folder, and over the one above.
        for over in ["lab/deep", "lab"] {
            let over = bench.path(over);
            run("mount", &["-t", "tmpfs", "none", text(&over)]);
            fs::create_dir_all(bench.file.parent().unwrap()).unwrap();
            bench.save_over(&edited(10));
            loop {
                match bench.settled() {
                    FileSeen::Gone => {}
                    FileSeen::Text { text, .. } => {
                        assert_eq!(*text, edited(10));
                        break;
                    }
                    other => panic!("{other:?}"),
                }
            }
            bench.save_over(&edited(11));
            bench.only(&edited(11));
            run("umount", &["--lazy", text(&over)]);
            bench.only(FIRST);
            let begun = Instant::now();
            bench.save_over(&edited(12));
            bench.only(&edited(12));
            assert!(begun.elapsed() < DEADLINE);
            bench.save_over(FIRST);
            bench.only(FIRST);
        }
    });
}

#[test]
fn unmounted_and_mounted_again_between_two_looks() {
    in_own_world("world::unmounted_and_mounted_again_between_two_looks", || {
        let options =
            WatchOptions { compare_every: Duration::from_millis(500), ..How::Native.options() };
        let dir = folder();
        let lab = dir.path().join("lab");
        fs::create_dir(&lab).unwrap();
        // Its number is given to the next one: nothing but the content says that it is another.
        run("mount", &["-t", "tmpfs", "none", text(&lab)]);
        let file = plain(&lab);
        let (watcher, seen) = follow(&file, options);
        let bench = Bench::of(dir, file, watcher, seen);
        bench.expect(FIRST);
        run("umount", &[text(&lab)]);
        run("mount", &["-t", "tmpfs", "none", text(&lab)]);
        // What is told of is read at once; what is come upon waits for the quiet time.
        let begun = Instant::now();
        for n in 10.. {
            assert!(begun.elapsed() < DEADLINE, "never told of again: {:?}", bench.watcher.mode());
            bench.save_over(&edited(n));
            let told = loop {
                match bench.settled() {
                    FileSeen::Text { text, finished_save, .. } if *text == edited(n) => {
                        break finished_save;
                    }
                    FileSeen::Text { .. } | FileSeen::Gone => {}
                    other => panic!("{other:?}"),
                }
            };
            if told {
                break;
            }
        }
        assert_eq!(bench.watcher.mode(), WatchMode::Native);
    });
}

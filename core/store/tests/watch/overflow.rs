//! A queue of the system that really overflows: the program that watches stands still while more
//! happens than the queue holds, and what is saved then is told of by nobody. Asking for the state
//! of the files is put off for an hour, so that it cannot help.
//!
//! The test runs again as a child, which watches; the test itself stops and continues it. That the
//! events were lost is shown by a second queue in the child, with less in it than the watcher's.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::sync_channel,
    thread,
    time::Duration,
};

use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
};
use setpoint_store::{Beside, FileSeen, WatchMode, WatchOptions};

use crate::{
    bench::*,
    world::{in_own_world, run, text},
};

const WATCHES: &str = "SETPOINT_TEST_WATCHES";
const READY: &str = "watching below ";
const HOUR: Duration = Duration::from_secs(3600);
/// What fills a queue takes its time on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

/// The child's side: a bench that is followed by what the system tells alone, and the queue that
/// shows what the system told.
struct Watching {
    bench: Bench,
    queue: OwnedFd,
}

impl Watching {
    fn of(dir: tempfile::TempDir, file: PathBuf) -> Self {
        let options =
            WatchOptions { poll_every: HOUR, compare_every: HOUR, ..WatchOptions::default() };
        let (watcher, seen) = follow(&file, options);
        let queue = inotify::init(CreateFlags::CLOEXEC).unwrap();
        // The watcher asks for these and for more: its queue is full no later than this one.
        let these = WatchFlags::CREATE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
        inotify::add_watch(&queue, file.parent().unwrap(), these).unwrap();
        let bench = Bench::of(dir, file, watcher, seen);
        bench.expect(FIRST);
        assert_eq!(bench.watcher.mode(), WatchMode::Native);
        Self { bench, queue }
    }

    /// Tells the parent that it may begin. It goes on when the parent lets it.
    fn ready(&self) {
        let below = self.bench.dir.path().display();
        io::stdout().write_all(format!("{READY}{below}\n").as_bytes()).unwrap();
        let (queue, (told, overflow)) = (self.queue.try_clone().unwrap(), sync_channel(1));
        let read = move || {
            let (mut buffer, mut names) = ([MaybeUninit::uninit(); 4096], Vec::new());
            let mut queue = inotify::Reader::new(queue, &mut buffer);
            loop {
                let event = queue.next().unwrap();
                names.extend(event.file_name().map(|name| name.to_str().unwrap().to_owned()));
                if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    return told.send(names).unwrap();
                }
            }
        };
        thread::Builder::new().name("queue".into()).spawn(read).unwrap();
        // Nothing happens in the folder before this was stopped.
        let names: Vec<String> = overflow.recv_timeout(LONG).unwrap();
        let lost = |name: &String| name.starts_with("noise-");
        assert!(names.iter().all(lost), "not all was lost: {:?}", names.iter().find(|n| !lost(n)));
    }
}

/// The child. Where something else fails, it does not stand still for ever.
struct Standing(Child);

impl Drop for Standing {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The parent's side: what it does while the child stands still.
fn with_a_child_that_stands_still(name: &str, meanwhile: impl FnOnce(&Path)) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(WATCHES, "1")
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Standing(child.unwrap());
    let mut said = BufReader::new(child.0.stdout.take().unwrap());
    let mut told = String::new();
    let below = loop {
        let before = told.len();
        assert_ne!(said.read_line(&mut told).unwrap(), 0, "it ended early: {told}");
        if let Some((_, path)) = told[before..].trim_end().split_once(READY) {
            break PathBuf::from(path);
        }
    };
    let pid = Pid::from_child(&child.0);
    kill_process(pid, Signal::STOP).unwrap();
    let (_, stopped) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(stopped.stopped(), "{stopped:?}");
    meanwhile(&below);
    kill_process(pid, Signal::CONT).unwrap();
    said.read_to_string(&mut told).unwrap();
    let status = child.0.wait().unwrap();
    assert!(status.success() && told.contains("1 passed"), "{told}");
}

/// More events in a folder than a queue holds, no two alike one after the other.
fn overflow(folder: &Path) {
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    let names = ["noise-a", "noise-b"].map(|name| folder.join(name));
    fs::write(&names[0], "").unwrap();
    // Each is two events: of a name that goes, and of one that comes.
    for n in 0..=most / 2 {
        fs::rename(&names[n % 2], &names[(n + 1) % 2]).unwrap();
    }
}

#[test]
fn case_16_what_is_saved_while_the_queue_overflows_is_seen() {
    if std::env::var_os(WATCHES).is_none() {
        let name = "overflow::case_16_what_is_saved_while_the_queue_overflows_is_seen";
        return with_a_child_that_stands_still(name, |folder| {
            overflow(folder);
            save_over(&folder.join("bench.toml"), &edited(10));
            fs::write(folder.join("bench.lab.toml"), FIRST).unwrap();
        });
    }
    let dir = folder();
    let file = plain(dir.path());
    let watching = Watching::of(dir, file);
    let bench = &watching.bench;
    bench.watcher.set_beside(Beside { files: vec![], patterns: vec!["bench.*.toml".into()] });
    bench.expect_nothing();
    watching.ready();
    assert_eq!(bench.together(&edited(10)), ["bench.lab.toml"]);
    bench.save_over(&edited(11));
    bench.only(&edited(11));
    assert_eq!(bench.watcher.mode(), WatchMode::Native);
}

#[test]
fn case_16_a_folder_that_is_replaced_while_the_queue_overflows_is_watched_again() {
    let name =
        "overflow::case_16_a_folder_that_is_replaced_while_the_queue_overflows_is_watched_again";
    in_own_world(name, || {
        if std::env::var_os(WATCHES).is_none() {
            return with_a_child_that_stands_still(name, |top| {
                let lab = top.join("lab");
                overflow(&lab);
                let number = || fs::metadata(&lab).map(|it| (it.dev(), it.ino())).unwrap();
                let before = number();
                // Another one with its number: nothing tells the two apart. Whoever mounts
                // something elsewhere just then may be given that number instead.
                for _ in 0..100 {
                    run("umount", &[text(&lab)]);
                    run("mount", &["-t", "tmpfs", "none", text(&lab)]);
                    if number() == before {
                        break;
                    }
                }
                fs::write(lab.join("bench.toml"), edited(10)).unwrap();
            });
        }
        let dir = folder();
        let lab = dir.path().join("lab");
        fs::create_dir(&lab).unwrap();
        run("mount", &["-t", "tmpfs", "none", text(&lab)]);
        let watching = Watching::of(dir, plain(&lab));
        watching.ready();
        let bench = &watching.bench;
        bench.expect(&edited(10));
        // It is armed again within a moment; the first of these may fall before that.
        let told = (11..60).any(|n| {
            bench.save_over(&edited(n));
            let seen = bench.seen.recv_timeout(A_WHILE);
            matches!(seen, Ok(FileSeen::Text { text, .. }) if *text == edited(n))
        });
        assert!(told, "it is deaf: {:?}", bench.watcher.mode());
    });
}

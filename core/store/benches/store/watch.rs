//! From a save to its text being checked, compared and handed over, above what it takes the system
//! to wake a thread that waits for the same save. All of a round is measured one after the other,
//! so that whatever else the machine does slows all of it down; what is told are medians.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::Write as _,
    mem::MaybeUninit,
    path::{Path, PathBuf},
    sync::Arc,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::inotify;
use setpoint_bench::{BenchText, diff};
use setpoint_store::{FileSeen, WatchMode, WatchOptions, Watcher};

#[path = "../../../bench/benches/large/mod.rs"]
mod large;
use crate::median;
use large::Types;

/// Medians of one size of bench.
#[derive(Debug, Clone, Copy)]
pub struct Saves {
    /// Rename to a thread awake that waits on bare inotify: the floor.
    pub raw_ms: f64,
    /// Rename to the watcher's owner called with the text.
    pub seen_ms: f64,
    /// Rename to the text checked and compared with the one before.
    pub ready_ms: f64,
    /// The last, less the floor of the same round.
    pub above_raw_ms: f64,
    /// A write that is not closed, to checked and compared, less the quiet time.
    pub bare_ms: f64,
}

/// What watching costs while nothing happens.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// Times a thread woke, per second.
    pub wakes_per_s: f64,
    /// Of one core, in percent.
    pub cpu_percent: f64,
    /// Memory that is resident more than before, in KiB.
    pub memory_kib: f64,
}

pub fn main() {
    println!("save to checked, compared and handed over; medians in ms");
    println!(
        "{:>12} {:>8} {:>8} {:>8} {:>10} {:>16} {:>6}",
        "instruments", "raw", "seen", "ready", "above raw", "bare less quiet", "limit"
    );
    for instruments in [10, 100, 1_000, 10_000] {
        let saves = rename_save(instruments);
        let limit = if instruments > 1_000 { 10.0 } else { 1.0 };
        let over = if saves.above_raw_ms > limit { "OVER" } else { "" };
        println!(
            "{instruments:>12} {:>8.3} {:>8.3} {:>8.3} {:>10.3} {:>16.3} {limit:>6} {over}",
            saves.raw_ms, saves.seen_ms, saves.ready_ms, saves.above_raw_ms, saves.bare_ms
        );
    }
    let idle = idle(Duration::from_secs(20));
    println!(
        "idle: {:.2} wakes/s, {:.4} % of a core, {:.0} KiB",
        idle.wakes_per_s, idle.cpu_percent, idle.memory_kib
    );
}

/// So many instruments of ten keys; `volts` of the one in the middle.
fn file(instruments: usize, volts: f64) -> String {
    large::file(instruments, |n| if n == instruments / 2 { volts } else { 1.0 })
}

fn ms(from: Instant, to: Instant) -> f64 {
    (to - from).as_secs_f64() * 1e3
}

/// Tells of each file that is renamed into a folder, and of nothing else, with nothing between.
fn bare_inotify(folder: &Path, to: SyncSender<Instant>) {
    let inotify = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&inotify, folder, inotify::WatchFlags::MOVED_TO).unwrap();
    let wait = move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(inotify, &mut buffer);
        while events.next().is_ok() {
            if to.send(Instant::now()).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("floor".into()).spawn(wait).unwrap();
}

/// When a text was handed over, and when it was checked and compared.
type Ready = (Instant, Instant);

fn follow(path: &Path, to: SyncSender<Ready>) -> Watcher {
    let mut before: Option<BenchText> = None;
    let mut coming: Option<BenchText> = None;
    let sink = move |seen: FileSeen| {
        let seen_at = Instant::now();
        let read = |text: Arc<str>| match coming.as_ref().or(before.as_ref()) {
            Some(before) => before.again(text, &Types),
            None => BenchText::read("bench.toml", text, &Types),
        };
        // While a bare write is waited out, it is read and checked already, as by the manager.
        if let FileSeen::Coming { text, .. } = seen {
            coming = Some(read(text));
            return;
        }
        let FileSeen::Text { text, .. } = seen else { return };
        let now = read(text);
        assert!(now.reading().bench.is_some(), "{:?}", now.reading().diagnostics);
        if let Some(before) = &before {
            assert_eq!(diff(&before.reading().values, &now.reading().values).len(), 1);
        }
        let ready = Instant::now();
        let old = (before.replace(now), coming.take());
        let _ = to.send((seen_at, ready));
        // The one before is let go of after the measurement, as the manager does.
        drop(old);
    };
    Watcher::start(path, WatchOptions::default(), sink).unwrap()
}

fn next<T>(from: &Receiver<T>) -> T {
    from.recv_timeout(Duration::from_secs(30)).unwrap()
}

/// Measures saves of a bench of so many instruments, of which one changes.
pub fn rename_save(instruments: usize) -> Saves {
    let rounds = if instruments >= 10_000 { 21 } else { 51 };
    let dir = tempfile::tempdir().unwrap();
    let (floor, lab) = (dir.path().join("floor"), dir.path().join("lab"));
    for folder in [&floor, &lab] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("bench.toml"), file(instruments, 1.0)).unwrap();
    }
    let (to, awake) = sync_channel(4);
    bare_inotify(&floor, to);
    let (to, ready) = sync_channel(4);
    let path = lab.join("bench.toml");
    let watcher = follow(&path, to);
    assert_eq!(watcher.mode(), WatchMode::Native, "choose a TMPDIR on a local disk");
    next(&ready);
    let quiet = WatchOptions::default().quiet;
    let (mut raw, mut seen, mut done, mut above, mut bare) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let volts = 2.0 + f64::from(round) / 100.0;
        let text = file(instruments, volts);
        let save = |folder: &Path| {
            let temporary = folder.join("bench.toml.new");
            fs::write(&temporary, &text).unwrap();
            let begun = Instant::now();
            fs::rename(&temporary, folder.join("bench.toml")).unwrap();
            begun
        };
        let begun = save(&floor);
        let woken = ms(begun, next(&awake));
        let begun = save(&lab);
        let (seen_at, ready_at) = next(&ready);
        raw.push(woken);
        seen.push(ms(begun, seen_at));
        done.push(ms(begun, ready_at));
        above.push(ms(begun, ready_at) - woken);
        // Written over in place, and kept open.
        let mut open = OpenOptions::new().write(true).open(&path).unwrap();
        let text = file(instruments, volts + 0.005);
        let begun = Instant::now();
        open.write_all(text.as_bytes()).unwrap();
        let (_, ready_at) = next(&ready);
        bare.push(ms(begun, ready_at) - quiet.as_secs_f64() * 1e3);
        drop(open);
    }
    Saves {
        raw_ms: median(raw),
        seen_ms: median(seen),
        ready_ms: median(done),
        above_raw_ms: median(above),
        bare_ms: median(bare),
    }
}

/// Sleeps and processor time in ns of the threads that watch, by thread.
fn threads() -> HashMap<PathBuf, (u64, u64)> {
    let mut threads = HashMap::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        let Ok(name) = fs::read_to_string(task.join("comm")) else { continue };
        if name.starts_with("setpoint-watch") || name.starts_with("notify") {
            let status = fs::read_to_string(task.join("status")).unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt")).unwrap();
            let sleeps = line.split_whitespace().last().unwrap().parse().unwrap();
            let times = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let ns = times.split_whitespace().next().map_or(0, |ns| ns.parse().unwrap());
            threads.insert(task, (sleeps, ns));
        }
    }
    threads
}

fn resident_kib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Measures a watcher of a bench of a hundred instruments that nobody saves.
pub fn idle(long: Duration) -> Idle {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bench.toml");
    fs::write(&path, file(100, 1.0)).unwrap();
    let memory = resident_kib();
    let (to, seen) = sync_channel(4);
    let sink = move |_: FileSeen| {
        let _ = to.send(());
    };
    let watcher = Watcher::start(&path, WatchOptions::default(), sink).unwrap();
    next(&seen);
    let memory = resident_kib() - memory;
    let before = threads();
    let begun = Instant::now();
    thread::sleep(long);
    let seconds = begun.elapsed().as_secs_f64();
    let after = threads();
    drop(watcher);
    // Threads of watchers that were measured before may have ended meanwhile.
    let both = after.iter().filter_map(|(task, after)| Some((before.get(task)?, after)));
    let (sleeps, ns) = both.fold((0, 0), |(sleeps, ns), (before, after)| {
        (sleeps + after.0 - before.0, ns + after.1 - before.1)
    });
    Idle {
        wakes_per_s: sleeps as f64 / seconds,
        cpu_percent: ns as f64 / seconds / 1e7,
        memory_kib: memory,
    }
}

//! Sources against real GStreamer pipelines.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the finding")]

use std::{
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use setpoint_video::{Frame, Source, SourceConfig, SourceState, VideoError, Waker};

/// Far beyond what anything here takes; reached only when it never comes.
const DEADLINE: Duration = Duration::from_secs(20);

/// Counts pictures and lets a test wait for the next.
#[derive(Default)]
struct Bell {
    rung: Mutex<u64>,
    rings: Condvar,
}

impl Bell {
    fn waker(self: &Arc<Self>) -> Waker {
        let bell = self.clone();
        Arc::new(move || {
            *bell.rung.lock().unwrap() += 1;
            bell.rings.notify_all();
        })
    }

    fn count(&self) -> u64 {
        *self.rung.lock().unwrap()
    }

    /// Waits until something holds, looking at it after each picture and ten times a second.
    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            let rung = self.rung.lock().unwrap();
            drop(self.rings.wait_timeout(rung, Duration::from_millis(100)).unwrap());
        }
    }
}

fn config(pattern: &str, width: u32, height: u32) -> SourceConfig {
    SourceConfig {
        pattern: pattern.to_owned(),
        width,
        height,
        framerate: (25, 1),
        format: "I420".to_owned(),
        preview: true,
    }
}

fn start(config: SourceConfig) -> (Source, Arc<Bell>) {
    let bell = Arc::new(Bell::default());
    let source = Source::start("camera", config, Some(bell.waker()));
    (source, bell)
}

fn first_frame(source: &Source, bell: &Bell) -> Arc<Frame> {
    bell.until("the first picture", || source.slot().latest())
}

/// Average red, green and blue.
fn colour(frame: &Frame) -> [u64; 3] {
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    [0, 1, 2].map(|channel| {
        frame.rgba.iter().skip(channel).step_by(4).map(|value| u64::from(*value)).sum::<u64>()
            / pixels
    })
}

fn is_red(frame: &Frame) -> bool {
    let [red, green, blue] = colour(frame);
    red > 200 && green < 50 && blue < 50
}

fn is_blue(frame: &Frame) -> bool {
    let [red, green, blue] = colour(frame);
    red < 50 && green < 50 && blue > 200
}

#[test]
fn first_picture_has_the_preview_size_and_a_pattern() {
    let (source, bell) = start(config("smpte", 1280, 720));
    let frame = first_frame(&source, &bell);
    assert_eq!((frame.width, frame.height), (480, 270));
    assert_eq!(frame.rgba.len(), 480 * 270 * 4);
    assert!(frame.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255), "it is opaque");
    let first = &frame.rgba[..4];
    assert!(frame.rgba.chunks_exact(4).any(|pixel| pixel != first), "bars differ");
}

#[test]
fn status_tells_what_was_measured() {
    let (source, bell) = start(config("ball", 320, 240));
    let status = bell.until("a frame rate", || {
        let status = source.status();
        status.framerate.is_some().then_some(status)
    });
    // Loaded machines are slow, none is fast: the source is paced by a clock.
    let framerate = status.framerate.unwrap();
    assert!((5.0..27.0).contains(&framerate), "{framerate}");
    assert_eq!((status.width, status.height), (Some(320), Some(240)));
    assert_eq!(status.format.as_deref(), Some("I420"));
    assert!(status.frames >= 5 && status.at.is_some(), "{status:?}");
    assert!(matches!(status.state, SourceState::Live | SourceState::Slow), "{status:?}");
}

#[test]
fn pattern_changes_in_the_running_pipeline() {
    let (source, bell) = start(config("red", 64, 64));
    assert!(is_red(&first_frame(&source, &bell)));
    source.reconfigure(config("blue", 64, 64)).unwrap();
    bell.until("blue", || source.slot().latest().filter(|frame| is_blue(frame)));
    assert_eq!(source.config().pattern, "blue");
}

#[test]
fn size_changes_without_a_gap_in_the_numbers() {
    let (source, bell) = start(config("red", 64, 64));
    let before = first_frame(&source, &bell);
    for (width, height) in [(128, 64), (320, 240), (64, 32)] {
        source.reconfigure(config("red", width, height)).unwrap();
        let frame = source.slot().latest().unwrap();
        assert_eq!((frame.width, frame.height), (width, height), "it took over before it returned");
        assert!(frame.sequence > before.sequence);
        let status = source.status();
        assert_eq!((status.width, status.height), (Some(width), Some(height)));
    }
    let slot = source.slot();
    drop(source);
    // One ring a picture: as many rings as the last number means that none was left out or used
    // twice.
    assert_eq!(bell.count(), slot.latest().unwrap().sequence);
}

#[test]
fn rate_and_format_change() {
    let (source, bell) = start(config("red", 64, 64));
    first_frame(&source, &bell);
    let asked = SourceConfig { framerate: (60, 1), format: "YUY2".into(), ..config("red", 64, 64) };
    source.reconfigure(asked).unwrap();
    let status = source.status();
    assert_eq!(status.format.as_deref(), Some("YUY2"));
    bell.until("a higher rate", || source.status().framerate.filter(|rate| *rate > 26.0));
}

#[test]
fn bad_change_is_refused_and_the_old_picture_runs_on() {
    let (source, bell) = start(config("red", 64, 64));
    first_frame(&source, &bell);
    let nowhere = source.reconfigure(config("no-such-pattern", 64, 64)).unwrap_err();
    assert!(nowhere.to_string().contains("smpte"), "it names those that exist: {nowhere}");
    let also_resized = source.reconfigure(config("no-such-pattern", 128, 64)).unwrap_err();
    assert!(matches!(also_resized, VideoError::Pattern { .. }), "{also_resized}");
    let format = SourceConfig { format: "I421".into(), ..config("red", 64, 64) };
    assert!(matches!(source.reconfigure(format), Err(VideoError::Setting { .. })));
    assert_eq!(source.config().pattern, "red");
    let count = source.slot().latest().unwrap().sequence;
    bell.until("more pictures", || {
        source.slot().latest().filter(|frame| frame.sequence > count + 3 && is_red(frame))
    });
    assert_eq!(source.status().error, None);
}

#[test]
fn bad_start_is_a_fallback_that_a_good_change_ends() {
    let (source, bell) = start(config("no-such-pattern", 64, 64));
    let status = bell.until("the failure", || {
        let status = source.status();
        (status.state == SourceState::Fallback).then_some(status)
    });
    assert!(status.error.unwrap().contains("no-such-pattern"));
    source.reconfigure(config("blue", 64, 64)).unwrap();
    assert_eq!(source.status().error, None);
    assert!(is_blue(&first_frame(&source, &bell)));
}

#[test]
fn without_preview_frames_are_counted_and_not_kept() {
    let hidden = |width| SourceConfig { preview: false, ..config("red", width, 64) };
    let (source, bell) = start(hidden(64));
    bell.until("frames", || (source.status().frames > 5).then_some(()));
    assert_eq!(source.status().state, SourceState::Live);
    assert_eq!(source.slot().latest(), None);
    source.reconfigure(hidden(128)).unwrap();
    assert_eq!(source.status().width, Some(128));
    source.reconfigure(config("red", 128, 64)).unwrap();
    assert_eq!(first_frame(&source, &bell).width, 128);
    source.reconfigure(hidden(128)).unwrap();
    assert_eq!(source.slot().latest(), None, "the preview was switched off while it ran");
    source.reconfigure(config("red", 64, 64)).unwrap();
    source.reconfigure(hidden(128)).unwrap();
    assert_eq!(source.slot().latest(), None, "it was switched off together with a new size");
}

#[test]
fn dropping_it_stops_pictures_and_threads() {
    let (source, bell) = start(config("red", 64, 64));
    first_frame(&source, &bell);
    source.reconfigure(config("red", 128, 64)).unwrap();
    // The bell's other owner is the source's shared part, which its pipelines' callbacks hold: as
    // soon as all of them are gone, nothing can ring any more.
    drop(source);
    assert_eq!(Arc::strong_count(&bell), 1);
}

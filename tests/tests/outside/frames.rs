//! Pictures of the sources.

use setpoint_tests::{Server, picture::pixels, until};

#[test]
fn sources_are_live_and_their_frames_are_pictures() {
    let (_bench, server) = Server::demo();
    for (id, width, height, format) in [("pattern", 1280, 720, "I420"), ("ball", 640, 480, "I420")]
    {
        let source = server.api.until_live(id);
        assert_eq!((&source["width"], &source["height"]), (&width.into(), &height.into()));
        assert_eq!(source["format"], format);
        let answer = server.api.send("GET", &format!("/v1/sources/{id}/frame.png"), &[], None);
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "image/png"));
        let (width, height, samples) = pixels(&answer.body);
        assert!(width >= 160 && height >= 90, "{width}x{height}");
        let first = &samples[..3];
        assert!(samples.chunks(first.len()).any(|pixel| pixel != first), "{id} is all one colour");
    }
}

#[test]
fn a_moving_picture_moves() {
    let (_bench, server) = Server::demo();
    let frame = || {
        let answer = server.api.send("GET", "/v1/sources/ball/frame.png", &[], None);
        (answer.status == 200).then(|| pixels(&answer.body).2)
    };
    let first = until("a frame", frame);
    until("another frame", || frame().filter(|samples| *samples != first));
}

#[test]
fn a_changed_pattern_is_another_picture() {
    let (_bench, server) = Server::demo();
    let frame = || {
        let answer = server.api.send("GET", "/v1/sources/pattern/frame.png", &[], None);
        (answer.status == 200).then(|| pixels(&answer.body).2)
    };
    until("a frame", frame);
    server.api.change(&[("sources.pattern.pattern", "blue".into())], "").good();
    until("a blue frame", || {
        let samples = frame()?;
        let channels = if samples.len() % 4 == 0 { 4 } else { 3 };
        let pixels = samples.chunks_exact(channels);
        pixels.clone().all(|pixel| pixel[2] > 200 && pixel[0] < 60 && pixel[1] < 60).then_some(())
    });
    let source = server.api.get("/v1/sources/pattern");
    assert_eq!((&source["width"], &source["height"]), (&1280.into(), &720.into()), "{source:#}");
}

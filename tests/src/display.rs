//! A virtual screen with mouse, keys and screenshots.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use crate::{Picture, until};

/// Points across.
pub const WIDTH: u32 = 1440;
/// Points down.
pub const HEIGHT: u32 = 900;

/// An X server of our own.
#[derive(Debug)]
pub struct Display {
    server: Child,
    /// `:7`
    pub name: String,
    /// Pixels a point: 1, or 2 for letters large enough to be read.
    pub scale: u32,
}

impl Display {
    /// Starts one on a number that is free, with `scale` pixels a point.
    pub fn start(scale: u32) -> Self {
        let screen = format!("{}x{}x24", WIDTH * scale, HEIGHT * scale);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| missing("Xvfb", &error));
        let mut number = String::new();
        let stdout = server.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb says its number");
        assert!(!number.trim().is_empty(), "Xvfb found no free display");
        Self { server, name: format!(":{}", number.trim()), scale }
    }

    /// What it shows now.
    pub fn picture(&self) -> Picture {
        let png = pipe("import", &["-display", &self.name, "-window", "root", "png:-"], &[]);
        Picture { png, scale: self.scale }
    }

    /// Moves the window of a process over the whole screen and gives it the keys: there is no
    /// window manager that would.
    pub fn fill_with(&self, pid: u32) {
        let pid = pid.to_string();
        let window = until("a window", || {
            let found = self.try_keys_and_mouse(&["search", "--onlyvisible", "--pid", &pid])?;
            found.lines().last().map(str::to_owned)
        });
        let (width, height) = (self.pixels(WIDTH), self.pixels(HEIGHT));
        self.xdotool(&["windowmove", &window, "0", "0"]);
        self.xdotool(&["windowsize", &window, &width, &height]);
        self.xdotool(&["windowfocus", &window]);
    }

    /// Clicks a place, in points.
    pub fn click(&self, (x, y): (u32, u32)) {
        self.xdotool(&["mousemove", &self.pixels(x), &self.pixels(y), "click", "1"]);
    }

    /// Moves the mouse out of the way.
    pub fn park_mouse(&self) {
        self.xdotool(&["mousemove", &self.pixels(WIDTH - 1), &self.pixels(HEIGHT - 1)]);
    }

    /// Presses keys together: `ctrl+2`.
    pub fn key(&self, keys: &str) {
        self.xdotool(&["key", keys]);
    }

    /// Types text.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "20", text]);
    }

    fn pixels(&self, points: u32) -> String {
        (points * self.scale).to_string()
    }

    fn xdotool(&self, arguments: &[&str]) {
        let done = self.try_keys_and_mouse(arguments);
        assert!(done.is_some(), "xdotool {arguments:?} failed");
    }

    fn try_keys_and_mouse(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("xdotool");
        command.env("DISPLAY", &self.name).args(arguments).stderr(Stdio::null());
        let out = command.output().unwrap_or_else(|error| missing("xdotool", &error));
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs a filter: bytes in, bytes out.
///
/// # Panics
/// If it is not installed or fails.
pub(crate) fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    // These are many small programs at once; more threads each only get in each other's way.
    let mut child = Command::new(program)
        .args(arguments)
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| missing(program, &error));
    // Each of them reads all before it writes, so this cannot lock up. One that wants no input
    // may have closed it already.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    let out = child.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program} {arguments:?}: {complaint}");
    out.stdout
}

fn missing(program: &str, error: &std::io::Error) -> ! {
    panic!("{program} cannot be started ({error}): `cargo xtask test` installs it");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only where reading works does "not in the window" mean anything.
    #[test]
    fn a_word_on_the_screen_is_read_at_its_place() {
        let display = Display::start(2);
        let font =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/fonts/JetBrainsMono-Regular.ttf");
        assert!(display.picture().words().is_empty(), "an empty screen has no words");
        for (paper, ink) in [("#15181c", "#e6e8eb"), ("#ffffff", "#1b1f24")] {
            let canvas = format!("{}x{}", WIDTH * 2, HEIGHT * 2);
            let paper = format!("xc:{paper}");
            let draw = ["-size", &canvas, &paper, "-fill", ink, "-font", font, "-pointsize", "26"];
            let text =
                ["-annotate", "+1400+800", "7.125", "-annotate", "+200+200", "Connected", "png:-"];
            let painted = pipe("convert", &[&draw[..], &text[..]].concat(), &[]);
            // It hangs the picture up and then says that it failed.
            let mut hang = Command::new("display")
                .args(["-display", &display.name, "-window", "root", "png:-"])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| missing("display", &error));
            hang.stdin.take().expect("stdin is piped").write_all(&painted).expect("it reads");
            hang.wait().expect("it ends");
            let words = display.picture().words();
            let word = words.iter().find(|word| word.text == "7.125");
            let word = word.unwrap_or_else(|| panic!("not in {words:?}"));
            assert!(word.x.abs_diff(700) < 5 && word.y.abs_diff(390) < 8, "{word:?}");
            assert!(words.iter().any(|word| word.text == "Connected"), "{words:?}");
        }
    }
}

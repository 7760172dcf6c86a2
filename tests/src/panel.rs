//! The panel on a display of its own.

use std::{fs, path::PathBuf, process::Stdio};

use crate::{Bench, Display, Picture, Process, picture::Word, program, until};

/// A panel with a bench open, its window over the whole display.
#[derive(Debug)]
pub struct Panel {
    /// The program. It goes before its display.
    pub process: Process,
    /// What it is seen on.
    pub display: Display,
}

impl Panel {
    /// Opens the panel on a bench, with further arguments such as `--theme light`, on a display
    /// with `scale` pixels a point.
    pub fn start(bench: &Bench, arguments: &[&str], scale: u32) -> Self {
        let display = Display::start(scale);
        let mut command = program::command(bench);
        command.arg(bench.path()).args(arguments).stdout(Stdio::null());
        command.env("DISPLAY", &display.name).env("LIBGL_ALWAYS_SOFTWARE", "1");
        command.env("WINIT_X11_SCALE_FACTOR", scale.to_string());
        let process = Process::start(bench, command);
        display.fill_with(process.child.id());
        Self { process, display }
    }

    /// What the window shows now.
    ///
    /// # Panics
    /// If the panel has ended.
    pub fn picture(&mut self) -> Picture {
        let ended = self.process.child.try_wait().expect("it is a child of this test");
        assert!(ended.is_none(), "the panel ended by itself: {ended:?}");
        self.display.picture()
    }

    /// Waits until the window shows a word that `wanted` accepts.
    ///
    /// # Panics
    /// If it does not come; what is shown instead is kept as a picture, which the message names.
    pub fn until_word(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Word {
        let scale = self.display.scale;
        let seen = std::cell::RefCell::new(Picture { png: Vec::new(), scale });
        let keep = Keep { name: what, seen: &seen };
        let found = until(&format!("“{what}” in the window"), || {
            let picture = self.picture();
            let words = picture.words();
            *seen.borrow_mut() = picture;
            words.into_iter().find(|word| wanted(&word.text))
        });
        drop(keep);
        found
    }
}

/// Keeps the last picture for people when a test fails.
struct Keep<'a> {
    name: &'a str,
    seen: &'a std::cell::RefCell<Picture>,
}

impl Drop for Keep<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let name: String =
                self.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
            let path: PathBuf =
                program::path().with_file_name(format!("window-without-{name}.png"));
            let picture = self.seen.borrow();
            if picture.png.is_empty() {
                return;
            }
            let _ = fs::write(&path, &picture.png);
            println!("the window as it was: {}\nin it:\n{}", path.display(), picture.text());
        }
    }
}

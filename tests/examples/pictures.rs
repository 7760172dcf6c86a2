//! Takes the pictures of the panel that the documentation shows: `cargo xtask pictures`.
//!
//! The real program runs on a copy of the demo bench, on a display of its own. What the pictures
//! show is done to it first, through the doors that people use: the file, HTTP, mouse and keys.

use std::{env, fs, path::PathBuf, process::ExitCode, thread, time::Duration};

use setpoint_tests::{
    Api, Bench, Panel,
    bench::with,
    display::{HEIGHT, WIDTH},
    picture::Word,
    until,
};

/// For a window to be drawn anew after a key or a click.
const DRAWN: Duration = Duration::from_secs(1);
/// For the trends to have something to show.
const TRENDS: Duration = Duration::from_secs(25);
/// Left of the inspector, which begins somewhere right of here.
const MIDDLE: u32 = 1050;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("which folder shall the pictures go to?");
        return ExitCode::from(2);
    };
    fs::create_dir_all(&folder).expect("the folder can be made");
    for theme in ["dark", "light"] {
        for (page, png) in pictures(theme) {
            let path = folder.join(format!("{page}-{theme}.png"));
            fs::write(&path, png).expect("the picture can be written");
            println!("{}", path.display());
        }
    }
    ExitCode::SUCCESS
}

/// All pages in one theme.
fn pictures(theme: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bench = Bench::demo();
    let mut panel = Panel::start(&bench, &["--theme", theme, "--page", "bench"], 1);
    let api = Api::of(&bench);
    for instrument in ["psu", "thermo"] {
        api.until_instrument(instrument, "connected");
    }
    for source in ["pattern", "ball"] {
        api.until_live(source);
    }
    history(&bench, &api);
    thread::sleep(TRENDS);
    // Of channels 1 and 2.
    for (nth, voltage) in ["3.450", "4.800"].into_iter().enumerate() {
        stage(&mut panel, &api, nth, voltage);
    }

    let mut pictures = vec![("bench", shot(&panel, "ctrl+1"))];
    pictures.push(("changes", shot(&panel, "ctrl+2")));
    pictures.push(("history", shot(&panel, "ctrl+3")));
    bench.save_by_rename(misspelt(&bench));
    api.until_reload("rejected");
    pictures.push(("activity", shot(&panel, "ctrl+4")));
    pictures
}

/// Some revisions through different doors, and an edit that is refused and then put right.
fn history(bench: &Bench, api: &Api) {
    let edits = [("instruments.psu.set.ch1.current_limit", 0.25.into())];
    api.change(&edits, "Lower limit while the board is open").good();
    let good = with(&bench.text(), "loop1.setpoint = 295.00", "loop1.setpoint = 290.00");
    bench.save_by_rename(&good);
    api.until_readback("thermo", "loop1.setpoint", 290.0);
    api.until_reload("in_step");
    bench.save_by_rename(misspelt(bench));
    api.until_reload("rejected");
    bench.save_by_rename(&good);
    api.until_reload("in_step");
    let edits = [
        ("instruments.psu.set.ch2.voltage", 5.0.into()),
        ("instruments.psu.set.ch2.current_limit", 0.8.into()),
    ];
    api.change(&edits, "5 V for the new amplifier").good();
}

/// The bench file with two mistakes in it.
fn misspelt(bench: &Bench) -> String {
    let text = with(&bench.text(), "resolution = \"640x480\"", "resoluton = \"640x480\"");
    with(&text, "ch2.current_limit = ", "ch2.current_limit = 1")
}

/// Types a new value for the `nth` voltage in the inspector, as an operator would.
fn stage(panel: &mut Panel, api: &Api, nth: usize, value: &str) {
    let field = until("the voltage in the inspector", || {
        let words = panel.picture().words();
        let inspector = || words.iter().filter(|word| word.x > MIDDLE);
        let label = inspector().filter(|word| word.text == "Voltage").nth(nth)?;
        let value = |word: &&Word| {
            word.middle().1.abs_diff(label.middle().1) < 10
                && word.x > label.x + label.width
                && word.text.starts_with(|char: char| char.is_ascii_digit())
        };
        inspector().filter(value).min_by_key(|word| word.x).cloned()
    });
    panel.display.click(field.middle());
    thread::sleep(DRAWN);
    panel.display.key("ctrl+a");
    panel.display.type_text(value);
    panel.display.key("Return");
    until("a staged edit", || {
        let staged = api.get("/v1/status")["transactions"].clone();
        (staged[0]["edits"][nth].is_object()).then_some(())
    });
}

/// Goes to a page by its keys and takes a picture of it.
fn shot(panel: &Panel, keys: &str) -> Vec<u8> {
    panel.display.key(keys);
    panel.display.park_mouse();
    thread::sleep(DRAWN);
    let picture = panel.display.picture();
    let (width, height, _) = picture.pixels();
    assert_eq!((width, height), (WIDTH, HEIGHT));
    picture.png
}

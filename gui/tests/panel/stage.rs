//! A window to draw a fixture in, and what was wanted from it.

use egui::{Theme, Vec2, vec2};
use egui_kittest::Harness;
use jiff::tz::TimeZone;
use setpoint::panel::{
    Page, Screen,
    answers::Answers,
    intent::Intent,
    pages::{
        View,
        start::{self, StartState},
    },
};
use setpoint_runtime::Status;

use crate::{
    common::{builder, whole},
    fixture,
};

/// The window of the mockups.
pub const WINDOW: Vec2 = vec2(1440.0, 900.0);
/// The smallest window.
pub const SMALL: Vec2 = vec2(1024.0, 700.0);

/// What is on the stage.
pub struct Stage {
    /// The bench that is shown.
    pub status: Status,
    /// The window's own state.
    pub screen: Screen,
    /// What was asked of the bench.
    pub answers: Answers,
    /// What is under way.
    pub busy: Option<String>,
    /// What was wanted, in order.
    pub wanted: Vec<Intent>,
}

/// A window of a size and theme on a page.
pub fn open(status: Status, page: Page, theme: Theme, size: Vec2) -> Harness<'static, Stage> {
    let stage = Stage {
        status,
        screen: Screen::new(page, "operator"),
        answers: fixture::answers(),
        busy: None,
        wanted: Vec::new(),
    };
    builder(theme, size).build_ui_state(
        move |ui, stage: &mut Stage| {
            let mut ui = whole(ui, size);
            let view = View {
                status: &stage.status,
                now: fixture::now(),
                zone: &TimeZone::UTC,
                answers: &stage.answers,
                busy: stage.busy.as_deref(),
                pictures: &fixture::picture,
            };
            let intents = stage.screen.show(&mut ui, &view);
            stage.wanted.extend(intents);
        },
        stage,
    )
}

/// A dark window of the usual size.
pub fn window(status: Status, page: Page) -> Harness<'static, Stage> {
    open(status, page, Theme::Dark, WINDOW)
}

/// A window with no bench open, and what was wanted from it.
pub fn open_start(state: StartState, theme: Theme) -> Harness<'static, (StartState, Vec<Intent>)> {
    builder(theme, WINDOW).build_ui_state(
        move |ui, (state, wanted): &mut (StartState, Vec<Intent>)| {
            wanted.extend(start::show(&mut whole(ui, WINDOW), state));
        },
        (state, Vec::new()),
    )
}

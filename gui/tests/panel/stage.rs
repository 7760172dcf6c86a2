//! A window to draw a fixture in, and what was wanted from it.

use std::{collections::BTreeMap, sync::Arc};

use egui::{Rect, Theme, UiBuilder, Vec2, vec2};
use egui_kittest::{Harness, HarnessBuilder, SnapshotOptions};
use jiff::tz::TimeZone;
use setpoint::panel::{
    Page, Screen,
    intent::Intent,
    pages::{
        View,
        start::{self, StartState},
    },
    theme,
};
use setpoint_runtime::Status;

use crate::fixture;

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
    /// Texts of revisions.
    pub texts: BTreeMap<String, Result<Arc<str>, String>>,
    /// What was wanted, in order.
    pub wanted: Vec<Intent>,
}

/// A window of a size and theme on a page.
pub fn open(status: Status, page: Page, theme: Theme, size: Vec2) -> Harness<'static, Stage> {
    let stage = Stage {
        status,
        screen: Screen::new(page, "operator"),
        texts: fixture::texts(),
        wanted: Vec::new(),
    };
    builder(theme, size).build_ui_state(
        move |ui, stage: &mut Stage| {
            // The harness leaves a margin that a window has not.
            let whole = Rect::from_min_size(egui::Pos2::ZERO, size);
            let mut ui = ui.new_child(UiBuilder::new().max_rect(whole));
            ui.set_clip_rect(whole);
            let view = View {
                status: &stage.status,
                now: fixture::now(),
                zone: &TimeZone::UTC,
                texts: &stage.texts,
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
            let whole = Rect::from_min_size(egui::Pos2::ZERO, WINDOW);
            let mut ui = ui.new_child(UiBuilder::new().max_rect(whole));
            ui.set_clip_rect(whole);
            wanted.extend(start::show(&mut ui, state));
        },
        (state, Vec::new()),
    )
}

fn builder<State>(theme: Theme, size: Vec2) -> HarnessBuilder<State> {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_os(egui::os::OperatingSystem::Nix)
        .with_max_steps(8)
        .with_context_setup(theme::install)
        .with_options(SnapshotOptions::new().threshold(0.8).max_failed_pixels(40))
        .wgpu()
}

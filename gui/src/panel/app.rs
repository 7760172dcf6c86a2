//! The program behind the window: opens benches, asks them for what the person wants, and wakes
//! the window when there is something to see.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use eframe::{CreationContext, NativeOptions, Renderer};
use egui::{Context, Theme, ThemePreference, Ui, ViewportBuilder, ViewportCommand, vec2};
use jiff::{Timestamp, tz::TimeZone};
use setpoint_runtime::Status;
use setpoint_video::SourceState;
use tokio::runtime::Handle;

use super::{
    intent::{Intent, ViewIntent},
    opening::{Arrival, Coming, Target, ask_for_file},
    pages::{
        Page, View,
        start::{self, StartState},
    },
    screen::Screen,
    session::{Session, Told},
    slot::Slot,
    theme,
};
use crate::author;

/// How long the end of the program waits for server and devices; the server's calls alone may take
/// seconds of it.
const STOP_WITHIN: Duration = Duration::from_secs(8);
/// How long it waits after that for work that cannot be interrupted, such as a disk.
const WORKERS_WITHIN: Duration = Duration::from_secs(1);
/// Time between two looks at moving pictures.
const PICTURE: Duration = Duration::from_millis(33);
/// Time between two looks at ages and waits.
const CLOCK: Duration = Duration::from_secs(1);

/// The colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Look {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// How the window opens.
#[derive(Debug, Clone, Default)]
pub struct PanelOptions {
    /// The bench file; without one, the start page.
    pub bench: Option<PathBuf>,
    /// The environment that the bench is to run for, whenever it is opened; without one, what its
    /// surroundings or the file say.
    pub environment: Option<String>,
    /// It is a copy of the demo bench, not to be remembered.
    pub demo: bool,
    /// Its colours; without, those of the desktop.
    pub theme: Option<Look>,
    /// The page it begins with.
    pub page: Option<Page>,
}

/// Why there is no window.
#[derive(Debug)]
pub enum PanelError {
    /// No background threads.
    Threads(std::io::Error),
    /// No window or nothing to draw with.
    Window(eframe::Error),
}

impl std::fmt::Display for PanelError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Threads(error) => write!(out, "no threads can be started: {error}"),
            Self::Window(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for PanelError {}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// See [`PanelError`].
pub fn run(options: PanelOptions) -> Result<(), PanelError> {
    let workers = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("setpoint")
        .build()
        .map_err(PanelError::Threads)?;
    let native = NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Setpoint")
            .with_app_id("setpoint")
            .with_inner_size(vec2(1440.0, 900.0))
            .with_min_inner_size(vec2(1024.0, 700.0)),
        // Drawing with software is several times faster this way, and tests may switch the other
        // renderer on.
        renderer: Renderer::Glow,
        persist_window: false,
        ..NativeOptions::default()
    };
    let handle = workers.handle().clone();
    let ran = eframe::run_native(
        "setpoint",
        native,
        Box::new(move |creation| Ok(Box::new(App::new(creation, handle, options)))),
    );
    end(workers);
    ran.map_err(PanelError::Window)
}

/// Ends background work; dropping the workers would wait for a hung disk for ever.
fn end(workers: tokio::runtime::Runtime) {
    workers.shutdown_timeout(WORKERS_WITHIN);
}

/// The program behind the window.
struct App {
    slot: Slot,
    dialog: Option<Coming<Option<PathBuf>>>,
    screen: Screen,
    start: StartState,
    zone: TimeZone,
    title: String,
    workers: Handle,
    /// The person has said to leave, whatever is lost.
    sure: bool,
    /// SIGTERM or SIGINT came.
    told_to_end: Arc<AtomicBool>,
    /// A bench file and the environment that was asked for with it.
    asked: Option<(PathBuf, String)>,
}

impl App {
    fn new(creation: &CreationContext<'_>, workers: Handle, options: PanelOptions) -> Self {
        let ctx = &creation.egui_ctx;
        theme::install(ctx);
        ctx.set_theme(match options.theme {
            Some(Look::Dark) => ThemePreference::Dark,
            Some(Look::Light) => ThemePreference::Light,
            None => ThemePreference::System,
        });
        let told_to_end = Arc::new(AtomicBool::new(false));
        close_on_signal(&workers, ctx, told_to_end.clone());
        let mut app = Self {
            slot: Slot::new(workers.clone(), ctx.clone()),
            dialog: None,
            screen: Screen::new(options.page.unwrap_or(Page::Bench), author::name()),
            start: StartState::default(),
            zone: TimeZone::system(),
            title: String::new(),
            workers,
            sure: false,
            told_to_end,
            asked: options.bench.clone().zip(options.environment),
        };
        if let Some(path) = options.bench {
            let target = if options.demo { Target::DemoFile(path) } else { app.file(path) };
            app.open(target);
        }
        app
    }

    /// A bench file, for the environment that was asked for with it.
    fn file(&self, path: PathBuf) -> Target {
        let asked = self.asked.as_ref().filter(|(file, _)| *file == path);
        let environment = asked.map(|(_, environment)| environment.clone());
        Target::File(path, environment)
    }

    fn open(&mut self, target: Target) {
        let opening = target.clone();
        if self.slot.open(target) {
            self.start.failure = None;
            self.start.opening = Some(opening.name());
            if let Target::File(path, _) | Target::DemoFile(path) = opening {
                self.start.path = path.display().to_string();
            }
        }
    }

    fn arrived(&mut self) {
        if let Some(dialog) = &mut self.dialog {
            match dialog.poll() {
                Arrival::NotYet => {}
                Arrival::Here(Some(path)) => {
                    self.dialog = None;
                    let target = self.file(path);
                    self.open(target);
                }
                Arrival::Here(None) | Arrival::Never => self.dialog = None,
            }
        }
        if let Some(opened) = self.slot.poll() {
            self.start.opening = None;
            if let Err(failure) = opened {
                tracing::error!("{}: {}", failure.path.display(), failure.message);
                self.start.failure = Some(failure);
            }
        }
    }

    fn tell(&mut self, ctx: &Context, told: Told) {
        let now_s = ctx.time();
        match told {
            Told::Done(text) => self.screen.toasts.done(text, now_s),
            Told::Unwritten(text) => self.screen.toasts.behind(text, now_s),
            Told::InStep(text) => self.screen.toasts.in_step(text, now_s),
            Told::Committed { text, written } => {
                self.screen.changes.message.clear();
                let toasts = &mut self.screen.toasts;
                if written { toasts.done(text, now_s) } else { toasts.behind(text, now_s) }
            }
            Told::CannotWrite(text) => {
                tracing::warn!("{text}");
                self.screen.toasts.cannot_write(text);
            }
            Told::Failed(text) => {
                tracing::warn!("{text}");
                self.screen.toasts.error(text);
            }
        }
    }

    fn carry_out(&mut self, ctx: &Context, intent: &Intent) {
        tracing::debug!(page = self.screen.page.title(), ?intent, "wanted");
        match intent {
            Intent::View(intent) => self.view(ctx, intent),
            other => {
                let told = self.slot.session_mut().and_then(|session| session.carry_out(other));
                if let Some(told) = told {
                    self.tell(ctx, told);
                }
            }
        }
    }

    fn view(&mut self, ctx: &Context, intent: &ViewIntent) {
        match intent {
            // The screen has gone there itself.
            ViewIntent::Go(_) => {
                if let Some(session) = self.slot.session_mut() {
                    session.forget_failed();
                }
            }
            ViewIntent::SwitchTheme => ctx.set_theme(match ctx.theme() {
                Theme::Dark => ThemePreference::Light,
                Theme::Light => ThemePreference::Dark,
            }),
            ViewIntent::OpenDialog => {
                if self.dialog.is_none() {
                    let near = PathBuf::from(&self.start.path);
                    self.dialog = Some(ask_for_file(&self.workers, ctx, &near));
                }
            }
            ViewIntent::Open(path) => {
                let target = self.file(path.clone());
                self.open(target);
            }
            ViewIntent::Demo => self.open(Target::Demo),
            ViewIntent::Leave => {
                self.sure = true;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            // The screen has taken its question away.
            ViewIntent::Stay => {}
            ViewIntent::Copy(text) => ctx.copy_text(text.clone()),
        }
    }

    /// What runs and is not on disk is not left without a word, unless the system asks for it.
    fn ask_before_leaving(&mut self, ctx: &Context, status: Option<&Status>) {
        let ahead = status.is_some_and(|status| status.reload.ahead.is_some());
        let leaves = ctx.input(|input| input.viewport().close_requested());
        let sure = self.sure || self.told_to_end.load(Ordering::Relaxed);
        if leaves && ahead && !sure {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.screen.leaving = true;
        }
    }

    fn name_window(&mut self, ctx: &Context, status: Option<&Status>) {
        let title = status.map_or_else(
            || "Setpoint".to_owned(),
            |status| format!("Setpoint – {}", status.bench.name),
        );
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.arrived();
        let told = self.slot.session_mut().map(Session::poll).unwrap_or_default();
        for told in told {
            self.tell(ctx, told);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        let status = self.slot.session().map(|session| session.runtime().status());
        self.name_window(&ctx, status.as_deref());
        self.ask_before_leaving(&ctx, status.as_deref());
        let intents = match (self.slot.session(), &status) {
            (Some(session), Some(status)) => {
                wake_later(&ctx, status, self.screen.page);
                let view = View {
                    status,
                    now: Timestamp::now(),
                    zone: &self.zone,
                    answers: session.answers(),
                    busy: session.busy(),
                    pictures: &|source| session.runtime().frame(source),
                };
                self.screen.show(ui, &view)
            }
            _ => start::show(ui, &mut self.start),
        };
        for intent in &intents {
            self.carry_out(&ctx, intent);
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        let stop = async { tokio::time::timeout(STOP_WITHIN, self.slot.stop()).await };
        if self.workers.block_on(stop).is_err() {
            tracing::warn!("a device or picture source did not stop in time");
        }
    }
}

/// Pictures move and ages grow without a change of the status.
fn wake_later(ctx: &Context, status: &Arc<Status>, page: Page) {
    let live = |state| matches!(state, SourceState::Live | SourceState::Slow);
    let moving =
        page == Page::Bench && status.sources.values().any(|source| live(source.measured.state));
    ctx.request_repaint_after(if moving { PICTURE } else { CLOCK });
}

/// SIGTERM and SIGINT close the window, so that devices and folder are left in order.
fn close_on_signal(workers: &Handle, ctx: &Context, told: Arc<AtomicBool>) {
    let ctx = ctx.clone();
    workers.spawn(async move {
        match terminated().await {
            Ok(()) => {
                told.store(true, Ordering::Relaxed);
                ctx.send_viewport_cmd(ViewportCommand::Close);
                ctx.request_repaint();
            }
            Err(error) => tracing::warn!("signals cannot be listened to: {error}"),
        }
    });
}

#[cfg(unix)]
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn terminated() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_that_hangs_does_not_keep_the_program() {
        let workers = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let (release, hang) = mpsc::sync_channel::<()>(1);
        let (begin, begun) = mpsc::sync_channel(1);
        workers.spawn_blocking(move || {
            begin.send(()).unwrap();
            hang.recv()
        });
        begun.recv().unwrap();
        let (ended, end_of_it) = mpsc::sync_channel(1);
        let ending = std::thread::Builder::new().name("ending".to_owned()).spawn(move || {
            end(workers);
            ended.send(()).unwrap();
        });
        end_of_it.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(release);
        ending.unwrap().join().unwrap();
    }
}

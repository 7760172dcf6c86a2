//! Everything that is drawn, and the keys that are listened to.

use egui::{CentralPanel, Context, Frame, Margin, Panel, Ui};
use jiff::Timestamp;
use setpoint_runtime::{Origin, ReloadState};

use super::{
    intent::{Intent, ReloadIntent, StageIntent, ViewIntent},
    pages::{
        Page, View,
        activity::{self, ActivityState},
        bench::{self, BenchState},
        changes::{self, ChangesState},
        history::{self, HistoryState},
        inspector,
    },
    shell,
    shortcuts::UiCommand,
    theme::{self, size},
    widgets::Toasts,
};

/// What the window remembers between two pictures of itself.
pub struct Screen {
    /// The page that is shown.
    pub page: Page,
    /// State of the page Bench and its inspector.
    pub bench: BenchState,
    /// State of the page Changes.
    pub changes: ChangesState,
    /// State of the page History.
    pub history: HistoryState,
    /// State of the page Activity.
    pub activity: ActivityState,
    /// Messages.
    pub toasts: Toasts,
    /// The window is to be closed, and somebody has to say how.
    pub leaving: bool,
    /// When somebody last had the file written because of that.
    written: Option<Timestamp>,
    /// Who sits in front of it.
    pub user: String,
    /// Keys that wait for a field to give up the focus first.
    waiting: Option<UiCommand>,
}

impl Screen {
    /// A window that begins with a page.
    pub fn new(page: Page, user: impl Into<String>) -> Self {
        Self {
            page,
            bench: BenchState::default(),
            changes: ChangesState::default(),
            history: HistoryState::default(),
            activity: ActivityState::default(),
            toasts: Toasts::default(),
            leaving: false,
            written: None,
            user: user.into(),
            waiting: None,
        }
    }

    /// Draws an open bench over the whole window. Returns what the person wants.
    pub fn show(&mut self, ui: &mut Ui, view: &View<'_>) -> Vec<Intent> {
        let mut intents = Vec::new();
        if let Some(command) = self.listen(ui.ctx()) {
            intents.extend(self.carry_out(command, view));
        }
        let tokens = theme::tokens(ui);
        let bar = Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(14, 0));
        Panel::top("top bar").exact_size(size::TOP_BAR).frame(bar).show(ui, |ui| {
            intents.extend(shell::top_bar(ui, view, &self.user));
        });
        Panel::bottom("status bar").exact_size(size::STATUS_BAR).frame(bar).show(ui, |ui| {
            shell::status_bar(ui, view);
        });
        let narrow = ui.available_width() < shell::NARROW;
        let rail = Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(8, 11));
        let width = if narrow { size::NARROW_RAIL } else { size::RAIL };
        Panel::left("rail").exact_size(width).resizable(false).frame(rail).show(ui, |ui| {
            intents.extend(shell::rail(ui, view, self.page, narrow));
        });
        if self.page == Page::Bench && inspector::has_subject(view, &self.bench) {
            let side = Frame::new().fill(tokens.panel);
            Panel::right("inspector")
                .exact_size(if narrow { size::NARROW_INSPECTOR } else { size::INSPECTOR })
                .resizable(false)
                .frame(side)
                .show(ui, |ui| intents.extend(inspector::show(ui, view, &mut self.bench)));
        }
        CentralPanel::no_frame().show(ui, |ui| {
            ui.painter().rect_filled(ui.max_rect(), 0, tokens.ground);
            intents.extend(self.page(ui, view));
        });
        let foot = match self.page {
            Page::History => self.history.foot,
            Page::Changes => self.changes.foot,
            Page::Bench | Page::Activity => 0.0,
        };
        let reload = &view.status.reload;
        let in_file = reload.ahead.is_none() && reload.state != ReloadState::Ahead;
        let written = reload.last.as_ref().is_some_and(|last| last.origin != Origin::File);
        let revision = view.status.revision.as_ref().map(|revision| revision.id.as_str());
        self.toasts.follow(in_file, revision, written);
        if let Some(id) = self.toasts.show(ui.ctx(), foot) {
            self.toasts.dismiss(id);
        }
        if self.leaving {
            shell::leaving(ui, view, self.written, &mut intents);
        }
        self.follow(&intents, view.now);
        intents
    }

    fn page(&mut self, ui: &mut Ui, view: &View<'_>) -> Vec<Intent> {
        match self.page {
            Page::Bench => bench::show(ui, view, &mut self.bench),
            Page::Changes => changes::show(ui, view, &mut self.changes),
            Page::History => history::show(ui, view, &mut self.history),
            Page::Activity => activity::show(ui, view, &mut self.activity),
        }
    }

    /// What concerns the window alone is done at once.
    fn follow(&mut self, intents: &[Intent], now: Timestamp) {
        for intent in intents {
            match intent {
                Intent::View(ViewIntent::Go(page)) => self.page = *page,
                Intent::View(ViewIntent::Stay | ViewIntent::Leave) => {
                    (self.leaving, self.written) = (false, None);
                }
                Intent::Reload(ReloadIntent::Sync) if self.leaving => self.written = Some(now),
                _ => {}
            }
        }
    }

    /// Leaving a page while a value is being typed would lose it: the field gives up the focus,
    /// which finishes the value, and the keys are answered in the next pass.
    fn listen(&mut self, ctx: &Context) -> Option<UiCommand> {
        if let Some(command) = self.waiting.take() {
            return Some(command);
        }
        let command = UiCommand::listen(ctx)?;
        if self.page == Page::Bench && ctx.text_edit_focused() {
            ctx.memory_mut(|memory| {
                if let Some(id) = memory.focused() {
                    memory.surrender_focus(id);
                }
            });
            self.waiting = Some(command);
            ctx.request_repaint();
            return None;
        }
        Some(command)
    }

    fn carry_out(&self, command: UiCommand, view: &View<'_>) -> Option<Intent> {
        Some(match command {
            UiCommand::Go(page) => ViewIntent::Go(page).into(),
            UiCommand::ReloadNow => ReloadIntent::Now.into(),
            UiCommand::ReviewOrCommit if self.page != Page::Changes => {
                (view.staged_count() > 0).then_some(ViewIntent::Go(Page::Changes))?.into()
            }
            UiCommand::ReviewOrCommit => {
                let ready = view.busy.is_none() && view.staged().is_some_and(|open| open.ok);
                let message = self.changes.message.trim().to_owned();
                ready.then_some(StageIntent::Commit { message })?.into()
            }
        })
    }
}

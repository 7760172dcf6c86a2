//! Every action that has a key, in one place: text, tooltip, shortcut.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::pages::Page;

/// An action that a key, a button or both carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UiCommand {
    /// Show what is staged; on the page that shows it, commit it.
    ReviewOrCommit,
    /// Read the bench file now.
    ReloadNow,
    /// Show a page.
    Go(Page),
}

impl UiCommand {
    /// All, those with more modifiers first.
    pub const ALL: [Self; 6] = [
        Self::ReviewOrCommit,
        Self::ReloadNow,
        Self::Go(Page::Bench),
        Self::Go(Page::Changes),
        Self::Go(Page::History),
        Self::Go(Page::Activity),
    ];

    /// What its button says.
    pub fn text(self) -> &'static str {
        match self {
            Self::ReviewOrCommit => "Review & commit",
            Self::ReloadNow => "Reload now",
            Self::Go(page) => page.title(),
        }
    }

    /// What it does, in a sentence.
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::ReviewOrCommit => "See what is staged, check it and put it into effect",
            Self::ReloadNow => "Read the bench file now and put it into effect",
            Self::Go(Page::Bench) => "Everything live, what you set beside what it reads",
            Self::Go(Page::Changes) => "What is staged and not yet in effect",
            Self::Go(Page::History) => "Every revision of the bench file, and the way back",
            Self::Go(Page::Activity) => "What happened, and what is wrong with the file",
        }
    }

    /// Its keys.
    pub fn shortcut(self) -> KeyboardShortcut {
        let key = match self {
            Self::ReviewOrCommit => Key::Enter,
            Self::ReloadNow => Key::R,
            Self::Go(Page::Bench) => Key::Num1,
            Self::Go(Page::Changes) => Key::Num2,
            Self::Go(Page::History) => Key::Num3,
            Self::Go(Page::Activity) => Key::Num4,
        };
        KeyboardShortcut::new(Modifiers::COMMAND, key)
    }

    /// Its keys as the platform writes them: `Ctrl+R`.
    pub fn keys(self, ctx: &Context) -> String {
        ctx.format_shortcut(&self.shortcut())
    }

    /// The one whose keys were pressed, if any. None of them writes text, so they work while a
    /// field has the focus too.
    pub fn listen(ctx: &Context) -> Option<Self> {
        ctx.input_mut(|input| {
            Self::ALL.into_iter().find(|command| input.consume_shortcut(&command.shortcut()))
        })
    }
}

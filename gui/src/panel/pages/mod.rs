//! One file per page. A page is a function of what there is to show and its own state, and
//! returns what the person wants; nothing runs behind it, so a test can draw and click it.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use setpoint_runtime::{Origin, Status, Transaction};
use setpoint_video::Frame;

use super::{answers::Answers, icons};

pub mod activity;
pub mod bench;
pub mod changes;
pub mod history;
pub mod inspector;
pub mod start;
pub mod words;

/// The pages of an open bench, in the order of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Page {
    /// Everything live.
    Bench,
    /// What is staged.
    Changes,
    /// Revisions.
    History,
    /// What happened.
    Activity,
}

impl Page {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Bench, Self::Changes, Self::History, Self::Activity];

    /// Its name in the rail.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bench => "Bench",
            Self::Changes => "Changes",
            Self::History => "History",
            Self::Activity => "Activity",
        }
    }

    /// Its sign in the rail.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Bench => icons::BENCH,
            Self::Changes => icons::CHANGES,
            Self::History => icons::HISTORY,
            Self::Activity => icons::ACTIVITY,
        }
    }
}

/// Where a page finds the newest picture of a source.
pub type Pictures<'a> = &'a dyn Fn(&str) -> Option<Arc<Frame>>;

/// What a page is drawn from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The bench as it is now.
    pub status: &'a Status,
    /// The time that ages and waits are reckoned from.
    pub now: Timestamp,
    /// The zone that times of day are shown in.
    pub zone: &'a TimeZone,
    /// What was asked for and has arrived.
    pub answers: &'a Answers,
    /// What is being done for the person now, if anything is: `Committing…`
    pub busy: Option<&'a str>,
    /// Newest pictures.
    pub pictures: Pictures<'a>,
}

impl View<'_> {
    /// What is staged in the panel, if anything is.
    pub fn staged(&self) -> Option<&Transaction> {
        let own = |open: &&Transaction| open.origin == Origin::Panel && !open.draft;
        let mut all = self.status.transactions.iter().map(Arc::as_ref);
        all.find(own).filter(|open| !open.edits.is_empty())
    }

    /// Transactions of others, and drafts, oldest first.
    pub fn other_transactions(&self) -> impl Iterator<Item = &Transaction> {
        let own = self.staged().map(|own| own.id.as_str());
        let all = self.status.transactions.iter().map(Arc::as_ref);
        all.filter(move |other| Some(other.id.as_str()) != own)
            .filter(|other| other.draft || other.origin != Origin::Panel)
    }

    /// Drafts, which nothing else reminds of.
    pub fn draft_count(&self) -> usize {
        self.status.transactions.iter().filter(|one| one.draft).count()
    }

    /// How many edits are staged.
    pub fn staged_count(&self) -> usize {
        self.staged().map_or(0, |open| open.edits.len())
    }
}

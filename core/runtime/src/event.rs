//! What happened: one stream for every screen, file and client.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use setpoint_store::history::HistoryEvent;

/// Who caused a change, by the door it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The panel.
    Panel,
    /// An edit of the bench file.
    File,
    /// HTTP or the command line.
    Api,
    /// Going back to a revision.
    Rollback,
    /// The bench itself: devices, sources, the program.
    Bench,
}

impl Origin {
    /// What [`Origin::as_str`] writes; what is not known is of the bench.
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "panel" => Self::Panel,
            "file" => Self::File,
            "api" => Self::Api,
            "rollback" => Self::Rollback,
            _ => Self::Bench,
        }
    }

    /// As it is written in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::File => "file",
            Self::Api => "api",
            Self::Rollback => "rollback",
            Self::Bench => "bench",
        }
    }
}

/// What an event is about: the tabs of the Activity page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The file, revisions, staged changes.
    Configuration,
    /// Devices.
    Instruments,
    /// Pictures.
    Sources,
}

impl Subject {
    /// As it is written in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Instruments => "instruments",
            Self::Sources => "sources",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "instruments" => Self::Instruments,
            "sources" => Self::Sources,
            _ => Self::Configuration,
        }
    }
}

/// How an event should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It happened.
    Info,
    /// It worked.
    Good,
    /// Someone staged something.
    Staged,
    /// Look at it.
    Warning,
    /// It failed or was refused.
    Error,
    /// A revision or label was kept.
    Kept,
}

impl Tone {
    /// As it is written in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Good => "good",
            Self::Staged => "staged",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Kept => "kept",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "good" => Self::Good,
            "staged" => Self::Staged,
            "warning" => Self::Warning,
            "error" => Self::Error,
            "kept" => Self::Kept,
            _ => Self::Info,
        }
    }
}

/// One thing that happened. Serialises as [`HistoryEvent`] does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Later events have higher numbers, over all runs of the program; none is used twice.
    pub seq: u64,
    /// When, in UTC, to the microsecond.
    pub at: Timestamp,
    /// Microseconds since its run of the program began, by a clock that nobody sets.
    pub mono_us: u64,
    /// The run of the program.
    pub run: Arc<str>,
    /// Who caused it.
    pub origin: Origin,
    /// Stable name: `reload_rejected`, `commit_applied`, `instrument_offline`, …
    pub kind: Cow<'static, str>,
    /// What it is about.
    pub subject: Subject,
    /// How it should look.
    pub tone: Tone,
    /// The key or component: `instruments.psu`; empty for the bench as a whole.
    pub path: String,
    /// One sentence for a person.
    pub message: String,
    /// How long it took, in milliseconds, where that is of interest.
    pub took_ms: Option<f64>,
    /// Details, by kind: the changes of a commit. Secrets stand in it as the file writes them.
    pub payload: Option<Arc<Value>>,
}

impl Event {
    /// As it is kept.
    pub fn kept(&self) -> HistoryEvent {
        HistoryEvent {
            seq: self.seq,
            at: self.at,
            mono_us: self.mono_us,
            run: self.run.clone(),
            origin: self.origin.as_str().to_owned(),
            kind: self.kind.clone().into_owned(),
            subject: self.subject.as_str().to_owned(),
            tone: self.tone.as_str().to_owned(),
            path: self.path.clone(),
            message: self.message.clone(),
            took_ms: self.took_ms,
            payload: self.payload.as_deref().cloned(),
        }
    }

    /// As it was before it was kept. A word that a later version wrote becomes the plainest one.
    pub fn recalled(kept: HistoryEvent) -> Self {
        Self {
            seq: kept.seq,
            at: kept.at,
            mono_us: kept.mono_us,
            run: kept.run,
            origin: Origin::parse(&kept.origin),
            kind: kept.kind.into(),
            subject: Subject::parse(&kept.subject),
            tone: Tone::parse(&kept.tone),
            path: kept.path,
            message: kept.message,
            took_ms: kept.took_ms,
            payload: kept.payload.map(Arc::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_as_they_are_shown() {
        let origins = [Origin::Panel, Origin::File, Origin::Api, Origin::Rollback, Origin::Bench];
        let subjects = [Subject::Configuration, Subject::Instruments, Subject::Sources];
        let tones = [Tone::Info, Tone::Good, Tone::Staged, Tone::Warning, Tone::Error, Tone::Kept];
        for (index, origin) in origins.iter().cycle().take(30).enumerate() {
            let event = Event {
                seq: index as u64,
                at: Timestamp::UNIX_EPOCH,
                mono_us: 7,
                run: "run".into(),
                origin: *origin,
                kind: "commit_applied".into(),
                subject: subjects[index % 3],
                tone: tones[index % 6],
                path: "a.b".into(),
                message: "m".into(),
                took_ms: Some(0.5),
                payload: Some(Arc::new(serde_json::json!({ "a": 1 }))),
            };
            let (shown, kept) = (
                serde_json::to_string(&event).unwrap(),
                serde_json::to_string(&event.kept()).unwrap(),
            );
            assert_eq!(shown, kept);
            assert_eq!(Event::recalled(event.kept()), event);
        }
    }
}

//! Station 6: the journal says what is about to happen, and each step as it is taken.

use std::sync::Arc;

use setpoint_instruments::ParamValue;
use setpoint_store::{Intent, Journal, StepNote, TextHash};
use tokio::sync::{mpsc, oneshot};

use crate::{
    event::Origin,
    files::Meaning,
    keeping::Turns,
    manager::Manager,
    plan::{Plan, Step},
};

/// Notes that may wait for the disk.
const QUEUE: usize = 64;

/// The lines of the journal, and which step each belongs to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lines {
    /// In words.
    texts: Vec<String>,
    /// `psu`, `psu.ch1.voltage` or nothing.
    touches: Vec<String>,
    /// By index of a step: the line that is done with it.
    of_step: Vec<Option<usize>>,
    /// Lines of which no value is written down: it is a secret.
    secret: Vec<usize>,
    /// Writing the file; `None` if it needs no writing.
    write: Option<usize>,
}

impl Lines {
    /// What the journal says of a plan: its lines that do something, the write, and the revision.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut lines = Self { of_step: vec![None; plan.steps.len()], ..Self::default() };
        for (index, line) in plan.lines.iter().enumerate() {
            // A line of several steps is done with the last of them.
            let last = plan.line_of.iter().rposition(|of| *of == index);
            let writes = line.kind == "write";
            if last.is_none() && !writes {
                continue;
            }
            let number = lines.texts.len();
            if writes {
                lines.write = Some(number);
            }
            if let Some(of_step) = last.and_then(|step| lines.of_step.get_mut(step)) {
                *of_step = Some(number);
            }
            lines.texts.push(line.text.clone());
            lines.touches.push(match last.and_then(|step| plan.steps.get(step)) {
                Some(Step::Set { instrument, parameter, .. }) => {
                    format!("{instrument}.{parameter}")
                }
                Some(Step::Close { instrument } | Step::Bring { instrument }) => instrument.clone(),
                _ => String::new(),
            });
        }
        // Whether that is done, the revisions tell themselves.
        lines.texts.push("keep it as a revision".to_owned());
        lines.touches.push(String::new());
        lines
    }
}

#[cfg(test)]
impl Lines {
    /// One that its only step is done with.
    pub(crate) fn of_one_step() -> Self {
        let (texts, touches) = (vec!["a step".to_owned()], vec![String::new()]);
        Self { texts, touches, of_step: vec![Some(0)], ..Self::default() }
    }
}

enum Message {
    Note(StepNote),
    Flush(oneshot::Sender<()>),
}

/// Where steps are noted as they are taken. A task of its own has them written down: what piles up
/// while the disk syncs goes with the next write, so that a step waits for the disk only when many
/// others do. What is noted was done; what is not may have been. Where the disk does not answer,
/// nothing more is noted of that change: a line must not get into the journal of a later one.
#[derive(Default)]
pub(crate) struct Notes {
    to: Option<mpsc::Sender<Message>>,
    lines: Lines,
    /// Lines of the journal before ours.
    base: usize,
}

impl Notes {
    /// For a journal that has `base` lines before ours; it is written to in `turns`. Must be called
    /// within a tokio runtime.
    pub(crate) fn start(turns: Turns, journal: Journal, base: usize, lines: Lines) -> Self {
        let (to, mut from) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let (mut told, mut silent) = (false, false);
            while let Some(first) = from.recv().await {
                let (mut notes, mut waiting) = (Vec::new(), Vec::new());
                let mut sort = |message| match message {
                    Message::Note(note) => notes.push(note),
                    Message::Flush(done) => waiting.push(done),
                };
                sort(first);
                while let Ok(next) = from.try_recv() {
                    sort(next);
                }
                if !notes.is_empty() && !silent {
                    let journal = journal.clone();
                    // The change goes on: what is not noted counts as perhaps done.
                    let why = match turns.work(move |_| journal.note(&notes)).await {
                        Ok(Ok(())) => None,
                        Ok(Err(error)) => Some(error.to_string()),
                        Err(_) => {
                            silent = true;
                            Some("the disk does not answer".to_owned())
                        }
                    };
                    if let Some(why) = why
                        && !std::mem::replace(&mut told, true)
                    {
                        tracing::warn!("steps that were taken could not be noted: {why}");
                    }
                }
                for done in waiting {
                    // Whoever does not wait any more need not know.
                    let _ = done.send(());
                }
            }
        });
        Self { to: Some(to), lines, base }
    }

    /// A step was taken; `before` is what the parameter it set read just before.
    pub(crate) async fn done(&self, step: usize, before: Option<&ParamValue>) {
        if let Some(step) = self.line(step) {
            let before = before.filter(|_| !self.lines.secret.contains(&(step - self.base)));
            let before = before.and_then(|before| serde_json::to_value(before).ok());
            self.send(Message::Note(StepNote::Done { step, before })).await;
        }
    }

    /// A step was taken back.
    pub(crate) async fn undone(&self, step: usize) {
        if let Some(step) = self.line(step) {
            self.send(Message::Note(StepNote::Undone { step })).await;
        }
    }

    /// The file was written. Returns when that and everything before it is on the disk.
    pub(crate) async fn wrote(&self) {
        if let Some(write) = self.lines.write {
            let note = StepNote::Done { step: self.base + write, before: None };
            self.send(Message::Note(note)).await;
        }
        self.flush().await;
    }

    /// Waits until all that was noted is on the disk, or is not going to be. Nothing of it is begun
    /// later.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.send(Message::Flush(done)).await;
        // Without a writer there is nothing to wait for.
        let _ = written.await;
    }

    fn line(&self, step: usize) -> Option<usize> {
        Some(self.base + (*self.lines.of_step.get(step)?)?)
    }

    async fn send(&self, message: Message) {
        if let Some(to) = &self.to {
            // Fails only when the writer has ended, which it does not before its sender.
            let _ = to.send(message).await;
        }
    }
}

/// Who wants a change, and why.
pub(crate) struct Wanted<'a> {
    pub(crate) author: &'a str,
    pub(crate) origin: Origin,
    pub(crate) message: &'a str,
}

impl Manager {
    /// Puts on disk what is about to happen; steps are noted through what is returned. Where that
    /// cannot be written, the bench runs on without.
    pub(crate) async fn begin_journal(
        &mut self,
        plan: &Plan,
        meaning: &Arc<Meaning>,
        text: &Arc<str>,
        wanted: Wanted<'_>,
    ) -> Notes {
        self.keep_running().await;
        let mut lines = Lines::of(plan);
        let mut secrets = self.publisher.secrets();
        secrets.comes(meaning);
        if !secrets.is_empty() {
            let holds = |touch: &String| {
                touch.split_once('.').is_some_and(|(id, name)| secrets.holds(id, name))
            };
            let hidden = lines.touches.iter().enumerate().filter(|(_, touch)| holds(touch));
            lines.secret.extend(hidden.map(|(line, _)| line));
            let hide = |line: &mut String| *line = secrets.hide(std::mem::take(line));
            lines.texts.iter_mut().for_each(hide);
        }
        let intent = Intent {
            from_hash: Some(self.running.hash),
            to_text: text.to_string(),
            author: wanted.author.to_owned(),
            origin: wanted.origin.as_str().to_owned(),
            message: wanted.message.to_owned(),
            touches: lines.touches.clone(),
            ..Intent::now(&*self.running.revision.id, TextHash::of(&**text), lines.texts.clone())
        };
        match self.keeping.begin(intent).await {
            Ok((journal, base)) => self.keeping.notes(journal, base, lines),
            Err(error) => {
                tracing::warn!("a change begins without a journal: {error}");
                Notes::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use setpoint_store::BenchFolder;

    use super::*;
    use crate::{catalogue::Drivers, keeping::PATIENCE, plan};

    const BENCH: &str = r#"
[instruments.a]
type = "rigol_dp832"
address = "tcp://192.0.2.1:5555"
[instruments.a.set]
ch1.voltage = 5.0
[instruments.b]
type = "rigol_dp832"
address = "tcp://192.0.2.2:5555"
"#;

    fn plan_to(new: &str) -> Plan {
        let drivers = Drivers::beside(Path::new("/nowhere/bench.toml"));
        let bench = |text: &str| setpoint_bench::read("bench.toml", text, &drivers).bench.unwrap();
        let connected = |_: &str| Some(setpoint_instruments::LinkState::Connected);
        let mut plan = plan::plan(&bench(BENCH), &bench(new), &drivers, &connected);
        plan.tell_first("snapshot", "keep r1".into());
        plan.tell("write", "write bench.toml".into(), None);
        plan
    }

    #[test]
    fn lines_are_what_happens_and_know_their_steps() {
        let new = BENCH.replace("5.0", "2.0").replace("0.2.2", "0.2.9");
        let lines = Lines::of(&plan_to(&new));
        assert_eq!(lines.touches, ["b", "b", "a.ch1.voltage", "", ""]);
        assert_eq!(lines.of_step, [Some(0), Some(1), Some(2)]);
        assert_eq!((lines.write, lines.texts.len()), (Some(3), 5));
        // Closed and kept as disabled are one line, done with the second.
        let new = BENCH.replacen("[instruments.b]", "[instruments.b]\nenabled = false", 1);
        let lines = Lines::of(&plan_to(&new));
        assert_eq!((lines.of_step.as_slice(), lines.texts.len()), ([None, Some(0)].as_slice(), 3));
    }

    #[tokio::test]
    async fn what_is_noted_is_on_disk_when_flushed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BenchFolder::open(&dir.path().join("bench.toml")).unwrap();
        let journal = Journal::open(&folder);
        let lines = Lines::of(&plan_to(&BENCH.replace("5.0", "2.0")));
        let mut texts = vec!["earlier".to_owned()];
        texts.extend(lines.texts.clone());
        journal.begin(&Intent::now("r1", TextHash::of(""), texts)).unwrap();
        let turns = Turns::new(1, PATIENCE, Arc::default());
        let notes = Notes::start(turns, journal.clone(), 1, lines);
        notes.done(0, Some(&ParamValue::Float(5.0))).await;
        notes.wrote().await;
        let found = journal.found().unwrap().unwrap();
        assert_eq!((found.done.as_slice(), &found.before[&1]), ([1, 2].as_slice(), &5.0.into()));
        notes.undone(0).await;
        notes.flush().await;
        assert_eq!(journal.found().unwrap().unwrap().done, [2]);
    }
}

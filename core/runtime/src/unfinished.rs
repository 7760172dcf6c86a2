//! A change that an earlier run began and did not finish: shown until someone finishes it or goes
//! back. Until then the file decides what runs, saves of it are followed, and nothing else is
//! changed.

use std::{collections::HashSet, sync::Arc};

use setpoint_bench::{KeyPath, Value};
use setpoint_instruments::{LinkState, ParamFacts, ParamValue, Reapplied, Written};
use setpoint_store::{Intent, TextHash};

use crate::{
    catalogue::param_value,
    command::{Answer, Applied, Command, CommandError},
    deciding::{Course, Way},
    event::{Origin, Tone},
    going_back,
    keeping::Facts,
    manager::{Manager, Running, about},
    passage::Proposal,
    plan::LEFT_ALONE,
    shelf::{self, Earlier, UNKEPT},
    staging::{none, same},
    status::{Unfinished, UnfinishedStep},
};

/// Steps that a sentence names; a screen shows all.
const SHOWN: usize = 4;

/// What is left for a person after devices were compared.
#[derive(Default)]
struct Left(Vec<String>);

impl Left {
    /// What differs, is hazardous and was left alone; said once.
    fn hazardous(&mut self, parameter: &str) {
        let told = format!("{parameter} differs, is hazardous and was left alone");
        if !self.0.contains(&told) {
            self.0.push(told);
        }
    }
}

/// A parameter to be put back.
struct PutBack {
    instrument: String,
    parameter: String,
    value: ParamValue,
    facts: ParamFacts,
}

impl Manager {
    /// Nothing but the file changes a bench while it is not decided what becomes of the last
    /// change: what that goes back to would not be what ran before it any more.
    pub(crate) fn expect_decided(&self, command: &Command) -> Result<(), CommandError> {
        let changes = matches!(
            command,
            Command::Commit { .. }
                | Command::Change { .. }
                | Command::Replace { .. }
                | Command::Rollback { .. }
        );
        match &self.unfinished {
            Some(intent) if changes => Err(CommandError::Conflict {
                message: format!(
                    "{}; finish it or go back first (in the panel, or with “setpoint recover FILE \
                     --finish” or “--go-back”)",
                    told(intent)
                ),
                diagnostics: none(),
            }),
            _ => Ok(()),
        }
    }

    /// What an earlier run left in the journal could not be read, and now it is known what it is.
    pub(crate) fn journal_read(&mut self, earlier: Earlier) {
        let (tone, message) = match earlier {
            Earlier::Unfinished(intent) => {
                let asked = asks(&intent);
                self.attention = None;
                self.unfinished = Some(*intent);
                (Tone::Error, asked)
            }
            Earlier::Damaged(problem) | Earlier::Unread(problem) => {
                self.attention = Some(problem.clone());
                (Tone::Error, problem)
            }
            Earlier::Nothing => {
                self.attention = None;
                (Tone::Good, "There is no unfinished change any more: its journal is gone".into())
            }
        };
        self.tell(Origin::Bench, "journal_read", tone, message);
    }

    /// For the status.
    pub(crate) fn shown_unfinished(&self) -> Option<Arc<Unfinished>> {
        let intent = self.unfinished.as_ref()?;
        let file = match (self.file_side.found(), self.file_side.left()) {
            (Some(found), _) => found.text().map(|text| TextHash::of(&**text)),
            (None, Some(left)) => Some(left.hash),
            (None, None) => Some(self.running.hash),
        };
        let step = |(index, text): (usize, &String)| UnfinishedStep {
            text: text.clone(),
            done: intent.done.contains(&index),
        };
        Some(Arc::new(Unfinished {
            message: asks(intent),
            at: intent.at,
            from_revision: intent.from_revision.clone(),
            steps: intent.steps.iter().enumerate().map(step).collect(),
            file_holds: shelf::side(intent, file),
            finish: self.shown_weighed().map(|weighed| weighed.finish.clone()),
            go_back: self.shown_weighed().map(|weighed| weighed.go_back.clone()),
        }))
    }

    /// What runs becomes a revision if it could not be kept when it was opened, and becomes one
    /// again if it was deleted since.
    pub(crate) async fn keep_running(&mut self) {
        if self.running.revision.id == UNKEPT {
            let facts = Facts {
                author: Origin::File.as_str().to_owned(),
                origin: Origin::File,
                message: "As opened; it could not be kept then".to_owned(),
                verified: Vec::new(),
                written: true,
            };
            let text = self.running.text.clone();
            self.running.revision = self.keeping.accept(&text, &none(), facts).await;
            return;
        }
        let Running { revision, text, .. } = &self.running;
        let written = self.file_side.unwritten().is_none();
        match self.keeping.keep_lost(revision, text, written).await {
            Ok(Some(kept)) => {
                let message =
                    format!("What was kept of the bench is gone; {} is kept again", kept.id);
                self.running.revision = kept;
                self.tell(Origin::Bench, "history_lost", Tone::Warning, message);
            }
            Ok(None) => {}
            // What is wrong with the disk is shown.
            Err(error) => tracing::debug!("{error}"),
        }
    }

    /// Puts into effect what the unfinished change was to bring, on top of what was saved since.
    pub(crate) async fn finish(
        &mut self,
        origin: Origin,
        author: String,
    ) -> Result<Answer, CommandError> {
        let intent = self.expect_unfinished()?;
        self.take_file_in().await?;
        let course = self.course(&intent, Way::Finish).await?;
        let message = format!("Finished the change of {}", time(&intent));
        let mut left = Left::default();
        let brought = self.bring(&course, origin, &author, &message, &mut left).await?;
        for instrument in self.touched(&intent) {
            self.compare(&instrument, origin, &author, &mut left).await?;
        }
        self.decided(origin, author, message, brought, left).await
    }

    /// Takes back in file and devices what the unfinished change did or was to do.
    pub(crate) async fn go_back(
        &mut self,
        origin: Origin,
        author: String,
    ) -> Result<Answer, CommandError> {
        let intent = self.expect_unfinished()?;
        self.take_file_in().await?;
        let course = self.course(&intent, Way::Back).await?;
        let from = &intent.from_revision;
        let message = format!("Went back to {from}, from the change of {}", time(&intent));
        let mut left = Left::default();
        let brought = self.bring(&course, origin, &author, &message, &mut left).await?;
        for set in self.to_put_back(&intent, course.before.as_ref(), &mut left) {
            let id = set.instrument.clone();
            let put_back = self.put_back(set, origin, &author, &mut left).await;
            // What it was then is no setpoint: one that comes back is compared with the file.
            if let Some(definition) = self.running.bench.instrument(&id) {
                self.components.configure(&id, definition).await;
            }
            put_back?;
        }
        self.decided(origin, author, message, brought, left).await
    }

    fn expect_unfinished(&self) -> Result<Intent, CommandError> {
        self.unfinished.clone().ok_or_else(|| CommandError::NotFound {
            what: "unfinished change in",
            name: self.file_name.clone(),
        })
    }

    /// Takes a text through the nine stations, unless it runs already. Nobody has seen what steps
    /// that takes: what is hazardous is not switched on.
    async fn bring(
        &mut self,
        course: &Course,
        origin: Origin,
        author: &str,
        message: &str,
        left: &mut Left,
    ) -> Result<Option<Applied>, CommandError> {
        let Course { text, closed, .. } = course;
        let runs = TextHash::of(&**text) == self.running.hash;
        if runs && self.file_side.in_step() {
            return Ok(None);
        }
        if *closed {
            going_back::no_surplus("that text", &self.running.text, text)?;
        }
        let (author, message) = (author.to_owned(), message.to_owned());
        let proposal = Proposal::written(origin, author, message, text.clone());
        let proposal = Proposal { closed: *closed, energises: false, ..proposal };
        let Answer::Changed(applied) = self.change(proposal).await? else { return Ok(None) };
        let alone = applied.plan.iter().filter(|line| line.note.as_deref() == Some(LEFT_ALONE));
        let parameters = alone.filter_map(|line| line.text.split(' ').next());
        parameters.for_each(|parameter| left.hazardous(parameter));
        Ok((!runs).then_some(*applied))
    }

    /// The decision is in effect: kept as a revision, told, and the journal is cleared.
    async fn decided(
        &mut self,
        origin: Origin,
        author: String,
        message: String,
        brought: Option<Applied>,
        left: Left,
    ) -> Result<Answer, CommandError> {
        let applied = match brought {
            Some(applied) => applied,
            None => {
                let text = self.running.text.clone();
                let (message, verified) = (message.clone(), Vec::new());
                let written = self.file_side.unwritten().is_none();
                let facts = Facts { author, origin, message, verified, written };
                self.running.revision = self.keeping.accept(&text, &none(), facts).await;
                Applied {
                    revision: self.running.revision.clone(),
                    changes: none(),
                    diagnostics: self.running.diagnostics.clone(),
                    plan: none(),
                    persisted: written,
                    file_was_gone: false,
                }
            }
        };
        self.keeping.decided().await?;
        self.unfinished = None;
        self.attention = match left.0.as_slice() {
            [] => None,
            left => Some(format!("{message}. Look at the devices: {}", left.join("; "))),
        };
        let tone = if left.0.is_empty() { Tone::Good } else { Tone::Warning };
        let told = self.attention.clone().unwrap_or(message);
        let told = format!("{}: {told}", applied.revision.id);
        let paths = applied.changes.iter().map(|change| &change.path);
        self.tell_of(paths, origin, "unfinished_decided", tone, told);
        Ok(Answer::Changed(Box::new(applied)))
    }

    /// Instruments that the change may have touched, in its order; all where that is not known.
    fn touched(&self, intent: &Intent) -> Vec<String> {
        let enabled = |id: &&str| self.running.bench.instrument(id).is_some_and(|one| one.enabled);
        if intent.touches.is_empty() {
            let all = self.running.bench.instruments.keys().map(String::as_str);
            return all.filter(enabled).map(str::to_owned).collect();
        }
        let mut seen = HashSet::new();
        let ids = intent.touches.iter().filter_map(|touch| touch.split('.').next());
        ids.filter(enabled).filter(|id| seen.insert(*id)).map(str::to_owned).collect()
    }

    /// Sets what differs from the file, as a person asked; what is hazardous only if it goes off.
    async fn compare(
        &self,
        instrument: &str,
        origin: Origin,
        author: &str,
        left: &mut Left,
    ) -> Result<(), CommandError> {
        self.components.settle(instrument).await;
        let handle = match self.components.handle(instrument) {
            Some(handle) if self.components.link(instrument) == Some(LinkState::Connected) => {
                handle
            }
            _ => {
                left.0.push(format!("{instrument} does not answer, and was not compared"));
                return Ok(());
            }
        };
        let device = |message: String| CommandError::Device { message };
        let secrets = self.publisher.secrets();
        let hidden = |why: String| secrets.hide_about(instrument, why);
        let applied = handle.reapply().await.map_err(|e| device(hidden(about(instrument, &e))))?;
        self.noting().reapplied(&applied, origin, author).await?;
        for parameter in &applied.skipped {
            left.hazardous(&format!("{instrument}.{parameter}"));
        }
        applied.failed.map_or(Ok(()), |failed| Err(device(hidden(failed))))
    }

    /// What the change may have set, with what it read just before, or else what the file says;
    /// last first, and what goes off before everything else. `then` is what ran before it, where
    /// that is not what runs now: of a key that was saved with another value since, the file
    /// decides.
    fn to_put_back(&self, intent: &Intent, then: Option<&Value>, left: &mut Left) -> Vec<PutBack> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for (step, touch) in intent.touches.iter().enumerate() {
            let Some((id, parameter)) = touch.split_once('.') else { continue };
            let definition = self.running.bench.instrument(id).filter(|one| one.enabled);
            let Some(definition) = definition else { continue };
            let Some(facts) = self.drivers.facts(&definition.driver, parameter) else { continue };
            // The first value read is the one from before everything.
            if !seen.insert(touch) {
                continue;
            }
            let key = KeyPath::setpoint(id, parameter);
            let saved =
                then.is_some_and(|then| !same(then.get(&key), self.running.values.get(&key)));
            let before = intent.before.get(&step).filter(|_| !saved).cloned();
            let before = before.and_then(|before| serde_json::from_value(before).ok());
            let asked = || Some(param_value(&facts, definition.set.get(parameter)?));
            match before.or_else(asked) {
                Some(value) => all.push(PutBack {
                    instrument: id.to_owned(),
                    parameter: parameter.to_owned(),
                    value,
                    facts,
                }),
                None if saved => {}
                None => left.0.push(format!("what {touch} was before is not known")),
            }
        }
        all.reverse();
        all.sort_by_key(|set| !(set.facts.off_first && set.facts.is_off(&set.value)));
        all
    }

    async fn put_back(
        &self,
        set: PutBack,
        origin: Origin,
        author: &str,
        left: &mut Left,
    ) -> Result<(), CommandError> {
        let PutBack { instrument, parameter, value, facts } = set;
        let secrets = self.publisher.secrets();
        let shown = secrets.shown(&instrument, &parameter, &value);
        self.components.settle(&instrument).await;
        let handle = match self.components.handle(&instrument) {
            Some(handle) if self.components.link(&instrument) == Some(LinkState::Connected) => {
                handle
            }
            _ => {
                left.0.push(format!("{instrument}.{parameter} was {shown}; it does not answer"));
                return Ok(());
            }
        };
        if handle.read(&parameter).await.is_ok_and(|now| holds(&facts, &now, &value)) {
            return Ok(());
        }
        if facts.hazard.is_some() && !facts.is_off(&value) {
            // More is known of it than that it differs.
            let known = format!("{instrument}.{parameter} differs,");
            left.0.retain(|told| !told.starts_with(&known));
            let what = "is hazardous and was left alone";
            left.0.push(format!("{instrument}.{parameter} was {shown}, {what}"));
            return Ok(());
        }
        let outcome = handle.set(&parameter, value.clone()).await;
        let mut done = Reapplied { instrument: instrument.clone(), ..Reapplied::default() };
        match &outcome {
            Ok(outcome) => done.set.push(Written {
                parameter: parameter.clone(),
                before: outcome.before.clone(),
                asked: value,
                readback: outcome.readback.clone(),
            }),
            Err(error) => {
                done.failed = Some(secrets.failure(&instrument, &parameter, &error.cause));
            }
        }
        self.noting().reapplied(&done, origin, author).await?;
        done.failed.map_or(Ok(()), |message| Err(CommandError::Device { message }))
    }
}

/// Whether a readback is what was wanted, as far as the device can tell.
fn holds(facts: &ParamFacts, now: &ParamValue, wanted: &ParamValue) -> bool {
    match (now.as_f64(), wanted.as_f64(), facts.tolerance) {
        (Some(now), Some(wanted), Some(tolerance)) => (now - wanted).abs() <= tolerance,
        _ => now == wanted,
    }
}

pub(crate) fn time(intent: &Intent) -> String {
    intent.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What a person has to decide.
pub(crate) fn asks(intent: &Intent) -> String {
    let told = told(intent);
    format!("{told}. The file decides what runs until you finish that change or go back.")
}

/// What happened, in a sentence without its end.
fn told(intent: &Intent) -> String {
    let who = match intent.author.as_str() {
        "" => String::new(),
        author => format!(" by {author}"),
    };
    let (done, all) = (intent.done.len(), intent.steps.len());
    let first: Vec<&str> = intent.steps.iter().take(SHOWN).map(String::as_str).collect();
    let more = match all.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "Setpoint ended in the middle of a change{who} from {} at {}, with {done} of {all} steps \
         known to be done ({}{more})",
        intent.from_revision,
        time(intent),
        first.join(", ")
    )
}

//! What a person has a device do without a change of the bench: raw queries, setpoints set again.
//! The manager hands them over and goes on; a device may take its time to answer.

use std::{pin::Pin, time::Duration};

use setpoint_instruments::session::Handle;
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
};

use crate::{
    command::{Answer, Command, CommandError, Reapplied},
    event::{Origin, Subject, Tone},
    event_log::Told,
    keeping::Keeping,
    manager::{Manager, about},
    publish::Publisher,
};

/// How long the end of the bench waits for what devices were asked.
const FINISHING: Duration = Duration::from_secs(1);

/// Requests that devices have in hand; each says in the end whether its device holds all that the
/// bench file asks for.
pub(crate) type Asking = JoinSet<bool>;

/// Who waits for a request.
type Caller = oneshot::Sender<Result<Answer, CommandError>>;

/// What is left of a request once its device has it.
type Work = Pin<Box<dyn Future<Output = Result<Answer, CommandError>> + Send>>;

/// Where it is told and written down what reached a device.
#[derive(Clone)]
pub(crate) struct Noting {
    keeping: Keeping,
    publisher: Publisher,
}

impl Manager {
    /// Hands a request to its device if it is one for a device; gives it back if it is not.
    pub(crate) async fn hand_over(
        &mut self,
        origin: Origin,
        command: Command,
        answer: Caller,
    ) -> Option<(Command, Caller)> {
        let outcome = match command {
            Command::Query { instrument, command, author } => {
                self.query(origin, instrument, command, author).await
            }
            Command::Reapply { instrument, author } => self.reapply(origin, instrument, author),
            other => return Some((other, answer)),
        };
        match outcome {
            Ok(work) => {
                let publisher = self.publisher.clone();
                self.asking.spawn(async move {
                    let outcome = work.await;
                    let holds = matches!(
                        &outcome,
                        Ok(Answer::Reapplied(done)) if done.failed.is_none() && done.skipped.is_empty()
                    );
                    // The manager may be busy for long; who is answered sees what came of it.
                    if holds {
                        publisher.update(|core| core.attention = None);
                    }
                    publisher.publish();
                    let _ = answer.send(outcome);
                    holds
                });
            }
            Err(error) => self.answer(answer, Err(error)).await,
        }
        None
    }

    /// A device is done with a request.
    pub(crate) fn asked(&mut self, done: Result<bool, JoinError>) {
        match done {
            Ok(true) => self.attention = None,
            Ok(false) => {}
            Err(error) => tracing::error!("asking a device failed: {error}; please report this"),
        }
    }

    /// Waits for the requests of devices that have gone: what came of them is still to be written
    /// down and said.
    pub(crate) async fn finish_asking(&mut self) {
        let all = async {
            while let Some(done) = self.asking.join_next().await {
                self.asked(done);
            }
        };
        if tokio::time::timeout(FINISHING, all).await.is_err() {
            tracing::error!("what a device was asked last did not end within {FINISHING:?}");
        }
    }

    /// After what it is about is shown.
    pub(crate) async fn answer(&mut self, answer: Caller, outcome: Result<Answer, CommandError>) {
        self.announce();
        // A caller that does not wait any more has no use for the answer.
        let _ = answer.send(outcome);
    }

    pub(crate) fn noting(&self) -> Noting {
        Noting { keeping: self.keeping.clone(), publisher: self.publisher.clone() }
    }

    async fn query(
        &mut self,
        origin: Origin,
        instrument: String,
        command: String,
        author: String,
    ) -> Result<Work, CommandError> {
        let handle = self.handle(&instrument)?;
        let secrets = self.publisher.secrets();
        // Written down before it reaches the device: nothing does so unrecorded.
        let path = format!("instruments.{instrument}");
        let noted = secrets.hide(command.clone());
        self.keeping.audit_note("query", &path, &noted, origin, &author).await?;
        // In the device's queue from here on: what is asked for later comes after it.
        let asked = handle.query(&command);
        let noting = self.noting();
        Ok(Box::pin(async move {
            let reply = asked.await;
            let outcome = match &reply {
                Ok(reply) => format!("answered “{reply}”"),
                Err(error) => error.to_string(),
            };
            // As they are now: a change may have come meanwhile.
            let secrets = noting.publisher.secrets();
            let outcome = secrets.hide(outcome);
            let message = format!("{author} sent “{noted}” to {instrument}: {outcome}");
            noting.publisher.tell(Told {
                origin,
                kind: "raw_query",
                subject: Subject::Instruments,
                tone: Tone::Info,
                path,
                message,
                took_ms: None,
            });
            let device = |error| CommandError::Device {
                message: secrets.hide_about(&instrument, about(&instrument, &error)),
            };
            Ok(Answer::Reply { reply: reply.map_err(device)? })
        }))
    }

    fn reapply(
        &mut self,
        origin: Origin,
        instrument: String,
        author: String,
    ) -> Result<Work, CommandError> {
        let asked = self.handle(&instrument)?.reapply();
        let noting = self.noting();
        Ok(Box::pin(async move {
            let applied = asked.await;
            let secrets = noting.publisher.secrets();
            let mut applied = applied.map_err(|error| {
                let why = secrets.hide_about(&instrument, about(&instrument, &error));
                CommandError::Device { message: format!("Setpoints not applied: {why}") }
            })?;
            applied.failed = applied.failed.map(|why| secrets.hide_about(&instrument, why));
            noting.reapplied(&applied, origin, &author).await?;
            let set = applied.set.into_iter().map(|one| one.parameter).collect();
            let (skipped, failed) = (applied.skipped, applied.failed);
            Ok(Answer::Reapplied(Reapplied { set, skipped, failed }))
        }))
    }

    fn handle(&self, instrument: &str) -> Result<Handle, CommandError> {
        if let Some(handle) = self.components.handle(instrument) {
            return Ok(handle.clone());
        }
        if self.components.link(instrument).is_some() {
            let message = format!("{instrument} is disabled; set enabled = true first");
            return Err(CommandError::Device { message });
        }
        Err(CommandError::NotFound { what: "instrument", name: instrument.to_owned() })
    }
}

impl Noting {
    /// Tells and audits what was set again.
    pub(crate) async fn reapplied(
        &self,
        applied: &setpoint_instruments::Reapplied,
        origin: Origin,
        author: &str,
    ) -> Result<(), CommandError> {
        let id = &applied.instrument;
        let secrets = self.publisher.secrets();
        let mut parts = Vec::new();
        if !applied.set.is_empty() {
            let one = |one: &setpoint_instruments::Written| {
                let name = &one.parameter;
                if let Some(written) = secrets.written(id, name) {
                    return format!("{name} {written}");
                }
                let before = one.before.as_ref().filter(|_| !secrets.holds(id, name));
                let before = before.map(|before| format!("{before} → "));
                format!("{name} {}{}", before.unwrap_or_default(), one.asked)
            };
            let list: Vec<String> = applied.set.iter().map(one).collect();
            parts.push(format!("set {}", list.join(", ")));
        }
        if !applied.skipped.is_empty() {
            let list = applied.skipped.join(", ");
            parts.push(format!("left as they are, because they are hazardous: {list}"));
        }
        let failed = applied.failed.clone();
        parts.extend(failed.map(|why| secrets.hide_about(id, why)));
        if parts.is_empty() {
            parts.push("it holds its setpoints already".to_owned());
        }
        let tone = match (&applied.failed, applied.skipped.is_empty()) {
            (Some(_), _) => Tone::Error,
            (None, false) => Tone::Warning,
            (None, true) => Tone::Good,
        };
        let message = format!("{id}, by {author}: {}", parts.join("; "));
        let path = format!("instruments.{id}");
        let noted =
            self.keeping.audit_note("setpoints_applied", &path, &message, origin, author).await;
        self.publisher.tell(Told {
            origin,
            kind: "setpoints_applied",
            subject: Subject::Instruments,
            tone,
            path,
            message,
            took_ms: None,
        });
        noted
    }
}

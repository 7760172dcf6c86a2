//! The task of one instrument.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    Command, Config, ReconnectRule, SessionError, SetError, SetOutcome, Settings,
    board::{Board, Source, members},
    exchange,
    reapply::{Applying, Listener, Reapplied, Written},
};
use crate::{
    address::Address,
    driver::{Driver, Medium, Param, WireOverrides},
    line::Line,
    link::{Link, LinkError},
    sim::Simulator,
    status::InstrumentStatus,
    transport,
    value::ParamValue,
};

/// First pause before the next attempt; doubles.
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// Longest pause before the next attempt.
const RETRY_LONGEST: Duration = Duration::from_secs(30);
/// A link that held this long was a good one: the next pause is short again.
const HELD: Duration = Duration::from_secs(5);
/// Unanswered questions on connect before the rest is left to polling.
const UNANSWERED: usize = 2;

/// Runs one instrument until it is stopped or nobody holds a handle.
pub(super) async fn run(
    config: Config,
    commands: mpsc::Receiver<Command>,
    settings: watch::Receiver<Settings>,
    mut stopping: watch::Receiver<bool>,
    publish: watch::Sender<Arc<InstrumentStatus>>,
) {
    let mut session = Session::new(config, commands, settings, publish);
    tokio::select! {
        // An error means that all handles are gone, which the session sees for itself.
        Ok(_) = stopping.wait_for(|stop| *stop) => {}
        () = session.live() => {}
    }
}

struct Session {
    id: String,
    driver: Arc<Driver>,
    address: Address,
    wire: WireOverrides,
    board: Board,
    polls: Vec<Poll>,
    /// Who follows what is set by rule.
    reports: Option<mpsc::Sender<Reapplied>>,
    /// Kept over reconnects: it is the device, not the link to it.
    simulator: Option<Simulator>,
    /// Dropped last: that it is closed tells [`super::Handle::stop`] that the link is.
    commands: mpsc::Receiver<Command>,
}

/// A question that is asked again and again.
struct Poll {
    source: Source,
    every: Duration,
    due: Instant,
    /// Times in a row without an answer; each doubles the interval.
    misses: u32,
}

/// Why serving a link ended.
enum End {
    /// It failed; try again.
    Lost(LinkError),
    /// Nobody holds a handle.
    Abandoned,
}

impl Session {
    fn new(
        config: Config,
        commands: mpsc::Receiver<Command>,
        settings: watch::Receiver<Settings>,
        publish: watch::Sender<Arc<InstrumentStatus>>,
    ) -> Self {
        let driver = config.driver.clone();
        let timeout = driver.wire(Medium::Tcp, &config.wire).reply_timeout;
        Self {
            board: Board::new(&config, settings, publish, timeout),
            polls: polls(&driver),
            id: config.id,
            driver,
            address: config.address,
            wire: config.wire,
            reports: config.reports,
            simulator: None,
            commands,
        }
    }

    async fn live(&mut self) {
        let mut pause = RETRY_FIRST;
        loop {
            let reason = match self.connect().await {
                Ok(link) => {
                    let since = Instant::now();
                    let end = self.serve(link).await;
                    if since.elapsed() >= HELD {
                        pause = RETRY_FIRST;
                    }
                    match end {
                        End::Abandoned => return,
                        End::Lost(error) => error.to_string(),
                    }
                }
                Err(reason) => reason,
            };
            tracing::debug!("{}: offline: {reason}", self.id);
            let wait = jittered(pause);
            pause = (pause * 2).min(RETRY_LONGEST);
            self.board.offline(reason.clone(), wait);
            if !self.wait_offline(Instant::now() + wait, &reason).await {
                return;
            }
        }
    }

    /// Refuses requests until it is time to try again; false if nobody holds a handle.
    async fn wait_offline(&mut self, until: Instant, reason: &str) -> bool {
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    None => return false,
                    Some(command) => {
                        let (instrument, reason) = (self.id.clone(), reason.to_owned());
                        command.refuse(SessionError::Offline { instrument, reason });
                    }
                },
                () = sleep_until(until) => return true,
                () = self.board.next_tick() => self.board.tick(),
            }
        }
    }

    /// Opens the link, asks who is there, reads everything once.
    async fn connect(&mut self) -> Result<Link, String> {
        self.board.connecting();
        let address = self.real_address().await?;
        let medium = match address {
            Address::Serial { .. } => Medium::Serial,
            Address::Tcp { .. } | Address::Sim => Medium::Tcp,
        };
        let wire = self.driver.wire(medium, &self.wire);
        let opening = transport::open(&address, &wire.serial);
        let stream = attend(&mut self.board, opening).await.map_err(|error| error.to_string())?;
        let mut link = Link::new(self.id.clone(), self.driver.clone(), Line::new(stream, wire));
        let mut identity = attend(&mut self.board, link.identify()).await;
        if matches!(identity, Err(LinkError::NoAnswer { .. })) {
            // The first question after opening may meet half a line left in the device.
            identity = attend(&mut self.board, link.identify()).await;
        }
        let identity = identity.map_err(|error| error.to_string())?;
        self.read_all(&mut link).await.map_err(|error| error.to_string())?;
        self.board.round_trip(link.round_trip());
        self.board.connected(address.to_string(), identity);
        if self.board.rule() == ReconnectRule::Reapply {
            match self.reapply(&mut link, Listener::Rule(self.reports.clone())).await {
                Err(SetError { cause: SessionError::Link(error), .. }) if error.is_fatal() => {
                    return Err(error.to_string());
                }
                Err(error) => self.board.problem("reapply", Some(error.to_string())),
                Ok(()) => {}
            }
        }
        Ok(link)
    }

    /// Where the link goes: for a simulated instrument to its own simulator.
    async fn real_address(&mut self) -> Result<Address, String> {
        if self.address != Address::Sim {
            return Ok(self.address.clone());
        }
        if let Some(simulator) = &self.simulator {
            return Ok(simulator.address.clone());
        }
        let started = Simulator::start_with(self.driver.clone(), &self.wire).await;
        let simulator = started
            .map_err(|error| format!("{}: the simulator cannot be started: {error}", self.id))?;
        let address = simulator.address.clone();
        self.simulator = Some(simulator);
        Ok(address)
    }

    async fn read_all(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let now = Instant::now();
        let mut unanswered = 0;
        for index in 0..self.polls.len() {
            self.polls[index].misses = 0;
            self.polls[index].due = now;
            if unanswered >= UNANSWERED {
                continue;
            }
            if let Err(error) = self.poll(link, index).await {
                if error.is_fatal() {
                    return Err(error);
                }
                unanswered += usize::from(matches!(error, LinkError::NoAnswer { .. }));
            }
        }
        Ok(())
    }

    /// Carries requests out and polls, until the link fails.
    async fn serve(&mut self, mut link: Link) -> End {
        loop {
            self.board.tick();
            let next = self.polls.iter().enumerate().min_by_key(|(_, poll)| poll.due);
            let next = next.map(|(index, poll)| (index, poll.due));
            let due = async {
                match next {
                    Some((index, due)) => {
                        sleep_until(due).await;
                        index
                    }
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    None => return End::Abandoned,
                    Some(command) => self.carry_out(&mut link, command).await,
                },
                index = due => self.poll(&mut link, index).await,
                () = self.board.next_tick() => Ok(()),
            };
            self.board.round_trip(link.round_trip());
            if let Err(error) = done
                && error.is_fatal()
            {
                return End::Lost(error);
            }
        }
    }

    async fn poll(&mut self, link: &mut Link, index: usize) -> Result<(), LinkError> {
        let poll = &mut self.polls[index];
        let question = match &poll.source {
            Source::Param(name) => self.driver.params.get(name).and_then(|p| p.get.as_ref()),
            Source::Group(name) => self.driver.groups.get(name).map(|group| &group.question),
        };
        let Some(question) = question else { return Ok(()) };
        let answer = attend(&mut self.board, link.ask(question)).await;
        // From the time it was due, so that the pace is kept; from now if it cannot be.
        let misses = if answer.is_err() { (poll.misses + 1).min(8) } else { 0 };
        poll.misses = misses;
        let every = (poll.every * 2u32.pow(misses)).min(RETRY_LONGEST.max(poll.every));
        let now = Instant::now();
        poll.due = if poll.due + every > now { poll.due + every } else { now + every / 2 };
        let source = poll.source.clone();
        let key = format!("poll {}", source.name());
        match answer {
            Ok(fields) => {
                let invalid = self.board.record(&source, &fields);
                let odd = members(&self.driver, &source).find(|(param, field)| {
                    let listed = |arg: &crate::template::Arg| {
                        param.invalid.iter().any(|word| word == arg.to_string().trim())
                    };
                    invalid.contains(&param.name) && !fields.get(*field).is_some_and(listed)
                });
                if odd.is_some() {
                    link.doubt();
                }
                let told = odd.map(|(param, field)| {
                    let reply = fields.get(field).map(ToString::to_string).unwrap_or_default();
                    format!("{}: the device answered “{reply}”, which is not a value", param.name)
                });
                self.board.problem(&key, told);
                Ok(())
            }
            Err(error) => {
                self.board.problem(&key, Some(error.to_string()));
                Err(error)
            }
        }
    }

    /// Gives the answer itself; what comes back is for the link.
    async fn carry_out(&mut self, link: &mut Link, command: Command) -> Result<(), LinkError> {
        // Nobody waits any more: a value must not be set behind the back of who gave up.
        if command.is_abandoned() {
            return Ok(());
        }
        match command {
            Command::Set { parameter, value, answer } => {
                let done = self.set(link, &parameter, &value).await;
                if done.is_ok() {
                    self.board.was_set(&parameter, &value);
                }
                let link_error = done.as_ref().err().and_then(|error| link_error(&error.cause));
                let _ = answer.send(done);
                link_error.map_or(Ok(()), Err)
            }
            Command::Read { parameter, answer } => {
                let done = self.read(link, &parameter).await;
                let link_error = done.as_ref().err().and_then(link_error);
                let _ = answer.send(done);
                link_error.map_or(Ok(()), Err)
            }
            Command::Query { line, answer } => {
                let query = exchange::query(link, &self.driver, &line);
                let done = attend(&mut self.board, query).await;
                let _ = answer.send(done.clone().map_err(SessionError::from));
                // It may have changed anything: look at everything soon.
                let now = Instant::now();
                self.polls.iter_mut().for_each(|poll| poll.due = now);
                done.map(|_| ())
            }
            Command::Reapply { answer } => {
                let done = self.reapply(link, Listener::Asker(answer)).await;
                let link_error = done.err().and_then(|error| link_error(&error.cause));
                link_error.map_or(Ok(()), Err)
            }
        }
    }

    fn param(&self, name: &str) -> Result<Param, SessionError> {
        self.driver.params.get(name).cloned().ok_or_else(|| SessionError::UnknownParameter {
            instrument: self.id.clone(),
            parameter: name.to_owned(),
        })
    }

    async fn read(&mut self, link: &mut Link, name: &str) -> Result<ParamValue, SessionError> {
        let param = self.param(name)?;
        let mut seen = Vec::new();
        let reading = exchange::read(link, &self.driver, &param, &mut seen);
        let done = attend(&mut self.board, reading).await;
        for (source, fields) in seen {
            self.board.record(&source, &fields);
        }
        done
    }

    async fn set(
        &mut self,
        link: &mut Link,
        name: &str,
        value: &ParamValue,
    ) -> Result<SetOutcome, SetError> {
        let unsent = |cause: SessionError| SetError::unsent(name, cause);
        let param = self.param(name).map_err(unsent)?;
        if !param.settable() {
            return Err(unsent(SessionError::NotSettable { parameter: name.to_owned() }));
        }
        // Not the bench file's limits: what was read back outside of them can be put back.
        let value = param.accept(value, param.range).map_err(|error| unsent(error.into()))?;
        let mut seen = Vec::new();
        let setting = exchange::set(link, &self.driver, &param, &value, &mut seen);
        let done = attend(&mut self.board, setting).await;
        for (source, fields) in seen {
            self.board.record(&source, &fields);
        }
        if done.is_ok() {
            self.board.problem("reapply", None);
        }
        done
    }

    /// Sets what differs, in order; stops at the first that cannot be set. The listener is told of
    /// everything, what comes back is for the link and the status.
    async fn reapply(&mut self, link: &mut Link, listener: Listener) -> Result<(), SetError> {
        let asked_for = matches!(listener, Listener::Asker(_));
        let differing = self.board.differing(asked_for);
        let mut applying = Applying::new(&self.id, differing.skipped, listener);
        for (parameter, asked) in differing.set {
            applying.begins(&parameter);
            let outcome = self.set(link, &parameter, &asked).await;
            let SetOutcome { before, readback } =
                outcome.inspect_err(|error| applying.failed(error))?;
            applying.wrote(Written { parameter, before, asked, readback });
        }
        self.board.problem("reapply", None);
        Ok(())
    }
}

impl Command {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Set { answer, .. } => answer.is_closed(),
            Self::Read { answer, .. } => answer.is_closed(),
            Self::Query { answer, .. } => answer.is_closed(),
            Self::Reapply { answer } => answer.is_closed(),
        }
    }

    fn refuse(self, why: SessionError) {
        match self {
            Self::Set { parameter, answer, .. } => {
                let _ = answer.send(Err(SetError::unsent(&parameter, why)));
            }
            Self::Read { answer, .. } => drop(answer.send(Err(why))),
            Self::Query { answer, .. } => drop(answer.send(Err(why))),
            Self::Reapply { answer } => drop(answer.send(Err(why))),
        }
    }
}

fn link_error(error: &SessionError) -> Option<LinkError> {
    match error {
        SessionError::Link(error) => Some(error.clone()),
        _ => None,
    }
}

/// Does the work while the status is kept up to date.
async fn attend<F: Future>(board: &mut Board, work: F) -> F::Output {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = board.next_tick() => board.tick(),
        }
    }
}

/// One poll for each question, those of `on_connect` first.
fn polls(driver: &Driver) -> Vec<Poll> {
    let now = Instant::now();
    let mut polls: Vec<Poll> = Vec::new();
    let first = driver.on_connect.iter().filter_map(|name| driver.params.get(name));
    for param in first.chain(driver.params.values()) {
        let Some(source) = Source::of(param) else { continue };
        if polls.iter().any(|poll| poll.source == source) {
            continue;
        }
        let every = match &source {
            Source::Param(_) => param.poll,
            Source::Group(name) => driver.groups.get(name).map_or(param.poll, |group| group.poll),
        };
        polls.push(Poll { source, every, due: now, misses: 0 });
    }
    polls
}

/// Give or take a fifth, so that many instruments do not knock in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    #[allow(clippy::cast_precision_loss, reason = "53 random bits")]
    let share = (random >> 11) as f64 / (1u64 << 53) as f64;
    pause.mul_f64(0.8 + 0.4 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_fifth_and_varies() {
        let pauses: Vec<Duration> = (0..50).map(|_| jittered(Duration::from_secs(10))).collect();
        assert!(pauses.iter().all(|p| (8.0..=12.0).contains(&p.as_secs_f64())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn one_question_a_group() {
        let driver = crate::library::Library::bundled().get("rigol_dp832").unwrap();
        let polls = polls(&driver);
        let meas = Source::Group("ch1.meas".to_owned());
        let found: Vec<&Poll> = polls.iter().filter(|poll| poll.source == meas).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].every, Duration::from_millis(500));
    }
}

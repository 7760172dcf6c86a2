//! What an instrument says of itself, kept up to date and published.

use std::{collections::HashMap, sync::Arc, time::Duration};

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Config, ReconnectRule, Settings};
use crate::{
    driver::{Driver, Param},
    status::{InstrumentStatus, LinkState, ParameterStatus, Quality},
    template::Fields,
    value::ParamValue,
};

/// Least time between two publications: 30 a second.
const PUBLISH: Duration = Duration::from_millis(33);
/// How often ages are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// No readback is stale sooner.
const FRESH: Duration = Duration::from_secs(3);
/// Readbacks kept for the trend.
const TREND: SignedDuration = SignedDuration::from_secs(60);
/// Least time between two of them: 2 a second, and some play for a poll that comes early.
const TREND_STEP: SignedDuration = SignedDuration::from_millis(480);

/// The question that a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// Its own.
    Param(String),
    /// One for several.
    Group(String),
}

impl Source {
    pub(super) fn of(param: &Param) -> Option<Self> {
        match (&param.get, &param.from) {
            (Some(_), _) => Some(Self::Param(param.name.clone())),
            (None, Some((group, _))) => Some(Self::Group(group.clone())),
            (None, None) => None,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Param(name) | Self::Group(name) => name,
        }
    }
}

/// A status with nothing read yet.
pub(super) fn blank(config: &Config) -> InstrumentStatus {
    let parameter = |param: &Param| {
        let status = ParameterStatus {
            name: param.name.clone(),
            label: param.label.clone(),
            kind: param.kind.as_str(),
            unit: param.unit.clone(),
            access: param.access(),
            range: narrowed(param, &config.limits),
            choices: param.choices(),
            decimals: param.decimals,
            hazard: param.hazard.clone(),
            setpoint: config.setpoints.get(&param.name).cloned(),
            readback: None,
            at: None,
            quality: Quality::None,
            in_tolerance: None,
            trend: Arc::default(),
        };
        (param.name.clone(), Arc::new(status))
    };
    InstrumentStatus {
        id: config.id.clone(),
        driver: config.driver.id.clone(),
        driver_name: config.driver.name.clone(),
        address: config.address.to_string(),
        link: None,
        state: LinkState::Connecting,
        identity: None,
        round_trip_ms: None,
        error: None,
        retry_at: None,
        parameters: config.driver.params.values().map(parameter).collect(),
    }
}

/// The driver's range and the bench file's limits, whichever is narrower.
fn narrowed(param: &Param, limits: &IndexMap<String, (f64, f64)>) -> Option<(f64, f64)> {
    match (param.range, limits.get(&param.name)) {
        (Some((a, b)), Some((c, d))) => Some((a.max(*c), b.min(*d))),
        (range, limit) => range.or(limit.copied()),
    }
}

/// Setpoints that the device does not hold.
pub(super) struct Differing {
    /// What may be set unasked, in the order in which it is set.
    pub(super) set: Vec<(String, ParamValue)>,
    /// Hazardous ones.
    pub(super) skipped: Vec<String>,
}

pub(super) struct Board {
    driver: Arc<Driver>,
    status: InstrumentStatus,
    settings: Settings,
    incoming: watch::Receiver<Settings>,
    /// What was set on request since those settings came: what they say of it is out of date.
    set: IndexMap<String, ParamValue>,
    publish: watch::Sender<Arc<InstrumentStatus>>,
    /// When each parameter was last read, and how old it may get.
    read: HashMap<String, (Instant, Duration)>,
    reply_timeout: Duration,
    /// What is wrong while connected, by what it concerns; the last one is shown.
    problems: IndexMap<String, String>,
    changed: bool,
    published: Instant,
}

impl Board {
    pub(super) fn new(
        config: &Config,
        incoming: watch::Receiver<Settings>,
        publish: watch::Sender<Arc<InstrumentStatus>>,
        reply_timeout: Duration,
    ) -> Self {
        Self {
            driver: config.driver.clone(),
            status: blank(config),
            settings: Settings::of(config),
            incoming,
            set: IndexMap::new(),
            publish,
            read: HashMap::new(),
            reply_timeout,
            problems: IndexMap::new(),
            changed: true,
            published: Instant::now(),
        }
    }

    pub(super) fn rule(&self) -> ReconnectRule {
        self.settings.on_reconnect
    }

    /// A value was set on request. Until settings come that tell what holds from now on, a device
    /// that comes back gets this one.
    pub(super) fn was_set(&mut self, parameter: &str, value: &ParamValue) {
        self.take_settings();
        self.set.insert(parameter.to_owned(), value.clone());
    }

    /// Setpoints whose readback differs or is not known; those of parameters that cannot be set
    /// are left out. Hazardous ones are skipped, unless `asked_for` and to be switched off.
    pub(super) fn differing(&mut self, asked_for: bool) -> Differing {
        self.take_settings();
        let differs = |(name, asked): (&String, &ParamValue)| {
            let param = self.driver.params.get(name)?;
            if !param.settable() {
                return None;
            }
            let asked = param.accept(asked, None).ok()?;
            let status = self.status.parameters.get(name)?;
            let read = status.readback.as_ref().filter(|_| status.quality == Quality::Good);
            let same = read.is_some_and(|read| param.agrees(&asked, read));
            (!same).then_some((param, asked))
        };
        let mut asked: IndexMap<&String, &ParamValue> = self.settings.setpoints.iter().collect();
        asked.extend(&self.set);
        let found = asked.into_iter().filter_map(differs);
        let (mut set, skipped): (Vec<_>, Vec<_>) = found.partition(|(param, asked)| {
            param.hazard.is_none() || (asked_for && param.is_off(asked))
        });
        set.sort_by_key(|(param, asked)| {
            let goes_off_first = param.off_first && param.is_off(asked);
            (!goes_off_first, param.order)
        });
        Differing {
            set: set.into_iter().map(|(param, asked)| (param.name.clone(), asked)).collect(),
            skipped: skipped.into_iter().map(|(param, _)| param.name.clone()).collect(),
        }
    }

    /// Keeps the values in an answer. Gives the names of those that were not values.
    pub(super) fn record(&mut self, source: &Source, fields: &Fields) -> Vec<String> {
        let driver = self.driver.clone();
        let mut invalid = Vec::new();
        for (param, field) in members(&driver, source) {
            let value = fields.get(field).and_then(|arg| param.from_arg(arg));
            if value.is_none() {
                invalid.push(param.name.clone());
            }
            self.keep(param, value);
        }
        invalid
    }

    fn keep(&mut self, param: &Param, value: Option<ParamValue>) {
        let Some(status) = self.status.parameters.get_mut(&param.name) else { return };
        let status = Arc::make_mut(status);
        let now = Timestamp::now();
        let limit = (param.poll * 3 + self.reply_timeout).max(FRESH);
        self.read.insert(param.name.clone(), (Instant::now(), limit));
        match value {
            Some(value) => {
                if let Some(number) = value.as_f64() {
                    let recent = |(at, _): &(Timestamp, f64)| now.duration_since(*at) < TREND_STEP;
                    if !status.trend.back().is_some_and(recent) {
                        let trend = Arc::make_mut(&mut status.trend);
                        trend.push_back((now, number));
                        while trend.front().is_some_and(|(at, _)| now.duration_since(*at) > TREND) {
                            trend.pop_front();
                        }
                    }
                }
                status.readback = Some(value);
                status.at = Some(now);
                status.quality = Quality::Good;
            }
            None => status.quality = Quality::Invalid,
        }
        judge(param, status, self.settings.on_reconnect);
        self.changed = true;
    }

    /// Notes what is wrong with one thing, or that nothing is any more.
    pub(super) fn problem(&mut self, of: &str, message: Option<String>) {
        match message {
            Some(message) => {
                self.problems.shift_remove(of);
                self.problems.insert(of.to_owned(), message);
            }
            None if self.problems.shift_remove(of).is_some() => {}
            None => return,
        }
        if self.status.state == LinkState::Connected {
            self.status.error = self.problems.last().map(|(_, message)| message.clone());
        }
        self.changed = true;
    }

    pub(super) fn round_trip(&mut self, time: Option<Duration>) {
        self.status.round_trip_ms = time.map(|time| time.as_secs_f64() * 1e3);
    }

    pub(super) fn connecting(&mut self) {
        self.status.state = LinkState::Connecting;
        self.status.retry_at = None;
        self.publish_now();
    }

    pub(super) fn connected(&mut self, link: String, identity: Option<String>) {
        self.status.state = LinkState::Connected;
        self.status.link = Some(link);
        self.status.identity = identity;
        self.status.error = self.problems.last().map(|(_, message)| message.clone());
        self.publish_now();
    }

    pub(super) fn offline(&mut self, reason: String, retry_in: Duration) {
        let wait = SignedDuration::try_from(retry_in).unwrap_or(SignedDuration::ZERO);
        self.status.state = LinkState::Offline;
        self.status.link = None;
        self.status.round_trip_ms = None;
        self.status.error = Some(reason);
        self.status.retry_at = Timestamp::now().checked_add(wait).ok();
        self.problems.clear();
        self.age();
        self.publish_now();
    }

    /// What came in and what has grown old; publishes if it is time.
    pub(super) fn tick(&mut self) {
        self.take_settings();
        self.age();
        if self.changed && self.published.elapsed() >= PUBLISH {
            self.publish_now();
        }
    }

    /// Waits until there is something for [`Board::tick`].
    pub(super) async fn next_tick(&mut self) {
        let until = if self.changed { self.published + PUBLISH } else { Instant::now() + LOOK };
        tokio::select! {
            Ok(()) = self.incoming.changed() => self.incoming.mark_changed(),
            () = sleep_until(until) => {}
        }
    }

    fn take_settings(&mut self) {
        if !self.incoming.has_changed().unwrap_or(false) {
            return;
        }
        self.settings = self.incoming.borrow_and_update().clone();
        self.set.clear();
        for (name, status) in &mut self.status.parameters {
            let Some(param) = self.driver.params.get(name) else { continue };
            let status = Arc::make_mut(status);
            status.range = narrowed(param, &self.settings.limits);
            status.setpoint = self.settings.setpoints.get(name).cloned();
            judge(param, status, self.settings.on_reconnect);
        }
        self.changed = true;
    }

    fn age(&mut self) {
        let gone = self.status.state == LinkState::Offline;
        for (name, status) in &mut self.status.parameters {
            let old = |(at, limit): &(Instant, Duration)| at.elapsed() > *limit;
            if status.quality == Quality::Good && (gone || self.read.get(name).is_none_or(old)) {
                let status = Arc::make_mut(status);
                status.quality = Quality::Stale;
                status.in_tolerance = None;
                self.changed = true;
            }
        }
    }

    fn publish_now(&mut self) {
        self.publish.send_replace(Arc::new(self.status.clone()));
        self.changed = false;
        self.published = Instant::now();
    }
}

/// The parameters that a question answers, and their fields.
pub(super) fn members<'a>(
    driver: &'a Driver,
    source: &'a Source,
) -> impl Iterator<Item = (&'a Param, &'a str)> {
    driver.params.values().filter_map(move |param| match (source, &param.from) {
        (Source::Param(name), _) => (param.name == *name).then_some((param, "value")),
        (Source::Group(group), Some((of, field))) => {
            (of == group && param.get.is_none()).then_some((param, field.as_str()))
        }
        (Source::Group(_), None) => None,
    })
}

/// Whether a readback is what was asked for. Where the bench file says to ignore differences they
/// are not remarked on, agreement is.
fn judge(param: &Param, status: &mut ParameterStatus, rule: ReconnectRule) {
    let asked = status.setpoint.as_ref().and_then(|asked| param.accept(asked, None).ok());
    let read = status.readback.as_ref().filter(|_| status.quality == Quality::Good);
    let agrees = asked.zip(read).map(|(asked, read)| param.agrees(&asked, read));
    status.in_tolerance = agrees.filter(|agrees| *agrees || rule != ReconnectRule::Ignore);
}

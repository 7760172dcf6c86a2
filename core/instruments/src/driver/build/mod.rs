//! From the keys of a driver file to a [`Driver`]: channels expanded, references followed.

use std::{ops::Range, time::Duration};

use indexmap::IndexMap;
use toml::Spanned;

use super::{
    Driver, DriverError, Ends, Errors, Identity, Param, Question, SerialLine, SimErrors, Vector,
    Wire, WireFile, file,
};
use crate::{duration, expression::Expression, template::Template, value::ParamValue};

mod findings;
mod params;

use findings::Findings;

/// How often a parameter is read whose file does not say.
const POLL: Duration = Duration::from_secs(1);
/// Time between two steps of a ramp where the file does not say.
const RAMP_TICK: Duration = Duration::from_millis(100);
/// How long a readback may take to agree where the file does not say.
const WITHIN: Duration = Duration::from_secs(1);
/// How long a reply may take where the file does not say.
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn driver(file_name: &str, text: &str) -> Result<Driver, DriverError> {
    let mut findings = Findings::new(file_name, text);
    let file: file::File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            findings.add(error.span().unwrap_or(0..0), error.message().trim().to_owned());
            return Err(findings.into_error());
        }
    };
    let driver = Builder { findings: &mut findings, channels: IndexMap::new() }.driver(file);
    if findings.found.is_empty() { Ok(driver) } else { Err(findings.into_error()) }
}

/// One member of a channel: its name in parameters, what goes over the wire, its place from 1.
#[derive(Debug, Clone)]
struct Member {
    key: String,
    name: String,
    wire: String,
    index: usize,
}

/// The channel a parameter belongs to, and its member; none for one without a channel.
#[derive(Clone, Copy)]
struct Scope<'a> {
    channel: &'a str,
    member: Option<&'a Member>,
}

impl Scope<'_> {
    fn bind(&self, template: &Template) -> Template {
        match self.member {
            Some(member) => template.bind(self.channel, &member.wire),
            None => template.clone(),
        }
    }

    /// `ch.voltage` as `ch1.voltage`; other names stay, `{index}` filled in.
    fn rename(&self, name: &str) -> String {
        let Some(member) = self.member else { return name.to_owned() };
        match name.split_once('.') {
            Some((channel, rest)) if channel == self.channel => format!("{}.{rest}", member.name),
            _ => name.replace("{index}", &member.index.to_string()),
        }
    }
}

struct Builder<'a, 'b> {
    findings: &'a mut Findings<'b>,
    channels: IndexMap<String, Vec<Member>>,
}

impl Builder<'_, '_> {
    fn driver(mut self, file: file::File) -> Driver {
        if *file.schema.get_ref() != 1 {
            self.findings.add(file.schema.span(), "this version reads schema = 1");
        }
        let id = file.driver.id;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if id.get_ref().is_empty() || !id.get_ref().chars().all(plain) {
            let message = "id must be lower-case letters, digits and _, such as rigol_dp832";
            self.findings.add(id.span(), message);
        }
        for (name, channel) in file.channels {
            let members = self.members(&name, channel);
            self.channels.insert(name.into_inner(), members);
        }
        let wire = self.wire(file.wire);
        let identity = file.identity.and_then(|raw| self.identity(raw));
        let errors = file.errors.and_then(|raw| self.errors(raw));
        let groups = self.groups(&file.groups);
        let params = self.params(&file.params, &groups);
        let mut driver = Driver {
            name: file.driver.name.unwrap_or_else(|| id.get_ref().clone()),
            id: id.into_inner(),
            models: file.driver.models,
            sources: file.driver.sources,
            verified: file.driver.verified,
            file: self.findings.file.to_owned(),
            wire,
            identity,
            errors,
            params,
            groups,
            on_connect: Vec::new(),
            safe_state: Vec::new(),
            vectors: Vec::new(),
        };
        if driver.params.values().any(|param| param.ramp.is_some()) {
            tracing::warn!("{}: ramp is kept, but values are set in one step", driver.file);
        }
        self.check_simulations(&driver, &file.params);
        for line in file.lifecycle.on_connect {
            let name = line.get_ref().strip_prefix("read ").unwrap_or_default().trim();
            if driver.params.get(name).is_some_and(Param::readable) {
                driver.on_connect.push(name.to_owned());
            } else {
                let message = "write “read NAME” with a parameter that can be read";
                self.findings.add(line.span(), message);
            }
        }
        for line in file.lifecycle.safe_state {
            match safe(&driver, line.get_ref()) {
                Some(step) => driver.safe_state.push(step),
                None => self.findings.add(
                    line.span(),
                    "write “NAME = VALUE” with a parameter that can be set and a value it takes",
                ),
            }
        }
        for vector in file.vectors {
            let span = vector.span();
            let vector = self.vector(&driver, vector.into_inner(), span);
            driver.vectors.extend(vector);
        }
        driver
    }

    fn members(&mut self, name: &Spanned<String>, channel: file::Channel) -> Vec<Member> {
        let listed: Vec<(String, String, String)> = match (channel.ids, channel.names) {
            (Some(ids), None) => ids
                .get_ref()
                .iter()
                .map(|id| (id.text(), format!("{}{}", name.get_ref(), id.text()), id.text()))
                .collect(),
            (None, Some(names)) => names
                .get_ref()
                .iter()
                .map(|(name, wire)| (name.clone(), name.clone(), wire.text()))
                .collect(),
            _ => {
                let message = "a channel has either ids = [1, 2] or names = { a = \"A\" }";
                self.findings.add(name.span(), message);
                return Vec::new();
            }
        };
        let member = |(index, (key, name, wire))| Member { key, name, wire, index: index + 1 };
        listed.into_iter().enumerate().map(member).collect()
    }

    fn wire(&mut self, raw: file::Wire) -> WireFile {
        let mut serial_line = SerialLine::default();
        let mut serial_ends = None;
        if let Some(serial) = raw.serial {
            serial_line.baud = serial.baud.map_or(serial_line.baud, Spanned::into_inner);
            serial_line.parity = serial.parity;
            serial_line.flow = serial.flow;
            if let Some(bits) = serial.bits {
                serial_line.bits = *bits.get_ref();
                if !(5..=8).contains(bits.get_ref()) {
                    self.findings.add(bits.span(), "bits must be 5 to 8");
                }
            }
            if let Some(stop) = serial.stop {
                serial_line.stop = *stop.get_ref();
                if !(1..=2).contains(stop.get_ref()) {
                    self.findings.add(stop.span(), "stop must be 1 or 2");
                }
            }
            serial_ends = Some(Ends { tx_end: serial.tx_end, rx_end: serial.rx_end });
        }
        let rx_end = raw.rx_end.map_or_else(
            || "\n".to_owned(),
            |end| {
                if end.get_ref().is_empty() {
                    self.findings.add(end.span(), "rx_end must not be empty");
                }
                end.into_inner()
            },
        );
        WireFile {
            common: Wire {
                tx_end: raw.tx_end.unwrap_or_else(|| "\n".to_owned()),
                rx_end,
                rx_strip: raw.rx_strip.unwrap_or_default(),
                skip_blank: raw.skip_blank,
                drain_before: raw.drain_before,
                reply_timeout: self.duration(raw.reply_timeout.as_ref(), REPLY_TIMEOUT),
                gap: self.duration(raw.gap.as_ref(), Duration::ZERO),
                serial: serial_line,
            },
            tcp_port: raw.tcp.as_ref().and_then(|tcp| tcp.port),
            tcp: raw.tcp.map(|tcp| Ends { tx_end: tcp.tx_end, rx_end: tcp.rx_end }),
            serial: serial_ends,
        }
    }

    fn duration(&mut self, text: Option<&Spanned<String>>, otherwise: Duration) -> Duration {
        text.and_then(|text| self.findings.take(text.span(), duration::parse(text.get_ref())))
            .unwrap_or(otherwise)
    }

    /// A template, to be read from if `readable`.
    fn template(&mut self, text: &Spanned<String>, readable: bool) -> Option<Template> {
        let template = Template::new(text.get_ref()).and_then(|template| {
            if readable { template.check_readable() } else { Ok(()) }.map(|()| template)
        });
        self.findings.take(text.span(), template)
    }

    /// A line without holes, channel filled in.
    fn line(&mut self, text: &Spanned<String>, scope: Scope<'_>) -> Option<String> {
        let template = scope.bind(&self.template(text, false)?);
        match template.names().next() {
            Some(name) => {
                let message = format!("{{{name}}} is not known here");
                self.findings.add(text.span(), message);
                None
            }
            None => self.findings.take(text.span(), template.format(&|_| None)),
        }
    }

    fn question(
        &mut self,
        send: &Spanned<String>,
        expect: &Spanned<String>,
        scope: Scope<'_>,
    ) -> Option<Question> {
        let send = self.line(send, scope);
        let expect = self.template(expect, true);
        Some(Question { send: send?, expect: scope.bind(&expect?) })
    }

    fn identity(&mut self, raw: file::Identity) -> Option<Identity> {
        let question = self.question(&raw.send, &raw.expect, NOWHERE)?;
        let sim_reply = raw.sim.and_then(|sim| {
            let line = self.line(&sim.reply, NOWHERE)?;
            self.findings.take(sim.reply.span(), question.expect.parse(&line))?;
            Some(line)
        });
        Some(Identity { question, sim_reply })
    }

    fn errors(&mut self, raw: file::Errors) -> Option<Errors> {
        let question = self.question(&raw.send, &raw.expect, NOWHERE)?;
        let fail = self.findings.take(raw.fail.span(), Expression::parse(raw.fail.get_ref()))?;
        if let Some(unknown) =
            fail.names().find(|name| !question.expect.names().any(|known| known == *name))
        {
            let message = format!("“{unknown}” is not a field of expect");
            self.findings.add(raw.fail.span(), message);
        }
        let mut meaning = IndexMap::new();
        for (code, text) in raw.meaning {
            let number = code.get_ref().parse().map_err(|_| "a code is a whole number");
            if let Some(number) = self.findings.take(code.span(), number) {
                meaning.insert(number, text);
            }
        }
        let sim = raw.sim.map(|sim| {
            for reply in [&sim.none, &sim.unknown, &sim.range] {
                self.findings.take(reply.span(), question.expect.parse(reply.get_ref()));
            }
            SimErrors {
                none: sim.none.into_inner(),
                unknown: sim.unknown.into_inner(),
                range: sim.range.into_inner(),
                accumulate: sim.accumulate,
            }
        });
        Some(Errors {
            question,
            fail,
            drain: raw.drain.unwrap_or(1).max(1),
            after_set: raw.when == file::When::AfterSet,
            meaning,
            sim,
        })
    }

    fn value(
        &mut self,
        param: &Param,
        scalar: &file::Scalar,
        span: Range<usize>,
    ) -> Option<ParamValue> {
        self.findings.take(span, param.accept(&plain(scalar), None))
    }

    fn vector(&mut self, driver: &Driver, raw: file::Vector, span: Range<usize>) -> Option<Vector> {
        let Some(param) = driver.params.get(&raw.param) else {
            let message = format!("there is no parameter “{}”", raw.param);
            self.findings.add(span, message);
            return None;
        };
        let sets = raw.value.is_some() && raw.sends.is_some();
        let reads = raw.reply.is_some() && raw.reads.is_some();
        let halves = raw.value.is_some() != raw.sends.is_some()
            || raw.reply.is_some() != raw.reads.is_some();
        if halves || !(sets || reads || raw.asks.is_some()) {
            self.findings.add(span, "a vector has value and sends, or reply and reads");
            return None;
        }
        let value = raw.value.and_then(|value| self.value(param, &value, span.clone()));
        let reads = raw.reads.and_then(|value| self.value(param, &value, span));
        let with = raw.with.into_iter().map(|(field, value)| (field, value.text())).collect();
        let (param, sends, asks, reply) = (raw.param, raw.sends, raw.asks, raw.reply);
        Some(Vector { param, value, with, sends, asks, reply, reads })
    }
}

/// What belongs to no channel.
const NOWHERE: Scope<'static> = Scope { channel: "", member: None };

fn plain(scalar: &file::Scalar) -> ParamValue {
    match scalar {
        file::Scalar::Bool(value) => ParamValue::Bool(*value),
        file::Scalar::Int(value) => ParamValue::Int(*value),
        file::Scalar::Float(value) => ParamValue::Float(*value),
        file::Scalar::Text(value) => ParamValue::Text(value.clone()),
    }
}

fn safe(driver: &Driver, line: &str) -> Option<(String, ParamValue)> {
    let (name, value) = line.split_once('=')?;
    let param = driver.params.get(name.trim()).filter(|param| param.settable())?;
    Some((param.name.clone(), param.from_text(value.trim())?))
}

//! From the keys of a driver file to a [`Driver`]: channels expanded, references followed.

use std::{ops::Range, time::Duration};

use indexmap::IndexMap;
use toml::Spanned;

use super::{
    Driver, DriverError, DriverProblem, Ends, Errors, Group, Identity, Kind, Param, Question,
    SerialLine, SimErrors, Simulation, Vector, Verify, Wire, WireFile, file,
};
use crate::{duration, expression::Expression, template::Template, value::ParamValue};

/// How often a parameter is read whose file does not say.
const POLL: Duration = Duration::from_secs(1);
/// How long a readback may take to agree where the file does not say.
const WITHIN: Duration = Duration::from_secs(1);
/// How long a reply may take where the file does not say.
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn driver(file_name: &str, text: &str) -> Result<Driver, DriverError> {
    let mut findings = Findings { file: file_name, text, found: Vec::new() };
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

/// Findings and where they are.
struct Findings<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<(usize, String)>,
}

impl Findings<'_> {
    fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push((span.start, message.into()));
    }

    /// The value, or a finding and nothing.
    fn take<T, E: ToString>(&mut self, span: Range<usize>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(span, error.to_string())).ok()
    }

    fn into_error(mut self) -> DriverError {
        self.found.sort();
        let place = |start: usize| {
            let before = self.text.get(..start).unwrap_or(self.text);
            let line = before.rsplit('\n').next().unwrap_or_default();
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        };
        let problem = |(start, message): &(usize, String)| {
            let (line, column) = place(*start);
            let (file, message) = (self.file.to_owned(), message.clone());
            DriverProblem { file, line, column, message }
        };
        DriverError { problems: self.found.iter().map(problem).collect() }
    }
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
        let sim = raw.sim.and_then(|sim| {
            for reply in [&sim.none, &sim.unknown, &sim.range] {
                self.findings.take(reply.span(), question.expect.parse(reply.get_ref()));
            }
            Some(SimErrors {
                none: sim.none.into_inner(),
                unknown: sim.unknown.into_inner(),
                range: sim.range.into_inner(),
                accumulate: sim.accumulate,
            })
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

    /// The scopes in which a name such as `ch.voltage` or `voltage` exists.
    fn scopes(&self, name: &str) -> (String, Vec<Option<Member>>) {
        let channel = name.split_once('.').map_or("", |(channel, _)| channel);
        match self.channels.get(channel) {
            Some(members) => (channel.to_owned(), members.iter().cloned().map(Some).collect()),
            None => (String::new(), vec![None]),
        }
    }

    fn groups(&mut self, raw: &IndexMap<Spanned<String>, file::Group>) -> IndexMap<String, Group> {
        let mut groups = IndexMap::new();
        for (name, group) in raw {
            let poll = self.duration(group.poll.as_ref(), POLL);
            let (channel, members) = self.scopes(name.get_ref());
            for member in &members {
                let scope = Scope { channel: &channel, member: member.as_ref() };
                let Some(question) = self.question(&group.send, &group.expect, scope) else {
                    break;
                };
                groups.insert(scope.rename(name.get_ref()), Group { question, poll });
            }
        }
        groups
    }

    /// Parameters in file order, but all of a channel's first member before its second.
    fn params(
        &mut self,
        raw: &IndexMap<Spanned<String>, file::Param>,
        groups: &IndexMap<String, Group>,
    ) -> IndexMap<String, Param> {
        let mut params = IndexMap::new();
        let mut expanded: Vec<String> = Vec::new();
        for (name, param) in raw {
            let (channel, members) = self.scopes(name.get_ref());
            if channel.is_empty() {
                let built = self.param(name, param, NOWHERE, groups);
                params.extend(built.map(|built| (built.name.clone(), built)));
                continue;
            }
            if expanded.contains(&channel) {
                continue;
            }
            for member in &members {
                let scope = Scope { channel: &channel, member: member.as_ref() };
                let inside = format!("{channel}.");
                for (name, param) in raw.iter().filter(|(n, _)| n.get_ref().starts_with(&inside)) {
                    // One bad template would be reported once for every member.
                    let before = self.findings.found.len();
                    let built = self.param(name, param, scope, groups);
                    if member.as_ref().is_some_and(|member| member.index > 1) {
                        self.findings.found.truncate(before);
                    }
                    params.extend(built.map(|built| (built.name.clone(), built)));
                }
            }
            expanded.push(channel);
        }
        params
    }

    fn param(
        &mut self,
        name: &Spanned<String>,
        raw: &file::Param,
        scope: Scope<'_>,
        groups: &IndexMap<String, Group>,
    ) -> Option<Param> {
        let get = match &raw.get {
            Some(get) => {
                let value = Spanned::new(get.span(), "{value}".to_owned());
                let expect = raw.expect.as_ref().unwrap_or(&value);
                if !Template::new(expect.get_ref()).is_ok_and(|t| t.names().any(|n| n == "value")) {
                    self.findings.add(expect.span(), "expect must hold {value}");
                }
                Some(self.question(get, expect, scope)?)
            }
            None => {
                if let Some(expect) = &raw.expect {
                    self.findings.add(expect.span(), "expect belongs to get, which is missing");
                }
                None
            }
        };
        let from = raw.from.as_ref().and_then(|from| self.source(from, scope, groups));
        if let (Some(from), Some(_)) = (&raw.from, &raw.get) {
            self.findings.add(from.span(), "a parameter has get or from, not both");
        }
        let siblings = from.as_ref().and_then(|(group, _)| groups.get(group));
        let set = match &raw.set {
            Some(set) => {
                let template = scope.bind(&self.template(set, false)?);
                for field in template.names().filter(|field| *field != "value") {
                    if !siblings.is_some_and(|g| g.question.expect.names().any(|n| n == field)) {
                        let message = format!(
                            "{{{field}}} is neither {{value}}, nor the channel, nor a field of the \
                             parameter's group"
                        );
                        self.findings.add(set.span(), message);
                    }
                }
                Some(template)
            }
            None => None,
        };
        let readable = raw.get.is_some() || raw.from.is_some();
        let access = match (readable, set.is_some()) {
            (true, true) => file::Access::Rw,
            (true, false) => file::Access::R,
            (false, true) => file::Access::W,
            (false, false) => {
                self.findings.add(name.span(), "a parameter needs get, from or set");
                return None;
            }
        };
        if let Some(said) = raw.access.as_ref().filter(|said| *said.get_ref() != access) {
            let message = "access does not fit: r has get or from, w has set, rw has both";
            self.findings.add(said.span(), message);
        }
        if matches!(raw.kind, Kind::Enum) && raw.values.is_empty() {
            self.findings.add(name.span(), "an enum needs values = { off = \"OFF\", on = \"ON\" }");
        }
        let verify = raw.verify.as_ref().map(|verify| Verify {
            tol: verify.tol,
            within: self.duration(verify.within.as_ref(), WITHIN),
        });
        if verify.is_some() && access != file::Access::Rw {
            self.findings.add(name.span(), "verify needs a parameter that can be read and set");
        }
        let decimals = raw.decimals.or_else(|| match set.as_ref()?.form("value")? {
            crate::template::Form::Float { decimals, .. } => decimals,
            _ => None,
        });
        let sim = raw.sim.as_ref().map(|sim| self.simulation(sim, scope)).unwrap_or_default();
        let leaf = name.get_ref().rsplit('.').next().unwrap_or_default();
        let mut param = Param {
            name: scope.rename(name.get_ref()),
            label: raw.label.clone().unwrap_or_else(|| sentence(leaf)),
            kind: raw.kind,
            unit: raw.unit.clone(),
            range: self.range(raw, scope),
            values: raw.values.iter().map(|(word, wire)| (word.clone(), wire.text())).collect(),
            decimals,
            get,
            from,
            set,
            order: raw.order,
            verify,
            off_first: raw.off_first,
            hazard: raw.hazard.clone(),
            poll: self.duration(raw.poll.as_ref(), POLL),
            invalid: raw.invalid.clone(),
            sim,
        };
        if let Some((start, sim)) =
            raw.sim.as_ref().and_then(|sim| Some((sim.get_ref().start.as_ref()?, sim)))
        {
            param.sim.start = self.value(&param, start, sim.span());
        }
        Some(param)
    }

    /// `ch.meas.volts` as the name of a group and a field of it.
    fn source(
        &mut self,
        from: &Spanned<String>,
        scope: Scope<'_>,
        groups: &IndexMap<String, Group>,
    ) -> Option<(String, String)> {
        let found = from.get_ref().rsplit_once('.').and_then(|(group, field)| {
            let group = scope.rename(group);
            let known = groups.get(&group)?.question.expect.names().any(|name| name == field);
            known.then(|| (group, field.to_owned()))
        });
        if found.is_none() {
            let message = format!("“{}” is not a group and a field of it", from.get_ref());
            self.findings.add(from.span(), message);
        }
        found
    }

    fn range(&mut self, raw: &file::Param, scope: Scope<'_>) -> Option<(f64, f64)> {
        for key in raw.range_for.keys() {
            let members = self.channels.get(scope.channel);
            let known = |members: &Vec<Member>| members.iter().any(|m| m.key == *key.get_ref());
            if !members.is_some_and(known) {
                let message = format!("the channel has no “{}”", key.get_ref());
                self.findings.add(key.span(), message);
            }
        }
        let own = scope.member.and_then(|member| raw.range_for.get(member.key.as_str())).copied();
        let [least, greatest] = own.or(raw.range.as_ref().map(|range| *range.get_ref()))?;
        if least.is_nan() || greatest.is_nan() || least > greatest {
            let span = raw.range.as_ref().map_or(0..0, Spanned::span);
            self.findings.add(span, "a range is [least, greatest]");
        }
        Some((least, greatest))
    }

    fn simulation(&mut self, raw: &Spanned<file::Sim>, scope: Scope<'_>) -> Simulation {
        let (span, raw) = (raw.span(), raw.get_ref());
        let when = raw.when.as_ref().and_then(|text| {
            let parsed = self.findings.take(span.clone(), Expression::parse(text))?;
            Some(parsed.renamed(|name| scope.rename(name)))
        });
        let lag = raw.lag.as_ref();
        let lag = lag.and_then(|text| self.findings.take(span.clone(), duration::parse(text)));
        let reply = raw.reply.as_ref();
        let reply = reply.and_then(|text| self.findings.take(span.clone(), Template::new(text)));
        Simulation {
            start: None,
            follows: raw.follows.iter().map(|name| scope.rename(name)).collect(),
            when,
            offset: raw.offset.unwrap_or(0.0),
            scale: raw.scale.unwrap_or(1.0),
            at_least: raw.at_least,
            at_most: raw.at_most.as_ref().map(|name| scope.rename(name)),
            noise: raw.noise.unwrap_or(0.0),
            lag,
            reply: reply.map(|reply| scope.bind(&reply)),
        }
    }

    /// Names in `sim` keys must exist: a misspelt one would make a device that never moves.
    fn check_simulations(&mut self, driver: &Driver, raw: &IndexMap<Spanned<String>, file::Param>) {
        let mut told = Vec::new();
        for param in driver.params.values() {
            let sim = &param.sim;
            let names = sim.follows.iter().map(String::as_str);
            let names = names.chain(sim.when.iter().flat_map(Expression::names));
            for name in names.chain(sim.at_most.as_deref()) {
                if driver.params.contains_key(name) || told.contains(&name) {
                    continue;
                }
                told.push(name);
                let leaf = param.name.rsplit('.').next().unwrap_or_default();
                let of = raw.iter().find(|(raw, _)| raw.get_ref().ends_with(leaf));
                let span = of.map_or(0..0, |(name, _)| name.span());
                self.findings.add(span, format!("sim: there is no parameter “{name}”"));
            }
        }
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

/// `current_limit` as `Current limit`.
fn sentence(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|c| if c == '_' { ' ' } else { c })).collect()
}

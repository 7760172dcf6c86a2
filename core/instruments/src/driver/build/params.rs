//! Groups and parameters, channel by channel.

use indexmap::IndexMap;
use toml::Spanned;

use super::{Builder, Member, NOWHERE, POLL, RAMP_TICK, Scope, WITHIN};
use crate::{
    driver::{Driver, Group, Kind, Param, Ramp, Simulation, Verify, file},
    duration,
    expression::Expression,
    template::{Form, Template},
};

impl Builder<'_, '_> {
    /// The scopes in which a name such as `ch.voltage` or `voltage` exists.
    fn scopes(&self, name: &str) -> (String, Vec<Option<Member>>) {
        let channel = name.split_once('.').map_or("", |(channel, _)| channel);
        match self.channels.get(channel) {
            Some(members) => (channel.to_owned(), members.iter().cloned().map(Some).collect()),
            None => (String::new(), vec![None]),
        }
    }

    pub(super) fn groups(
        &mut self,
        raw: &IndexMap<Spanned<String>, file::Group>,
    ) -> IndexMap<String, Group> {
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
    pub(super) fn params(
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
        let ramp = raw.ramp.as_ref().map(|ramp| Ramp {
            per_second: ramp.max_rate
                / match ramp.per {
                    file::Per::S => 1.0,
                    file::Per::Min => 60.0,
                    file::Per::H => 3600.0,
                },
            tick: self.duration(ramp.tick.as_ref(), RAMP_TICK),
        });
        if ramp.is_some_and(|ramp| !ramp.per_second.is_finite() || ramp.per_second <= 0.0) {
            self.findings.add(name.span(), "ramp: max_rate must be above 0");
        }
        let decimals = raw.decimals.or_else(|| match set.as_ref()?.form("value")? {
            Form::Float { decimals, .. } => decimals,
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
            ramp,
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
    pub(super) fn check_simulations(
        &mut self,
        driver: &Driver,
        raw: &IndexMap<Spanned<String>, file::Param>,
    ) {
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
}

/// `current_limit` as `Current limit`.
fn sentence(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|c| if c == '_' { ' ' } else { c })).collect()
}

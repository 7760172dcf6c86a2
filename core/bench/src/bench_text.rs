//! A bench file that is read again and again while it changes.

use std::{
    num::NonZero,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use smol_str::SmolStr;

use crate::{
    catalogue::Catalogue,
    check::{self, Built, Checked, Context, Drivers, Facts, Findings, Name, Reading},
    document::{self, Form, Reader},
    edit::{self, Edit, EditError, Options, TextEdit},
    pieces::{Piece, Pieces},
    schema,
    table::Table,
    value::Value,
};

/// A bench file and everything that reading it came to.
///
/// Another text of the same file is read by [`BenchText::again`], which reads and checks only the
/// components that it touches and shares the values and the typed bench of all others. The outcome
/// is the same as that of [`check::read`]; [`BenchText::proven`] tells whether it is.
#[derive(Clone)]
pub struct BenchText {
    file: Arc<str>,
    pieces: Pieces<Part>,
    drivers: Drivers,
    reading: Reading,
    /// Pieces that were read for this text.
    touched: usize,
}

/// What a piece holds.
struct Part {
    /// The keys at its top, each with how it is written.
    top: Box<[(SmolStr, Form, Top)]>,
    /// Without those that have nothing to tell.
    components: Box<[Component]>,
    /// What was found outside of its values.
    beside: Option<Box<Findings>>,
    /// Whether all of it is TOML.
    whole: bool,
}

/// What is in a key at the top of a piece.
enum Top {
    Plain(Value),
    /// The things that a table holds by name, of which other pieces have more.
    Named(Vec<(SmolStr, Value)>),
}

impl Top {
    fn new(name: &str, value: Value) -> Self {
        match value {
            Value::Table(table) if schema::holds_by_name(name) => Self::Named(table.into_entries()),
            value => Self::Plain(value),
        }
    }
}

/// A component and what its check came to. There are ten thousand of them: what few have is apart.
struct Component {
    top: SmolStr,
    id: Option<SmolStr>,
    findings: Option<Box<Findings>>,
    facts: Box<Facts>,
    built: Option<Built>,
}

impl Component {
    /// `None` if there is nothing to tell of it: the table around an instrument, say.
    fn new(name: Name<'_>, checked: Checked) -> Option<Self> {
        let Checked { findings, facts, built } = checked;
        let findings = some(findings);
        if name.id.is_none() && findings.is_none() && built.is_none() && facts == Facts::default() {
            return None;
        }
        Some(Self {
            top: name.top.into(),
            id: name.id.map(SmolStr::new),
            findings,
            facts: Box::new(facts),
            built,
        })
    }

    fn name(&self) -> Name<'_> {
        Name { top: &self.top, id: self.id.as_deref() }
    }
}

/// Findings, if there are any.
fn some(findings: Findings) -> Option<Box<Findings>> {
    (findings != Findings::default()).then(|| Box::new(findings))
}

impl std::fmt::Debug for BenchText {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("BenchText").field("file", &self.file).finish_non_exhaustive()
    }
}

impl BenchText {
    /// Reads and checks a whole text. `file` is the name that findings carry.
    pub fn read(file: &str, text: Arc<str>, catalogue: &dyn Catalogue) -> Self {
        let mut drivers = Drivers::default();
        let mut touched = 0;
        let file: Arc<str> = file.into();
        let pieces = if text.len() > document::LONGEST {
            Pieces::uncut("".into(), &mut |_| vec![Part::unread()])
        } else {
            Pieces::cut(text.clone(), &mut |texts| {
                touched += texts.len();
                parts(texts, catalogue, &mut drivers)
            })
        };
        Self::put_together(file, text, pieces, drivers, touched, catalogue)
    }

    /// Reads another text of the same file, with the same catalogue: what is known of instrument
    /// types must not have changed. After such a change use [`BenchText::read`].
    #[must_use]
    pub fn again(&self, text: Arc<str>, catalogue: &dyn Catalogue) -> Self {
        if text.len() > document::LONGEST || self.pieces.text().is_empty() {
            return Self::read(&self.file, text, catalogue);
        }
        if text == *self.text() {
            return Self { touched: 0, ..self.clone() };
        }
        let mut drivers = self.drivers.clone();
        let mut touched = 0;
        let pieces = self.pieces.again(text.clone(), &mut |texts| {
            touched += texts.len();
            parts(texts, catalogue, &mut drivers)
        });
        Self::put_together(self.file.clone(), text, pieces, drivers, touched, catalogue)
    }

    /// The text with edits in it, read again. Where all edits stay inside one component, its piece
    /// is all that is patched and read.
    ///
    /// # Errors
    /// See [`EditError`]; nothing was changed.
    pub fn edited(&self, edits: &[Edit], catalogue: &dyn Catalogue) -> Result<Self, EditError> {
        let edits: Vec<TextEdit> = edits.iter().cloned().map(TextEdit::Put).collect();
        Ok(self.again(self.patched(&edits, &Options::default())?, catalogue))
    }

    /// The text with edits in it.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn patched(
        &self,
        edits: &[TextEdit],
        options: &Options<'_>,
    ) -> Result<Arc<str>, EditError> {
        let Some(bytes) = self.piece_of(edits) else {
            return Ok(edit::apply_with(self.text(), edits, options)?.into());
        };
        let (before, rest) = self.text().split_at(bytes.start);
        let (piece, after) = rest.split_at(bytes.len());
        let piece = edit::apply_with(piece, edits, options)?;
        Ok([before, &piece, after].concat().into())
    }

    /// The bytes of the piece that all edits stay inside of.
    fn piece_of(&self, edits: &[TextEdit]) -> Option<Range<usize>> {
        let component = edit::touches(edits)?;
        let [top, id] = component.names() else { return None };
        self.reading.values.get(&component)?.as_table()?;
        let holds = |piece: &&Piece<Part>| {
            let mut named = of(piece).filter_map(|one| Some((&one.top, one.id.as_ref()?)));
            named.next().is_some_and(|(a, b)| a == top && b == id) && named.next().is_none()
        };
        self.pieces.list().iter().find(holds).map(Piece::bytes)
    }

    /// What reading it came to.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The same, without the rest.
    pub fn into_reading(self) -> Reading {
        self.reading
    }

    /// The text.
    pub fn text(&self) -> &Arc<str> {
        self.pieces.text()
    }

    /// How many pieces were read for it; the others were shared.
    pub fn touched(&self) -> usize {
        self.touched
    }

    /// Reads the whole text in one go and compares: whether the short way led to the same.
    pub fn proven(&self, catalogue: &dyn Catalogue) -> bool {
        let Reading { bench, values, diagnostics } = &self.reading;
        let whole = check::read(&self.file, self.text(), catalogue);
        (bench, diagnostics) == (&whole.bench, &whole.diagnostics)
            && values.means(&whole.values)
            && in_order(values, &whole.values)
    }

    fn put_together(
        file: Arc<str>,
        text: Arc<str>,
        pieces: Pieces<Part>,
        drivers: Drivers,
        touched: usize,
        catalogue: &dyn Catalogue,
    ) -> Self {
        let sound = pieces.list().iter().all(|piece| piece.inner.made.whole);
        if sound && let Some(reading) = reading(&file, &pieces) {
            return Self { file, pieces, drivers, reading, touched };
        }
        // What is wrong with it, or how its tables belong together, can only be told of the whole.
        let reading = check::read(&file, &text, catalogue);
        let pieces = Pieces::uncut(text, &mut |_| vec![Part::unread()]);
        Self { file, pieces, drivers, reading, touched: touched + 1 }
    }
}

impl Part {
    /// Of a text that was not read in pieces. It is never shared: `whole` is not.
    fn unread() -> Self {
        Self { top: [].into(), components: [].into(), beside: None, whole: false }
    }
}

/// Pieces that one thread reads in one go, so that it is worth to start one.
const STRETCH: usize = 128;

/// Reads and checks pieces, in order. From a few hundred on several threads share the work, each of
/// which looks up what it has to know of instrument types itself.
fn parts(texts: &[&str], catalogue: &dyn Catalogue, drivers: &mut Drivers) -> Vec<Part> {
    let stretches = texts.len().div_ceil(STRETCH);
    let most = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = most.min(stretches / 2);
    if threads < 2 {
        let mut reader = Reader::default();
        return texts.iter().map(|text| part(text, &mut reader, catalogue, drivers)).collect();
    }
    // Whoever is done with a stretch takes the next one, so that nobody waits for a slow thread.
    let next = AtomicUsize::new(0);
    let work = |mut drivers: Drivers| {
        let mut reader = Reader::default();
        let mut done: Vec<(usize, Vec<Part>)> = Vec::new();
        loop {
            let stretch = next.fetch_add(1, Ordering::Relaxed);
            let Some(texts) = texts.chunks(STRETCH).nth(stretch) else { return (done, drivers) };
            let texts = texts.iter();
            let parts = texts.map(|text| part(text, &mut reader, catalogue, &mut drivers));
            done.push((stretch, parts.collect()));
        }
    };
    let mut done: Vec<(usize, Vec<Part>)> = Vec::with_capacity(stretches);
    std::thread::scope(|scope| {
        let start = |known: Drivers| scope.spawn(|| work(known));
        let others: Vec<_> = (1..threads).map(|_| start(drivers.clone())).collect();
        let mine = work(drivers.clone());
        let others = others.into_iter().map(|thread| match thread.join() {
            Ok(theirs) => theirs,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        for (theirs, known) in std::iter::once(mine).chain(others) {
            done.extend(theirs);
            drivers.learn(known);
        }
    });
    done.sort_unstable_by_key(|(stretch, _)| *stretch);
    done.into_iter().flat_map(|(_, parts)| parts).collect()
}

/// Reads and checks one piece.
fn part(text: &str, reader: &mut Reader, catalogue: &dyn Catalogue, drivers: &mut Drivers) -> Part {
    let (values, root, errors) = reader.read(text);
    if !errors.is_empty() {
        return Part::unread();
    }
    let mut context = Context { catalogue, drivers, texts: &|_| text, layered: false };
    let components: Vec<Component> = check::components(&values, &root)
        .filter_map(|(name, value, place)| {
            Component::new(name, check::component(name, value, place, &mut context))
        })
        .collect();
    let beside = if text.is_ascii() { None } else { some(beside(text, &components)) };
    let Value::Table(top) = values else { return Part::unread() };
    let top = top.into_entries().into_iter().zip(&root.parts);
    let top = top.map(|((name, value), place)| {
        let value = Top::new(&name, value);
        (name, place.form, value)
    });
    let top = top.collect();
    Part { top, components: components.into(), beside, whole: true }
}

/// What is wrong outside of values. Values that were told of already are not told of again.
fn beside(text: &str, components: &[Component]) -> Findings {
    let mut all = Findings::default();
    let told = components.iter().filter_map(|one| one.findings.as_ref());
    told.for_each(|findings| all.append_from(findings, 0));
    let told = all.list().len();
    check::hidden_characters(0, text, &mut all);
    let mut beside = Findings::default();
    all.list().iter().skip(told).for_each(|finding| beside.add(finding.clone()));
    beside
}

/// A top-level table that is put together from pieces.
struct Gathering {
    entries: Vec<(SmolStr, Value)>,
    pieces: usize,
    headers: usize,
    /// Whether it is written in a way that other pieces cannot add to.
    closed: bool,
}

/// The values of all pieces together; `None` if pieces do not stand by themselves.
fn values(pieces: &Pieces<Part>) -> Option<Value> {
    enum Whole {
        Plain(Value),
        Named(Gathering),
    }
    let mut tops: IndexMap<&SmolStr, Whole, RandomState> = IndexMap::default();
    for piece in pieces.list() {
        for (name, form, value) in &*piece.inner.made.top {
            let entries = match value {
                Top::Named(entries) => entries,
                Top::Plain(value) => match tops.insert(name, Whole::Plain(value.clone())) {
                    Some(_) => return None,
                    None => continue,
                },
            };
            let top = tops.entry(name).or_insert_with(|| {
                // Nearly all pieces are of one table, as a rule.
                let entries = Vec::with_capacity(pieces.list().len());
                Whole::Named(Gathering { entries, pieces: 0, headers: 0, closed: false })
            });
            let Whole::Named(gathering) = top else { return None };
            gathering.pieces += 1;
            gathering.headers += usize::from(*form == Form::Headed);
            gathering.closed |= !matches!(form, Form::Headed | Form::Implied);
            if gathering.headers > 1 || (gathering.closed && gathering.pieces > 1) {
                return None;
            }
            gathering.entries.extend(entries.iter().cloned());
        }
    }
    let entries = tops.into_iter().map(|(name, top)| {
        let value = match top {
            Whole::Plain(value) => value,
            Whole::Named(gathering) => Value::Table(Table::try_from_entries(gathering.entries)?),
        };
        Some((name.clone(), value))
    });
    Some(Value::Table(Table::from_distinct(entries.collect::<Option<Vec<_>>>()?)))
}

/// Pieces from which on it is worth to start a thread for what is put together from them.
const MANY: usize = 4_000;

/// What all pieces come to together; `None` if they do not stand by themselves.
fn reading(file: &str, pieces: &Pieces<Part>) -> Option<Reading> {
    let text = pieces.text();
    let bench = || {
        let all = pieces.list().iter().flat_map(of);
        check::assemble(file, all.filter_map(|one| Some((one.name(), one.built.as_ref()?))))
    };
    let rest = || {
        let values = values(pieces)?;
        let findings = findings(pieces, &values);
        Some((values, findings))
    };
    let (bench, rest) = if pieces.list().len() < MANY {
        (bench(), rest())
    } else {
        std::thread::scope(|scope| {
            let bench = scope.spawn(bench);
            let rest = rest();
            (bench.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), rest)
        })
    };
    let (values, findings) = rest?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Some(check::empty(file));
    }
    let bench = bench.filter(|_| !findings.any_error());
    let lines = |byte: usize| {
        let after = pieces.list().partition_point(|piece| piece.start as usize <= byte);
        let piece = after.checked_sub(1).and_then(|index| pieces.list().get(index));
        piece.map_or((0, 0), |piece| (piece.start as usize, piece.line))
    };
    let diagnostics = findings.finish_by_lines(file, text, &lines);
    Some(Reading { bench, values, diagnostics })
}

/// The second half of the check, over all components.
fn findings(pieces: &Pieces<Part>, values: &Value) -> Findings {
    let all = || pieces.list().iter().flat_map(|piece| of(piece).map(move |one| (piece, one)));
    let facts = all().map(|(_, one)| (one.name(), &*one.facts));
    let between = check::whole(check::environment(values), facts);
    let mut findings = Findings::default();
    for (piece, one) in all() {
        one.findings.iter().for_each(|found| findings.append_from(found, piece.start));
    }
    if between.errors || !between.list.is_empty() {
        let starts: Vec<u32> = all().map(|(piece, _)| piece.start).collect();
        let mut between = between;
        for (index, finding) in &mut between.list {
            finding.move_by(starts.get(*index).copied().unwrap_or_default());
        }
        findings.append_between(between);
    }
    for piece in pieces.list() {
        let beside = piece.inner.made.beside.iter();
        beside.for_each(|found| findings.append_from(found, piece.start));
    }
    findings
}

fn of(piece: &Piece<Part>) -> impl Iterator<Item = &Component> + Clone {
    piece.inner.made.components.iter()
}

/// Whether the keys of both are in the same order, all the way down.
fn in_order(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Table(one), Value::Table(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.0 == other.0 && in_order(one.1, other.1))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| in_order(a, b))
        }
        _ => true,
    }
}

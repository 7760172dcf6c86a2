//! What a decision about an unfinished change does to the file: what that change was to bring is
//! brought, or taken back, key by key. What was saved meanwhile stays, and a key that both changed
//! is for a person to decide.

use std::sync::Arc;

use setpoint_bench::{
    TextEdit, Value,
    merge::{Clash, reconcile},
};
use setpoint_store::{Intent, TextHash};

use crate::{
    catalogue::Drivers,
    command::CommandError,
    files::Files,
    manager::{Manager, Running},
    passage::summary,
    staging::none,
    status::{Decision, Timings},
    unfinished::time,
};

/// Characters of a value that a sentence shows.
const SHOWN: usize = 60;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Finish,
    Back,
}

/// What is to run after a decision.
pub(crate) struct Course {
    pub(crate) text: Arc<str>,
    /// Whether the text ran once, or was to: files that it does not have are no part of it.
    pub(crate) closed: bool,
    /// What ran before the unfinished change, where the text is put together from that and from
    /// what was saved since.
    pub(crate) before: Option<Value>,
}

/// What both decisions would do to what runs.
pub(crate) struct Weighed {
    running: TextHash,
    pub(crate) finish: Arc<Decision>,
    pub(crate) go_back: Arc<Decision>,
}

/// Why there is no course.
enum Hindered {
    /// Keys that were saved with another value meanwhile, in words.
    Clashes(Vec<String>),
    Failed(CommandError),
}

impl From<CommandError> for Hindered {
    fn from(error: CommandError) -> Self {
        Self::Failed(error)
    }
}

impl Manager {
    /// What is to run after a decision.
    ///
    /// # Errors
    /// [`CommandError::Conflict`] where a key of the change was saved with another value
    /// meanwhile, [`CommandError::NotFound`] where a text that is needed is gone.
    pub(crate) async fn course(&self, intent: &Intent, way: Way) -> Result<Course, CommandError> {
        self.find_course(intent, way).await.map_err(|hindered| match hindered {
            Hindered::Failed(error) => error,
            Hindered::Clashes(clashes) => {
                let message = format!(
                    "{} was saved since with other values of what the unfinished change is about: \
                     {}. Save the value from before or the intended one there, then decide; \
                     another one can be saved after that",
                    self.file_name,
                    clashes.join("; ")
                );
                CommandError::Conflict { message, diagnostics: none() }
            }
        })
    }

    async fn find_course(&self, intent: &Intent, way: Way) -> Result<Course, Hindered> {
        let to: Option<Arc<str>> =
            (!intent.to_text.is_empty()).then(|| intent.to_text.as_str().into());
        let from = self.text_before(intent).await;
        let wanted = match (way, &to) {
            (Way::Back, _) => from.as_ref().map_err(Clone::clone)?.clone(),
            (Way::Finish, Some(to)) => to.clone(),
            (Way::Finish, None) => {
                let (what, name) = ("text in the journal for", time(intent));
                let name = format!("the change of {name}");
                return Err(CommandError::NotFound { what, name }.into());
            }
        };
        let from = from.ok();
        let running = self.running.hash;
        let is = |text: &Arc<str>| TextHash::of(&**text) == running;
        if running == intent.to_hash || from.as_ref().is_some_and(is) {
            return Ok(Course { text: wanted, closed: true, before: None });
        }
        // Where one side is not known any more, whatever differs is for a person to decide.
        let (drivers, now) = (self.drivers.clone(), self.running.clone());
        let work = move |files: &Files| difference(files, &drivers, &now, &from, &to, way);
        let (edits, clashes, before) = self.read_or_recalled(work).await?;
        if !clashes.is_empty() {
            let secrets = self.publisher.secrets();
            let told = clashes.iter().map(|clash| secrets.hide(told(clash, way))).collect();
            return Err(Hindered::Clashes(told));
        }
        let text = match edits.as_slice() {
            [] => self.running.text.clone(),
            _ => self.edited(edits).await?,
        };
        Ok(Course { text, closed: false, before })
    }

    /// The text from before the unfinished change.
    async fn text_before(&self, intent: &Intent) -> Result<Arc<str>, CommandError> {
        if intent.from_hash == Some(self.running.hash) {
            return Ok(self.running.text.clone());
        }
        let from = &intent.from_revision;
        let text = self.keeping.text(from).await?;
        match intent.from_hash {
            Some(hash) if hash != TextHash::of(&*text) => Err(CommandError::NotFound {
                what: "revision with the text from before the change any more, only another",
                name: from.clone(),
            }),
            _ => Ok(text),
        }
    }

    /// Works out what both decisions would do, if what runs is another text than when that was
    /// done last.
    pub(crate) async fn weigh(&mut self) {
        let running = self.running.hash;
        let Some(intent) = &self.unfinished else {
            self.weighed = None;
            return;
        };
        if self.weighed.as_ref().is_some_and(|weighed| weighed.running == running) {
            return;
        }
        let finish = Arc::new(self.decision(intent, Way::Finish).await);
        let go_back = Arc::new(self.decision(intent, Way::Back).await);
        self.weighed = Some(Weighed { running, finish, go_back });
        self.announce();
    }

    /// The same as far as it is known for what runs.
    pub(crate) fn shown_weighed(&self) -> Option<&Weighed> {
        self.weighed.as_ref().filter(|weighed| weighed.running == self.running.hash)
    }

    async fn decision(&self, intent: &Intent, way: Way) -> Decision {
        let course = match self.find_course(intent, way).await {
            Ok(course) => course,
            Err(Hindered::Clashes(clashes)) => return Decision { clashes, ..Decision::default() },
            Err(Hindered::Failed(error)) => return Decision::hindered(&error),
        };
        if TextHash::of(&*course.text) == self.running.hash {
            return Decision::default();
        }
        let secrets = self.publisher.secrets();
        let read = self.read_or_recall(course.text, course.closed, &mut Timings::default()).await;
        let writes = match read {
            Ok(read) if read.changes.is_empty() => vec![summary(&[])],
            Ok(read) => {
                let one = |change| secrets.hide(summary(std::slice::from_ref(change)));
                read.changes.iter().map(one).collect()
            }
            Err(error) => return Decision::hindered(&error),
        };
        Decision { writes, ..Decision::default() }
    }
}

impl Decision {
    fn hindered(error: &CommandError) -> Self {
        Self { problem: Some(error.to_string()), ..Self::default() }
    }
}

/// What makes what runs the text that is wanted, as far as the unfinished change is about it, and
/// the values from before that change.
fn difference(
    files: &Files,
    drivers: &Drivers,
    running: &Running,
    from: &Option<Arc<str>>,
    to: &Option<Arc<str>>,
    way: Way,
) -> (Vec<TextEdit>, Vec<Clash>, Option<Value>) {
    let values = |text: &Option<Arc<str>>| {
        text.as_ref().map(|text| files.meaning_then(text, drivers).values())
    };
    let (from, to) = (values(from), values(to));
    let (base, wanted) = match way {
        Way::Finish => (&from, &to),
        Way::Back => (&to, &from),
    };
    let found = reconcile(
        &setpoint_bench::KeyPath::default(),
        base.as_ref(),
        Some(&running.values),
        wanted.as_ref(),
    );
    (found.edits.into_iter().map(TextEdit::Put).collect(), found.clashes, from)
}

/// `instruments.psu.set.ch1.voltage (before 3.3, intended 3.45, in the file 3.6)`
fn told(clash: &Clash, way: Way) -> String {
    let (before, intended) = match way {
        Way::Finish => (&clash.base, &clash.mine),
        Way::Back => (&clash.mine, &clash.base),
    };
    let plain = |value: &Option<Value>, table: &str| match value {
        None => "not there".to_owned(),
        Some(Value::Table(_)) => table.to_owned(),
        Some(value) => {
            let text = value.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    };
    format!(
        "{} (before {}, intended {}, in the file {})",
        clash.path,
        plain(before, "there"),
        plain(intended, "changed"),
        plain(&clash.file, "changed")
    )
}

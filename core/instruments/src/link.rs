//! Questions and answers with one device, kept in step.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    driver::{Driver, Question},
    duration,
    line::{Line, LineError},
    template::{Arg, Fields, visible},
};

/// Foreign messages thrown away while looking for the answer to the identity question.
const STRAYS: usize = 5;
/// Longest silence waited for before that.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No reply in time.
    #[error("{instrument} did not answer within {} to {question}", duration::show(*.within))]
    NoAnswer {
        /// The instrument.
        instrument: String,
        /// How long it had.
        within: Duration,
        /// What it was asked.
        question: String,
    },
    /// The reply is not of the form that the driver file gives.
    #[error("{instrument} answered {question} with something else: {reason}")]
    Unexpected {
        /// The instrument.
        instrument: String,
        /// What it was asked.
        question: String,
        /// The reply and how it differs.
        reason: String,
    },
    /// The other end is gone.
    #[error("{instrument} closed the connection")]
    Closed {
        /// The instrument.
        instrument: String,
    },
    /// Questions and answers cannot be brought in step again.
    #[error("{instrument} answers out of step; the link is opened again")]
    OutOfStep {
        /// The instrument.
        instrument: String,
    },
    /// Another device is at the address.
    #[error("{instrument}: the address holds a {found}, the driver {driver} is for {models}")]
    WrongDevice {
        /// The instrument.
        instrument: String,
        /// What the device says it is.
        found: String,
        /// The driver's name.
        driver: String,
        /// What the driver is for.
        models: String,
    },
    /// Reading or writing failed.
    #[error("{instrument}: the link failed: {reason}")]
    Failed {
        /// The instrument.
        instrument: String,
        /// What the system said.
        reason: String,
    },
}

impl LinkError {
    /// Whether the link has to be opened again.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::NoAnswer { .. } | Self::Unexpected { .. })
    }
}

/// An open link to a device that speaks a driver's language.
pub(crate) struct Link {
    instrument: String,
    driver: Arc<Driver>,
    line: Line,
    /// A reply is late or was not understood: the next one may belong to an earlier question.
    suspect: bool,
    /// The device's error queue may hold errors that no set of ours caused.
    stale_errors: bool,
    round_trip: Option<Duration>,
}

impl Link {
    pub(crate) fn new(instrument: String, driver: Arc<Driver>, line: Line) -> Self {
        Self { instrument, driver, line, suspect: false, stale_errors: true, round_trip: None }
    }

    /// Time from the last question to its answer.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The next answer may belong to another question.
    pub(crate) fn doubt(&mut self) {
        self.suspect = true;
    }

    /// Asks who the device is and whether the driver is for it. Gives what people should see:
    /// model, serial number, firmware.
    pub(crate) async fn identify(&mut self) -> Result<Option<String>, LinkError> {
        let driver = self.driver.clone();
        let Some(identity) = &driver.identity else { return Ok(None) };
        let line = self.exchange(&identity.question.send).await?;
        let wrong = |found: String| LinkError::WrongDevice {
            instrument: self.instrument.clone(),
            found,
            driver: driver.id.clone(),
            models: driver.models.join(", "),
        };
        let fields = identity.question.expect.parse(&line);
        let fields = fields.map_err(|_| wrong(format!("device that says “{}”", visible(&line))))?;
        if let Some(model) = fields.get("model").map(|model| model.to_string().trim().to_owned())
            && !driver.models.is_empty()
            && !driver.models.iter().any(|known| known.eq_ignore_ascii_case(&model))
        {
            return Err(wrong(model));
        }
        let parts = ["model", "serial", "firmware"].into_iter().filter_map(|name| fields.get(name));
        let parts: Vec<String> = parts.map(|part| part.to_string().trim().to_owned()).collect();
        Ok(Some(if parts.is_empty() { visible(&line) } else { parts.join(" · ") }))
    }

    /// Asks a question of the driver file.
    pub(crate) async fn ask(&mut self, question: &Question) -> Result<Fields, LinkError> {
        let line = self.ask_raw(&question.send).await?;
        question.expect.parse(&line).map_err(|error| {
            self.suspect = true;
            LinkError::Unexpected {
                instrument: self.instrument.clone(),
                question: visible(&question.send),
                reason: error.to_string(),
            }
        })
    }

    /// Asks anything; the next line is the answer.
    pub(crate) async fn ask_raw(&mut self, text: &str) -> Result<String, LinkError> {
        self.find_step().await?;
        self.exchange(text).await
    }

    /// Sends what has no answer.
    pub(crate) async fn tell(&mut self, text: &str) -> Result<(), LinkError> {
        self.find_step().await?;
        let sent = self.line.send(text).await;
        sent.map_err(|error| self.error(error, text))
    }

    /// Notes that errors may be waiting which no set of ours caused.
    pub(crate) fn errors_are_foreign(&mut self) {
        self.stale_errors = true;
    }

    /// Empties the error queue of what others caused, so that no set is blamed for it.
    pub(crate) async fn drop_foreign_errors(&mut self) -> Result<(), LinkError> {
        if self.stale_errors {
            self.errors().await?;
            self.stale_errors = false;
        }
        Ok(())
    }

    /// The errors that the device has to report, in words; asks until there is none.
    pub(crate) async fn errors(&mut self) -> Result<Vec<String>, LinkError> {
        let driver = self.driver.clone();
        let mut told = Vec::new();
        let Some(errors) = driver.errors.as_ref().filter(|errors| errors.after_set) else {
            return Ok(told);
        };
        for _ in 0..errors.drain {
            let fields = self.ask(&errors.question).await?;
            if !errors.fail.holds(&|name| fields.get(name).map(Arg::to_string)) {
                break;
            }
            told.push(errors.describe(&fields));
        }
        Ok(told)
    }

    /// After a late reply: waits for silence, then asks who the device is until that is what it
    /// answers.
    async fn find_step(&mut self) -> Result<(), LinkError> {
        if !self.suspect {
            return Ok(());
        }
        let driver = self.driver.clone();
        let timeout = self.line.wire().reply_timeout;
        let hushed = self.line.hush(timeout.min(LONGEST_SILENCE)).await;
        hushed.map_err(|error| self.error(error, ""))?;
        if let Some(identity) = &driver.identity {
            let question = &identity.question;
            let out_of_step = || LinkError::OutOfStep { instrument: self.instrument.clone() };
            self.line.send(&question.send).await.map_err(|_| out_of_step())?;
            let deadline = Instant::now() + timeout;
            let mut strays = 0;
            loop {
                match self.line.receive(deadline).await {
                    Ok(line) if question.expect.parse(&line).is_ok() => break,
                    Ok(_) if strays < STRAYS => strays += 1,
                    _ => return Err(out_of_step()),
                }
            }
            tracing::debug!("{}: in step again, {strays} replies discarded", self.instrument);
        }
        self.suspect = false;
        Ok(())
    }

    async fn exchange(&mut self, text: &str) -> Result<String, LinkError> {
        let asked = match self.line.send(text).await {
            Ok(()) => Instant::now(),
            Err(error) => return Err(self.error(error, text)),
        };
        match self.line.receive(asked + self.line.wire().reply_timeout).await {
            Ok(line) => {
                self.round_trip = Some(asked.elapsed());
                Ok(line)
            }
            Err(error) => Err(self.error(error, text)),
        }
    }

    fn error(&mut self, error: LineError, question: &str) -> LinkError {
        let instrument = self.instrument.clone();
        match error {
            LineError::Timeout => {
                self.suspect = true;
                let within = self.line.wire().reply_timeout;
                LinkError::NoAnswer { instrument, within, question: visible(question) }
            }
            LineError::Closed => LinkError::Closed { instrument },
            other => LinkError::Failed { instrument, reason: other.to_string() },
        }
    }
}

impl crate::driver::Errors {
    /// An error reply in words.
    pub(crate) fn describe(&self, fields: &Fields) -> String {
        let text = fields.get("text").map(|text| text.to_string().trim().to_owned());
        let Some(Arg::Int(code)) = fields.get("code") else {
            let all: Vec<String> = fields.values().map(Arg::to_string).collect();
            return text.unwrap_or_else(|| all.join(", "));
        };
        if let Some(text) = text {
            return format!("{code}, {text}");
        }
        if let Some(meaning) = self.meaning.get(code) {
            return meaning.clone();
        }
        let bits = self.meaning.iter().filter(|(bit, _)| **bit != 0 && code & *bit == **bit);
        let bits: Vec<&str> = bits.map(|(_, meaning)| meaning.as_str()).collect();
        if bits.is_empty() { format!("error {code}") } else { bits.join("; ") }
    }
}

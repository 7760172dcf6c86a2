//! Reading and setting one parameter over a link.

use std::time::Duration;

use tokio::time::Instant;

use super::{SessionError, SetError, SetOutcome, board::Source};
use crate::{
    driver::{Driver, Param},
    link::{Link, LinkError},
    template::Fields,
    value::ParamValue,
};

/// Pause between readbacks that do not agree yet.
const READ_AGAIN: Duration = Duration::from_millis(25);

/// An answer that was seen on the way, for the board.
pub(super) type Seen = (Source, Fields);

/// Asks for one parameter; what else the answer holds comes along.
pub(super) async fn read(
    link: &mut Link,
    driver: &Driver,
    param: &Param,
    seen: &mut Vec<Seen>,
) -> Result<ParamValue, SessionError> {
    let (Some(question), Some(source)) = (driver.question(param), Source::of(param)) else {
        return Err(SessionError::NotReadable { parameter: param.name.clone() });
    };
    let fields = link.ask(question).await?;
    let field = param.from.as_ref().map_or("value", |(_, field)| field);
    let value = fields.get(field).and_then(|arg| param.from_arg(arg));
    seen.push((source, fields));
    value.ok_or_else(|| SessionError::Invalid { parameter: param.name.clone() })
}

/// Sets one parameter, `value` being of its kind and in range: reads, sends, asks for errors,
/// reads back until it agrees.
pub(super) async fn set(
    link: &mut Link,
    driver: &Driver,
    param: &Param,
    value: &ParamValue,
    seen: &mut Vec<Seen>,
) -> Result<SetOutcome, SetError> {
    let failed = |before: &Option<ParamValue>, sent, cause| SetError {
        parameter: param.name.clone(),
        before: before.clone(),
        sent,
        cause,
    };
    let Some(template) = &param.set else {
        let cause = SessionError::NotSettable { parameter: param.name.clone() };
        return Err(failed(&None, false, cause));
    };
    let mut before = None;
    if param.readable() {
        match read(link, driver, param, seen).await {
            Ok(read) => before = Some(read),
            // A value that cannot be read now can still be set.
            Err(SessionError::Invalid { .. }) => {}
            Err(error) => return Err(failed(&None, false, error)),
        }
    }
    let unsent = |error: LinkError| failed(&before, false, error.into());
    link.drop_foreign_errors().await.map_err(unsent)?;
    let siblings = seen.last().map(|(_, fields)| fields);
    let fill = |field: &str| match field {
        "value" => Some(param.to_arg(value)),
        // Fields set along with it keep what the device said just now.
        other => siblings?.get(other).cloned(),
    };
    let line = template.format(&fill).map_err(|_| {
        failed(&before, false, SessionError::Invalid { parameter: param.name.clone() })
    })?;
    let sent = |error: SessionError| failed(&before, true, error);
    link.tell(&line).await.map_err(|error| sent(error.into()))?;
    let reports = link.errors().await.map_err(|error| sent(error.into()))?;
    if !reports.is_empty() {
        let (asked, report) = (param.show(value), reports.join("; "));
        let refused = SessionError::Refused { parameter: param.name.clone(), asked, report };
        // What the device holds now is worth showing; the refusal is the answer either way.
        if param.readable() {
            let _ = read(link, driver, param, seen).await;
        }
        return Err(sent(refused));
    }
    if !param.readable() {
        return Ok(SetOutcome { before, readback: value.clone() });
    }
    let deadline = Instant::now() + param.verify.map_or(Duration::ZERO, |verify| verify.within);
    loop {
        let readback = read(link, driver, param, seen).await;
        if let Err(SessionError::Link(error)) = &readback {
            return Err(sent(error.clone().into()));
        }
        match &readback {
            Ok(read) if param.verify.is_none() || param.agrees(value, read) => {
                return Ok(SetOutcome { before, readback: read.clone() });
            }
            _ if Instant::now() < deadline => tokio::time::sleep(READ_AGAIN).await,
            Ok(read) => {
                return Err(sent(SessionError::NotVerified {
                    parameter: param.name.clone(),
                    asked: param.show(value),
                    read: param.show(read),
                }));
            }
            Err(error) => return Err(sent(error.clone())),
        }
        seen.truncate(seen.len().saturating_sub(1).max(1));
    }
}

/// Sends a raw line. One of the driver's own set commands has no answer.
pub(super) async fn query(
    link: &mut Link,
    driver: &Driver,
    line: &str,
) -> Result<String, LinkError> {
    link.errors_are_foreign();
    let sets = |param: &Param| {
        param.set.as_ref().is_some_and(|template| template.parse_any_case(line).is_ok())
    };
    if driver.params.values().any(sets) {
        link.tell(line).await?;
        return Ok(String::new());
    }
    link.ask_raw(line).await
}

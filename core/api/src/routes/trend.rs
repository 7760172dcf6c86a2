//! What a parameter read back over time.

use axum::{
    Json,
    extract::{Path, Query, State},
    response::IntoResponse,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value as Shape, json};
use setpoint_runtime::TrendPoint;

use super::Reply;
use crate::{problem::Problem, server::Api};

/// How far back a trend goes that nobody said the beginning of.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// Readbacks of an answer that nobody said the length of.
const LIST: usize = 1_000;
/// Most readbacks of one answer.
const LONGEST: usize = 10_000;

/// Which readbacks are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Dotted name of the parameter.
    parameter: Option<String>,
    /// Only those at this time or later; else an hour before the end.
    from: Option<Timestamp>,
    /// Only those at this time or earlier; else now.
    until: Option<Timestamp>,
    /// At most so many, the oldest.
    limit: Option<usize>,
}

/// The same, checked.
#[derive(Debug, PartialEq)]
struct Range {
    parameter: String,
    time: (Timestamp, Timestamp),
    limit: usize,
}

impl Wanted {
    fn checked(self, now: Timestamp) -> Result<Range, Problem> {
        let Self { parameter, from, until, limit } = self;
        let missing = || Problem::malformed("parameter is missing: parameter=ch1.voltage");
        let parameter = parameter.filter(|name| !name.is_empty()).ok_or_else(missing)?;
        let until = until.unwrap_or(now);
        let from = match from {
            Some(from) => from,
            None => until.checked_sub(SPAN).unwrap_or(Timestamp::MIN),
        };
        if from > until {
            return Err(Problem::malformed(format!("from ({from}) is later than until ({until})")));
        }
        let limit = limit.unwrap_or(LIST);
        if !(1..=LONGEST).contains(&limit) {
            let detail =
                format!("limit may be 1 to {LONGEST}; next in the answer is where to go on");
            return Err(Problem::malformed(detail));
        }
        Ok(Range { parameter, time: (from, until), limit })
    }
}

pub(super) async fn trend(
    State(api): State<Api>,
    Path(instrument): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply {
    let Range { parameter, time, limit } = wanted.checked(Timestamp::now())?;
    // One more says where to go on: a trend begins with what held at its beginning.
    let mut points = api.runtime.trend(&instrument, &parameter, time, limit + 1).await?;
    let status = api.runtime.status();
    let known = status.instruments.get(&instrument);
    let unit = match known.map(|known| known.parameters.get(&parameter)) {
        Some(Some(parameter)) => parameter.unit.clone(),
        // What was removed from the bench may have been read back before.
        _ if !points.is_empty() => None,
        // One that is not run has no parameters.
        _ if known.is_some_and(|known| known.parameters.is_empty()) => None,
        None => return Err(Problem::not_found("instrument", &instrument)),
        Some(None) => {
            let what = format!("parameter of {instrument}");
            return Err(Problem::not_found(&what, &parameter));
        }
    };
    let next = points.get(limit).map(|next| next.at);
    points.truncate(limit);
    let points: Vec<Shape> = points
        .into_iter()
        .map(|TrendPoint { at, value, .. }| json!({ "at": at, "value": value }))
        .collect();
    Ok(Json(json!({
        "instrument": instrument,
        "parameter": parameter,
        "unit": unit,
        "points": points,
        "next": next,
    }))
    .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(json: Shape) -> Result<Range, Problem> {
        let now = "2030-01-01T12:00:00Z".parse().unwrap();
        serde_json::from_value::<Wanted>(json).unwrap().checked(now)
    }

    #[test]
    fn a_trend_is_of_the_last_hour_unless_asked_otherwise() {
        let range = wanted(json!({"parameter": "v"})).unwrap();
        assert_eq!(range.time.0.to_string(), "2030-01-01T11:00:00Z");
        assert_eq!((range.time.1.to_string(), range.limit), ("2030-01-01T12:00:00Z".into(), LIST));
        let range = wanted(json!({"parameter": "v", "until": "2020-01-01T01:00:00Z"})).unwrap();
        assert_eq!(range.time.0.to_string(), "2020-01-01T00:00:00Z");
    }

    #[test]
    fn what_makes_no_sense_is_malformed() {
        for (query, expected) in [
            (json!({}), "parameter is missing"),
            (json!({"parameter": ""}), "parameter is missing"),
            (json!({"parameter": "v", "from": "2031-01-01T00:00:00Z"}), "from (2031"),
            (json!({"parameter": "v", "limit": 0}), "limit may be 1 to 10000"),
            (json!({"parameter": "v", "limit": 10_001}), "limit may be 1 to 10000"),
        ] {
            let problem = wanted(query).unwrap_err();
            assert_eq!(problem.status(), 400);
            assert!(problem.detail().starts_with(expected), "{}", problem.detail());
        }
    }
}

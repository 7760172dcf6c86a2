//! What happened, as a list or as a stream.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Sse, sse},
};
use futures_core::Stream;
use serde::Deserialize;
use setpoint_runtime::Event;
use tokio::sync::mpsc;

use super::Reply;
use crate::{
    input,
    problem::Problem,
    server::{Api, until_closing},
};

/// Where a stream that broke off goes on.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events that may wait for a slow reader of a stream; then the stream waits for it.
const AHEAD: usize = 64;

/// Which events are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only those after this number.
    since: Option<u64>,
    /// Only those about this key and what lies below it.
    path: Option<String>,
    /// Only those of this kind.
    kind: Option<String>,
}

pub(super) async fn events(
    State(api): State<Api>,
    Query(mut wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Reply {
    if !input::prefers(&headers, "text/event-stream", "application/json") {
        let events = wanted.of(&api.runtime.status().events);
        return Ok(Json(&events).into_response());
    }
    if let Some(id) = headers.get(LAST_EVENT_ID) {
        let number = id.to_str().ok().and_then(|id| id.trim().parse().ok());
        let malformed = || Problem::malformed("the header Last-Event-ID is not a number");
        wanted.since = Some(number.ok_or_else(malformed)?);
    }
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(follow(api, wanted, sender));
    Ok(Sse::new(Following(receiver)).keep_alive(sse::KeepAlive::default()).into_response())
}

impl Wanted {
    /// Those of `events` that are wanted, oldest first.
    fn of(&self, events: &[Arc<Event>]) -> Vec<Arc<Event>> {
        let newest = events.last().map_or(0, |event| event.seq);
        // A number that was not reached yet is from before the last start of the program.
        let since = self.since.filter(|since| *since <= newest).unwrap_or(0);
        events.iter().filter(|event| event.seq > since && self.fits(event)).cloned().collect()
    }

    fn fits(&self, event: &Event) -> bool {
        let below = |path: &String| match event.path.strip_prefix(path.as_str()) {
            Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with('.'),
            None => false,
        };
        self.path.as_ref().is_none_or(below)
            && self.kind.as_ref().is_none_or(|kind| kind == event.kind)
    }
}

/// Sends events as they happen, until the reader goes or the server stops. Without a number to
/// begin after, it begins with the next one.
async fn follow(api: Api, mut wanted: Wanted, sender: mpsc::Sender<Arc<Event>>) {
    let mut changes = api.runtime.changes();
    let newest = |events: &[Arc<Event>]| events.last().map_or(0, |event| event.seq);
    let mut sent = wanted.since.unwrap_or_else(|| newest(&api.runtime.status().events));
    loop {
        changes.mark_unchanged();
        let events = api.runtime.status().events.clone();
        wanted.since = Some(sent);
        for event in wanted.of(&events) {
            tokio::select! {
                put = sender.send(event) => if put.is_err() { return },
                () = until_closing(api.closing.clone()) => return,
            }
        }
        sent = newest(&events);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            () = until_closing(api.closing.clone()) => return,
        }
    }
}

/// The stream that the framework reads.
struct Following(mpsc::Receiver<Arc<Event>>);

impl Stream for Following {
    type Item = Result<sse::Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(written(&event))))
    }
}

fn written(event: &Event) -> sse::Event {
    // An event is plain data and always serialises, and on one line.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.seq.to_string()).event(event.kind).data(data)
}

#[cfg(test)]
mod tests {
    use setpoint_runtime::{Origin, Subject, Tone};

    use super::*;

    fn events() -> Vec<Arc<Event>> {
        let event = |seq, kind, path: &str| {
            Arc::new(Event {
                seq,
                at: jiff::Timestamp::UNIX_EPOCH,
                origin: Origin::Bench,
                kind,
                subject: Subject::Instruments,
                tone: Tone::Info,
                path: path.to_owned(),
                message: String::new(),
                took_ms: None,
            })
        };
        vec![
            event(7, "instrument_offline", "instruments.psu"),
            event(8, "instrument_offline", "instruments.psu2"),
            event(9, "setpoint_written", "instruments.psu.set.ch1.voltage"),
        ]
    }

    fn found(wanted: &Wanted) -> Vec<u64> {
        wanted.of(&events()).iter().map(|event| event.seq).collect()
    }

    #[test]
    fn events_are_picked_by_number_key_and_kind() {
        let all = Wanted::default();
        assert_eq!(found(&all), [7, 8, 9]);
        assert_eq!(found(&Wanted { since: Some(8), ..all.clone() }), [9]);
        assert_eq!(found(&Wanted { since: Some(9), ..all.clone() }), Vec::<u64>::new());
        let below = |path: &str| Wanted { path: Some(path.into()), ..Wanted::default() };
        assert_eq!(found(&below("instruments.psu")), [7, 9], "psu2 is another one");
        assert_eq!(found(&below("")), [7, 8, 9]);
        let kind = |kind: &str| Wanted { kind: Some(kind.into()), ..Wanted::default() };
        assert_eq!(found(&kind("instrument_offline")), [7, 8]);
        assert_eq!(found(&kind("instrument")), Vec::<u64>::new());
    }

    #[test]
    fn number_from_an_earlier_run_gives_everything() {
        assert_eq!(found(&Wanted { since: Some(900), ..Wanted::default() }), [7, 8, 9]);
    }
}

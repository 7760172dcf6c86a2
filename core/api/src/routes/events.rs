//! What happened, as a list or as a stream.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Sse, sse},
};
use futures_core::Stream;
use jiff::Timestamp;
use serde::Deserialize;
use setpoint_runtime::{Event, EventFilter, HistoryEvent, Order};
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

/// Events of a list that nobody said the length of.
const LIST: usize = 1_000;
/// Most events of a list.
const LONGEST: usize = 10_000;
/// Events fetched at a time for a reader that missed some.
const PAGE: usize = 500;

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
    /// Only those from this origin.
    origin: Option<String>,
    /// Only those at this time or later.
    from: Option<Timestamp>,
    /// Only those at this time or earlier.
    until: Option<Timestamp>,
    /// At most so many.
    limit: Option<usize>,
}

pub(super) async fn events(
    State(api): State<Api>,
    Query(mut wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Reply {
    if !input::prefers(&headers, "text/event-stream", "application/json") {
        let filter = wanted.list(newest(&api))?;
        let backwards = filter.order == Order::NewestFirst;
        let mut events = api.runtime.events(filter).await;
        if backwards {
            events.reverse();
        }
        return Ok(Json(&events).into_response());
    }
    if wanted.limit.is_some() {
        return Err(Problem::malformed("limit is for lists; a stream has no end"));
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

/// The number of the newest event.
fn newest(api: &Api) -> u64 {
    api.runtime.status().events.last().map_or(0, |event| event.seq)
}

impl Wanted {
    /// The number to begin after. One that was not reached yet is from before the folder
    /// `.setpoint` was deleted: then from the beginning.
    fn begin(&self, newest: u64) -> Option<u64> {
        self.since.map(|since| if since <= newest { since } else { 0 })
    }

    fn filter(&self) -> EventFilter {
        EventFilter {
            path: self.path.clone(),
            kind: self.kind.clone(),
            origin: self.origin.clone(),
            from: self.from,
            until: self.until,
            ..EventFilter::default()
        }
    }

    /// The filter of a list: the first ones after a number, else the newest.
    fn list(&self, newest: u64) -> Result<EventFilter, Problem> {
        let limit = self.limit.unwrap_or(LIST);
        if limit > LONGEST {
            let detail = format!("limit may be {LONGEST}; ask for more with since");
            return Err(Problem::malformed(detail));
        }
        let after = self.begin(newest);
        let order = if after.is_some() { Order::OldestFirst } else { Order::NewestFirst };
        Ok(EventFilter { after, limit, order, ..self.filter() })
    }
}

/// Sends events as they happen, until the reader goes or the server stops. Without a number to
/// begin after, it begins with the next one; with one, what was missed comes first.
async fn follow(api: Api, wanted: Wanted, sender: mpsc::Sender<HistoryEvent>) {
    let mut changes = api.runtime.changes();
    let closing = api.closing.clone();
    let send = async |event: HistoryEvent| -> bool {
        tokio::select! {
            put = sender.send(event) => put.is_ok(),
            () = until_closing(closing.clone()) => false,
        }
    };
    let newest = newest(&api);
    let mut sent = wanted.begin(newest).unwrap_or(newest);
    loop {
        changes.mark_unchanged();
        let events = api.runtime.status().events.clone();
        let oldest = events.first().map_or(0, |event| event.seq);
        // What is not in memory any more: missed by a reader that was away, or is slow.
        while sent + 1 < oldest {
            let (after, before) = (Some(sent), Some(oldest));
            let filter = EventFilter { after, before, limit: PAGE, ..wanted.filter() };
            let page = api.runtime.events(filter).await;
            sent = page.last().filter(|_| page.len() == PAGE).map_or(oldest - 1, |last| last.seq);
            for event in page {
                if !send(event).await {
                    return;
                }
            }
        }
        let filter = EventFilter { after: Some(sent), ..wanted.filter() };
        for event in events.iter().filter(|event| fits(&filter, event)) {
            if !send(event.kept()).await {
                return;
            }
        }
        sent = events.last().map_or(sent, |event| event.seq.max(sent));
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            () = until_closing(api.closing.clone()) => return,
        }
    }
}

fn fits(filter: &EventFilter, event: &Event) -> bool {
    filter.fits_parts(event.seq, event.at, &event.path, &event.kind, event.origin.as_str())
}

/// The stream that the framework reads.
struct Following(mpsc::Receiver<HistoryEvent>);

impl Stream for Following {
    type Item = Result<sse::Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(written(&event))))
    }
}

fn written(event: &HistoryEvent) -> sse::Event {
    // An event is plain data and always serialises, and on one line.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.seq.to_string()).event(&event.kind).data(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_what_follows_a_number_or_the_newest() {
        let list = |since, limit| Wanted { since, limit, ..Wanted::default() }.list(9);
        let filter = list(None, None).unwrap();
        assert_eq!((filter.order, filter.after, filter.limit), (Order::NewestFirst, None, LIST));
        let filter = list(Some(7), Some(3)).unwrap();
        assert_eq!((filter.order, filter.after, filter.limit), (Order::OldestFirst, Some(7), 3));
        assert_eq!(list(Some(900), None).unwrap().after, Some(0), "from before it was deleted");
        assert_eq!(list(None, Some(LONGEST + 1)).unwrap_err().status(), 400);
    }
}

//! What happened, as a list or as a stream.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Sse, sse},
};
use jiff::{SignedDuration, Timestamp};
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
/// What the last message of a stream is called that has an end.
const END: &str = "end";
/// An event is in the status so long after it happened at the latest.
const PUBLISHED: SignedDuration = SignedDuration::from_millis(100);
/// The clock may be set meanwhile: it is looked at again after this at the latest.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Which events are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only those after this number.
    since: Option<u64>,
    /// Only those before this number.
    before: Option<u64>,
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
        return Err(Problem::malformed("limit is for lists; a stream ends with until or before"));
    }
    if let Some(id) = headers.get(LAST_EVENT_ID) {
        let number = id.to_str().ok().and_then(|id| id.trim().parse().ok());
        let malformed = || Problem::malformed("the header Last-Event-ID is not a number");
        wanted.since = Some(number.ok_or_else(malformed)?);
    }
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut following = Following { api, wanted, sender, told: 0 };
        following.run().await;
    });
    Ok(Sse::new(Stream(receiver)).keep_alive(sse::KeepAlive::default()).into_response())
}

/// The number of the newest event: a reader may know of one that the status does not show yet.
fn newest(api: &Api) -> u64 {
    api.runtime.last_event()
}

impl Wanted {
    /// The number to begin after. One that was not reached yet is from before the folder
    /// `.setpoint` was deleted: then from the beginning.
    fn begin(&self, newest: u64) -> Option<u64> {
        self.since.map(|since| if since <= newest { since } else { 0 })
    }

    /// The number that a stream begins after: what is asked for of the past comes first.
    fn begin_stream(&self, newest: u64) -> u64 {
        let of_the_past = self.from.is_some() || self.until.is_some() || self.before.is_some();
        self.begin(newest).unwrap_or(if of_the_past { 0 } else { newest })
    }

    /// Whether nothing that is wanted can happen any more, all up to the number `told` being told.
    fn is_over(&self, told: u64, now: Timestamp) -> bool {
        self.before.is_some_and(|before| told + 1 >= before)
            || self.until.is_some_and(|until| now > until.checked_add(PUBLISHED).unwrap_or(until))
    }

    fn filter(&self) -> EventFilter {
        EventFilter {
            before: self.before,
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

/// A reader of a stream.
struct Following {
    api: Api,
    wanted: Wanted,
    sender: mpsc::Sender<sse::Event>,
    /// How many events it got.
    told: u64,
}

/// The reader is gone, or the server stops.
struct Gone;

impl Following {
    /// Sends events as they happen, until the reader goes, the server stops, or all is told that is
    /// wanted.
    async fn run(&mut self) {
        if self.follow().await.is_ok() {
            // So that a reader can tell the end of what it asked for from a stream that broke off.
            let end = sse::Event::default().event(END).data(format!("{{\"told\":{}}}", self.told));
            let _ = self.put(end).await;
        }
    }

    /// Without a number to begin after, a time or an end, it begins with the next event; else what
    /// was before comes first.
    async fn follow(&mut self) -> Result<(), Gone> {
        let mut changes = self.api.runtime.changes();
        let newest = newest(&self.api);
        let mut sent = self.wanted.begin_stream(newest);
        loop {
            // Asked before the events are: what happens in between is not past yet.
            let now = Timestamp::now();
            changes.mark_unchanged();
            let events = self.api.runtime.status().events.clone();
            let oldest = events.first().map_or(0, |event| event.seq);
            sent = self.missed(sent, oldest).await?;
            let filter = EventFilter { after: Some(sent), ..self.wanted.filter() };
            for event in events.iter().filter(|event| fits(&filter, event)) {
                self.send(&event.kept()).await?;
            }
            sent = events.last().map_or(sent, |event| event.seq.max(sent));
            if self.wanted.is_over(sent, now) {
                return Ok(());
            }
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| Gone)?,
                () = until(self.wanted.until) => {}
                () = self.sender.closed() => return Err(Gone),
                () = until_closing(self.api.closing.clone()) => return Err(Gone),
            }
        }
    }

    /// Sends what is not in memory any more: missed by a reader that was away, or is slow. Answers
    /// up to which number all is told.
    async fn missed(&mut self, mut sent: u64, oldest: u64) -> Result<u64, Gone> {
        while sent + 1 < oldest {
            let before = self.wanted.before.map_or(oldest, |before| before.min(oldest));
            let (after, before) = (Some(sent), Some(before));
            let filter = EventFilter { after, before, limit: PAGE, ..self.wanted.filter() };
            let page = self.api.runtime.events(filter).await;
            sent = page.last().filter(|_| page.len() == PAGE).map_or(oldest - 1, |last| last.seq);
            for event in &page {
                self.send(event).await?;
            }
        }
        Ok(sent)
    }

    async fn send(&mut self, event: &HistoryEvent) -> Result<(), Gone> {
        self.told += 1;
        self.put(written(event)).await
    }

    async fn put(&self, event: sse::Event) -> Result<(), Gone> {
        tokio::select! {
            put = self.sender.send(event) => put.map_err(|_| Gone),
            () = until_closing(self.api.closing.clone()) => Err(Gone),
        }
    }
}

/// Returns once a time is over; never without one.
async fn until(time: Option<Timestamp>) {
    let Some(time) = time else { return std::future::pending().await };
    let left = time.duration_since(Timestamp::now()) + PUBLISHED;
    // A moment later, so that the time is over by then, whatever is rounded.
    let left = left.max(SignedDuration::ZERO).unsigned_abs() + Duration::from_millis(1);
    tokio::time::sleep(left.min(A_DAY)).await;
}

fn fits(filter: &EventFilter, event: &Event) -> bool {
    filter.fits_parts(event.seq, event.at, &event.path, &event.kind, event.origin.as_str())
}

/// The stream that the framework reads.
struct Stream(mpsc::Receiver<sse::Event>);

impl futures_core::Stream for Stream {
    type Item = Result<sse::Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
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
    fn a_stream_of_the_past_begins_there_and_ends() {
        let now: Timestamp = "2030-01-01T12:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2030-01-01T11:00:00Z".parse().unwrap();
        let live = Wanted::default();
        assert_eq!(live.begin_stream(9), 9, "what happens from now on");
        assert!(!live.is_over(9, now));
        let past = Wanted { until: Some(earlier), ..Wanted::default() };
        assert_eq!(past.begin_stream(9), 0);
        assert!(past.is_over(9, now) && !past.is_over(9, earlier), "its last moment is not over");
        let before = Wanted { before: Some(10), since: Some(4), ..Wanted::default() };
        assert_eq!(before.begin_stream(9), 4);
        assert!(before.is_over(9, now) && !before.is_over(8, now));
    }

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

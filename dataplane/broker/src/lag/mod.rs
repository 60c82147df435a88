//! The history of lag: how far the groups that are coordinated here are behind, as rows of minutes in the catalog.
//!
//! | module | what is in it |
//! |---|---|
//! | `book` | what is written, and what is to be; pure |
//! | `asking` | where partitions begin and end: of this broker, and of others |
//!
//! Every quarter of a minute it is looked, a few groups at a time, and a row is written again only if the number of records has changed:
//! an idle group costs a row a minute. A row holds what was seen last in its minute. What cannot be written is dropped: a gap in a
//! chart, while whoever asks for the lag of now gets it from the groups themselves.

mod asking;
mod book;

use std::sync::Arc;
use std::time::Duration;

use firn_coordinator::api::CommittedIn;
use tracing::debug;

use self::asking::Positions;
use self::book::{At, Book};
use crate::groups::Coordinator;
use crate::serving::shared::Serving;

/// How often it is looked, in ms. A minute is a multiple of it.
const PERIOD_MS: i64 = 15_000;
const MINUTE_MS: i64 = 60_000;
/// A timer may fire so much early, in ms, and the minute is still the one that was waited for.
const EARLY_MS: i64 = 500;
/// How many offsets are looked at before others get their turn.
const CHUNK: usize = 2_000;
/// How often old rows are thinned, in minutes, and how many minutes of them at a time.
const THIN_EVERY: i64 = 10;
const THIN_MINUTES: usize = 40;

/// Looks for as long as the broker serves.
pub(crate) async fn run(serving: Arc<Serving>) {
    let mut book = Book::default();
    let mut thinned = 0;
    loop {
        let now = serving.env.now().0;
        let next = ((now + EARLY_MS).div_euclid(PERIOD_MS) + 1) * PERIOD_MS;
        tokio::time::sleep(Duration::from_millis(u64::try_from(next - now).unwrap_or(0))).await;
        let minute = book.turn_to((serving.env.now().0 + EARLY_MS).div_euclid(MINUTE_MS));
        for coordinator in serving.groups.coordinators() {
            look(&serving, &coordinator, &mut book).await;
        }
        if minute % THIN_EVERY == 0 && minute > thinned {
            thinned = minute;
            if let Err(error) = serving.catalog.thin_lag(minute, THIN_MINUTES).await {
                debug!(%error, "the old history of lag could not be thinned; trying again later");
            }
        }
    }
}

/// Looks at all groups of a coordinator.
async fn look(serving: &Serving, coordinator: &Coordinator, book: &mut Book) {
    let mut after = None;
    loop {
        // One that is just being loaded is looked at the next time.
        let Ok((groups, last)) = coordinator.committed(after.as_ref(), CHUNK).await else {
            return;
        };
        write(serving, &groups, book).await;
        if last.is_none() {
            return;
        }
        after = last;
        tokio::task::yield_now().await;
    }
}

async fn write(serving: &Serving, groups: &[CommittedIn], book: &mut Book) {
    let image = serving.image();
    let positions = Positions::of(serving, &image, groups).await;
    let mut rows = book.due(groups, serving.env.now().0, |partition, offset| {
        let topic = image.topic(partition.topic)?;
        Some(At {
            topic: &topic.name,
            cluster: topic.cluster,
            position: positions.at(partition, offset),
        })
    });
    book.bounded(&mut rows);
    if rows.is_empty() {
        return;
    }
    match serving.catalog.record_lag(&rows).await {
        Ok(()) => book.written(&rows),
        Err(error) => debug!(%error, rows = rows.len(), "the history of lag could not be written"),
    }
}

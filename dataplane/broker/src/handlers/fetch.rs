//! Fetch 4-18: reads batches, waiting for some if there are none.
//!
//! A long poll ends when `min_bytes` are there, with records that do not fit into the answer, with any error or change of
//! leadership, after `max_wait`, and when the broker shuts down. The first partition with records returns at least one batch whatever the limits (KIP-74); the
//! order rotates in sessions, so that every partition gets its turn. Wake-ups cannot be lost: the waiter is registered
//! before the partitions are looked at again. What the caller may read is asked again after each wait, so that what was revoked meanwhile
//! is not read.

mod reading;
mod request;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::TopicId;
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, FetchRequest};
use kafka_protocol::protocol::Decodable;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::debug;

use self::reading::{Pass, Reading};
use crate::metrics;
use crate::network::{Closing, Reply};
use crate::protocol::fetch::{ENDPOINTS_FROM, FetchAnswer, FetchedPartition, FetchedTopic, encode};
use crate::protocol::produce::LeaderHint;
use crate::quotas::Reserved;
use crate::seams::Portion;
use crate::serving::dispatch::answered;
use crate::serving::fair_share::Turn;
use crate::serving::request::{RequestContext, throttle_ms};
use crate::serving::response_room::{Room, SMALL_RESPONSE};
use crate::serving::sessions::{FetchTarget, FetchTopicKey, Opened, Told};

pub(crate) const API: ApiKey = ApiKey::Fetch;
pub(crate) const VERSIONS: RangeInclusive<i16> = 4..=18;

/// The longest that a request may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// What a partition takes of an answer beside its records, about.
const ENTRY_BYTES: usize = 128;
/// How long a large answer waits for room; clients give up on an answer after half a minute.
const ROOM_PATIENCE: Duration = Duration::from_secs(10);
/// How long records are read in a turn: what takes longer waits for a disk or for the object store, and keeps no thread busy.
const TURN: Duration = Duration::from_millis(10);

/// Answers a request.
pub(crate) async fn answer(context: RequestContext, mut body: Bytes) -> Reply {
    let request = match FetchRequest::decode(&mut body, context.version) {
        Ok(request) => request,
        Err(error) => {
            debug!(%error, "the codec refuses a Fetch request");
            return Reply::close(Closing::Request);
        }
    };
    drop(body);
    let (mut answer, mut kept) = match context.before_fetch(wanted(&request)) {
        Portion::Later(wait) => (throttled(&context, &request), Kept::waiting(wait)),
        Portion::AtMost(most, reserved) => match request::open(&context, &request) {
            Ok(opened) => fetch(&context, &request, opened, (most, reserved)).await,
            Err(error) => (refused(error), Kept::default()),
        },
    };
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let bytes = partitions.map(FetchedPartition::size).sum();
    let usage = context.usage(0, bytes);
    drop(kept.reserved.take());
    let throttle = context.charge(&usage).max(kept.wait);
    answer.throttle_ms = throttle_ms(throttle);
    metrics::fetched(bytes);
    let mut chunks = encode(&mut answer, context.version, context.correlation);
    if let Some(room) = kept.room {
        room.hold(&mut chunks);
    }
    let now = Instant::now();
    context.fetch_size.ready(now);
    if bytes > 0 {
        context.share.touch(now);
    }
    answered(&context, usage, chunks, throttle)
}

/// What an answer keeps until it is handed over.
#[derive(Default)]
struct Kept {
    /// How long the client must wait for records.
    wait: Duration,
    /// What it may read, until it is charged for what it did.
    reserved: Option<Reserved>,
    room: Option<Room>,
    /// Whoever has the next one goes on when this answer is on its way.
    _turn: Option<Turn>,
}

impl Kept {
    fn waiting(wait: Duration) -> Self {
        Self {
            wait,
            ..Self::default()
        }
    }
}

/// How many bytes of records a client takes at most.
fn wanted(request: &FetchRequest) -> usize {
    usize::try_from(request.max_bytes).unwrap_or(0)
}

fn refused(error: ResponseError) -> FetchAnswer {
    FetchAnswer {
        error: error.code(),
        ..FetchAnswer::default()
    }
}

/// The answer to a client that must wait: it tells of no partition. A session goes on with it; none begins.
fn throttled(context: &RequestContext, request: &FetchRequest) -> FetchAnswer {
    if !request::continues(context, request) {
        return FetchAnswer::default();
    }
    match request::open(context, request) {
        Ok(opened) => FetchAnswer {
            session: opened.mode.session(),
            ..FetchAnswer::default()
        },
        Err(error) => refused(error),
    }
}

async fn fetch(
    context: &RequestContext,
    request: &FetchRequest,
    opened: Opened,
    (most, mut reserved): (usize, Option<Reserved>),
) -> (FetchAnswer, Kept) {
    let mut reading = Reading::new(context, request, &opened.targets);
    reading.limit(most);
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(LONGEST_WAIT);
    let deadline = Instant::now() + wait;
    let (mut pass, mut turn) = read(context, &mut reading, context.started).await;
    let waiter = Arc::new(Notify::new());
    if !wait.is_zero() && !reading.is_enough(&pass) {
        reading.watch(&waiter);
        drop(turn.take());
        (pass, turn) = read(context, &mut reading, context.started).await;
    }
    while !reading.is_enough(&pass) {
        // Nothing large is held while it is waited for more, and nobody else waits for this.
        drop(turn.take());
        drop(reserved.take());
        let large = pass.bytes > SMALL_RESPONSE;
        if large {
            pass.drop_records();
        }
        let woken = tokio::select! {
            biased;
            () = context.serving.shutdown.cancelled() => false,
            () = waiter.notified() => true,
            () = tokio::time::sleep_until(deadline) => false,
        };
        match context.before_fetch(wanted(request)) {
            Portion::AtMost(most, again) => {
                reading.limit(most);
                reserved = again;
            }
            Portion::Later(wait) => {
                // Others have meanwhile used up what there was.
                pass.drop_records();
                return (finish(context, opened, pass), Kept::waiting(wait));
            }
        }
        if woken || large || reading.is_outdated() {
            (pass, turn) = read(context, &mut reading, Instant::now()).await;
        }
        if !woken {
            break;
        }
    }
    let (pass, mut kept) = make_room(context, &mut reading, pass, turn).await;
    kept.reserved = reserved;
    (finish(context, opened, pass), kept)
}

/// Reads what is there. While other clusters want records, too, that is little, and in turns.
async fn read(context: &RequestContext, reading: &mut Reading<'_>, now: Instant) -> (Pass, Option<Turn>) {
    let Some(turn) = context.share.turn(now).await else {
        return (reading.pass().await, None);
    };
    reading.limit(context.fetch_size.most_contested(context.started));
    let mut pass = pin!(reading.pass());
    tokio::select! {
        biased;
        pass = &mut pass => (pass, Some(turn)),
        () = tokio::time::sleep(TURN) => {
            drop(turn);
            (pass.await, None)
        }
    }
}

/// Takes room for a large answer. Where there is none, the records are let go and read again once there is; a client that
/// would wait too long gets a small answer, so that all go on.
async fn make_room(
    context: &RequestContext,
    reading: &mut Reading<'_>,
    mut pass: Pass,
    turn: Option<Turn>,
) -> (Pass, Kept) {
    let records = pass.bytes;
    let bytes = records + pass.partitions.len() * ENTRY_BYTES;
    let kept = |room, turn| Kept {
        room,
        _turn: turn,
        ..Kept::default()
    };
    if bytes <= SMALL_RESPONSE {
        return (pass, kept(None, turn));
    }
    let room = &context.serving.response_room;
    if let Some(room) = room.try_take(bytes) {
        return (pass, kept(Some(room), turn));
    }
    drop(turn);
    pass.drop_records();
    let taken = tokio::select! {
        biased;
        () = context.serving.shutdown.cancelled() => return (pass, Kept::default()),
        taken = room.take(bytes) => taken,
        () = tokio::time::sleep(ROOM_PATIENCE) => None,
    };
    reading.limit(if taken.is_some() { records } else { SMALL_RESPONSE });
    pass = reading.pass().await;
    (pass, kept(taken, None))
}

/// Puts together what the client needs to be told.
fn finish(context: &RequestContext, opened: Opened, pass: Pass) -> FetchAnswer {
    let Pass { partitions, .. } = pass;
    let told: Vec<(FetchTarget, Told)> = opened
        .targets
        .into_iter()
        .zip(&partitions)
        .map(|(target, (_, fetched))| {
            let told = Told {
                has_records: !fetched.records.is_empty() || fetched.diverging.is_some(),
                error: fetched.error,
                high_watermark: fetched.high_watermark,
                log_start: fetched.log_start,
            };
            (target, told)
        })
        .collect();
    let needed = context.serving.sessions.answer(&opened.mode, &told);
    let mut topics: Vec<FetchedTopic> = Vec::new();
    let mut places: BTreeMap<FetchTopicKey, usize> = BTreeMap::new();
    // Names are not compared for each partition: those of one topic mostly follow each other.
    let mut last: Option<(FetchTopicKey, usize)> = None;
    let image = context.serving.image();
    for (((target, told), needed), (name, mut fetched)) in told.into_iter().zip(needed).zip(partitions) {
        if !needed {
            continue;
        }
        if told.error != 0 {
            metrics::error(API, told.error);
        }
        if context.version >= ENDPOINTS_FROM && fetched.leader.is_none() {
            fetched.leader = leader_now(context, &image, &target, told.error);
        }
        let place = match &last {
            Some((topic, place)) if topic.is_one_with(&target.topic) => *place,
            _ => *places.entry(target.topic.clone()).or_insert_with(|| {
                topics.push(begin_topic(&target.topic, name));
                topics.len() - 1
            }),
        };
        topics[place].partitions.push(fetched);
        last = Some((target.topic, place));
    }
    FetchAnswer {
        session: opened.mode.session(),
        topics,
        ..FetchAnswer::default()
    }
}

/// Who leads a partition that the client must ask for elsewhere, or with another leader epoch (KIP-951); `None` if the
/// image knows of no later leadership than the client does, or than the one that this broker has just lost.
fn leader_now(
    context: &RequestContext,
    image: &Image,
    target: &FetchTarget,
    error: i16,
) -> Option<LeaderHint> {
    let moved = error == ResponseError::NotLeaderOrFollower.code();
    if !moved && error != ResponseError::FencedLeaderEpoch.code() {
        return None;
    }
    let topic = match &target.topic {
        FetchTopicKey::Name(name) => context.topic_by_name(image, name),
        FetchTopicKey::Id(id) => context.topic_by_id(image, *id),
    }?;
    let index = usize::try_from(target.index).ok()?;
    let owner = topic.partitions.get(index)?.owner;
    let leader = context.leader(image, topic, target.index)?;
    let lost = moved && owner == context.serving.log.incarnation();
    (!lost && leader.epoch > target.leader_epoch).then_some(leader)
}

fn begin_topic(key: &FetchTopicKey, name: Option<Arc<str>>) -> FetchedTopic {
    let (id, name) = match key {
        FetchTopicKey::Id(id) => (*id, name.unwrap_or_default()),
        FetchTopicKey::Name(name) => (TopicId(0), Arc::clone(name)),
    };
    FetchedTopic {
        id,
        name,
        partitions: Vec::new(),
    }
}

/// An answer for a partition that cannot be read.
fn failed(index: i32, error: ResponseError) -> FetchedPartition {
    FetchedPartition::failed(index, error.code())
}

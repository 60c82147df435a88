//! Produce 3-13: appends batches. 0-2 are advertised and refused: older librdkafka otherwise turns compression off without
//! a word.
//!
//! All batches of a request are validated first. They are appended at once, in the order in which requests arrive; a
//! request whose validation takes long is appended before another one of the connection is started. The answer comes when
//! the last of their slots counts. acks=1 is answered like acks=all; acks=0 never, and an error closes the connection. A request that waits longer
//! than its timeout is answered 7, and its slots go on.

mod checking;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::ids::Slot;
use firn_catalog::image::{Image, ImageTopic};
use firn_log::batch::{BatchError, BatchHeader};
use firn_log::engine::Log;
use firn_log::partition::AppendError;
use futures::FutureExt;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;
use tokio::time::Instant;
use tracing::debug;

use self::checking::{Checked, Step};
use crate::errors::{self, NONE};
use crate::metrics;
use crate::network::{After, Closing, Reply, Started};
use crate::protocol::header;
use crate::protocol::produce::{
    self as wire, FLEXIBLE_FROM, PartitionAnswer, ProduceRequest, ProduceTopic, RECORD_ERRORS_FROM,
    TopicAnswer, TopicKey,
};
use crate::seams::Usage;
use crate::serving::authorization::Denied;
use crate::serving::dispatch::answered;
use crate::serving::fair_share::Hold;
use crate::serving::request::{RequestContext, throttle_ms};
use crate::serving::topics::NotHere;

pub(crate) const API: ApiKey = ApiKey::Produce;
pub(crate) const VERSIONS: RangeInclusive<i16> = 3..=13;
pub(crate) const ADVERTISED_FROM: i16 = 0;

/// With acks=1 clients do not expect their timeout to apply to durability; it is at least this.
const LEADER_ACK_PATIENCE: Duration = Duration::from_secs(30);
/// The most records that one answer names; their batches are refused as a whole anyway.
const MOST_RECORD_ERRORS: usize = 100;

/// Appends what a request holds and waits for it.
pub(crate) fn start(context: RequestContext, body: BytesMut, hold: Hold) -> Started {
    let request = match wire::decode(body, context.version) {
        Ok(request) => request,
        Err(error) => {
            debug!(connection = context.connection, %error, "a malformed Produce request");
            return Started::Done(Reply::close(Closing::Request));
        }
    };
    let acks = request.acks;
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let patience = if acks == 1 {
        timeout.max(LEADER_ACK_PATIENCE)
    } else {
        timeout
    };
    let image = context.serving.image();
    let refused = refusal(&context, &image, &request);
    let topics = checking::check(&context, &image, request.topics, refused.as_ref());
    if checking::is_done(&topics) {
        return finish(context, topics, acks, patience, hold);
    }
    Started::Alone(Box::pin(async move {
        let topics = checking::check_rest(&context, topics).await;
        match finish(context, topics, acks, patience, hold) {
            Started::Done(reply) => reply,
            Started::Waiting(answer) | Started::Alone(answer) => answer.await,
            // An append needs nothing from elsewhere.
            Started::Later(_) => Reply::close(Closing::Request),
        }
    }))
}

/// Appends what was validated and waits for it.
fn finish(
    context: RequestContext,
    mut topics: Vec<Checked>,
    acks: i16,
    patience: Duration,
    hold: Hold,
) -> Started {
    checking::detach(&mut topics, context.request_bytes);
    let names_records = context.version >= RECORD_ERRORS_FROM;
    let mut produced = Produced {
        topics: Vec::with_capacity(topics.len()),
        waits: Vec::new(),
        bytes: 0,
        record_errors_left: if names_records { MOST_RECORD_ERRORS } else { 0 },
    };
    produced.append_all(&context, topics);
    let charged = Charged::of(&context, produced.bytes);
    let log = Arc::clone(&context.serving.log);
    let last = produced.waits.iter().map(|wait| wait.slot).max();
    if acks == 0 {
        return unheard(produced.unacknowledged(&context, &charged), last, log, hold);
    }
    let Some(last) = last else {
        return Started::Done(produced.answer(&context, &charged));
    };
    let mut waiting = Waiting {
        context,
        charged,
        answered: false,
        _hold: hold,
    };
    Started::Waiting(Box::pin(async move {
        match tokio::time::timeout(patience, log.wait(last)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => produced.settle(&log, ResponseError::NotLeaderOrFollower),
            Err(_) => produced.settle(&log, ResponseError::RequestTimedOut),
        }
        waiting.answered = true;
        produced.answer(&waiting.context, &waiting.charged)
    }))
}

/// What follows for a request that nobody waits for. While clusters share the broker it is on its way as long as any other one.
fn unheard(reply: Reply, last: Option<Slot>, log: Arc<Log>, hold: Hold) -> Started {
    match last {
        Some(last) if hold.is_contested() && !matches!(reply.after, After::Close(_)) => {
            Started::Waiting(Box::pin(async move {
                // Whether it became durable changes nothing any more.
                drop(log.wait(last).await);
                drop(hold);
                reply
            }))
        }
        _ => Started::Done(reply),
    }
}

/// A request that has appended and waits. Its client may go away before the answer; what was appended is metered all the same.
struct Waiting {
    context: RequestContext,
    charged: Charged,
    answered: bool,
    _hold: Hold,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.context.meter(self.charged.usage, 0, self.charged.wait());
        }
    }
}

/// What a request was charged for when it had appended: before its answer, so that it counts for those that come meanwhile.
struct Charged {
    usage: Usage,
    /// Until when its client shall wait.
    until: Option<Instant>,
}

impl Charged {
    fn of(context: &RequestContext, bytes: usize) -> Self {
        let usage = context.usage(bytes, 0);
        let throttle = context.charge(&usage);
        let until = (!throttle.is_zero()).then(|| Instant::now() + throttle);
        Self { usage, until }
    }

    /// How long the client shall still wait.
    fn wait(&self) -> Duration {
        self.until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

/// An accepted batch whose slot does not count yet.
struct Wait {
    topic: usize,
    partition: usize,
    slot: Slot,
}

/// What came of a request so far.
struct Produced {
    topics: Vec<TopicAnswer>,
    waits: Vec<Wait>,
    bytes: usize,
    record_errors_left: usize,
}

impl Produced {
    fn append_all(&mut self, context: &RequestContext, topics: Vec<Checked>) {
        for Checked { key, topic, steps } in topics {
            let mut partitions = Vec::with_capacity(steps.len());
            for (index, step) in steps {
                let place = (self.topics.len(), partitions.len());
                partitions.push(match self.append(context, index, step, place) {
                    Ok(answer) => answer,
                    Err(error) => self.refused(context, topic.as_deref(), index, &error),
                });
            }
            self.topics.push(TopicAnswer { key, partitions });
        }
    }

    fn append(
        &mut self,
        context: &RequestContext,
        index: i32,
        step: Step,
        place: (usize, usize),
    ) -> Result<PartitionAnswer, AppendError> {
        let (partition, batch) = match step {
            Step::Valid(partition, batch) => (partition, batch),
            Step::Nowhere(NotHere {
                error,
                leader,
                denied,
            }) => {
                let told = denied.filter(|_| context.version >= RECORD_ERRORS_FROM);
                return Ok(PartitionAnswer {
                    leader,
                    message: told.map(Denied::message),
                    ..failed(index, error)
                });
            }
            Step::Refused(error) => return Err(error),
            Step::Unchecked(..) => return Err(BatchError::OverBudget.into()),
        };
        let size = batch.size();
        let appended = partition.append_validated(batch, context.serving.env.now())?;
        self.bytes += size;
        if let Some(slot) = appended.slot {
            self.waits.push(Wait {
                topic: place.0,
                partition: place.1,
                slot,
            });
        }
        Ok(PartitionAnswer {
            base_offset: appended.first.0,
            log_append_time: appended.log_append_time.map_or(-1, |time| time.0),
            log_start: appended.log_start.0,
            ..failed_with(index, NONE)
        })
    }

    fn refused(
        &mut self,
        context: &RequestContext,
        topic: Option<&ImageTopic>,
        index: i32,
        error: &AppendError,
    ) -> PartitionAnswer {
        let (code, record_errors) = errors::of_append(error, self.record_errors_left);
        self.record_errors_left -= record_errors.len();
        let leader = match code {
            ResponseError::NotLeaderOrFollower => {
                topic.and_then(|topic| context.leader(&context.serving.image(), topic, index))
            }
            _ => None,
        };
        PartitionAnswer {
            record_errors,
            message: (context.version >= RECORD_ERRORS_FROM).then(|| error.to_string()),
            leader,
            ..failed(index, code)
        }
    }

    /// Gives `error` to all whose slot does not count.
    fn settle(&mut self, log: &Log, error: ResponseError) {
        let mut counts: BTreeMap<Slot, bool> = BTreeMap::new();
        for wait in &self.waits {
            let counted = counts
                .entry(wait.slot)
                .or_insert_with(|| matches!(log.wait(wait.slot).now_or_never(), Some(Ok(()))));
            if !*counted {
                let answer = &mut self.topics[wait.topic].partitions[wait.partition];
                *answer = failed(answer.index, error);
            }
        }
    }

    fn errors(&self) -> impl Iterator<Item = i16> + '_ {
        let partitions = self.topics.iter().flat_map(|topic| &topic.partitions);
        partitions
            .map(|partition| partition.error)
            .filter(|error| *error != NONE)
    }

    fn answer(&self, context: &RequestContext, charged: &Charged) -> Reply {
        self.errors().for_each(|code| metrics::error(API, code));
        metrics::produced(self.bytes);
        let throttle = charged.wait();
        let mut out = BytesMut::with_capacity(128);
        header::begin_response(
            &mut out,
            API,
            context.correlation,
            context.version >= FLEXIBLE_FROM,
        );
        wire::encode(&mut out, context.version, &self.topics, throttle_ms(throttle));
        let total = out.len();
        header::set_length(&mut out, total);
        answered(context, charged.usage, vec![out.freeze()], throttle)
    }

    /// What follows where no answer is wanted.
    fn unacknowledged(&self, context: &RequestContext, charged: &Charged) -> Reply {
        metrics::produced(self.bytes);
        let reply = answered(context, charged.usage, Vec::new(), charged.wait());
        match self.errors().next() {
            None => reply,
            Some(code) => {
                metrics::error(API, code);
                debug!(
                    connection = context.connection,
                    code, "closing: Produce with acks=0 failed"
                );
                Reply {
                    after: After::Close(Closing::Unacknowledged),
                    ..reply
                }
            }
        }
    }
}

/// Why a request is refused as a whole.
fn refusal(context: &RequestContext, image: &Image, request: &ProduceRequest) -> Option<NotHere> {
    let mut batches = request.topics.iter().flat_map(|topic| &topic.partitions);
    if batches.any(|partition| is_transactional(&partition.records)) {
        // Transactions do not exist yet, whoever asks. An id alone makes none.
        let id = request.transactional_id.as_deref();
        let denied = |id| {
            let resource = ResourceName::TransactionalId(id);
            context.authorize(image, Operation::Write, resource).err()
        };
        return Some(NotHere {
            denied: id.and_then(denied),
            ..ResponseError::TransactionalIdAuthorizationFailed.into()
        });
    }
    let error = if context.serving.storage_limits.is_full(context.cluster()) {
        ResponseError::PolicyViolation
    } else if !matches!(request.acks, -1..=1) {
        ResponseError::InvalidRequiredAcks
    } else if names_twice(request) {
        ResponseError::InvalidRequest
    } else {
        return None;
    };
    Some(error.into())
}

/// Whether a partition is named twice, which Kafka, that keys batches by partition, answers once: one of the batches would
/// be acknowledged unseen.
fn names_twice(request: &ProduceRequest) -> bool {
    if let [ProduceTopic { partitions, .. }] = &request.topics[..]
        && partitions.len() < 2
    {
        return false;
    }
    // Names may be long and their partitions many: each name is compared once, not for each partition.
    let (mut places, mut named) = (BTreeMap::new(), Vec::new());
    for topic in &request.topics {
        let next = places.len();
        let place = *places.entry(&topic.key).or_insert(next);
        named.extend(topic.partitions.iter().map(|sent| (place, sent.index)));
    }
    named.sort_unstable();
    named.windows(2).any(|pair| pair[0] == pair[1])
}

/// The topic, if the caller may write to it.
fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    key: &TopicKey,
) -> Result<&'i Arc<ImageTopic>, NotHere> {
    let authorize = |name: &str| {
        let authorized = context.authorize_topic(image, Operation::Write, name);
        authorized.map_err(NotHere::topic)
    };
    match key {
        TopicKey::Name(name) => {
            authorize(name)?;
            let topic = context.topic_by_name(image, name);
            topic.ok_or_else(|| ResponseError::UnknownTopicOrPartition.into())
        }
        TopicKey::Id(id) => {
            let topic = context
                .topic_by_id(image, *id)
                .ok_or(ResponseError::UnknownTopicId)?;
            authorize(&topic.name)?;
            Ok(topic)
        }
    }
}

fn failed(index: i32, error: ResponseError) -> PartitionAnswer {
    failed_with(index, error.code())
}

fn failed_with(index: i32, error: i16) -> PartitionAnswer {
    PartitionAnswer {
        index,
        error,
        base_offset: -1,
        log_append_time: -1,
        log_start: -1,
        record_errors: Vec::new(),
        message: None,
        leader: None,
    }
}

fn is_transactional(records: &[u8]) -> bool {
    BatchHeader::read(records).is_some_and(|header| header.magic == 2 && header.is_transactional())
}

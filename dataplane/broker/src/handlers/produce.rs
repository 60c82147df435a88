//! Produce 3-13: appends batches. 0-2 are advertised and refused: older librdkafka otherwise turns compression off without
//! a word.
//!
//! Batches are appended at once, in the order in which requests arrive; the answer comes when the last of their slots
//! counts. acks=1 is answered like acks=all; acks=0 never, and an error closes the connection. A request that waits longer
//! than its timeout is answered 7, and its slots go on.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use firn_catalog::ids::Slot;
use firn_catalog::image::{Image, ImageTopic};
use firn_log::batch::BatchHeader;
use firn_log::engine::Log;
use futures::FutureExt;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;
use tracing::debug;

use crate::errors::{self, NONE};
use crate::metrics;
use crate::network::{After, Closing, Reply, Started};
use crate::protocol::header;
use crate::protocol::produce::{
    self as wire, FLEXIBLE_FROM, PartitionAnswer, ProducePartition, ProduceRequest, TopicAnswer, TopicKey,
};
use crate::seams::{Operation, ResourceKind};
use crate::serving::dispatch::answered;
use crate::serving::request::{RequestContext, throttle_ms};
use crate::serving::topics::NotHere;

pub(crate) const API: ApiKey = ApiKey::Produce;
pub(crate) const VERSIONS: RangeInclusive<i16> = 3..=13;
pub(crate) const ADVERTISED_FROM: i16 = 0;

/// The first version in which zstd may be used.
const ZSTD_FROM: i16 = 7;
/// Batches below this size are copied: in the log they would keep the whole buffer alive that they came in.
const COPIED_BELOW: usize = 16 * 1024;
/// With acks=1 clients do not expect their timeout to apply to durability; it is at least this.
const LEADER_ACK_PATIENCE: Duration = Duration::from_secs(30);

/// Appends what a request holds and waits for it.
pub(crate) fn start(context: RequestContext, body: BytesMut) -> Started {
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
    let mut produced = Produced {
        topics: Vec::new(),
        waits: Vec::new(),
        bytes: 0,
    };
    produced.append_all(&context, request);
    if acks == 0 {
        return Started::Done(produced.unacknowledged(&context));
    }
    let log = Arc::clone(&context.serving.log);
    let Some(last) = produced.waits.iter().map(|wait| wait.slot).max() else {
        return Started::Done(produced.answer(&context));
    };
    Started::Waiting(Box::pin(async move {
        match tokio::time::timeout(patience, log.wait(last)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => produced.settle(&log, ResponseError::NotLeaderOrFollower),
            Err(_) => produced.settle(&log, ResponseError::RequestTimedOut),
        }
        produced.answer(&context)
    }))
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
}

impl Produced {
    fn append_all(&mut self, context: &RequestContext, request: ProduceRequest) {
        let image = context.serving.image();
        let refused = refusal(context, &request);
        for topic in request.topics {
            let found = match refused {
                Some(error) => Err(error),
                None => find(context, &image, &topic.key),
            };
            let mut answers = Vec::with_capacity(topic.partitions.len());
            for partition in topic.partitions {
                let place = (self.topics.len(), answers.len());
                answers.push(match &found {
                    Ok(topic) => self.append(context, &image, topic, partition, place),
                    Err(error) => failed(partition.index, *error),
                });
            }
            self.topics.push(TopicAnswer {
                key: topic.key,
                partitions: answers,
            });
        }
    }

    fn append(
        &mut self,
        context: &RequestContext,
        image: &Image,
        topic: &ImageTopic,
        sent: ProducePartition,
        place: (usize, usize),
    ) -> PartitionAnswer {
        let index = sent.index;
        let partition = match context.partition(image, topic, index) {
            Ok(partition) => partition,
            Err(NotHere { error, leader }) => {
                return PartitionAnswer {
                    leader,
                    ..failed(index, error)
                };
            }
        };
        if context.version < ZSTD_FROM && is_zstd(&sent.records) {
            return failed(index, ResponseError::UnsupportedCompressionType);
        }
        let size = sent.records.len();
        let records = if size < COPIED_BELOW {
            BytesMut::from(&sent.records[..])
        } else {
            sent.records
        };
        match partition.append(records, context.serving.env.now()) {
            Ok(appended) => {
                self.bytes += size;
                if let Some(slot) = appended.slot {
                    self.waits.push(Wait {
                        topic: place.0,
                        partition: place.1,
                        slot,
                    });
                }
                PartitionAnswer {
                    base_offset: appended.first.0,
                    log_append_time: appended.log_append_time.map_or(-1, |time| time.0),
                    log_start: appended.log_start.0,
                    ..failed_with(index, NONE)
                }
            }
            Err(error) => {
                let (code, record_errors) = errors::of_append(&error);
                let leader = match code {
                    ResponseError::NotLeaderOrFollower => context.leader(image, topic, index),
                    _ => None,
                };
                PartitionAnswer {
                    record_errors,
                    message: Some(error.to_string()),
                    leader,
                    ..failed(index, code)
                }
            }
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

    fn answer(&self, context: &RequestContext) -> Reply {
        self.errors().for_each(|code| metrics::error(API, code));
        metrics::produced(self.bytes);
        let usage = context.usage(self.bytes, 0);
        let throttle = context.charge(&usage);
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
        answered(context, usage, vec![out.freeze()], throttle)
    }

    /// What follows where no answer is wanted.
    fn unacknowledged(&self, context: &RequestContext) -> Reply {
        metrics::produced(self.bytes);
        let usage = context.usage(self.bytes, 0);
        let throttle = context.charge(&usage);
        let reply = answered(context, usage, Vec::new(), throttle);
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
fn refusal(context: &RequestContext, request: &ProduceRequest) -> Option<ResponseError> {
    if let Some(id) = &request.transactional_id {
        // Transactions do not exist yet, whoever asks.
        context.authorize(Operation::Write, ResourceKind::TransactionalId(id));
        return Some(ResponseError::TransactionalIdAuthorizationFailed);
    }
    let mut batches = request.topics.iter().flat_map(|topic| &topic.partitions);
    if batches.any(|partition| is_transactional(&partition.records)) {
        return Some(ResponseError::TransactionalIdAuthorizationFailed);
    }
    (!matches!(request.acks, -1..=1)).then_some(ResponseError::InvalidRequiredAcks)
}

/// The topic, if the caller may write to it.
fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    key: &TopicKey,
) -> Result<&'i Arc<ImageTopic>, ResponseError> {
    match key {
        TopicKey::Name(name) if context.may(Operation::Write, name) => context
            .topic_by_name(image, name)
            .ok_or(ResponseError::UnknownTopicOrPartition),
        TopicKey::Name(_) => Err(ResponseError::TopicAuthorizationFailed),
        TopicKey::Id(id) => {
            let topic = context
                .topic_by_id(image, *id)
                .ok_or(ResponseError::UnknownTopicId)?;
            let allowed = context.may(Operation::Write, &topic.name);
            if allowed {
                Ok(topic)
            } else {
                Err(ResponseError::TopicAuthorizationFailed)
            }
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

fn is_zstd(records: &[u8]) -> bool {
    const ZSTD: i16 = 4;
    BatchHeader::read(records).is_some_and(|header| header.magic == 2 && header.attributes & 7 == ZSTD)
}

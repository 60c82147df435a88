//! Validation of the batches of a request, before any of them is appended.
//!
//! What a connection validates itself is bounded: other connections wait for it. A batch that takes more is left for a
//! thread where that holds nobody up, and so are all after it; a request as a whole has a budget there, too. The rules of
//! most topics open no compressed batch, and then none of this happens.

use std::sync::Arc;

use bytes::BytesMut;
use firn_catalog::image::{Image, ImageTopic};
use firn_log::batch::{BatchError, BatchHeader, WorkBudget};
use firn_log::partition::{AppendError, Partition, Validated};
use firn_runtime::{Timestamp, blocking};
use kafka_protocol::ResponseError;
use tokio::time::Instant;

use super::find;
use crate::protocol::produce::{ProducePartition, ProduceTopic, TopicKey};
use crate::serving::request::RequestContext;
use crate::serving::topics::NotHere;

/// The first version in which zstd may be used.
const ZSTD_FROM: i16 = 7;
/// Batches below this size are copied: in the log they would keep the whole buffer alive that they came in.
const COPIED_BELOW: usize = 16 * 1024;
/// The work that a connection does itself.
const INLINE: WorkBudget = WorkBudget {
    decompressed: 4 << 20,
    recompressed: 256 << 10,
};

/// How far a batch has come.
pub(super) enum Step {
    /// There is no partition for it here.
    Nowhere(NotHere),
    /// It may not be appended.
    Refused(AppendError),
    /// It takes more work than the connection may do itself.
    Unchecked(Arc<Partition>, BytesMut),
    /// It may be appended.
    Valid(Arc<Partition>, Validated),
}

/// The batches for one topic.
pub(super) struct Checked {
    pub(super) key: TopicKey,
    /// The topic, if it was found.
    pub(super) topic: Option<Arc<ImageTopic>>,
    /// For each batch the partition's index and how far it is.
    pub(super) steps: Vec<(i32, Step)>,
}

/// Finds the partitions of a request and validates its batches, as far as a connection does that itself.
pub(super) fn check(
    context: &RequestContext,
    image: &Image,
    topics: Vec<ProduceTopic>,
    refused: Option<&NotHere>,
) -> Vec<Checked> {
    let mut budget = INLINE;
    let mut exhausted = false;
    let now = context.serving.env.now();
    let mut check_topic = |topic: ProduceTopic| {
        let found = match refused {
            Some(refused) => Err(refused.clone()),
            None => find(context, image, &topic.key),
        };
        let mut check_batch = |sent: ProducePartition| {
            let index = sent.index;
            let mut step = match &found {
                Ok(topic) => locate(context, image, topic, sent),
                Err(refused) => Step::Nowhere(refused.clone()),
            };
            if !exhausted {
                exhausted = step.validate(now, &mut budget);
            }
            (index, step)
        };
        Checked {
            steps: topic.partitions.into_iter().map(&mut check_batch).collect(),
            key: topic.key,
            topic: found.ok().map(Arc::clone),
        }
    };
    topics.into_iter().map(&mut check_topic).collect()
}

fn locate(context: &RequestContext, image: &Image, topic: &ImageTopic, sent: ProducePartition) -> Step {
    match context.partition(image, topic, sent.index) {
        Err(not_here) => Step::Nowhere(not_here),
        // Only brokers write it.
        Ok(_) if topic.audit => Step::Nowhere(ResponseError::InvalidTopicException.into()),
        Ok(_) if context.version < ZSTD_FROM && is_zstd(&sent.records) => {
            Step::Nowhere(ResponseError::UnsupportedCompressionType.into())
        }
        Ok(partition) => Step::Unchecked(partition, sent.records),
    }
}

impl Step {
    /// Validates a batch that is not yet; whether the budget does not suffice for it, which leaves it as it is.
    fn validate(&mut self, now: Timestamp, budget: &mut WorkBudget) -> bool {
        let Self::Unchecked(partition, records) = self else {
            return false;
        };
        *self = match partition.validate(records, now, budget) {
            Ok(valid) => Self::Valid(Arc::clone(partition), valid),
            Err(BatchError::OverBudget) => return true,
            Err(error) => Self::Refused(error.into()),
        };
        false
    }

    fn is_unchecked(&self) -> bool {
        matches!(self, Self::Unchecked(..))
    }
}

/// Whether all that a connection does itself is enough for these.
pub(super) fn is_done(topics: &[Checked]) -> bool {
    let mut steps = topics.iter().flat_map(|topic| &topic.steps);
    !steps.any(|(_, step)| step.is_unchecked())
}

/// Validates the rest where it holds up nobody, a few requests of all connections at a time.
pub(super) async fn check_rest(context: &RequestContext, mut topics: Vec<Checked>) -> Vec<Checked> {
    let serving = &context.serving;
    let turn = Arc::clone(&serving.heavy_validation).acquire_owned().await;
    let now = serving.env.now();
    let timed = context.memo.is_timed().then(|| Arc::clone(&context.memo));
    blocking(&*serving.env.tasks, move || {
        let began = Instant::now();
        let mut budget = WorkBudget::default();
        for (_, step) in topics.iter_mut().flat_map(|topic| &mut topic.steps) {
            if step.validate(now, &mut budget) {
                *step = Step::Refused(BatchError::OverBudget.into());
            }
        }
        if let Some(memo) = timed {
            memo.spend(began.elapsed());
        }
        // The turn ends with the work, even if the connection is gone by then.
        drop(turn);
        topics
    })
    .await
}

/// Copies batches out of the frame that they came in, where the log would keep more of it alive than it keeps of them:
/// small ones, and all where those that will be appended are less than half of the frame.
pub(super) fn detach(topics: &mut [Checked], frame: usize) {
    let large = |step: &Step| match step {
        Step::Valid(_, batch) => batch.shared() >= COPIED_BELOW,
        _ => false,
    };
    let steps = || topics.iter().flat_map(|topic| &topic.steps).map(|(_, step)| step);
    // One that is alone keeps nothing alive if it turns out that it is not appended.
    let alone = steps().filter(|step| large(step)).nth(1).is_none();
    let kept = |step: &Step| match step {
        Step::Valid(partition, batch) if large(step) && (alone || partition.expects(batch)) => batch.shared(),
        _ => 0,
    };
    let dense = steps().map(kept).sum::<usize>() * 2 >= frame;
    for (_, step) in topics.iter_mut().flat_map(|topic| &mut topic.steps) {
        if let Step::Valid(_, batch) = step
            && (batch.shared() < COPIED_BELOW || !dense)
        {
            batch.detach();
        }
    }
}

fn is_zstd(records: &[u8]) -> bool {
    const ZSTD: i16 = 4;
    BatchHeader::read(records).is_some_and(|header| header.magic == 2 && header.attributes & 7 == ZSTD)
}

//! Reading the partitions of a Fetch request, again and again until there is enough.

use std::sync::Arc;

use firn_catalog::ids::Offset;
use firn_catalog::image::Image;
use firn_log::partition::{Isolation, Partition, ReadSlice};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use tokio::sync::Notify;

use super::failed;
use crate::errors;
use crate::protocol::fetch::FetchedPartition;
use crate::seams::{Operation, ResourceKind};
use crate::serving::request::RequestContext;
use crate::serving::sessions::{FetchTarget, FetchTopicKey};
use crate::serving::topics::{NotHere, check_epoch};

/// A target and what it is bound to: the partition, or why there is none.
struct Bound<'a> {
    target: &'a FetchTarget,
    name: Option<Arc<str>>,
    partition: Result<Arc<Partition>, NotHere>,
}

/// The reading of one request.
pub(super) struct Reading<'a> {
    bound: Vec<Bound<'a>>,
    isolation: Isolation,
    max_bytes: usize,
}

/// What one look at all partitions found.
pub(super) struct Pass {
    /// For each target, in order: its topic's name if it is known, and its answer.
    pub(super) partitions: Vec<(Option<Arc<str>>, FetchedPartition)>,
    bytes: usize,
    any_error: bool,
}

impl Pass {
    /// Whether the client need not wait for more.
    pub(super) fn is_enough(&self, min_bytes: i32) -> bool {
        let wanted = usize::try_from(min_bytes).unwrap_or(0);
        self.any_error || self.partitions.is_empty() || self.bytes >= wanted
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(context: &RequestContext, request: &FetchRequest, targets: &'a [FetchTarget]) -> Self {
        let image = context.serving.image();
        let replica = request.replica_state.replica_id.0.max(request.replica_id.0);
        let denied = replica >= 0 && !context.authorize(Operation::ClusterAction, ResourceKind::Cluster);
        let bind = |target: &'a FetchTarget| {
            let (name, partition) = match denied {
                true => (None, Err(ResponseError::TopicAuthorizationFailed.into())),
                false => bind(context, &image, target),
            };
            Bound {
                target,
                name,
                partition,
            }
        };
        let isolation = match request.isolation_level {
            1 => Isolation::ReadCommitted,
            _ => Isolation::ReadUncommitted,
        };
        let most = context
            .serving
            .with_defaults(&image, context.cluster(), |defaults| {
                defaults.number("fetch.max.bytes").unwrap_or(i64::from(i32::MAX))
            });
        let max_bytes = i64::from(request.max_bytes).min(most);
        Self {
            bound: targets.iter().map(bind).collect(),
            isolation,
            max_bytes: usize::try_from(max_bytes).unwrap_or(0),
        }
    }

    /// Asks to be woken when any of the partitions has more, or leaves.
    pub(super) fn watch(&self, waiter: &Arc<Notify>) {
        for partition in self
            .bound
            .iter()
            .filter_map(|bound| bound.partition.as_ref().ok())
        {
            partition.watch(waiter);
        }
    }

    /// Reads what is there.
    pub(super) async fn pass(&mut self) -> Pass {
        let mut pass = Pass {
            partitions: Vec::with_capacity(self.bound.len()),
            bytes: 0,
            any_error: false,
        };
        for bound in &self.bound {
            let left = self.max_bytes.saturating_sub(pass.bytes);
            let fetched = self.read(bound, left, pass.bytes == 0).await;
            pass.any_error |= fetched.error != errors::NONE;
            pass.bytes += fetched.size();
            pass.partitions.push((bound.name.clone(), fetched));
        }
        pass
    }

    async fn read(&self, bound: &Bound<'_>, left: usize, first: bool) -> FetchedPartition {
        let FetchTarget {
            index,
            offset,
            leader_epoch,
            max_bytes,
            ..
        } = *bound.target;
        let partition = match &bound.partition {
            Ok(partition) => partition,
            Err(NotHere { error, leader }) => {
                return FetchedPartition {
                    leader: leader.clone(),
                    ..failed(index, *error)
                };
            }
        };
        if let Err(error) = check_epoch(partition, leader_epoch) {
            return failed(index, error);
        }
        let limit = usize::try_from(max_bytes).unwrap_or(0).min(left);
        let offsets = partition.offsets();
        let within = (offsets.log_start..=offsets.log_end).contains(&Offset(offset));
        if limit == 0 && !first && within {
            // No room for records; the client is told where the log is.
            return self.answer(
                index,
                ReadSlice {
                    batches: Vec::new(),
                    bytes: 0,
                    offsets,
                    aborted: Vec::new(),
                },
                true,
            );
        }
        match partition.read(Offset(offset), limit, self.isolation).await {
            Ok(slice) => {
                let fits = first || slice.bytes <= limit;
                self.answer(index, slice, fits)
            }
            Err(error) => failed(index, errors::of_read(&error)),
        }
    }

    fn answer(&self, index: i32, slice: ReadSlice, fits: bool) -> FetchedPartition {
        let aborted = slice
            .aborted
            .iter()
            .map(|aborted| (aborted.producer_id, aborted.first.0));
        let aborted = match self.isolation {
            Isolation::ReadUncommitted => None,
            Isolation::ReadCommitted if fits => Some(aborted.collect()),
            Isolation::ReadCommitted => Some(Vec::new()),
        };
        FetchedPartition {
            index,
            error: errors::NONE,
            high_watermark: slice.offsets.high_watermark.0,
            last_stable: slice.offsets.last_stable.0,
            log_start: slice.offsets.log_start.0,
            aborted,
            records: if fits { slice.batches } else { Vec::new() },
            leader: None,
        }
    }
}

fn bind(
    context: &RequestContext,
    image: &Image,
    target: &FetchTarget,
) -> (Option<Arc<str>>, Result<Arc<Partition>, NotHere>) {
    let topic = match &target.topic {
        FetchTopicKey::Name(name) => {
            if !context.may(Operation::Read, name) {
                return (None, Err(ResponseError::TopicAuthorizationFailed.into()));
            }
            context
                .topic_by_name(image, name)
                .ok_or(ResponseError::UnknownTopicOrPartition)
        }
        FetchTopicKey::Id(id) => {
            let topic = context
                .topic_by_id(image, *id)
                .ok_or(ResponseError::UnknownTopicId);
            match topic {
                Ok(topic) if !context.may(Operation::Read, &topic.name) => {
                    Err(ResponseError::TopicAuthorizationFailed)
                }
                topic => topic,
            }
        }
    };
    match topic {
        Ok(topic) => (
            Some(Arc::clone(&topic.name)),
            context.partition(image, topic, target.index),
        ),
        Err(error) => (None, Err(error.into())),
    }
}

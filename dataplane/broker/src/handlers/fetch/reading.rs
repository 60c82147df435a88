//! Reading the partitions of a Fetch request, again and again until there is enough.

use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::acl::Operation;
use firn_catalog::ids::{LeaderEpoch, Offset};
use firn_catalog::image::{Image, ImageTopic};
use firn_log::batch::BatchHeader;
use firn_log::partition::{Isolation, Partition, PartitionOffsets, ReadSlice};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use tokio::sync::Notify;

use super::failed;
use crate::errors;
use crate::protocol::fetch::FetchedPartition;
use crate::serving::request::RequestContext;
use crate::serving::sessions::{FetchTarget, FetchTopicKey};
use crate::serving::topics::{NotHere, check_epoch};

/// An answer of whose room less than one part in so many is left is full.
const NEARLY_FULL: usize = 8;

/// A target and what it is bound to: the partition, or why there is none.
struct Bound<'a> {
    target: &'a FetchTarget,
    name: Option<Arc<str>>,
    partition: Result<Arc<Partition>, NotHere>,
}

/// The reading of one request.
pub(super) struct Reading<'a> {
    context: &'a RequestContext,
    /// By which the caller may read what is bound.
    image: Arc<Image>,
    bound: Vec<Bound<'a>>,
    isolation: Isolation,
    min_bytes: usize,
    max_bytes: usize,
}

/// What one look at all partitions found.
pub(super) struct Pass {
    /// For each target, in order: its topic's name if it is known, and its answer.
    pub(super) partitions: Vec<(Option<Arc<str>>, FetchedPartition)>,
    /// Bytes of records.
    pub(super) bytes: usize,
    /// Whether there is no use in waiting: an error, or records that did not fit.
    at_once: bool,
}

impl Pass {
    /// Leaves the records out; the client asks again.
    pub(super) fn drop_records(&mut self) {
        for (_, fetched) in &mut self.partitions {
            fetched.records = Vec::new();
            fetched.aborted.iter_mut().for_each(Vec::clear);
        }
        self.bytes = 0;
    }
}

/// What one look at a partition found.
struct Found {
    fetched: FetchedPartition,
    /// Whether it has records that are not in the answer for lack of room, or because they lie elsewhere.
    more: bool,
}

impl From<FetchedPartition> for Found {
    fn from(fetched: FetchedPartition) -> Self {
        Self { fetched, more: false }
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        context: &'a RequestContext,
        request: &FetchRequest,
        targets: &'a [FetchTarget],
    ) -> Self {
        let image = context.serving.image();
        let replica = request.replica_state.replica_id.0.max(request.replica_id.0);
        let replicates = || context.authorize_cluster(&image, Operation::ClusterAction);
        let denied = replica >= 0 && replicates().is_err();
        let bound = bind(context, &image, targets, |topic| match denied {
            true => Err(ResponseError::TopicAuthorizationFailed.into()),
            false => find(context, &image, topic),
        });
        let isolation = match request.isolation_level {
            1 => Isolation::ReadCommitted,
            _ => Isolation::ReadUncommitted,
        };
        let most = context
            .serving
            .with_defaults(&image, context.cluster(), |defaults| {
                defaults.number("fetch.max.bytes").unwrap_or(i64::from(i32::MAX))
            });
        let max_bytes = usize::try_from(i64::from(request.max_bytes).min(most)).unwrap_or(0);
        let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
        // Who asks for more than a sensible answer holds gets it.
        let sensible = context.fetch_size.most(context.started).max(min_bytes);
        let max_bytes = max_bytes.min(sensible);
        Self {
            context,
            image,
            bound,
            isolation,
            min_bytes: min_bytes.min(max_bytes),
            max_bytes,
        }
    }

    /// Whether the client need not wait for more.
    pub(super) fn is_enough(&self, pass: &Pass) -> bool {
        pass.at_once || pass.partitions.is_empty() || pass.bytes >= self.min_bytes
    }

    /// From here on reads no more than `bytes`.
    pub(super) fn limit(&mut self, bytes: usize) {
        self.max_bytes = self.max_bytes.min(bytes);
        self.min_bytes = self.min_bytes.min(self.max_bytes);
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

    /// Whether what may be read may have changed since it was last looked at.
    pub(super) fn is_outdated(&self) -> bool {
        !Arc::ptr_eq(&self.image, &self.context.serving.image())
    }

    /// Lets go of what the caller may no longer read.
    fn authorize_again(&mut self) {
        self.image = self.context.serving.image();
        // The partitions of one topic mostly follow each other.
        let mut last: Option<(Arc<str>, bool)> = None;
        for bound in &mut self.bound {
            let (Some(name), Ok(_)) = (&bound.name, &bound.partition) else {
                continue;
            };
            let known = last.as_ref().filter(|(last, _)| Arc::ptr_eq(last, name));
            let allowed = match known {
                Some((_, allowed)) => *allowed,
                None => {
                    let read = self.context.authorize_topic(&self.image, Operation::Read, name);
                    last = Some((Arc::clone(name), read.is_ok()));
                    read.is_ok()
                }
            };
            if !allowed {
                bound.partition = Err(ResponseError::TopicAuthorizationFailed.into());
            }
        }
    }

    /// Reads what is there, and what the caller may read by now.
    pub(super) async fn pass(&mut self) -> Pass {
        if self.is_outdated() {
            self.authorize_again();
        }
        let mut pass = Pass {
            partitions: Vec::with_capacity(self.bound.len()),
            bytes: 0,
            at_once: false,
        };
        for bound in &self.bound {
            let left = self.max_bytes.saturating_sub(pass.bytes);
            let Found { fetched, more } = self.read(bound, left, pass.bytes == 0).await;
            pass.at_once |= more || fetched.error != errors::NONE || fetched.diverging.is_some();
            pass.bytes += fetched.size();
            pass.partitions.push((bound.name.clone(), fetched));
        }
        pass
    }

    async fn read(&self, bound: &Bound<'_>, left: usize, first: bool) -> Found {
        let FetchTarget {
            index,
            offset,
            leader_epoch,
            last_epoch,
            max_bytes,
            ..
        } = *bound.target;
        let partition = match &bound.partition {
            Ok(partition) => partition,
            Err(NotHere { error, leader, .. }) => {
                return Found::from(FetchedPartition {
                    leader: leader.clone(),
                    ..failed(index, *error)
                });
            }
        };
        if let Err(error) = check_epoch(partition, leader_epoch) {
            return failed(index, error).into();
        }
        let limit = usize::try_from(max_bytes).unwrap_or(0).min(left);
        let offset = Offset(offset);
        let offsets = partition.offsets();
        let within = (offsets.log_start..=offsets.log_end).contains(&offset);
        let mut answer = self.answer(index, &offsets);
        if last_epoch >= 0 {
            match partition.diverging(LeaderEpoch(last_epoch), offset) {
                Ok(None) => {}
                Ok(Some((epoch, end))) => {
                    answer.diverging = Some((epoch.0, end.0));
                    return answer.into();
                }
                Err(error) => return failed(index, errors::of_read(&error)).into(),
            }
        }
        let nearly_full = left < self.max_bytes / NEARLY_FULL;
        if (limit == 0 || nearly_full) && !first && within {
            // No room for records, or hardly any, which would be read in vain; the client is told where the log is.
            let more = offset < self.bound(&offsets);
            return Found {
                fetched: answer,
                more,
            };
        }
        match partition.read(offset, limit, self.isolation).await {
            Ok(slice) => self.found(index, slice, limit, first),
            Err(error) => failed(index, errors::of_read(&error)).into(),
        }
    }

    /// An answer that tells where the log is, without records.
    fn answer(&self, index: i32, offsets: &PartitionOffsets) -> FetchedPartition {
        FetchedPartition {
            high_watermark: offsets.high_watermark.0,
            last_stable: offsets.last_stable.0,
            log_start: offsets.log_start.0,
            aborted: match self.isolation {
                Isolation::ReadUncommitted => None,
                Isolation::ReadCommitted => Some(Vec::new()),
            },
            ..FetchedPartition::failed(index, errors::NONE)
        }
    }

    fn found(&self, index: i32, slice: ReadSlice, limit: usize, first: bool) -> Found {
        let mut fetched = self.answer(index, &slice.offsets);
        if !first && slice.bytes > limit {
            return Found { fetched, more: true };
        }
        let more = end_of(&slice.batches).is_some_and(|end| end < self.bound(&slice.offsets));
        if let Some(aborted) = &mut fetched.aborted {
            let listed = slice.aborted.iter();
            aborted.extend(listed.map(|aborted| (aborted.producer_id, aborted.first.0)));
        }
        fetched.records = slice.batches;
        Found { fetched, more }
    }

    /// One past the last offset that the client may see.
    fn bound(&self, offsets: &PartitionOffsets) -> Offset {
        match self.isolation {
            Isolation::ReadUncommitted => offsets.high_watermark,
            Isolation::ReadCommitted => offsets.last_stable,
        }
    }
}

/// One past the last offset in these batches.
fn end_of(batches: &[Bytes]) -> Option<Offset> {
    let header = BatchHeader::read(batches.last()?)?;
    Some(Offset(header.base_offset).plus(i64::from(header.last_offset_delta) + 1))
}

/// Binds the targets of a request. What holds for a topic is found out once for those that follow each other.
fn bind<'a, 'i>(
    context: &RequestContext,
    image: &'i Image,
    targets: &'a [FetchTarget],
    find: impl Fn(&FetchTopicKey) -> Result<&'i Arc<ImageTopic>, NotHere>,
) -> Vec<Bound<'a>> {
    let mut last: Option<(&FetchTopicKey, Result<&'i Arc<ImageTopic>, NotHere>)> = None;
    let mut bound = Vec::with_capacity(targets.len());
    for target in targets {
        let known = last.take().filter(|(key, _)| key.is_one_with(&target.topic));
        let (key, topic) = known.unwrap_or_else(|| (&target.topic, find(&target.topic)));
        let (name, partition) = match &topic {
            Ok(topic) => (
                Some(Arc::clone(&topic.name)),
                context.partition(image, topic, target.index),
            ),
            Err(not_here) => (None, Err(not_here.clone())),
        };
        last = Some((key, topic));
        bound.push(Bound {
            target,
            name,
            partition,
        });
    }
    bound
}

/// The topic, if the caller may read it.
fn find<'i>(
    context: &RequestContext,
    image: &'i Image,
    key: &FetchTopicKey,
) -> Result<&'i Arc<ImageTopic>, NotHere> {
    let authorize = |name: &str| {
        let authorized = context.authorize_topic(image, Operation::Read, name);
        authorized.map_err(NotHere::topic)
    };
    match key {
        FetchTopicKey::Name(name) => {
            authorize(name)?;
            let topic = context.topic_by_name(image, name);
            topic.ok_or_else(|| ResponseError::UnknownTopicOrPartition.into())
        }
        FetchTopicKey::Id(id) => {
            let topic = context
                .topic_by_id(image, *id)
                .ok_or(ResponseError::UnknownTopicId)?;
            authorize(&topic.name)?;
            Ok(topic)
        }
    }
}

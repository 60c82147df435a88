//! OffsetFetch 1-9: how far consumers have come: in one group up to 7, in several from 8.
//!
//! Null topics mean all that is committed (from 2; the codec lets it pass in 1 too), without what the caller may not describe
//! and what has been deleted. What is asked for and not committed is answered -1. Version 1 has no place for a group's
//! error and repeats it for each partition. A group, a topic and a partition is answered once, however often it is named.
//! There are no transactions yet: every offset is stable.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::ids::{PartitionId, TopicId};
use firn_catalog::image::Image;
use firn_coordinator::api::{Answer, CommittedOffset, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{ApiKey, GroupId, OffsetFetchRequest, OffsetFetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::errors::NONE;
use crate::serving::groups::of_each;
use crate::serving::request::RequestContext;
use crate::serving::topics::has_partition;

pub(crate) const API: ApiKey = ApiKey::OffsetFetch;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=9;
const GROUP_ERROR_FROM: i16 = 2;
const SEVERAL_FROM: i16 = 8;

/// What is asked of a group: partitions by topics' names, or all that there is.
type Asked = Option<BTreeMap<TopicName, Vec<i32>>>;

pub(crate) async fn handle(context: Arc<RequestContext>, request: OffsetFetchRequest) -> OffsetFetchResponse {
    if context.version >= SEVERAL_FROM {
        let groups = by_group(request.groups);
        let groups = of_each(
            groups
                .into_iter()
                .map(|(group, asked)| of_group(&context, group, asked)),
        )
        .await;
        return OffsetFetchResponse::default().with_groups(groups);
    }
    let mut asked = request.topics.as_ref().map(|_| BTreeMap::new());
    for topic in request.topics.into_iter().flatten() {
        add(&mut asked, topic.name, topic.partition_indexes);
    }
    settle(&mut asked);
    let failed = (context.version < GROUP_ERROR_FROM).then(|| asked.clone());
    match look_up(&context, &request.group_id, asked).await {
        Ok(topics) => OffsetFetchResponse::default().with_topics(topics.into_iter().map(single).collect()),
        Err(error) => {
            let topics = failed.flatten().into_iter().flatten();
            let tell = |(name, indexes): (TopicName, Vec<i32>)| {
                let partitions = indexes.into_iter().map(|index| absent(index, error.code()));
                single(named(name, partitions.collect()))
            };
            OffsetFetchResponse::default()
                .with_error_code(error.code())
                .with_topics(topics.map(tell).collect())
        }
    }
}

/// What is asked of each group, all entries of one together.
fn by_group(entries: Vec<OffsetFetchRequestGroup>) -> BTreeMap<GroupId, Asked> {
    let mut groups = BTreeMap::new();
    for entry in entries {
        let asked = groups
            .entry(entry.group_id)
            .or_insert_with(|| Some(BTreeMap::new()));
        match entry.topics {
            None => *asked = None,
            Some(topics) => {
                for topic in topics {
                    add(asked, topic.name, topic.partition_indexes);
                }
            }
        }
    }
    groups.values_mut().for_each(settle);
    groups
}

fn add(asked: &mut Asked, name: TopicName, mut indexes: Vec<i32>) {
    if let Some(topics) = asked {
        let all = topics.entry(name).or_default();
        if all.is_empty() {
            *all = indexes;
        } else {
            all.append(&mut indexes);
        }
    }
}

/// Leaves each partition once, in order.
fn settle(asked: &mut Asked) {
    for indexes in asked.iter_mut().flat_map(BTreeMap::values_mut) {
        indexes.sort_unstable();
        indexes.dedup();
    }
}

async fn of_group(context: &RequestContext, group: GroupId, asked: Asked) -> OffsetFetchResponseGroup {
    let found = look_up(context, &group, asked).await;
    let answer = OffsetFetchResponseGroup::default().with_group_id(group);
    match found {
        Ok(topics) => answer.with_topics(topics),
        Err(error) => answer.with_error_code(error.code()),
    }
}

async fn look_up(
    context: &RequestContext,
    group: &str,
    asked: Asked,
) -> Result<Vec<OffsetFetchResponseTopics>, ResponseError> {
    let image = context.serving.image();
    context
        .authorize_group(&image, Operation::Describe, group)
        .map_err(|_| ResponseError::GroupAuthorizationFailed)?;
    let take = |answer| match answer {
        Answer::Offsets(offsets) => Some(offsets),
        _ => None,
    };
    let Some(asked) = asked else {
        let committed = context.ask(group, Request::Offsets(None), take).await?;
        return Ok(all(context, &context.serving.image(), &committed));
    };
    let (topics, partitions) = resolve(context, asked);
    let committed = context
        .ask(group, Request::Offsets(Some(partitions)), take)
        .await?;
    Ok(tell(topics, committed))
}

/// A topic that is asked about: its id, unless there is none, or none that the caller may describe.
struct AskedTopic {
    name: TopicName,
    indexes: Vec<i32>,
    topic: Result<Option<TopicId>, ResponseError>,
}

/// The topics, and those of their partitions that there are, in the same order.
fn resolve(
    context: &RequestContext,
    asked: BTreeMap<TopicName, Vec<i32>>,
) -> (Vec<AskedTopic>, Vec<PartitionId>) {
    let image = context.serving.image();
    let (mut topics, mut partitions) = (Vec::with_capacity(asked.len()), Vec::new());
    for (name, indexes) in asked {
        let topic = match context.authorize_topic(&image, Operation::Describe, &name) {
            Ok(()) => Ok(context.topic_by_name(&image, &name)),
            Err(_) => Err(ResponseError::TopicAuthorizationFailed),
        };
        if let Ok(Some(topic)) = topic {
            let existing = indexes.iter().filter(|index| has_partition(topic, **index));
            partitions.extend(existing.map(|index| PartitionId {
                topic: topic.id,
                index: *index,
            }));
        }
        topics.push(AskedTopic {
            name,
            indexes,
            topic: topic.map(|topic| topic.map(|topic| topic.id)),
        });
    }
    (topics, partitions)
}

/// All partitions that are asked about, with their offsets, which are in the same order.
fn tell(
    topics: Vec<AskedTopic>,
    committed: Vec<(PartitionId, CommittedOffset)>,
) -> Vec<OffsetFetchResponseTopics> {
    let mut committed = committed.into_iter().peekable();
    let mut answers = Vec::with_capacity(topics.len());
    for asked in topics {
        let mut partition = |index: i32| match asked.topic {
            Err(error) => absent(index, error.code()),
            Ok(None) => absent(index, NONE),
            Ok(Some(topic)) => {
                let found = committed.next_if(|(partition, _)| *partition == PartitionId { topic, index });
                found.map_or_else(|| absent(index, NONE), |(_, offset)| present(index, &offset))
            }
        };
        let partitions = asked.indexes.iter().map(|index| partition(*index)).collect();
        answers.push(named(asked.name, partitions));
    }
    answers
}

/// All that is committed, which is in the order of topics.
fn all(
    context: &RequestContext,
    image: &Image,
    committed: &[(PartitionId, CommittedOffset)],
) -> Vec<OffsetFetchResponseTopics> {
    let mut answers = Vec::new();
    for of_topic in committed.chunk_by(|(first, _), (second, _)| first.topic == second.topic) {
        let topic = of_topic.first().map(|(partition, _)| partition.topic);
        let topic = topic.and_then(|topic| context.topic_by_id(image, topic));
        let Some(topic) = topic.filter(|topic| context.may_see(image, &topic.name)) else {
            continue;
        };
        let partitions = of_topic
            .iter()
            .map(|(partition, offset)| present(partition.index, offset));
        answers.push(named(TopicName(text(&*topic.name)), partitions.collect()));
    }
    answers
}

fn present(index: i32, offset: &CommittedOffset) -> OffsetFetchResponsePartitions {
    let metadata = match &*offset.metadata {
        "" => StrBytes::new(),
        metadata => text(metadata),
    };
    OffsetFetchResponsePartitions::default()
        .with_partition_index(index)
        .with_committed_offset(offset.offset)
        .with_committed_leader_epoch(offset.leader_epoch)
        .with_metadata(Some(metadata))
}

fn absent(index: i32, code: i16) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions::default()
        .with_partition_index(index)
        .with_committed_offset(-1)
        .with_committed_leader_epoch(-1)
        .with_metadata(Some(StrBytes::new()))
        .with_error_code(code)
}

fn named(name: TopicName, partitions: Vec<OffsetFetchResponsePartitions>) -> OffsetFetchResponseTopics {
    OffsetFetchResponseTopics::default()
        .with_name(name)
        .with_partitions(partitions)
}

/// The same in the shape of the versions that ask a single group.
fn single(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partition = |partition: OffsetFetchResponsePartitions| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_committed_offset(partition.committed_offset)
            .with_committed_leader_epoch(partition.committed_leader_epoch)
            .with_metadata(partition.metadata)
            .with_error_code(partition.error_code)
    };
    OffsetFetchResponseTopic::default()
        .with_name(topic.name)
        .with_partitions(topic.partitions.into_iter().map(partition).collect())
}

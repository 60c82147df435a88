//! Offsets set and forgotten, groups deleted.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, OffsetCommitRequest, OffsetDeleteRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::super::connection::accepted;
use super::{Asking, KafkaError, coordinators};

const OFFSET_COMMIT: i16 = 8;
const OFFSET_DELETE: i16 = 0;
const DELETE_GROUPS: i16 = 2;
/// The generation of who is no member.
const NO_GENERATION: i32 = -1;
/// How many offsets a request sets at most, and how many bytes their group's names may have together: the broker takes as much.
const MOST_OFFSETS: usize = 2_000;
const MOST_NAMES: usize = 1 << 20;

/// An offset to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewOffset {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Sets offsets, which are in the order of topics, as somebody who is no member: a group that has some refuses that.
pub(crate) async fn commit(asking: Asking<'_>, group: &str, offsets: &[NewOffset]) -> Result<(), KafkaError> {
    let most = (MOST_NAMES / group.len().max(1)).clamp(1, MOST_OFFSETS);
    for part in offsets.chunks(most) {
        let request = &commit_of(group, part);
        coordinators::ask(asking, group, |coordinator| async move {
            let Asking { pool, delegate, .. } = asking;
            let response = pool
                .ask(&coordinator.address, delegate, OFFSET_COMMIT, request)
                .await?;
            let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
            partitions.try_for_each(|partition| accepted(partition.error_code))
        })
        .await?;
    }
    Ok(())
}

fn commit_of(group: &str, offsets: &[NewOffset]) -> OffsetCommitRequest {
    let topics = offsets
        .chunk_by(|a, b| a.topic == b.topic)
        .filter_map(|of_topic| {
            let partitions = of_topic.iter().map(|new| {
                OffsetCommitRequestPartition::default()
                    .with_partition_index(new.partition)
                    .with_committed_offset(new.offset)
                    .with_committed_leader_epoch(-1)
                    .with_committed_metadata(Some(StrBytes::new()))
            });
            Some(
                OffsetCommitRequestTopic::default()
                    .with_name(TopicName(text(&of_topic.first()?.topic)))
                    .with_partitions(partitions.collect()),
            )
        });
    OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(NO_GENERATION)
        .with_topics(topics.collect())
}

/// Forgets what is committed in these partitions of a topic.
pub(crate) async fn forget(
    asking: Asking<'_>,
    group: &str,
    topic: &str,
    partitions: &[i32],
) -> Result<(), KafkaError> {
    let partition = |index: &i32| OffsetDeleteRequestPartition::default().with_partition_index(*index);
    let asked = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(partitions.iter().map(partition).collect());
    let request = &OffsetDeleteRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(vec![asked]);
    coordinators::ask(asking, group, |coordinator| async move {
        let Asking { pool, delegate, .. } = asking;
        let response = pool
            .ask(&coordinator.address, delegate, OFFSET_DELETE, request)
            .await?;
        accepted(response.error_code)?;
        let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.try_for_each(|partition| accepted(partition.error_code))
    })
    .await
}

/// Deletes a group that has no members.
pub(crate) async fn delete(asking: Asking<'_>, group: &str) -> Result<(), KafkaError> {
    let request = &DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
    coordinators::ask(asking, group, |coordinator| async move {
        let Asking { pool, delegate, .. } = asking;
        let response = pool
            .ask(&coordinator.address, delegate, DELETE_GROUPS, request)
            .await?;
        let mut results = response.results.iter();
        results.try_for_each(|result| accepted(result.error_code))
    })
    .await
}

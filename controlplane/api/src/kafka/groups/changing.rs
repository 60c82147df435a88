//! Offsets set and forgotten, groups deleted.

use std::sync::atomic::{AtomicBool, Ordering};

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
use super::{Asking, KafkaError, coordinators, has_moved};

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

/// Offsets that were to be set and were not, or not all of them.
#[derive(Debug, thiserror::Error)]
#[error("{set} offsets were set, of {unknown} it is not known, then: {error}")]
pub(crate) struct Unfinished {
    /// How many are set.
    pub(crate) set: usize,
    /// Of how many it is not known.
    pub(crate) unknown: usize,
    /// Why it ended.
    pub(crate) error: KafkaError,
}

/// Sets offsets, which are in the order of topics, as somebody who is no member: a group that has some refuses that. Many take several
/// requests; after one that fails there is no other.
pub(crate) async fn commit(asking: Asking<'_>, group: &str, offsets: &[NewOffset]) -> Result<(), Unfinished> {
    let most = (MOST_NAMES / group.len().max(1)).clamp(1, MOST_OFFSETS);
    let mut set = 0;
    for part in offsets.chunks(most) {
        let request = &commit_of(group, part);
        let asked = &AtomicBool::new(false);
        let answered = coordinators::ask(asking, group, |coordinator| async move {
            let Asking { pool, delegate, .. } = asking;
            asked.store(true, Ordering::Relaxed);
            let response = pool
                .ask(&coordinator.address, delegate, OFFSET_COMMIT, request)
                .await?;
            let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
            let codes: Vec<i16> = partitions.map(|partition| partition.error_code).collect();
            match codes.iter().find(|code| has_moved(&KafkaError::Refused(**code))) {
                Some(code) => Err(KafkaError::Refused(*code)),
                None => Ok(codes),
            }
        })
        .await;
        set = tally(set, part.len(), asked.load(Ordering::Relaxed), answered)?;
    }
    Ok(())
}

/// How many offsets are set after a request for `count` more, of which the codes say what became of each; `asked`: whether the request
/// may have come to its coordinator.
fn tally(
    before: usize,
    count: usize,
    asked: bool,
    answered: Result<Vec<i16>, KafkaError>,
) -> Result<usize, Unfinished> {
    let codes = match answered {
        Ok(codes) if codes.len() == count => codes,
        Ok(codes) => {
            let error = KafkaError::Nonsense(format!("{} answers about {count} offsets", codes.len()));
            let (set, unknown) = (before, count);
            return Err(Unfinished { set, unknown, error });
        }
        // The coordinator refuses all of it, or has not heard of it.
        Err(error) => {
            let unknown = match error {
                KafkaError::Refused(_) => 0,
                _ if !asked => 0,
                _ => count,
            };
            let set = before;
            return Err(Unfinished { set, unknown, error });
        }
    };
    let set = before + codes.iter().filter(|code| **code == 0).count();
    let unknown = codes.iter().filter(|code| is_uncertain(**code)).count();
    match codes.into_iter().find(|code| *code != 0) {
        None => Ok(set),
        Some(code) => Err(Unfinished {
            set,
            unknown,
            error: KafkaError::Refused(code),
        }),
    }
}

/// Whether an offset may have been set although the broker says this: it could not say, or not in time.
fn is_uncertain(code: i16) -> bool {
    const UNKNOWN_SERVER_ERROR: i16 = -1;
    const REQUEST_TIMED_OUT: i16 = 7;
    const STORAGE_ERROR: i16 = 56;
    matches!(code, UNKNOWN_SERVER_ERROR | REQUEST_TIMED_OUT | STORAGE_ERROR)
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

#[cfg(test)]
mod tests {
    use firn_catalog::entities::Address;

    use super::*;

    fn counted(outcome: Result<usize, Unfinished>) -> Result<usize, (usize, usize)> {
        outcome.map_err(|unfinished| (unfinished.set, unfinished.unknown))
    }

    fn lost() -> KafkaError {
        KafkaError::Unreachable {
            address: Address {
                host: "127.0.0.1".to_owned(),
                port: 1,
            },
            cause: "closed".to_owned(),
        }
    }

    #[test]
    fn what_is_set_is_counted_and_what_nobody_knows_too() {
        assert_eq!(counted(tally(2_000, 3, true, Ok(vec![0, 0, 0]))), Ok(2_003));
        // Some of them are refused.
        assert_eq!(counted(tally(2_000, 3, true, Ok(vec![0, 3, 0]))), Err((2_002, 0)));
        assert_eq!(
            counted(tally(2_000, 3, true, Ok(vec![-1, 7, 0]))),
            Err((2_001, 2))
        );
        // All of them are, as by a group that has members now.
        let occupied = KafkaError::Refused(super::super::UNKNOWN_MEMBER);
        assert_eq!(counted(tally(2_000, 3, true, Err(occupied))), Err((2_000, 0)));
        // The connection ends before the answer; there was no connection; the answer is none.
        assert_eq!(counted(tally(2_000, 3, true, Err(lost()))), Err((2_000, 3)));
        assert_eq!(counted(tally(2_000, 3, false, Err(lost()))), Err((2_000, 0)));
        assert_eq!(counted(tally(2_000, 3, true, Ok(vec![0]))), Err((2_000, 3)));
    }
}

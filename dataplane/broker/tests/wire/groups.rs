//! Consumer groups, as clients use them.

mod administration;
mod members;
mod offsets;
mod permissions;

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, OffsetCommitRequest, OffsetFetchRequest,
    SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;

use crate::support::client::{Client, text, topic_name};
use crate::support::{Bench, Setup};

/// A member that wants topic `t`, in the words of the Java consumer.
const WANTS_T: &[u8] = b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff";

/// New groups do not wait for more members.
const AT_ONCE: (&str, &str) = ("group.initial.rebalance.delay.ms", "0");

/// A broker whose groups can be asked, with the topic `t` of three partitions.
async fn bench() -> Bench {
    let bench = Bench::with(Setup {
        kafka: vec![AT_ONCE],
        ..Setup::default()
    })
    .await;
    bench.coordinators().await;
    bench.client().await.create_topic("t", 3).await;
    bench
}

fn group(name: &str) -> GroupId {
    text(name).into()
}

fn join(name: &str, member: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(WANTS_T));
    JoinGroupRequest::default()
        .with_group_id(group(name))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// A member of a generation.
#[derive(Clone, Debug)]
struct Member {
    group: String,
    id: StrBytes,
    generation: i32,
    instance: Option<StrBytes>,
}

impl Member {
    fn of(name: &str, joined: &JoinGroupResponse) -> Self {
        assert_eq!(joined.error_code, 0);
        Self {
            group: name.to_owned(),
            id: joined.member_id.clone(),
            generation: joined.generation_id,
            instance: None,
        }
    }

    fn sync(&self, version: i16, assignments: &[(&StrBytes, &'static str)]) -> SyncGroupRequest {
        let assignment = |(member, assigned): &(&StrBytes, &'static str)| {
            SyncGroupRequestAssignment::default()
                .with_member_id((*member).clone())
                .with_assignment(Bytes::from_static(assigned.as_bytes()))
        };
        let named = |name| (version >= 5).then(|| text(name));
        SyncGroupRequest::default()
            .with_group_id(group(&self.group))
            .with_generation_id(self.generation)
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance.clone())
            .with_protocol_type(named("consumer"))
            .with_protocol_name(named("range"))
            .with_assignments(assignments.iter().map(assignment).collect())
    }

    fn heartbeat(&self) -> HeartbeatRequest {
        HeartbeatRequest::default()
            .with_group_id(group(&self.group))
            .with_generation_id(self.generation)
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance.clone())
    }

    fn commit(&self, topic: &str, partitions: Vec<OffsetCommitRequestPartition>) -> OffsetCommitRequest {
        commit(&self.group, topic, partitions)
            .with_member_id(self.id.clone())
            .with_generation_id_or_member_epoch(self.generation)
            .with_group_instance_id(self.instance.clone())
    }
}

/// A group of one member, which has its assignment: "mine".
async fn stable(client: &mut Client, name: &str) -> Member {
    let member = Member::of(name, &client.call(3, &join(name, "")).await);
    let synced = client.call(3, &member.sync(3, &[(&member.id, "mine")])).await;
    assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"mine"[..]));
    member
}

fn offset(index: i32, offset: i64) -> OffsetCommitRequestPartition {
    OffsetCommitRequestPartition::default()
        .with_partition_index(index)
        .with_committed_offset(offset)
}

/// A commit of a consumer without a group's management.
fn commit(name: &str, topic: &str, partitions: Vec<OffsetCommitRequestPartition>) -> OffsetCommitRequest {
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(partitions);
    OffsetCommitRequest::default()
        .with_group_id(group(name))
        .with_topics(vec![topic])
}

/// The code of each partition of the first topic.
async fn committed(client: &mut Client, version: i16, request: &OffsetCommitRequest) -> Vec<i16> {
    let response = client.call(version, request).await;
    let partitions = &response.topics[0].partitions;
    partitions.iter().map(|partition| partition.error_code).collect()
}

/// What is asked of a group, in the shape of the versions that ask several; no topics: all that there is.
fn asked(name: &str, topics: Option<&[(&str, &[i32])]>) -> OffsetFetchRequestGroup {
    let topic = |(name, indexes): &(&str, &[i32])| {
        OffsetFetchRequestTopics::default()
            .with_name(topic_name(name))
            .with_partition_indexes(indexes.to_vec())
    };
    OffsetFetchRequestGroup::default()
        .with_group_id(group(name))
        .with_topics(topics.map(|topics| topics.iter().map(topic).collect()))
}

/// What is told of groups: of each its name, its code, and of each partition (topic, partition, offset, code), in this order.
type Told = Vec<(String, i16, Vec<(String, i32, i64, i16)>)>;

async fn fetched(client: &mut Client, groups: Vec<OffsetFetchRequestGroup>) -> Told {
    let request = OffsetFetchRequest::default().with_groups(groups);
    let response = client.call(8, &request).await;
    let told = response.groups.iter().map(|group| {
        let partitions = group.topics.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|p| {
                let name = topic.name.to_string();
                (name, p.partition_index, p.committed_offset, p.error_code)
            })
        });
        let mut partitions: Vec<_> = partitions.collect();
        partitions.sort();
        (group.group_id.to_string(), group.error_code, partitions)
    });
    told.collect()
}

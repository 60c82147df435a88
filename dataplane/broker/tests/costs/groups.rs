//! Requests of and about groups, of very many, very short entries.

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    join_group_request as join, leave_group_request as leave, offset_commit_request as commit,
    offset_delete_request as delete, offset_fetch_request as fetch, sync_group_request as sync,
};
use kafka_protocol::protocol::StrBytes;

use super::support::client::{Client, text, topic_name};
use super::{Many, THERE, each, many, name};

/// A group with an offset of the topic that is there.
const COMMITTED: &str = "committed";

fn group(name: &str) -> m::GroupId {
    text(name).into()
}

/// A join of a new group, with so many protocols: by names, or all without.
fn joining(group_name: &str, version: i16, names: fn(i32) -> StrBytes) -> m::JoinGroupRequest {
    let protocol = |number| {
        join::JoinGroupRequestProtocol::default()
            .with_name(names(number))
            .with_metadata(Bytes::new())
    };
    m::JoinGroupRequest::default()
        .with_group_id(group(group_name))
        .with_session_timeout_ms(6_000)
        .with_rebalance_timeout_ms(6_000)
        // A member without a static id would only be told to come again.
        .with_group_instance_id((version >= 5).then(|| text("i")))
        .with_protocol_type(text("kind"))
        .with_protocols(each(protocol))
}

pub async fn of_members(all: &mut Vec<Many>, client: &mut Client) {
    for version in [0, 3, 5, 6, 9] {
        many(
            all,
            version,
            &joining(&format!("a{version}"), version, |number| name(number).0),
        );
        // From 6 on these would be too short to be accepted.
        if version < 6 {
            let nameless = joining(&format!("b{version}"), version, |_| StrBytes::new());
            many(all, version, &nameless);
        }
    }
    for version in [0, 3, 4, 5] {
        let leads = format!("c{version}");
        let mut request = joining(&leads, 0, |number| name(number).0);
        request.protocols.truncate(1);
        let leader = client.call(3, &request).await;
        for (of, id, generation) in [("absent", text("m"), 1), (&leads, leader.member_id, 1)] {
            let assignment = |number| {
                sync::SyncGroupRequestAssignment::default()
                    .with_member_id(name(number).0)
                    .with_assignment(Bytes::new())
            };
            let named = |name: StrBytes| (version >= 5).then_some(name);
            let request = m::SyncGroupRequest::default()
                .with_group_id(group(of))
                .with_member_id(id)
                .with_generation_id(generation)
                .with_protocol_type(named(text("kind")))
                .with_protocol_name(named(name(0).0))
                .with_assignments(each(assignment));
            many(all, version, &request);
        }
    }
    for version in [3, 4, 5] {
        let member = |number| leave::MemberIdentity::default().with_member_id(name(number).0);
        for of in ["absent", "c0"] {
            let request = m::LeaveGroupRequest::default()
                .with_group_id(group(of))
                .with_members(each(member));
            many(all, version, &request);
        }
    }
}

pub async fn of_offsets(all: &mut Vec<Many>, client: &mut Client) {
    assert_eq!(client.commit(COMMITTED, THERE, 1).await, 0);
    for version in [2, 5, 6, 8, 9] {
        let partition = |index| commit::OffsetCommitRequestPartition::default().with_partition_index(index);
        let topic = |name| commit::OffsetCommitRequestTopic::default().with_name(name);
        let with = |topics| {
            m::OffsetCommitRequest::default()
                .with_group_id(group(COMMITTED))
                .with_topics(topics)
        };
        let absent = topic(topic_name("t")).with_partitions(each(partition));
        many(all, version, &with(vec![absent]));
        let there = topic(topic_name(THERE)).with_partitions(each(|_| partition(0)));
        many(all, version, &with(vec![there]));
        many(
            all,
            version,
            &with(each(|number| {
                topic(name(number)).with_partitions(vec![partition(0)])
            })),
        );
    }
    for version in [1, 2, 5, 6, 7] {
        let topic = |name| fetch::OffsetFetchRequestTopic::default().with_name(name);
        let with = |topics| {
            m::OffsetFetchRequest::default()
                .with_group_id(group(COMMITTED))
                .with_topics(Some(topics))
        };
        for of in ["t", THERE] {
            let indexes = topic(topic_name(of)).with_partition_indexes(each(|index| index));
            many(all, version, &with(vec![indexes]));
        }
        many(
            all,
            version,
            &with(each(|number| topic(name(number)).with_partition_indexes(vec![0]))),
        );
    }
    for version in [8, 9] {
        let topic = |name| fetch::OffsetFetchRequestTopics::default().with_name(name);
        let of = |name: &str, topics| {
            fetch::OffsetFetchRequestGroup::default()
                .with_group_id(group(name))
                .with_topics(topics)
        };
        let with = |groups| m::OffsetFetchRequest::default().with_groups(groups);
        let indexes = topic(topic_name(THERE)).with_partition_indexes(each(|index| index));
        many(all, version, &with(vec![of(COMMITTED, Some(vec![indexes]))]));
        let topics = each(|number| topic(name(number)).with_partition_indexes(vec![0]));
        many(all, version, &with(vec![of(COMMITTED, Some(topics))]));
        many(all, version, &with(each(|number| of(&name(number), None))));
        many(all, version, &with(each(|_| of(COMMITTED, None))));
    }
}

pub fn of_forgotten_offsets(all: &mut Vec<Many>) {
    let partition = |index| delete::OffsetDeleteRequestPartition::default().with_partition_index(index);
    let topic = |name| delete::OffsetDeleteRequestTopic::default().with_name(name);
    let with = |topics| {
        m::OffsetDeleteRequest::default()
            .with_group_id(group(COMMITTED))
            .with_topics(topics)
    };
    many(
        all,
        0,
        &with(vec![topic(topic_name("t")).with_partitions(each(partition))]),
    );
    many(all, 0, &with(each(|number| topic(name(number)))));
    let again = each(|_| partition(0));
    many(
        all,
        0,
        &with(vec![topic(topic_name(THERE)).with_partitions(again)]),
    );
}

pub fn of_administration(all: &mut Vec<Many>) {
    let groups = || each(|number| name(number).0.into());
    for version in [0, 5, 6] {
        let request = m::DescribeGroupsRequest::default()
            .with_groups(groups())
            .with_include_authorized_operations(version >= 3);
        many(all, version, &request);
    }
    for version in [0, 2] {
        let request = m::DeleteGroupsRequest::default().with_groups_names(groups());
        many(all, version, &request);
    }
    for kind in [0, 1, 2] {
        let request = m::FindCoordinatorRequest::default()
            .with_key_type(kind)
            .with_coordinator_keys(each(|number| name(number).0));
        many(all, 6, &request);
    }
    for version in [4, 5] {
        let request = m::ListGroupsRequest::default()
            .with_states_filter(each(|_| text("Empty")))
            .with_types_filter(each(|_| text("classic")).split_off(if version >= 5 { 0 } else { 20_000 }));
        many(all, version, &request);
    }
}

//! Requests of and about groups. Those that name topics too are about the group [`GROUP`]; the others name groups as others do
//! topics.

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    join_group_request as join, leave_group_request as leave, offset_commit_request as commit,
    offset_delete_request as delete, offset_fetch_request as fetch, sync_group_request as sync,
};

use super::{Sample, Subject, add};
use crate::support::client::{text, topic_name};

/// The group whose offsets are asked for.
pub const GROUP: &str = "g";

pub fn of_members(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    // No session is that short: it is refused at once, and nobody waits for other members.
    add(samples, 0..=9, |_| {
        let protocol = join::JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from_static(b"what I want"));
        m::JoinGroupRequest::default()
            .with_group_id(text(about.name).into())
            .with_rebalance_timeout_ms(1)
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol; about.inner])
    });
    add(samples, 0..=5, |version| {
        let assignment = sync::SyncGroupRequestAssignment::default()
            .with_member_id(text("m"))
            .with_assignment(Bytes::from_static(b"what you get"));
        let named = |name| (version >= 5).then(|| text(name));
        m::SyncGroupRequest::default()
            .with_group_id(text(about.name).into())
            .with_member_id(text("m"))
            .with_generation_id(1)
            .with_protocol_type(named("consumer"))
            .with_protocol_name(named("range"))
            .with_assignments(vec![assignment; about.inner])
    });
    add(samples, 0..=4, |_| {
        m::HeartbeatRequest::default()
            .with_group_id(text(about.name).into())
            .with_member_id(text("m"))
            .with_generation_id(1)
    });
    add(samples, 0..=5, |version| {
        let request = m::LeaveGroupRequest::default().with_group_id(text(about.name).into());
        if version < 3 {
            return request.with_member_id(text("m"));
        }
        let member = leave::MemberIdentity::default().with_member_id(text("m"));
        request.with_members(vec![member; about.outer])
    });
}

pub fn of_offsets(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 2..=9, |_| {
        let partition = commit::OffsetCommitRequestPartition::default().with_committed_offset(7);
        let topic = commit::OffsetCommitRequestTopic::default()
            .with_name(topic_name(about.name))
            .with_partitions(vec![partition; about.inner]);
        m::OffsetCommitRequest::default()
            .with_group_id(text(GROUP).into())
            .with_topics(vec![topic; about.outer])
    });
    add(samples, 1..=9, |version| {
        let indexes = vec![0; about.inner];
        if version < 8 {
            let topic = fetch::OffsetFetchRequestTopic::default()
                .with_name(topic_name(about.name))
                .with_partition_indexes(indexes);
            return m::OffsetFetchRequest::default()
                .with_group_id(text(GROUP).into())
                .with_topics(Some(vec![topic; about.outer]));
        }
        let topic = fetch::OffsetFetchRequestTopics::default()
            .with_name(topic_name(about.name))
            .with_partition_indexes(indexes);
        let group = fetch::OffsetFetchRequestGroup::default()
            .with_group_id(text(GROUP).into())
            .with_topics(Some(vec![topic; about.outer]));
        m::OffsetFetchRequest::default().with_groups(vec![group])
    });
}

/// The last of them takes offsets away.
pub fn of_administration(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 0..=6, |version| {
        if version < 4 {
            return m::FindCoordinatorRequest::default().with_key(text(about.name));
        }
        m::FindCoordinatorRequest::default().with_coordinator_keys(vec![text(about.name); about.outer])
    });
    add(samples, 0..=5, |version| {
        let named = |first, name, times| vec![text(name); if version >= first { times } else { 0 }];
        m::ListGroupsRequest::default()
            .with_states_filter(named(4, "Empty", about.outer))
            .with_types_filter(named(5, "classic", about.inner))
    });
    add(samples, 0..=6, |_| {
        let groups = vec![text(about.name).into(); about.outer];
        m::DescribeGroupsRequest::default().with_groups(groups)
    });
    add(samples, 0..=2, |_| {
        let groups = vec![text(about.name).into(); about.outer];
        m::DeleteGroupsRequest::default().with_groups_names(groups)
    });
    add(samples, 0..=0, |_| {
        let partition = delete::OffsetDeleteRequestPartition::default();
        let topic = delete::OffsetDeleteRequestTopic::default()
            .with_name(topic_name(about.name))
            .with_partitions(vec![partition; about.inner]);
        m::OffsetDeleteRequest::default()
            .with_group_id(text(GROUP).into())
            .with_topics(vec![topic; about.outer])
    });
}

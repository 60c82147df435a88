//! Members, their assignments, and what is committed.

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{DescribeGroupsRequest, GroupId, OffsetFetchRequest};
use kafka_protocol::protocol::StrBytes;

use super::super::connection::accepted;
use super::{Asking, Coordinated, GROUP_NOT_FOUND, KafkaError, assignment, coordinators};

const DESCRIBE_GROUPS: i16 = 6;
const OFFSET_FETCH: i16 = 8;
/// The kind of protocols whose assignments are partitions.
const CONSUMER: &str = "consumer";

/// A group as its coordinator describes it.
#[derive(Clone, Debug)]
pub(crate) struct GroupState {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) protocol_type: String,
    /// Empty, unless it is stable.
    pub(crate) protocol: String,
    /// In the order of their ids.
    pub(crate) members: Vec<Member>,
}

/// A member of a group.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) host: String,
    /// Partitions by topic.
    pub(crate) assignment: BTreeMap<String, Vec<i32>>,
}

/// An offset that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) metadata: String,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Describes a group; `None`: there is none of that name.
pub(crate) async fn describe(asking: Asking<'_>, group: &str) -> Result<Option<GroupState>, KafkaError> {
    coordinators::ask(asking, group, |coordinator| async move {
        let mut described = describe_at(asking, &coordinator, &[group]).await?;
        Ok(described.pop())
    })
    .await
}

/// Describes groups of one coordinator; those that there are.
pub(crate) async fn describe_at(
    asking: Asking<'_>,
    coordinator: &Coordinated,
    groups: &[&str],
) -> Result<Vec<GroupState>, KafkaError> {
    let names = groups.iter().map(|group| GroupId(text(group))).collect();
    let request = DescribeGroupsRequest::default().with_groups(names);
    let response = asking
        .pool
        .ask(&coordinator.address, asking.delegate, DESCRIBE_GROUPS, &request)
        .await?;
    let mut described = Vec::with_capacity(response.groups.len());
    for group in response.groups {
        match group.error_code {
            GROUP_NOT_FOUND => {}
            code => {
                accepted(code)?;
                described.push(state(group));
            }
        }
    }
    Ok(described)
}

fn state(group: DescribedGroup) -> GroupState {
    let consumes = &*group.protocol_type == CONSUMER;
    let member = |member: DescribedGroupMember| Member {
        id: member.member_id.to_string(),
        instance: member.group_instance_id.map(|instance| instance.to_string()),
        client_id: member.client_id.to_string(),
        host: member.client_host.trim_start_matches('/').to_owned(),
        assignment: match consumes {
            true => assignment::read(&member.member_assignment),
            false => BTreeMap::new(),
        },
    };
    GroupState {
        name: group.group_id.to_string(),
        state: group.group_state.to_string(),
        protocol_type: group.protocol_type.to_string(),
        protocol: group.protocol_data.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}

/// What is committed in a group, in topics that the caller may see.
pub(crate) async fn committed(asking: Asking<'_>, group: &str) -> Result<Vec<Committed>, KafkaError> {
    coordinators::ask(asking, group, |coordinator| async move {
        let mut committed = committed_at(asking, &coordinator, &[group]).await?;
        Ok(committed.remove(group).unwrap_or_default())
    })
    .await
}

/// The same of several groups of one coordinator, by group. One that cannot be told now is missing.
pub(crate) async fn committed_at(
    asking: Asking<'_>,
    coordinator: &Coordinated,
    groups: &[&str],
) -> Result<BTreeMap<String, Vec<Committed>>, KafkaError> {
    let of_group = |group: &&str| {
        OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(text(group)))
            .with_topics(None)
    };
    let request = OffsetFetchRequest::default().with_groups(groups.iter().map(of_group).collect());
    let response = asking
        .pool
        .ask(&coordinator.address, asking.delegate, OFFSET_FETCH, &request)
        .await?;
    let mut all = BTreeMap::new();
    for group in response.groups {
        if groups.len() == 1 {
            accepted(group.error_code)?;
        } else if group.error_code != 0 {
            continue;
        }
        let offsets = group.topics.into_iter().flat_map(|topic| {
            let name = topic.name.to_string();
            topic.partitions.into_iter().map(move |partition| Committed {
                topic: name.clone(),
                partition: partition.partition_index,
                offset: partition.committed_offset,
                metadata: partition
                    .metadata
                    .map(|text| text.to_string())
                    .unwrap_or_default(),
            })
        });
        let mut offsets: Vec<_> = offsets.filter(|committed| committed.offset >= 0).collect();
        offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        all.insert(group.group_id.to_string(), offsets);
    }
    Ok(all)
}

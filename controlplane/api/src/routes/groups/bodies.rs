//! Groups as bodies show them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::behind::Behind;
use crate::kafka::groups::{GroupState, ListedGroup};
use crate::routes::topics::Place;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GroupState)]
pub(super) enum StateBody {
    /// Without members.
    Empty,
    /// Members join.
    PreparingRebalance,
    /// Partitions are being assigned.
    CompletingRebalance,
    /// Every member has its partitions.
    Stable,
}

impl StateBody {
    /// Each with its own name and Kafka's.
    pub(super) const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Empty, "empty", "Empty"),
        (
            Self::PreparingRebalance,
            "preparing_rebalance",
            "PreparingRebalance",
        ),
        (
            Self::CompletingRebalance,
            "completing_rebalance",
            "CompletingRebalance",
        ),
        (Self::Stable, "stable", "Stable"),
    ];

    /// The one that Kafka calls so; what is none of these has no members.
    pub(super) fn of_kafka(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|(_, _, kafka)| *kafka == name);
        known.map_or(Self::Empty, |(state, _, _)| state)
    }
}

/// A consumer group in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupBody {
    /// Its name, which means something in its cluster only.
    group: String,
    /// Where it stands.
    state: StateBody,
    /// The kind of its protocols: `consumer`, `connect`; empty if only consumers without members commit to it.
    protocol_type: String,
    /// How partitions are assigned, if it is stable.
    protocol: Option<String>,
    /// How many members it has; null if its coordinator does not tell now.
    #[schema(minimum = 0)]
    members: Option<usize>,
    /// The node that coordinates it.
    coordinator: Option<i32>,
    /// The topics of which its members have parts.
    topics: Vec<String>,
    /// Records that it has not passed, if `with=lag` asks for it and it is known.
    #[schema(minimum = 0)]
    lag_records: Option<i64>,
    /// How old the oldest of them is, in seconds, if that is known.
    #[schema(minimum = 0)]
    lag_seconds: Option<f64>,
}

impl GroupBody {
    pub(super) fn of(
        place: &Place,
        listed: ListedGroup,
        state: Option<&GroupState>,
        behind: Option<&Behind>,
    ) -> Self {
        let known = state.map_or(&listed.state, |state| &state.state);
        Self {
            state: StateBody::of_kafka(known),
            protocol_type: listed.protocol_type,
            protocol: protocol(state),
            members: state.map(|state| state.members.len()),
            coordinator: Some(listed.coordinator.node),
            topics: topics(place, state),
            lag_records: behind.and_then(Behind::records),
            lag_seconds: behind.and_then(Behind::seconds),
            group: listed.name,
        }
    }
}

/// The groups of a page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupListing)]
pub(super) struct ListingBody {
    /// What is on this page.
    pub(super) items: Vec<GroupBody>,
    /// Where the next page begins: pass it as `cursor`. None on the last one.
    pub(super) next_cursor: Option<String>,
    /// The nodes of brokers that did not answer: groups that they coordinate are missing.
    pub(super) silent_brokers: Vec<i32>,
}

/// A consumer group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupDetail {
    /// Its name, which means something in its cluster only.
    group: String,
    /// Where it stands.
    state: StateBody,
    /// The kind of its protocols: `consumer`, `connect`; empty if only consumers without members commit to it.
    protocol_type: String,
    /// How partitions are assigned, if it is stable.
    protocol: Option<String>,
    /// The node that coordinates it.
    coordinator: Option<i32>,
    /// Who is in it, in the order of their ids.
    members: Vec<MemberBody>,
}

/// A member of a consumer group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupMember)]
struct MemberBody {
    /// The id that it was given.
    member_id: String,
    /// The id that it has chosen (`group.instance.id`), if it is static.
    instance_id: Option<String>,
    /// Its client id.
    client_id: String,
    /// Where it is.
    host: String,
    /// What it has been assigned, if its group is stable and of consumers. Topics that the caller may not see are left out.
    assignment: Vec<AssignedTopic>,
}

/// Partitions of a topic that a member has.
#[derive(Debug, Serialize, ToSchema)]
struct AssignedTopic {
    /// The topic's name.
    topic: String,
    /// The partitions, in order.
    partitions: Vec<i32>,
}

impl GroupDetail {
    pub(super) fn of(place: &Place, state: GroupState, coordinator: Option<i32>) -> Self {
        let assigned = |assignment: BTreeMap<String, Vec<i32>>| {
            let seen = assignment.into_iter().filter(|(topic, _)| place.may_see(topic));
            seen.map(|(topic, partitions)| AssignedTopic { topic, partitions })
                .collect()
        };
        Self {
            state: StateBody::of_kafka(&state.state),
            protocol: protocol(Some(&state)),
            coordinator,
            group: state.name,
            protocol_type: state.protocol_type,
            members: state
                .members
                .into_iter()
                .map(|member| MemberBody {
                    member_id: member.id,
                    instance_id: member.instance,
                    client_id: member.client_id,
                    host: member.host,
                    assignment: assigned(member.assignment),
                })
                .collect(),
        }
    }
}

fn protocol(state: Option<&GroupState>) -> Option<String> {
    let protocol = state.map(|state| state.protocol.clone());
    protocol.filter(|protocol| !protocol.is_empty())
}

fn topics(place: &Place, state: Option<&GroupState>) -> Vec<String> {
    let members = state.into_iter().flat_map(|state| &state.members);
    let mut topics: Vec<_> = members
        .flat_map(|member| member.assignment.keys())
        .filter(|topic| place.may_see(topic))
        .cloned()
        .collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

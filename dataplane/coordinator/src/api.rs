//! What a shard is asked, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::{ClusterId, PartitionId};

pub use crate::offsets::CommittedOffset;

/// A group: its name means something only in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The cluster.
    pub cluster: ClusterId,
    /// The group's name.
    pub name: Arc<str>,
}

/// Why a group does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The name of the group is empty.
    #[error("a group has a name")]
    InvalidGroup,
    /// The session timeout is outside of the bounds.
    #[error(
        "the session timeout is not within group.min.session.timeout.ms and group.max.session.timeout.ms"
    )]
    InvalidSessionTimeout,
    /// The member shares no protocol with the others.
    #[error("the member has no protocol in common with the group")]
    InconsistentProtocol,
    /// There is no such member: join anew.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another member has this static id now.
    #[error("another member has this group.instance.id now")]
    FencedInstance,
    /// The generation is not the current one.
    #[error("the generation is not the current one")]
    IllegalGeneration,
    /// Members are joining: join too.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// Join again with this member id.
    #[error("join again with the member id of this answer")]
    MemberIdRequired,
    /// The group has as many members as it may.
    #[error("the group has as many members as group.max.size allows")]
    GroupFull,
    /// The cluster has as many groups as it may.
    #[error("the cluster has as many groups as it may have")]
    TooManyGroups,
    /// There is no such group.
    #[error("there is no such group")]
    GroupNotFound,
    /// The group has members.
    #[error("the group has members")]
    NonEmptyGroup,
    /// Members of the group subscribe to the topic.
    #[error("the group is subscribed to the topic")]
    Subscribed,
    /// The text that comes with the offset is too long.
    #[error("the offset's metadata is longer than offset.metadata.max.bytes")]
    MetadataTooLarge,
}

/// Who a request is from, within a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRef {
    /// The id that the coordinator gave; empty if it has given none.
    pub id: Arc<str>,
    /// The id that the member has chosen, if it is static (KIP-345).
    pub instance: Option<Arc<str>>,
}

/// A member wants to be part of the next generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Who.
    pub member: MemberRef,
    /// Its client id.
    pub client_id: Arc<str>,
    /// Where it is.
    pub client_host: Arc<str>,
    /// After which silence it is out.
    pub session_timeout: Duration,
    /// How long a rebalance waits for it.
    pub rebalance_timeout: Duration,
    /// What kind of protocols: `consumer`, `connect`, ...
    pub protocol_type: Arc<str>,
    /// The protocols that it supports, the best first, with what it says to the leader in each.
    pub protocols: Vec<(Arc<str>, Bytes)>,
    /// A new dynamic member first gets an id and joins again with it (KIP-394, JoinGroup 4).
    pub known_id_required: bool,
    /// The leader may be told not to assign anything (KIP-814, JoinGroup 9).
    pub may_skip_assignment: bool,
    /// Unlike any other: what follows the client's name in the id of a new member.
    pub unique: u128,
}

/// A member as the leader is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub id: Arc<str>,
    /// Its static id.
    pub instance: Option<Arc<str>>,
    /// What it said in the group's protocol.
    pub metadata: Bytes,
}

/// A member is part of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its id.
    pub member: Arc<str>,
    /// The generation.
    pub generation: i32,
    /// The kind of protocols.
    pub protocol_type: Arc<str>,
    /// The protocol that all have.
    pub protocol: Arc<str>,
    /// Who assigns.
    pub leader: Arc<str>,
    /// The leader keeps the assignment as it is (KIP-814).
    pub skip_assignment: bool,
    /// All members, for the leader alone.
    pub members: Vec<JoinedMember>,
}

/// Why a member does not join, and with which id it may try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJoined {
    /// Why.
    pub error: GroupError,
    /// Its id: the one that it is to join with after [`GroupError::MemberIdRequired`].
    pub member: Arc<str>,
}

/// A member wants its assignment; the leader's request brings everybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Who.
    pub member: MemberRef,
    /// In which generation.
    pub generation: i32,
    /// The kind of protocols that it believes in, if it says so (SyncGroup 5).
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that it believes in, if it says so (SyncGroup 5).
    pub protocol: Option<Arc<str>>,
    /// From the leader: each member's assignment.
    pub assignments: Vec<(Arc<str>, Bytes)>,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The kind of protocols.
    pub protocol_type: Arc<str>,
    /// The protocol that all have.
    pub protocol: Arc<str>,
    /// The assignment.
    pub assignment: Bytes,
}

/// Offsets to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Who; an empty id and a negative generation are those of a consumer without a group's management.
    pub member: MemberRef,
    /// In which generation.
    pub generation: i32,
    /// How long the offsets are to stay, if the request says so (OffsetCommit 2 to 4).
    pub retention: Option<Duration>,
    /// What.
    pub offsets: Vec<(PartitionId, NewOffset)>,
}

/// An offset to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOffset {
    /// The next record to be consumed.
    pub offset: i64,
    /// The leader epoch of the last consumed record; -1 if it is not known.
    pub leader_epoch: i32,
    /// What the consumer wants to be told with it.
    pub metadata: Arc<str>,
}

/// What is asked of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Join the next generation.
    Join(Box<Join>),
    /// Get, or as the leader give, assignments.
    Sync(Sync),
    /// A member is alive.
    Heartbeat {
        /// Who.
        member: MemberRef,
        /// In which generation.
        generation: i32,
    },
    /// Members leave.
    Leave(Vec<MemberRef>),
    /// Commit offsets.
    Commit(Commit),
    /// Look up offsets of partitions, or all.
    Offsets(Option<Vec<PartitionId>>),
    /// Forget offsets of partitions.
    DeleteOffsets {
        /// Which, each with its topic's name: what members subscribe to has no ids.
        partitions: Vec<(PartitionId, Arc<str>)>,
    },
    /// Forget an empty group.
    Delete,
    /// Tell all about the group.
    Describe,
}

/// What a group answers; each variant belongs to the request of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Request::Join`].
    Join(Result<Joined, NotJoined>),
    /// To [`Request::Sync`].
    Sync(Result<Synced, GroupError>),
    /// To [`Request::Heartbeat`].
    Heartbeat(Result<(), GroupError>),
    /// To [`Request::Leave`]: of each member, in the order of the request.
    Leave(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To [`Request::Commit`]: of each offset, in the order of the request.
    Commit(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To [`Request::Offsets`]: in the order of the request, without those that there are not, or in order of partitions.
    Offsets(Vec<(PartitionId, CommittedOffset)>),
    /// To [`Request::DeleteOffsets`]: of each partition, in the order of the request.
    DeleteOffsets(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To [`Request::Delete`].
    Delete(Result<(), GroupError>),
    /// To [`Request::Describe`].
    Describe(Result<Description, GroupError>),
}

/// Where a group stands, in Kafka's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupState {
    /// Without members.
    Empty,
    /// Members join.
    PreparingRebalance,
    /// The leader assigns.
    CompletingRebalance,
    /// Every member has its assignment.
    Stable,
}

impl GroupState {
    /// As Kafka's tools write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Arc<str>,
    /// Its kind of protocols; empty if only consumers without members commit to it.
    pub protocol_type: Arc<str>,
    /// Where it stands.
    pub state: GroupState,
}

/// What is committed in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedIn {
    /// The group.
    pub group: GroupKey,
    /// The offsets, in order of partitions.
    pub offsets: Vec<(PartitionId, i64)>,
}

/// All about a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where it stands.
    pub state: GroupState,
    /// Its kind of protocols.
    pub protocol_type: Arc<str>,
    /// The protocol that all have, if it is stable.
    pub protocol: Arc<str>,
    /// Its members, in order of their ids.
    pub members: Vec<DescribedMember>,
}

/// All about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub id: Arc<str>,
    /// Its static id.
    pub instance: Option<Arc<str>>,
    /// Its client id.
    pub client_id: Arc<str>,
    /// Where it is.
    pub client_host: Arc<str>,
    /// What it said in the group's protocol, if the group is stable.
    pub metadata: Bytes,
    /// Its assignment, if the group is stable.
    pub assignment: Bytes,
}

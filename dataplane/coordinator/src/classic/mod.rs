//! The classic group protocol, in which one of the members assigns.
//!
//! Members join; once all have, or the longest rebalance timeout is over, a generation begins and its leader is told of all
//! members; it sends everybody's assignment with its SyncGroup, and then the group is stable until somebody comes, goes, or
//! wants something else. The rules are those of Apache Kafka's classic groups, with static members (KIP-345), known member ids
//! (KIP-394), bounded size (KIP-389) and leaders that need not assign again (KIP-814).

mod join;
mod leave;
mod members;
mod rebalance;
mod session;
mod subscription;
mod sync;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_runtime::Timestamp;

use crate::api::{
    Answer, DescribedMember, Description, GroupError, GroupKey, GroupState, Joined, MemberRef, NotJoined,
};
use crate::record::{StoredGroup, StoredMember};
use crate::settings::GroupSettings;
use crate::shard::Token;
use crate::timers::{Alarm, Timers};
use members::{Member, Members, Waiting};

/// The kind of protocols whose metadata tells what a member subscribes to.
const CONSUMER: &str = "consumer";

/// Whose deadline it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) group: Arc<GroupKey>,
    pub(crate) what: What,
}

/// Which deadline of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// The session of a member.
    Session(Arc<str>),
    /// A member that was given an id has not joined with it.
    Pending(Arc<str>),
    /// Members have had their time to join.
    Rebalance,
    /// Members have had their time to ask for their assignment.
    Sync,
}

/// What one input may use, and what it leaves behind.
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) settings: &'a GroupSettings,
    pub(crate) timers: &'a mut Timers<Owner>,
    pub(crate) answers: &'a mut Vec<(Token, Answer)>,
    pub(crate) key: &'a Arc<GroupKey>,
    /// Whether the group is to be stored as it is now.
    pub(crate) store: bool,
}

impl Turn<'_> {
    fn set(&mut self, alarm: &mut Alarm, after: Duration, what: impl Fn() -> What) {
        let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let due = Timestamp(self.now.0.saturating_add(millis));
        let group = self.key;
        self.timers.set(alarm, due, || Owner {
            group: Arc::clone(group),
            what: what(),
        });
    }

    fn cancel(&mut self, alarm: &mut Alarm, what: impl Fn() -> What) {
        let group = self.key;
        self.timers.cancel(alarm, || Owner {
            group: Arc::clone(group),
            what: what(),
        });
    }

    fn refuse(&mut self, waiting: Option<Waiting>, member: &Arc<str>, error: GroupError) {
        let (token, answer) = match waiting {
            None => return,
            Some(Waiting::Join(token)) => {
                let member = Arc::clone(member);
                (token, Answer::Join(Err(NotJoined { error, member })))
            }
            Some(Waiting::Sync(token)) => (token, Answer::Sync(Err(error))),
        };
        self.answers.push((token, answer));
    }
}

/// Where a group stands.
#[derive(Debug)]
enum State {
    Empty,
    /// Members join. Of a new group that waits for more of them: how often it may go on waiting.
    Preparing {
        company: Option<Company>,
    },
    /// The leader assigns.
    Completing,
    Stable,
}

/// A new group waits for more members, again for as long as new ones keep coming.
#[derive(Debug)]
struct Company {
    /// What is left of the longest rebalance timeout.
    left: Duration,
    /// Whether somebody came since the last look.
    came: bool,
}

/// A group of the classic protocol, or one that has no members at all.
#[derive(Debug)]
pub(crate) struct ClassicGroup {
    state: State,
    since: Timestamp,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<Arc<str>>,
    members: Members,
    /// Ids that were given to members that have not joined with them yet.
    pending: BTreeMap<Arc<str>, Alarm>,
    /// Until when members may join.
    joined_by: Alarm,
    /// Until when members may ask for their assignments.
    synced_by: Alarm,
}

impl ClassicGroup {
    /// A group without anything.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            state: State::Empty,
            since: now,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: Members::default(),
            pending: BTreeMap::new(),
            joined_by: Alarm::default(),
            synced_by: Alarm::default(),
        }
    }

    /// The group as it was stored.
    pub(crate) fn restored(stored: StoredGroup) -> Self {
        let mut group = Self::new(stored.since);
        group.generation = stored.generation;
        group.protocol_type = stored.protocol_type;
        group.leader = stored.leader;
        if !stored.members.is_empty() {
            group.state = State::Stable;
        }
        let protocol = stored.protocol.clone().unwrap_or_else(|| "".into());
        group.protocol = stored.protocol;
        for member in stored.members {
            group.members.insert(Member::restored(member, &protocol));
        }
        group
    }

    /// Begins the sessions of members that were restored.
    pub(crate) fn resume(&mut self, turn: &mut Turn<'_>) {
        for member in self.members.iter_mut() {
            let (id, session) = (Arc::clone(&member.id), member.session_timeout);
            turn.set(&mut member.alarm, session, || What::Session(Arc::clone(&id)));
        }
    }

    /// What is to be stored of a group that is stable or empty.
    pub(crate) fn stored(&self) -> StoredGroup {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let stored = |member: &Member| StoredMember {
            id: Arc::clone(&member.id),
            instance: member.instance.clone(),
            client_id: Arc::clone(&member.client_id),
            client_host: Arc::clone(&member.client_host),
            session_timeout: member.session_timeout,
            rebalance_timeout: member.rebalance_timeout,
            metadata: member.metadata(protocol),
            assignment: member.assignment.clone(),
        };
        StoredGroup {
            generation: self.generation,
            since: self.since,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self.members.iter().map(stored).collect(),
        }
    }

    pub(crate) fn state(&self) -> GroupState {
        match self.state {
            State::Empty => GroupState::Empty,
            State::Preparing { .. } => GroupState::PreparingRebalance,
            State::Completing => GroupState::CompletingRebalance,
            State::Stable => GroupState::Stable,
        }
    }

    /// Since when it has been empty or stable.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether nobody is a member or about to become one.
    pub(crate) fn is_deserted(&self) -> bool {
        matches!(self.state, State::Empty) && self.pending.is_empty()
    }

    pub(crate) fn protocol_type(&self) -> Arc<str> {
        self.protocol_type.clone().unwrap_or_else(|| "".into())
    }

    /// The names of topics that members subscribe to; `None` if that cannot be told.
    pub(crate) fn subscribed(&self) -> Option<BTreeSet<Arc<str>>> {
        let protocol = self.protocol.as_deref()?;
        if self.protocol_type.as_deref() != Some(CONSUMER) || self.members.is_empty() {
            return None;
        }
        let mut topics = BTreeSet::new();
        for member in self.members.iter() {
            topics.extend(subscription::topics(&member.metadata(protocol))?);
        }
        Some(topics)
    }

    /// All about it. What members say and have is told only once it is settled.
    pub(crate) fn describe(&self) -> Description {
        let stable = matches!(self.state, State::Stable);
        let protocol = self.protocol.clone().filter(|_| stable);
        let protocol = protocol.unwrap_or_else(|| "".into());
        let member = |member: &Member| DescribedMember {
            id: Arc::clone(&member.id),
            instance: member.instance.clone(),
            client_id: Arc::clone(&member.client_id),
            client_host: Arc::clone(&member.client_host),
            metadata: if stable {
                member.metadata(&protocol)
            } else {
                Bytes::new()
            },
            assignment: if stable {
                member.assignment.clone()
            } else {
                Bytes::new()
            },
        };
        Description {
            state: self.state(),
            protocol_type: self.protocol_type(),
            protocol: Arc::clone(&protocol),
            members: self.members.iter().map(member).collect(),
        }
    }

    /// Whether a commit may count. A consumer without a group's management may commit as long as there are no members.
    pub(crate) fn may_commit(
        &mut self,
        turn: &mut Turn<'_>,
        member: &MemberRef,
        generation: i32,
    ) -> Result<(), GroupError> {
        let unmanaged = generation < 0 && member.id.is_empty() && member.instance.is_none();
        if generation < 0 && matches!(self.state, State::Empty) {
            return Ok(());
        }
        if unmanaged {
            return Err(GroupError::UnknownMember);
        }
        let id = self.validate(member)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        if matches!(self.state, State::Completing) {
            return Err(GroupError::RebalanceInProgress);
        }
        self.alive(turn, &id);
        Ok(())
    }

    /// The id of the member that a request is from.
    fn validate(&self, member: &MemberRef) -> Result<Arc<str>, GroupError> {
        if let Some(instance) = &member.instance {
            match self.members.of_instance(instance) {
                None => return Err(GroupError::UnknownMember),
                Some(known) if *known != member.id => return Err(GroupError::FencedInstance),
                Some(_) => {}
            }
        }
        let known = self.members.get(&member.id).ok_or(GroupError::UnknownMember)?;
        Ok(Arc::clone(&known.id))
    }

    /// What a member is told that is part of the current generation.
    fn joined(&self, member: &Arc<str>) -> Joined {
        let protocol = self.protocol.clone().unwrap_or_else(|| "".into());
        let leader = self.leader.clone().unwrap_or_else(|| "".into());
        let members = if leader == *member {
            self.members.iter().map(|one| one.as_joined(&protocol)).collect()
        } else {
            Vec::new()
        };
        Joined {
            member: Arc::clone(member),
            generation: self.generation,
            protocol_type: self.protocol_type(),
            protocol,
            leader,
            skip_assignment: false,
            members,
        }
    }
}

impl Member {
    fn restored(stored: StoredMember, protocol: &Arc<str>) -> Self {
        let mut member = Self::new(
            stored.id,
            crate::api::Join {
                member: MemberRef {
                    id: "".into(),
                    instance: stored.instance,
                },
                client_id: stored.client_id,
                client_host: stored.client_host,
                session_timeout: stored.session_timeout,
                rebalance_timeout: stored.rebalance_timeout,
                protocol_type: "".into(),
                protocols: vec![(Arc::clone(protocol), stored.metadata)],
                known_id_required: false,
                may_skip_assignment: false,
                unique: 0,
            },
        );
        member.assignment = stored.assignment;
        member.is_new = false;
        member.synced = true;
        member
    }
}

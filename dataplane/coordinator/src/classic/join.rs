//! Joining.

use std::sync::Arc;

use super::members::{MOST_BYTES, Waiting, size_of_join};
use super::{ClassicGroup, Member, State, Turn, What};
use crate::api::{Answer, GroupError, Join, Joined, NotJoined};
use crate::shard::Token;
use crate::timers::Alarm;

/// The most ids that are given out and not yet used: whoever never comes back costs memory until a session timeout is over.
const MOST_PENDING: usize = 20_000;

/// Bytes of a client's name in the ids of its members.
const MOST_PREFIX: usize = 255;

/// What comes of a join that is not refused.
enum Outcome {
    /// The answer comes with the next generation.
    Waits,
    /// The member is part of the current one.
    Now(Joined),
}

impl ClassicGroup {
    /// A member joins.
    pub(crate) fn join(&mut self, turn: &mut Turn<'_>, token: Token, join: Join) {
        let asked = Arc::clone(&join.member.id);
        let outcome = if asked.is_empty() {
            self.join_new(turn, token, join)
        } else {
            let known = self.join_known(turn, token, join);
            known.map_err(|error| NotJoined { error, member: asked })
        };
        match outcome {
            Ok(Outcome::Waits) => {}
            Ok(Outcome::Now(joined)) => turn.answers.push((token, Answer::Join(Ok(joined)))),
            Err(refused) => turn.answers.push((token, Answer::Join(Err(refused)))),
        }
    }

    /// Somebody without an id.
    fn join_new(&mut self, turn: &mut Turn<'_>, token: Token, join: Join) -> Result<Outcome, NotJoined> {
        let refused = |error| NotJoined {
            error,
            member: "".into(),
        };
        let replaces = join.member.instance.as_ref();
        let replaces = replaces
            .and_then(|instance| self.members.of_instance(instance))
            .cloned();
        if replaces.is_none() && !self.has_room(turn, None) {
            return Err(refused(GroupError::GroupFull));
        }
        if !self.supports(&join) {
            return Err(refused(GroupError::InconsistentProtocol));
        }
        if self.members.bytes() + size_of_join(&join) > MOST_BYTES {
            return Err(refused(GroupError::GroupFull));
        }
        let id = new_id(&join);
        if let Some(old) = replaces {
            return Ok(self.replace_static(turn, token, &old, &id, join));
        }
        if join.member.instance.is_none() && join.known_id_required {
            if self.pending.len() >= MOST_PENDING {
                return Err(refused(GroupError::GroupFull));
            }
            let mut alarm = Alarm::default();
            let pending = Arc::clone(&id);
            turn.set(&mut alarm, join.session_timeout, || {
                What::Pending(Arc::clone(&pending))
            });
            self.pending.insert(Arc::clone(&id), alarm);
            return Err(NotJoined {
                error: GroupError::MemberIdRequired,
                member: id,
            });
        }
        Ok(self.add(turn, token, &id, join))
    }

    /// Somebody who was given an id.
    fn join_known(&mut self, turn: &mut Turn<'_>, token: Token, join: Join) -> Result<Outcome, GroupError> {
        let id = Arc::clone(&join.member.id);
        if !self.has_room(turn, Some(&id)) {
            return Err(GroupError::GroupFull);
        }
        if !self.supports(&join) {
            return Err(GroupError::InconsistentProtocol);
        }
        let before = self.members.get(&id).map_or(0, Member::bytes);
        if self.members.bytes() - before + size_of_join(&join) > MOST_BYTES {
            return Err(GroupError::GroupFull);
        }
        if join.member.instance.is_none() && self.unpend(turn, &id) {
            return Ok(self.add(turn, token, &id, join));
        }
        let id = self.validate(&join.member)?;
        let same = self
            .members
            .get(&id)
            .is_some_and(|known| known.protocols == join.protocols);
        let leads = self.leader.as_ref() == Some(&id);
        match self.state {
            State::Empty => Err(GroupError::UnknownMember),
            // Its answer was lost, or it wants something else.
            State::Completing if same => {
                self.alive(turn, &id);
                Ok(Outcome::Now(self.joined(&id)))
            }
            // A leader that joins again wants to assign again.
            State::Stable if same && !leads => {
                self.alive(turn, &id);
                Ok(Outcome::Now(self.joined(&id)))
            }
            State::Preparing { .. } | State::Completing | State::Stable => {
                self.members.update(&id, join);
                Ok(self.wait_to_join(turn, token, &id))
            }
        }
    }

    /// Whether one more may join; `known` may be one of those who are counted already.
    fn has_room(&self, turn: &Turn<'_>, known: Option<&Arc<str>>) -> bool {
        let most = turn.settings.max_members;
        let member = known.and_then(|id| self.members.get(id));
        match self.state {
            State::Empty => true,
            // Those who come first: after a smaller bound was set, not everybody fits any more.
            State::Preparing { .. } => {
                member.is_some_and(Member::is_joining) || self.members.joining() < most
            }
            State::Completing | State::Stable => member.is_some() || self.members.len() < most,
        }
    }

    fn supports(&self, join: &Join) -> bool {
        let same_kind = match &self.protocol_type {
            Some(kind) if !self.members.is_empty() => *kind == join.protocol_type,
            Some(_) | None => true,
        };
        same_kind && self.members.support(&join.protocols)
    }

    fn add(&mut self, turn: &mut Turn<'_>, token: Token, id: &Arc<str>, join: Join) -> Outcome {
        if self.members.is_empty() {
            self.protocol_type = Some(Arc::clone(&join.protocol_type));
        }
        if let State::Preparing {
            company: Some(company),
        } = &mut self.state
        {
            // Only the very first generation waits again and again.
            company.came |= self.generation == 0;
        }
        if self.leader.is_none() {
            self.leader = Some(Arc::clone(id));
        }
        self.members.insert(Member::new(Arc::clone(id), join));
        self.wait_to_join(turn, token, id)
    }

    fn wait_to_join(&mut self, turn: &mut Turn<'_>, token: Token, id: &Arc<str>) -> Outcome {
        let before = self.members.wait(id, Waiting::Join(token));
        turn.refuse(before, id, GroupError::RebalanceInProgress);
        self.alive(turn, id);
        self.rebalance(turn);
        Outcome::Waits
    }

    /// A static member has started again: it takes the place of its former self, which is fenced. The generation goes on if what the
    /// group would choose stays the same.
    fn replace_static(
        &mut self,
        turn: &mut Turn<'_>,
        token: Token,
        old: &Arc<str>,
        id: &Arc<str>,
        join: Join,
    ) -> Outcome {
        let may_skip = join.may_skip_assignment;
        let leads = self.leader.as_ref() == Some(old);
        let Some(mut before) = self.members.remove(old) else {
            return self.add(turn, token, id, join);
        };
        turn.refuse(before.waiting(), old, GroupError::FencedInstance);
        turn.cancel(&mut before.alarm, || What::Session(Arc::clone(old)));
        let mut member = Member::new(Arc::clone(id), join);
        member.assignment = before.assignment;
        member.synced = before.synced;
        member.is_new = before.is_new;
        self.members.insert(member);
        if leads {
            self.leader = Some(Arc::clone(id));
        }
        let unchanged = self.members.select_protocol() == self.protocol;
        if !matches!(self.state, State::Stable) || !unchanged {
            return self.wait_to_join(turn, token, id);
        }
        self.alive(turn, id);
        turn.store = true;
        let mut joined = self.joined(id);
        if leads && may_skip {
            joined.skip_assignment = true;
        } else if leads {
            // It does not find itself to be the leader, and so assigns nothing that a stable group would not pass on.
            joined.leader = Arc::clone(old);
            joined.members.clear();
        }
        Outcome::Now(joined)
    }
}

/// An id for a new member: its static id or its client's name, and a random UUID, as Kafka's tools show it.
fn new_id(join: &Join) -> Arc<str> {
    let prefix = join.member.instance.as_ref().unwrap_or(&join.client_id);
    let prefix = &prefix[..prefix.floor_char_boundary(MOST_PREFIX)];
    let hex = format!("{:032x}", join.unique);
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    format!("{prefix}-{a}-{b}-{c}-{d}-{e}").into()
}

//! Assignments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::members::{MOST_BYTES, Waiting};
use super::{ClassicGroup, State, Turn};
use crate::api::{Answer, GroupError, Sync, Synced};
use crate::shard::Token;

impl ClassicGroup {
    /// A member wants its assignment; the leader brings all.
    pub(crate) fn sync(&mut self, turn: &mut Turn<'_>, token: Token, sync: Sync) {
        if let Err(error) = self.try_sync(turn, token, sync) {
            turn.answers.push((token, Answer::Sync(Err(error))));
        }
    }

    fn try_sync(&mut self, turn: &mut Turn<'_>, token: Token, sync: Sync) -> Result<(), GroupError> {
        let id = self.validate(&sync.member)?;
        if sync.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |said: &Option<Arc<str>>, known: &Option<Arc<str>>| said.is_some() && said != known;
        if differs(&sync.protocol_type, &self.protocol_type) || differs(&sync.protocol, &self.protocol) {
            return Err(GroupError::InconsistentProtocol);
        }
        let given = sync.assignments.iter();
        if given.map(|(id, bytes)| id.len() + bytes.len()).sum::<usize>() > MOST_BYTES {
            return Err(GroupError::GroupFull);
        }
        match self.state {
            State::Empty => Err(GroupError::UnknownMember),
            State::Preparing { .. } => Err(GroupError::RebalanceInProgress),
            State::Completing => {
                self.mark_synced(&id);
                let before = self.members.wait(&id, Waiting::Sync(token));
                turn.refuse(before, &id, GroupError::RebalanceInProgress);
                self.alive(turn, &id);
                if self.leader.as_ref() == Some(&id) {
                    self.assign(turn, sync.assignments);
                }
                Ok(())
            }
            State::Stable => {
                self.mark_synced(&id);
                self.alive(turn, &id);
                let synced = self.synced(&id);
                turn.answers.push((token, Answer::Sync(Ok(synced))));
                Ok(())
            }
        }
    }

    fn mark_synced(&mut self, id: &str) {
        if let Some(member) = self.members.get_mut(id) {
            member.synced = true;
        }
    }

    /// The leader has assigned: the group is stable.
    fn assign(&mut self, turn: &mut Turn<'_>, assignments: Vec<(Arc<str>, bytes::Bytes)>) {
        let mut assignments: BTreeMap<_, _> = assignments.into_iter().collect();
        for member in self.members.iter_mut() {
            member.assignment = assignments.remove(&member.id).unwrap_or_default();
        }
        self.state = State::Stable;
        self.since = turn.now;
        turn.store = true;
        for id in self.members.syncing() {
            if let Some(Waiting::Sync(token)) = self.members.stop_waiting(&id) {
                let synced = self.synced(&id);
                turn.answers.push((token, Answer::Sync(Ok(synced))));
                self.alive(turn, &id);
            }
        }
    }

    fn synced(&self, id: &str) -> Synced {
        let assignment = self.members.get(id).map(|member| member.assignment.clone());
        Synced {
            protocol_type: self.protocol_type(),
            protocol: self.protocol.clone().unwrap_or_else(|| "".into()),
            assignment: assignment.unwrap_or_default(),
        }
    }
}

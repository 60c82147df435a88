//! Sessions: heartbeats, and what happens when they end.

use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Timestamp;

use super::{ClassicGroup, Owner, State, Turn, What};
use crate::api::{GroupError, MemberRef};
use crate::timers::Alarm;

/// How long a join of somebody who has not been told its id may take: it cannot send heartbeats, and whether it is still
/// connected is not known.
pub(super) const NEW_MEMBER: Duration = Duration::from_secs(5 * 60);

impl ClassicGroup {
    /// A member says that it is alive.
    pub(crate) fn heartbeat(
        &mut self,
        turn: &mut Turn<'_>,
        member: &MemberRef,
        generation: i32,
    ) -> Result<(), GroupError> {
        let id = self.validate(member)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        self.alive(turn, &id);
        match self.state {
            State::Empty => Err(GroupError::UnknownMember),
            State::Preparing { .. } => Err(GroupError::RebalanceInProgress),
            State::Completing | State::Stable => Ok(()),
        }
    }

    /// Begins a member's session anew.
    pub(super) fn alive(&mut self, turn: &mut Turn<'_>, id: &Arc<str>) {
        if let Some(member) = self.members.get_mut(id) {
            let after = if member.is_new {
                NEW_MEMBER
            } else {
                member.session_timeout
            };
            let id = Arc::clone(&member.id);
            turn.set(&mut member.alarm, after, || What::Session(Arc::clone(&id)));
        }
    }

    /// An entry of this group has come up.
    pub(crate) fn rung(&mut self, turn: &mut Turn<'_>, time: Timestamp, what: What) {
        match what {
            What::Session(id) => self.session_rung(turn, time, &id),
            What::Pending(id) => self.pending_rung(turn, time, &id),
            What::Rebalance => {
                if rings(turn, &mut self.joined_by, time, &What::Rebalance) {
                    self.joining_is_over(turn);
                }
            }
            What::Sync => {
                if rings(turn, &mut self.synced_by, time, &What::Sync) {
                    self.syncing_is_over(turn);
                }
            }
        }
    }

    fn session_rung(&mut self, turn: &mut Turn<'_>, time: Timestamp, id: &Arc<str>) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        if !rings(turn, &mut member.alarm, time, &What::Session(Arc::clone(id))) {
            return;
        }
        if member.waiting().is_some() && !member.is_new {
            // It waits for an answer, and cannot send heartbeats until it has it.
            let (session, id) = (member.session_timeout, Arc::clone(id));
            turn.set(&mut member.alarm, session, || What::Session(Arc::clone(&id)));
            return;
        }
        self.remove(turn, id);
        self.after_removal(turn);
    }

    fn pending_rung(&mut self, turn: &mut Turn<'_>, time: Timestamp, id: &Arc<str>) {
        let Some(alarm) = self.pending.get_mut(id) else {
            return;
        };
        if rings(turn, alarm, time, &What::Pending(Arc::clone(id))) {
            self.pending.remove(id);
            self.after_removal(turn);
        }
    }
}

fn rings(turn: &mut Turn<'_>, alarm: &mut Alarm, time: Timestamp, what: &What) -> bool {
    let group = turn.key;
    turn.timers.rings(alarm, time, turn.now, || Owner {
        group: Arc::clone(group),
        what: what.clone(),
    })
}

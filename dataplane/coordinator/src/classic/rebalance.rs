//! From one generation to the next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::members::{Member, Waiting};
use super::{ClassicGroup, Company, State, Turn, What};
use crate::api::{Answer, GroupError};

impl ClassicGroup {
    /// Begins a rebalance, unless one is under way; that may be complete now.
    pub(super) fn rebalance(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::Preparing { .. } => {}
            State::Empty => self.await_company(turn),
            State::Completing | State::Stable => self.prepare(turn),
        }
        self.complete_if_all_joined(turn);
    }

    /// Members have gone.
    pub(super) fn after_removal(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::Empty => {}
            State::Preparing { .. } => self.complete_if_all_joined(turn),
            State::Completing | State::Stable => self.rebalance(turn),
        }
    }

    /// A new group waits for more members: a generation for each that starts would have all of them start anew.
    fn await_company(&mut self, turn: &mut Turn<'_>) {
        let longest = self.members.longest_rebalance();
        let delay = turn.settings.initial_delay.min(longest);
        let company = (!delay.is_zero()).then(|| Company {
            left: longest - delay,
            came: false,
        });
        let wait = if company.is_some() { delay } else { longest };
        self.state = State::Preparing { company };
        turn.cancel(&mut self.synced_by, || What::Sync);
        turn.set(&mut self.joined_by, wait, || What::Rebalance);
    }

    fn prepare(&mut self, turn: &mut Turn<'_>) {
        for id in self.members.syncing() {
            let before = self.members.stop_waiting(&id);
            turn.refuse(before, &id, GroupError::RebalanceInProgress);
            self.alive(turn, &id);
        }
        if matches!(self.state, State::Completing) {
            self.members
                .iter_mut()
                .for_each(|member| member.assignment = Bytes::new());
        }
        self.state = State::Preparing { company: None };
        turn.cancel(&mut self.synced_by, || What::Sync);
        let longest = self.members.longest_rebalance();
        turn.set(&mut self.joined_by, longest, || What::Rebalance);
    }

    fn complete_if_all_joined(&mut self, turn: &mut Turn<'_>) {
        let hurried = matches!(self.state, State::Preparing { company: None });
        if hurried && self.pending.is_empty() && self.members.all_joining() {
            self.complete(turn);
        }
    }

    /// Members have had their time to join.
    pub(super) fn joining_is_over(&mut self, turn: &mut Turn<'_>) {
        let State::Preparing { company } = &mut self.state else {
            return;
        };
        if let Some(waiting) = company
            && waiting.came
            && !waiting.left.is_zero()
        {
            let delay = turn.settings.initial_delay.min(waiting.left);
            waiting.left -= delay;
            waiting.came = false;
            turn.set(&mut self.joined_by, delay, || What::Rebalance);
            return;
        }
        self.complete(turn);
    }

    /// Members have had their time to ask for their assignments: who has not is out.
    pub(super) fn syncing_is_over(&mut self, turn: &mut Turn<'_>) {
        if !matches!(self.state, State::Completing | State::Stable) {
            return;
        }
        let silent: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|member| !member.synced)
            .map(|member| Arc::clone(&member.id))
            .collect();
        if silent.is_empty() {
            return;
        }
        silent.iter().for_each(|id| self.remove(turn, id));
        self.after_removal(turn);
    }

    /// Takes a member out; what it waits for ends.
    pub(super) fn remove(&mut self, turn: &mut Turn<'_>, id: &Arc<str>) {
        if let Some(mut member) = self.members.remove(id) {
            turn.refuse(member.waiting(), id, GroupError::UnknownMember);
            turn.cancel(&mut member.alarm, || What::Session(Arc::clone(id)));
        }
        if self.leader.as_ref() == Some(id) {
            self.leader = None;
        }
    }

    /// Begins the next generation with those that have joined. Static members stay, until their sessions end.
    fn complete(&mut self, turn: &mut Turn<'_>) {
        turn.cancel(&mut self.joined_by, || What::Rebalance);
        let absent: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|member| !member.is_joining() && member.instance.is_none())
            .map(|member| Arc::clone(&member.id))
            .collect();
        absent.iter().for_each(|id| self.remove(turn, id));
        if self.members.is_empty() {
            self.become_empty(turn);
        } else if self.elect() {
            self.begin_generation(turn);
        } else {
            // Only absent static members: their sessions will end, or they come back.
            self.state = State::Preparing { company: None };
            let longest = self.members.longest_rebalance();
            turn.set(&mut self.joined_by, longest.max(Duration::from_secs(1)), || {
                What::Rebalance
            });
        }
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        self.state = State::Empty;
        self.since = turn.now;
        self.generation = self.generation.wrapping_add(1).max(0);
        self.protocol = None;
        self.leader = None;
        turn.store = true;
    }

    /// Sees to it that the leader is one that has joined; whether there is one.
    fn elect(&mut self) -> bool {
        let joins = |id: &Arc<str>| self.members.get(id).is_some_and(Member::is_joining);
        if self.leader.as_ref().is_some_and(joins) {
            return true;
        }
        let Some(next) = self.members.iter().find(|member| member.is_joining()) else {
            return false;
        };
        self.leader = Some(Arc::clone(&next.id));
        true
    }

    fn begin_generation(&mut self, turn: &mut Turn<'_>) {
        self.generation = self.generation.wrapping_add(1).max(0);
        self.protocol = self.members.select_protocol();
        self.state = State::Completing;
        let longest = self.members.longest_rebalance();
        turn.set(&mut self.synced_by, longest, || What::Sync);
        let all: Vec<Arc<str>> = self.members.iter().map(|member| Arc::clone(&member.id)).collect();
        for id in all {
            if let Some(member) = self.members.get_mut(&id) {
                member.synced = false;
                member.is_new = false;
            }
            if let Some(Waiting::Join(token)) = self.members.stop_waiting(&id) {
                let joined = self.joined(&id);
                turn.answers.push((token, Answer::Join(Ok(joined))));
                self.alive(turn, &id);
            }
        }
    }
}

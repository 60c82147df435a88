//! The members of a group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::api::{Join, JoinedMember};
use crate::shard::Token;
use crate::timers::Alarm;

/// Bytes of what all members of a group say, and of what all are given: both are stored in one record.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Bytes that a member takes who joins so.
pub(super) fn size_of_join(join: &Join) -> usize {
    let instance = join.member.instance.as_ref().map_or(0, |instance| instance.len());
    size(&join.client_id, &join.client_host, instance, &join.protocols)
}

fn size(client_id: &str, client_host: &str, instance: usize, protocols: &[(Arc<str>, Bytes)]) -> usize {
    let protocols = protocols.iter().map(|(name, said)| name.len() + said.len());
    client_id.len() + client_host.len() + instance + protocols.sum::<usize>()
}

/// What a member waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// For the next generation.
    Join(Token),
    /// For its assignment.
    Sync(Token),
}

/// A member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: Arc<str>,
    pub(super) instance: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) session_timeout: Duration,
    pub(super) rebalance_timeout: Duration,
    /// What it supports, the best first.
    pub(super) protocols: Vec<(Arc<str>, Bytes)>,
    pub(super) assignment: Bytes,
    /// Whether it has asked for its assignment in this generation.
    pub(super) synced: bool,
    /// Whether it has not been told its id yet, so that it cannot send heartbeats.
    pub(super) is_new: bool,
    /// Its session.
    pub(super) alarm: Alarm,
    waiting: Option<Waiting>,
}

impl Member {
    pub(super) fn new(id: Arc<str>, join: Join) -> Self {
        Self {
            id,
            instance: join.member.instance,
            client_id: join.client_id,
            client_host: join.client_host,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols,
            assignment: Bytes::new(),
            synced: false,
            is_new: true,
            alarm: Alarm::default(),
            waiting: None,
        }
    }

    /// Bytes of what it says.
    pub(super) fn bytes(&self) -> usize {
        let instance = self.instance.as_ref().map_or(0, |instance| instance.len());
        size(&self.client_id, &self.client_host, instance, &self.protocols)
    }

    pub(super) fn waiting(&self) -> Option<Waiting> {
        self.waiting
    }

    pub(super) fn is_joining(&self) -> bool {
        matches!(self.waiting, Some(Waiting::Join(_)))
    }

    /// What it says in a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| &**name == protocol);
        found.map_or_else(Bytes::new, |(_, metadata)| metadata.clone())
    }

    pub(super) fn as_joined(&self, protocol: &str) -> JoinedMember {
        JoinedMember {
            id: Arc::clone(&self.id),
            instance: self.instance.clone(),
            metadata: self.metadata(protocol),
        }
    }
}

/// The members of a group by their ids, and what is counted of them.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_id: BTreeMap<Arc<str>, Member>,
    /// Who has a static id.
    statics: BTreeMap<Arc<str>, Arc<str>>,
    /// How many support each protocol.
    supporters: BTreeMap<Arc<str>, usize>,
    /// How many wait for the next generation.
    joining: usize,
    /// Bytes of what all say.
    bytes: usize,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Member> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.by_id.get_mut(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_id.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_id.values_mut()
    }

    /// Who has a static id.
    pub(super) fn of_instance(&self, instance: &str) -> Option<&Arc<str>> {
        self.statics.get(instance)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Those who wait for their assignment.
    pub(super) fn syncing(&self) -> Vec<Arc<str>> {
        let waits = |member: &&Member| matches!(member.waiting, Some(Waiting::Sync(_)));
        let waiting = self.by_id.values().filter(waits);
        waiting.map(|member| Arc::clone(&member.id)).collect()
    }

    pub(super) fn joining(&self) -> usize {
        self.joining
    }

    pub(super) fn all_joining(&self) -> bool {
        self.joining == self.by_id.len()
    }

    pub(super) fn insert(&mut self, member: Member) {
        count(&mut self.supporters, &member.protocols);
        if let Some(instance) = &member.instance {
            self.statics.insert(Arc::clone(instance), Arc::clone(&member.id));
        }
        self.joining += usize::from(member.is_joining());
        self.bytes += member.bytes();
        self.by_id.insert(Arc::clone(&member.id), member);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Member> {
        let member = self.by_id.remove(id)?;
        discount(&mut self.supporters, &member.protocols);
        if let Some(instance) = &member.instance {
            self.statics.remove(instance);
        }
        self.joining -= usize::from(member.is_joining());
        self.bytes -= member.bytes();
        Some(member)
    }

    /// Takes over what a member says when it joins again.
    pub(super) fn update(&mut self, id: &str, join: Join) {
        let Some(member) = self.by_id.get_mut(id) else {
            return;
        };
        discount(&mut self.supporters, &member.protocols);
        self.bytes -= member.bytes();
        member.client_id = join.client_id;
        member.client_host = join.client_host;
        member.session_timeout = join.session_timeout;
        member.rebalance_timeout = join.rebalance_timeout;
        member.protocols = join.protocols;
        self.bytes += member.bytes();
        count(&mut self.supporters, &member.protocols);
    }

    /// Has a member wait; what it waited for before is given back.
    pub(super) fn wait(&mut self, id: &str, waiting: Waiting) -> Option<Waiting> {
        let member = self.by_id.get_mut(id)?;
        let before = member.waiting.replace(waiting);
        self.joining -= usize::from(matches!(before, Some(Waiting::Join(_))));
        self.joining += usize::from(member.is_joining());
        before
    }

    /// A member waits no longer; for what it did.
    pub(super) fn stop_waiting(&mut self, id: &str) -> Option<Waiting> {
        let before = self.by_id.get_mut(id)?.waiting.take();
        self.joining -= usize::from(matches!(before, Some(Waiting::Join(_))));
        before
    }

    /// Whether a member with these protocols has one in common with all others.
    pub(super) fn support(&self, protocols: &[(Arc<str>, Bytes)]) -> bool {
        let by_all = |name: &Arc<str>| self.supporters.get(name) == Some(&self.by_id.len());
        self.by_id.is_empty() || protocols.iter().any(|(name, _)| by_all(name))
    }

    /// The protocol that most members like best, of those that all support.
    pub(super) fn select_protocol(&self) -> Option<Arc<str>> {
        let all = self.by_id.len();
        let mut votes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for member in self.by_id.values() {
            let mut names = member.protocols.iter().map(|(name, _)| name);
            if let Some(best) = names.find(|name| self.supporters.get(*name) == Some(&all)) {
                *votes.entry(best).or_default() += 1;
            }
        }
        let chosen = votes.into_iter().max_by_key(|(_, votes)| *votes);
        chosen.map(|(name, _)| Arc::clone(name))
    }

    /// The longest time that a member wants a rebalance to wait for it.
    pub(super) fn longest_rebalance(&self) -> Duration {
        let times = self.by_id.values().map(|member| member.rebalance_timeout);
        times.max().unwrap_or_default()
    }
}

/// The names of protocols, each once: a member may repeat one.
fn names(protocols: &[(Arc<str>, Bytes)]) -> BTreeSet<&Arc<str>> {
    protocols.iter().map(|(name, _)| name).collect()
}

fn count(supporters: &mut BTreeMap<Arc<str>, usize>, protocols: &[(Arc<str>, Bytes)]) {
    for name in names(protocols) {
        *supporters.entry(Arc::clone(name)).or_default() += 1;
    }
}

fn discount(supporters: &mut BTreeMap<Arc<str>, usize>, protocols: &[(Arc<str>, Bytes)]) {
    for name in names(protocols) {
        if let Some(number) = supporters.get_mut(name) {
            *number -= 1;
            if *number == 0 {
                supporters.remove(name);
            }
        }
    }
}

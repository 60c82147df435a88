//! All groups of one internal partition.

mod counts;
mod expiry;
mod replay;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::ids::ClusterId;
use firn_runtime::Timestamp;

use crate::api::{Answer, CommittedIn, GroupKey, Listed, Request};
use crate::classic::{ClassicGroup, Owner, Turn};
use crate::offsets::Offsets;
use crate::record::{Key, Record};
use crate::settings::GroupSettings;
use crate::timers::Timers;
pub use counts::GroupCounts;

/// A request, among those that are not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The shard of a group among `shards`: by the CRC32C of cluster and name, which never changes.
pub fn shard_of(cluster: ClusterId, group: &str, shards: u32) -> u32 {
    let of_cluster = crc32c::crc32c(&cluster.0.to_be_bytes());
    crc32c::crc32c_append(of_cluster, group.as_bytes()) % shards.max(1)
}

/// What comes of an input.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// To be appended, all or nothing, before any answer goes out. If they cannot be, what the shard holds in memory is
    /// ahead of its records: it has to be replayed.
    pub records: Vec<Record>,
    /// Requests that are answered, this one or earlier ones.
    pub answers: Vec<(Token, Answer)>,
}

/// A group.
#[derive(Debug)]
struct Group {
    classic: ClassicGroup,
    offsets: Offsets,
    /// What is stored of its generation.
    stored: Option<Bytes>,
}

impl Group {
    fn new(now: Timestamp) -> Self {
        Self {
            classic: ClassicGroup::new(now),
            offsets: Offsets::default(),
            stored: None,
        }
    }

    /// Whether there is nothing to it.
    fn is_nothing(&self) -> bool {
        self.stored.is_none() && self.offsets.is_empty() && self.classic.is_deserted()
    }
}

/// All groups of one internal partition.
#[derive(Debug)]
pub struct Shard {
    settings: GroupSettings,
    groups: BTreeMap<Arc<GroupKey>, Group>,
    /// How many groups each cluster has here, which is part of what `all` counts.
    counts: BTreeMap<ClusterId, usize>,
    all: Arc<GroupCounts>,
    timers: Timers<Owner>,
}

impl Shard {
    /// A shard without groups: replay the partition's records into it, then [`Shard::resume`]. Its groups are counted in `all`,
    /// for as long as it lives.
    pub fn new(settings: GroupSettings, all: Arc<GroupCounts>) -> Self {
        Self {
            settings,
            groups: BTreeMap::new(),
            counts: BTreeMap::new(),
            all,
            timers: Timers::default(),
        }
    }

    /// Bytes of the records that say all that there is to know.
    pub fn size(&self) -> usize {
        let mut bytes = 0;
        let mut records = Vec::new();
        for (key, group) in &self.groups {
            group.records(key, &mut records);
            bytes += records.drain(..).map(|record| record.size()).sum::<usize>();
        }
        bytes
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// When [`Shard::tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// From here on a cluster may have so many groups; those that are there stay.
    pub fn limit_groups(&mut self, most: usize) {
        self.settings.max_groups = most;
    }

    /// Asks a group. The request is answered now, or with a later input. `now` never goes back.
    pub fn step(&mut self, token: Token, key: GroupKey, request: Request, now: Timestamp) -> Output {
        let mut output = Output::default();
        self.ask(token, key, request, now, &mut output);
        output
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Timestamp) -> Output {
        let mut output = Output::default();
        while let Some((time, owner)) = self.timers.pop(now) {
            self.with_group(&owner.group, now, &mut output, |group, turn| {
                group.classic.rung(turn, time, owner.what.clone());
            });
        }
        output
    }

    /// The groups of a cluster, in order of their names.
    pub fn list(&self, cluster: ClusterId) -> Vec<Listed> {
        let from = GroupKey {
            cluster,
            name: "".into(),
        };
        let groups = self
            .groups
            .range::<GroupKey, _>((Bound::Included(&from), Bound::Unbounded));
        let of_cluster = groups.take_while(|(key, _)| key.cluster == cluster);
        let listed = of_cluster.map(|(key, group)| Listed {
            name: Arc::clone(&key.name),
            protocol_type: group.classic.protocol_type(),
            state: group.classic.state(),
        });
        listed.collect()
    }

    /// What is committed in groups after `after`, of whole groups, until they are `most` offsets; and the last of these groups, or
    /// none at the end.
    pub fn committed(&self, after: Option<&GroupKey>, most: usize) -> (Vec<CommittedIn>, Option<GroupKey>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut all, mut count) = (Vec::new(), 0);
        for (key, group) in self.groups.range::<GroupKey, _>((from, Bound::Unbounded)) {
            let offsets = group.offsets.all();
            let offsets: Vec<_> = offsets.map(|(at, offset)| (*at, offset.offset)).collect();
            // Groups without any cost a look, too.
            count += offsets.len() + 1;
            if !offsets.is_empty() {
                let group = GroupKey::clone(key);
                all.push(CommittedIn { group, offsets });
            }
            if count >= most {
                return (all, Some(GroupKey::clone(key)));
            }
        }
        (all, None)
    }

    /// Records that say all that the shard's records say of groups after `after`, of whole groups, until they have
    /// `most` bytes; and the last of these groups, or none at the end.
    pub fn snapshot(&self, after: Option<&GroupKey>, most: usize) -> (Vec<Record>, Option<GroupKey>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut records, mut bytes) = (Vec::new(), 0);
        for (key, group) in self.groups.range::<GroupKey, _>((from, Bound::Unbounded)) {
            let before = records.len();
            group.records(key, &mut records);
            bytes += records[before..].iter().map(Record::size).sum::<usize>();
            if bytes >= most {
                return (records, Some(GroupKey::clone(key)));
            }
        }
        (records, None)
    }

    /// Does `work` with a group, if it is there, and takes note of what came of it.
    fn with_group<T>(
        &mut self,
        key: &Arc<GroupKey>,
        now: Timestamp,
        output: &mut Output,
        work: impl FnOnce(&mut Group, &mut Turn<'_>) -> T,
    ) -> Option<T> {
        let group = self.groups.get_mut(key)?;
        let mut turn = Turn {
            now,
            settings: &self.settings,
            timers: &mut self.timers,
            answers: &mut output.answers,
            key,
            store: false,
        };
        let done = work(group, &mut turn);
        if turn.store {
            let value = group.classic.stored().encode();
            group.stored = Some(value.clone());
            output.records.push(Record {
                key: Key::Group(GroupKey::clone(key)).encode(),
                value: Some(value),
            });
        }
        if group.is_nothing() {
            self.forget(key);
        }
        Some(done)
    }

    /// The key under which a group is known; it is made if it may be.
    fn known_or_new(&mut self, key: GroupKey, now: Timestamp) -> Option<Arc<GroupKey>> {
        if let Some((known, _)) = self.groups.get_key_value(&key) {
            return Some(Arc::clone(known));
        }
        if !self.all.add(key.cluster, self.settings.max_groups) {
            return None;
        }
        *self.counts.entry(key.cluster).or_default() += 1;
        let key = Arc::new(key);
        self.groups.insert(Arc::clone(&key), Group::new(now));
        Some(key)
    }

    fn known(&self, key: &GroupKey) -> Option<Arc<GroupKey>> {
        self.groups.get_key_value(key).map(|(known, _)| Arc::clone(known))
    }

    fn forget(&mut self, key: &Arc<GroupKey>) {
        if self.groups.remove(key).is_none() {
            return;
        }
        self.all.remove(key.cluster, 1);
        if let Some(count) = self.counts.get_mut(&key.cluster) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&key.cluster);
            }
        }
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        for (cluster, count) in &self.counts {
            self.all.remove(*cluster, *count);
        }
    }
}

impl Group {
    /// The records that say all about it.
    fn records(&self, key: &GroupKey, records: &mut Vec<Record>) {
        if let Some(stored) = &self.stored {
            records.push(Record {
                key: Key::Group(key.clone()).encode(),
                value: Some(stored.clone()),
            });
        }
        records.extend(self.offsets.all().map(|(partition, offset)| Record {
            key: Key::Offset(key.clone(), *partition).encode(),
            value: Some(offset.encode()),
        }));
    }

    /// The records after which nothing of it is left.
    fn tombstones(&self, key: &GroupKey, records: &mut Vec<Record>) {
        let before = records.len();
        self.records(key, records);
        records[before..]
            .iter_mut()
            .for_each(|record| record.value = None);
    }
}

//! From records back to groups.

use std::sync::Arc;

use bytes::Bytes;
use firn_runtime::Timestamp;

use super::{Group, Shard};
use crate::api::{CommittedOffset, GroupKey};
use crate::classic::{ClassicGroup, Turn};
use crate::record::{Key, Record, StoredGroup, Unreadable};

impl Shard {
    /// Takes the next record of the partition.
    pub fn replay(&mut self, record: &Record) -> Result<(), Unreadable> {
        match (Key::decode(&record.key)?, &record.value) {
            (Key::Group(key), Some(value)) => {
                let classic = ClassicGroup::restored(StoredGroup::decode(value)?);
                let group = self.replayed(key);
                group.classic = classic;
                // A copy: the batch that it came in may be larger.
                group.stored = Some(Bytes::copy_from_slice(value));
            }
            (Key::Offset(key, partition), Some(value)) => {
                let offset = CommittedOffset::decode(value)?;
                self.replayed(key).offsets.put(partition, offset);
            }
            (Key::Group(key), None) => self.unless_nothing(&key, |group| {
                group.classic = ClassicGroup::new(Timestamp(0));
                group.stored = None;
            }),
            (Key::Offset(key, partition), None) => self.unless_nothing(&key, |group| {
                group.offsets.remove(&partition);
            }),
        }
        Ok(())
    }

    /// All records have been replayed: the sessions of members begin, since nobody can have heard from them meanwhile.
    pub fn resume(&mut self, now: Timestamp) {
        let mut answers = Vec::new();
        for (key, group) in &mut self.groups {
            let mut turn = Turn {
                now,
                settings: &self.settings,
                timers: &mut self.timers,
                answers: &mut answers,
                key,
                store: false,
            };
            group.classic.resume(&mut turn);
        }
    }

    /// The group, whatever bound on groups was set since.
    fn replayed(&mut self, key: GroupKey) -> &mut Group {
        if !self.groups.contains_key(&key) {
            self.all.add(key.cluster, usize::MAX);
            *self.counts.entry(key.cluster).or_default() += 1;
        }
        self.groups
            .entry(Arc::new(key))
            .or_insert_with(|| Group::new(Timestamp(0)))
    }

    fn unless_nothing(&mut self, key: &GroupKey, change: impl FnOnce(&mut Group)) {
        let Some(known) = self.known(key) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&known) {
            change(group);
            if group.is_nothing() {
                self.forget(&known);
            }
        }
    }
}

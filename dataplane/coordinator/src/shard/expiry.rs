//! Offsets that nobody uses any more, and groups that nothing is left of.

use std::sync::Arc;

use firn_catalog::ids::TopicId;
use firn_runtime::Timestamp;

use super::{Group, Output, Shard};
use crate::api::GroupState;
use crate::offsets::Offsets;
use crate::record::{Key, Record};

impl Shard {
    /// Forgets offsets that are past their time or whose topic is gone, and empty groups without offsets. `topic` tells the name
    /// of a topic that exists.
    pub fn expire(&mut self, now: Timestamp, topic: impl Fn(TopicId) -> Option<Arc<str>>) -> Output {
        let mut output = Output::default();
        let retention = i64::try_from(self.settings.retention.as_millis()).unwrap_or(i64::MAX);
        let mut gone = Vec::new();
        for (key, group) in &mut self.groups {
            for partition in group.expired(now, retention, &topic) {
                group.offsets.remove(&partition);
                output.records.push(Record {
                    key: Key::Offset((**key).clone(), partition).encode(),
                    value: None,
                });
            }
            if group.classic.is_deserted() && group.offsets.is_empty() {
                group.tombstones(key, &mut output.records);
                gone.push(Arc::clone(key));
            }
        }
        gone.iter().for_each(|key| self.forget(key));
        output
    }
}

impl Group {
    fn expired(
        &self,
        now: Timestamp,
        retention_ms: i64,
        topic: impl Fn(TopicId) -> Option<Arc<str>>,
    ) -> Vec<firn_catalog::ids::PartitionId> {
        let exists = |id| topic(id).is_some();
        let expired = |idle: &dyn Fn(&firn_catalog::ids::PartitionId) -> Option<Timestamp>| {
            Offsets::expired(&self.offsets, now, retention_ms, idle, exists)
        };
        let managed = !self.classic.protocol_type().is_empty();
        match self.classic.state() {
            // Consumers without members: each offset for itself.
            GroupState::Empty if !managed => expired(&|_| Some(Timestamp(i64::MIN))),
            GroupState::Empty if self.classic.is_deserted() => expired(&|_| Some(self.classic.since())),
            GroupState::Stable => match self.classic.subscribed() {
                Some(subscribed) => expired(&|partition| {
                    let name = topic(partition.topic)?;
                    let used = subscribed.contains(&name);
                    (!used).then_some(Timestamp(i64::MIN))
                }),
                None => expired(&|_| None),
            },
            GroupState::Empty | GroupState::PreparingRebalance | GroupState::CompletingRebalance => {
                expired(&|_| None)
            }
        }
    }
}

//! Retention: how far a log start may rise, and which objects nobody needs any more.
//!
//! Retention by time and size takes whole extents off the front of the cold log; what is not offloaded yet stays,
//! so a log start rises at most to the cold end (DeleteRecords may go further, up to the high watermark). An object goes
//! when every extent in it lies below its partition's log start, or its topic is deleted. The newest extent of a
//! partition stays for as long as the producers whose state it holds may come back, even if all its records are deleted:
//! records may be years old by their own timestamps while their producer is still retrying.
//!
//! A record must not be counted twice, as one that is local and as one that is cold: the cut would go deeper than the
//! policy says. A checkpoint may come in between at any moment, so what is local is decided against the very list of
//! extents that the cold bytes are added up from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::cell::{EndHint, LogStartChange};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, ObjectId, Offset, PartitionId};
use firn_runtime::Timestamp;

use super::ColdError;
use super::extents::{ColdObject, HeldExtent};
use super::tier::{ColdTier, Interrupted};
use super::uploads::persistently;

/// What a topic's configuration says of retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// How long records are kept, in ms; `None`: for ever.
    pub retention_ms: Option<i64>,
    /// How many bytes a partition keeps; `None`: all.
    pub retention_bytes: Option<u64>,
    /// Whether the cleanup policy deletes; if not, nothing is.
    pub deletes: bool,
}

/// A partition that the caller leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionSubject {
    /// Which.
    pub partition: PartitionId,
    /// The epoch in which the caller leads it.
    pub leader_epoch: LeaderEpoch,
    /// Its log start.
    pub log_start: Offset,
    /// Its records that were not in cold objects when the caller looked, in offset order: one past the last offset of
    /// each run, and its bytes. May be left out if the policy does not go by size.
    pub local: Vec<(Offset, u64)>,
    /// What its topic asks for.
    pub policy: RetentionPolicy,
    /// How long a silent idempotent producer is remembered.
    pub producer_expiration: Duration,
}

/// An extent as retention sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgingExtent {
    /// One past its last offset.
    pub end: Offset,
    /// Its bytes.
    pub bytes: u64,
    /// Its largest record timestamp; -1 for none.
    pub max_timestamp: i64,
    /// When its last slot was appended.
    pub last_appended_at: Timestamp,
}

impl AgingExtent {
    /// Whether all of it is older than `retention_ms`. Records without timestamps are as old as their slot.
    fn expired(&self, retention_ms: i64, now: Timestamp) -> bool {
        let newest = if self.max_timestamp < 0 {
            self.last_appended_at.0
        } else {
            self.max_timestamp
        };
        now.0.saturating_sub(newest) > retention_ms
    }
}

/// The log start that the policy asks for. Pure. `extents` are those that end past `log_start`, in offset order;
/// the last of them may be left out if they are too young to matter, their bytes counted in `later_bytes`.
pub fn plan(
    extents: &[AgingExtent],
    later_bytes: u64,
    log_start: Offset,
    policy: &RetentionPolicy,
    now: Timestamp,
) -> Offset {
    if !policy.deletes {
        return log_start;
    }
    let mut kept: u64 = extents.iter().map(|extent| extent.bytes).sum::<u64>() + later_bytes;
    let mut start = log_start;
    for extent in extents {
        let expired = policy.retention_ms.is_some_and(|ms| extent.expired(ms, now));
        // The log stays at least as large as it may be: what is left without this extent must be enough.
        let too_many = policy
            .retention_bytes
            .is_some_and(|bytes| kept.saturating_sub(extent.bytes) >= bytes);
        if !expired && !too_many {
            break;
        }
        kept = kept.saturating_sub(extent.bytes);
        start = start.max(extent.end);
    }
    start
}

/// The bytes of the runs that lie past the cold end.
fn local_bytes(local: &[(Offset, u64)], cold_end: Option<Offset>) -> u64 {
    #[cfg(feature = "planted")]
    let cold_end = cold_end.filter(|_| !crate::planted::is(crate::planted::Mistake::CountTwice));
    let past = |(end, _): &&(Offset, u64)| cold_end.is_none_or(|cold_end| *end > cold_end);
    local.iter().filter(past).map(|(_, bytes)| bytes).sum()
}

/// What one round of retention did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// The log starts that have risen; the catalog has them.
    pub log_starts: Vec<LogStartChange>,
    /// How many objects were marked for deletion.
    pub removed: usize,
}

impl ColdTier {
    /// One round: raises the log starts that policies ask for, and marks the objects that nobody needs. `subjects` are
    /// all partitions that `by` leads.
    pub async fn retain(
        &self,
        by: IncarnationId,
        subjects: &[RetentionSubject],
    ) -> Result<Retained, ColdError> {
        let _one_at_a_time = self.reshaping.lock().await;
        let now = self.env.now();
        let mut log_starts = Vec::new();
        let mut starts: BTreeMap<PartitionId, (Offset, Duration)> = BTreeMap::new();
        for subject in subjects {
            let start = match self.steadily(|| self.new_start(subject, now)).await {
                Ok(start) => start,
                Err(error) => {
                    // One damaged partition must not keep the others from being tidied.
                    tracing::warn!(partition = %subject.partition, %error, "retention passes a partition over");
                    subject.log_start
                }
            };
            if start > subject.log_start {
                log_starts.push(LogStartChange {
                    partition: subject.partition,
                    leader_epoch: subject.leader_epoch,
                    log_start: start,
                });
            }
            starts.insert(subject.partition, (start, subject.producer_expiration));
        }
        let gone = self.gone_partitions(&starts).await?;
        let removed = self.steadily(|| self.unneeded(&starts, &gone, now)).await?;
        let starts = starts
            .into_iter()
            .map(|(partition, (start, _))| (partition, start));
        if log_starts.is_empty() && removed.is_empty() {
            self.publish_retained(starts.collect(), gone);
            return Ok(Retained::default());
        }
        let ends = self.end_hints(&removed, &gone);
        let changing = self.changing.lock().await;
        let trim = || {
            self.catalog
                .trim(by, log_starts.clone(), removed.clone(), ends.clone(), now)
        };
        persistently(trim).await?;
        self.publish_trim(&changing, &removed);
        self.publish_retained(starts.collect(), gone);
        Ok(Retained {
            log_starts,
            removed: removed.len(),
        })
    }

    async fn new_start(&self, subject: &RetentionSubject, now: Timestamp) -> Result<Offset, Interrupted> {
        let policy = &subject.policy;
        if !policy.deletes || (policy.retention_ms.is_none() && policy.retention_bytes.is_none()) {
            return Ok(subject.log_start);
        }
        let held = match self.extents_from(subject.partition, subject.log_start) {
            // What retention is done with may be gone.
            Err(ColdError::Trimmed { .. }) => return Ok(subject.log_start),
            held => held?,
        };
        let total: u64 = held.iter().map(|extent| extent.length).sum();
        let local = local_bytes(&subject.local, held.last().map(|extent| extent.end));
        let mut extents: Vec<AgingExtent> = Vec::new();
        let (mut aged, mut start) = (0, subject.log_start);
        // The times of an extent may have to be read: only for as long as the one before it goes.
        for extent in &held {
            let times = self.times(extent).await?;
            aged += extent.length;
            extents.push(AgingExtent {
                end: extent.end,
                bytes: extent.length,
                max_timestamp: times.max_timestamp,
                last_appended_at: times.last_appended_at,
            });
            let later = total - aged + local;
            start = plan(&extents, later, subject.log_start, policy, now);
            if start < extent.end {
                break;
            }
        }
        Ok(start)
    }

    /// The partitions in objects that are not the caller's and whose topics are deleted.
    async fn gone_partitions(
        &self,
        starts: &BTreeMap<PartitionId, (Offset, Duration)>,
    ) -> Result<BTreeSet<PartitionId>, ColdError> {
        let foreign: BTreeSet<PartitionId> = self.with_map(|map| {
            let named = map
                .objects()
                .flat_map(|object| &object.extents)
                .map(|extent| extent.partition);
            named
                .filter(|partition| !starts.contains_key(partition))
                .collect()
        });
        if foreign.is_empty() {
            return Ok(foreign);
        }
        let existing = self
            .catalog
            .existing_partitions(foreign.iter().copied().collect())
            .await?;
        let existing: BTreeSet<PartitionId> = existing.into_iter().collect();
        Ok(foreign.difference(&existing).copied().collect())
    }

    /// The objects that nobody needs.
    async fn unneeded(
        &self,
        starts: &BTreeMap<PartitionId, (Offset, Duration)>,
        gone: &BTreeSet<PartitionId>,
        now: Timestamp,
    ) -> Result<Vec<ObjectId>, Interrupted> {
        let past = |extent: &HeldExtent| {
            gone.contains(&extent.partition)
                || starts
                    .get(&extent.partition)
                    .is_some_and(|(start, _)| extent.end <= *start)
        };
        let candidates: Vec<Arc<ColdObject>> = self.with_map(|map| {
            let all_past = |object: &&Arc<ColdObject>| object.extents.iter().all(|extent| past(extent));
            map.objects().filter(all_past).cloned().collect()
        });
        let mut unneeded = Vec::new();
        for object in candidates {
            let mut needed = false;
            for extent in &object.extents {
                let Some((_, expiration)) = starts.get(&extent.partition) else {
                    continue;
                };
                needed = needed || self.holds_producers(extent, *expiration, now).await?;
            }
            if !needed {
                unneeded.push(object.row.id);
            }
        }
        Ok(unneeded)
    }

    /// Whether an extent is the one that a restart would read the state of producers from, and one of them may come
    /// back.
    async fn holds_producers(
        &self,
        extent: &HeldExtent,
        expiration: Duration,
        now: Timestamp,
    ) -> Result<bool, Interrupted> {
        if self
            .bounds(extent.partition)
            .is_none_or(|(_, end)| extent.end < end)
        {
            return Ok(false);
        }
        let times = self.times(extent).await?;
        Ok(times.has_producers && now.since(times.last_appended_at) < expiration)
    }

    /// Where the logs end of partitions that no object names any more without `removed`.
    fn end_hints(&self, removed: &[ObjectId], gone: &BTreeSet<PartitionId>) -> Vec<EndHint> {
        self.with_map(|map| {
            let objects = map.objects().filter(|object| removed.contains(&object.row.id));
            let named: BTreeSet<PartitionId> = objects
                .flat_map(|object| &object.extents)
                .map(|extent| extent.partition)
                .collect();
            let mut hints = Vec::new();
            for partition in named.difference(gone).copied() {
                let Some(held) = map.partition(partition) else {
                    continue;
                };
                let all_go = held.list.iter().all(|extent| removed.contains(&extent.row.id));
                if let (true, Some((_, end))) = (all_go, held.bounds()) {
                    hints.push(EndHint { partition, end });
                }
            }
            hints
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents() -> Vec<AgingExtent> {
        let extent = |end, max_timestamp| AgingExtent {
            end: Offset(end),
            bytes: 100,
            max_timestamp,
            last_appended_at: Timestamp(5_000),
        };
        vec![
            extent(10, 1_000),
            extent(20, 2_000),
            extent(30, 1_500),
            extent(40, -1),
        ]
    }

    fn policy(retention_ms: Option<i64>, retention_bytes: Option<u64>) -> RetentionPolicy {
        RetentionPolicy {
            retention_ms,
            retention_bytes,
            deletes: true,
        }
    }

    fn start(policy: &RetentionPolicy, now: i64) -> i64 {
        plan(&extents(), 50, Offset(3), policy, Timestamp(now)).0
    }

    #[test]
    fn time_takes_extents_off_the_front_until_one_is_young_enough() {
        let hour = policy(Some(1_000), None);
        assert_eq!(start(&hour, 2_000), 3);
        assert_eq!(start(&hour, 2_001), 10);
        assert_eq!(
            start(&hour, 2_600),
            10,
            "the third is old enough, but the second is in front of it"
        );
        assert_eq!(start(&hour, 3_001), 30);
        assert_eq!(
            start(&hour, 6_000),
            30,
            "without timestamps the slot's time counts"
        );
        assert_eq!(start(&hour, 6_001), 40);
    }

    #[test]
    fn size_leaves_at_least_as_many_bytes_as_may_be_kept() {
        assert_eq!(start(&policy(None, Some(450)), 0), 3);
        assert_eq!(start(&policy(None, Some(351)), 0), 3);
        assert_eq!(start(&policy(None, Some(350)), 0), 10);
        assert_eq!(start(&policy(None, Some(100)), 0), 30);
        assert_eq!(start(&policy(None, Some(0)), 0), 40, "only what is cold goes");
    }

    #[test]
    fn without_the_delete_policy_nothing_goes() {
        let compact = RetentionPolicy {
            deletes: false,
            ..policy(Some(0), Some(0))
        };
        assert_eq!(start(&compact, 1 << 40), 3);
    }
}

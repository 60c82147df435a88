//! Clusters that hold as many bytes as they may: Produce to them is refused.
//!
//! A task adds up now and then what each cluster's partitions take up on this broker. A request asks one flag, which says whether
//! any cluster is full at all, and only if so which ones: with all of them within their limits that is one load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use firn_catalog::ids::{ClusterId, PartitionId};
use firn_catalog::image::{Image, ImageFollower};
use firn_log::engine::Log;
use parking_lot::RwLock;
use tracing::info;

/// How long after one sum the next begins.
const BETWEEN: Duration = Duration::from_secs(3);
/// How many partitions are asked before other tasks get their turn.
const AT_ONCE: usize = 256;

/// Which clusters are full here.
#[derive(Debug, Default)]
pub(crate) struct StorageLimits {
    any: AtomicBool,
    full: RwLock<BTreeSet<ClusterId>>,
}

impl StorageLimits {
    /// Whether the cluster holds as much as it may.
    pub(crate) fn is_full(&self, cluster: ClusterId) -> bool {
        self.any.load(Ordering::Relaxed) && self.full.read().contains(&cluster)
    }

    fn set(&self, full: BTreeSet<ClusterId>) {
        let any = !full.is_empty();
        let mut current = self.full.write();
        for cluster in full.difference(&current) {
            info!(%cluster, "a cluster is over its storage limit; it takes no more records");
        }
        *current = full;
        self.any.store(any, Ordering::Relaxed);
    }
}

/// Adds up for as long as the broker serves.
pub(crate) async fn watch(limits: Arc<StorageLimits>, images: Arc<ImageFollower>, log: Arc<Log>) {
    loop {
        tokio::time::sleep(BETWEEN).await;
        let image = images.image();
        let held = held(&image, &log).await;
        limits.set(full(&image, &held));
    }
}

/// What the partitions of each cluster that this broker leads take up, in bytes.
async fn held(image: &Image, log: &Log) -> BTreeMap<ClusterId, u64> {
    let mut held: BTreeMap<ClusterId, u64> = BTreeMap::new();
    let own = log.incarnation();
    let mut asked = 0;
    for topic in image.topics() {
        for (index, leader) in (0i32..).zip(topic.partitions.iter()) {
            if leader.owner != own {
                continue;
            }
            let id = PartitionId {
                topic: topic.id,
                index,
            };
            if let Some(partition) = log.partition(id) {
                let sizes = partition.sizes();
                // Records that are local and in objects are the same records.
                *held.entry(topic.cluster).or_default() += sizes.local.max(sizes.cold);
            }
            asked += 1;
            if asked % AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    held
}

/// The clusters that hold as much as they may. The cell's own has no limit.
fn full(image: &Image, held: &BTreeMap<ClusterId, u64>) -> BTreeSet<ClusterId> {
    let over = |(id, bytes): (&ClusterId, &u64)| {
        let limit = image.cluster(*id)?.limits.storage_bytes;
        let reached = *bytes >= u64::try_from(limit).unwrap_or(0);
        (reached && *id != firn_catalog::commands::CELL_CLUSTER).then_some(*id)
    };
    held.iter().filter_map(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_full_cluster_is_refused_and_only_while_it_is_full() {
        let limits = StorageLimits::default();
        assert!(!limits.is_full(ClusterId(1)));
        limits.set(BTreeSet::from([ClusterId(1)]));
        assert!(limits.is_full(ClusterId(1)) && !limits.is_full(ClusterId(2)));
        limits.set(BTreeSet::new());
        assert!(!limits.is_full(ClusterId(1)));
    }
}

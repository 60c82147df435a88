//! How many groups clusters have, in all shards of a broker together.

use std::collections::BTreeMap;

use firn_catalog::ids::ClusterId;
use parking_lot::Mutex;

/// Groups of each cluster.
#[derive(Debug, Default)]
pub struct GroupCounts(Mutex<BTreeMap<ClusterId, usize>>);

impl GroupCounts {
    /// One more, unless there are `most` already.
    pub(super) fn add(&self, cluster: ClusterId, most: usize) -> bool {
        let mut counts = self.0.lock();
        let count = counts.entry(cluster).or_default();
        let room = *count < most;
        *count += usize::from(room);
        room
    }

    /// So many fewer.
    pub(super) fn remove(&self, cluster: ClusterId, fewer: usize) {
        let mut counts = self.0.lock();
        if let Some(count) = counts.get_mut(&cluster) {
            *count -= fewer;
            if *count == 0 {
                counts.remove(&cluster);
            }
        }
    }

    /// How many a cluster has.
    pub fn of(&self, cluster: ClusterId) -> usize {
        self.0.lock().get(&cluster).copied().unwrap_or(0)
    }
}

//! What a broker tells of a cluster's load: how much goes on, and what the partitions that it leads hold.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::{ClusterId, PartitionId};
use firn_catalog::internal::Load;

use crate::serving::shared::Serving;

/// After how many partitions others get their turn.
const LOOK_PARTITIONS: usize = 256;
/// How long the groups may take to be counted: what they rest on may have to become durable.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds up what there is.
pub(super) async fn load(serving: &Arc<Serving>, cluster: ClusterId) -> Load {
    let mut load = serving.clients.load(cluster);
    load.storage_full = serving.storage_limits.is_full(cluster);
    let listed = tokio::time::timeout(PATIENCE, serving.groups.list(cluster)).await;
    load.groups = listed.ok().and_then(Result::ok).map(|groups| groups.len() as u64);
    let (image, own) = (serving.image(), serving.log.incarnation());
    let mut looked = 0_usize;
    for topic in image.topics_of(cluster) {
        for (index, leader) in (0..).zip(topic.partitions.iter()) {
            if leader.owner != own {
                continue;
            }
            let topic = topic.id;
            add(&mut load, serving, PartitionId { topic, index });
            looked += 1;
            if looked.is_multiple_of(LOOK_PARTITIONS) {
                tokio::task::yield_now().await;
            }
        }
    }
    load
}

fn add(load: &mut Load, serving: &Serving, id: PartitionId) {
    load.partitions += 1;
    let Some(partition) = serving.log.partition(id) else {
        load.unavailable_partitions += 1;
        return;
    };
    let sizes = partition.sizes();
    load.local_bytes += sizes.local;
    load.tiered_bytes += sizes.cold;
    // Records that are local and in objects are the same records.
    load.total_bytes += sizes.local.max(sizes.cold);
}

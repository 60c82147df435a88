//! What a cell needs for itself: the topic in which the coordinators keep groups, in a cluster that no tenant is in.

use super::clusters::kafka_id;
use super::{Actor, CommandError, Principal, TopicRef};
use crate::catalog::Catalog;
use crate::entities::{Cluster, ClusterLimits, ClusterState, Topic};
use crate::ids::{ClusterId, FeedSequence, OrganizationId, TopicId};
use crate::sql::{Tx, TxError, transaction};
use crate::topic_config::ConfigMap;

/// The cell's own cluster. Tenants' clusters have random ids.
pub const CELL_CLUSTER: ClusterId = ClusterId(0);
/// The topic in the cell's own cluster whose partitions hold groups and their offsets.
pub const COORDINATOR_TOPIC: &str = "__coordinator";
/// The DNS label of the cell's own cluster: none that a host name could have.
const SLUG: &str = "_cell";
/// Records stay as they are until the coordinator has written them anew, whatever the broker's defaults for topics are.
const CONFIGS: [(&str, &str); 8] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("max.message.bytes", "104857600"),
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.type", "CreateTime"),
    ("retention.bytes", "-1"),
    ("retention.ms", "-1"),
];

impl Catalog {
    /// Finds or makes the coordinators' topic, with so many partitions if it is made. The feed tells of it at the place that is
    /// returned, if this call made it.
    pub async fn ensure_coordinator(&self, partitions: i32) -> Result<Option<FeedSequence>, CommandError> {
        let cluster = Cluster {
            id: CELL_CLUSTER,
            slug: SLUG.to_owned(),
            kafka_id: kafka_id(self.env().random_u128()),
            organization: OrganizationId(0),
            state: ClusterState::Active,
            delete_at: None,
            limits: ClusterLimits::HIGHEST,
            configs: ConfigMap::new(),
            networks: Vec::new(),
            version: 1,
        };
        let topic = Topic {
            id: TopicId(self.env().random_u128()),
            cluster: CELL_CLUSTER,
            name: COORDINATOR_TOPIC.to_owned(),
            partitions,
            configs: CONFIGS
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            created_at: self.env().now(),
        };
        let outcome: Result<_, CommandError> = transaction!(self.store(), write, |tx| self
            .ensure_coordinator_in(&mut tx, &cluster, &topic)
            .await);
        self.finish("ensure_coordinator", outcome)
    }

    async fn ensure_coordinator_in(
        &self,
        tx: &mut Tx,
        cluster: &Cluster,
        topic: &Topic,
    ) -> Result<Option<FeedSequence>, TxError<CommandError>> {
        let actor = Actor::process(Principal::Cell, "ensure_coordinator");
        self.ensure_cluster(tx, &actor, cluster).await?;
        // Brokers that start at the same time make it once.
        tx.lock_cluster(cluster.id).await?;
        let name = TopicRef::Name(topic.name.clone());
        match tx.find_topic(cluster.id, &name).await {
            Ok(_) => Ok(None),
            Err(TxError::Refused(CommandError::UnknownTopic)) => {
                let created = self.create_topic_in(tx, &actor, topic, false).await?;
                Ok(created.sequence)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_config::{Standing, TOPIC_KEYS};

    #[test]
    fn nothing_that_counts_is_left_to_the_brokers_defaults() {
        let levels = |name: &str| name.starts_with("compression.") && name.ends_with(".level");
        for key in TOPIC_KEYS {
            let pinned = CONFIGS.iter().any(|(name, _)| *name == key.name);
            let counts = key.standing == Standing::Enforced && !levels(key.name);
            assert!(pinned || !counts, "{} is not pinned", key.name);
        }
    }
}

//! Changing the configs of topics, and a cluster's broker configs.

use super::{Actor, CommandError, Committed, Operation, Resource, TopicRef};
use crate::audit::topic::is_audit_topic;
use crate::audit::{changes, topic as audit_topic};
use crate::catalog::Catalog;
use crate::entities::Topic;
use crate::feed::Change;
use crate::ids::ClusterId;
use crate::sql::{self, Audited, Tx, TxError, args, transaction};
use crate::topic_config::{
    ConfigAlteration, ConfigKey, ConfigMap, validate_cluster_configs, validate_topic_configs,
};
use serde_json::json;

/// Changes a topic's configs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterTopicConfigs {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Which topic.
    pub topic: TopicRef,
    /// How.
    pub alteration: ConfigAlteration,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Changes what a cluster's owner sets for its brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterClusterConfigs {
    /// Which cluster.
    pub cluster: ClusterId,
    /// How.
    pub alteration: ConfigAlteration,
    /// Only say whether it would work.
    pub validate_only: bool,
}

impl Catalog {
    /// Changes a topic's configs, all or none. `sequence` is `None` if they were so already.
    pub async fn alter_topic_configs(
        &self,
        actor: &Actor,
        command: AlterTopicConfigs,
    ) -> Result<Committed<Topic>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.alter_topic_configs_in(&mut tx, actor, &command).await
        });
        self.finish("alter_topic_configs", outcome)
    }

    pub(super) async fn alter_topic_configs_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterTopicConfigs,
    ) -> Result<Committed<Topic>, TxError<CommandError>> {
        self.authorize(actor, Operation::UseCluster, &Resource::Cluster(command.cluster))?;
        tx.lock_cluster(command.cluster).await?;
        let mut topic = tx.find_topic(command.cluster, &command.topic).await?;
        let resource = Resource::Topic {
            cluster: topic.cluster,
            name: topic.name.clone(),
        };
        self.authorize(actor, Operation::AlterConfigs, &resource)?;
        let altered = command.alteration.apply(&topic.configs, ConfigKey::of_topic);
        let altered = altered.map_err(CommandError::from)?;
        validate_topic_configs(&altered).map_err(CommandError::from)?;
        let audits = |configs| is_audit_topic(&topic.name, configs, usize::from(topic.partitions == 1));
        if audits(&topic.configs) {
            audit_topic::check_configs(&altered)?;
        } else if audits(&altered) {
            return Err(audit_topic::not_by_configs().into());
        }
        let changed = altered != topic.configs;
        let detail = changes(&json!(topic.configs), &json!(altered));
        topic.configs = altered;
        if command.validate_only || !changed {
            return Ok(Committed {
                value: topic,
                sequence: None,
            });
        }
        let update = "UPDATE cell_topics SET configs = $2 WHERE id = $1";
        tx.execute(update, args![topic.id, sql::json(&topic.configs)])
            .await?;
        let change = Change::TopicConfigsChanged {
            topic: topic.id,
            configs: topic.configs.clone(),
        };
        let sequence = self
            .record(
                tx,
                actor,
                topic.cluster,
                Audited {
                    action: "alter_topic_configs",
                    kind: "topic",
                    resource: &topic.name,
                    detail,
                },
                change,
            )
            .await?;
        Ok(Committed {
            value: topic,
            sequence: Some(sequence),
        })
    }

    /// Changes a cluster's broker configs, all or none; gives all of them. `sequence` is `None` if they were so already.
    pub async fn alter_cluster_configs(
        &self,
        actor: &Actor,
        command: AlterClusterConfigs,
    ) -> Result<Committed<ConfigMap>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.alter_cluster_configs_in(&mut tx, actor, &command).await
        });
        self.finish("alter_cluster_configs", outcome)
    }

    async fn alter_cluster_configs_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterClusterConfigs,
    ) -> Result<Committed<ConfigMap>, TxError<CommandError>> {
        let id = command.cluster;
        self.authorize(actor, Operation::AlterConfigs, &Resource::Cluster(id))?;
        let current = tx.lock_cluster(id).await?.configs;
        let altered = command
            .alteration
            .apply(&current, ConfigKey::of_broker)
            .map_err(CommandError::from)?;
        validate_cluster_configs(&altered).map_err(CommandError::from)?;
        if command.validate_only || altered == current {
            return Ok(Committed {
                value: altered,
                sequence: None,
            });
        }
        let update = "UPDATE cell_clusters SET configs = $2 WHERE id = $1";
        tx.execute(update, args![id, sql::json(&altered)]).await?;
        let change = Change::ClusterConfigsChanged {
            cluster: id,
            configs: altered.clone(),
        };
        let sequence = self
            .record(
                tx,
                actor,
                id,
                Audited {
                    action: "alter_cluster_configs",
                    kind: "cluster",
                    resource: &id.public(),
                    detail: changes(&json!(current), &json!(altered)),
                },
                change,
            )
            .await?;
        Ok(Committed {
            value: altered,
            sequence: Some(sequence),
        })
    }
}

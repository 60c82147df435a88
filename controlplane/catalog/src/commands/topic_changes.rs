//! Changes of a topic for callers who have read it: several at once, and only if it is still as they read it.
//!
//! They are the commands of `topics`, `partitions` and `configs`, with the same permissions and audit rows, in one transaction.

use super::{
    Actor, AlterTopicConfigs, CommandError, Committed, CreatePartitions, DeleteTopic, Operation, Resource,
    TopicRef, validate_topic_name,
};
use crate::account::AccountError;
use crate::catalog::Catalog;
use crate::entities::Topic;
use crate::ids::{ClusterId, TopicId};
use crate::sql::{Tx, TxError, transaction};
use crate::topic_config::{ConfigAlteration, ConfigMap};

/// Changes a topic's number of partitions, its configs, or both: all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeTopic {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Which topic.
    pub topic: String,
    /// How many partitions it shall have: as many as it has, or more.
    pub partitions: Option<i32>,
    /// How its configs change.
    pub configs: Option<ConfigAlteration>,
    /// The version that the caller has read ([`topic_version`]).
    pub expected: Option<i64>,
    /// Do and check everything, and keep nothing.
    pub rehearsal: bool,
}

/// Stands for all that can change of a topic: two states of it have different versions. Never negative.
pub fn topic_version(id: TopicId, partitions: usize, configs: &ConfigMap) -> i64 {
    // FNV-1a with 64 bits. Who makes two states of an own topic collide fools nobody else.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    take(&id.0.to_be_bytes());
    take(&partitions.to_be_bytes());
    for (key, value) in configs {
        for text in [key, value] {
            take(&text.len().to_be_bytes());
            take(text.as_bytes());
        }
    }
    i64::try_from(hash >> 1).expect("63 bits")
}

impl Topic {
    /// Stands for its state; see [`topic_version`].
    pub fn version(&self) -> i64 {
        topic_version(
            self.id,
            usize::try_from(self.partitions).unwrap_or(0),
            &self.configs,
        )
    }
}

impl Catalog {
    /// Changes a topic. `sequence` is `None` if it was so already, and in a rehearsal.
    pub async fn change_topic(
        &self,
        actor: &Actor,
        command: &ChangeTopic,
    ) -> Result<Committed<Topic>, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.change_topic_in(&mut tx, actor, command).await
        });
        crate::metrics::command("change_topic", outcome.is_ok());
        self.hint_after(outcome)
    }

    async fn change_topic_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &ChangeTopic,
    ) -> Result<Committed<Topic>, TxError<AccountError>> {
        let (cluster, topic) = (command.cluster, TopicRef::Name(command.topic.clone()));
        let mut changed = Committed {
            value: self
                .expected_topic(tx, actor, cluster, &topic, command.expected)
                .await?,
            sequence: None,
        };
        if let Some(total) = command
            .partitions
            .filter(|total| *total != changed.value.partitions)
        {
            let widen = CreatePartitions {
                cluster,
                topic: topic.clone(),
                total,
                validate_only: false,
            };
            changed = self.create_partitions_in(tx, actor, &widen).await?;
        }
        if let Some(alteration) = &command.configs {
            let alter = AlterTopicConfigs {
                cluster,
                topic,
                alteration: alteration.clone(),
                validate_only: false,
            };
            let altered = self.alter_topic_configs_in(tx, actor, &alter).await?;
            changed = Committed {
                value: altered.value,
                sequence: altered.sequence.or(changed.sequence),
            };
        }
        if command.rehearsal {
            tx.rehearse();
            changed.sequence = None;
        }
        Ok(changed)
    }

    /// Deletes a topic if it is still as the caller read it. `sequence` is `None` in a rehearsal.
    pub async fn delete_topic_at(
        &self,
        actor: &Actor,
        command: &DeleteTopic,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<Topic>, AccountError> {
        let outcome: Result<Committed<Topic>, AccountError> = transaction!(self.store(), write, |tx| async {
            self.expected_topic(&mut tx, actor, command.cluster, &command.topic, expected)
                .await?;
            let mut deleted = self.delete_topic_in(&mut tx, actor, command).await?;
            if rehearsal {
                tx.rehearse();
                deleted.sequence = None;
            }
            Ok::<_, TxError<AccountError>>(deleted)
        }
        .await);
        crate::metrics::command("delete_topic", outcome.is_ok());
        self.hint_after(outcome)
    }

    /// The topic, locked, if the actor may see it and it is as expected.
    async fn expected_topic(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        topic: &TopicRef,
        expected: Option<i64>,
    ) -> Result<Topic, TxError<AccountError>> {
        let tenancy = self.authorize(actor, Operation::UseCluster, &Resource::Cluster(cluster));
        tenancy.map_err(AccountError::from)?;
        // No topic has a name that none may have, and not every database takes each text.
        if matches!(topic, TopicRef::Name(name) if validate_topic_name(name).is_err()) {
            return Err(AccountError::from(CommandError::UnknownTopic).into());
        }
        let allowed = |name: &str| {
            let name = name.to_owned();
            let allowed = self.authorize(actor, Operation::AlterTopic, &Resource::Topic { cluster, name });
            allowed.map_err(AccountError::from)
        };
        // A caller who may not change it is told so, whatever version it names, and whether it is there or not.
        if let TopicRef::Name(name) = topic {
            allowed(name)?;
        }
        tx.lock_cluster(cluster).await?;
        let topic = tx.find_topic(cluster, topic).await?;
        allowed(&topic.name)?;
        let current = topic.version();
        match expected.is_none_or(|expected| expected == current) {
            true => Ok(topic),
            false => Err(AccountError::VersionMismatch { current }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_a_topic_changes_its_version() {
        let configs = |pairs: &[(&str, &str)]| -> ConfigMap {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let states = [
            (1, 3, configs(&[])),
            (2, 3, configs(&[])),
            (1, 4, configs(&[])),
            (1, 3, configs(&[("a", "b")])),
            (1, 3, configs(&[("a", "c")])),
            (1, 3, configs(&[("ab", "")])),
            (1, 3, configs(&[("a", ""), ("b", "")])),
        ];
        let mut versions: Vec<_> = states
            .iter()
            .map(|(id, partitions, configs)| topic_version(TopicId(*id), *partitions, configs))
            .collect();
        assert!(versions.iter().all(|version| *version >= 0));
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), states.len());
    }
}

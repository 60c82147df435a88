//! Creating and deleting topics.

use firn_runtime::Timestamp;
use serde_json::Value;

use super::topic_name::collision_key;
use super::{Actor, CommandError, Committed, Operation, Resource, validate_topic_name};
use crate::audit::details::topic_detail;
use crate::audit::{AUDIT_TOPIC, difference, topic as audit_topic};
use crate::catalog::Catalog;
use crate::entities::Topic;
use crate::feed::Change;
use crate::ids::{ClusterId, FeedSequence, TopicId};
use crate::sql::{self, Audited, Tx, TxError, args, id_at, json_at, number_at, text_at, transaction};
use crate::topic_config::{ConfigMap, validate_topic_configs};

/// The most partitions of one topic.
pub const MAX_PARTITIONS_PER_TOPIC: i32 = 100_000;

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicRef {
    /// By id.
    Id(TopicId),
    /// By name.
    Name(String),
}

/// Creates a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTopic {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Its name.
    pub name: String,
    /// How many partitions: 1 to [`MAX_PARTITIONS_PER_TOPIC`]. A default is the caller's to fill in.
    pub partitions: i32,
    /// Its overrides.
    pub configs: ConfigMap,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Deletes a topic with all its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTopic {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Which.
    pub topic: TopicRef,
}

/// Checks a number of partitions.
pub(super) fn validate_partitions(partitions: i32) -> Result<(), CommandError> {
    if (1..=MAX_PARTITIONS_PER_TOPIC).contains(&partitions) {
        return Ok(());
    }
    let reason = format!("it must be from 1 to {MAX_PARTITIONS_PER_TOPIC}, not {partitions}");
    Err(CommandError::InvalidPartitions { reason })
}

/// Checks that `more` does not lead past a limit of the cluster.
pub(super) fn within(which: &'static str, there: i64, more: i64, limit: i64) -> Result<(), CommandError> {
    if there + more > limit {
        Err(CommandError::LimitExceeded { which, limit })
    } else {
        Ok(())
    }
}

impl Tx {
    /// The topic in that cluster; its row is guarded by the cluster's lock.
    pub(super) async fn find_topic(
        &mut self,
        cluster: ClusterId,
        topic: &TopicRef,
    ) -> Result<Topic, TxError<CommandError>> {
        let columns = "id, name, partitions, configs, created_at FROM cell_topics";
        let row = match topic {
            TopicRef::Id(id) => {
                let select = format!("SELECT {columns} WHERE cluster = $1 AND id = $2");
                self.row(&select, args![cluster, *id]).await?
            }
            TopicRef::Name(name) => {
                let select =
                    format!("SELECT {columns} WHERE cluster = $1 AND collision_name = $2 AND name = $3");
                self.row(&select, args![cluster, collision_key(name), name.as_str()])
                    .await?
            }
        };
        let row = row.ok_or(CommandError::UnknownTopic)?;
        Ok(Topic {
            id: id_at(&row, 0)?,
            cluster,
            name: text_at(&row, 1)?,
            partitions: number_at(&row, 2)?,
            configs: json_at(&row, 3)?,
            created_at: Timestamp(number_at(&row, 4)?),
        })
    }

    /// Refuses a name that is taken, or that differs from a taken one only in `.` and `_`.
    async fn require_free_name(
        &mut self,
        cluster: ClusterId,
        name: &str,
    ) -> Result<(), TxError<CommandError>> {
        let select = "SELECT name FROM cell_topics WHERE cluster = $1 AND collision_name = $2";
        let Some(row) = self.row(select, args![cluster, collision_key(name)]).await? else {
            return Ok(());
        };
        let existing = text_at(&row, 0)?;
        let name = name.to_owned();
        let refusal = if existing == name {
            CommandError::TopicExists { name }
        } else {
            CommandError::NameCollision { name, existing }
        };
        Err(refusal.into())
    }

    /// Adds to what the cluster's row counts.
    pub(super) async fn count(
        &mut self,
        cluster: ClusterId,
        topics: i64,
        partitions: i64,
    ) -> Result<(), TxError<CommandError>> {
        let update = "UPDATE cell_clusters SET topic_count = topic_count + $2, \
                      partition_count = partition_count + $3 WHERE id = $1";
        self.execute(update, args![cluster, topics, partitions]).await?;
        Ok(())
    }
}

impl Catalog {
    /// Creates a topic; its partitions go to the open brokers that have the fewest.
    pub async fn create_topic(
        &self,
        actor: &Actor,
        command: CreateTopic,
    ) -> Result<Committed<Topic>, CommandError> {
        let configs = match command.name == AUDIT_TOPIC {
            true => audit_topic::pinned(&command.configs),
            false => command.configs,
        };
        let topic = Topic {
            id: TopicId(self.env().random_u128()),
            cluster: command.cluster,
            name: command.name,
            partitions: command.partitions,
            configs,
            created_at: self.env().now(),
        };
        let outcome = match self.check_new_topic(actor, &topic) {
            Ok(()) => {
                let validate_only = command.validate_only;
                transaction!(self.store(), write, |tx| {
                    self.create_topic_in(&mut tx, actor, &topic, validate_only).await
                })
            }
            Err(error) => Err(error),
        };
        self.finish("create_topic", outcome)
    }

    /// What can be checked without the store.
    fn check_new_topic(&self, actor: &Actor, topic: &Topic) -> Result<(), CommandError> {
        let resource = Resource::Topic {
            cluster: topic.cluster,
            name: topic.name.clone(),
        };
        self.authorize(actor, Operation::CreateTopic, &resource)?;
        validate_topic_name(&topic.name)?;
        if topic.name == AUDIT_TOPIC {
            audit_topic::check_partitions(topic.partitions)?;
            audit_topic::check_configs(&topic.configs)?;
        }
        Ok(())
    }

    /// Creates a topic that its actor may create.
    pub(super) async fn create_topic_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        topic: &Topic,
        validate_only: bool,
    ) -> Result<Committed<Topic>, TxError<CommandError>> {
        let cluster = tx.lock_cluster(topic.cluster).await?;
        tx.require_free_name(topic.cluster, &topic.name).await?;
        validate_partitions(topic.partitions)?;
        validate_topic_configs(&topic.configs).map_err(CommandError::from)?;
        within("topics", cluster.topics, 1, cluster.limits.topics)?;
        let partitions = i64::from(topic.partitions);
        within(
            "partitions",
            cluster.partitions,
            partitions,
            cluster.limits.partitions,
        )?;
        let owners = tx.choose_owners(topic.partitions).await?;
        if validate_only {
            return Ok(Committed {
                value: topic.clone(),
                sequence: None,
            });
        }
        let insert = "INSERT INTO cell_topics (id, cluster, name, collision_name, partitions, configs, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = args![
            topic.id,
            topic.cluster,
            topic.name.as_str(),
            collision_key(&topic.name),
            topic.partitions,
            sql::json(&topic.configs),
            topic.created_at,
        ];
        tx.execute(insert, values).await?;
        tx.insert_partitions(topic.id, 0, &owners).await?;
        tx.count(topic.cluster, 1, partitions).await?;
        let change = Change::TopicCreated {
            topic: topic.clone(),
            owners,
        };
        let sequence = self
            .record(
                tx,
                actor,
                topic.cluster,
                Audited {
                    action: "create_topic",
                    kind: "topic",
                    resource: &topic.name,
                    detail: difference(Value::Null, topic_detail(topic)),
                },
                change,
            )
            .await?;
        Ok(Committed {
            value: topic.clone(),
            sequence: Some(sequence),
        })
    }

    /// Deletes a topic. Its records go later, as garbage.
    pub async fn delete_topic(
        &self,
        actor: &Actor,
        command: DeleteTopic,
    ) -> Result<Committed<Topic>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.delete_topic_in(&mut tx, actor, &command).await
        });
        self.finish("delete_topic", outcome)
    }

    pub(super) async fn delete_topic_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &DeleteTopic,
    ) -> Result<Committed<Topic>, TxError<CommandError>> {
        self.authorize(actor, Operation::UseCluster, &Resource::Cluster(command.cluster))?;
        tx.lock_cluster(command.cluster).await?;
        let topic = tx.find_topic(command.cluster, &command.topic).await?;
        let resource = Resource::Topic {
            cluster: topic.cluster,
            name: topic.name.clone(),
        };
        self.authorize(actor, Operation::DeleteTopic, &resource)?;
        let sequence = self.remove_topic(tx, actor, &topic).await?;
        Ok(Committed {
            value: topic,
            sequence: Some(sequence),
        })
    }

    /// Removes a topic whose cluster is locked.
    pub(super) async fn remove_topic(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        topic: &Topic,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        tx.execute("DELETE FROM cell_partitions WHERE topic = $1", args![topic.id])
            .await?;
        tx.execute("DELETE FROM cell_topics WHERE id = $1", args![topic.id])
            .await?;
        tx.count(topic.cluster, -1, -i64::from(topic.partitions)).await?;
        let change = Change::TopicDeleted { topic: topic.id };
        self.record(
            tx,
            actor,
            topic.cluster,
            Audited {
                action: "delete_topic",
                kind: "topic",
                resource: &topic.name,
                detail: difference(topic_detail(topic), Value::Null),
            },
            change,
        )
        .await
    }
}

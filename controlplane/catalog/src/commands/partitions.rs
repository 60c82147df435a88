//! Adding partitions, and who owns new ones.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

use super::topics::{validate_partitions, within};
use super::{Actor, CommandError, Committed, Operation, Resource, TopicRef};
use crate::audit::topic::{check_partitions, is_audit_topic};
use crate::catalog::Catalog;
use crate::entities::Topic;
use crate::feed::{Assignment, Change};
use crate::ids::{ClusterId, IncarnationId, TopicId};
use crate::sql::{Arg, Audited, Tx, TxError, args, id_at, number_at, numbers_of, transaction};

/// How many partitions one statement inserts. SQLite finds a parameter by walking the list of their names, so that
/// longer statements cost their square.
const CHUNK: usize = 250;

/// Widens a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePartitions {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Which topic.
    pub topic: TopicRef,
    /// How many partitions it shall have in all: more than it has.
    pub total: i32,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Gives `count` new partitions to the owners that have the fewest, one by one; ties by id.
fn spread(mut loads: BTreeSet<(i64, IncarnationId)>, count: i32) -> Option<Assignment> {
    let owners: Vec<IncarnationId> = loads
        .iter()
        .map(|(_, owner)| *owner)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut partitions = Vec::new();
    for _ in 0..count {
        let (load, owner) = loads.pop_first()?;
        loads.insert((load + 1, owner));
        let index = owners.binary_search(&owner).ok()?;
        partitions.push(u32::try_from(index).ok()?);
    }
    Some(Assignment { owners, partitions })
}

impl Tx {
    /// Locks the open incarnations, so that none is sealed meanwhile, and chooses owners for new partitions.
    pub(super) async fn choose_owners(&mut self, count: i32) -> Result<Assignment, TxError<CommandError>> {
        let select = "SELECT id FROM cell_incarnations WHERE state = 'open' ORDER BY id FOR UPDATE";
        let mut loads: BTreeMap<IncarnationId, i64> = BTreeMap::new();
        for row in self.rows(select, args![]).await? {
            loads.insert(id_at(&row, 0)?, 0);
        }
        if loads.len() > 1 {
            let select = "SELECT owner, COUNT(*) FROM cell_partitions GROUP BY owner";
            for row in self.rows(select, args![]).await? {
                if let Some(load) = loads.get_mut(&id_at(&row, 0)?) {
                    *load = number_at(&row, 1)?;
                }
            }
        }
        let loads = loads.into_iter().map(|(owner, load)| (load, owner)).collect();
        Ok(spread(loads, count).ok_or(CommandError::NoBroker)?)
    }

    /// Inserts the rows of new partitions, the first with number `first`.
    pub(super) async fn insert_partitions(
        &mut self,
        topic: TopicId,
        first: i32,
        owners: &Assignment,
    ) -> Result<(), TxError<CommandError>> {
        let rows: Vec<(i32, IncarnationId)> = (first..).zip(owners.iter()).collect();
        for chunk in rows.chunks(CHUNK) {
            let values = numbers_of(chunk.len(), 2, 2);
            let insert = format!(
                "INSERT INTO cell_partitions (topic, number, owner, leader_epoch, log_start, end_hint) \
                 SELECT $1, v.column1, v.column2, 0, 0, 0 FROM (VALUES {values}) AS v"
            );
            let mut parameters = args![topic];
            parameters.extend(
                chunk
                    .iter()
                    .flat_map(|(number, owner)| [Arg::from(*number), Arg::from(*owner)]),
            );
            self.execute(&insert, parameters).await?;
        }
        Ok(())
    }
}

impl Catalog {
    /// Adds partitions to a topic.
    pub async fn create_partitions(
        &self,
        actor: &Actor,
        command: CreatePartitions,
    ) -> Result<Committed<Topic>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.create_partitions_in(&mut tx, actor, &command).await
        });
        self.finish("create_partitions", outcome)
    }

    pub(super) async fn create_partitions_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &CreatePartitions,
    ) -> Result<Committed<Topic>, TxError<CommandError>> {
        self.authorize(actor, Operation::UseCluster, &Resource::Cluster(command.cluster))?;
        let cluster = tx.lock_cluster(command.cluster).await?;
        let mut topic = tx.find_topic(command.cluster, &command.topic).await?;
        let resource = Resource::Topic {
            cluster: topic.cluster,
            name: topic.name.clone(),
        };
        self.authorize(actor, Operation::AlterTopic, &resource)?;
        validate_partitions(command.total)?;
        if is_audit_topic(&topic.name, &topic.configs, usize::from(topic.partitions == 1)) {
            check_partitions(command.total)?;
        }
        let there = topic.partitions;
        if command.total <= there {
            let reason = format!(
                "the topic has {there} partitions already, {} would not be more",
                command.total
            );
            return Err(CommandError::InvalidPartitions { reason }.into());
        }
        let more = command.total - there;
        within(
            "partitions",
            cluster.partitions,
            i64::from(more),
            cluster.limits.partitions,
        )?;
        let owners = tx.choose_owners(more).await?;
        topic.partitions = command.total;
        if command.validate_only {
            return Ok(Committed {
                value: topic,
                sequence: None,
            });
        }
        let update = "UPDATE cell_topics SET partitions = $2 WHERE id = $1";
        tx.execute(update, args![topic.id, command.total]).await?;
        tx.insert_partitions(topic.id, there, &owners).await?;
        tx.count(topic.cluster, 0, i64::from(more)).await?;
        let change = Change::PartitionsAdded {
            topic: topic.id,
            owners,
        };
        let sequence = self
            .record(
                tx,
                actor,
                topic.cluster,
                Audited {
                    action: "create_partitions",
                    kind: "topic",
                    resource: &topic.name,
                    detail: json!({"before": {"partitions": there}, "after": {"partitions": command.total}}),
                },
                change,
            )
            .await?;
        Ok(Committed {
            value: topic,
            sequence: Some(sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_partitions_level_the_load() {
        let loads = BTreeSet::from([
            (5, IncarnationId(1)),
            (2, IncarnationId(2)),
            (3, IncarnationId(3)),
        ]);
        let assignment = spread(loads, 7).unwrap();
        let given = |id| {
            assignment
                .iter()
                .filter(|owner| *owner == IncarnationId(id))
                .count()
        };
        assert_eq!([given(1), given(2), given(3)], [1, 4, 2]);
        assert_eq!(spread(BTreeSet::new(), 1), None);
    }
}

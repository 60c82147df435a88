//! Changing client quotas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::topics::within;
use super::{Actor, CommandError, Committed, Operation, Resource};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::ClusterId;
use crate::quota::{
    MAX_ENTITIES_PER_CLUSTER, QuotaEntity, QuotaKey, QuotaValues, check_alteration, check_entity,
};
use crate::sql::{Audited, Tx, TxError, args, json as stored, json_at, number_at, transaction};

/// How many entities one command may name.
pub const MAX_QUOTA_ALTERATIONS: usize = 500;

/// Changes the client quotas of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterQuotas {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Whose quotas, and by key the new value; `None`: it has none any more. Keys that are not named stay.
    pub alterations: Vec<(QuotaEntity, Vec<(QuotaKey, Option<f64>)>)>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// For each entity, in the order of the command, all its quotas as they are now, or why they have not changed.
pub type AlteredQuotas = Vec<Result<QuotaValues, CommandError>>;

/// Where a command is among its entities.
struct Progress {
    /// How many entities have quotas.
    entities: i64,
    /// How often the command names each.
    named: BTreeMap<QuotaEntity, usize>,
}

impl Catalog {
    /// Changes quotas, for each entity all that is asked or nothing. An entity that cannot have what is asked keeps what it has, and
    /// the others change. `sequence` is `None` if nothing changed.
    pub async fn alter_quotas(
        &self,
        actor: &Actor,
        command: AlterQuotas,
    ) -> Result<Committed<AlteredQuotas>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .alter_quotas_in(&mut tx, actor, &command)
            .await);
        self.finish("alter_quotas", outcome)
    }

    async fn alter_quotas_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterQuotas,
    ) -> Result<Committed<AlteredQuotas>, TxError<CommandError>> {
        let resource = Resource::Cluster(command.cluster);
        self.authorize(actor, Operation::AlterQuotas, &resource)?;
        if command.alterations.len() > MAX_QUOTA_ALTERATIONS {
            let reason =
                format!("one request may change the quotas of at most {MAX_QUOTA_ALTERATIONS} entities");
            return Err(CommandError::InvalidQuota { reason }.into());
        }
        tx.lock_cluster(command.cluster).await?;
        let mut progress = Progress {
            entities: tx.count_quotas(command.cluster).await?,
            named: BTreeMap::new(),
        };
        for (entity, _) in &command.alterations {
            *progress.named.entry(entity.clone().canonical()).or_default() += 1;
        }
        let (mut value, mut sequence) = (Vec::new(), None);
        for (entity, changes) in &command.alterations {
            let altered = self
                .alter_entity_in(tx, actor, command, (entity, changes), &mut progress)
                .await;
            match altered {
                Ok(altered) => {
                    sequence = altered.sequence.or(sequence);
                    value.push(Ok(altered.value));
                }
                Err(error @ (TxError::Database(_) | TxError::Refused(CommandError::Catalog(_)))) => {
                    return Err(error);
                }
                Err(TxError::Refused(refusal)) => value.push(Err(refusal)),
            }
        }
        Ok(Committed { value, sequence })
    }

    /// Changes one entity's quotas. What is refused is refused before anything is written.
    async fn alter_entity_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterQuotas,
        (entity, changes): (&QuotaEntity, &[(QuotaKey, Option<f64>)]),
        progress: &mut Progress,
    ) -> Result<Committed<QuotaValues>, TxError<CommandError>> {
        let entity = entity.clone().canonical();
        check_entity(&entity).map_err(CommandError::from)?;
        check_alteration(&entity, changes).map_err(CommandError::from)?;
        if progress.named.get(&entity).is_some_and(|times| *times > 1) {
            let reason = format!("the request names {entity} twice");
            return Err(CommandError::InvalidQuota { reason }.into());
        }
        let before = tx.quotas_of(command.cluster, &entity).await?;
        let mut after = before.clone();
        for (key, value) in changes {
            match value {
                Some(value) => after.insert(*key, *value),
                None => after.remove(key),
            };
        }
        let more = i64::from(!after.is_empty()) - i64::from(!before.is_empty());
        if more > 0 {
            within(
                "entities with quotas",
                progress.entities,
                more,
                MAX_ENTITIES_PER_CLUSTER,
            )?;
        }
        progress.entities += more;
        if command.validate_only || after == before {
            return Ok(Committed {
                value: after,
                sequence: None,
            });
        }
        tx.write_quotas(command.cluster, &entity, &after).await?;
        let id = entity.id().public();
        let audited = Audited {
            action: "alter_quotas",
            kind: "quota",
            resource: &id,
            detail: json!({ "entity": entity, "before": shown(&before), "after": shown(&after) }),
        };
        let change = Change::QuotasChanged {
            cluster: command.cluster,
            quotas: vec![(entity, after.clone())],
        };
        let sequence = self.record(tx, actor, command.cluster, audited, change).await?;
        Ok(Committed {
            value: after,
            sequence: Some(sequence),
        })
    }
}

/// Quotas in an audit row; null where there are none.
fn shown(quotas: &QuotaValues) -> Value {
    match quotas.is_empty() {
        true => Value::Null,
        false => json!(quotas),
    }
}

impl Tx {
    async fn count_quotas(&mut self, cluster: ClusterId) -> Result<i64, TxError<CatalogError>> {
        let count = "SELECT COUNT(*) FROM cell_quotas WHERE cluster = $1";
        let row = self.row(count, args![cluster]).await?;
        Ok(row
            .as_ref()
            .map(|row| number_at(row, 0))
            .transpose()?
            .unwrap_or(0))
    }

    async fn quotas_of(
        &mut self,
        cluster: ClusterId,
        entity: &QuotaEntity,
    ) -> Result<QuotaValues, TxError<CatalogError>> {
        let select = "SELECT quotas FROM cell_quotas WHERE cluster = $1 AND entity = $2";
        let row = self.row(select, args![cluster, stored(entity)]).await?;
        Ok(row
            .as_ref()
            .map(|row| json_at(row, 0))
            .transpose()?
            .unwrap_or_default())
    }

    async fn write_quotas(
        &mut self,
        cluster: ClusterId,
        entity: &QuotaEntity,
        quotas: &QuotaValues,
    ) -> Result<(), TxError<CatalogError>> {
        if quotas.is_empty() {
            let delete = "DELETE FROM cell_quotas WHERE cluster = $1 AND entity = $2";
            self.execute(delete, args![cluster, stored(entity)]).await?;
            return Ok(());
        }
        let upsert = "INSERT INTO cell_quotas (cluster, entity, quotas) VALUES ($1, $2, $3) \
                      ON CONFLICT (cluster, entity) DO UPDATE SET quotas = excluded.quotas";
        self.execute(upsert, args![cluster, stored(entity), stored(quotas)])
            .await?;
        Ok(())
    }
}

//! Changing client quotas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::topics::within;
use super::{Actor, CommandError, Committed, Operation};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::{ClusterId, FeedSequence, QuotaId};
use crate::quota::{
    self, MAX_ENTITIES_PER_CLUSTER, QuotaEntity, QuotaKey, QuotaValues, check_alteration, check_entity,
};
use crate::sql::{Audited, Tx, TxError, args, json as stored, json_at, number_at, transaction};

/// How many entities one command may name.
pub const MAX_QUOTA_ALTERATIONS: usize = 500;

/// By key the new value; `None`: there is none any more. Keys that are not named stay.
pub type QuotaChanges = Vec<(QuotaKey, Option<f64>)>;

/// Changes the client quotas of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterQuotas {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Whose quotas, and what becomes of them.
    pub alterations: Vec<(QuotaEntity, QuotaChanges)>,
    /// Refused for entities whose quotas have another version ([`quota::version`]); `None`: whatever they are.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Takes all quotas from an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteQuotas {
    /// In which cluster.
    pub cluster: ClusterId,
    /// The entity's id.
    pub id: QuotaId,
    /// Refused if its quotas have another version.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// For each entity, in the order of the command, all its quotas as they are now, or why they have not changed.
pub type AlteredQuotas = Vec<Result<QuotaValues, CommandError>>;

/// Quotas of an entity that have changed.
struct Altered {
    entity: QuotaEntity,
    before: QuotaValues,
    after: QuotaValues,
}

/// Where a command is among its entities.
struct Progress {
    /// How many entities have quotas.
    entities: i64,
    /// How often the command names each.
    named: BTreeMap<QuotaEntity, usize>,
    /// What has changed so far.
    altered: Vec<Altered>,
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
        self.authorize_by_rows(tx, actor, Operation::AlterQuotas, command.cluster)
            .await?;
        if command.alterations.len() > MAX_QUOTA_ALTERATIONS {
            let reason =
                format!("one request may change the quotas of at most {MAX_QUOTA_ALTERATIONS} entities");
            return Err(CommandError::InvalidQuota { reason }.into());
        }
        tx.lock_cluster(command.cluster).await?;
        let mut progress = Progress {
            entities: tx.count_quotas(command.cluster).await?,
            named: BTreeMap::new(),
            altered: Vec::new(),
        };
        for (entity, _) in &command.alterations {
            *progress.named.entry(entity.clone().canonical()).or_default() += 1;
        }
        let mut value = Vec::new();
        for (entity, changes) in &command.alterations {
            match tx.alter_entity(command, (entity, changes), &mut progress).await {
                Ok(after) => value.push(Ok(after)),
                Err(error @ (TxError::Database(_) | TxError::Refused(CommandError::Catalog(_)))) => {
                    return Err(error);
                }
                Err(TxError::Refused(refusal)) => value.push(Err(refusal)),
            }
        }
        let sequence = self
            .tell_quotas(tx, actor, command.cluster, progress.altered)
            .await?;
        Ok(Committed { value, sequence })
    }

    /// Tells a change, if it is one: the feed's head is held only from here on.
    async fn tell_quotas(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        altered: Vec<Altered>,
    ) -> Result<Option<FeedSequence>, TxError<CommandError>> {
        if altered.is_empty() {
            return Ok(None);
        }
        let ids: Vec<String> = altered.iter().map(|one| one.entity.id().public()).collect();
        let rows = altered.iter().zip(&ids).map(|(one, id)| Audited {
            action: "alter_quotas",
            kind: "quota",
            resource: id,
            detail: json!({ "entity": one.entity, "before": shown(&one.before), "after": shown(&one.after) }),
        });
        let rows = rows.collect();
        let quotas = altered.into_iter().map(|one| (one.entity, one.after));
        let change = Change::QuotasChanged {
            cluster,
            quotas: quotas.collect(),
        };
        self.record_all(tx, actor, cluster, rows, change).await.map(Some)
    }

    /// Takes all quotas from the entity of that id; gives the entity. `UnknownQuota` if it has none.
    pub async fn delete_quotas(
        &self,
        actor: &Actor,
        command: DeleteQuotas,
    ) -> Result<Committed<QuotaEntity>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .delete_quotas_in(&mut tx, actor, &command)
            .await);
        self.finish("delete_quotas", outcome)
    }

    async fn delete_quotas_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &DeleteQuotas,
    ) -> Result<Committed<QuotaEntity>, TxError<CommandError>> {
        self.authorize_by_rows(tx, actor, Operation::AlterQuotas, command.cluster)
            .await?;
        tx.lock_cluster(command.cluster).await?;
        let entity = tx.quota_entity(command.cluster, command.id).await?;
        let entity = entity.ok_or(CommandError::UnknownQuota)?;
        let all = entity.keys().iter().map(|key| (*key, None)).collect();
        let alteration = AlterQuotas {
            cluster: command.cluster,
            alterations: vec![(entity.clone(), all)],
            expected: command.expected,
            validate_only: command.validate_only,
        };
        let Committed { value, sequence } = self.alter_quotas_in(tx, actor, &alteration).await?;
        value.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Committed {
            value: entity,
            sequence,
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
    /// Changes one entity's quotas. What is refused is refused before anything is written.
    async fn alter_entity(
        &mut self,
        command: &AlterQuotas,
        (entity, changes): (&QuotaEntity, &[(QuotaKey, Option<f64>)]),
        progress: &mut Progress,
    ) -> Result<QuotaValues, TxError<CommandError>> {
        let entity = entity.clone().canonical();
        check_entity(&entity).map_err(CommandError::from)?;
        check_alteration(&entity, changes).map_err(CommandError::from)?;
        if progress.named.get(&entity).is_some_and(|times| *times > 1) {
            let reason = format!("the request names {entity} twice");
            return Err(CommandError::InvalidQuota { reason }.into());
        }
        let before = self.quotas_of(command.cluster, &entity).await?;
        let current = quota::version(&before);
        if command.expected.is_some_and(|expected| expected != current) {
            return Err(CommandError::VersionMismatch { current }.into());
        }
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
            return Ok(after);
        }
        self.write_quotas(command.cluster, &entity, &after).await?;
        progress.altered.push(Altered {
            entity,
            before,
            after: after.clone(),
        });
        Ok(after)
    }

    /// The entity of that id, if it has quotas.
    async fn quota_entity(
        &mut self,
        cluster: ClusterId,
        id: QuotaId,
    ) -> Result<Option<QuotaEntity>, TxError<CatalogError>> {
        let select = "SELECT entity FROM cell_quotas WHERE cluster = $1";
        for row in self.rows(select, args![cluster]).await? {
            let entity: QuotaEntity = json_at(&row, 0)?;
            if entity.id() == id {
                return Ok(Some(entity));
            }
        }
        Ok(None)
    }

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

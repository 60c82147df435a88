//! Making and deleting ACLs.

use std::collections::{BTreeMap, BTreeSet};

use firn_runtime::Timestamp;
use serde_json::{Value, json};

use super::topics::within;
use super::{Actor, CommandError, Committed, Operation, Resource};
use crate::acl::{Acl, AclFilter, MAX_ACLS_PER_CLUSTER, StoredAcl};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::{AclId, ClusterId, FeedSequence};
use crate::sql::access::{ACL_COLUMNS, acl_at};
use crate::sql::{Arg, Audited, Tx, TxError, args, number_at, numbers_of, transaction};

/// How many bindings, or filters, one command may name.
pub const MAX_ACLS_PER_COMMAND: usize = 1_000;
/// How many bindings an audit row spells out.
const MOST_AUDITED: usize = 50;
/// How many rows one statement deletes.
const CHUNK: usize = 200;

/// Makes bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAcls {
    /// In which cluster.
    pub cluster: ClusterId,
    /// What they say.
    pub acls: Vec<Acl>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Deletes bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAcls {
    /// In which cluster.
    pub cluster: ClusterId,
    /// Those that any of these means.
    pub filters: Vec<AclFilter>,
    /// Only say which.
    pub validate_only: bool,
}

/// A binding that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedAcl {
    /// It.
    pub stored: StoredAcl,
    /// Whether the command made it; otherwise it was there.
    pub new: bool,
}

/// Bindings for an audit row, the first of them.
fn audited<'a>(acls: impl ExactSizeIterator<Item = &'a StoredAcl>) -> Value {
    let left_off = acls.len().saturating_sub(MOST_AUDITED);
    let shown: Vec<Value> = acls.take(MOST_AUDITED).map(|stored| json!(stored.acl)).collect();
    match left_off {
        0 => json!(shown),
        left_off => json!({ "first": shown, "left_off": left_off }),
    }
}

/// What an audit row calls the resource: the id, if it is one binding.
fn named<'a>(mut acls: impl ExactSizeIterator<Item = &'a StoredAcl>) -> String {
    match (acls.len(), acls.next()) {
        (1, Some(only)) => only.id.public(),
        _ => String::new(),
    }
}

fn check_number(named: usize) -> Result<(), CommandError> {
    let (named, limit) = (i64::try_from(named), i64::try_from(MAX_ACLS_PER_COMMAND));
    within(
        "ACLs named in one request",
        0,
        named.unwrap_or(i64::MAX),
        limit.unwrap_or(i64::MAX),
    )
}

impl Tx {
    /// All bindings of a cluster, in the order of their ids.
    async fn acls_of(&mut self, cluster: ClusterId) -> Result<Vec<StoredAcl>, TxError<CatalogError>> {
        let select = format!("SELECT {ACL_COLUMNS} FROM cell_acls WHERE cluster = $1");
        let rows = self.rows(&select, args![cluster]).await?;
        let mut acls = rows.iter().map(acl_at).collect::<Result<Vec<_>, _>>()?;
        acls.sort_unstable_by_key(|stored| stored.id);
        Ok(acls)
    }

    async fn find_acl(
        &mut self,
        cluster: ClusterId,
        id: AclId,
    ) -> Result<Option<StoredAcl>, TxError<CatalogError>> {
        let select = format!("SELECT {ACL_COLUMNS} FROM cell_acls WHERE cluster = $1 AND id = $2");
        let row = self.row(&select, args![cluster, id]).await?;
        Ok(row.as_ref().map(acl_at).transpose()?)
    }

    async fn count_acls(&mut self, cluster: ClusterId) -> Result<i64, TxError<CatalogError>> {
        let count = "SELECT COUNT(*) FROM cell_acls WHERE cluster = $1";
        let row = self.row(count, args![cluster]).await?;
        Ok(row
            .as_ref()
            .map(|row| number_at(row, 0))
            .transpose()?
            .unwrap_or(0))
    }

    async fn insert_acl(
        &mut self,
        cluster: ClusterId,
        stored: &StoredAcl,
    ) -> Result<(), TxError<CatalogError>> {
        let insert = "INSERT INTO cell_acls (cluster, id, resource_type, pattern_type, resource_name, principal, \
                      host, operation, permission, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let acl = &stored.acl;
        let values = args![
            cluster,
            stored.id,
            acl.resource_type.name(),
            acl.pattern_type.name(),
            acl.resource_name.as_str(),
            acl.principal.as_str(),
            acl.host.as_str(),
            acl.operation.name(),
            acl.permission.name(),
            stored.created_at,
        ];
        self.execute(insert, values).await?;
        Ok(())
    }

    async fn delete_acl_rows(
        &mut self,
        cluster: ClusterId,
        ids: &[AclId],
    ) -> Result<(), TxError<CatalogError>> {
        for chunk in ids.chunks(CHUNK) {
            let places = numbers_of(1, chunk.len(), 2);
            let delete = format!("DELETE FROM cell_acls WHERE cluster = $1 AND id IN {places}");
            let mut values: Vec<Arg> = args![cluster];
            values.extend(chunk.iter().map(|id| Arg::from(*id)));
            self.execute(&delete, values).await?;
        }
        Ok(())
    }

    /// Makes a binding if there can be such a one and there is room.
    async fn create_acl(
        &mut self,
        cluster: ClusterId,
        acl: &Acl,
        there: &mut i64,
        now: Timestamp,
    ) -> Result<CreatedAcl, TxError<CommandError>> {
        let acl = acl.clone().validated().map_err(CommandError::from)?;
        let id = AclId::of(&acl);
        if let Some(stored) = self.find_acl(cluster, id).await? {
            return Ok(CreatedAcl { stored, new: false });
        }
        within("ACLs", *there, 1, MAX_ACLS_PER_CLUSTER)?;
        let stored = StoredAcl {
            id,
            acl,
            created_at: now,
        };
        self.insert_acl(cluster, &stored).await?;
        *there += 1;
        Ok(CreatedAcl { stored, new: true })
    }
}

impl Catalog {
    /// Makes bindings, each by itself: those that there cannot be are refused, the others are made. One that is there stays as it is.
    /// `sequence` is `None` if none was made.
    pub async fn create_acls(
        &self,
        actor: &Actor,
        command: CreateAcls,
    ) -> Result<Committed<Vec<Result<CreatedAcl, CommandError>>>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.create_acls_in(&mut tx, actor, &command).await
        });
        self.finish("create_acls", outcome)
    }

    async fn create_acls_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &CreateAcls,
    ) -> Result<Committed<Vec<Result<CreatedAcl, CommandError>>>, TxError<CommandError>> {
        let cluster = command.cluster;
        self.authorize(actor, Operation::AlterAcls, &Resource::Cluster(cluster))?;
        check_number(command.acls.len())?;
        tx.lock_cluster(cluster).await?;
        let mut there = tx.count_acls(cluster).await?;
        let now = self.env().now();
        let mut value = Vec::with_capacity(command.acls.len());
        for acl in &command.acls {
            match tx.create_acl(cluster, acl, &mut there, now).await {
                Ok(created) => value.push(Ok(created)),
                Err(error @ (TxError::Database(_) | TxError::Refused(CommandError::Catalog(_)))) => {
                    return Err(error);
                }
                Err(TxError::Refused(refusal)) => value.push(Err(refusal)),
            }
        }
        let made = value.iter().filter_map(|one| one.as_ref().ok());
        let made: Vec<&StoredAcl> = made.filter(|one| one.new).map(|one| &one.stored).collect();
        if command.validate_only {
            tx.rehearse();
        }
        if command.validate_only || made.is_empty() {
            return Ok(Committed {
                value,
                sequence: None,
            });
        }
        let change = Change::AclsChanged {
            cluster,
            added: made.iter().map(|stored| (*stored).clone()).collect(),
            removed: Vec::new(),
        };
        let said = Audited {
            action: "create_acls",
            kind: "acl",
            resource: &named(made.iter().copied()),
            detail: json!({ "before": null, "after": audited(made.iter().copied()) }),
        };
        let sequence = self.record(tx, actor, cluster, said, change).await?;
        Ok(Committed {
            value,
            sequence: Some(sequence),
        })
    }

    /// Deletes the bindings that filters mean; gives for each filter those that it meant. `sequence` is `None` if none was there.
    pub async fn delete_acls(
        &self,
        actor: &Actor,
        command: DeleteAcls,
    ) -> Result<Committed<Vec<Vec<StoredAcl>>>, CommandError> {
        let cluster = command.cluster;
        let filters: Vec<AclFilter> = command.filters.into_iter().map(AclFilter::canonical).collect();
        let outcome = transaction!(self.store(), write, |tx| async {
            self.begin_deleting(&mut tx, actor, cluster, filters.len())
                .await?;
            let value = meant(&mut tx, cluster, &filters).await?;
            let all = value.iter().flatten().map(|stored| (stored.id, stored));
            let all: BTreeMap<AclId, &StoredAcl> = all.collect();
            let gone: Vec<&StoredAcl> = all.into_values().collect();
            let sequence = self
                .remove_acls(&mut tx, actor, cluster, &gone, command.validate_only)
                .await?;
            Ok::<_, TxError<CommandError>>(Committed { value, sequence })
        }
        .await);
        self.finish("delete_acls", outcome)
    }

    /// Deletes the bindings of these ids; gives for each what it was, `None` where there was none.
    pub async fn delete_acls_by_id(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        ids: &[AclId],
        validate_only: bool,
    ) -> Result<Committed<Vec<Option<StoredAcl>>>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            self.begin_deleting(&mut tx, actor, cluster, ids.len()).await?;
            let mut value = Vec::with_capacity(ids.len());
            let mut seen = BTreeSet::new();
            for id in ids {
                value.push(match seen.insert(*id) {
                    true => tx.find_acl(cluster, *id).await?,
                    false => None,
                });
            }
            let gone: Vec<&StoredAcl> = value.iter().flatten().collect();
            let sequence = self
                .remove_acls(&mut tx, actor, cluster, &gone, validate_only)
                .await?;
            Ok::<_, TxError<CommandError>>(Committed { value, sequence })
        }
        .await);
        self.finish("delete_acls", outcome)
    }

    /// What is asked before anything is deleted. A cluster that does not serve loses bindings all the same.
    async fn begin_deleting(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        named: usize,
    ) -> Result<(), TxError<CommandError>> {
        self.authorize(actor, Operation::AlterAcls, &Resource::Cluster(cluster))?;
        check_number(named)?;
        tx.lock_credentials(cluster).await
    }

    async fn remove_acls(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        gone: &[&StoredAcl],
        validate_only: bool,
    ) -> Result<Option<FeedSequence>, TxError<CommandError>> {
        if validate_only || gone.is_empty() {
            return Ok(None);
        }
        let removed: Vec<AclId> = gone.iter().map(|stored| stored.id).collect();
        tx.delete_acl_rows(cluster, &removed).await?;
        let change = Change::AclsChanged {
            cluster,
            added: Vec::new(),
            removed,
        };
        let said = Audited {
            action: "delete_acls",
            kind: "acl",
            resource: &named(gone.iter().copied()),
            detail: json!({ "before": audited(gone.iter().copied()), "after": null }),
        };
        self.record(tx, actor, cluster, said, change).await.map(Some)
    }
}

/// The bindings that each filter means: together not more than a cluster may have, so that no request makes an answer without bound.
async fn meant(
    tx: &mut Tx,
    cluster: ClusterId,
    filters: &[AclFilter],
) -> Result<Vec<Vec<StoredAcl>>, TxError<CommandError>> {
    let ones: Option<Vec<Acl>> = filters.iter().map(AclFilter::one).collect();
    if let Some(ones) = ones {
        let mut found = Vec::with_capacity(ones.len());
        for acl in ones {
            let stored = tx.find_acl(cluster, AclId::of(&acl)).await?;
            found.push(stored.into_iter().collect());
        }
        return Ok(found);
    }
    let there = tx.acls_of(cluster).await?;
    let mut found: Vec<Vec<StoredAcl>> = Vec::with_capacity(filters.len());
    let mut named = 0;
    for filter in filters {
        let meant = there.iter().filter(|stored| filter.matches(&stored.acl));
        let meant: Vec<StoredAcl> = meant.cloned().collect();
        let more = i64::try_from(meant.len()).unwrap_or(i64::MAX);
        within("ACLs deleted by one request", named, more, MAX_ACLS_PER_CLUSTER)?;
        named += more;
        found.push(meant);
    }
    Ok(found)
}

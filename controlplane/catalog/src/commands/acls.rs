//! Making and deleting ACLs.

use std::collections::{BTreeMap, BTreeSet};

use firn_runtime::Timestamp;
use serde_json::json;

use super::topics::within;
use super::{Actor, CommandError, Committed, Operation};
use crate::acl::{Acl, AclFilter, MAX_ACLS_PER_CLUSTER, ResourceType, StoredAcl};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::{AclId, ClusterId, FeedSequence};
use crate::sql::access::{ACL_COLUMNS, acl_at};
use crate::sql::{Arg, Audited, Tx, TxError, args, number_at, numbers_of, transaction};

/// How many bindings, or filters, one command may name.
pub const MAX_ACLS_PER_COMMAND: usize = 1_000;
/// How many bindings an audit row names; a change of more has several.
const MOST_AUDITED: usize = 50;
/// How many bindings one deletion may hold against filters: it does so while it holds the cluster's lock.
const MOST_COMPARED: i64 = 2_000_000;
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

/// Makes bindings, and then deletes others, all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeAcls {
    /// In which cluster.
    pub cluster: ClusterId,
    /// What is made.
    pub create: Vec<Acl>,
    /// Which go.
    pub delete: Vec<AclId>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// What became of each that a command named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedAcls {
    /// Of those to be made, in order.
    pub created: Vec<Result<CreatedAcl, CommandError>>,
    /// Of those to be deleted, in order: what it was; `None` where there was none.
    pub deleted: Vec<Option<StoredAcl>>,
}

/// What changed: no binding is in both.
#[derive(Default)]
struct Difference<'a> {
    added: Vec<&'a StoredAcl>,
    removed: Vec<&'a StoredAcl>,
}

impl<'a> Difference<'a> {
    /// What is left of what was made and then deleted.
    fn of(made: Vec<&'a StoredAcl>, gone: Vec<&'a StoredAcl>) -> Self {
        let ids = |acls: &[&StoredAcl]| acls.iter().map(|stored| stored.id).collect::<BTreeSet<_>>();
        let (made_ids, gone_ids) = (ids(&made), ids(&gone));
        let without = |acls: Vec<&'a StoredAcl>, others: BTreeSet<AclId>| {
            let left = acls.into_iter().filter(|stored| !others.contains(&stored.id));
            left.collect()
        };
        Self {
            added: without(made, gone_ids),
            removed: without(gone, made_ids),
        }
    }

    /// The parts of which each has its audit row: its action, the bindings, what the row calls the resource (the id, if it is one binding).
    fn parts(&self) -> Vec<(&'static str, &[&'a StoredAcl], String)> {
        let added = self.added.chunks(MOST_AUDITED).map(|part| ("create_acls", part));
        let removed = self
            .removed
            .chunks(MOST_AUDITED)
            .map(|part| ("delete_acls", part));
        let named = |part: &[&StoredAcl]| match part {
            [only] => only.id.public(),
            _ => String::new(),
        };
        let parts = added.chain(removed);
        parts.map(|(action, part)| (action, part, named(part))).collect()
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

    /// The bindings about a cluster as a whole, whoever they are for.
    pub(super) async fn acls_about_cluster(
        &mut self,
        cluster: ClusterId,
    ) -> Result<Vec<StoredAcl>, TxError<CatalogError>> {
        let select = format!("SELECT {ACL_COLUMNS} FROM cell_acls WHERE cluster = $1 AND resource_type = $2");
        let rows = self
            .rows(&select, args![cluster, ResourceType::Cluster.name()])
            .await?;
        Ok(rows.iter().map(acl_at).collect::<Result<_, _>>()?)
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
        let command = ChangeAcls {
            cluster: command.cluster,
            create: command.acls,
            delete: Vec::new(),
            validate_only: command.validate_only,
        };
        let Committed { value, sequence } = self.change_acls_as("create_acls", actor, &command).await?;
        Ok(Committed {
            value: value.created,
            sequence,
        })
    }

    /// Deletes the bindings of these ids; gives for each what it was, `None` where there was none.
    pub async fn delete_acls_by_id(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        ids: &[AclId],
        validate_only: bool,
    ) -> Result<Committed<Vec<Option<StoredAcl>>>, CommandError> {
        let command = ChangeAcls {
            cluster,
            create: Vec::new(),
            delete: ids.to_vec(),
            validate_only,
        };
        let Committed { value, sequence } = self.change_acls_as("delete_acls", actor, &command).await?;
        Ok(Committed {
            value: value.deleted,
            sequence,
        })
    }

    /// Makes bindings as [`Self::create_acls`] does, and then deletes others, which may be among those, in one transaction and one change.
    pub async fn change_acls(
        &self,
        actor: &Actor,
        command: ChangeAcls,
    ) -> Result<Committed<ChangedAcls>, CommandError> {
        self.change_acls_as("change_acls", actor, &command).await
    }

    async fn change_acls_as(
        &self,
        name: &'static str,
        actor: &Actor,
        command: &ChangeAcls,
    ) -> Result<Committed<ChangedAcls>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .change_acls_in(&mut tx, actor, command)
            .await);
        self.finish(name, outcome)
    }

    async fn change_acls_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &ChangeAcls,
    ) -> Result<Committed<ChangedAcls>, TxError<CommandError>> {
        let cluster = command.cluster;
        self.authorize_by_rows(tx, actor, Operation::AlterAcls, cluster)
            .await?;
        check_number(command.create.len() + command.delete.len())?;
        // A cluster that does not serve loses bindings all the same.
        match command.create.is_empty() {
            true => tx.lock_credentials(cluster).await?,
            false => drop(tx.lock_cluster(cluster).await?),
        }
        let mut value = ChangedAcls {
            created: self.create_all(tx, cluster, &command.create).await?,
            deleted: Vec::with_capacity(command.delete.len()),
        };
        let mut seen = BTreeSet::new();
        for id in &command.delete {
            value.deleted.push(match seen.insert(*id) {
                true => tx.find_acl(cluster, *id).await?,
                false => None,
            });
        }
        let made = value.created.iter().filter_map(|one| one.as_ref().ok());
        let made = made.filter(|one| one.new).map(|one| &one.stored).collect();
        let gone: Vec<&StoredAcl> = value.deleted.iter().flatten().collect();
        let ids: Vec<AclId> = gone.iter().map(|stored| stored.id).collect();
        tx.delete_acl_rows(cluster, &ids).await?;
        let difference = Difference::of(made, gone);
        let sequence = match command.validate_only {
            true => {
                tx.rehearse();
                None
            }
            false => self.tell_acls(tx, actor, cluster, &difference).await?,
        };
        Ok(Committed { value, sequence })
    }

    async fn create_all(
        &self,
        tx: &mut Tx,
        cluster: ClusterId,
        acls: &[Acl],
    ) -> Result<Vec<Result<CreatedAcl, CommandError>>, TxError<CommandError>> {
        if acls.is_empty() {
            return Ok(Vec::new());
        }
        let mut there = tx.count_acls(cluster).await?;
        let now = self.env().now();
        let mut outcomes = Vec::with_capacity(acls.len());
        for acl in acls {
            match tx.create_acl(cluster, acl, &mut there, now).await {
                Ok(created) => outcomes.push(Ok(created)),
                Err(error @ (TxError::Database(_) | TxError::Refused(CommandError::Catalog(_)))) => {
                    return Err(error);
                }
                Err(TxError::Refused(refusal)) => outcomes.push(Err(refusal)),
            }
        }
        Ok(outcomes)
    }

    /// Deletes the bindings that filters mean; gives for each filter those that it meant. `sequence` is `None` if none was there.
    pub async fn delete_acls(
        &self,
        actor: &Actor,
        command: DeleteAcls,
    ) -> Result<Committed<Vec<Vec<StoredAcl>>>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .delete_acls_in(&mut tx, actor, &command)
            .await);
        self.finish("delete_acls", outcome)
    }

    async fn delete_acls_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &DeleteAcls,
    ) -> Result<Committed<Vec<Vec<StoredAcl>>>, TxError<CommandError>> {
        let cluster = command.cluster;
        self.authorize_by_rows(tx, actor, Operation::AlterAcls, cluster)
            .await?;
        check_number(command.filters.len())?;
        tx.lock_credentials(cluster).await?;
        let filters = command.filters.iter().cloned().map(AclFilter::canonical);
        let value = meant(tx, cluster, filters.collect()).await?;
        let all = value.iter().flatten().map(|stored| (stored.id, stored));
        let all: BTreeMap<AclId, &StoredAcl> = all.collect();
        let (ids, removed): (Vec<AclId>, Vec<&StoredAcl>) = all.into_iter().unzip();
        if command.validate_only {
            return Ok(Committed {
                value,
                sequence: None,
            });
        }
        tx.delete_acl_rows(cluster, &ids).await?;
        let difference = Difference {
            removed,
            added: Vec::new(),
        };
        let sequence = self.tell_acls(tx, actor, cluster, &difference).await?;
        Ok(Committed { value, sequence })
    }

    /// Tells a change, if it is one, and writes audit rows that together name every binding of it.
    async fn tell_acls(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        difference: &Difference<'_>,
    ) -> Result<Option<FeedSequence>, TxError<CommandError>> {
        let parts = difference.parts();
        if parts.is_empty() {
            return Ok(None);
        }
        let rows = parts.iter().map(|(action, part, resource)| {
            let acls: Vec<&Acl> = part.iter().map(|stored| &stored.acl).collect();
            Audited {
                action,
                kind: "acl",
                resource,
                detail: match *action {
                    "create_acls" => json!({ "before": null, "after": acls }),
                    _ => json!({ "before": acls, "after": null }),
                },
            }
        });
        let change = Change::AclsChanged {
            cluster,
            added: difference.added.iter().map(|stored| (*stored).clone()).collect(),
            removed: difference.removed.iter().map(|stored| stored.id).collect(),
        };
        let sequence = self
            .record_all(tx, actor, cluster, rows.collect(), change)
            .await?;
        Ok(Some(sequence))
    }
}

/// The bindings that each filter means: together not more than a cluster may have, so that no request makes an answer without bound.
async fn meant(
    tx: &mut Tx,
    cluster: ClusterId,
    filters: Vec<AclFilter>,
) -> Result<Vec<Vec<StoredAcl>>, TxError<CommandError>> {
    let ones: Vec<Option<AclId>> = filters
        .iter()
        .map(|filter| filter.one().map(|acl| AclId::of(&acl)))
        .collect();
    let searching = ones.iter().filter(|one| one.is_none()).count();
    let there = match searching {
        0 => Vec::new(),
        _ => tx.acls_of(cluster).await?,
    };
    let compared = searching.saturating_mul(there.len());
    let compared = i64::try_from(compared).unwrap_or(i64::MAX);
    within(
        "ACLs held against filters by one request",
        0,
        compared,
        MOST_COMPARED,
    )?;
    let mut found: Vec<Vec<StoredAcl>> = Vec::with_capacity(filters.len());
    let mut named = 0;
    for (filter, one) in filters.iter().zip(ones) {
        let meant: Vec<StoredAcl> = match one {
            Some(id) => tx.find_acl(cluster, id).await?.into_iter().collect(),
            None => {
                tokio::task::yield_now().await;
                let meant = there.iter().filter(|stored| filter.matches(&stored.acl));
                meant.cloned().collect()
            }
        };
        let more = i64::try_from(meant.len()).unwrap_or(i64::MAX);
        within("ACLs deleted by one request", named, more, MAX_ACLS_PER_CLUSTER)?;
        named += more;
        found.push(meant);
    }
    Ok(found)
}

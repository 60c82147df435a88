//! Making a cluster.

use serde_json::json as detail;

use super::slug::derive_slug;
use super::{CELL, ClusterView, Row, Stored, validate_slug};
use crate::access::{Permission, Scope};
use crate::account::{AccountError, Denied};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Committed};
use crate::entities::ClusterLimits;
use crate::ids::{ClusterId, FeedSequence, ProjectId};
use crate::sql::{Tx, TxError, args, json, transaction};

/// The longest name of a cluster, in characters.
pub const MAX_CLUSTER_NAME_LENGTH: usize = 100;
/// How many made-up slugs are tried. One in 33 million is taken for each cluster whose name begins alike.
const SLUG_ATTEMPTS: usize = 8;

/// Makes a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCluster {
    /// The project that it is to be in.
    pub project: ProjectId,
    /// What its owner calls it.
    pub name: String,
    /// Its DNS label; made out of the name if there is none.
    pub slug: Option<String>,
    /// How much it may hold.
    pub limits: ClusterLimits,
    /// Whether it may not be deleted.
    pub deletion_protection: bool,
}

/// Checks the name of a cluster.
pub(super) fn validate_name(name: &str) -> Result<(), AccountError> {
    let length = name.chars().count();
    let reason = if length == 0 || length > MAX_CLUSTER_NAME_LENGTH {
        format!("it must have from 1 to {MAX_CLUSTER_NAME_LENGTH} characters")
    } else if name.trim() != name || name.chars().any(char::is_control) {
        "it may not begin or end with spaces, nor have control characters".to_owned()
    } else {
        return Ok(());
    };
    let pointer = "/name";
    Err(AccountError::Invalid { pointer, reason })
}

/// Checks limits.
pub(super) fn validate_limits(limits: &ClusterLimits) -> Result<(), AccountError> {
    let most = ClusterLimits::HIGHEST;
    for (pointer, value, most) in [
        ("/limits/topics", limits.topics, most.topics),
        ("/limits/partitions", limits.partitions, most.partitions),
        ("/limits/groups", limits.groups, most.groups),
        ("/limits/connections", limits.connections, most.connections),
        ("/limits/storage_bytes", limits.storage_bytes, most.storage_bytes),
        ("/limits/ingress_bytes_per_second", limits.ingress, most.ingress),
        ("/limits/egress_bytes_per_second", limits.egress, most.egress),
    ] {
        if !(0..=most).contains(&value) {
            let reason = format!("it must be from 0 to {most}");
            return Err(AccountError::Invalid { pointer, reason });
        }
    }
    Ok(())
}

/// The name as lists are filtered by it.
pub(super) fn sought(name: &str) -> String {
    name.to_lowercase()
}

impl Catalog {
    /// Makes a cluster in a project. Its row in the account store is first, the one in the cell follows; if that fails, the
    /// reconciler does it later.
    pub async fn create_cluster(
        &self,
        actor: &Actor,
        new: NewCluster,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        let id = ClusterId(self.env().random_u128());
        let outcome = match check(&new) {
            Ok(()) => transaction!(self.store(), write, |tx| {
                self.create_cluster_in(&mut tx, actor, id, &new, rehearsal).await
            }),
            Err(error) => Err(error),
        };
        let denied = Denied {
            scope: Scope::Project(new.project),
            action: "create_cluster",
            kind: "cluster",
            resource: &new.name,
        };
        let row = self.finish_account(actor, denied, outcome).await?;
        self.follow_up(row, rehearsal).await
    }

    async fn create_cluster_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: ClusterId,
        new: &NewCluster,
        rehearsal: bool,
    ) -> Result<Row, TxError<AccountError>> {
        let scope = Scope::Project(new.project);
        let organization = tx.require(actor, scope, Permission::ManageClusters).await?;
        tx.require_room_for_cluster(organization, &new.limits).await?;
        let slug = match &new.slug {
            Some(slug) if tx.slug_is_taken(slug).await? => {
                let (what, name) = ("slug", slug.clone());
                return Err(AccountError::Exists { what, name }.into());
            }
            Some(slug) => slug.clone(),
            None => self.free_slug(tx, &new.name).await?,
        };
        let row = Row {
            id,
            project: new.project,
            organization,
            slug,
            name: new.name.clone(),
            stored: Stored::Active,
            delete_at: None,
            deletion_protection: new.deletion_protection,
            limits: new.limits,
            version: 1,
            applied: 0,
            created_at: self.env().now(),
            changed_by: actor.principal.to_string(),
            changed_in: actor.request_id.clone(),
        };
        tx.insert_account_cluster(&row).await?;
        let told = detail!({
            "name": row.name,
            "slug": row.slug,
            "project": row.project.public(),
            "limits": row.limits,
            "deletion_protection": row.deletion_protection,
        });
        tx.account_audit(
            actor,
            organization,
            "create_cluster",
            "cluster",
            &id.public(),
            &told,
        )
        .await?;
        if rehearsal {
            tx.rehearse();
        }
        Ok(row)
    }

    async fn free_slug(&self, tx: &mut Tx, name: &str) -> Result<String, TxError<AccountError>> {
        for _ in 0..SLUG_ATTEMPTS {
            let slug = derive_slug(name, self.env());
            if !tx.slug_is_taken(&slug).await? {
                return Ok(slug);
            }
        }
        Err(CatalogError::Unavailable("no slug is free for the name".to_owned()).into())
    }

    /// Brings a row's version to the cell, unless it is a rehearsal, and shows the cluster.
    pub(super) async fn follow_up(
        &self,
        row: Row,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        let sequence: Option<FeedSequence> = match rehearsal {
            true => None,
            false => Some(self.bring_to_cell(&row).await?),
        };
        let applied = if rehearsal { row.applied } else { row.version };
        let value = self.show(Row { applied, ..row }).await?;
        Ok(Committed { value, sequence })
    }
}

/// What can be checked without the store.
fn check(new: &NewCluster) -> Result<(), AccountError> {
    validate_name(&new.name)?;
    new.slug.as_deref().map_or(Ok(()), validate_slug)?;
    validate_limits(&new.limits)
}

impl Tx {
    async fn slug_is_taken(&mut self, slug: &str) -> Result<bool, TxError<AccountError>> {
        let select = "SELECT cluster FROM account_clusters WHERE cell = $1 AND slug = $2";
        Ok(self.row(select, args![CELL, slug]).await?.is_some())
    }

    async fn insert_account_cluster(&mut self, row: &Row) -> Result<(), TxError<AccountError>> {
        let insert = "INSERT INTO account_clusters (cluster, project, slug, cell, created_at, name, sought_name, state, \
                      deletion_protection, limits, version, applied, changed_by, changed_in) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let values = args![
            row.id,
            row.project,
            row.slug.as_str(),
            CELL,
            row.created_at,
            row.name.as_str(),
            sought(&row.name),
            row.stored.word(),
            i64::from(row.deletion_protection),
            json(&row.limits),
            row.version,
            row.applied,
            row.changed_by.as_str(),
            row.changed_in.as_str(),
        ];
        self.execute(insert, values).await?;
        Ok(())
    }
}

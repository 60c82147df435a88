//! Clusters: what each shall be. The cell follows.
//!
//! A write changes the account store's row, whose version rises, and then brings that version to the cell
//! ([`Catalog::apply_cluster`]). Between the two a process may end: [`Catalog::reconcile_clusters`] brings whatever version the cell
//! is not known to have. The cell takes versions in order, so it does not matter who brings them.
//!
//! A cluster that is deleted serves nothing at once, and can be undeleted for a while; then the reconciler purges it.

mod allowance;
mod changing;
mod making;
mod reconciling;
mod seeing;
mod slug;

pub use allowance::{
    CLUSTERS_PER_ORGANIZATION, CONNECTIONS_PER_ORGANIZATION, EGRESS_PER_ORGANIZATION,
    INGRESS_PER_ORGANIZATION, PARTITIONS_PER_ORGANIZATION, STORAGE_BYTES_PER_ORGANIZATION,
};
pub use changing::{ClusterUpdate, LimitsUpdate, UNDELETE_WINDOW};
pub use making::{MAX_CLUSTER_NAME_LENGTH, NewCluster};
pub use reconciling::Reconciled;
pub use seeing::ClusterFilter;
pub use slug::{MAX_SLUG_LENGTH, validate_slug};

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::AccountError;
use crate::cell::CatalogError;
use crate::commands::{Actor, Principal, WantedCluster};
use crate::entities::{ClusterLimits, ClusterState};
use crate::ids::{ClusterId, OrganizationId, PersonId, ProjectId, ServiceAccountId};
use crate::sql::{Tx, TxError, args, id_at, json_at, number_at, optional_number_at, text_at};

/// The cell that this catalog is of.
pub(crate) const CELL: &str = "local";

/// A cluster as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterView {
    /// Its id.
    pub id: ClusterId,
    /// The project that it is in.
    pub project: ProjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What its owner calls it. Others may be called the same.
    pub name: String,
    /// Its DNS label, unique in the cell.
    pub slug: String,
    /// Where it is in its life.
    pub phase: ClusterPhase,
    /// When it goes, if it is being deleted.
    pub delete_at: Option<Timestamp>,
    /// Whether it may not be deleted.
    pub deletion_protection: bool,
    /// How much it may hold.
    pub limits: ClusterLimits,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the cell says of it; nothing before it is there.
    pub in_cell: Option<InCell>,
}

/// What a cell says of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InCell {
    /// The id that Kafka clients see.
    pub kafka_id: String,
    /// How many topics it has.
    pub topics: i64,
    /// How many partitions these have.
    pub partitions: i64,
}

/// Where a cluster is in its life, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterPhase {
    /// The cell does not have it yet.
    Creating,
    /// It serves.
    Active,
    /// It serves nothing until it is resumed.
    Suspended,
    /// It serves nothing, and goes.
    Deleting,
}

/// What the row's `state` says beside `delete_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Active,
    Suspended,
    /// What is in it is being removed; there is no way back.
    Purging,
}

impl Stored {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Purging => "purging",
        }
    }

    fn of(word: &str) -> Result<Self, CatalogError> {
        match word {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            "purging" => Ok(Self::Purging),
            other => Err(CatalogError::Corrupt(format!(
                "a cluster is '{other}' in the account store"
            ))),
        }
    }
}

/// A row of `account_clusters`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: ClusterId,
    project: ProjectId,
    organization: OrganizationId,
    slug: String,
    name: String,
    stored: Stored,
    delete_at: Option<Timestamp>,
    deletion_protection: bool,
    limits: ClusterLimits,
    version: i64,
    applied: i64,
    created_at: Timestamp,
    /// Who made this version.
    changed_by: String,
    /// By which request.
    changed_in: String,
}

/// What [`row_at`] reads, from `account_clusters c` and `account_projects p`.
const COLUMNS: &str = "c.cluster, c.project, p.organization, c.slug, c.name, c.state, c.delete_at, c.deletion_protection, \
     c.limits, c.version, c.applied, c.created_at, c.changed_by, c.changed_in";

fn row_at(row: &AnyRow) -> Result<Row, CatalogError> {
    Ok(Row {
        id: id_at(row, 0)?,
        project: id_at(row, 1)?,
        organization: id_at(row, 2)?,
        slug: text_at(row, 3)?,
        name: text_at(row, 4)?,
        stored: Stored::of(&text_at(row, 5)?)?,
        delete_at: optional_number_at(row, 6)?.map(Timestamp),
        deletion_protection: number_at::<i64>(row, 7)? != 0,
        limits: json_at(row, 8)?,
        version: number_at(row, 9)?,
        applied: number_at(row, 10)?,
        created_at: Timestamp(number_at(row, 11)?),
        changed_by: text_at(row, 12)?,
        changed_in: text_at(row, 13)?,
    })
}

impl Row {
    fn state(&self) -> ClusterState {
        match (self.stored, self.delete_at) {
            (Stored::Purging, _) | (_, Some(_)) => ClusterState::Deleting,
            (Stored::Suspended, None) => ClusterState::Suspended,
            (Stored::Active, None) => ClusterState::Active,
        }
    }

    fn phase(&self) -> ClusterPhase {
        match self.state() {
            ClusterState::Deleting => ClusterPhase::Deleting,
            ClusterState::Active | ClusterState::Suspended if self.applied == 0 => ClusterPhase::Creating,
            ClusterState::Suspended => ClusterPhase::Suspended,
            ClusterState::Active => ClusterPhase::Active,
        }
    }

    /// Who made this version, as the cell's audit trail says it.
    fn actor(&self) -> Actor {
        let name = self.changed_by.strip_prefix("User:").unwrap_or_default();
        let person = PersonId::from_public(name).map(Principal::Person);
        let principal =
            person.or_else(|_| ServiceAccountId::from_public(name).map(Principal::ServiceAccount));
        Actor::process(principal.unwrap_or(Principal::Cell), &self.changed_in)
    }

    fn wanted(&self) -> WantedCluster {
        WantedCluster {
            id: self.id,
            slug: self.slug.clone(),
            organization: self.organization,
            state: self.state(),
            delete_at: self.delete_at,
            limits: self.limits,
            version: self.version,
        }
    }

    fn view(self, in_cell: Option<InCell>) -> ClusterView {
        ClusterView {
            phase: self.phase(),
            id: self.id,
            project: self.project,
            organization: self.organization,
            name: self.name,
            slug: self.slug,
            delete_at: self.delete_at,
            deletion_protection: self.deletion_protection,
            limits: self.limits,
            version: self.version,
            created_at: self.created_at,
            in_cell,
        }
    }
}

impl Tx {
    /// Locks the row of a cluster and reads it.
    async fn lock_account_cluster(&mut self, id: ClusterId) -> Result<Option<Row>, TxError<AccountError>> {
        let lock = "SELECT cluster FROM account_clusters WHERE cluster = $1 FOR UPDATE";
        if self.row(lock, args![id]).await?.is_none() {
            return Ok(None);
        }
        self.account_cluster(id).await
    }

    async fn account_cluster(&mut self, id: ClusterId) -> Result<Option<Row>, TxError<AccountError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM account_clusters c JOIN account_projects p ON p.id = c.project WHERE c.cluster = $1"
        );
        let row = self.row(&select, args![id]).await?;
        Ok(row.as_ref().map(row_at).transpose()?)
    }
}

//! Changing a cluster: name and limits, suspension, deletion and the way back.

use std::time::Duration;

use firn_runtime::Timestamp;
use serde_json::{Value, json as detail};

use super::making::{sought, validate_limits, validate_name};
use super::{ClusterView, Row, Stored};
use crate::access::{Permission, Scope};
use crate::account::{AccountError, Denied};
use crate::catalog::Catalog;
use crate::commands::{Actor, Committed};
use crate::entities::{ClusterLimits, ClusterState};
use crate::ids::ClusterId;
use crate::sql::{Tx, TxError, args, json, transaction};

/// How long a deleted cluster may be undeleted, unless a setting says otherwise.
pub const UNDELETE_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterUpdate {
    /// What its owner calls it.
    pub name: Option<String>,
    /// How much it may hold.
    pub limits: LimitsUpdate,
    /// Whether it may not be deleted.
    pub deletion_protection: Option<bool>,
}

/// Which limits to change; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsUpdate {
    /// Topics.
    pub topics: Option<i64>,
    /// Partitions of all topics together.
    pub partitions: Option<i64>,
    /// Consumer groups.
    pub groups: Option<i64>,
    /// Connections to one broker.
    pub connections: Option<i64>,
    /// Bytes of records.
    pub storage_bytes: Option<i64>,
    /// Bytes of records that clients may send in a second.
    pub ingress: Option<i64>,
    /// Bytes of records that clients may receive in a second.
    pub egress: Option<i64>,
}

impl LimitsUpdate {
    /// These limits with the changes.
    #[must_use]
    pub fn on(&self, limits: ClusterLimits) -> ClusterLimits {
        ClusterLimits {
            topics: self.topics.unwrap_or(limits.topics),
            partitions: self.partitions.unwrap_or(limits.partitions),
            groups: self.groups.unwrap_or(limits.groups),
            connections: self.connections.unwrap_or(limits.connections),
            storage_bytes: self.storage_bytes.unwrap_or(limits.storage_bytes),
            ingress: self.ingress.unwrap_or(limits.ingress),
            egress: self.egress.unwrap_or(limits.egress),
        }
    }
}

/// One change of a cluster.
enum Step {
    Update(ClusterUpdate),
    Suspend,
    Resume,
    Delete { at: Timestamp },
    Undelete { now: Timestamp },
}

impl Step {
    fn action(&self) -> &'static str {
        match self {
            Self::Update(_) => "update_cluster",
            Self::Suspend => "suspend_cluster",
            Self::Resume => "resume_cluster",
            Self::Delete { .. } => "delete_cluster",
            Self::Undelete { .. } => "undelete_cluster",
        }
    }

    /// The row after it.
    fn on(&self, row: &Row) -> Result<Row, AccountError> {
        let mut next = row.clone();
        match self {
            Self::Update(update) => {
                refuse_deleting(row)?;
                next.limits = update.limits.on(row.limits);
                validate_limits(&next.limits)?;
                next.deletion_protection = update.deletion_protection.unwrap_or(row.deletion_protection);
                if let Some(name) = &update.name {
                    validate_name(name)?;
                    next.name.clone_from(name);
                }
            }
            Self::Suspend => {
                refuse_deleting(row)?;
                next.stored = Stored::Suspended;
            }
            Self::Resume => {
                refuse_deleting(row)?;
                next.stored = Stored::Active;
            }
            Self::Delete { at } => {
                if row.deletion_protection {
                    return Err(AccountError::DeletionProtected);
                }
                next.delete_at = row.delete_at.or(Some(*at));
            }
            Self::Undelete { now } => {
                let over = row.delete_at.is_some_and(|at| at <= *now);
                if over || row.stored == Stored::Purging {
                    let reason = "the time in which the cluster could be undeleted is over".to_owned();
                    return Err(AccountError::Protected { reason });
                }
                next.delete_at = None;
            }
        }
        Ok(next)
    }
}

fn refuse_deleting(row: &Row) -> Result<(), AccountError> {
    match row.state() {
        ClusterState::Deleting => {
            let reason = "the cluster is being deleted".to_owned();
            Err(AccountError::Protected { reason })
        }
        ClusterState::Active | ClusterState::Suspended => Ok(()),
    }
}

/// What the audit trail says of a change.
fn difference(before: &Row, after: &Row) -> Value {
    let told = |row: &Row| {
        detail!({
            "name": row.name,
            "state": row.state(),
            "delete_at": row.delete_at.map(|at| at.0),
            "limits": row.limits,
            "deletion_protection": row.deletion_protection,
        })
    };
    let (before, after) = (told(before), told(after));
    let mut changed = serde_json::Map::new();
    for (key, value) in after.as_object().into_iter().flatten() {
        if before.get(key) != Some(value) {
            changed.insert(key.clone(), detail!({ "from": before.get(key), "to": value }));
        }
    }
    Value::Object(changed)
}

impl Catalog {
    /// Changes name, limits or deletion protection.
    pub async fn update_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        update: ClusterUpdate,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        self.change_cluster(actor, id, Step::Update(update), expected, rehearsal)
            .await
    }

    /// Makes the cluster serve nothing until it is resumed. All that is in it stays.
    pub async fn suspend_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        self.change_cluster(actor, id, Step::Suspend, expected, rehearsal)
            .await
    }

    /// Ends a suspension.
    pub async fn resume_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        self.change_cluster(actor, id, Step::Resume, expected, rehearsal)
            .await
    }

    /// Makes the cluster serve nothing, and go after the window. Deleting it again changes nothing.
    pub async fn delete_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        window: Duration,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let at = Timestamp(self.env().now().0.saturating_add(window));
        self.change_cluster(actor, id, Step::Delete { at }, expected, rehearsal)
            .await
    }

    /// Takes a deletion back, while its window lasts. The cluster is then as it was before it.
    pub async fn undelete_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        let now = self.env().now();
        self.change_cluster(actor, id, Step::Undelete { now }, expected, rehearsal)
            .await
    }

    async fn change_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        step: Step,
        expected: Option<i64>,
        rehearsal: bool,
    ) -> Result<Committed<ClusterView>, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| {
            change_in(&mut tx, actor, id, &step, expected, rehearsal).await
        });
        let public = id.public();
        let denied = Denied {
            scope: Scope::Cluster(id),
            action: step.action(),
            kind: "cluster",
            resource: &public,
        };
        let row = self.finish_account(actor, denied, outcome).await?;
        self.follow_up(row, rehearsal).await
    }
}

async fn change_in(
    tx: &mut Tx,
    actor: &Actor,
    id: ClusterId,
    step: &Step,
    expected: Option<i64>,
    rehearsal: bool,
) -> Result<Row, TxError<AccountError>> {
    let scope = Scope::Cluster(id);
    let organization = tx.require(actor, scope, Permission::ManageClusters).await?;
    let row = tx.lock_account_cluster(id).await?;
    let row = row.ok_or(AccountError::NotFound { what: "cluster" })?;
    if let Some(expected) = expected
        && expected != row.version
    {
        let current = row.version;
        return Err(AccountError::VersionMismatch { current }.into());
    }
    let mut next = step.on(&row)?;
    if next.limits != row.limits {
        let limits = (&row.limits, &next.limits);
        tx.require_room_for_limits(organization, id, limits).await?;
    }
    if next != row {
        next.version += 1;
        next.changed_by = actor.principal.to_string();
        next.changed_in.clone_from(&actor.request_id);
        tx.store_account_cluster(&next).await?;
        let told = difference(&row, &next);
        tx.account_audit(actor, organization, step.action(), "cluster", &id.public(), &told)
            .await?;
    }
    if rehearsal {
        tx.rehearse();
    }
    Ok(next)
}

impl Tx {
    /// Stores what may change of a row.
    async fn store_account_cluster(&mut self, row: &Row) -> Result<(), TxError<AccountError>> {
        let update = "UPDATE account_clusters SET name = $2, sought_name = $3, state = $4, delete_at = $5, \
                      deletion_protection = $6, limits = $7, version = $8, changed_by = $9, changed_in = $10 \
                      WHERE cluster = $1";
        let values = args![
            row.id,
            row.name.as_str(),
            sought(&row.name),
            row.stored.word(),
            row.delete_at.map(|at| at.0),
            i64::from(row.deletion_protection),
            json(&row.limits),
            row.version,
            row.changed_by.as_str(),
            row.changed_in.as_str(),
        ];
        self.execute(update, values).await?;
        Ok(())
    }
}

//! Reading clusters.

use super::making::sought;
use super::{COLUMNS, ClusterPhase, ClusterView, InCell, Row, row_at};
use crate::access::{Permission, ROLES, Scope};
use crate::account::AccountError;
use crate::account::access::binding_key;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{ClusterId, ProjectId};
use crate::sql::{Arg, HeldCluster, Tx, TxError, args, transaction};

/// Which clusters to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFilter {
    /// Those of a project.
    pub project: Option<ProjectId>,
    /// Those in a phase.
    pub phase: Option<ClusterPhase>,
    /// Those whose name begins so, in upper or lower case.
    pub name_prefix: Option<String>,
}

impl Catalog {
    /// A cluster that the actor may see.
    pub async fn cluster(&self, actor: &Actor, id: ClusterId) -> Result<ClusterView, AccountError> {
        let row: Row = transaction!(self.store(), snapshot, |tx| seen(&mut tx, actor, id).await)?;
        self.show(row).await
    }

    /// The clusters that the actor may see and that pass the filter, in the order of their ids, from the one after `after` on,
    /// at most `most`.
    pub async fn clusters(
        &self,
        actor: &Actor,
        filter: &ClusterFilter,
        after: Option<ClusterId>,
        most: usize,
    ) -> Result<Vec<ClusterView>, AccountError> {
        let rows: Vec<Row> = transaction!(self.store(), snapshot, |tx| {
            listed(&mut tx, actor, filter, after, most).await
        })?;
        self.show_all(rows).await
    }

    pub(super) async fn show(&self, row: Row) -> Result<ClusterView, AccountError> {
        let held = self.held(&[row.id]).await?;
        Ok(row.view(held.into_iter().next().map(in_cell)))
    }

    async fn show_all(&self, rows: Vec<Row>) -> Result<Vec<ClusterView>, AccountError> {
        let ids: Vec<ClusterId> = rows.iter().map(|row| row.id).collect();
        let held = self.held(&ids).await?;
        let of = |id: ClusterId| {
            let place = held.binary_search_by_key(&id, |held| held.cluster.id).ok()?;
            Some(in_cell(held[place].clone()))
        };
        Ok(rows
            .into_iter()
            .map(|row| {
                let in_cell = of(row.id);
                row.view(in_cell)
            })
            .collect())
    }

    async fn held(&self, ids: &[ClusterId]) -> Result<Vec<HeldCluster>, AccountError> {
        let held: Result<_, CatalogError> =
            transaction!(self.store(), snapshot, |tx| tx.held_clusters(ids).await);
        Ok(held?)
    }
}

fn in_cell(held: HeldCluster) -> InCell {
    InCell {
        kafka_id: held.cluster.kafka_id,
        topics: held.topics,
        partitions: held.partitions,
    }
}

async fn seen(tx: &mut Tx, actor: &Actor, id: ClusterId) -> Result<Row, TxError<AccountError>> {
    tx.require(actor, Scope::Cluster(id), Permission::ViewCluster)
        .await?;
    let row = tx.account_cluster(id).await?;
    row.ok_or_else(|| AccountError::NotFound { what: "cluster" }.into())
}

/// The ids of the clusters in which a binding of the principal `$1` allows to see a cluster: over its own bindings, so that it
/// costs the same however many clusters others have.
fn visible() -> String {
    let seeing = ROLES.iter().filter(|role| role.allows(Permission::ViewCluster));
    let names: Vec<String> = seeing.map(|role| format!("'{}'", role.name())).collect();
    let held = format!("b.principal = $1 AND b.role IN ({})", names.join(", "));
    format!(
        "SELECT b.scope FROM account_bindings b WHERE b.scope_kind = 'cluster' AND {held} \
         UNION SELECT own.cluster FROM account_bindings b JOIN account_clusters own ON own.project = b.scope WHERE {held} \
         UNION SELECT own.cluster FROM account_bindings b JOIN account_projects whole ON whole.organization = b.scope \
         JOIN account_clusters own ON own.project = whole.id WHERE {held}"
    )
}

async fn listed(
    tx: &mut Tx,
    actor: &Actor,
    filter: &ClusterFilter,
    after: Option<ClusterId>,
    most: usize,
) -> Result<Vec<Row>, TxError<AccountError>> {
    let Some(principal) = binding_key(&actor.principal) else {
        return Ok(Vec::new());
    };
    let reached = tx.visible_from(actor, "p.organization").await?;
    let mut select = format!(
        "SELECT {COLUMNS} FROM account_clusters c JOIN account_projects p ON p.id = c.project \
         WHERE c.cluster IN ({}){reached}",
        visible()
    );
    let mut values = args![principal];
    let mut also = |condition: &str, value: Arg| {
        values.push(value);
        select.push_str(&condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(after) = after {
        also(" AND c.cluster > ?", Arg::from(after));
    }
    if let Some(project) = filter.project {
        also(" AND c.project = ?", Arg::from(project));
    }
    if let Some(prefix) = &filter.name_prefix {
        also(" AND c.sought_name LIKE ? ESCAPE '!'", Arg::from(pattern(prefix)));
    }
    select.push_str(match filter.phase {
        None => "",
        Some(ClusterPhase::Creating) => " AND c.delete_at IS NULL AND c.applied = 0",
        Some(ClusterPhase::Active) => " AND c.delete_at IS NULL AND c.applied > 0 AND c.state = 'active'",
        Some(ClusterPhase::Suspended) => {
            " AND c.delete_at IS NULL AND c.applied > 0 AND c.state = 'suspended'"
        }
        Some(ClusterPhase::Deleting) => " AND c.delete_at IS NOT NULL",
    });
    values.push(Arg::from(u64::try_from(most).unwrap_or(u64::MAX)));
    select.push_str(&format!(" ORDER BY c.cluster LIMIT ${}", values.len()));
    let rows = tx.rows(&select, values).await?;
    Ok(rows.iter().map(row_at).collect::<Result<_, _>>()?)
}

/// A LIKE pattern for what begins with `prefix`, with `!` before what would mean something.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::new();
    for c in sought(prefix).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

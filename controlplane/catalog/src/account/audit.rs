//! Reading the audit trail of an organization.

use firn_runtime::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::AccountError;
use crate::access::{Permission, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, OrganizationId};
use crate::sql::{Tx, TxError, args, id_at, json_at, number_at, optional_text_at, text_at, transaction};

/// One row of the audit trail: what somebody did, or was not allowed to.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// Its place among the organization's rows, without gaps.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as Kafka writes principals.
    pub principal: String,
    /// The public id of what it showed for that.
    pub credential: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The request's id.
    pub request: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: String,
    /// To which: a public id or a name.
    pub resource: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// What changed.
    pub detail: Value,
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this principal.
    pub principal: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Older than the row with this sequence.
    pub before: Option<i64>,
}

fn row_of(row: &AnyRow) -> Result<AuditRow, CatalogError> {
    Ok(AuditRow {
        id: id_at(row, 0)?,
        sequence: number_at(row, 1)?,
        at: Timestamp(number_at(row, 2)?),
        principal: text_at(row, 3)?,
        credential: optional_text_at(row, 4)?,
        address: optional_text_at(row, 5)?,
        request: text_at(row, 6)?,
        action: text_at(row, 7)?,
        resource_kind: text_at(row, 8)?,
        resource: text_at(row, 9)?,
        allowed: text_at(row, 10)? == "allowed",
        detail: json_at(row, 11)?,
    })
}

impl Catalog {
    /// The audit trail, the newest row first.
    pub async fn audit_trail(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<AuditRow>, AccountError> {
        transaction!(self.store(), snapshot, |tx| read(
            &mut tx,
            actor,
            organization,
            filter,
            limit
        )
        .await)
    }
}

async fn read(
    tx: &mut Tx,
    actor: &Actor,
    organization: OrganizationId,
    filter: &AuditFilter,
    limit: i64,
) -> Result<Vec<AuditRow>, TxError<AccountError>> {
    tx.require(actor, Scope::Organization(organization), Permission::ViewAudit)
        .await?;
    let mut select = "SELECT id, sequence, at, principal, credential, address, request, action, resource_kind, resource, \
         decision, detail FROM account_audit WHERE organization = $1 AND sequence < $2 AND at >= $3 AND at < $4"
        .to_owned();
    let mut values = args![
        organization,
        filter.before.unwrap_or(i64::MAX),
        filter.from.unwrap_or(Timestamp(i64::MIN)),
        filter.to.unwrap_or(Timestamp(i64::MAX)),
    ];
    for (column, wanted) in [("principal", &filter.principal), ("action", &filter.action)] {
        if let Some(wanted) = wanted {
            values.push(wanted.as_str().into());
            select.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    values.push(limit.into());
    select.push_str(&format!(" ORDER BY sequence DESC LIMIT ${}", values.len()));
    let rows = tx.rows(&select, values).await?;
    let rows: Result<Vec<_>, CatalogError> = rows.iter().map(row_of).collect();
    Ok(rows?)
}

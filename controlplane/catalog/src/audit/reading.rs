//! Reading trails: by filter, the newest first; as a chain, the oldest first; and where they end.

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::chain::{FIRST, Line};
use super::{AuditRow, Trail};
use crate::access::{Permission, Scope};
use crate::account::AccountError;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId, OrganizationId};
use crate::sql::{
    Arg, Tx, TxError, args, id_at, number_at, optional_number_at, optional_text_at, text_at, transaction,
};

/// How many rows one read of a chain gives at most.
pub const EXPORT_AT_ONCE: i64 = 500;

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The one with this id.
    pub id: Option<AuditId>,
    /// Of this principal.
    pub principal: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// About things of this kind.
    pub kind: Option<String>,
    /// About this thing.
    pub resource: Option<String>,
    /// Allowed, or denied.
    pub allowed: Option<bool>,
    /// Of this request.
    pub request_id: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Older than the row that [`AuditRow::cursor`] says this of.
    pub before: Option<AuditCursor>,
}

/// Where a row stands among all of its trail, those from before the chain included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    /// 0 for a row from before the chain.
    position: i64,
    older: i64,
    id: AuditId,
}

impl std::fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.position, self.older, self.id)
    }
}

impl std::str::FromStr for AuditCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().ok_or(());
        let mut number = || next().and_then(|part| part.parse::<i64>().map_err(|_| ()));
        let (position, older) = (number()?, number()?);
        let id = next()?.parse().map_err(|_| ())?;
        Ok(Self { position, older, id })
    }
}

impl AuditRow {
    /// Where the row stands.
    pub fn cursor(&self) -> AuditCursor {
        AuditCursor {
            position: self.position.unwrap_or(0),
            older: self.older,
            id: self.id,
        }
    }
}

/// Which part of a chain is wanted: a piece without gaps, so that it can be verified alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditSpan {
    /// After the row at this position.
    pub after: Option<i64>,
    /// Up to the row at this position.
    pub until: Option<i64>,
    /// From the first row on that is of this moment or a later one.
    pub from: Option<Timestamp>,
    /// Up to the last row that is before this moment.
    pub to: Option<Timestamp>,
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The position of the last row; 0: there is none.
    pub position: i64,
    /// Its hash; that of none is [`FIRST`].
    pub hash: String,
}

/// The columns of a row, in both tables.
const CELL: &str = "id, position, at, principal, credential, address, request, action, resource_kind, subject, decision, \
                    detail, hash, sequence FROM cell_audit";
const ACCOUNT: &str = "id, sequence, at, principal, credential, address, request, action, resource_kind, resource, decision, \
                       detail, hash, 0 FROM account_audit";

impl Trail {
    fn scope(self) -> Scope {
        match self {
            Self::Cluster(id) => Scope::Cluster(id),
            Self::Organization(id) => Scope::Organization(id),
        }
    }

    fn key(self) -> Arg {
        match self {
            Self::Cluster(id) => id.into(),
            Self::Organization(id) => id.into(),
        }
    }

    /// The columns and the table, and which column says whose a row is, its position, and the thing.
    fn table(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Cluster(_) => (CELL, "cluster", "position", "subject"),
            Self::Organization(_) => (ACCOUNT, "organization", "sequence", "resource"),
        }
    }
}

fn row_of(row: &AnyRow) -> Result<AuditRow, CatalogError> {
    Ok(AuditRow {
        id: id_at(row, 0)?,
        position: optional_number_at(row, 1)?,
        at: Timestamp(number_at(row, 2)?),
        principal: text_at(row, 3)?,
        credential: optional_text_at(row, 4)?,
        address: optional_text_at(row, 5)?,
        request_id: text_at(row, 6)?,
        action: text_at(row, 7)?,
        kind: text_at(row, 8)?,
        resource: text_at(row, 9)?,
        allowed: text_at(row, 10)? == "allowed",
        detail: text_at(row, 11)?,
        hash: optional_text_at(row, 12)?,
        older: number_at(row, 13)?,
    })
}

impl Catalog {
    /// A trail, the newest row first, at most `most`.
    pub async fn audit_trail(
        &self,
        actor: &Actor,
        trail: Trail,
        filter: &AuditFilter,
        most: i64,
    ) -> Result<Vec<AuditRow>, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require_audit(actor, trail).await?;
            Ok::<_, TxError<AccountError>>(tx.filtered(trail, filter, most).await?)
        }
        .await)
    }

    /// A piece of a chain, the oldest row first: at most [`EXPORT_AT_ONCE`] lines.
    pub async fn audit_export(
        &self,
        actor: &Actor,
        trail: Trail,
        span: &AuditSpan,
    ) -> Result<Vec<Line>, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require_audit(actor, trail).await?;
            Ok::<_, TxError<AccountError>>(tx.spanned(trail, span).await?)
        }
        .await)
    }

    /// The same piece of a chain by positions alone, so that those who read it in many steps look for its moments once.
    pub async fn audit_span(
        &self,
        actor: &Actor,
        trail: Trail,
        span: &AuditSpan,
    ) -> Result<AuditSpan, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require_audit(actor, trail).await?;
            let (after, until) = tx.positions_of(trail, span).await?;
            Ok::<_, TxError<AccountError>>(AuditSpan {
                after: Some(after),
                until: Some(until),
                from: None,
                to: None,
            })
        }
        .await)
    }

    /// Where a chain ends.
    pub async fn audit_head(&self, actor: &Actor, trail: Trail) -> Result<AuditHead, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require_audit(actor, trail).await?;
            Ok::<_, TxError<AccountError>>(tx.audit_head(trail).await?)
        }
        .await)
    }

    /// What a broker appends to a cluster's audit topic: the lines after a position, at most [`EXPORT_AT_ONCE`].
    pub async fn audit_lines(&self, cluster: ClusterId, after: i64) -> Result<Vec<Line>, CatalogError> {
        let span = AuditSpan {
            after: Some(after),
            ..AuditSpan::default()
        };
        transaction!(self.store(), snapshot, |tx| tx
            .spanned(Trail::Cluster(cluster), &span)
            .await)
    }

    /// Where the chains of clusters end; those that have none are left out.
    pub async fn audit_positions(
        &self,
        clusters: &[ClusterId],
    ) -> Result<Vec<(ClusterId, i64)>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| positions(&mut tx, clusters).await)
    }
}

async fn positions(
    tx: &mut Tx,
    clusters: &[ClusterId],
) -> Result<Vec<(ClusterId, i64)>, TxError<CatalogError>> {
    let mut found = Vec::new();
    for some in clusters.chunks(100) {
        let ids = crate::sql::numbers_of(1, some.len(), 1);
        let select = format!("SELECT cluster, position FROM cell_audit_heads WHERE cluster IN {ids}");
        let values = some.iter().flat_map(|cluster| args![*cluster]).collect();
        for row in tx.rows(&select, values).await? {
            found.push((id_at(&row, 0)?, number_at(&row, 1)?));
        }
    }
    Ok(found)
}

impl Tx {
    /// Refuses an actor who may not see a trail. That of a cluster that is gone is its organization's: who may see the organization's
    /// own trail sees it. Foreign and absent take the same steps.
    async fn require_audit(&mut self, actor: &Actor, trail: Trail) -> Result<(), TxError<AccountError>> {
        let refused = match self.require(actor, trail.scope(), Permission::ViewAudit).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let (Trail::Cluster(cluster), TxError::Refused(AccountError::NotFound { .. })) = (trail, &refused)
        else {
            return Err(refused);
        };
        let select = "SELECT organization FROM cell_audit_heads WHERE cluster = $1 AND organization <> ''";
        let of = match self.row(select, args![cluster]).await? {
            Some(row) => id_at(&row, 0)?,
            None => OrganizationId(0),
        };
        let allowed = self
            .require(actor, Scope::Organization(of), Permission::ViewAudit)
            .await;
        match allowed {
            Err(TxError::Refused(AccountError::NotFound { .. } | AccountError::Forbidden)) => Err(refused),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    async fn filtered(
        &mut self,
        trail: Trail,
        filter: &AuditFilter,
        most: i64,
    ) -> Result<Vec<AuditRow>, TxError<CatalogError>> {
        let (columns, whose, position, thing) = trail.table();
        let mut conditions = format!("{whose} = $1 AND at >= $2 AND at < $3");
        let mut values = args![
            filter.from.unwrap_or(Timestamp(i64::MIN)),
            filter.to.unwrap_or(Timestamp(i64::MAX)),
        ];
        values.insert(0, trail.key());
        let decided = filter.allowed.map(|allowed| super::decision(allowed).to_owned());
        let wanted = [
            ("id", &filter.id.map(|id| id.to_string())),
            ("principal", &filter.principal),
            ("action", &filter.action),
            ("resource_kind", &filter.kind),
            (thing, &filter.resource),
            ("decision", &decided),
            ("request", &filter.request_id),
        ];
        for (column, wanted) in wanted {
            if let Some(wanted) = wanted {
                values.push(wanted.as_str().into());
                conditions.push_str(&format!(" AND {column} = ${}", values.len()));
            }
        }
        let mut found = Vec::new();
        let before = filter.before;
        // A row of the chain, or the newest of all, comes first; then those from before the chain, which only clusters have.
        if before.is_none_or(|before| before.position > 0) {
            let mut values = values.clone();
            values.push(before.map_or(i64::MAX, |before| before.position).into());
            values.push(most.into());
            let (last, limit) = (values.len() - 1, values.len());
            let select = format!(
                "SELECT {columns} WHERE {conditions} AND {position} < ${last} ORDER BY {position} DESC LIMIT ${limit}"
            );
            found = read(&self.rows(&select, values).await?)?;
        }
        let missing = most - i64::try_from(found.len()).unwrap_or(most);
        if missing > 0 && matches!(trail, Trail::Cluster(_)) {
            let before = before.filter(|before| before.position == 0);
            values.push(before.map_or(i64::MAX, |before| before.older).into());
            values.push(
                before
                    .map_or_else(String::new, |before| before.id.to_string())
                    .into(),
            );
            values.push(missing.into());
            let (older, id, limit) = (values.len() - 2, values.len() - 1, values.len());
            let select = format!(
                "SELECT {columns} WHERE {conditions} AND position IS NULL \
                 AND (sequence < ${older} OR (sequence = ${older} AND id < ${id})) \
                 ORDER BY sequence DESC, id DESC LIMIT ${limit}"
            );
            found.extend(read(&self.rows(&select, values).await?)?);
        }
        Ok(found)
    }

    /// The lowest or highest position of those rows of the chain that are before a moment, or not.
    async fn bound(
        &mut self,
        trail: Trail,
        which: &str,
        condition: &str,
        at: Timestamp,
    ) -> Result<Option<i64>, TxError<CatalogError>> {
        let (columns, whose, position, _) = trail.table();
        let table = columns.rsplit(' ').next().unwrap_or_default();
        let select = format!(
            "SELECT {which}({position}) FROM {table} WHERE {whose} = $1 AND hash IS NOT NULL AND at {condition} $2"
        );
        let row = self.row(&select, vec![trail.key(), at.into()]).await?;
        Ok(match row {
            Some(row) => optional_number_at(&row, 0)?,
            None => None,
        })
    }

    /// After which position a piece begins, and at which it ends.
    async fn positions_of(
        &mut self,
        trail: Trail,
        span: &AuditSpan,
    ) -> Result<(i64, i64), TxError<CatalogError>> {
        let mut after = span.after.unwrap_or(0).max(0);
        let mut until = span.until.unwrap_or(i64::MAX);
        if let Some(from) = span.from {
            match self.bound(trail, "MIN", ">=", from).await? {
                Some(first) => after = after.max(first - 1),
                None => until = 0,
            }
        }
        if let Some(to) = span.to {
            let last = self.bound(trail, "MAX", "<", to).await?;
            until = until.min(last.unwrap_or(0));
        }
        Ok((after, until))
    }

    async fn spanned(&mut self, trail: Trail, span: &AuditSpan) -> Result<Vec<Line>, TxError<CatalogError>> {
        let (after, last) = self.positions_of(trail, span).await?;
        if last <= after {
            return Ok(Vec::new());
        }
        let (columns, whose, position, _) = trail.table();
        let select = format!(
            "SELECT {columns} WHERE {whose} = $1 AND hash IS NOT NULL AND {position} >= $2 AND {position} <= $3 \
             ORDER BY {position} LIMIT $4"
        );
        // With the row before the first, for its hash.
        let mut values = args![after, last, EXPORT_AT_ONCE + 1];
        values.insert(0, trail.key());
        let rows = read(&self.rows(&select, values).await?)?;
        let mut previous = FIRST.to_owned();
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            if row.position.is_some_and(|position| position > after) {
                lines.extend(Line::of(trail, &row, &previous));
            }
            previous = row.hash.unwrap_or_default();
        }
        lines.truncate(usize::try_from(EXPORT_AT_ONCE).unwrap_or(usize::MAX));
        Ok(lines)
    }

    async fn audit_head(&mut self, trail: Trail) -> Result<AuditHead, TxError<CatalogError>> {
        let select = match trail {
            Trail::Cluster(_) => "SELECT position, hash FROM cell_audit_heads WHERE cluster = $1",
            Trail::Organization(_) => {
                "SELECT audit_head, audit_hash FROM account_organizations WHERE id = $1 AND audit_hash <> ''"
            }
        };
        let none = AuditHead {
            position: 0,
            hash: FIRST.to_owned(),
        };
        match self.row(select, vec![trail.key()]).await? {
            Some(row) => Ok(AuditHead {
                position: number_at(&row, 0)?,
                hash: text_at(&row, 1)?,
            }),
            None => Ok(none),
        }
    }
}

fn read(rows: &[AnyRow]) -> Result<Vec<AuditRow>, CatalogError> {
    rows.iter().map(row_of).collect()
}

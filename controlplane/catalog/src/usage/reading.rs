//! Sums of usage.

use sqlx::any::AnyRow;

use super::{Amounts, DAY, HOUR};
use crate::access::{Permission, Scope};
use crate::account::AccountError;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{ClusterId, OrganizationId, ProjectId};
use crate::sql::{Arg, Tx, TxError, args, id_at, number_at, text_at, transaction};

/// How long a period is whose usage is one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// A minute. Minutes that are rolled up appear as the first one of their hour.
    Minute,
    /// An hour.
    Hour,
    /// A day (UTC).
    Day,
}

impl Granularity {
    /// In minutes.
    pub fn minutes(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }
}

/// What has sums of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    /// Each cluster.
    pub cluster: bool,
    /// Each principal.
    pub principal: bool,
}

/// Which sum: the order of answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageKey {
    /// The first minute of the period.
    pub minute: i64,
    /// The cluster; `None` unless clusters have sums of their own.
    pub cluster: Option<ClusterId>,
    /// The principal; `None` unless principals have sums of their own. Empty for what clusters as a whole take up.
    pub principal: Option<String>,
}

/// Which usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// Whose.
    pub organization: OrganizationId,
    /// Only of the clusters of this project.
    pub project: Option<ProjectId>,
    /// Only of this cluster.
    pub cluster: Option<ClusterId>,
    /// Only of this principal.
    pub principal: Option<String>,
    /// The first minute.
    pub from: i64,
    /// The minute after the last.
    pub to: i64,
    /// How long a period is.
    pub granularity: Granularity,
    /// What has sums of its own.
    pub grouping: Grouping,
    /// Only what comes after this.
    pub after: Option<UsageKey>,
    /// At most so many sums.
    pub limit: i64,
}

/// What was used in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageItem {
    /// By whom, where, when.
    pub key: UsageKey,
    /// Bytes of request frames.
    pub bytes_in: i64,
    /// Bytes of response frames.
    pub bytes_out: i64,
    /// Bytes of record batches that were appended.
    pub produced_bytes: i64,
    /// Bytes of record batches that were returned.
    pub fetched_bytes: i64,
    /// Requests.
    pub requests: i64,
    /// The most connections that were open in a minute.
    pub connections_peak: i64,
    /// Bytes that records took up, times the minutes for which they did.
    pub storage_byte_minutes: i128,
    /// Partitions, times the minutes for which they were there.
    pub partition_minutes: i64,
}

/// A number as a fraction, for people to read.
fn hours(minutes: i128) -> f64 {
    minutes as f64 / HOUR as f64
}

impl UsageItem {
    /// Bytes that records took up, times hours.
    pub fn storage_byte_hours(&self) -> f64 {
        hours(self.storage_byte_minutes)
    }

    /// Partitions, times hours.
    pub fn partition_hours(&self) -> f64 {
        hours(self.partition_minutes.into())
    }

    /// The counts, without what is a time's product.
    pub fn counts(&self) -> Amounts {
        Amounts {
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            produced_bytes: self.produced_bytes,
            fetched_bytes: self.fetched_bytes,
            requests: self.requests,
            connections_peak: self.connections_peak,
            ..Amounts::default()
        }
    }
}

impl Catalog {
    /// Usage in an organization, in the order of [`UsageKey`]. The actor must be allowed to see it in the organization, or in the
    /// one project or cluster that is asked about.
    pub async fn usage(&self, actor: &Actor, query: &UsageQuery) -> Result<Vec<UsageItem>, AccountError> {
        let clusters: Result<Option<Vec<ClusterId>>, AccountError> =
            transaction!(self.store(), snapshot, |tx| tx
                .clusters_of_query(actor, query)
                .await);
        let clusters = clusters?;
        self.usage_of(query, clusters.as_deref())
            .await
            .map_err(AccountError::Catalog)
    }

    /// Usage as it was counted, of these clusters or of all, whoever asks. No request is answered with it unchecked.
    pub async fn usage_of(
        &self,
        query: &UsageQuery,
        clusters: Option<&[ClusterId]>,
    ) -> Result<Vec<UsageItem>, CatalogError> {
        if clusters.is_some_and(<[ClusterId]>::is_empty) {
            return Ok(Vec::new());
        }
        transaction!(self.store(), snapshot, |tx| tx.usage(query, clusters).await)
    }
}

impl Tx {
    /// Which clusters are asked about (`None`: all of the organization), once the actor has been found to be allowed to.
    async fn clusters_of_query(
        &mut self,
        actor: &Actor,
        query: &UsageQuery,
    ) -> Result<Option<Vec<ClusterId>>, TxError<AccountError>> {
        let scope = match (query.cluster, query.project) {
            (Some(cluster), _) => Scope::Cluster(cluster),
            (None, Some(project)) => Scope::Project(project),
            (None, None) => Scope::Organization(query.organization),
        };
        let organization = self.require(actor, scope, Permission::ViewUsage).await?;
        if organization != query.organization {
            return Err(AccountError::NotFound { what: "organization" }.into());
        }
        let Some(project) = query.project else {
            return Ok(query.cluster.map(|cluster| vec![cluster]));
        };
        let select = "SELECT cluster FROM account_clusters WHERE project = $1 ORDER BY cluster";
        let mut clusters = Vec::new();
        for row in self.rows(select, args![project]).await? {
            clusters.push(id_at::<ClusterId>(&row, 0)?);
        }
        clusters.retain(|id| query.cluster.is_none_or(|only| *id == only));
        Ok(Some(clusters))
    }

    async fn usage(
        &mut self,
        query: &UsageQuery,
        clusters: Option<&[ClusterId]>,
    ) -> Result<Vec<UsageItem>, TxError<CatalogError>> {
        let (select, args) = statement(query, clusters);
        let rows = self.rows(&select, args).await?;
        Ok(rows
            .iter()
            .map(|row| item(row, query.grouping))
            .collect::<Result<_, _>>()?)
    }
}

/// Storage is summed up in two parts, whole MiB and the bytes beside them: as one number a year of a large organization is beyond
/// 64 bits, and a fraction would not be exact, which what it costs must be.
const STORAGE_UNIT: i64 = 1 << 20;

/// First the connections of a minute, which add up; then the minutes of a period, of whose connections the most count.
fn statement(query: &UsageQuery, clusters: Option<&[ClusterId]>) -> (String, Vec<Arg>) {
    let column = |wanted: bool, name: &'static str| if wanted { name } else { "CAST('' AS TEXT)" };
    let cluster = column(query.grouping.cluster, "cluster");
    let principal = column(query.grouping.principal, "principal");
    let period = query.granularity.minutes();
    let after = query.after.as_ref();
    let first = query.from.max(after.map_or(query.from, |after| after.minute));
    let mut args = args![query.organization, first, query.to, period];
    let mut filters = String::new();
    if let Some(only) = &query.principal {
        args.push(Arg::from(only.as_str()));
        filters.push_str(&format!(" AND principal = ${}", args.len()));
    }
    if let Some(clusters) = clusters {
        let ids: Vec<String> = clusters.iter().map(|id| format!("'{id}'")).collect();
        filters.push_str(&format!(" AND cluster IN ({})", ids.join(",")));
    }
    let mut following = String::new();
    if let Some(after) = after {
        let place = args.len() + 1;
        following = format!(
            "WHERE (bucket, cluster_id, who) > (${place}, ${}, ${})",
            place + 1,
            place + 2
        );
        let cluster = after.cluster.map(|id| id.to_string()).unwrap_or_default();
        args.extend(args![
            after.minute,
            cluster,
            after.principal.clone().unwrap_or_default()
        ]);
    }
    args.push(Arg::from(query.limit));
    let limit = args.len();
    let select = format!(
        "SELECT bucket, cluster_id, who, CAST(SUM(bytes_in) AS BIGINT), CAST(SUM(bytes_out) AS BIGINT), \
         CAST(SUM(produced) AS BIGINT), CAST(SUM(fetched) AS BIGINT), CAST(SUM(requests) AS BIGINT), \
         CAST(MAX(connections) AS BIGINT), CAST(SUM(storage_units) AS BIGINT), CAST(SUM(storage_rest) AS BIGINT), \
         CAST(SUM(partitions) AS BIGINT) FROM ( \
         SELECT minute / $4 * $4 AS bucket, {cluster} AS cluster_id, {principal} AS who, \
         SUM(bytes_in) AS bytes_in, SUM(bytes_out) AS bytes_out, SUM(produced_bytes) AS produced, \
         SUM(fetched_bytes) AS fetched, SUM(requests) AS requests, SUM(connections_peak) AS connections, \
         SUM(storage_byte_minutes / {STORAGE_UNIT}) AS storage_units, \
         SUM(storage_byte_minutes % {STORAGE_UNIT}) AS storage_rest, SUM(partition_minutes) AS partitions \
         FROM cell_usage WHERE organization = $1 AND minute >= $2 AND minute < $3{filters} \
         GROUP BY minute, {cluster}, {principal}) AS minutes \
         {following} GROUP BY bucket, cluster_id, who ORDER BY bucket, cluster_id, who LIMIT ${limit}"
    );
    (select, args)
}

fn item(row: &AnyRow, grouping: Grouping) -> Result<UsageItem, CatalogError> {
    let (units, rest): (i64, i64) = (number_at(row, 9)?, number_at(row, 10)?);
    Ok(UsageItem {
        key: UsageKey {
            minute: number_at(row, 0)?,
            cluster: grouping.cluster.then(|| id_at(row, 1)).transpose()?,
            principal: grouping.principal.then(|| text_at(row, 2)).transpose()?,
        },
        bytes_in: number_at(row, 3)?,
        bytes_out: number_at(row, 4)?,
        produced_bytes: number_at(row, 5)?,
        fetched_bytes: number_at(row, 6)?,
        requests: number_at(row, 7)?,
        connections_peak: number_at(row, 8)?,
        storage_byte_minutes: i128::from(units) * i128::from(STORAGE_UNIT) + i128::from(rest),
        partition_minutes: number_at(row, 11)?,
    })
}

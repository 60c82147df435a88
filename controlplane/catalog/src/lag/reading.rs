//! The history of one group.

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::ids::ClusterId;
use crate::sql::{Tx, TxError, args, number_at, optional_number_at, text_at, transaction};

/// Which history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LagQuery {
    /// The cluster.
    pub cluster: ClusterId,
    /// The group's name.
    pub group: String,
    /// Only of this topic.
    pub topic: Option<String>,
    /// The first minute.
    pub from: i64,
    /// The minute after the last.
    pub to: i64,
    /// How many minutes are one point, of whose lag the largest counts; at least 1.
    pub step: i64,
    /// At most so many points.
    pub limit: i64,
}

/// How far the group was behind in a topic, at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LagPoint {
    /// The first minute of the point.
    pub minute: i64,
    /// The topic's name.
    pub topic: String,
    /// The most records that the group had not passed.
    pub lag_records: i64,
    /// The largest age of one of them, in ms; `None`: it is not known.
    pub lag_ms: Option<i64>,
}

impl Catalog {
    /// Points in the order of topics and times, whoever asks. No request is answered with them unchecked.
    pub async fn lag_history(&self, query: &LagQuery) -> Result<Vec<LagPoint>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.lag_history(query).await)
    }
}

impl Tx {
    async fn lag_history(&mut self, query: &LagQuery) -> Result<Vec<LagPoint>, TxError<CatalogError>> {
        let group = super::group_digest(&query.group);
        let mut args = args![
            query.cluster,
            group,
            query.from,
            query.to,
            query.step.max(1),
            query.limit
        ];
        let mut filter = "";
        if let Some(topic) = &query.topic {
            args.extend(args![topic.as_str()]);
            filter = " AND topic = $7";
        }
        let select = format!(
            "SELECT topic, bucket, CAST(MAX(lag_records) AS BIGINT), CAST(MAX(lag_ms) AS BIGINT) FROM ( \
             SELECT topic, minute / $5 * $5 AS bucket, lag_records, lag_ms FROM cell_lag \
             WHERE cluster = $1 AND group_digest = $2 AND minute >= $3 AND minute < $4{filter}) AS points \
             GROUP BY topic, bucket ORDER BY topic, bucket LIMIT $6"
        );
        let rows = self.rows(&select, args).await?;
        let point = |row| {
            Ok::<_, CatalogError>(LagPoint {
                topic: text_at(row, 0)?,
                minute: number_at(row, 1)?,
                lag_records: number_at(row, 2)?,
                lag_ms: optional_number_at(row, 3)?,
            })
        };
        Ok(rows.iter().map(point).collect::<Result<_, _>>()?)
    }
}

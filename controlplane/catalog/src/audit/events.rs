//! What brokers tell of their clients.

use std::collections::{BTreeMap, BTreeSet};

use firn_runtime::Timestamp;
use serde_json::Value;

use super::Details;
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::ids::{AuditId, ClusterId};
use crate::sql::{ChainedRow, Tx, TxError, args, id_at, numbers_of, transaction};

/// Something that a broker tells: a denial, or how many there were alike.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerEvent {
    /// The row's id, which may have been told to a client.
    pub id: AuditId,
    /// Where.
    pub cluster: ClusterId,
    /// When, for the first time.
    pub at: Timestamp,
    /// Who.
    pub principal: String,
    /// The public id of what it showed for that.
    pub credential: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The request's id; empty if it is none, or one of many.
    pub request_id: String,
    /// What was tried, or happened.
    pub action: &'static str,
    /// To what kind of thing.
    pub kind: &'static str,
    /// To which.
    pub resource: String,
    /// `false`: it was denied.
    pub allowed: bool,
    /// How often, when last, why.
    pub details: Details,
}

impl Catalog {
    /// Writes rows of events, in order, all or none. Those that are there already, because an earlier answer was lost, stay as they are.
    pub async fn record_events(&self, events: &[BrokerEvent]) -> Result<(), CatalogError> {
        transaction!(self.store(), write, |tx| record(&mut tx, events).await)
    }
}

async fn record(tx: &mut Tx, events: &[BrokerEvent]) -> Result<(), TxError<CatalogError>> {
    // The heads are locked in the order of clusters, each with the first of its rows.
    let mut by_cluster: BTreeMap<ClusterId, Vec<&BrokerEvent>> = BTreeMap::new();
    for event in events {
        by_cluster.entry(event.cluster).or_default().push(event);
    }
    let there = written(tx, events).await?;
    for (cluster, events) in by_cluster {
        for event in events.into_iter().filter(|event| !there.contains(&event.id)) {
            let head = tx.lock_audit_head(cluster).await?;
            let row = ChainedRow {
                id: event.id,
                cluster,
                sequence: 0,
                at: event.at,
                principal: event.principal.clone(),
                credential: event.credential.clone(),
                address: event.address.clone(),
                request_id: &event.request_id,
                action: event.action,
                kind: event.kind,
                resource: &event.resource,
                allowed: event.allowed,
                detail: Value::Object(event.details.clone()),
            };
            tx.chain_rows(&head, vec![row]).await?;
        }
    }
    Ok(())
}

async fn written(tx: &mut Tx, events: &[BrokerEvent]) -> Result<BTreeSet<AuditId>, TxError<CatalogError>> {
    let mut there = BTreeSet::new();
    for some in events.chunks(100) {
        let ids = numbers_of(1, some.len(), 1);
        let select = format!("SELECT id FROM cell_audit WHERE id IN {ids}");
        let values = some.iter().flat_map(|event| args![event.id]).collect();
        for row in tx.rows(&select, values).await? {
            there.insert(id_at(&row, 0)?);
        }
    }
    Ok(there)
}

//! Denials: what clients were not allowed to do, or could not prove to be, in the audit trail of the cluster that it was in.
//!
//! | module | what is in it |
//! |---|---|
//! | `claims` | whom a client claims to be while it logs in |
//! | `book` | equal denials become one row with a count, and there are only so many rows; pure |
//!
//! Telling of a denial takes a mutex for a moment and never waits. What was told is written to the catalog about once a second, in one
//! transaction; so an id that an answer names is found in the trail soon after it. With the catalog away rows wait and count on. A
//! process that is killed loses what came since the last write.

mod book;
#[cfg(test)]
mod book_tests;
mod claims;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::audit::{BrokerEvent, Details};
use firn_catalog::ids::{AuditId, ClusterId};
use firn_runtime::Env;
use parking_lot::Mutex;
use tracing::{debug, warn};

use self::book::{Book, Denied, Sort, plain};
pub(crate) use self::claims::Claim;
use crate::metrics;
use crate::serving::request::Identity;

/// How often what was told is written.
const PERIOD: Duration = Duration::from_secs(1);
/// How long after a failure the next try begins.
const PAUSE: Duration = Duration::from_secs(2);
/// How many rows one transaction writes at most.
const WRITE_ROWS: usize = 500;
/// How long the end of the process waits for the last rows to be written.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// Whom Kafka calls somebody who has not shown who they are.
const ANONYMOUS: &str = "User:ANONYMOUS";

/// Takes what is to be in the audit trails of clusters.
pub(crate) struct Denials {
    env: Env,
    catalog: Arc<Catalog>,
    book: Mutex<Book>,
    /// Rows that are being written, or could not be.
    writing: tokio::sync::Mutex<Vec<BrokerEvent>>,
}

impl Denials {
    pub(crate) fn new(env: &Env, catalog: &Arc<Catalog>) -> Arc<Self> {
        Arc::new(Self {
            env: env.clone(),
            catalog: Arc::clone(catalog),
            book: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// Somebody who is known was not allowed to do something. The id of the row that says so, which equal denials of the same moment
    /// share. `request` gives the id of the request, if the row is a new one.
    pub(crate) fn authorization(
        &self,
        asked_by: &Identity,
        request: impl FnOnce() -> String,
        operation: Operation,
        resource: ResourceName<'_>,
    ) -> AuditId {
        let (kind, name) = resource.parts();
        let denied = Denied {
            cluster: asked_by.cluster,
            sort: Sort::Authorization,
            principal: asked_by.principal.to_string(),
            credential: asked_by.credential,
            address: Some(asked_by.address),
            action: operation.name(),
            kind: kind.name(),
            resource: plain(name.unwrap_or("*")),
            details: Details::new(),
        };
        self.count(denied, request)
    }

    /// Somebody could not prove to be who they claim to be. Where the cluster is known that they claimed to be of, its trail says so.
    pub(crate) fn authentication(
        &self,
        cluster: Option<ClusterId>,
        claimed: &str,
        mechanism: &str,
        address: IpAddr,
        reason: &'static str,
    ) {
        let Some(cluster) = cluster else { return };
        let mut details = Details::new();
        details.insert("mechanism".to_owned(), plain(mechanism).into());
        details.insert("reason".to_owned(), reason.into());
        let denied = Denied {
            cluster,
            sort: Sort::Authentication,
            principal: ANONYMOUS.to_owned(),
            credential: None,
            address: Some(address.to_canonical()),
            action: "authenticate",
            kind: "user",
            resource: plain(claimed),
            details,
        };
        self.count(denied, String::new);
    }

    /// Somebody who is known caused something that is nobody's denial: the certificate that it showed expires soon. `details` says more,
    /// and no secret. Equal events of the same moment are one.
    pub(crate) fn event(
        &self,
        caused_by: &Identity,
        action: &'static str,
        (kind, resource): (&'static str, &str),
        details: Details,
    ) {
        let event = Denied {
            cluster: caused_by.cluster,
            sort: Sort::Event,
            principal: caused_by.principal.to_string(),
            credential: caused_by.credential,
            address: Some(caused_by.address),
            action,
            kind,
            resource: plain(resource),
            details,
        };
        self.count(event, String::new);
    }

    fn count(&self, denied: Denied, request: impl FnOnce() -> String) -> AuditId {
        metrics::denied(denied.sort.word());
        let now = self.env.now();
        self.book
            .lock()
            .count(denied, request, now, || AuditId(self.env.random_u128()))
    }

    /// Writes what is told, for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PERIOD).await;
            if !self.write().await {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Writes what is left: the last that is done, when no connection is left.
    pub(crate) async fn finish(&self) {
        let written = async {
            // The first round may write what an earlier one could not.
            self.write().await && self.write().await
        };
        if tokio::time::timeout(LAST_PATIENCE, written).await != Ok(true) {
            let rows = self.book.lock().rows();
            warn!(rows, "the last denials could not be written to the audit trail");
        }
    }

    /// Whether all that was told before is written.
    async fn write(&self) -> bool {
        let mut writing = self.writing.lock().await;
        if writing.is_empty() {
            *writing = self.book.lock().take(self.env.now());
        }
        while !writing.is_empty() {
            let rows = writing.len().min(WRITE_ROWS);
            if let Err(error) = self.catalog.record_events(&writing[..rows]).await {
                debug!(%error, rows = writing.len(), "denials could not be written; trying again");
                metrics::denials_unwritten();
                return false;
            }
            writing.drain(..rows);
        }
        true
    }
}

//! A write that brokers must see is answered once every broker serves it, or with an operation that tells when. A broker that has
//! died, or that the catalog does not hear, still counts until a successor has sealed it: meanwhile writes are answered with
//! operations.

use std::time::Duration;

use axum::response::Response;
use firn_catalog::ids::{FeedSequence, OperationId};
use serde::Serialize;

use super::{Caller, Problem, accepted, created, deleted, ok, ok_with_etag};
use crate::state::Api;

/// How long a request waits for the brokers.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a change is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum InForce {
    /// Every broker serves it.
    Now,
    /// Not yet; this operation tells when.
    Later(OperationId),
}

impl Api {
    /// Waits for a while until every broker serves what the feed says at `sequence`; without one there is nothing to wait
    /// for. `action` is what the audit trail calls the change, `resource` the path of what was changed.
    pub(crate) async fn in_force(
        &self,
        caller: &Caller,
        action: &'static str,
        resource: &str,
        sequence: Option<FeedSequence>,
    ) -> Result<InForce, Problem> {
        let Some(sequence) = sequence else {
            return Ok(InForce::Now);
        };
        if self.catalog.applied_everywhere(sequence, PATIENCE).await {
            return Ok(InForce::Now);
        }
        let actor = caller.actor();
        let operation = self
            .catalog
            .begin_operation(&actor, action, resource, sequence)
            .await?;
        Ok(InForce::Later(operation.id))
    }
}

impl InForce {
    fn operation(self) -> Option<String> {
        match self {
            Self::Now => None,
            Self::Later(id) => Some(format!("/v1/operations/{}", id.public())),
        }
    }

    /// 200 with the changed resource, or 202.
    pub(crate) fn changed<T: Serialize>(self, resource: T, version: Option<i64>) -> Response {
        match (self.operation(), version) {
            (Some(operation), version) => accepted(resource, operation, version),
            (None, Some(version)) => ok_with_etag(resource, version),
            (None, None) => ok(resource),
        }
    }

    /// 201 with the new resource and where it is, or 202.
    pub(crate) fn created<T: Serialize>(
        self,
        resource: T,
        location: String,
        version: Option<i64>,
    ) -> Response {
        match self.operation() {
            Some(operation) => accepted(resource, operation, version),
            None => created(resource, location, version),
        }
    }

    /// 204, or 202 with what is going.
    pub(crate) fn deleted<T: Serialize>(self, resource: T) -> Response {
        match self.operation() {
            Some(operation) => accepted(resource, operation, None),
            None => deleted(),
        }
    }
}

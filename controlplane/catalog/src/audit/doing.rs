//! What people and programs do through REST that brokers alone keep: offsets of groups, records.

use firn_runtime::Timestamp;

use super::{BrokerEvent, Details};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId};

/// How much of a name stands in a row, in characters.
const MAX_NAME: usize = 249;

/// What is done.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// What: `reset_offsets`.
    pub action: &'static str,
    /// To what kind of thing.
    pub kind: &'static str,
    /// To which.
    pub resource: &'a str,
    /// What else there is to say; neither payload nor secret.
    pub details: Details,
}

impl Catalog {
    /// Says in a cluster's trail that the actor does this, which no transaction of the catalog keeps. To be written before it is done:
    /// nothing is done that no trail tells of.
    pub async fn record_deed(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        deed: Deed<'_>,
    ) -> Result<AuditId, CatalogError> {
        let plain = |c: char| match c.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => c,
        };
        let at: Timestamp = self.env().now();
        let event = BrokerEvent {
            id: AuditId(self.env().random_u128()),
            cluster,
            at,
            principal: actor.principal.to_string(),
            credential: actor.credential.map(|credential| credential.to_string()),
            address: actor.address.map(|address| address.to_string()),
            request_id: actor.request_id.clone(),
            action: deed.action,
            kind: deed.kind,
            resource: deed.resource.chars().map(plain).take(MAX_NAME).collect(),
            allowed: true,
            details: deed.details,
        };
        self.record_events(std::slice::from_ref(&event)).await?;
        Ok(event.id)
    }
}

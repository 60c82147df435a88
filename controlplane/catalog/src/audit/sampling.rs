//! Denials of requests that change something: a trail has only so many rows of them a minute. What is above that is counted in one row,
//! which is written when the minute is over; its id is told all the same.
//!
//! The count is kept by each process for itself, and goes with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::warn;

use super::{BrokerEvent, Details, Trail};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::Actor;
use crate::ids::{AuditId, ClusterId};
use crate::sql::{TxError, transaction};

/// The span in which a trail has so many rows of its own.
const MINUTE: Duration = Duration::from_secs(60);
/// How many, beside the one for all others.
const MOST: u32 = 100;
/// What the row of the others is called.
const OTHERS: &str = "others";
/// How much of a name that was given is kept, in characters.
const MAX_NAME: usize = 255;

/// What is above the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Others {
    id: AuditId,
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Others {
    fn details(&self) -> Value {
        json!({ "count": self.count, "first_ms": self.first.0, "last_ms": self.last.0 })
    }
}

#[derive(Debug)]
struct Minute {
    since: Timestamp,
    rows: u32,
    others: Option<Others>,
}

/// What becomes of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sampled {
    /// It has a row of its own.
    Row,
    /// It is the first of those that are counted in the row with this id.
    First(AuditId),
    /// It is counted there.
    Counted(AuditId),
}

/// How many denials each trail has had in its minute.
#[derive(Debug, Default)]
pub(crate) struct Sampling(Mutex<BTreeMap<Trail, Minute>>);

impl Sampling {
    fn count(&self, trail: Trail, now: Timestamp, new_id: impl FnOnce() -> AuditId) -> Sampled {
        let mut minutes = self.0.lock();
        minutes.retain(|_, minute| {
            minute.others.is_some() || (minute.since <= now && now.since(minute.since) < MINUTE)
        });
        let minute = minutes.entry(trail).or_insert(Minute {
            since: now,
            rows: 0,
            others: None,
        });
        if let Some(others) = &mut minute.others {
            others.count += 1;
            others.last = others.last.max(now);
            return Sampled::Counted(others.id);
        }
        if minute.rows < MOST {
            minute.rows += 1;
            return Sampled::Row;
        }
        let id = new_id();
        minute.others = Some(Others {
            id,
            count: 1,
            first: now,
            last: now,
        });
        Sampled::First(id)
    }

    /// Ends the minute of a trail.
    fn end(&self, trail: Trail) -> Option<Others> {
        self.0.lock().remove(&trail).and_then(|minute| minute.others)
    }
}

impl Catalog {
    /// Whether a denial has a row of its own in a trail. `Err`: it is counted in the row with this id.
    pub(crate) fn sample_denial(&self, trail: Trail) -> Result<(), AuditId> {
        let now = self.env().now();
        let new_id = || AuditId(self.env().random_u128());
        match self.sampling().count(trail, now, new_id) {
            Sampled::Row => Ok(()),
            Sampled::Counted(id) => Err(id),
            Sampled::First(id) => {
                if let Some(catalog) = self.shared() {
                    let ended = async move {
                        tokio::time::sleep(MINUTE).await;
                        catalog.tell_others(trail).await;
                    };
                    drop(self.env().tasks.spawn(Box::pin(ended)));
                }
                Err(id)
            }
        }
    }

    async fn tell_others(self: Arc<Self>, trail: Trail) {
        let Some(others) = self.sampling().end(trail) else {
            return;
        };
        let written = match trail {
            Trail::Cluster(cluster) => {
                let details = match others.details() {
                    Value::Object(details) => details,
                    _ => Details::new(),
                };
                let event = BrokerEvent {
                    id: others.id,
                    cluster,
                    at: others.first,
                    principal: "User:*".to_owned(),
                    credential: None,
                    address: None,
                    request_id: String::new(),
                    action: OTHERS,
                    kind: "cluster",
                    resource: cluster.public(),
                    allowed: false,
                    details,
                };
                self.record_events(&[event]).await
            }
            Trail::Organization(organization) => {
                let details = others.details();
                let id = others.id;
                let written: Result<(), CatalogError> = transaction!(self.store(), write, |tx| async {
                    let resource = organization.public();
                    tx.audit_others(organization, id, (OTHERS, &resource), &details)
                        .await?;
                    Ok::<_, TxError<CatalogError>>(())
                }
                .await);
                written
            }
        };
        if let Err(error) = written {
            warn!(%error, %trail, count = others.count, "denials above the rate are not in the audit trail");
        }
    }

    /// Says in a cluster's trail that a request through REST was refused; gives the id of the row, which many share above a rate.
    pub async fn record_denial(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        action: &'static str,
        (kind, resource): (&'static str, &str),
    ) -> Result<AuditId, CatalogError> {
        if let Err(id) = self.sample_denial(Trail::Cluster(cluster)) {
            return Ok(id);
        }
        let plain = |c: char| match c.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => c,
        };
        let event = BrokerEvent {
            id: AuditId(self.env().random_u128()),
            cluster,
            at: self.env().now(),
            principal: actor.principal.to_string(),
            credential: actor.credential.map(|credential| credential.to_string()),
            address: actor.address.map(|address| address.to_string()),
            request_id: actor.request_id.clone(),
            action,
            kind,
            resource: resource.chars().map(plain).take(MAX_NAME).collect(),
            allowed: false,
            details: Details::new(),
        };
        self.record_events(std::slice::from_ref(&event)).await?;
        Ok(event.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_has_so_many_rows_a_minute_and_one_for_the_others() {
        let sampling = Sampling::default();
        let (trail, other) = (Trail::Cluster(ClusterId(1)), Trail::Cluster(ClusterId(2)));
        let count = |trail, at| sampling.count(trail, Timestamp(at), || AuditId(7));
        for _ in 0..MOST {
            assert_eq!(count(trail, 0), Sampled::Row);
        }
        assert_eq!(count(trail, 1), Sampled::First(AuditId(7)));
        assert_eq!(count(trail, 2), Sampled::Counted(AuditId(7)));
        assert_eq!(count(other, 2), Sampled::Row);
        // Until the row is written, which is what ends the minute.
        assert_eq!(count(trail, 60_000), Sampled::Counted(AuditId(7)));
        let others = sampling.end(trail).unwrap();
        assert_eq!(
            (others.count, others.first, others.last),
            (3, Timestamp(1), Timestamp(60_000))
        );
        assert_eq!(count(trail, 60_001), Sampled::Row);
        assert_eq!(sampling.end(other), None);
    }
}

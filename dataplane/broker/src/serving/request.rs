//! One request's context.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::{Actor, CredentialId, Principal, User};
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::Image;
use kafka_protocol::messages::ApiKey;
use tokio::time::Instant;

use super::fair_share::Share;
use super::fetch_size::FetchSize;
use super::shared::Serving;
use crate::clients::Tally;
use crate::metrics;
use crate::quotas::Memo;
use crate::seams::{Account, Caller, Portion, Usage};

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The cluster that the connection is in.
    pub(crate) cluster: ClusterId,
    /// Who it is.
    pub(crate) principal: Principal,
    /// By what it showed who it is; `None`: by nothing, as in dev.
    pub(crate) credential: Option<CredentialId>,
    /// Where it is.
    pub(crate) address: IpAddr,
    /// The slug of the cluster, if the client named it in its TLS handshake: it is told names with it.
    pub(crate) slug: Option<Arc<str>>,
    /// The REST request for which the control plane asks.
    pub(crate) on_behalf: Option<Arc<str>>,
    /// Where its requests are counted. A connection that shows anew that it is the same principal keeps it.
    pub(crate) account: Arc<dyn Account>,
    /// Of the connection.
    pub(crate) tally: Arc<Tally>,
}

impl Identity {
    /// Whether its cluster still serves it, and what it showed still holds.
    pub(crate) fn holds(&self, image: &Image) -> bool {
        let cluster = image.cluster(self.cluster);
        // In a test the cluster of those who show nothing need not be there.
        let serves = cluster.map_or(self.credential.is_none(), |cluster| {
            cluster.state == ClusterState::Active
        });
        let access = || image.access(self.cluster);
        serves
            && match self.credential {
                Some(id @ (CredentialId::ApiKey(_) | CredentialId::Scram(_))) => {
                    image.credential(id).is_some()
                }
                Some(CredentialId::Token(id)) => {
                    access().is_some_and(|access| access.identity_provider(id).is_some())
                }
                Some(CredentialId::Certificate(_)) => {
                    access().is_some_and(|access| access.ca_pools().next().is_some())
                }
                Some(CredentialId::Session(_) | CredentialId::Kerberos) | None => true,
            }
    }

    /// Whether it is this user, whose roles may have changed.
    pub(crate) fn is_user(&self, user: &User) -> bool {
        match &self.principal {
            Principal::User(own) => own.cluster == user.cluster && own.name == user.name,
            Principal::Dev { .. } | Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => {
                false
            }
        }
    }
}

/// A request, and the seams as its handler reaches them.
pub(crate) struct RequestContext {
    pub(crate) serving: Arc<Serving>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) connection: u64,
    pub(crate) correlation: i32,
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) client_id: Option<Arc<str>>,
    pub(crate) request_bytes: usize,
    pub(crate) started: Instant,
    /// Of the connection.
    pub(crate) fetch_size: Arc<FetchSize>,
    /// Of the connection.
    pub(crate) memo: Arc<Memo>,
    /// Of the connection's cluster.
    pub(crate) share: Arc<Share>,
}

impl RequestContext {
    /// The cluster that the connection is in.
    pub(crate) fn cluster(&self) -> ClusterId {
        self.identity.cluster
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            memo: &self.memo,
            cluster: self.identity.cluster,
            principal: &self.identity.principal,
            client_id: self.client_id.as_deref(),
        }
    }

    /// Usage of this request, which appended and returns so many bytes of batches.
    pub(crate) fn usage(&self, produced_bytes: usize, fetched_bytes: usize) -> Usage {
        Usage {
            api: self.api,
            request_bytes: self.request_bytes,
            produced_bytes,
            fetched_bytes,
            response_bytes: 0,
        }
    }

    /// Whether it produces or fetches: that is charged also where the control plane does it for somebody.
    fn carries_records(&self) -> bool {
        matches!(self.api, ApiKey::Produce | ApiKey::Fetch)
    }

    /// Seam 2: how long the client shall wait. Only the dispatcher, and the two handlers of the hot path through
    /// [`super::dispatch`], call it.
    pub(crate) fn charge(&self, usage: &Usage) -> Duration {
        match self.identity.on_behalf {
            Some(_) if !self.carries_records() => Duration::ZERO,
            _ => self.serving.quotas.charge(self.caller(), usage),
        }
    }

    /// Seam 2 for Fetch, before records, of at most so many bytes, are read.
    pub(crate) fn before_fetch(&self, wanted: usize) -> Portion {
        self.serving.quotas.before_fetch(self.caller(), wanted)
    }

    /// Seam 2 for so many partitions that are to be made or deleted: whether they may be. Before the version from which on
    /// `strict` is true they always may.
    pub(crate) fn may_change(&self, partitions: u64, strict: bool) -> bool {
        self.identity.on_behalf.is_some() || self.serving.quotas.change(self.caller(), partitions, strict)
    }

    /// Seam 3: the request is answered.
    pub(crate) fn meter(&self, usage: Usage, response_bytes: usize, throttle: Duration) {
        let usage = Usage {
            response_bytes,
            ..usage
        };
        self.identity.account.record(&usage);
        self.identity.tally.answered(&usage, self.started);
        metrics::request(self.api, self.started.elapsed(), throttle);
    }

    /// The id of this request in logs and in the audit trail: the process's life, the connection, the client's number.
    pub(crate) fn request_id(&self) -> String {
        let life = self.serving.log.incarnation().0 >> 96;
        format!("kafka-{life:08x}-{}-{}", self.connection, self.correlation)
    }

    /// The id of the request that this one comes from: that of the REST API, if the control plane asks for somebody.
    pub(crate) fn origin(&self) -> String {
        match &self.identity.on_behalf {
            Some(request) => request.to_string(),
            None => self.request_id(),
        }
    }

    /// Who does this, for the audit trail.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            principal: self.identity.principal.clone(),
            request_id: self.origin(),
            credential: self.identity.credential,
            address: Some(self.identity.address),
        }
    }
}

/// A throttle time as responses tell it, in ms.
pub(crate) fn throttle_ms(throttle: Duration) -> i32 {
    i32::try_from(throttle.as_millis()).unwrap_or(i32::MAX)
}

//! How a connection becomes the one of whoever has logged in, if there is a place for it and it comes from where it may.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::commands::{CredentialId, Principal, User};
use firn_catalog::ids::ClusterId;
use tokio::time::Instant;

use crate::authentication::certificates;
use crate::authentication::credentials::{Login, Refused, Shown};
use crate::authentication::mechanism::Mechanism;
use crate::authentication::registry::{Most, Session, TooMany};
use crate::clients::Client;
use crate::network::Closing;
use crate::network::listener::Transport;
use crate::seams::Admission;
use crate::serving::dispatch::KafkaConnection;
use crate::serving::request::Identity;

/// Why somebody who has shown who they are is not let in.
pub(super) enum Denied {
    TooMany(Refused),
    Refused(Refused),
}

/// What was shown, as the rest of the broker knows it.
struct Proven {
    session: Session,
    credential: Option<CredentialId>,
    /// The REST request that it is for.
    on_behalf: Option<Arc<str>>,
    /// Where whoever it is counts as being.
    address: IpAddr,
}

impl Proven {
    fn of(shown: Shown, cluster: ClusterId, address: IpAddr) -> Self {
        let (session, credential) = match shown {
            Shown::Credential(shown, mechanism) => {
                let id = shown.id;
                (Session::Credential(shown, mechanism), id)
            }
            Shown::Certificate(client) => {
                let id = CredentialId::Certificate(client.certificate);
                (Session::Certificate(cluster, client), id)
            }
            Shown::Token(provider) => {
                let id = CredentialId::Token(provider.id);
                (Session::Token(provider), id)
            }
            Shown::Ticket => (Session::Ticket(cluster), CredentialId::Kerberos),
            Shown::Delegation {
                request_id,
                address: asked_from,
                state,
            } => {
                return Self {
                    session: Session::Delegated(cluster, state),
                    credential: None,
                    on_behalf: Some(request_id),
                    address: asked_from.unwrap_or(address),
                };
            }
        };
        Self {
            session,
            credential: Some(credential),
            on_behalf: None,
            address,
        }
    }
}

impl KafkaConnection {
    /// Makes the connection the one of who has logged in; how long that holds, in ms, 0 for always.
    pub(super) fn establish(&mut self, login: Login, mechanism: Option<Mechanism>) -> Result<i64, Denied> {
        let cluster = login.user.cluster;
        let principal = Principal::User(Arc::clone(&login.user));
        let account = match &self.identity {
            None => None,
            Some(before) if before.is_user(&login.user) && mechanism == self.login.mechanism => {
                Some(Arc::clone(&before.account))
            }
            Some(_) => return Err(Denied::Refused(Refused("another user or mechanism than before"))),
        };
        let left = login.expires_at.map(|end| end.since(self.serving.env.now()));
        let proven = Proven::of(login.shown, cluster, self.login.peer.address.ip());
        if !self.login.counted && proven.on_behalf.is_none() {
            self.login.counted = true;
            match self.serving.quotas.connect(cluster, &principal, proven.address) {
                Admission::Now => {}
                Admission::After(delay) => self.login.delay = delay,
                Admission::Refused => {
                    return Err(Denied::TooMany(Refused("connections come faster than they may")));
                }
            }
        }
        let due = left.and_then(|left| Instant::now().checked_add(left));
        self.take_place(&login.user, &proven.session, due)?;
        let logins = &self.serving.logins;
        self.login.peer.place.known();
        // Who shows a certificate has no way to do so anew.
        let reauthentication = logins.reauthentication.filter(|_| mechanism.is_some());
        let lifetime = left.into_iter().chain(reauthentication).min();
        self.session_ends = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        self.frame_bytes = logins.frame_bytes;
        self.login.mechanism = mechanism;
        self.identity = Some(Arc::new(Identity {
            cluster,
            credential: proven.credential,
            address: proven.address.to_canonical(),
            slug: self.login.slug.clone(),
            on_behalf: proven.on_behalf,
            account: account.unwrap_or_else(|| self.serving.meter.open(cluster, &principal)),
            tally: Arc::clone(&self.tally),
            principal,
        }));
        self.tell_of_client(mechanism.map_or(certificates::MECHANISM, Mechanism::name));
        let millis = |lifetime: Duration| i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX).max(1);
        Ok(lifetime.map_or(0, millis))
    }

    /// Notes whose connection it is, for whoever looks at the cluster, unless the control plane asks for somebody.
    pub(super) fn tell_of_client(&self, mechanism: &'static str) {
        let identity = self.identity.as_ref();
        let Some(identity) = identity.filter(|identity| identity.on_behalf.is_none()) else {
            return;
        };
        let client = Client {
            principal: identity.principal.to_string().into(),
            credential: identity.credential.map(|id| id.to_string().into()),
            mechanism,
            address: identity.address,
            tls: matches!(self.login.peer.transport, Transport::Tls { .. }),
            tally: Arc::clone(&identity.tally),
        };
        self.serving
            .clients
            .came(identity.cluster, self.connection, client);
    }

    /// Takes a place among the live connections until `due`, if there is one, and if the session holds as of the newest image.
    fn take_place(&self, user: &User, session: &Session, due: Option<Instant>) -> Result<(), Denied> {
        let logins = &self.serving.logins;
        let image = self.serving.image();
        let most = image.cluster(user.cluster);
        let most = most.map_or(0, |cluster| cluster.limits.connections);
        let most = Most {
            of_cluster: usize::try_from(most).unwrap_or(0),
            of_principal: Some((&user.name, logins.connections_per_principal)),
        };
        let now = self.serving.env.now();
        let admitted = logins
            .registry
            .become_session(self.connection, session.clone(), due, &most, now);
        admitted.map_err(|too_many| {
            Denied::TooMany(Refused(match too_many {
                TooMany::OfCluster => "the cluster has as many connections as it may",
                TooMany::OfPrincipal => "the principal has as many connections as it may",
            }))
        })?;
        // From here on the registry tells of changes. One that came before is in the newest image.
        let Some(why) = session.ends(&self.serving.image(), self.login.peer.address.ip()) else {
            return Ok(());
        };
        let deadline = Instant::now() + logins.patience;
        logins.registry.renounce(self.connection, deadline);
        Err(Denied::Refused(Refused(match why {
            Closing::AddressNotAllowed => "the client's address is in none of the cluster's networks",
            _ => "what was shown holds no longer",
        })))
    }
}

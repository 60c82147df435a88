//! All live connections, and which of them must end: those that do not authenticate in time, whose credential expires or is
//! revoked or allows other things than when they came, and whose cluster stops serving.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::commands::CredentialId;
use firn_catalog::credential::KafkaCredential;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::Image;
use firn_catalog::networks;
use firn_catalog::trust::{AdmittedClient, IdentityProvider};
use firn_runtime::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::mechanism::Mechanism;
use crate::network::Closing;
use crate::network::cut::Cut;

/// How many connections are taken out at a time to be compared with an image.
const AT_A_TIME: usize = 256;
/// How many of them are compared before others get a turn: for one of them a tenant's rules may have to be asked.
const PER_TURN: usize = 16;

/// Who a live connection is.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    /// Nobody yet.
    Unauthenticated,
    /// Somebody in this cluster whom nobody asked.
    Anonymous(ClusterId),
    /// Whoever has this credential, shown in one of its ways.
    Credential(Arc<KafkaCredential>, Mechanism),
    /// Whoever has shown a certificate in this cluster, which let this client in.
    Certificate(ClusterId, Arc<AdmittedClient>),
    /// Whoever has shown a token of this provider.
    Token(Arc<IdentityProvider>),
    /// Somebody in this cluster who has shown a ticket.
    Ticket(ClusterId),
    /// Somebody for whom the control plane speaks, in this cluster while it is in this state.
    Delegated(ClusterId, ClusterState),
}

/// Who has as many connections as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// The cluster.
    OfCluster,
    /// The principal.
    OfPrincipal,
}

/// How many connections there may be with a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most<'a> {
    /// Of the cluster.
    pub(crate) of_cluster: usize,
    /// Of this principal, by its name.
    pub(crate) of_principal: Option<(&'a Arc<str>, usize)>,
}

impl Most<'_> {
    /// As many as come.
    pub(crate) const ANY: Self = Self {
        of_cluster: usize::MAX,
        of_principal: None,
    };
}

/// The live connections of a broker.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Live>);

#[derive(Default)]
struct Live {
    connections: BTreeMap<u64, Entry>,
    /// When something ends by itself, the soonest first.
    due: BTreeSet<(Instant, u64)>,
    /// Connections with a credential, by cluster.
    of_clusters: BTreeMap<ClusterId, usize>,
    /// The same by principal.
    of_principals: BTreeMap<(ClusterId, Arc<str>), usize>,
    /// Credentials that were used, and when last, since somebody asked.
    used: BTreeMap<CredentialId, Timestamp>,
    /// Counts how often a connection became somebody else.
    changes: u64,
}

struct Entry {
    cut: Cut,
    /// Where it comes from.
    address: IpAddr,
    session: Session,
    /// Which change made it this session.
    change: u64,
    /// Whose connections it is counted among.
    principal: Option<(ClusterId, Arc<str>)>,
    due: Option<Instant>,
}

/// A connection that is compared with an image.
struct Candidate {
    connection: u64,
    change: u64,
    session: Session,
    address: IpAddr,
}

impl Registry {
    /// A connection is there, and must authenticate before `deadline`.
    pub(crate) fn open(&self, connection: u64, address: IpAddr, cut: Cut, deadline: Instant) {
        let mut live = self.0.lock();
        let entry = Entry {
            cut,
            address,
            session: Session::Unauthenticated,
            change: 0,
            principal: None,
            due: None,
        };
        live.connections.insert(connection, entry);
        live.set_due(connection, Some(deadline));
    }

    /// A connection is somebody else from now on, until `due`. Of those with a credential there are at most so many.
    pub(crate) fn become_session(
        &self,
        connection: u64,
        session: Session,
        due: Option<Instant>,
        most: &Most<'_>,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let mut live = self.0.lock();
        live.count(connection, session.counted_for(), most)?;
        if let Session::Credential(credential, _) = &session {
            live.used.insert(credential.id, now);
        }
        live.changes += 1;
        let change = live.changes;
        if let Some(entry) = live.connections.get_mut(&connection) {
            entry.session = session;
            entry.change = change;
        }
        live.set_due(connection, due);
        Ok(())
    }

    /// A connection is nobody from now on, and must authenticate before `deadline`.
    pub(crate) fn renounce(&self, connection: u64, deadline: Instant) {
        let mut live = self.0.lock();
        live.changes += 1;
        let change = live.changes;
        let before = match live.connections.get_mut(&connection) {
            Some(entry) => {
                entry.change = change;
                let session = std::mem::replace(&mut entry.session, Session::Unauthenticated);
                (session.counted_for(), entry.principal.take())
            }
            None => return,
        };
        live.uncount(before);
        live.set_due(connection, Some(deadline));
    }

    /// A connection is gone.
    pub(crate) fn close(&self, connection: u64, now: Timestamp) {
        let mut live = self.0.lock();
        live.set_due(connection, None);
        if let Some(entry) = live.connections.remove(&connection) {
            live.uncount((entry.session.counted_for(), entry.principal));
            if let Session::Credential(credential, _) = &entry.session {
                live.used.insert(credential.id, now);
            }
        }
    }

    /// Ends what is due.
    pub(crate) fn expire(&self, now: Instant) {
        let mut live = self.0.lock();
        while let Some((due, connection)) = live.due.first().copied().filter(|(due, _)| *due <= now) {
            live.due.remove(&(due, connection));
            if let Some(entry) = live.connections.get_mut(&connection) {
                entry.due = None;
                entry.cut.cut(match entry.session {
                    Session::Unauthenticated => Closing::AuthenticationTimeout,
                    Session::Certificate(..)
                    | Session::Token(_)
                    | Session::Ticket(_)
                    | Session::Anonymous(_)
                    | Session::Credential(..)
                    | Session::Delegated(..) => Closing::CredentialExpired,
                });
            }
        }
    }

    /// Ends those of the connections numbered from `from` on that must not be, as of the newest image, and says where to go
    /// on; `None`: all have been looked at. The image is taken while nobody can come, so that it is none that a login was
    /// ahead of. Compared is while others may come and go, so that nobody waits; one that has become somebody else meanwhile has
    /// looked for itself.
    pub(crate) async fn compare(&self, from: u64, image: impl FnOnce() -> Arc<Image>) -> Option<u64> {
        let (image, candidates, next) = self.candidates(from, image);
        for some in candidates.chunks(PER_TURN) {
            for candidate in some {
                if let Some(why) = candidate.session.ends(&image, candidate.address) {
                    self.cut(candidate, why);
                }
            }
            tokio::task::yield_now().await;
        }
        next
    }

    fn candidates(
        &self,
        from: u64,
        image: impl FnOnce() -> Arc<Image>,
    ) -> (Arc<Image>, Vec<Candidate>, Option<u64>) {
        let live = self.0.lock();
        let image = image();
        let mut rest = live.connections.range(from..);
        let some = rest
            .by_ref()
            .take(AT_A_TIME)
            .map(|(connection, entry)| Candidate {
                connection: *connection,
                change: entry.change,
                session: entry.session.clone(),
                address: entry.address,
            });
        let some = some.collect();
        (image, some, rest.next().map(|(next, _)| *next))
    }

    /// Ends a connection that is still who it was.
    fn cut(&self, candidate: &Candidate, why: Closing) {
        let live = self.0.lock();
        let entry = live.connections.get(&candidate.connection);
        if let Some(entry) = entry.filter(|entry| entry.change == candidate.change) {
            entry.cut.cut(why);
        }
    }

    /// The credentials that were used since the last call, and when last.
    pub(crate) fn take_used(&self) -> Vec<(CredentialId, Timestamp)> {
        std::mem::take(&mut self.0.lock().used).into_iter().collect()
    }
}

impl Live {
    fn set_due(&mut self, connection: u64, due: Option<Instant>) {
        let Some(entry) = self.connections.get_mut(&connection) else {
            return;
        };
        let before = std::mem::replace(&mut entry.due, due);
        if let Some(before) = before {
            self.due.remove(&(before, connection));
        }
        if let Some(due) = due {
            self.due.insert((due, connection));
        }
    }

    /// Counts a connection among those of its cluster and principal, and no longer among those that it was one of.
    fn count(&mut self, connection: u64, cluster: Option<ClusterId>, most: &Most<'_>) -> Result<(), TooMany> {
        let Some(entry) = self.connections.get(&connection) else {
            return Ok(());
        };
        let (cluster_before, principal_before) = (entry.session.counted_for(), entry.principal.clone());
        let principal = cluster.zip(most.of_principal);
        let principal = principal.map(|(cluster, (name, _))| (cluster, Arc::clone(name)));
        if cluster != cluster_before
            && let Some(cluster) = cluster
            && self.of_clusters.get(&cluster).copied().unwrap_or(0) >= most.of_cluster
        {
            return Err(TooMany::OfCluster);
        }
        if principal != principal_before
            && let (Some(principal), Some((_, most))) = (&principal, most.of_principal)
            && self.of_principals.get(principal).copied().unwrap_or(0) >= most
        {
            return Err(TooMany::OfPrincipal);
        }
        self.uncount((cluster_before, principal_before));
        if let Some(cluster) = cluster {
            *self.of_clusters.entry(cluster).or_default() += 1;
        }
        if let Some(principal) = &principal {
            *self.of_principals.entry(principal.clone()).or_default() += 1;
        }
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.principal = principal;
        }
        Ok(())
    }

    fn uncount(&mut self, (cluster, principal): (Option<ClusterId>, Option<(ClusterId, Arc<str>)>)) {
        if let Some(cluster) = cluster {
            one_less(&mut self.of_clusters, &cluster);
        }
        if let Some(principal) = principal {
            one_less(&mut self.of_principals, &principal);
        }
    }
}

fn one_less<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Session {
    /// The cluster whose connections this is one of.
    fn counted_for(&self) -> Option<ClusterId> {
        match self {
            Self::Credential(credential, _) => Some(credential.cluster),
            Self::Certificate(cluster, _) => Some(*cluster),
            Self::Token(provider) => Some(provider.cluster),
            Self::Ticket(cluster) => Some(*cluster),
            Self::Unauthenticated | Self::Anonymous(_) | Self::Delegated(..) => None,
        }
    }

    /// The cluster that it is in as a Kafka client. Whom the control plane speaks for is none, and comes from wherever REST is
    /// reached.
    fn client_of(&self) -> Option<ClusterId> {
        match self {
            Self::Anonymous(cluster) => Some(*cluster),
            other => other.counted_for(),
        }
    }

    /// Why it must end, as of this image, coming from this address.
    pub(crate) fn ends(&self, image: &Image, address: IpAddr) -> Option<Closing> {
        self.ends_anywhere(image).or_else(|| {
            let cluster = image.cluster(self.client_of()?)?;
            (!networks::allow(&cluster.networks, address)).then_some(Closing::AddressNotAllowed)
        })
    }

    fn ends_anywhere(&self, image: &Image) -> Option<Closing> {
        let state = |cluster: ClusterId| image.cluster(cluster).map(|cluster| cluster.state);
        match self {
            Self::Unauthenticated => None,
            // In a test the cluster need not be there.
            Self::Anonymous(cluster) => matches!(
                state(*cluster),
                Some(ClusterState::Suspended | ClusterState::Deleting)
            )
            .then_some(Closing::ClusterNotActive),
            Self::Delegated(cluster, before) => {
                (state(*cluster) != Some(*before)).then_some(Closing::ClusterNotActive)
            }
            Self::Certificate(cluster, shown) => {
                if state(*cluster) != Some(ClusterState::Active) {
                    return Some(Closing::ClusterNotActive);
                }
                let trust = image.access(*cluster).and_then(|access| access.client_trust());
                let admits = trust.is_some_and(|trust| trust.still_admits(shown));
                (!admits).then_some(Closing::Revoked)
            }
            Self::Ticket(cluster) => {
                (state(*cluster) != Some(ClusterState::Active)).then_some(Closing::ClusterNotActive)
            }
            Self::Token(shown) => {
                if matches!(
                    state(shown.cluster),
                    Some(ClusterState::Suspended | ClusterState::Deleting)
                ) {
                    return Some(Closing::ClusterNotActive);
                }
                let access = image.access(shown.cluster);
                let now = access.and_then(|access| access.identity_provider(shown.id));
                let same = now.is_some_and(|now| now.version == shown.version);
                (!same).then_some(Closing::Revoked)
            }
            Self::Credential(shown, mechanism) => {
                if state(shown.cluster) != Some(ClusterState::Active) {
                    return Some(Closing::ClusterNotActive);
                }
                let same = image.credential(shown.id).is_some_and(|now| {
                    let same = now.user == shown.user && now.expires_at == shown.expires_at;
                    Arc::ptr_eq(now, shown) || (same && mechanism.is_one_of(now))
                });
                (!same).then_some(Closing::Revoked)
            }
        }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;

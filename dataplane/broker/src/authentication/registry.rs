//! All live connections, and which of them must end: those that do not authenticate in time, whose credential expires or is
//! revoked or allows other things than when they came, and whose cluster stops serving.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firn_catalog::commands::CredentialId;
use firn_catalog::credential::KafkaCredential;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::Image;
use firn_runtime::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::network::Closing;
use crate::network::cut::Cut;

/// Who a live connection is.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    /// Nobody yet.
    Unauthenticated,
    /// Somebody in this cluster whom nobody asked.
    Anonymous(ClusterId),
    /// Whoever has this credential.
    Credential(Arc<KafkaCredential>),
    /// Somebody for whom the control plane speaks, in this cluster.
    Delegated(ClusterId),
}

/// The cluster has as many connections as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

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
    /// Credentials that were used, and when last, since somebody asked.
    used: BTreeMap<CredentialId, Timestamp>,
    /// Whether somebody came since the last comparison with an image.
    newcomers: bool,
}

struct Entry {
    cut: Cut,
    session: Session,
    due: Option<Instant>,
}

impl Registry {
    /// A connection is there, and must authenticate before `deadline`.
    pub(crate) fn open(&self, connection: u64, cut: Cut, deadline: Instant) {
        let mut live = self.0.lock();
        let entry = Entry {
            cut,
            session: Session::Unauthenticated,
            due: None,
        };
        live.connections.insert(connection, entry);
        live.set_due(connection, Some(deadline));
    }

    /// A connection is somebody else from now on, until `due`. Of those with a credential a cluster has at most `most`.
    pub(crate) fn become_session(
        &self,
        connection: u64,
        session: Session,
        due: Option<Instant>,
        most: usize,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let mut live = self.0.lock();
        let counted = session.counted_for();
        let before = live
            .connections
            .get(&connection)
            .and_then(|entry| entry.session.counted_for());
        if counted != before {
            if let Some(cluster) = counted {
                let count = live.of_clusters.entry(cluster).or_default();
                if *count >= most {
                    return Err(TooMany);
                }
                *count += 1;
            }
            live.uncount(before);
        }
        if let Session::Credential(credential) = &session {
            live.used.insert(credential.id, now);
        }
        live.newcomers = true;
        if let Some(entry) = live.connections.get_mut(&connection) {
            entry.session = session;
        }
        live.set_due(connection, due);
        Ok(())
    }

    /// A connection is nobody from now on, and must authenticate before `deadline`.
    pub(crate) fn renounce(&self, connection: u64, deadline: Instant) {
        let mut live = self.0.lock();
        let before = match live.connections.get_mut(&connection) {
            Some(entry) => std::mem::replace(&mut entry.session, Session::Unauthenticated),
            None => return,
        };
        live.uncount(before.counted_for());
        live.set_due(connection, Some(deadline));
    }

    /// A connection is gone.
    pub(crate) fn close(&self, connection: u64, now: Timestamp) {
        let mut live = self.0.lock();
        live.set_due(connection, None);
        if let Some(entry) = live.connections.remove(&connection) {
            live.uncount(entry.session.counted_for());
            if let Session::Credential(credential) = &entry.session {
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
                    Session::Anonymous(_) | Session::Credential(_) | Session::Delegated(_) => {
                        Closing::CredentialExpired
                    }
                });
            }
        }
    }

    /// Whether somebody came since the last comparison.
    pub(crate) fn has_newcomers(&self) -> bool {
        self.0.lock().newcomers
    }

    /// Ends what must not be, as of this image.
    pub(crate) fn compare(&self, image: &Image) {
        let mut live = self.0.lock();
        live.newcomers = false;
        for entry in live.connections.values() {
            if let Some(why) = entry.session.ends(image) {
                entry.cut.cut(why);
            }
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

    fn uncount(&mut self, cluster: Option<ClusterId>) {
        let Some(cluster) = cluster else { return };
        if let Some(count) = self.of_clusters.get_mut(&cluster) {
            *count -= 1;
            if *count == 0 {
                self.of_clusters.remove(&cluster);
            }
        }
    }
}

impl Session {
    /// The cluster whose connections this is one of.
    fn counted_for(&self) -> Option<ClusterId> {
        match self {
            Self::Credential(credential) => Some(credential.cluster),
            Self::Unauthenticated | Self::Anonymous(_) | Self::Delegated(_) => None,
        }
    }

    /// Why it must end, as of this image.
    fn ends(&self, image: &Image) -> Option<Closing> {
        let state = |cluster: ClusterId| image.cluster(cluster).map(|cluster| cluster.state);
        match self {
            Self::Unauthenticated => None,
            // In a test the cluster need not be there.
            Self::Anonymous(cluster) => matches!(
                state(*cluster),
                Some(ClusterState::Suspended | ClusterState::Deleting)
            )
            .then_some(Closing::ClusterNotActive),
            Self::Delegated(cluster) => state(*cluster).is_none().then_some(Closing::ClusterNotActive),
            Self::Credential(shown) => {
                if state(shown.cluster) != Some(ClusterState::Active) {
                    return Some(Closing::ClusterNotActive);
                }
                let same = image.credential(shown.id).is_some_and(|now| {
                    Arc::ptr_eq(now, shown) || (now.user == shown.user && now.expires_at == shown.expires_at)
                });
                (!same).then_some(Closing::Revoked)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use firn_catalog::access::RoleSet;
    use firn_catalog::commands::User;
    use firn_catalog::credential::Proof;
    use firn_catalog::ids::ApiKeyId;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn credential(id: u128, cluster: u128) -> Arc<KafkaCredential> {
        let cluster = ClusterId(cluster);
        Arc::new(KafkaCredential {
            id: CredentialId::ApiKey(ApiKeyId(id)),
            cluster,
            username: "key".into(),
            generated: true,
            service_account: None,
            user: Arc::new(User {
                cluster,
                name: "sa".into(),
                roles: RoleSet::NONE,
            }),
            proof: Proof::ApiKey {
                digest: String::new(),
            },
            created_at: NOW,
            expires_at: None,
        })
    }

    fn opened(registry: &Registry, connection: u64, deadline: Instant) -> Cut {
        let cut = Cut::new(&CancellationToken::new());
        registry.open(connection, cut.clone(), deadline);
        cut
    }

    async fn why(cut: &Cut) -> Option<Closing> {
        tokio::time::timeout(Duration::ZERO, cut.ended()).await.ok()
    }

    #[tokio::test]
    async fn whoever_does_not_authenticate_in_time_ends_and_others_do_not() {
        let registry = Registry::default();
        let start = Instant::now();
        let late = opened(&registry, 1, start);
        let in_time = opened(&registry, 2, start);
        let session = Session::Credential(credential(1, 1));
        registry.become_session(2, session, None, 1, NOW).unwrap();
        registry.expire(start);
        assert_eq!(why(&late).await, Some(Closing::AuthenticationTimeout));
        assert_eq!(why(&in_time).await, None);
        registry.renounce(2, start);
        registry.expire(start);
        assert_eq!(why(&in_time).await, Some(Closing::AuthenticationTimeout));
    }

    #[tokio::test]
    async fn places_come_back_when_connections_close_or_change() {
        let registry = Registry::default();
        let deadline = Instant::now() + Duration::from_secs(60);
        for connection in 1..=3 {
            opened(&registry, connection, deadline);
        }
        let login = |connection, cluster| {
            let session = Session::Credential(credential(1, cluster));
            registry.become_session(connection, session, None, 1, NOW)
        };
        assert_eq!(login(1, 1), Ok(()));
        assert_eq!(login(1, 1), Ok(()), "authenticating anew takes no other place");
        assert_eq!(login(2, 1), Err(TooMany));
        assert_eq!(login(3, 2), Ok(()), "another cluster has its own places");
        registry.close(1, NOW);
        assert_eq!(login(2, 1), Ok(()));
        registry.renounce(2, deadline);
        opened(&registry, 4, deadline);
        assert_eq!(login(4, 1), Ok(()));
        for connection in 1..=4 {
            registry.close(connection, NOW);
        }
        let live = registry.0.lock();
        assert!(live.connections.is_empty() && live.due.is_empty() && live.of_clusters.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_in_the_image_ends() {
        let registry = Registry::default();
        let cut = opened(&registry, 1, Instant::now() + Duration::from_secs(60));
        let delegated = opened(&registry, 2, Instant::now() + Duration::from_secs(60));
        registry
            .become_session(1, Session::Credential(credential(1, 1)), None, 1, NOW)
            .unwrap();
        registry
            .become_session(2, Session::Delegated(ClusterId(1)), None, 1, NOW)
            .unwrap();
        assert!(registry.has_newcomers());
        registry.compare(&Image::default());
        assert!(!registry.has_newcomers());
        assert_eq!(why(&cut).await, Some(Closing::ClusterNotActive));
        assert_eq!(why(&delegated).await, Some(Closing::ClusterNotActive));
    }

    #[tokio::test]
    async fn uses_are_told_once_with_the_latest_time() {
        let registry = Registry::default();
        opened(&registry, 1, Instant::now());
        registry
            .become_session(1, Session::Credential(credential(7, 1)), None, 1, NOW)
            .unwrap();
        registry.close(1, Timestamp(2_000));
        let id = CredentialId::ApiKey(ApiKeyId(7));
        assert_eq!(registry.take_used(), [(id, Timestamp(2_000))]);
        assert_eq!(registry.take_used(), []);
    }
}

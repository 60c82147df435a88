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

use super::mechanism::Mechanism;
use crate::network::Closing;
use crate::network::cut::Cut;

/// How many connections are compared with an image at a time.
const AT_A_TIME: usize = 256;

/// Who a live connection is.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    /// Nobody yet.
    Unauthenticated,
    /// Somebody in this cluster whom nobody asked.
    Anonymous(ClusterId),
    /// Whoever has this credential, shown in one of its ways.
    Credential(Arc<KafkaCredential>, Mechanism),
    /// Somebody for whom the control plane speaks, in this cluster while it is in this state.
    Delegated(ClusterId, ClusterState),
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
        if let Session::Credential(credential, _) = &session {
            live.used.insert(credential.id, now);
        }
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
                    Session::Anonymous(_) | Session::Credential(..) | Session::Delegated(..) => {
                        Closing::CredentialExpired
                    }
                });
            }
        }
    }

    /// Ends those of the connections numbered from `from` on that must not be, as of the newest image, and says where to go
    /// on; `None`: all have been looked at. The image is taken while nobody can come, so that it is none that a login was
    /// ahead of; and some connections at a time, so that nobody waits long.
    pub(crate) fn compare(&self, from: u64, image: impl FnOnce() -> Arc<Image>) -> Option<u64> {
        let live = self.0.lock();
        let image = image();
        let mut rest = live.connections.range(from..);
        for (_, entry) in rest.by_ref().take(AT_A_TIME) {
            if let Some(why) = entry.session.ends(&image) {
                entry.cut.cut(why);
            }
        }
        rest.next().map(|(next, _)| *next)
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
            Self::Credential(credential, _) => Some(credential.cluster),
            Self::Unauthenticated | Self::Anonymous(_) | Self::Delegated(..) => None,
        }
    }

    /// Why it must end, as of this image.
    pub(crate) fn ends(&self, image: &Image) -> Option<Closing> {
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
mod tests {
    use std::time::Duration;

    use firn_catalog::access::RoleSet;
    use firn_catalog::commands::User;
    use firn_catalog::credential::{Proof, SealedVerifier};
    use firn_catalog::ids::ApiKeyId;
    use firn_secrets::scram;
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

    fn with_key(id: u128, cluster: u128) -> Session {
        Session::Credential(credential(id, cluster), Mechanism::Plain)
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
        let session = with_key(1, 1);
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
            let session = with_key(1, cluster);
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
    async fn what_is_not_in_the_image_ends_some_at_a_time() {
        let registry = Registry::default();
        let deadline = Instant::now() + Duration::from_secs(60);
        let all = 2 * AT_A_TIME as u64 + 1;
        let cuts: Vec<_> = (1..=all)
            .map(|connection| {
                let cut = opened(&registry, connection, deadline);
                let session = match connection % 2 {
                    0 => with_key(1, 1),
                    _ => Session::Delegated(ClusterId(1), ClusterState::Active),
                };
                let most = usize::MAX;
                registry
                    .become_session(connection, session, None, most, NOW)
                    .unwrap();
                cut
            })
            .collect();
        let mut from = Some(0);
        let mut rounds = 0;
        while let Some(begin) = from {
            from = registry.compare(begin, Arc::default);
            rounds += 1;
        }
        assert_eq!(rounds, 3);
        for cut in &cuts {
            assert_eq!(why(cut).await, Some(Closing::ClusterNotActive));
        }
    }

    #[test]
    fn a_credential_holds_while_it_can_be_shown_as_it_was() {
        let secrets =
            firn_secrets::Secrets::new(&firn_secrets::MasterKey::from_text(&"1".repeat(64)).unwrap());
        let name = firn_catalog::credential::ScramName {
            cluster: ClusterId(1),
            username: "key",
        };
        let kept = scram::verifier(scram::Mechanism::Sha256, "password", &[1; 24], 4096);
        let random = &firn_runtime::SystemRandom;
        let sealed = SealedVerifier::seal(&kept, name, scram::Mechanism::Sha256, &secrets, random);
        let mut shown = credential(1, 1).as_ref().clone();
        shown.proof = Proof::Scram {
            sha256: Some(sealed),
            sha512: None,
        };
        for (mechanism, holds) in [
            (Mechanism::Scram(scram::Mechanism::Sha256), true),
            (Mechanism::Scram(scram::Mechanism::Sha512), false),
            (Mechanism::Plain, false),
            (Mechanism::Delegation, false),
        ] {
            assert_eq!(mechanism.is_one_of(&shown), holds, "{mechanism:?}");
        }
        assert!(Mechanism::Plain.is_one_of(&credential(1, 1)));
    }

    #[tokio::test]
    async fn uses_are_told_once_with_the_latest_time() {
        let registry = Registry::default();
        opened(&registry, 1, Instant::now());
        registry.become_session(1, with_key(7, 1), None, 1, NOW).unwrap();
        registry.close(1, Timestamp(2_000));
        let id = CredentialId::ApiKey(ApiKeyId(7));
        assert_eq!(registry.take_used(), [(id, Timestamp(2_000))]);
        assert_eq!(registry.take_used(), []);
    }
}

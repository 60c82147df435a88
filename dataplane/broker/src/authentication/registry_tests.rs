//! Tests of the registry.

use std::time::Duration;

use firn_catalog::access::RoleSet;
use firn_catalog::commands::User;
use firn_catalog::credential::{Proof, SealedVerifier};
use firn_catalog::ids::ApiKeyId;
use firn_secrets::scram;
use tokio_util::sync::CancellationToken;

use super::*;

const NOW: Timestamp = Timestamp(1_000);
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

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
    registry.open(connection, HERE, cut.clone(), deadline);
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
    registry
        .become_session(2, session, None, &Most::ANY, NOW)
        .unwrap();
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
    let one = Most {
        of_cluster: 1,
        of_principal: None,
    };
    let login = |connection, cluster| {
        let session = with_key(1, cluster);
        registry.become_session(connection, session, None, &one, NOW)
    };
    assert_eq!(login(1, 1), Ok(()));
    assert_eq!(login(1, 1), Ok(()), "authenticating anew takes no other place");
    assert_eq!(login(2, 1), Err(TooMany::OfCluster));
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
async fn a_principal_has_so_many_connections_whatever_it_shows() {
    let registry = Registry::default();
    let deadline = Instant::now() + Duration::from_secs(60);
    for connection in 1..=5 {
        opened(&registry, connection, deadline);
    }
    let login = |connection, session: Session, name: &str| {
        let most = Most {
            of_cluster: 4,
            of_principal: Some((&name.into(), 2)),
        };
        registry.become_session(connection, session, None, &most, NOW)
    };
    assert_eq!(login(1, with_key(1, 1), "alice"), Ok(()));
    assert_eq!(login(2, Session::Ticket(ClusterId(1)), "alice"), Ok(()));
    assert_eq!(login(2, Session::Ticket(ClusterId(1)), "alice"), Ok(()), "anew");
    assert_eq!(login(3, with_key(2, 1), "alice"), Err(TooMany::OfPrincipal));
    assert_eq!(
        login(3, with_key(2, 2), "alice"),
        Ok(()),
        "somebody else of that name"
    );
    assert_eq!(login(4, with_key(3, 1), "bob"), Ok(()));
    registry.renounce(1, deadline);
    assert_eq!(login(5, with_key(2, 1), "alice"), Ok(()));
    for connection in 1..=5 {
        registry.close(connection, NOW);
    }
    let live = registry.0.lock();
    assert!(live.of_clusters.is_empty() && live.of_principals.is_empty());
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
            registry
                .become_session(connection, session, None, &Most::ANY, NOW)
                .unwrap();
            cut
        })
        .collect();
    let mut from = Some(0);
    let mut rounds = 0;
    while let Some(begin) = from {
        from = registry.compare(begin, Arc::default).await;
        rounds += 1;
    }
    assert_eq!(rounds, 3);
    for cut in &cuts {
        assert_eq!(why(cut).await, Some(Closing::ClusterNotActive));
    }
}

#[tokio::test]
async fn who_becomes_somebody_else_while_it_is_compared_is_not_ended_for_who_it_was() {
    let registry = Registry::default();
    let cut = opened(&registry, 1, Instant::now() + Duration::from_secs(60));
    let login = |id| registry.become_session(1, with_key(id, 1), None, &Most::ANY, NOW);
    login(1).unwrap();
    let (_, candidates, next) = registry.candidates(0, Arc::default);
    assert_eq!((candidates.len(), next), (1, None));
    login(2).unwrap();
    registry.cut(&candidates[0], Closing::Revoked);
    assert_eq!(why(&cut).await, None);
    let (_, candidates, _) = registry.candidates(0, Arc::default);
    registry.cut(&candidates[0], Closing::Revoked);
    assert_eq!(why(&cut).await, Some(Closing::Revoked));
}

#[test]
fn a_credential_holds_while_it_can_be_shown_as_it_was() {
    let secrets = firn_secrets::Secrets::new(&firn_secrets::MasterKey::from_text(&"1".repeat(64)).unwrap());
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
    registry
        .become_session(1, with_key(7, 1), None, &Most::ANY, NOW)
        .unwrap();
    registry.close(1, Timestamp(2_000));
    let id = CredentialId::ApiKey(ApiKeyId(7));
    assert_eq!(registry.take_used(), [(id, Timestamp(2_000))]);
    assert_eq!(registry.take_used(), []);
}

//! `connection_creation_rate` of an address, once it is known in which cluster a connection is.

use firn_catalog::commands::AlterQuotas;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::SaslAuthenticateRequest;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Caller, asking, named, owner, people};
use crate::support::Bench;

/// So many connections are too many for a rate of one in a second.
pub const MANY: usize = 24;

/// Lets one connection in a second into a cluster, from each address.
pub async fn limit(bench: &Bench, cluster: ClusterId) {
    let command = AlterQuotas {
        cluster,
        alterations: vec![(
            QuotaEntity::Ip(Named::Default),
            vec![(QuotaKey::ConnectionCreationRate, Some(1.0))],
        )],
        expected: None,
        validate_only: false,
    };
    let altered = bench.catalog.alter_quotas(&owner(cluster), command).await;
    bench.images.wait_for(altered.unwrap().sequence.unwrap()).await;
}

/// Asserts that of connections beyond the rate, which came in this order, some are closed, and that the others are answered the sooner the
/// sooner they came.
pub async fn assert_held_back<S: AsyncRead + AsyncWrite + Unpin>(callers: Vec<Caller<S>>) {
    let mut answers = FuturesUnordered::new();
    // The last one asks first.
    for (place, mut caller) in callers.into_iter().enumerate().rev() {
        answers.push(async move { (place, caller.try_call(0, &asking()).await.is_some()) });
    }
    let (mut answered, mut closed) = (Vec::new(), 0);
    while let Some((place, is_answered)) = answers.next().await {
        match is_answered {
            true => answered.push(place),
            false => closed += 1,
        }
    }
    assert!(
        closed >= 5 && answered.len() >= 3,
        "{closed} are closed, {answered:?} are not"
    );
    assert!(
        answered.first() < answered.last(),
        "{answered:?} are answered in this order"
    );
}

#[tokio::test]
async fn connections_beyond_the_rate_wait_after_their_login_and_are_closed_if_that_would_not_do() {
    let bench = named().await;
    people::cluster(&bench, 1, "one", (1, ClusterState::Active), 100).await;
    people::cluster(&bench, 2, "two", (1, ClusterState::Active), 100).await;
    let (person, elsewhere) = (people::key(1, "sa_one", None), people::key(2, "sa_two", None));
    people::put(&bench, &person.credential).await;
    people::put(&bench, &elsewhere.credential).await;
    limit(&bench, ClusterId(1)).await;
    let mut first = Caller::connect(&bench).await;
    assert_eq!(first.plain(&person.username, &person.secret).await.error_code, 0);
    assert!(first.cluster().await.is_some());
    let mut callers = Vec::new();
    for _ in 0..MANY {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.handshake(1, "PLAIN").await, 0);
        let token = format!("\0{}\0{}", person.username, person.secret);
        let request = SaslAuthenticateRequest::default().with_auth_bytes(token.into());
        let told = caller.try_call(2, &request).await;
        assert_eq!(told.map_or(0, |told| told.error_code), 0);
        callers.push(caller);
    }
    let mut other = Caller::connect(&bench).await;
    let told = other.plain(&elsewhere.username, &elsewhere.secret).await;
    assert_eq!(told.error_code, 0);
    assert!(
        other.cluster().await.is_some(),
        "another cluster has no such quota"
    );
    assert_held_back(callers).await;
    bench.stop().await;
}

//! `connection_creation_rate` of an address, once it is known in which cluster a connection is.

use firn_catalog::commands::AlterQuotas;
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use tokio::io::AsyncReadExt;

use super::{Caller, SOON, named, owner, people};
use crate::support::client::frame;

#[tokio::test]
async fn connections_beyond_the_rate_wait_after_their_login_and_are_closed_if_that_would_not_do() {
    let bench = named().await;
    people::cluster(&bench, 1, "one", (1, ClusterState::Active), 100).await;
    people::cluster(&bench, 2, "two", (1, ClusterState::Active), 100).await;
    let (person, elsewhere) = (people::key(1, "sa_one", None), people::key(2, "sa_two", None));
    people::put(&bench, &person.credential).await;
    people::put(&bench, &elsewhere.credential).await;
    let command = AlterQuotas {
        cluster: ClusterId(1),
        alterations: vec![(
            QuotaEntity::Ip(Named::Default),
            vec![(QuotaKey::ConnectionCreationRate, Some(1.0))],
        )],
        expected: None,
        validate_only: false,
    };
    let altered = bench
        .catalog
        .alter_quotas(&owner(ClusterId(1)), command)
        .await
        .unwrap();
    bench.images.wait_for(altered.sequence.unwrap()).await;
    let mut first = Caller::connect(&bench).await;
    assert_eq!(first.plain(&person.username, &person.secret).await.error_code, 0);
    assert!(first.cluster().await.is_some());
    let (mut waited, mut closed) = (0, 0);
    for _ in 0..20 {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.handshake(1, "PLAIN").await, 0);
        let token = format!("\0{}\0{}", person.username, person.secret);
        let request = kafka_protocol::messages::SaslAuthenticateRequest::default()
            .with_auth_bytes(bytes::Bytes::from(token));
        let Some(told) = caller.try_call(2, &request).await else {
            closed += 1;
            continue;
        };
        assert_eq!(told.error_code, 0);
        let sent = frame(9, 1, &super::asking());
        tokio::io::AsyncWriteExt::write_all(&mut caller.stream, &sent)
            .await
            .unwrap();
        let quiet = tokio::time::timeout(SOON / 5, caller.stream.read_u8()).await;
        waited += usize::from(quiet.is_err());
    }
    assert!(waited >= 2 && closed >= 5, "{waited} wait, {closed} are closed");
    let mut other = Caller::connect(&bench).await;
    assert_eq!(
        other
            .plain(&elsewhere.username, &elsewhere.secret)
            .await
            .error_code,
        0
    );
    assert!(
        other.cluster().await.is_some(),
        "another cluster has no such quota"
    );
    bench.stop().await;
}

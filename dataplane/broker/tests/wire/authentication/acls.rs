//! What a binding allows or denies, it allows or denies to its principal, however that showed who it is.

use std::sync::Arc;

use firn_catalog::access::RoleSet;
use firn_catalog::acl::{Acl, Effect, Operation, PatternType, ResourceType};
use firn_catalog::commands::{CreateAcls, CreateTopic, User};
use firn_catalog::ids::ClusterId;
use firn_catalog::topic_config::ConfigMap;
use firn_secrets::scram::Mechanism;
use kafka_protocol::messages::ProduceRequest;
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchanges::{ACTIVE, scram};
use super::people::{self, Person};
use super::{Caller, named, owner};
use crate::support::Bench;
use crate::support::client::{batch, produce, produced};

/// Topic authorization failed.
const DENIED: i16 = 29;
const ONE: ClusterId = ClusterId(1);
const BOUND: &str = "User:sa_bound";

/// Makes two topics, and a binding that lets this principal write to the one. The caller has no role.
pub async fn bind_writer(bench: &Bench, cluster: ClusterId, principal: &str) {
    let actor = owner(cluster);
    for name in ["bound", "unbound"] {
        let command = CreateTopic {
            cluster,
            name: name.to_owned(),
            partitions: 1,
            configs: ConfigMap::new(),
            validate_only: false,
        };
        let made = bench.catalog.create_topic(&actor, command).await.unwrap();
        bench.images.wait_for(made.sequence.unwrap()).await;
    }
    bind(bench, cluster, principal, Effect::Allow).await;
}

/// Binds the writes of this principal to the topic `bound`.
async fn bind(bench: &Bench, cluster: ClusterId, principal: &str, permission: Effect) {
    let command = CreateAcls {
        cluster,
        acls: vec![Acl {
            resource_type: ResourceType::Topic,
            pattern_type: PatternType::Literal,
            resource_name: "bound".to_owned(),
            principal: principal.to_owned(),
            host: "127.0.0.1".to_owned(),
            operation: Operation::Write,
            permission,
        }],
        validate_only: false,
    };
    let made = bench.catalog.create_acls(&owner(cluster), command).await.unwrap();
    assert!(made.value[0].is_ok());
    bench.images.wait_for(made.sequence.unwrap()).await;
}

/// Asserts that callers, who are this principal, may do what [`bind_writer`] allows, and nothing else; and not that either once it is
/// denied on top.
pub async fn assert_are_bound<S: AsyncRead + AsyncWrite + Unpin>(
    bench: &Bench,
    cluster: ClusterId,
    principal: &str,
    callers: &mut [Caller<S>],
) {
    for caller in &mut *callers {
        assert_writes(caller, &[("unbound", DENIED), ("bound", 0), ("absent", DENIED)]).await;
    }
    bind(bench, cluster, principal, Effect::Deny).await;
    for caller in callers {
        assert_writes(caller, &[("bound", DENIED)]).await;
    }
}

/// Writes to each topic, and asserts what is answered.
async fn assert_writes<S: AsyncRead + AsyncWrite + Unpin>(caller: &mut Caller<S>, expected: &[(&str, i16)]) {
    for (topic, code) in expected {
        let answer = caller
            .call::<ProduceRequest>(9, &produce(topic, 0, batch(&["a"]), -1))
            .await;
        assert_eq!(produced(&answer).0, *code, "{topic}");
    }
}

/// The same person, without any role.
fn without_role(mut person: Person, name: &str) -> Person {
    person.credential.user = Arc::new(User {
        cluster: person.credential.cluster,
        name: name.into(),
        roles: RoleSet::NONE,
    });
    person
}

async fn bench() -> Bench {
    let bench = named().await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    bind_writer(&bench, ONE, BOUND).await;
    bench
}

#[tokio::test]
async fn who_shows_an_api_key_is_bound() {
    let bench = bench().await;
    let person = without_role(people::key(1, "sa_bound", None), "sa_bound");
    people::put(&bench, &person.credential).await;
    let mut caller = Caller::connect(&bench).await;
    assert_eq!(caller.plain(&person.username, &person.secret).await.error_code, 0);
    assert_are_bound(&bench, ONE, BOUND, &mut [caller]).await;
    bench.stop().await;
}

#[tokio::test]
async fn who_proves_a_password_is_bound() {
    let bench = bench().await;
    let person = without_role(people::scram(1, "usr_a", "password", true), "sa_bound");
    people::put(&bench, &person.credential).await;
    let mut callers = Vec::new();
    for mechanism in [Mechanism::Sha256, Mechanism::Sha512] {
        let mut caller = Caller::connect(&bench).await;
        let (_, told) = scram(&mut caller, mechanism, "usr_a", |last| last, "password").await;
        assert_eq!(told.error_code, 0);
        callers.push(caller);
    }
    assert_are_bound(&bench, ONE, BOUND, &mut callers).await;
    bench.stop().await;
}

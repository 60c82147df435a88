//! Two tenants on one broker. Every served API, in every version: what is the other's is answered as what is not there, byte for
//! byte; who has shown nothing, or shows something that was revoked, gets no answer; and a role allows what it says and
//! nothing else. The rows come from the samples, which have to cover all that is served.

pub mod acls;
pub mod needs;
mod quotas;
pub mod tenants;

use std::time::Duration;

use firn_catalog::access::{ROLES, Role};
use kafka_protocol::messages::ApiKey;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use uuid::Uuid;

use self::tenants::Tenant;
use crate::answers;
use crate::support::client::{Client, batch};
use crate::support::samples::{Sample, Subject};
use crate::support::{Bench, Setup, samples};

/// What the answering of some requests makes up: no two answers are the same.
const MADE_UP: [ApiKey; 2] = [ApiKey::InitProducerId, ApiKey::JoinGroup];

/// Codes that say that somebody may not: topic, group, cluster, transactional id.
const DENIALS: [i16; 4] = [29, 30, 31, 53];

/// The same length, so that only the characters differ between two answers.
const FOREIGN: &str = "the-neighbours-own";
const ABSENT: &str = "nobody-has-such-at";

async fn bench() -> Bench {
    let kafka = vec![("auto.create.topics.enable", "false")];
    let bench = Bench::with(Setup {
        kafka,
        named: true,
        ..Setup::default()
    })
    .await;
    bench.groups_are_loaded().await;
    bench
}

impl Bench {
    /// Waits until groups can be asked, as somebody who may.
    async fn groups_are_loaded(&self) {
        let tenant = Tenant::new(self, "loader").await;
        let mut client = tenant.client(self, Role::Admin).await;
        self.coordinators_by(&mut client).await;
    }
}

/// Sends a sample; the answer's frame, or `None` for the end of the connection.
async fn ask(client: &mut Client, sample: &Sample) -> Option<bytes::Bytes> {
    client.stream.write_all(&sample.frame).await.ok()?;
    client.frame().await
}

/// The frame with every mention of one thing turned into one of another.
fn renamed(frame: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for (from, to) in pairs {
        assert_eq!(from.len(), to.len());
        let mut at = 0;
        while let Some(found) = find(&frame[at..], from) {
            frame[at + found..at + found + from.len()].copy_from_slice(to);
            at += found + from.len();
        }
    }
    frame
}

fn find(text: &[u8], sought: &[u8]) -> Option<usize> {
    text.windows(sought.len()).position(|window| window == sought)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What tenant A has, none of which B may ever be sent unless B said it first.
struct Canaries {
    topic: Uuid,
    texts: Vec<(&'static str, Vec<u8>)>,
}

/// A tenant with a topic, records, a group with an offset and a SCRAM user, each under a name of its own.
async fn furnish(bench: &Bench, tenant: &Tenant) -> Canaries {
    let mut client = tenant.client(bench, Role::Admin).await;
    client.create_topic(FOREIGN, 1).await;
    assert_eq!(
        client.produce(FOREIGN, 0, batch(&["canary in a record"])).await.0,
        0
    );
    assert_eq!(client.commit(FOREIGN, FOREIGN, 1).await, 0);
    assert_eq!(client.commit("canary-of-groups", FOREIGN, 1).await, 0);
    tenant.scram_user(bench, FOREIGN).await;
    tenant.scram_user(bench, "canary-of-users").await;
    acls::bind(bench, tenant, vec![acls::reading(FOREIGN, "User:canary-of-acls")]).await;
    tenant.quota(bench, FOREIGN).await;
    tenant.quota(bench, "canary-of-quotas").await;
    let image = bench.images.image();
    let topic = image.topic_by_name(tenant.cluster, FOREIGN).unwrap().id;
    let kafka_id = image.cluster(tenant.cluster).unwrap().kafka_id.clone();
    let texts = vec![
        ("the topic's name", FOREIGN.into()),
        ("the topic's id", topic.0.to_be_bytes().to_vec()),
        ("a record", b"canary in a record".to_vec()),
        ("a group", b"canary-of-groups".to_vec()),
        ("a user", b"canary-of-users".to_vec()),
        ("an ACL", b"canary-of-acls".to_vec()),
        ("a quota", b"canary-of-quotas".to_vec()),
        ("the cluster's id", kafka_id.into_bytes()),
        ("the cluster's slug", tenant.slug.clone().into_bytes()),
    ];
    Canaries {
        topic: Uuid::from_u128(topic.0),
        texts,
    }
}

#[tokio::test]
async fn what_is_another_tenants_is_as_if_it_were_not_there() {
    let bench = bench().await;
    let (a, b) = (
        Tenant::new(&bench, "tenant-a").await,
        Tenant::new(&bench, "tenant-b").await,
    );
    let canaries = furnish(&bench, &a).await;
    let nobodys = Uuid::from_u128(0x6e6f_626f_6479_6e6f_626f_6479_6e6f_626f);
    let mut client = b.client(&bench, Role::Admin).await;
    client.create_topic("t", 1).await;
    let ids = [(nobodys, canaries.topic), (canaries.topic, nobodys)]
        .map(|(from, to)| (*from.as_bytes(), *to.as_bytes()));
    let mut wrong = Vec::new();
    let (mut times_absent, mut times_foreign) = (Vec::new(), Vec::new());
    for by_id in [false, true] {
        let about = |name, id| {
            samples::all(&Subject {
                by_id,
                ..Subject::once(name, id)
            })
        };
        for (foreign, absent) in about(FOREIGN, canaries.topic).iter().zip(&about(ABSENT, nobodys)) {
            let what = format!("{:?} {} by_id={by_id}", foreign.key, foreign.version);
            let began = Instant::now();
            let said_absent = ask(&mut client, absent).await;
            let between = Instant::now();
            let said = ask(&mut client, foreign).await;
            times_absent.push(between - began);
            times_foreign.push(between.elapsed());
            let (Some(said_absent), Some(said)) = (said_absent, said) else {
                wrong.push(format!("{what}: the connection ended"));
                client = b.client(&bench, Role::Admin).await;
                continue;
            };
            let pairs: [(&[u8], &[u8]); 2] =
                [(ABSENT.as_bytes(), FOREIGN.as_bytes()), (&ids[0].0, &ids[0].1)];
            let same = match MADE_UP.contains(&foreign.key) {
                true => answers::told(foreign, said.clone()) == answers::told(absent, said_absent.clone()),
                false => renamed(&said_absent, &pairs) == said,
            };
            if !same {
                wrong.push(format!("{what}: absent {said_absent:?}, foreign {said:?}"));
            }
            for (canary, bytes) in &canaries.texts {
                let seen = |answer: &[u8], frame: &[u8]| {
                    find(answer, bytes).is_some() && find(frame, bytes).is_none()
                };
                if seen(&said, &foreign.frame) || seen(&said_absent, &absent.frame) {
                    wrong.push(format!("{what}: shows {canary}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let compared = times_foreign.len();
    let (absent, foreign) = (median(times_absent), median(times_foreign));
    println!("{compared} pairs of requests; the median answer: absent {absent:.1?}, foreign {foreign:.1?}");
    assert!(
        absent < 3 * foreign && foreign < 3 * absent,
        "{absent:?} {foreign:?}"
    );
    bench.stop().await;
}

/// Every sample with nothing named in it lists something: all that the asker has, and nothing of anybody else.
#[tokio::test]
async fn lists_hold_nothing_of_another_tenant() {
    let bench = bench().await;
    let (a, b) = (
        Tenant::new(&bench, "tenant-a").await,
        Tenant::new(&bench, "tenant-b").await,
    );
    let canaries = furnish(&bench, &a).await;
    let mut client = b.client(&bench, Role::Admin).await;
    let everything = Subject {
        by_id: false,
        ..Subject::times("", Uuid::nil(), 0)
    };
    let mut wrong = Vec::new();
    for sample in samples::all(&everything)
        .into_iter()
        .chain(tenants::lists_of_everything())
    {
        let Some(answer) = ask(&mut client, &sample).await else {
            client = b.client(&bench, Role::Admin).await;
            continue;
        };
        for (canary, bytes) in &canaries.texts {
            if find(&answer, bytes).is_some() && find(&sample.frame, bytes).is_none() {
                wrong.push(format!("{:?} {}: shows {canary}", sample.key, sample.version));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The same lists do show them to their owner, or this test could not fail.
    let mut owner = a.client(&bench, Role::Admin).await;
    let mut shown = Vec::new();
    for sample in samples::all(&everything)
        .into_iter()
        .chain(tenants::lists_of_everything())
    {
        match ask(&mut owner, &sample).await {
            Some(answer) => shown.push(answer.to_vec()),
            None => owner = a.client(&bench, Role::Admin).await,
        }
    }
    for (canary, bytes) in canaries
        .texts
        .iter()
        .filter(|(canary, _)| !["a record", "the cluster's slug"].contains(canary))
    {
        let seen = shown.iter().any(|answer| find(answer, bytes).is_some());
        assert!(seen, "no list shows {canary} to its owner");
    }
    bench.stop().await;
}

#[tokio::test]
async fn without_a_credential_there_is_no_answer() {
    let bench = bench().await;
    for sample in samples::all(&Subject::once("t", Uuid::from_u128(1))) {
        let mut client = bench.client().await;
        let answer = ask(&mut client, &sample).await;
        match sample.key {
            ApiKey::ApiVersions => assert!(answer.is_some(), "{}", sample.version),
            key => assert_eq!(answer, None, "{key:?} {}", sample.version),
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_revoked_credential_ends_its_connections_and_opens_none() {
    let bench = bench().await;
    let tenant = Tenant::new(&bench, "tenant-a").await;
    let (key, id) = tenant.api_key(&bench, Role::Admin).await;
    let subject = Subject::once("t", Uuid::from_u128(1));
    let mut clients = Vec::new();
    for _ in samples::all(&subject) {
        clients.push(tenants::login(&bench, &key, id).await.expect("it is in force"));
    }
    tenant.revoke(&bench, id).await;
    for (mut client, sample) in clients.into_iter().zip(samples::all(&subject)) {
        assert!(
            client.is_closed().await,
            "before {:?} {}",
            sample.key,
            sample.version
        );
        assert_eq!(ask(&mut client, &sample).await, None);
    }
    assert!(
        tenants::login(&bench, &key, id).await.is_none(),
        "it opens no connection"
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_nothing_else() {
    let bench = bench().await;
    let tenant = Tenant::new(&bench, "tenant-a").await;
    let mut admin = tenant.client(&bench, Role::Admin).await;
    admin.create_topic("t", 1).await;
    assert_eq!(admin.commit("t", "t", 0).await, 0);
    let id = {
        let image = bench.images.image();
        Uuid::from_u128(image.topic_by_name(tenant.cluster, "t").unwrap().id.0)
    };
    let mut wrong = Vec::new();
    for role in ROLES {
        for by_id in [false, true] {
            let subject = Subject {
                by_id,
                ..Subject::once("t", id)
            };
            for sample in samples::all(&subject) {
                let allowed = needs::of(sample.key).is_none_or(|needed| role.allows(needed));
                // What a request changes must not be missing for the next one.
                if allowed && needs::takes_away(sample.key) {
                    continue;
                }
                let mut client = tenant.client(&bench, role).await;
                let answer = ask(&mut client, &sample).await;
                let told = answer
                    .map(|answer| answers::told(&sample, answer))
                    .unwrap_or_default();
                let denied =
                    told.iter().any(|(_, code)| DENIALS.contains(code)) || needs::hides(&sample, &told);
                if denied == allowed {
                    let (key, version) = (sample.key, sample.version);
                    wrong.push(format!(
                        "{role} {key:?} {version} by_id={by_id}: {told:?}, allowed={allowed}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    bench.stop().await;
}

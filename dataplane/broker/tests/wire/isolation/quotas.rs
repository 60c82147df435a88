//! Quotas of one cluster and clients of another with the same user name and client id: they do not throttle, and are neither seen
//! nor changed.

use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use kafka_protocol::messages as m;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};

use super::bench;
use super::tenants::{QuotaAlteration, Tenant};
use crate::support::Bench;
use crate::support::client::{Client, batch, produce, produced, text, topic_name};

/// The user of both tenants.
const USER: &str = "the-same";
/// The client id of all clients of these tests.
const CLIENT: &str = "test";
/// The least that a quota may be.
const LEAST: f64 = 1.0;

/// Everything that bounds the clients of these tests, each to this.
fn bounds(value: Option<f64>) -> Vec<QuotaAlteration> {
    let (user, client) = (Named::Name(USER.to_owned()), Named::Name(CLIENT.to_owned()));
    let entities = [
        QuotaEntity::User(user.clone()),
        QuotaEntity::User(Named::Default),
        QuotaEntity::Client(client.clone()),
        QuotaEntity::Client(Named::Default),
        QuotaEntity::UserClient(user, client),
        QuotaEntity::UserClient(Named::Default, Named::Default),
    ];
    let keys = [
        QuotaKey::ProducerByteRate,
        QuotaKey::ConsumerByteRate,
        QuotaKey::RequestPercentage,
        QuotaKey::ControllerMutationRate,
    ];
    let bound = |entity| (entity, keys.map(|key| (key, value)).to_vec());
    entities.map(bound).to_vec()
}

fn fetch() -> m::FetchRequest {
    let partition = FetchPartition::default()
        .with_partition_max_bytes(1_000_000)
        .with_current_leader_epoch(-1);
    let topic = FetchTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![partition]);
    m::FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_bytes(10_000_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// Writes some 10 kB; how long the client is to wait.
async fn write(client: &mut Client) -> i32 {
    let records = batch(&["x".repeat(10_000).as_str()]);
    let told = client.call(9, &produce("t", 0, records, -1)).await;
    assert_eq!(produced(&told).0, 0);
    told.throttle_time_ms
}

/// Writes, reads, asks and makes a topic, twice; how long the client is to wait, at most.
async fn throttled(client: &mut Client) -> i32 {
    let mut longest = 0;
    for name in ["one", "two"] {
        let wrote = write(client).await;
        let read = client.call(12, &fetch()).await.throttle_time_ms;
        let asked = client.call(9, &m::MetadataRequest::default()).await;
        client.create_topic(name, 50).await;
        longest = longest.max(wrote).max(read).max(asked.throttle_time_ms);
    }
    longest
}

/// Two tenants with a topic `t` and a client of the same name in each.
async fn alike(bench: &Bench) -> [(Tenant, Client); 2] {
    let one = |slug: &'static str| async move {
        let tenant = Tenant::new(bench, slug).await;
        let mut client = tenant.client_named(bench, USER).await;
        client.create_topic("t", 1).await;
        (tenant, client)
    };
    [one("tenant-a").await, one("tenant-b").await]
}

#[tokio::test]
async fn quotas_of_another_cluster_do_not_throttle() {
    let bench = bench().await;
    let [(a, mut of_a), (b, mut of_b)] = alike(&bench).await;
    a.quotas(&bench, bounds(Some(LEAST))).await;
    assert_eq!(throttled(&mut of_b).await, 0);
    assert!(write(&mut of_a).await > 1_000, "or this test could not fail");
    // What one has used up, the other has not.
    let rate = (QuotaKey::ProducerByteRate, Some(20_000.0));
    let user = QuotaEntity::User(Named::Name(USER.to_owned()));
    a.quotas(&bench, bounds(None)).await;
    for tenant in [&a, &b] {
        tenant.quotas(&bench, vec![(user.clone(), vec![rate])]).await;
    }
    let mut of_a = a.client_named(&bench, USER).await;
    let mut used_up = 0;
    for _ in 0..20 {
        used_up = write(&mut of_a).await;
        if used_up > 0 {
            break;
        }
    }
    assert!(used_up > 0);
    assert_eq!(write(&mut of_b).await, 0);
    bench.stop().await;
}

fn entry(ops: &[(&str, Option<f64>)], entity: &[(&str, Option<&str>)]) -> EntryData {
    let part = |(kind, name): &(&str, Option<&str>)| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.map(text))
    };
    let op = |(key, value): &(&str, Option<f64>)| {
        OpData::default()
            .with_key(text(key))
            .with_value(value.unwrap_or_default())
            .with_remove(value.is_none())
    };
    EntryData::default()
        .with_entity(entity.iter().map(part).collect())
        .with_ops(ops.iter().map(op).collect())
}

/// Changes quotas of the user and of the client id, by Kafka's API.
async fn alter(client: &mut Client, value: Option<f64>) {
    let ops = [("producer_byte_rate", value), ("consumer_byte_rate", value)];
    let entries = vec![
        entry(&ops, &[("user", Some(USER))]),
        entry(&ops, &[("client-id", Some(CLIENT))]),
    ];
    let request = m::AlterClientQuotasRequest::default().with_entries(entries);
    let told = client.call(1, &request).await.entries;
    assert!(told.iter().all(|entry| entry.error_code == 0), "{told:?}");
}

type Told = Vec<m::describe_client_quotas_response::EntryData>;

async fn list(client: &mut Client, components: Vec<ComponentData>) -> Told {
    let request = m::DescribeClientQuotasRequest::default().with_components(components);
    client.call(1, &request).await.entries.expect("no error")
}

/// All quotas, and those of the user by its name.
async fn seen(client: &mut Client) -> [Told; 2] {
    let named = ComponentData::default()
        .with_entity_type(text("user"))
        .with_match(Some(text(USER)));
    [list(client, vec![]).await, list(client, vec![named]).await]
}

#[tokio::test]
async fn quotas_of_another_cluster_are_neither_seen_nor_changed() {
    let bench = bench().await;
    let [(_, mut of_a), (_, mut of_b)] = alike(&bench).await;
    let high = 1e9;
    alter(&mut of_a, Some(high)).await;
    let before = seen(&mut of_a).await;
    assert_eq!(before.each_ref().map(Vec::len), [2, 1]);
    assert_eq!(seen(&mut of_b).await, [vec![], vec![]]);
    // Taking away what only the other has changes nothing; nor do quotas of its own under the same names, and their end.
    alter(&mut of_b, None).await;
    assert_eq!(seen(&mut of_a).await, before);
    alter(&mut of_b, Some(2.0 * high)).await;
    assert_eq!(seen(&mut of_a).await, before);
    let own = seen(&mut of_b).await;
    assert_eq!(own.each_ref().map(Vec::len), [2, 1]);
    assert_ne!(own, before);
    alter(&mut of_b, None).await;
    assert_eq!(seen(&mut of_b).await, [vec![], vec![]]);
    assert_eq!(seen(&mut of_a).await, before);
    bench.stop().await;
}

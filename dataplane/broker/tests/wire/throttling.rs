//! Client quotas and the limits of clusters: answered at once, told, muted; and who gets round them.

mod holding_back;
mod internal;

use firn_catalog::commands::{Actor, AlterQuotas, Principal, WantedCluster};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::OrganizationId;
use firn_catalog::quota::{Named, QuotaEntity, QuotaKey};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, FetchRequest, HeartbeatRequest, MetadataRequest, ProduceRequest, ProduceResponse,
};
use tokio::io::AsyncWriteExt;

use crate::support::Bench;
use crate::support::client::{Client, batch, frame, produce, text, topic_name};

const EXCEEDED: i16 = 89;

/// Gives an entity a quota, or takes it away, and waits until the broker knows.
async fn quota(bench: &Bench, entity: QuotaEntity, key: QuotaKey, value: Option<f64>) {
    let cluster = bench.cluster;
    let command = AlterQuotas {
        cluster,
        alterations: vec![(entity, vec![(key, value)])],
        expected: None,
        validate_only: false,
    };
    let actor = Actor::process(Principal::Dev { cluster }, "test");
    let altered = bench.catalog.alter_quotas(&actor, command).await.unwrap();
    assert!(altered.value[0].is_ok(), "{:?}", altered.value);
    bench.images.wait_for(altered.sequence.unwrap()).await;
}

fn every_user() -> QuotaEntity {
    QuotaEntity::User(Named::Default)
}

/// A batch of about so many bytes.
fn large(bytes: usize) -> bytes::BytesMut {
    batch(&["x".repeat(bytes).as_str()])
}

async fn send(client: &mut Client, topic: &str, bytes: usize) -> ProduceResponse {
    let response = client.call(9, &produce(topic, 0, large(bytes), -1)).await;
    let error = response.responses[0].partition_responses[0].error_code;
    assert_eq!(error, 0, "it is accepted");
    response
}

fn fetch(topic: &str, (session, epoch): (i32, i32)) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_fetch_offset(0)
        .with_partition_max_bytes(1_000_000)
        .with_current_leader_epoch(-1);
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_bytes(10_000_000)
        .with_session_id(session)
        .with_session_epoch(epoch)
        .with_topics(vec![topic])
}

/// Limits the bytes of the clients' cluster.
async fn limit(bench: &Bench, version: i64, ingress: i64, egress: i64) {
    let wanted = WantedCluster {
        id: bench.cluster,
        slug: "dev".to_owned(),
        organization: OrganizationId(1),
        state: ClusterState::Active,
        delete_at: None,
        limits: ClusterLimits {
            ingress,
            egress,
            ..ClusterLimits::HIGHEST
        },
        version,
    };
    let actor = Actor::process(Principal::Cell, "test");
    let sequence = bench.catalog.apply_cluster(&actor, &wanted).await.unwrap();
    bench.images.wait_for(sequence).await;
}

async fn assert_muted(client: &mut Client) {
    client.send(1, &ApiVersionsRequest::default()).await;
    assert!(client.is_quiet().await, "it is muted");
}

#[tokio::test]
async fn produce_over_the_quota_is_accepted_told_and_muted_and_other_connections_go_on() {
    let bench = Bench::start().await;
    let (mut client, mut beside) = (bench.client().await, bench.client().await);
    client.create_topic("t", 1).await;
    let told = send(&mut client, "t", 50_000).await.throttle_time_ms;
    assert_eq!(told, 0, "no quota");
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1_000.0)).await;
    // 50 kB at 1 kB/s, of which one second's worth was saved up.
    let told = send(&mut client, "t", 50_000).await.throttle_time_ms;
    assert!((45_000..=51_000).contains(&told), "{told}");
    assert_muted(&mut client).await;
    // Neither what is asked of the coordinator nor what is looked up is charged for bytes.
    let beat = HeartbeatRequest::default().with_group_id(text("g").into());
    assert_eq!(beside.call(4, &beat).await.throttle_time_ms, 0);
    let looked = beside.call(9, &MetadataRequest::default()).await;
    assert_eq!(looked.throttle_time_ms, 0);
    bench.stop().await;
}

#[tokio::test]
async fn a_throttled_fetch_is_empty_and_its_session_goes_on() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    send(&mut client, "t", 50_000).await;
    let mut session = bench.client().await;
    let opened = session.call(12, &fetch("t", (0, 0))).await;
    assert_ne!(opened.session_id, 0);
    quota(&bench, every_user(), QuotaKey::ConsumerByteRate, Some(1_000.0)).await;
    let first = client.call(12, &fetch("t", (0, -1))).await;
    assert_eq!(first.throttle_time_ms, 0, "the first one gets its records");
    assert!(first.responses[0].partitions[0].records.is_some());
    let second = client.call(12, &fetch("t", (0, -1))).await;
    assert!(
        second.responses.is_empty() && second.error_code == 0,
        "{second:?}"
    );
    assert!((45_000..=51_000).contains(&second.throttle_time_ms), "{second:?}");
    assert_muted(&mut client).await;
    // A request that would open a session opens none; one in a session goes on.
    let mut fresh = bench.client().await;
    let told = fresh.call(12, &fetch("t", (0, 0))).await;
    assert_eq!(
        (told.session_id, told.responses.len(), told.error_code),
        (0, 0, 0)
    );
    let told = session.call(12, &fetch("t", (opened.session_id, 1))).await;
    assert_eq!((told.session_id, told.error_code), (opened.session_id, 0));
    assert!(told.throttle_time_ms > 0 && told.responses.is_empty());
    quota(&bench, every_user(), QuotaKey::ConsumerByteRate, None).await;
    let mut after = bench.client().await;
    let told = after.call(12, &fetch("t", (opened.session_id, 2))).await;
    assert_eq!(
        (told.error_code, told.throttle_time_ms),
        (0, 0),
        "the next epoch counts"
    );
    assert!(!told.responses.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn many_connections_and_client_ids_of_a_user_share_its_quota_and_a_changed_one_counts_at_once() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1_000.0)).await;
    let mut before = 0;
    for number in 0..5_u8 {
        let mut other = bench.client().await;
        let mut sent = frame(1, 9, &produce("t", 0, large(10_000), -1));
        // The client id "test", changed in place.
        let at = sent.windows(4).position(|bytes| bytes == b"test").unwrap();
        sent[at] = b'a' + number;
        other.stream.write_all(&sent).await.unwrap();
        let told = other.receive::<ProduceRequest>(9, 1).await;
        assert!(told.throttle_time_ms > before + 5_000, "{told:?}");
        before = told.throttle_time_ms;
    }
    // One for client ids makes no difference to a user that has one.
    let by_client = QuotaEntity::Client(Named::Default);
    quota(&bench, by_client, QuotaKey::ProducerByteRate, Some(1.0)).await;
    quota(&bench, every_user(), QuotaKey::ProducerByteRate, Some(1e9)).await;
    assert_eq!(send(&mut client, "t", 10).await.throttle_time_ms, 0);
    bench.stop().await;
}

async fn create(
    client: &mut Client,
    version: i16,
    name: &str,
    partitions: i32,
    validate_only: bool,
) -> CreateTopicsResponse {
    let topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000)
        .with_validate_only(validate_only);
    client.call(version, &request).await
}

/// A broker with a quota of changes that one topic has used up, and a client.
async fn used_up() -> (Bench, Client) {
    let bench = Bench::start().await;
    quota(&bench, every_user(), QuotaKey::ControllerMutationRate, Some(0.1)).await;
    let mut client = bench.client().await;
    let asked = create(&mut client, 7, "asked", 50, true).await;
    assert_eq!(
        (asked.topics[0].error_code, asked.throttle_time_ms),
        (0, 0),
        "asking is free"
    );
    let first = create(&mut client, 7, "first", 20, false).await;
    assert_eq!((first.topics[0].error_code, first.throttle_time_ms), (0, 0));
    (bench, client)
}

#[tokio::test]
async fn changes_over_the_quota_are_refused_with_89_from_the_versions_of_kip_599_on() {
    let (bench, mut client) = used_up().await;
    let second = create(&mut client, 7, "second", 1, false).await;
    assert_eq!(second.topics[0].error_code, EXCEEDED);
    assert!(second.throttle_time_ms > 100_000, "{second:?}");
    assert_muted(&mut client).await;

    let mut client = bench.client().await;
    let grows = CreatePartitionsTopic::default()
        .with_name(topic_name("first"))
        .with_assignments(None)
        .with_count(21);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![grows])
        .with_timeout_ms(10_000);
    let refused = client.call(3, &request).await;
    assert_eq!(refused.results[0].error_code, EXCEEDED);
    assert!(refused.throttle_time_ms > 0);

    let mut client = bench.client().await;
    let named = DeleteTopicState::default().with_name(Some(topic_name("first")));
    let request = DeleteTopicsRequest::default()
        .with_topics(vec![named])
        .with_timeout_ms(10_000);
    let refused = client.call(6, &request).await;
    assert_eq!(refused.responses[0].error_code, EXCEEDED);
    assert!(refused.throttle_time_ms > 0);
    bench.stop().await;
}

#[tokio::test]
async fn older_versions_know_no_such_error_so_it_is_done_and_they_wait() {
    let (bench, mut client) = used_up().await;
    let old = create(&mut client, 5, "old", 1, false).await;
    assert_eq!(old.topics[0].error_code, 0);
    assert!(old.throttle_time_ms > 0);
    assert_muted(&mut client).await;
    let mut client = bench.client().await;
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_name("old")])
        .with_timeout_ms(10_000);
    let deleted = client.call(4, &request).await;
    assert_eq!(deleted.responses[0].error_code, 0);
    assert!(deleted.throttle_time_ms > 0);
    bench.stop().await;
}

#[tokio::test]
async fn who_keeps_a_processor_busy_beyond_the_quota_waits_a_second_at_most() {
    let bench = Bench::start().await;
    quota(&bench, every_user(), QuotaKey::RequestPercentage, Some(0.0001)).await;
    let mut client = bench.client().await;
    // One microsecond may be saved up; what a request took is told with the next one.
    let mut told = 0;
    for _ in 0..4 {
        told = client.call(9, &MetadataRequest::default()).await.throttle_time_ms;
        if told >= 1_000 {
            break;
        }
    }
    assert_eq!(told, 1_000);
    assert_muted(&mut client).await;
    bench.stop().await;
}

#[tokio::test]
async fn waiting_for_records_takes_no_processor_time() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    // A tenth of a second may be saved up, which five polls of 100 ms would take if waiting counted.
    quota(&bench, every_user(), QuotaKey::RequestPercentage, Some(10.0)).await;
    for _ in 0..5 {
        let poll = fetch("t", (0, -1)).with_max_wait_ms(100).with_min_bytes(1);
        assert_eq!(client.call(12, &poll).await.throttle_time_ms, 0);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_clusters_own_limits_hold_for_all_its_clients() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    send(&mut client, "t", 50_000).await;
    limit(&bench, 2, 1_000, ClusterLimits::HIGHEST.egress).await;
    let told = send(&mut client, "t", 10_000).await.throttle_time_ms;
    assert!((8_000..=10_500).contains(&told), "{told}");
    limit(&bench, 3, ClusterLimits::HIGHEST.ingress, 1_000).await;
    let mut client = bench.client().await;
    assert_eq!(send(&mut client, "t", 10_000).await.throttle_time_ms, 0);
    let first = client.call(12, &fetch("t", (0, -1))).await;
    assert_eq!((first.throttle_time_ms, first.responses.len()), (0, 1));
    let second = client.call(12, &fetch("t", (0, -1))).await;
    assert!(second.throttle_time_ms > 1_000 && second.responses.is_empty());
    bench.stop().await;
}

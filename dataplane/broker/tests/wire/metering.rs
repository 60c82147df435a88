//! What the catalog says was used is what went over the wire.

use firn_catalog::Catalog;
use firn_catalog::ids::OrganizationId;
use firn_catalog::usage::{Granularity, Grouping, UsageItem, UsageQuery};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest};
use kafka_protocol::protocol::Request;
use tokio::io::AsyncWriteExt;

use crate::support::client::{Client, PATIENCE, batch, frame, produce, topic_name};
use crate::support::{Bench, Setup};

const ANONYMOUS: &str = "User:ANONYMOUS";

/// A client that counts what it sends and receives.
struct Counting {
    client: Client,
    sent: i64,
    received: i64,
    requests: i64,
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap()
}

impl Counting {
    async fn connect(bench: &Bench) -> Self {
        Self {
            client: bench.client().await,
            sent: 0,
            received: 0,
            requests: 0,
        }
    }

    async fn send<R: Request>(&mut self, version: i16, request: &R) {
        let frame = frame(1, version, request);
        self.client.stream.write_all(&frame).await.unwrap();
        self.sent += length(frame.len());
        self.requests += 1;
    }

    async fn call<R: Request>(&mut self, version: i16, request: &R) {
        self.send(version, request).await;
        self.received += length(self.client.frame().await.unwrap().len()) + 4;
    }
}

/// All that was used, by principal.
async fn used(catalog: &Catalog, organization: OrganizationId) -> Vec<UsageItem> {
    let query = UsageQuery {
        organization,
        project: None,
        cluster: None,
        principal: None,
        from: 0,
        to: i64::MAX,
        granularity: Granularity::Day,
        grouping: Grouping {
            cluster: false,
            principal: true,
        },
        after: None,
        limit: 100,
    };
    catalog.usage_of(&query, None).await.unwrap()
}

async fn organization(bench: &Bench) -> OrganizationId {
    bench.catalog.ensure_dev().await.unwrap();
    bench.images.image().cluster(bench.cluster).unwrap().organization
}

/// The sums of the anonymous principal, over midnight too.
fn anonymous(items: &[UsageItem]) -> [i64; 5] {
    let own = items
        .iter()
        .filter(|item| item.key.principal.as_deref() == Some(ANONYMOUS));
    own.fold([0; 5], |sum, item| {
        [
            sum[0] + item.bytes_in,
            sum[1] + item.bytes_out,
            sum[2] + item.produced_bytes,
            sum[3] + item.fetched_bytes,
            sum[4] + item.requests,
        ]
    })
}

#[tokio::test]
async fn every_byte_that_a_client_sends_and_receives_is_in_the_account() {
    let bench = Bench::start().await;
    let organization = organization(&bench).await;
    bench.client().await.create_topic("t", 1).await;
    let before = {
        let bench = bench.restarted().await;
        let before = anonymous(&used(&bench.catalog, organization).await);
        assert_eq!(before[4], 1, "what was counted before the restart is there");
        (bench, before)
    };
    let (bench, before) = before;
    let mut one = Counting::connect(&bench).await;
    let mut two = Counting::connect(&bench).await;
    one.call(3, &ApiVersionsRequest::default()).await;
    two.call(9, &MetadataRequest::default()).await;
    let records = batch(&["one", "two", "three"]);
    let produced = length(records.len());
    one.call(9, &produce("t", 0, records.clone(), -1)).await;
    one.send(9, &produce("t", 0, records.clone(), 0)).await;
    let fetched = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let fetched = FetchTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![fetched]);
    let fetch = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_min_bytes(i32::try_from(2 * produced).unwrap())
        .with_max_wait_ms(20_000)
        .with_replica_id((-1).into())
        .with_session_epoch(-1)
        .with_topics(vec![fetched]);
    two.call(11, &fetch).await;
    let catalog = bench.catalog.clone();
    bench.stop().await;
    let items = used(&catalog, organization).await;
    let after = anonymous(&items);
    let expected = [
        one.sent + two.sent,
        one.received + two.received,
        2 * produced,
        2 * produced,
        one.requests + two.requests,
    ];
    let counted: Vec<i64> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    assert_eq!(counted, expected);
    // The broker before counts too, if it was in the same minute.
    let peak = items.iter().map(|item| item.connections_peak).max();
    assert!(peak == Some(2) || peak == Some(3), "{items:?}");
}

#[tokio::test]
async fn what_was_appended_counts_though_its_client_went_away_before_the_answer() {
    let bench = Bench::start().await;
    let organization = organization(&bench).await;
    bench.client().await.create_topic("t", 1).await;
    let mut client = Counting::connect(&bench).await;
    bench.wal.hold();
    let records = batch(&["gone"]);
    let produced = length(records.len());
    client.send(9, &produce("t", 0, records, -1)).await;
    let topic = firn_catalog::ids::PartitionId {
        topic: bench.topic("t"),
        index: 0,
    };
    let appended = async {
        while bench.log.partition(topic).unwrap().offsets().log_end.0 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, appended).await.unwrap();
    drop(client);
    bench.connections(0).await;
    bench.wal.release();
    let catalog = bench.catalog.clone();
    bench.stop().await;
    let sums = anonymous(&used(&catalog, organization).await);
    assert_eq!((sums[2], sums[4]), (produced, 2));
}

#[tokio::test]
async fn a_cluster_that_the_image_does_not_know_is_metered_for_nobody() {
    let unknown = firn_catalog::ids::ClusterId(0x404);
    let bench = Bench::with(Setup {
        cluster: Some(unknown),
        ..Setup::default()
    })
    .await;
    let mut client = Counting::connect(&bench).await;
    client.call(3, &ApiVersionsRequest::default()).await;
    let catalog = bench.catalog.clone();
    bench.stop().await;
    assert_eq!(
        anonymous(&used(&catalog, OrganizationId(0)).await)[0],
        client.sent
    );
}

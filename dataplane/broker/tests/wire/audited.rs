//! What is denied is found under the id that was told, and a cluster's audit trail is a topic of its.

mod writes;

use std::collections::BTreeMap;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::audit::AUDIT_TOPIC;
use firn_catalog::audit::chain::Line;
use firn_log::batch::{BatchHeader, records};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FetchRequest, MetadataRequest, ProduceResponse};
use serde_json::Value;

use super::permissions::bench;
use crate::support::Bench;
use crate::support::client::{Client, PATIENCE, batch, produce, topic_name};

/// Asks again and again until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

async fn trail(bench: &Bench) -> Vec<Line> {
    let mut trail: Vec<Line> = Vec::new();
    loop {
        let after = trail.last().map_or(0, |line| line.position);
        let lines = bench.catalog.audit_lines(bench.cluster, after).await.unwrap();
        if lines.is_empty() {
            return trail;
        }
        trail.extend(lines);
    }
}

fn told(response: &ProduceResponse) -> (i16, String) {
    let partition = &response.responses[0].partition_responses[0];
    let message = partition.error_message.as_ref().map(ToString::to_string);
    let message = message.unwrap_or_default();
    let id = message.split_whitespace().find(|word| word.starts_with("aud_"));
    (partition.error_code, id.unwrap_or_default().to_owned())
}

fn detail(line: &Line) -> Value {
    serde_json::from_str(line.detail.get()).unwrap()
}

#[tokio::test]
async fn each_id_that_was_told_is_found_with_the_number_of_times_that_it_was() {
    let bench = bench(|operation, resource| match operation {
        Operation::Write => matches!(resource, ResourceName::Cluster),
        _ => true,
    })
    .await;
    let mut client = bench.client().await;
    let mut ids: BTreeMap<String, u64> = BTreeMap::new();
    // Many names, so that some are above the rate; each of them twice.
    for number in 0..300 {
        let name = format!("t{}", number / 2);
        let response = client.call(9, &produce(&name, 0, batch(&["x"]), -1)).await;
        let (error, id) = told(&response);
        assert_eq!((error, id.len()), (29, 30), "{response:?}");
        *ids.entry(id).or_default() += 1;
    }
    assert!(ids.len() < 300, "{}", ids.len());
    let found = until("all that was told", async || {
        let trail = trail(&bench).await;
        let denied: Vec<_> = trail
            .into_iter()
            .filter(|line| line.decision == "denied")
            .collect();
        let counts = denied.iter().map(|line| detail(line)["count"].as_u64().unwrap());
        (counts.sum::<u64>() == 300).then_some(denied)
    })
    .await;
    let counts: BTreeMap<String, u64> = found
        .iter()
        .map(|line| (line.id.clone(), detail(line)["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, ids);
    let named: Vec<_> = found.iter().filter(|line| line.action == "write").collect();
    assert!(named.len() <= 101 && named.len() > 50, "{}", named.len());
    let first = named.iter().find(|line| line.resource == "t0").unwrap();
    assert_eq!(
        (first.resource_kind.as_str(), first.principal.as_str()),
        ("topic", "User:ANONYMOUS")
    );
    assert_eq!(first.address.as_deref(), Some("127.0.0.1"));
    assert!(first.request_id.starts_with("kafka-"), "{first:?}");
    bench.stop().await;
}

#[tokio::test]
async fn a_hostile_name_is_cut_and_cannot_be_mistaken() {
    let bench = bench(|operation, _| operation != Operation::Write).await;
    let name = format!("\u{1b}[2Jé{}", "x".repeat(20_000));
    let response = bench
        .client()
        .await
        .call(9, &produce(&name, 0, batch(&["x"]), -1))
        .await;
    assert_eq!(told(&response).0, 29);
    let line = until("the denial", async || {
        trail(&bench)
            .await
            .into_iter()
            .find(|line| line.decision == "denied")
    })
    .await;
    assert!(line.resource.starts_with("\u{fffd}[2Jé") && line.resource.chars().count() == 256);
    bench.stop().await;
}

#[tokio::test]
async fn what_was_told_last_is_written_by_the_stop() {
    let bench = bench(|operation, _| operation != Operation::Write).await;
    let response = bench
        .client()
        .await
        .call(9, &produce("t", 0, batch(&["x"]), -1))
        .await;
    let (_, id) = told(&response);
    let (catalog, cluster) = (bench.catalog.clone(), bench.cluster);
    bench.stop().await;
    let lines = catalog.audit_lines(cluster, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.id == id), "{lines:?}");
}

/// The values of the audit topic, from its first record on.
async fn topic(client: &mut Client) -> Vec<String> {
    let mut values = Vec::new();
    loop {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(values.len().try_into().unwrap())
            .with_partition_max_bytes(1_000_000)
            .with_current_leader_epoch(-1);
        let asked = FetchTopic::default()
            .with_topic(topic_name(AUDIT_TOPIC))
            .with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(10_000_000)
            .with_session_epoch(-1)
            .with_topics(vec![asked]);
        let response = client.call(12, &request).await;
        let read = &response.responses[0].partitions[0];
        assert_eq!(read.error_code, 0);
        let before = values.len();
        let mut rest = read.records.clone().unwrap_or_default();
        while let Some(header) = BatchHeader::read(&rest) {
            let whole = rest.split_to(12 + usize::try_from(header.length).unwrap());
            for record in records(&whole).unwrap() {
                let record = record.unwrap();
                values.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
            }
        }
        if values.len() == before {
            return values;
        }
    }
}

/// Waits until the topic is the trail, line by line.
async fn same(bench: &Bench, client: &mut Client, rows: usize) {
    let lines = until("the topic is the trail", async || {
        let trail: Vec<_> = trail(bench).await.iter().map(Line::text).collect();
        (trail.len() >= rows && topic(client).await == trail).then_some(trail)
    })
    .await;
    assert!(lines[0].contains(r#""position":1,"#));
}

#[tokio::test]
async fn the_audit_topic_is_the_trail_once_across_restart_and_takeover() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("before", 1).await;
    client.create_topic(AUDIT_TOPIC, 1).await;
    same(&bench, &mut client, 3).await;
    let asked = MetadataRequestTopic::default().with_name(Some(topic_name(AUDIT_TOPIC)));
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let described = client.call(9, &request).await;
    assert!(described.topics[0].is_internal);
    assert_eq!(client.produce(AUDIT_TOPIC, 0, batch(&["forged"])).await.0, 17);
    assert_eq!(client.delete_records(AUDIT_TOPIC, -1).await.0, 44);
    for number in 0..20 {
        client.create_topic(&format!("t{number}"), 1).await;
    }
    let bench = bench.restarted().await;
    let mut client = bench.client().await;
    client.create_topic("after", 1).await;
    same(&bench, &mut client, 24).await;
    let successor = bench.successor().await;
    let mut client = successor.client().await;
    client.create_topic("taken", 1).await;
    same(&successor, &mut client, 25).await;
    successor.stop().await;
    bench.broker.shutdown().await;
}

//! Produce: order, pipelining, acks, duplicates, errors.

use bytes::BytesMut;
use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::{ApiVersionsRequest, InitProducerIdRequest, ProduceRequest, TransactionalId};

use crate::support::Bench;
use crate::support::client::{batch, produce, produced, text};

fn api_versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("test"))
        .with_client_software_version(text("1"))
}

fn idempotent(epoch: i16, sequence: i32, value: &str) -> BytesMut {
    BatchBuilder::new()
        .producer(7, epoch, sequence)
        .record(5, None, Some(value.as_bytes()))
        .build()
}

#[tokio::test]
async fn offsets_follow_each_other() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 2).await;
    assert_eq!(client.produce("t", 0, batch(&["a", "b"])).await, (0, 0));
    assert_eq!(client.produce("t", 0, batch(&["c"])).await, (0, 2));
    assert_eq!(client.produce("t", 1, batch(&["d"])).await, (0, 0));
    bench.stop().await;
}

#[tokio::test]
async fn produces_are_pipelined_and_anything_else_waits_for_them() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    bench.wal.hold();
    let first = client.send(9, &produce("t", 0, batch(&["a"]), -1)).await;
    let second = client.send(9, &produce("t", 0, batch(&["b"]), -1)).await;
    let versions = client.send(3, &api_versions()).await;
    let third = client.send(9, &produce("t", 0, batch(&["c"]), -1)).await;
    assert!(client.is_quiet().await, "nothing is durable");
    let log_end = || {
        let topic = bench.topic("t");
        let id = firn_catalog::ids::PartitionId { topic, index: 0 };
        bench.log.partition(id).unwrap().offsets().log_end.0
    };
    assert_eq!(
        log_end(),
        2,
        "two are appended, the third waits behind another request"
    );
    bench.wal.release();
    assert_eq!(
        produced(&client.receive::<ProduceRequest>(9, first).await),
        (0, 0)
    );
    assert_eq!(
        produced(&client.receive::<ProduceRequest>(9, second).await),
        (0, 1)
    );
    client.receive::<ApiVersionsRequest>(3, versions).await;
    assert_eq!(
        produced(&client.receive::<ProduceRequest>(9, third).await),
        (0, 2)
    );
    bench.stop().await;
}

#[tokio::test]
async fn acks_0_has_no_answer_and_an_error_closes() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    client.send(9, &produce("t", 0, batch(&["a"]), 0)).await;
    client.call(3, &api_versions()).await;
    assert_eq!(client.produce("t", 0, batch(&["b"])).await, (0, 1));
    client.send(9, &produce("nowhere", 0, batch(&["a"]), 0)).await;
    assert!(client.is_closed().await);
    bench.stop().await;
}

#[tokio::test]
async fn a_produce_that_waits_too_long_is_answered_7_and_its_record_stays() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    bench.wal.hold();
    let slow = produce("t", 0, batch(&["a"]), -1).with_timeout_ms(50);
    assert_eq!(produced(&client.call(9, &slow).await), (7, -1));
    bench.wal.release();
    assert_eq!(client.produce("t", 0, batch(&["b"])).await, (0, 1));
    bench.stop().await;
}

#[tokio::test]
async fn a_duplicate_gets_the_offset_of_its_original() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    assert_eq!(client.produce("t", 0, idempotent(0, 0, "a")).await, (0, 0));
    assert_eq!(client.produce("t", 0, idempotent(0, 1, "b")).await, (0, 1));
    assert_eq!(client.produce("t", 0, idempotent(0, 0, "a")).await, (0, 0));
    assert_eq!(client.produce("t", 0, idempotent(0, 5, "gap")).await, (45, -1));
    assert_eq!(
        client.produce("t", 0, idempotent(1, 0, "new epoch")).await,
        (0, 2)
    );
    assert_eq!(
        client.produce("t", 0, idempotent(0, 2, "old epoch")).await,
        (47, -1)
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_duplicate_gets_the_append_time_of_its_original() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let by_log = ("message.timestamp.type", "LogAppendTime");
    client.create_topic_with("by-log", 1, &[by_log]).await;
    client.create_topic("by-producer", 1).await;
    for (topic, told) in [("by-log", true), ("by-producer", false)] {
        let mut times = Vec::new();
        for _ in 0..2 {
            let request = produce(topic, 0, idempotent(0, 0, "a"), -1);
            let response = client.call(9, &request).await;
            assert_eq!(produced(&response), (0, 0));
            times.push(response.responses[0].partition_responses[0].log_append_time_ms);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(times[0], times[1]);
        assert_eq!(times[0] > 0, told);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_duplicate_waits_for_its_original_in_flight() {
    let bench = Bench::start().await;
    let (mut client, mut other) = (bench.client().await, bench.client().await);
    client.create_topic("t", 1).await;
    bench.wal.hold();
    let original = client.send(9, &produce("t", 0, idempotent(0, 0, "a"), -1)).await;
    assert!(client.is_quiet().await);
    let duplicate = other.send(9, &produce("t", 0, idempotent(0, 0, "a"), -1)).await;
    assert!(
        other.is_quiet().await,
        "an answer would reveal what is not durable"
    );
    bench.wal.release();
    assert_eq!(
        produced(&client.receive::<ProduceRequest>(9, original).await),
        (0, 0)
    );
    assert_eq!(
        produced(&other.receive::<ProduceRequest>(9, duplicate).await),
        (0, 0)
    );
    assert_eq!(client.produce("t", 0, batch(&["next"])).await, (0, 1));
    bench.stop().await;
}

#[tokio::test]
async fn bad_batches_get_their_errors() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let mut corrupt = batch(&["a"]);
    *corrupt.last_mut().unwrap() ^= 1;
    assert_eq!(client.produce("t", 0, corrupt).await.0, 2);
    let mut two = batch(&["a"]);
    two.extend_from_slice(&batch(&["b"]));
    assert_eq!(client.produce("t", 0, two).await.0, 87);
    assert_eq!(client.produce("t", 0, BytesMut::new()).await.0, 87);
    let large = "x".repeat(1_100_000);
    assert_eq!(client.produce("t", 0, batch(&[&large])).await.0, 10);
    assert_eq!(client.produce("t", 9, batch(&["a"])).await.0, 3);
    let acks = produce("t", 0, batch(&["a"]), 2);
    assert_eq!(produced(&client.call(9, &acks).await).0, 21);
    let mut zstd = BatchBuilder::new().compression(firn_log::batch::Compression::Zstd);
    zstd = zstd.record(1, None, Some(b"v"));
    assert_eq!(
        produced(&client.call(6, &produce("t", 0, zstd.build(), -1)).await).0,
        76
    );
    let id = TransactionalId(text("tx"));
    let open = BatchBuilder::new().transactional().producer(1, 0, 0);
    let open = open.record(1, None, Some(b"v")).build();
    for id in [None, Some(id)] {
        let transactional = produce("t", 0, open.clone(), -1).with_transactional_id(id);
        assert_eq!(produced(&client.call(9, &transactional).await).0, 53);
    }
    assert_eq!(
        client.produce("t", 0, batch(&["fine"])).await,
        (0, 0),
        "nothing of those was appended"
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_producer_id_is_new_each_time_and_a_transactional_id_is_refused() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let ask = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    let (first, second) = (client.call(4, &ask).await, client.call(4, &ask).await);
    assert_eq!(
        (first.error_code, first.producer_epoch, second.error_code),
        (0, 0, 0)
    );
    assert!(first.producer_id.0 >= 0 && second.producer_id.0 >= 0);
    assert_ne!(first.producer_id, second.producer_id);
    let with_id = |id: &str| ask.clone().with_transactional_id(Some(TransactionalId(text(id))));
    assert_eq!(client.call(4, &with_id("")).await.error_code, 42);
    assert_eq!(client.call(4, &with_id("tx")).await.error_code, 53);
    bench.stop().await;
}

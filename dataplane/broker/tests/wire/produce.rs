//! Produce: order, pipelining, acks, duplicates, errors.

use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::ApiVersionsRequest;

use crate::support::client::{batch, produce, produced, text, topic_name};
use crate::support::{Bench, Setup};

fn api_versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("test"))
        .with_client_software_version(text("1"))
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

//! DescribeCluster 0-2: the brokers of the caller's virtual cluster (KIP-700). There is no controller endpoint.

use std::ops::RangeInclusive;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{ApiKey, BrokerId, DescribeClusterRequest, DescribeClusterResponse};

use super::text;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeCluster;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=2;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return failed(
                ResponseError::MismatchedEndpointType,
                "this is a broker's endpoint",
            );
        }
        _ => return failed(ResponseError::UnsupportedEndpointType, "no such endpoint type"),
    }
    let image = context.serving.image();
    let brokers = context.nodes(&image).into_iter().map(|node| {
        let broker = DescribeClusterBroker::default().with_broker_id(BrokerId(node.id));
        broker.with_host(text(node.host)).with_port(node.port)
    });
    let kafka_id = image
        .cluster(context.cluster())
        .map_or("", |cluster| cluster.kafka_id.as_str());
    let mut response = DescribeClusterResponse::default()
        .with_cluster_id(text(kafka_id))
        .with_controller_id(BrokerId(context.serving.node.0))
        .with_brokers(brokers.collect());
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = context.authorized_cluster(&image);
    }
    response
}

fn failed(error: ResponseError, message: &str) -> DescribeClusterResponse {
    DescribeClusterResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(message)))
        .with_controller_id(BrokerId(-1))
}

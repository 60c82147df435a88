//! ListConfigResources 0-1: the resources that have configs (KIP-1142). Version 0 lists client metrics subscriptions only;
//! there are none.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ApiKey, ListConfigResourcesRequest, ListConfigResourcesResponse};

use super::text;
use crate::serving::config_resources::{BROKER, TOPIC};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::ListConfigResources;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=1;

const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let failed = |error: ResponseError| ListConfigResourcesResponse::default().with_error_code(error.code());
    let image = context.serving.image();
    let authorized = context.authorize_cluster(&image, Operation::DescribeConfigs);
    if authorized.is_err() {
        return failed(ResponseError::ClusterAuthorizationFailed);
    }
    let kinds: BTreeSet<i8> = match (context.version, request.resource_types.is_empty()) {
        (0, _) => BTreeSet::from([CLIENT_METRICS]),
        (_, true) => BTreeSet::from([TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]),
        (_, false) => request.resource_types.into_iter().collect(),
    };
    let mut resources = Vec::new();
    for kind in kinds {
        let resource = |name: &str| {
            ConfigResource::default()
                .with_resource_name(text(name))
                .with_resource_type(kind)
        };
        match kind {
            TOPIC => {
                let topics = image.topics_of(context.cluster());
                resources.extend(topics.map(|topic| resource(&topic.name)));
            }
            BROKER => {
                resources.extend(
                    context
                        .nodes(&image)
                        .iter()
                        .map(|node| resource(&node.id.to_string())),
                );
            }
            // Nothing of these kinds can be configured.
            BROKER_LOGGER | CLIENT_METRICS | GROUP => {}
            _ => return failed(ResponseError::UnsupportedVersion),
        }
    }
    ListConfigResourcesResponse::default().with_config_resources(resources)
}

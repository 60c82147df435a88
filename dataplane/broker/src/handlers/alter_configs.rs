//! AlterConfigs 0-2: replaces all configs of a resource. Kept for old clients; IncrementalAlterConfigs is the one to use.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::topic_config::ConfigAlteration;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse, ApiKey};

use crate::errors::Failure;
use crate::serving::config_resources::{Alteration, Altered, alter};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::AlterConfigs;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=2;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let alterations = request.resources.iter().map(alteration).collect();
    let results = alter(&context, alterations, request.validate_only).await;
    let answer = |altered: Altered| {
        AlterConfigsResourceResponse::default()
            .with_error_code(altered.code)
            .with_error_message(altered.message)
            .with_resource_type(altered.kind)
            .with_resource_name(altered.name)
    };
    AlterConfigsResponse::default().with_responses(results.into_iter().map(answer).collect())
}

fn alteration(resource: &AlterConfigsResource) -> Alteration {
    let mut entries = Vec::with_capacity(resource.configs.len());
    let mut without_value = None;
    for config in &resource.configs {
        if config.value.is_none() {
            without_value = Some(format!("config '{}' has no value", &*config.name));
        }
        entries.push((
            config.name.to_string(),
            config.value.as_ref().map(ToString::to_string),
        ));
    }
    let change = match without_value {
        None => Ok(ConfigAlteration::Replace(entries)),
        Some(message) => Err(Failure::new(ResponseError::InvalidRequest, message)),
    };
    Alteration {
        kind: resource.resource_type,
        name: resource.resource_name.to_string(),
        change,
    }
}

//! IncrementalAlterConfigs 0-1: changes single configs of a resource (KIP-339).

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::topic_config::{ConfigAlteration, ConfigOp, ConfigOpKind};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{ApiKey, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use crate::errors::Failure;
use crate::serving::config_resources::{Alteration, Altered, alter};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::IncrementalAlterConfigs;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=1;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let alterations = request.resources.iter().map(alteration).collect();
    let results = alter(&context, alterations, request.validate_only).await;
    let answer = |altered: Altered| {
        AlterConfigsResourceResponse::default()
            .with_error_code(altered.code)
            .with_error_message(altered.message)
            .with_resource_type(altered.kind)
            .with_resource_name(altered.name)
    };
    IncrementalAlterConfigsResponse::default().with_responses(results.into_iter().map(answer).collect())
}

fn alteration(resource: &AlterConfigsResource) -> Alteration {
    let ops: Result<Vec<_>, _> = resource.configs.iter().map(op).collect();
    Alteration {
        kind: resource.resource_type,
        name: resource.resource_name.to_string(),
        change: ops.map(ConfigAlteration::Incremental),
    }
}

fn op(config: &AlterableConfig) -> Result<ConfigOp, Failure> {
    let kind = match config.config_operation {
        0 => ConfigOpKind::Set,
        1 => ConfigOpKind::Delete,
        2 => ConfigOpKind::Append,
        3 => ConfigOpKind::Subtract,
        other => {
            let unknown = format!("config operation {other} does not exist");
            return Err(Failure::new(ResponseError::InvalidRequest, unknown));
        }
    };
    Ok(ConfigOp {
        key: config.name.to_string(),
        kind,
        value: config.value.as_ref().map(ToString::to_string),
    })
}

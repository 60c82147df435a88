//! DescribeConfigs 1-4: every config of a topic or of the brokers, with default, source and synonyms; types and
//! documentation from 3.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::image::Image;
use firn_catalog::topic_config::{
    ConfigKind, ConfigSource, DescribedConfig, Standing, describe_brokers, describe_topic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{ApiKey, DescribeConfigsRequest, DescribeConfigsResponse};

use super::text;
use crate::errors::Failure;
use crate::serving::config_resources::{BROKER, ConfigResource, find, source_code};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeConfigs;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=4;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let image = context.serving.image();
    let mut told = BTreeSet::new();
    let mut results = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        // Each resource once: an answer is much longer than a question.
        if told.insert((resource.resource_type, resource.resource_name.to_string())) {
            results.push(describe(&context, &image, &request, resource));
        }
    }
    DescribeConfigsResponse::default().with_results(results)
}

fn describe(
    context: &RequestContext,
    image: &Image,
    request: &DescribeConfigsRequest,
    resource: &DescribeConfigsResource,
) -> DescribeConfigsResult {
    let result = DescribeConfigsResult::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone());
    let configs = match configs(context, image, resource) {
        Ok(configs) => configs,
        Err(failure) => {
            return result
                .with_error_code(failure.code())
                .with_error_message(Some(text(failure.message)));
        }
    };
    let wanted = |config: &DescribedConfig| match &resource.configuration_keys {
        Some(keys) if !keys.is_empty() => keys.iter().any(|key| **key == *config.key.name),
        Some(_) | None => true,
    };
    let told = configs.into_iter().filter(wanted).map(|config| {
        tell(
            config,
            resource.resource_type,
            request.include_synonyms,
            request.include_documentation,
        )
    });
    result.with_configs(told.collect())
}

fn configs(
    context: &RequestContext,
    image: &Image,
    resource: &DescribeConfigsResource,
) -> Result<Vec<DescribedConfig>, Failure> {
    let operation = Operation::DescribeConfigs;
    let found = find(
        context,
        image,
        operation,
        resource.resource_type,
        &resource.resource_name,
    )?;
    Ok(context
        .serving
        .with_defaults(image, context.cluster(), |defaults| match found {
            ConfigResource::Topic(topic) => describe_topic(&topic.configs, defaults),
            ConfigResource::Brokers => {
                let mut configs = describe_brokers(defaults);
                if resource.resource_name.is_empty() {
                    // The defaults of all brokers: what the cluster's owner has set.
                    configs.retain(|config| config.source == ConfigSource::Cluster);
                }
                configs
            }
        }))
}

fn tell(
    config: DescribedConfig,
    kind: i8,
    synonyms: bool,
    documentation: bool,
) -> DescribeConfigsResourceResult {
    let mut told = DescribeConfigsResourceResult::default()
        .with_name(text(config.key.name))
        .with_value(config.value.map(text))
        .with_read_only(kind == BROKER && !config.key.dynamic)
        .with_config_source(source_code(config.source))
        .with_config_type(type_code(config.key.kind));
    if synonyms {
        let tell = |synonym: firn_catalog::topic_config::ConfigSynonym| {
            DescribeConfigsSynonym::default()
                .with_name(text(synonym.name))
                .with_value(Some(text(synonym.value)))
                .with_source(source_code(synonym.source))
        };
        told.synonyms = config.synonyms.into_iter().map(tell).collect();
    }
    if documentation {
        let standing = match config.key.standing {
            Standing::Enforced => "",
            Standing::Reported => " Kept and shown; Firn does not act on it.",
        };
        told.documentation = Some(text(format!("{}{standing}", config.key.documentation)));
    }
    told
}

/// Kafka's number of a config's type.
fn type_code(kind: ConfigKind) -> i8 {
    match kind {
        ConfigKind::Boolean => 1,
        ConfigKind::String => 2,
        ConfigKind::Int => 3,
        ConfigKind::Long => 5,
        ConfigKind::Double => 6,
        ConfigKind::List => 7,
    }
}

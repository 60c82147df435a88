//! DescribeAcls 1-3: the bindings of the caller's cluster that a filter is for, by the patterns of their resources.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Acl, Operation, PatternType, ResourceType};
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_acls_response::{AclDescription, DescribeAclsResource};
use kafka_protocol::messages::{ApiKey, DescribeAclsRequest, DescribeAclsResponse};

use super::text;
use crate::errors::Failure;
use crate::serving::acls::{Filter, Wanted};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeAcls;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=3;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeAclsRequest,
) -> DescribeAclsResponse {
    let response = DescribeAclsResponse::default().with_error_message(None);
    match describe(&context, &context.serving.image(), &request) {
        Ok(resources) => response.with_resources(resources),
        Err(failure) => response
            .with_error_code(failure.code())
            .with_error_message(Some(text(failure.message))),
    }
}

fn describe(
    context: &RequestContext,
    image: &Image,
    request: &DescribeAclsRequest,
) -> Result<Vec<DescribeAclsResource>, Failure> {
    context
        .authorize_cluster(image, Operation::Describe)
        .map_err(|denied| denied.failure(ResponseError::ClusterAuthorizationFailed))?;
    let Wanted::These(filter) = Filter::from(request).wanted()? else {
        return Ok(Vec::new());
    };
    let mut found: BTreeMap<_, Vec<&Acl>> = BTreeMap::new();
    let access = image.access(context.cluster());
    for stored in access.iter().flat_map(|access| access.acls()) {
        let acl = &stored.acl;
        if filter.matches(acl) {
            let pattern = (acl.resource_type, acl.pattern_type, acl.resource_name.as_str());
            found.entry(pattern).or_default().push(acl);
        }
    }
    type Pattern<'a> = (ResourceType, PatternType, &'a str);
    let resource = |((resource_type, pattern_type, name), acls): (Pattern<'_>, Vec<&Acl>)| {
        tell(
            DescribeAclsResource::default()
                .with_resource_type(resource_type.number())
                .with_pattern_type(pattern_type.number())
                .with_resource_name(text(name)),
            acls,
        )
    };
    Ok(found.into_iter().map(resource).collect())
}

fn tell(resource: DescribeAclsResource, mut acls: Vec<&Acl>) -> DescribeAclsResource {
    acls.sort();
    let tell = |acl: &Acl| {
        AclDescription::default()
            .with_principal(text(acl.principal.as_str()))
            .with_host(text(acl.host.as_str()))
            .with_operation(acl.operation.number())
            .with_permission_type(acl.permission.number())
    };
    resource.with_acls(acls.into_iter().map(tell).collect())
}

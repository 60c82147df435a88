//! DeleteAcls 1-3: the bindings of the caller's cluster that filters are for, and which those were. A filter that makes no sense is refused
//! for itself. Answered once they are without force on every broker.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, StoredAcl};
use firn_catalog::commands::DeleteAcls;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsMatchingAcl};
use kafka_protocol::messages::{ApiKey, DeleteAclsRequest, DeleteAclsResponse};

use super::text;
use crate::errors::{self, Failure};
use crate::serving::acls::{Filter, Wanted};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DeleteAcls;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=3;

/// What a filter was for, or why it was not looked at.
type Deleted = Result<Vec<StoredAcl>, Failure>;

pub(crate) async fn handle(context: Arc<RequestContext>, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let asked = request.filters.len();
    let results = match delete(&context, &request.filters).await {
        Ok(results) => results,
        Err(failure) => vec![Err(failure); asked],
    };
    DeleteAclsResponse::default().with_filter_results(results.into_iter().map(tell).collect())
}

fn tell(deleted: Deleted) -> DeleteAclsFilterResult {
    let result = DeleteAclsFilterResult::default().with_error_message(None);
    match deleted {
        Ok(acls) => result.with_matching_acls(acls.iter().map(gone).collect()),
        Err(failure) => result
            .with_error_code(failure.code())
            .with_error_message(Some(text(failure.message))),
    }
}

fn gone(stored: &StoredAcl) -> DeleteAclsMatchingAcl {
    let acl = &stored.acl;
    DeleteAclsMatchingAcl::default()
        .with_error_message(None)
        .with_resource_type(acl.resource_type.number())
        .with_resource_name(text(acl.resource_name.as_str()))
        .with_pattern_type(acl.pattern_type.number())
        .with_principal(text(acl.principal.as_str()))
        .with_host(text(acl.host.as_str()))
        .with_operation(acl.operation.number())
        .with_permission_type(acl.permission.number())
}

async fn delete(context: &RequestContext, asked: &[DeleteAclsFilter]) -> Result<Vec<Deleted>, Failure> {
    let denied = ResponseError::ClusterAuthorizationFailed;
    context
        .authorize_cluster(&context.serving.image(), Operation::Alter)
        .map_err(|refused| refused.failure(denied))?;
    let (mut results, mut filters, mut places) = (Vec::with_capacity(asked.len()), Vec::new(), Vec::new());
    for filter in asked {
        results.push(match Filter::from(filter).wanted() {
            Ok(Wanted::These(filter)) => {
                places.push(results.len());
                filters.push(filter);
                Ok(Vec::new())
            }
            Ok(Wanted::Nothing) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        });
    }
    let command = DeleteAcls {
        cluster: context.cluster(),
        filters,
        validate_only: false,
    };
    let deleted = context
        .serving
        .catalog
        .delete_acls(&context.actor(), command)
        .await
        .map_err(|error| errors::of_command(&error, denied))?;
    for (place, acls) in places.into_iter().zip(deleted.value) {
        results[place] = Ok(acls);
    }
    context.serving.in_force_everywhere(deleted.sequence).await;
    Ok(results)
}

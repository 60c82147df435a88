//! CreateAcls 1-3: bindings in the caller's cluster, each made or refused for itself. One that is there already is made again: nothing
//! happens. Answered once they are in force on every broker.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::commands::CreateAcls;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::{ApiKey, CreateAclsRequest, CreateAclsResponse};

use super::text;
use crate::errors::{self, Failure};
use crate::serving::acls::binding;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::CreateAcls;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=3;

pub(crate) async fn handle(context: Arc<RequestContext>, request: CreateAclsRequest) -> CreateAclsResponse {
    let asked = request.creations.len();
    let results = match create(&context, &request.creations).await {
        Ok(results) => results,
        Err(failure) => vec![Err(failure); asked],
    };
    CreateAclsResponse::default().with_results(results.into_iter().map(tell).collect())
}

fn tell(result: Result<(), Failure>) -> AclCreationResult {
    let failure = result.err();
    AclCreationResult::default()
        .with_error_code(failure.as_ref().map_or(errors::NONE, Failure::code))
        .with_error_message(failure.map(|failure| text(failure.message)))
}

/// What became of each, or why none was looked at.
async fn create(
    context: &RequestContext,
    creations: &[AclCreation],
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let denied = ResponseError::ClusterAuthorizationFailed;
    context
        .authorize_cluster(&context.serving.image(), Operation::Alter)
        .map_err(|refused| refused.failure(denied))?;
    let mut acls = Vec::with_capacity(creations.len());
    let mut results = Vec::with_capacity(creations.len());
    let mut places = Vec::with_capacity(creations.len());
    for creation in creations {
        results.push(match binding(creation) {
            Ok(acl) => {
                places.push(results.len());
                acls.push(acl);
                Ok(())
            }
            Err(failure) => Err(failure),
        });
    }
    let command = CreateAcls {
        cluster: context.cluster(),
        acls,
        validate_only: false,
    };
    let created = context
        .serving
        .catalog
        .create_acls(&context.actor(), command)
        .await
        .map_err(|error| errors::of_command(&error, denied))?;
    for (place, created) in places.into_iter().zip(created.value) {
        if let Err(error) = created {
            results[place] = Err(errors::of_command(&error, denied));
        }
    }
    context.serving.in_force_everywhere(created.sequence).await;
    Ok(results)
}

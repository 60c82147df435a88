//! DeleteGroups 0-2: forgets groups without members, and their offsets. Each is answered once.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_coordinator::api::{Answer, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{ApiKey, DeleteGroupsRequest, DeleteGroupsResponse, GroupId};

use crate::errors::{self, NONE};
use crate::serving::groups::{of_each, once};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DeleteGroups;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=2;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let groups = once(request.groups_names).into_iter();
    let results = of_each(groups.map(|group| result(&context, group))).await;
    DeleteGroupsResponse::default().with_results(results)
}

async fn result(context: &RequestContext, group: GroupId) -> DeletableGroupResult {
    let code = match delete(context, &group).await {
        Ok(()) => NONE,
        Err(error) => error.code(),
    };
    DeletableGroupResult::default()
        .with_group_id(group)
        .with_error_code(code)
}

async fn delete(context: &RequestContext, group: &str) -> Result<(), ResponseError> {
    context
        .authorize_group(&context.serving.image(), Operation::Delete, group)
        .map_err(|_| ResponseError::GroupAuthorizationFailed)?;
    let take = |answer| match answer {
        Answer::Delete(deleted) => Some(deleted),
        _ => None,
    };
    let deleted = context.ask(group, Request::Delete, take).await?;
    deleted.map_err(errors::of_group)
}

//! DescribeGroups 0-6: all about groups, each once. From 3 with what the caller may do, from 4 with static ids. A group that
//! there is not is dead up to 5, and an error from 6 (KIP-1043).

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_coordinator::api::{Answer, DescribedMember, Description, GroupError, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{ApiKey, DescribeGroupsRequest, DescribeGroupsResponse, GroupId};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::errors;
use crate::seams::GROUP_OPERATIONS;
use crate::serving::groups::{of_each, once};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeGroups;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=6;
const NOT_FOUND_FROM: i16 = 6;

/// The state of a group that there is not.
const DEAD: &str = "Dead";

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let operations = request.include_authorized_operations;
    let groups = once(request.groups).into_iter();
    let groups = of_each(groups.map(|group| describe(&context, group, operations))).await;
    DescribeGroupsResponse::default().with_groups(groups)
}

async fn describe(context: &RequestContext, group: GroupId, operations: bool) -> DescribedGroup {
    let image = context.serving.image();
    if let Err(denied) = context.authorize_group(&image, Operation::Describe, &group) {
        let message = (context.version >= NOT_FOUND_FROM).then(|| text(denied.message()));
        return DescribedGroup::default()
            .with_error_code(ResponseError::GroupAuthorizationFailed.code())
            .with_error_message(message)
            .with_group_id(group);
    }
    let found = find(context, &group).await;
    let mut described = match found {
        Ok(Some(description)) => tell(description),
        Ok(None) => absent(context.version),
        Err(error) => DescribedGroup::default().with_error_code(error.code()),
    };
    if operations && described.error_code == errors::NONE {
        let resource = ResourceName::Group(&group);
        described.authorized_operations = context.authorized(&image, GROUP_OPERATIONS, resource);
    }
    described.with_group_id(group)
}

async fn find(context: &RequestContext, group: &str) -> Result<Option<Description>, ResponseError> {
    let take = |answer| match answer {
        Answer::Describe(described) => Some(described),
        _ => None,
    };
    match context.ask(group, Request::Describe, take).await? {
        Ok(description) => Ok(Some(description)),
        Err(GroupError::GroupNotFound) => Ok(None),
        Err(error) => Err(errors::of_group(error)),
    }
}

fn absent(version: i16) -> DescribedGroup {
    let dead = DescribedGroup::default().with_group_state(StrBytes::from_static_str(DEAD));
    if version < NOT_FOUND_FROM {
        return dead;
    }
    dead.with_error_code(ResponseError::GroupIdNotFound.code())
        .with_error_message(Some(StrBytes::from_static_str("there is no such group")))
}

fn tell(description: Description) -> DescribedGroup {
    let member = |member: DescribedMember| {
        DescribedGroupMember::default()
            .with_member_id(text(&*member.id))
            .with_group_instance_id(member.instance.map(|instance| text(&*instance)))
            .with_client_id(text(&*member.client_id))
            .with_client_host(text(&*member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    };
    DescribedGroup::default()
        .with_group_state(StrBytes::from_static_str(description.state.name()))
        .with_protocol_type(text(&*description.protocol_type))
        .with_protocol_data(text(&*description.protocol))
        .with_members(description.members.into_iter().map(member).collect())
}

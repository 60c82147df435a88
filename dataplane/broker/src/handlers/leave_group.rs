//! LeaveGroup 0-5: members leave a group: one up to 2, several from 3, by their static ids too (KIP-345).

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_coordinator::api::{Answer, GroupError, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{ApiKey, LeaveGroupRequest, LeaveGroupResponse};

use crate::errors::{self, NONE};
use crate::serving::groups::member;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::LeaveGroup;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=5;
const SEVERAL_FROM: i16 = 3;

pub(crate) async fn handle(context: Arc<RequestContext>, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let several = context.version >= SEVERAL_FROM;
    let members = match several {
        true => request.members,
        false => vec![MemberIdentity::default().with_member_id(request.member_id)],
    };
    let left = match leave(&context, &request.group_id, &members).await {
        Ok(left) => left,
        Err(error) => return LeaveGroupResponse::default().with_error_code(error.code()),
    };
    let mut codes = left.into_iter().map(|left| match left {
        Ok(()) => NONE,
        Err(error) => errors::of_group(error).code(),
    });
    if !several {
        let code = codes.next().unwrap_or(NONE);
        return LeaveGroupResponse::default().with_error_code(code);
    }
    let tell = |(member, code): (MemberIdentity, i16)| {
        MemberResponse::default()
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
            .with_error_code(code)
    };
    LeaveGroupResponse::default().with_members(members.into_iter().zip(codes).map(tell).collect())
}

async fn leave(
    context: &RequestContext,
    group: &str,
    members: &[MemberIdentity],
) -> Result<Vec<Result<(), GroupError>>, ResponseError> {
    context.member_of(group)?;
    let leaving = |who: &MemberIdentity| member(&who.member_id, who.group_instance_id.as_ref());
    let leave = Request::Leave(members.iter().map(leaving).collect());
    let take = |answer| match answer {
        Answer::Leave(left) => Some(left),
        _ => None,
    };
    match context.ask(group, leave, take).await? {
        // In a group that is not there nobody is a member, and each is told so for itself.
        Err(GroupError::UnknownMember) => Ok(vec![Err(GroupError::UnknownMember); members.len()]),
        left => left.map_err(errors::of_group),
    }
}

//! JoinGroup 0-9: a member joins the next generation of a group, and is answered once that has begun.
//!
//! Up to 0 a rebalance waits for a member for its session timeout; from 4 a new member without an id of its own choice first
//! gets one and joins again with it (KIP-394); from 5 members may be static (KIP-345); from 9 the leader may be told to
//! keep the assignment as it is (KIP-814).

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use firn_coordinator::api::{Answer, GroupError, Join, Joined, JoinedMember, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{ApiKey, JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::errors;
use crate::serving::groups::{kept, member};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::JoinGroup;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=9;
const REBALANCE_TIMEOUT_FROM: i16 = 1;
const KNOWN_ID_FROM: i16 = 4;
const NULL_PROTOCOL_FROM: i16 = 7;
const SKIP_ASSIGNMENT_FROM: i16 = 9;

/// Why a member does not join, and the id that it is told.
struct Refusal {
    error: ResponseError,
    member: StrBytes,
}

pub(crate) async fn handle(context: Arc<RequestContext>, request: JoinGroupRequest) -> JoinGroupResponse {
    match join(&context, &request).await {
        Ok(joined) => answer(&context, joined),
        Err(refusal) => {
            let no_protocol = (context.version < NULL_PROTOCOL_FROM).then(StrBytes::new);
            JoinGroupResponse::default()
                .with_error_code(refusal.error.code())
                .with_generation_id(-1)
                .with_protocol_name(no_protocol)
                .with_member_id(refusal.member)
        }
    }
}

async fn join(context: &RequestContext, request: &JoinGroupRequest) -> Result<Joined, Refusal> {
    let refuse = |error| Refusal {
        error,
        member: request.member_id.clone(),
    };
    context.member_of(&request.group_id).map_err(refuse)?;
    let join = Box::new(asked(context, request).map_err(|error| refuse(errors::of_group(error)))?);
    let take = |answer| match answer {
        Answer::Join(joined) => Some(joined),
        _ => None,
    };
    let joined = context.ask(&request.group_id, Request::Join(join), take).await;
    joined.map_err(refuse)?.map_err(|not| Refusal {
        error: errors::of_group(not.error),
        member: text(&*not.member),
    })
}

fn asked(context: &RequestContext, request: &JoinGroupRequest) -> Result<Join, GroupError> {
    let timeout = |ms: i32| {
        let ms = u64::try_from(ms).map_err(|_| GroupError::InvalidSessionTimeout);
        ms.map(Duration::from_millis)
    };
    let session_timeout = timeout(request.session_timeout_ms)?;
    let rebalance_timeout = match context.version {
        ..REBALANCE_TIMEOUT_FROM => session_timeout,
        _ => timeout(request.rebalance_timeout_ms)?,
    };
    let instance = request.group_instance_id.as_ref();
    let protocols = request.protocols.iter();
    Ok(Join {
        member: member(&request.member_id, instance),
        client_id: context.client_id.clone().unwrap_or_default(),
        client_host: format!("/{}", context.identity.address).into(),
        session_timeout,
        rebalance_timeout,
        protocol_type: request.protocol_type.as_str().into(),
        protocols: kept(protocols.map(|protocol| (&protocol.name, &protocol.metadata))),
        known_id_required: context.version >= KNOWN_ID_FROM && instance.is_none(),
        may_skip_assignment: context.version >= SKIP_ASSIGNMENT_FROM,
        unique: context.serving.env.random_u128(),
    })
}

fn answer(context: &RequestContext, joined: Joined) -> JoinGroupResponse {
    let tell = |member: JoinedMember| {
        JoinGroupResponseMember::default()
            .with_member_id(text(&*member.id))
            .with_group_instance_id(member.instance.map(|instance| text(&*instance)))
            .with_metadata(member.metadata)
    };
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(Some(text(&*joined.protocol_type)))
        .with_protocol_name(Some(text(&*joined.protocol)))
        .with_leader(text(&*joined.leader))
        .with_skip_assignment(joined.skip_assignment && context.version >= SKIP_ASSIGNMENT_FROM)
        .with_member_id(text(&*joined.member))
        .with_members(joined.members.into_iter().map(tell).collect())
}

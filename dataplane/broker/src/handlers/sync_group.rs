//! SyncGroup 0-5: the leader gives the members their assignments, and each member gets its own.
//!
//! From 3 members may be static; from 5 a member says in which protocol it believes, and is refused if it does not say.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_coordinator::api::{self, Answer, Request, Synced};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, SyncGroupRequest, SyncGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::errors;
use crate::serving::groups::{kept, member};
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::SyncGroup;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=5;
const PROTOCOL_FROM: i16 = 5;

pub(crate) async fn handle(context: Arc<RequestContext>, request: SyncGroupRequest) -> SyncGroupResponse {
    match sync(&context, &request).await {
        Ok(synced) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(&*synced.protocol_type)))
            .with_protocol_name(Some(text(&*synced.protocol)))
            .with_assignment(synced.assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

async fn sync(context: &RequestContext, request: &SyncGroupRequest) -> Result<Synced, ResponseError> {
    let believed = |name: &Option<StrBytes>| name.as_ref().map(|name| Arc::from(name.as_str()));
    let protocol_type = believed(&request.protocol_type);
    let protocol = believed(&request.protocol_name);
    context.member_of(&request.group_id)?;
    if context.version >= PROTOCOL_FROM && (protocol_type.is_none() || protocol.is_none()) {
        return Err(ResponseError::InconsistentGroupProtocol);
    }
    let assignments = request.assignments.iter();
    let sync = api::Sync {
        member: member(&request.member_id, request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type,
        protocol,
        assignments: kept(assignments.map(|given| (&given.member_id, &given.assignment))),
    };
    let take = |answer| match answer {
        Answer::Sync(synced) => Some(synced),
        _ => None,
    };
    let synced = context.ask(&request.group_id, Request::Sync(sync), take).await?;
    synced.map_err(errors::of_group)
}

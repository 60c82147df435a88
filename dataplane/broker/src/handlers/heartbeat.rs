//! Heartbeat 0-4: a member of a group is alive. While its coordinator loads the group all is well, as in Kafka: there is
//! nothing that the member could do. From 3 members may be static.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_coordinator::api::{Answer, Request};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, HeartbeatRequest, HeartbeatResponse};

use crate::errors::{self, NONE};
use crate::serving::groups::member;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::Heartbeat;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=4;

pub(crate) async fn handle(context: Arc<RequestContext>, request: HeartbeatRequest) -> HeartbeatResponse {
    let code = match beat(&context, &request).await {
        Ok(()) | Err(ResponseError::CoordinatorLoadInProgress) => NONE,
        Err(error) => error.code(),
    };
    HeartbeatResponse::default().with_error_code(code)
}

async fn beat(context: &RequestContext, request: &HeartbeatRequest) -> Result<(), ResponseError> {
    context.member_of(&request.group_id)?;
    let heartbeat = Request::Heartbeat {
        member: member(&request.member_id, request.group_instance_id.as_ref()),
        generation: request.generation_id,
    };
    let take = |answer| match answer {
        Answer::Heartbeat(beat) => Some(beat),
        _ => None,
    };
    let beat = context.ask(&request.group_id, heartbeat, take).await?;
    beat.map_err(errors::of_group)
}

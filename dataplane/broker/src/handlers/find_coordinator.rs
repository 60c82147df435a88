//! FindCoordinator 0-6: which broker coordinates groups. One of them up to 3, several from 4, each answered once.
//!
//! A group without a name has a coordinator too, as in Kafka: consumers without a group's management commit to it. Of
//! transactional ids it is said what InitProducerId says: transactions do not exist yet.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{ApiKey, BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use tracing::warn;

use super::text;
use crate::errors::{Failure, NONE};
use crate::serving::groups::once;
use crate::serving::request::RequestContext;
use crate::serving::topics::Node;

pub(crate) const API: ApiKey = ApiKey::FindCoordinator;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=6;
const SEVERAL_FROM: i16 = 4;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let image = context.serving.image();
    let kind = request.key_type;
    if kind == TRANSACTION {
        warn!(
            request = context.request_id(),
            "a coordinator of transactions: they are not served yet"
        );
    }
    if context.version >= SEVERAL_FROM {
        let keys = once(request.coordinator_keys).into_iter();
        let tell = |key: StrBytes| coordinator(find(&context, &image, kind, &key), key);
        return FindCoordinatorResponse::default().with_coordinators(keys.map(tell).collect());
    }
    let found = find(&context, &image, kind, &request.key);
    let told = coordinator(found, request.key);
    FindCoordinatorResponse::default()
        .with_error_code(told.error_code)
        .with_error_message(told.error_message)
        .with_node_id(told.node_id)
        .with_host(told.host)
        .with_port(told.port)
}

fn coordinator(found: Result<Node, Failure>, key: StrBytes) -> Coordinator {
    let coordinator = Coordinator::default().with_key(key);
    match found {
        Ok(node) => coordinator
            .with_error_code(NONE)
            .with_error_message(None)
            .with_node_id(BrokerId(node.id))
            .with_host(text(node.host))
            .with_port(node.port),
        Err(failure) => coordinator
            .with_error_code(failure.code())
            .with_error_message(Some(text(failure.message)))
            .with_node_id(BrokerId(-1))
            .with_port(-1),
    }
}

fn find(context: &RequestContext, image: &Image, kind: i8, key: &str) -> Result<Node, Failure> {
    match kind {
        GROUP => {
            context
                .authorize_group(image, Operation::Describe, key)
                .map_err(|denied| denied.failure(ResponseError::GroupAuthorizationFailed))?;
            let coordinator = context.serving.groups.coordinator(image, context.cluster(), key);
            let broker = coordinator.and_then(|incarnation| image.broker(incarnation));
            broker.and_then(|broker| context.node(broker)).ok_or_else(|| {
                Failure::new(
                    ResponseError::CoordinatorNotAvailable,
                    "no broker coordinates the group at the moment",
                )
            })
        }
        TRANSACTION => {
            let error = ResponseError::TransactionalIdAuthorizationFailed;
            context
                .authorize(image, Operation::Describe, ResourceName::TransactionalId(key))
                .map_err(|denied| denied.failure(error))?;
            Err(Failure::new(error, "transactions are not served"))
        }
        _ => Err(Failure::new(
            ResponseError::InvalidRequest,
            "coordinators of this kind do not exist",
        )),
    }
}

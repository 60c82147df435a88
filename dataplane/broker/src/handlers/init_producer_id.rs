//! InitProducerId 0-5: a new producer id for an idempotent producer.
//!
//! Without a transactional id every request gets a new random 63-bit id with epoch 0, as in Kafka, whatever id and
//! epoch it names: an idempotent producer raises its own epoch (KIP-360). Transactions do not exist yet: a transactional id
//! is answered 53, which Java and librdkafka both take as fatal at once, where other codes make them retry or ask for a
//! coordinator again. The response has no room for a sentence; the log has one.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, InitProducerIdRequest, InitProducerIdResponse, ProducerId};
use tracing::warn;

use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::InitProducerId;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=5;

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    match decide(&context, &request) {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(0),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}

fn decide(context: &RequestContext, request: &InitProducerIdRequest) -> Result<i64, ResponseError> {
    let image = context.serving.image();
    if let Some(id) = &request.transactional_id {
        let authorized = context.authorize(&image, Operation::Write, ResourceName::TransactionalId(id));
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        if authorized.is_ok() {
            warn!(
                request = context.request_id(),
                "a transactional id: transactions are not served yet"
            );
        }
        return Err(ResponseError::TransactionalIdAuthorizationFailed);
    }
    // Who may write to a topic may do so as an idempotent producer, which is the default of Java's (KIP-679).
    if !context.allows(&image, Operation::Write, ResourceName::AnyTopic) {
        context
            .authorize_cluster(&image, Operation::IdempotentWrite)
            .map_err(|_| ResponseError::ClusterAuthorizationFailed)?;
    }
    if (request.producer_id.0 < 0) != (request.producer_epoch < 0) {
        return Err(ResponseError::InvalidRequest);
    }
    Ok(i64::try_from(context.serving.env.random_u64() >> 1).expect("63 bits"))
}

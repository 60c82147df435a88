//! Answers to internal messages: the correlation id, an error code of Kafka's, and what was asked for, as JSON.

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::access::Permission;
use firn_catalog::commands::{CELL_CLUSTER, Principal};
use firn_catalog::ids::IncarnationId;
use firn_catalog::quota::throttle::{INTERNAL_VERSION, Question, Throttles};
use kafka_protocol::ResponseError;

use super::message::{self, Message};
use super::peer;
use crate::errors::NONE;
use crate::network::{After, Closing, Reply};
use crate::protocol::header::{self, Prelude};
use crate::serving::request::Identity;
use crate::serving::shared::Serving;

const LENGTH: usize = 4;

/// Answers a message of somebody who came through the internal listener.
pub(crate) fn answer(serving: &Serving, identity: &Identity, prelude: &Prelude, body: &[u8]) -> Reply {
    if prelude.version != INTERNAL_VERSION {
        return Reply::close(Closing::Request);
    }
    let answered = match message::decode(body) {
        None => Err(ResponseError::InvalidRequest),
        Some(Message::Question(Question::Throttles)) => throttles(serving, identity),
        Some(Message::Demands(demands)) => match broker(identity) {
            // Who is no broker of this cell, as far as this one knows yet, says it again in a second.
            Some(from) if serving.ledger.hear(from, demands) => Ok(Bytes::new()),
            Some(_) => Err(ResponseError::BrokerIdNotRegistered),
            None => Err(ResponseError::ClusterAuthorizationFailed),
        },
    };
    let (code, body) = match answered {
        Ok(body) => (NONE, body),
        Err(error) => (error.code(), Bytes::new()),
    };
    let mut out = BytesMut::with_capacity(LENGTH + 6 + body.len());
    out.put_bytes(0, LENGTH);
    out.put_i32(prelude.correlation);
    out.put_i16(code);
    out.put(body);
    let total = out.len();
    header::set_length(&mut out, total);
    Reply {
        chunks: vec![out.freeze()],
        after: After::Continue,
    }
}

/// Which broker's the connection is: it is named in what was signed, for the cell's own cluster, in which no tenant is.
fn broker(identity: &Identity) -> Option<IncarnationId> {
    let of_the_cell = identity.cluster == CELL_CLUSTER && identity.on_behalf.is_some();
    match &identity.principal {
        Principal::User(user) if of_the_cell => peer::broker_of(&user.name),
        _ => None,
    }
}

fn throttles(serving: &Serving, identity: &Identity) -> Result<Bytes, ResponseError> {
    let cluster = identity.cluster;
    let sees = match &identity.principal {
        Principal::User(user) => user.cluster == cluster && user.roles.allow(Permission::ViewCluster),
        Principal::Dev { .. } | Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => {
            false
        }
    };
    if !sees || identity.on_behalf.is_none() {
        return Err(ResponseError::ClusterAuthorizationFailed);
    }
    let told = Throttles {
        node: serving.node.0,
        storage_full: serving.storage_limits.is_full(cluster),
        ..serving.ledger.throttles(cluster)
    };
    let json = serde_json::to_vec(&told).map_err(|_| ResponseError::InvalidRequest)?;
    Ok(json.into())
}

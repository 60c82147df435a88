//! Answers to internal messages: the correlation id, an error code of Kafka's, and what was asked for, as JSON.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::access::Permission;
use firn_catalog::commands::{CELL_CLUSTER, Principal};
use firn_catalog::ids::{ClusterId, IncarnationId};
use firn_catalog::internal::{INTERNAL_VERSION, Question};
use firn_catalog::quota::throttle::Throttles;
use kafka_protocol::ResponseError;

use super::message::{self, Message};
use super::{load, peer, positions};
use crate::errors::NONE;
use crate::network::{After, Closing, Reply, Started};
use crate::protocol::header::{self, Prelude};
use crate::serving::request::Identity;
use crate::serving::shared::Serving;

const LENGTH: usize = 4;

/// Answers a message of somebody who came through the internal listener.
pub(crate) fn answer(serving: &Arc<Serving>, identity: &Identity, prelude: &Prelude, body: &[u8]) -> Started {
    if prelude.version != INTERNAL_VERSION {
        return Started::Done(Reply::close(Closing::Request));
    }
    let correlation = prelude.correlation;
    let answered = match message::decode(body) {
        None => Err(ResponseError::InvalidRequest),
        Some(Message::Question(question)) => match sees(identity) {
            Some(cluster) => return told(serving, question, cluster, correlation),
            None => Err(ResponseError::ClusterAuthorizationFailed),
        },
        Some(Message::Positions(asked)) => match (broker(identity), sees(identity)) {
            (Some(_), _) => Ok(positions::of_all(serving, &asked)),
            (None, Some(_)) => Ok(positions::of_cluster(serving, identity, &asked)),
            (None, None) => Err(ResponseError::ClusterAuthorizationFailed),
        },
        Some(Message::Demands(demands)) => match broker(identity) {
            // Who is no broker of this cell, as far as this one knows yet, says it again in a second.
            Some(from) if serving.ledger.hear(from, demands) => Ok(Bytes::new()),
            Some(_) => Err(ResponseError::BrokerIdNotRegistered),
            None => Err(ResponseError::ClusterAuthorizationFailed),
        },
    };
    Started::Done(reply(correlation, answered))
}

/// Answers a question about a cluster.
fn told(serving: &Arc<Serving>, question: Question, cluster: ClusterId, correlation: i32) -> Started {
    let answered = match question {
        Question::Throttles => json(serde_json::to_vec(&Throttles {
            node: serving.node.0,
            storage_full: serving.storage_limits.is_full(cluster),
            ..serving.ledger.throttles(cluster)
        })),
        Question::Connections => json(serde_json::to_vec(&serving.clients.connections(cluster))),
        Question::Load => {
            let serving = Arc::clone(serving);
            return Started::Waiting(Box::pin(async move {
                let load = load::load(&serving, cluster).await;
                reply(correlation, json(serde_json::to_vec(&load)))
            }));
        }
    };
    Started::Done(reply(correlation, answered))
}

fn json(written: serde_json::Result<Vec<u8>>) -> Result<Bytes, ResponseError> {
    written
        .map(Bytes::from)
        .map_err(|_| ResponseError::InvalidRequest)
}

fn reply(correlation: i32, answered: Result<Bytes, ResponseError>) -> Reply {
    let (code, body) = match answered {
        Ok(body) => (NONE, body),
        Err(error) => (error.code(), Bytes::new()),
    };
    let mut out = BytesMut::with_capacity(LENGTH + 6 + body.len());
    out.put_bytes(0, LENGTH);
    out.put_i32(correlation);
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

/// The cluster that somebody asks about: that of the connection, if they may see it.
fn sees(identity: &Identity) -> Option<ClusterId> {
    let cluster = identity.cluster;
    let sees = match &identity.principal {
        Principal::User(user) => user.cluster == cluster && user.roles.allow(Permission::ViewCluster),
        Principal::Dev { .. } | Principal::Cell | Principal::Person(_) | Principal::ServiceAccount(_) => {
            false
        }
    };
    (sees && identity.on_behalf.is_some()).then_some(cluster)
}

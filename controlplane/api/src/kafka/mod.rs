//! The control plane as a Kafka client: what only brokers know is asked of them, on their internal listener, in the name of
//! whoever asked here. So what somebody may see is decided in one place, the broker.
//!
//! | module | what is in it |
//! |---|---|
//! | `budget` | how many bytes of fetched records are in memory at once |
//! | `connection` | one connection, and the handshake that says for whom it is |
//! | `exchange` | requests and answers as frames: Kafka's, and questions that only processes of a cell ask |
//! | `pool` | connections that wait for the next request of the same user to the same broker |
//! | `topics` | what is asked about a topic: offsets and sizes of its partitions, its configs |
//! | `groups` | consumer groups, and where the partitions that they consume begin and end |
//! | `records` | what is in partitions, and appending to them |
//! | `topic_sizes` | how large topics are, of many at once |
//! | `questions` | what each broker knows for itself: whom it throttles, who is connected, how much goes on |

mod budget;
mod connection;
mod exchange;
pub(crate) mod groups;
mod pool;
mod questions;
pub(crate) mod records;
mod topic_sizes;
mod topics;

use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::commands::User;
use firn_catalog::entities::Address;
use kafka_protocol::protocol::Request;

use self::exchange::{Call, Exchange};
pub(crate) use pool::KafkaPool;
pub(crate) use questions::{Told, ask_all};
pub(crate) use topic_sizes::{TopicSize, all_topic_sizes, topic_sizes};
pub(crate) use topics::{KafkaConfig, describe_configs, partition_states};

/// For whom a broker is asked.
#[derive(Clone, Debug)]
pub(crate) struct Delegate {
    /// The user, with the cluster and the roles in it.
    pub(crate) user: Arc<User>,
    /// The REST request.
    pub(crate) request_id: String,
    /// Where that came from: ACLs ask.
    pub(crate) address: Option<IpAddr>,
}

/// Why a broker gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaError {
    /// It cannot be reached, closes the connection, or takes too long.
    #[error("broker {address} does not answer: {cause}")]
    Unreachable {
        /// Where it should be.
        address: Address,
        /// What happened.
        cause: String,
    },
    /// It answers, and refuses.
    #[error("the broker answers with error {0}")]
    Refused(i16),
    /// It answers with more records than there is room for now, beside those that others read.
    #[error("there is no room for the broker's answer now")]
    NoRoom,
    /// It answers something that is no answer to what was asked.
    #[error("the broker's answer makes no sense: {0}")]
    Nonsense(String),
}

impl KafkaPool {
    /// Asks a broker by an API of Kafka's.
    pub(crate) async fn ask<R: Request + Sync>(
        &self,
        broker: &Address,
        delegate: &Delegate,
        version: i16,
        request: &R,
    ) -> Result<R::Response, KafkaError> {
        self.exchange(broker, delegate, &Call { version, request }).await
    }

    /// Asks a broker. A connection that waited in the pool may have been closed meanwhile: then a new one is asked, once.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        broker: &Address,
        delegate: &Delegate,
        asked: &E,
    ) -> Result<E::Answer, KafkaError> {
        if let Some(mut pooled) = self.take(broker, delegate) {
            match pooled.exchange(asked).await {
                Ok(answer) => {
                    self.give(broker, delegate, pooled);
                    return Ok(answer);
                }
                Err(KafkaError::NoRoom) => return Err(KafkaError::NoRoom),
                Err(error) => tracing::debug!(%error, "a pooled connection is gone"),
            }
        }
        let mut fresh = self.connect(broker, delegate).await?;
        let answer = fresh.exchange(asked).await?;
        self.give(broker, delegate, fresh);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;

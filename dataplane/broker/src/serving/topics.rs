//! Names and ids to topics, and where a partition is led. What belongs to another cluster is absent.

use std::sync::Arc;

use firn_catalog::entities::Address;
use firn_catalog::ids::{NodeId, PartitionId, TopicId};
use firn_catalog::image::{Image, ImageBroker, ImageTopic};
use firn_log::partition::Partition;
use kafka_protocol::ResponseError;

use super::authorization::Denied;
use super::request::RequestContext;
use crate::protocol::produce::LeaderHint;

/// A broker as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

/// Why a partition cannot be used here.
#[derive(Clone, Debug)]
pub(crate) struct NotHere {
    pub(crate) error: ResponseError,
    /// Who leads it, if another one does and its address is known.
    pub(crate) leader: Option<LeaderHint>,
    /// That the caller may not use it, if that is why.
    pub(crate) denied: Option<Denied>,
}

impl NotHere {
    /// That the caller may not use the topic.
    pub(crate) fn topic(denied: Denied) -> Self {
        Self {
            denied: Some(denied),
            ..ResponseError::TopicAuthorizationFailed.into()
        }
    }
}

impl From<ResponseError> for NotHere {
    fn from(error: ResponseError) -> Self {
        Self {
            error,
            leader: None,
            denied: None,
        }
    }
}

impl RequestContext {
    /// The topic of that name in the caller's cluster.
    pub(crate) fn topic_by_name<'i>(&self, image: &'i Image, name: &str) -> Option<&'i Arc<ImageTopic>> {
        image.topic_by_name(self.cluster(), name)
    }

    /// The topic of that id, if it is in the caller's cluster.
    pub(crate) fn topic_by_id<'i>(&self, image: &'i Image, id: TopicId) -> Option<&'i Arc<ImageTopic>> {
        image.topic(id).filter(|topic| topic.cluster == self.cluster())
    }

    /// The partition, if this broker leads it.
    pub(crate) fn partition(
        &self,
        image: &Image,
        topic: &ImageTopic,
        index: i32,
    ) -> Result<Arc<Partition>, NotHere> {
        let id = PartitionId {
            topic: topic.id,
            index,
        };
        if let Some(partition) = self.serving.log.partition(id) {
            return Ok(partition);
        }
        if !has_partition(topic, index) {
            return Err(ResponseError::UnknownTopicOrPartition.into());
        }
        Err(NotHere {
            error: ResponseError::NotLeaderOrFollower,
            leader: self.leader(image, topic, index),
            denied: None,
        })
    }

    /// Who leads a partition, as a hint for clients that asked elsewhere.
    pub(crate) fn leader(&self, image: &Image, topic: &ImageTopic, index: i32) -> Option<LeaderHint> {
        let leadership = image.leadership(PartitionId {
            topic: topic.id,
            index,
        })?;
        let node = self.node(image.broker(leadership.owner)?)?;
        Some(LeaderHint {
            node: node.id,
            epoch: leadership.epoch.0,
            host: node.host,
            port: node.port,
        })
    }

    /// A broker as clients see it; `None` before it has said where it is.
    pub(crate) fn node(&self, broker: &ImageBroker) -> Option<Node> {
        let own = broker.node == self.serving.node;
        let address = if own {
            Some(&self.serving.advertised)
        } else {
            broker.address.as_ref()
        }?;
        Some(self.node_at(broker.node, address))
    }

    /// A broker at its advertised address. Who named the cluster in the TLS handshake is told the cluster's own names.
    fn node_at(&self, node: NodeId, address: &Address) -> Node {
        let named = self
            .identity
            .slug
            .as_ref()
            .zip(self.serving.logins.cell_domain.as_ref());
        Node {
            id: node.0,
            host: match named {
                Some((slug, domain)) => format!("{slug}-b{node}.{domain}"),
                None => address.host.clone(),
            },
            port: i32::from(address.port),
        }
    }

    /// The brokers that clients are told of, in order of their ids. This one is always among them.
    pub(crate) fn nodes(&self, image: &Image) -> Vec<Node> {
        let own = self.node_at(self.serving.node, &self.serving.advertised);
        let mut nodes: Vec<Node> = image.brokers().filter_map(|broker| self.node(broker)).collect();
        nodes.push(own);
        nodes.sort_by_key(|node| node.id);
        nodes.dedup_by_key(|node| node.id);
        nodes
    }
}

/// Whether the topic has a partition of that number.
pub(crate) fn has_partition(topic: &ImageTopic, index: i32) -> bool {
    usize::try_from(index).is_ok_and(|index| index < topic.partitions.len())
}

/// Checks the leader epoch that a client believes in (KIP-320): an older one is fenced, a newer one unknown here.
pub(crate) fn check_epoch(partition: &Partition, claimed: i32) -> Result<(), ResponseError> {
    let current = partition.leader_epoch().0;
    match claimed {
        ..0 => Ok(()),
        claimed if claimed < current => Err(ResponseError::FencedLeaderEpoch),
        claimed if claimed > current => Err(ResponseError::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

//! The image: a cell's metadata at one place in the feed, immutable, cheap to fold a change into.
//!
//! Requests take an `Arc<Image>` and answer from it, so that one answer never mixes two states. The maps are
//! persistent trees: folding a change into an image of 100,000 topics copies a path, not the maps. (Copying
//! maps per change would make creating n topics cost n²; a lock around one mutable map would let an answer see two states.)

mod access;
mod credentials;
mod folding;
mod follower;

pub use access::ClusterAccess;
pub use credentials::ScramUser;
pub use follower::ImageFollower;

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use self::credentials::Credentials;
use crate::entities::{Address, Cluster};
use crate::ids::{ClusterId, FeedSequence, IncarnationId, LeaderEpoch, NodeId, TopicId};
use crate::topic_config::ConfigMap;

/// Who leads a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leadership {
    /// The owner.
    pub owner: IncarnationId,
    /// In which leader epoch.
    pub epoch: LeaderEpoch,
}

/// A topic in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageTopic {
    /// Its id.
    pub id: TopicId,
    /// The cluster in which its name means something.
    pub cluster: ClusterId,
    /// Its name.
    pub name: Arc<str>,
    /// Its own overrides.
    pub configs: Arc<ConfigMap>,
    /// When it was created.
    pub created_at: firn_runtime::Timestamp,
    /// Its partitions by number.
    pub partitions: Arc<Vec<Leadership>>,
    /// Whether brokers write the cluster's audit trail to it, and nobody else anything. The image says so, of what it takes in.
    pub audit: bool,
}

/// An open incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageBroker {
    /// Its id.
    pub id: IncarnationId,
    /// Whose life this is.
    pub node: NodeId,
    /// Where clients reach it, once it has said so.
    pub address: Option<Address>,
    /// Where the control plane reaches it, if it has said so.
    pub internal: Option<Address>,
}

/// A cell's metadata at one place in the feed.
#[derive(Clone, Default)]
pub struct Image {
    sequence: FeedSequence,
    /// The last change of a cluster or a credential that is in it; of an image that was loaded, all that it is made of.
    logins_changed: FeedSequence,
    clusters: RedBlackTreeMapSync<ClusterId, Arc<Cluster>>,
    slugs: RedBlackTreeMapSync<String, ClusterId>,
    topics: RedBlackTreeMapSync<TopicId, Arc<ImageTopic>>,
    names: RedBlackTreeMapSync<ClusterId, RedBlackTreeMapSync<Arc<str>, Arc<ImageTopic>>>,
    brokers: RedBlackTreeMapSync<IncarnationId, Arc<ImageBroker>>,
    credentials: Credentials,
    access: RedBlackTreeMapSync<ClusterId, Arc<ClusterAccess>>,
    /// The operator's `allow.everyone.if.no.acl.found`.
    allows_unnamed: bool,
}

impl Image {
    /// The last change that is in it.
    pub fn sequence(&self) -> FeedSequence {
        self.sequence
    }

    /// At which change it last became another for logins: while this is the same, so are the states of clusters and credentials.
    pub fn logins_changed(&self) -> FeedSequence {
        self.logins_changed
    }

    /// Whether everybody in a cluster may do everything to what none of its ACLs names: `allow.everyone.if.no.acl.found`.
    pub(crate) fn allows_unnamed(&self) -> bool {
        self.allows_unnamed
    }

    /// Sets it.
    pub(crate) fn allow_unnamed(&mut self, allow: bool) {
        self.allows_unnamed = allow;
    }

    /// The cluster of that id.
    pub fn cluster(&self, id: ClusterId) -> Option<&Arc<Cluster>> {
        self.clusters.get(&id)
    }

    /// The cluster of that DNS label.
    pub fn cluster_by_slug(&self, slug: &str) -> Option<&Arc<Cluster>> {
        self.slugs.get(slug).and_then(|id| self.clusters.get(id))
    }

    /// All clusters, in id order.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.clusters.values()
    }

    /// The topic of that id, in whichever cluster.
    pub fn topic(&self, id: TopicId) -> Option<&Arc<ImageTopic>> {
        self.topics.get(&id)
    }

    /// The topic of that name in a cluster.
    pub fn topic_by_name(&self, cluster: ClusterId, name: &str) -> Option<&Arc<ImageTopic>> {
        self.names.get(&cluster)?.get(name)
    }

    /// All topics of a cluster, in name order.
    pub fn topics_of(&self, cluster: ClusterId) -> impl Iterator<Item = &Arc<ImageTopic>> {
        self.names
            .get(&cluster)
            .into_iter()
            .flat_map(|names| names.values())
    }

    /// The topics of a cluster whose names are `from` or follow it, in name order.
    pub fn topics_from(&self, cluster: ClusterId, from: &str) -> impl Iterator<Item = &Arc<ImageTopic>> {
        let from: Arc<str> = from.into();
        self.names
            .get(&cluster)
            .into_iter()
            .flat_map(move |names| names.range(from.clone()..))
            .map(|(_, topic)| topic)
    }

    /// How many topics a cluster has.
    pub fn topic_count(&self, cluster: ClusterId) -> usize {
        self.names.get(&cluster).map_or(0, RedBlackTreeMapSync::size)
    }

    /// All topics of the cell, in id order.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<ImageTopic>> {
        self.topics.values()
    }

    /// The open incarnation of that id.
    pub fn broker(&self, id: IncarnationId) -> Option<&Arc<ImageBroker>> {
        self.brokers.get(&id)
    }

    /// All open incarnations, in id order.
    pub fn brokers(&self) -> impl Iterator<Item = &Arc<ImageBroker>> {
        self.brokers.values()
    }

    /// Who leads a partition; `None` if there is no such partition.
    pub fn leadership(&self, partition: crate::ids::PartitionId) -> Option<Leadership> {
        let index = usize::try_from(partition.index).ok()?;
        self.topics.get(&partition.topic)?.partitions.get(index).copied()
    }
}

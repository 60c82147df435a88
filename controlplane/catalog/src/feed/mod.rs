//! The metadata feed: every change of the cell that brokers must see, in commit order.
//!
//! A transaction that changes something takes the cell's single feed head row last and stamps its change
//! `head + 1`; so commit order is feed order, and a poller that has seen a sequence has seen all before it. A plain
//! database sequence would not do: it gives numbers out before the commit, and a poller would skip a late one.
//!
//! An entry holds all that the image needs, so that folding never reads rows, which may be newer than the entry.

use serde::{Deserialize, Serialize};

use crate::cell::IncarnationState;
use crate::commands::CredentialId;
use crate::credential::KafkaCredential;
use crate::entities::{Address, Cluster, Topic};
use crate::ids::{ClusterId, FeedSequence, IncarnationId, NodeId, TopicId};
use crate::topic_config::ConfigMap;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A cluster is new.
    ClusterCreated {
        /// Its row.
        cluster: Cluster,
    },
    /// A cluster's state, limits or version are now these.
    ClusterChanged {
        /// All of its row.
        cluster: Cluster,
    },
    /// A cluster is gone, with its topics and its credentials.
    ClusterRemoved {
        /// Which.
        cluster: ClusterId,
    },
    /// A credential is new, or is now this.
    CredentialPut {
        /// All of it.
        credential: KafkaCredential,
    },
    /// A credential was revoked.
    CredentialRemoved {
        /// Which.
        id: CredentialId,
    },
    /// A cluster's broker configs are now these.
    ClusterConfigsChanged {
        /// Which.
        cluster: ClusterId,
        /// All of them.
        configs: ConfigMap,
    },
    /// A topic is new.
    TopicCreated {
        /// Its row.
        topic: Topic,
        /// Who owns its partitions.
        owners: Assignment,
    },
    /// A topic's configs are now these.
    TopicConfigsChanged {
        /// Which.
        topic: TopicId,
        /// All of them.
        configs: ConfigMap,
    },
    /// A topic has more partitions.
    PartitionsAdded {
        /// Which.
        topic: TopicId,
        /// Who owns the added ones, which follow those that were there.
        owners: Assignment,
    },
    /// A topic is gone.
    TopicDeleted {
        /// Which.
        topic: TopicId,
    },
    /// A broker process began.
    IncarnationOpened {
        /// Which.
        id: IncarnationId,
        /// Whose life this is.
        node: NodeId,
    },
    /// Where clients reach a broker.
    IncarnationAdvertised {
        /// Which.
        id: IncarnationId,
        /// Where.
        address: Address,
        /// Where the control plane reaches it.
        #[serde(default)]
        internal: Option<Address>,
    },
    /// An incarnation is no longer open.
    IncarnationClosed {
        /// Which.
        id: IncarnationId,
        /// What it is now.
        state: IncarnationState,
    },
    /// Every partition that `from` owned belongs to `to`, in the next leader epoch.
    OwnershipMoved {
        /// The sealed one.
        from: IncarnationId,
        /// The heir.
        to: IncarnationId,
    },
}

impl Change {
    /// Whether it is about who may log in: a cluster, or a credential.
    pub(crate) fn is_about_logins(&self) -> bool {
        match self {
            Self::ClusterCreated { .. }
            | Self::ClusterChanged { .. }
            | Self::ClusterRemoved { .. }
            | Self::CredentialPut { .. }
            | Self::CredentialRemoved { .. } => true,
            Self::ClusterConfigsChanged { .. }
            | Self::TopicCreated { .. }
            | Self::TopicConfigsChanged { .. }
            | Self::PartitionsAdded { .. }
            | Self::TopicDeleted { .. }
            | Self::IncarnationOpened { .. }
            | Self::IncarnationAdvertised { .. }
            | Self::IncarnationClosed { .. }
            | Self::OwnershipMoved { .. } => false,
        }
    }
}

/// The owners of consecutive new partitions, each in the first leader epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The owners that occur.
    pub owners: Vec<IncarnationId>,
    /// For each partition the index of its owner.
    pub partitions: Vec<u32>,
}

impl Assignment {
    /// The owner of each partition, in order.
    pub fn iter(&self) -> impl Iterator<Item = IncarnationId> + '_ {
        self.partitions
            .iter()
            .filter_map(|index| self.owners.get(usize::try_from(*index).ok()?).copied())
    }
}

/// A change at its place in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place.
    pub sequence: FeedSequence,
    /// What changed.
    pub change: Change,
}

#[cfg(test)]
mod tests;

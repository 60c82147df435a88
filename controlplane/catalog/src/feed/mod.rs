//! The metadata feed: every change of the cell that brokers must see, in commit order.
//!
//! A transaction that changes something takes the cell's single feed head row last and stamps its change
//! `head + 1`; so commit order is feed order, and a poller that has seen a sequence has seen all before it. A plain
//! database sequence would not do: it gives numbers out before the commit, and a poller would skip a late one.
//!
//! An entry holds all that the image needs, so that folding never reads rows, which may be newer than the entry.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::acl::StoredAcl;
use crate::cell::IncarnationState;
use crate::commands::CredentialId;
use crate::credential::KafkaCredential;
use crate::entities::{Address, Cluster, Topic};
use crate::ids::{
    AclId, CaPoolId, ClusterId, FeedSequence, IdentityProviderId, IncarnationId, NodeId, TopicId,
};
use crate::quota::{QuotaEntity, QuotaValues};
use crate::topic_config::ConfigMap;
use crate::trust::{CaPool, IdentityProvider};

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// ACLs of a cluster came and went.
    AclsChanged {
        /// Of which.
        cluster: ClusterId,
        /// Those that are new.
        added: Vec<StoredAcl>,
        /// Those that are gone.
        removed: Vec<AclId>,
    },
    /// Quotas of a cluster are now these; without any value they are gone.
    QuotasChanged {
        /// Of which.
        cluster: ClusterId,
        /// Whose, and all of them.
        quotas: Vec<(QuotaEntity, QuotaValues)>,
    },
    /// A pool of certificate authorities is new, or is now this.
    CaPoolPut {
        /// All of it.
        pool: CaPool,
    },
    /// A pool of certificate authorities is gone.
    CaPoolRemoved {
        /// Of which cluster.
        cluster: ClusterId,
        /// Which.
        id: CaPoolId,
    },
    /// An identity provider is new, or is now this.
    IdentityProviderPut {
        /// All of it.
        provider: IdentityProvider,
    },
    /// An identity provider is gone.
    IdentityProviderRemoved {
        /// Of which cluster.
        cluster: ClusterId,
        /// Which.
        id: IdentityProviderId,
    },
    /// Kafka clients of a cluster may come from these networks; if there is none, from anywhere.
    ClusterNetworksChanged {
        /// Which.
        cluster: ClusterId,
        /// All of them.
        networks: Vec<IpNet>,
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
    /// Whether it is about who may log in: a cluster, from where, a credential, or whom the cluster trusts.
    pub(crate) fn is_about_logins(&self) -> bool {
        match self {
            Self::ClusterCreated { .. }
            | Self::ClusterChanged { .. }
            | Self::ClusterRemoved { .. }
            | Self::CredentialPut { .. }
            | Self::CredentialRemoved { .. }
            | Self::CaPoolPut { .. }
            | Self::CaPoolRemoved { .. }
            | Self::IdentityProviderPut { .. }
            | Self::IdentityProviderRemoved { .. }
            | Self::ClusterNetworksChanged { .. } => true,
            Self::AclsChanged { .. }
            | Self::QuotasChanged { .. }
            | Self::ClusterConfigsChanged { .. }
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
#[derive(Clone, Debug, PartialEq)]
pub struct FeedEntry {
    /// Its place.
    pub sequence: FeedSequence,
    /// What changed.
    pub change: Change,
}

#[cfg(test)]
mod tests;

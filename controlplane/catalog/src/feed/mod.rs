//! The metadata feed: every change of the cell that brokers must see, in commit order.
//!
//! A transaction that changes something takes the cell's single feed head row last and stamps its change
//! `head + 1`; so commit order is feed order, and a poller that has seen a sequence has seen all before it. A plain
//! database sequence would not do: it gives numbers out before the commit, and a poller would skip a late one.
//!
//! An entry holds all that the image needs, so that folding never reads rows, which may be newer than the entry.

use serde::{Deserialize, Serialize};

use crate::cell::IncarnationState;
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
mod tests {
    use super::*;
    use crate::cell::WalLocation;
    use crate::entities::ClusterLimits;
    use crate::ids::OrganizationId;
    use firn_runtime::Timestamp;

    /// Stored text: what is asserted here may only change with the catalog's format version.
    fn stored<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(value: &T, text: &str) {
        assert_eq!(serde_json::to_string(value).unwrap(), text);
        assert_eq!(&serde_json::from_str::<T>(text).unwrap(), value);
    }

    #[test]
    fn entries_are_stored_as_they_were_in_version_1() {
        let cluster = Cluster {
            id: ClusterId(1),
            slug: "dev".to_owned(),
            kafka_id: "A".repeat(22),
            organization: OrganizationId(2),
            limits: ClusterLimits {
                topics: 3,
                partitions: 4,
            },
            configs: ConfigMap::from([("log.retention.ms".to_owned(), "5".to_owned())]),
        };
        stored(
            &Change::ClusterCreated { cluster },
            "{\"kind\":\"cluster_created\",\"cluster\":{\"id\":\"00000000000000000000000000000001\",\"slug\":\"dev\",\
             \"kafka_id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"organization\":\"00000000000000000000000000000002\",\
             \"limits\":{\"topics\":3,\"partitions\":4},\"configs\":{\"log.retention.ms\":\"5\"}}}",
        );
        let topic = Topic {
            id: TopicId(6),
            cluster: ClusterId(1),
            name: "t".to_owned(),
            partitions: 2,
            configs: ConfigMap::new(),
            created_at: Timestamp(7),
        };
        let owners = Assignment {
            owners: vec![IncarnationId(8)],
            partitions: vec![0, 0],
        };
        stored(
            &Change::TopicCreated { topic, owners },
            "{\"kind\":\"topic_created\",\"topic\":{\"id\":\"00000000000000000000000000000006\",\
             \"cluster\":\"00000000000000000000000000000001\",\"name\":\"t\",\"partitions\":2,\"configs\":{},\
             \"created_at\":7},\"owners\":{\"owners\":[\"00000000000000000000000000000008\"],\"partitions\":[0,0]}}",
        );
        stored(
            &Change::IncarnationClosed {
                id: IncarnationId(9),
                state: IncarnationState::Sealing,
            },
            "{\"kind\":\"incarnation_closed\",\"id\":\"00000000000000000000000000000009\",\"state\":\"sealing\"}",
        );
        stored(&WalLocation::Object, "{\"kind\":\"object\"}");
        stored(
            &WalLocation::Disk {
                volume: "ab".to_owned(),
            },
            "{\"kind\":\"disk\",\"volume\":\"ab\"}",
        );
    }
}

//! Stored text: what is asserted here may only change with the catalog's format version.

use firn_runtime::Timestamp;

use super::*;
use crate::cell::WalLocation;
use crate::entities::ClusterLimits;
use crate::ids::OrganizationId;

/// A line for each kind of change, in the order of the enum.
const GOLDEN: &str = include_str!("../../tests/golden/feed-v1.jsonl");

/// The place of a change among the kinds: whoever adds a kind adds it here, and with it a line to the golden file.
fn place(change: &Change) -> usize {
    match change {
        Change::ClusterCreated { .. } => 0,
        Change::ClusterConfigsChanged { .. } => 1,
        Change::TopicCreated { .. } => 2,
        Change::TopicConfigsChanged { .. } => 3,
        Change::PartitionsAdded { .. } => 4,
        Change::TopicDeleted { .. } => 5,
        Change::IncarnationOpened { .. } => 6,
        Change::IncarnationAdvertised { .. } => 7,
        Change::IncarnationClosed { .. } => 8,
        Change::OwnershipMoved { .. } => 9,
    }
}

fn cluster_changes() -> [Change; 2] {
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
    let configs = cluster.configs.clone();
    [
        Change::ClusterCreated { cluster },
        Change::ClusterConfigsChanged {
            cluster: ClusterId(1),
            configs,
        },
    ]
}

fn topic_changes() -> [Change; 4] {
    let configs = ConfigMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
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
    let more = Assignment {
        owners: vec![IncarnationId(8), IncarnationId(9)],
        partitions: vec![1, 0, 1],
    };
    [
        Change::TopicCreated { topic, owners },
        Change::TopicConfigsChanged {
            topic: TopicId(6),
            configs,
        },
        Change::PartitionsAdded {
            topic: TopicId(6),
            owners: more,
        },
        Change::TopicDeleted { topic: TopicId(6) },
    ]
}

fn incarnation_changes() -> [Change; 4] {
    let address = Address {
        host: "localhost".to_owned(),
        port: 9092,
    };
    [
        Change::IncarnationOpened {
            id: IncarnationId(8),
            node: NodeId(3),
        },
        Change::IncarnationAdvertised {
            id: IncarnationId(8),
            address,
        },
        Change::IncarnationClosed {
            id: IncarnationId(9),
            state: IncarnationState::Sealing,
        },
        Change::OwnershipMoved {
            from: IncarnationId(9),
            to: IncarnationId(8),
        },
    ]
}

#[test]
fn every_kind_of_change_is_stored_as_in_version_1() {
    let changes = [
        &cluster_changes()[..],
        &topic_changes()[..],
        &incarnation_changes()[..],
    ]
    .concat();
    let places: Vec<usize> = changes.iter().map(place).collect();
    assert_eq!(places, (0..changes.len()).collect::<Vec<_>>());
    assert_eq!(GOLDEN.lines().count(), changes.len());
    for (change, line) in changes.iter().zip(GOLDEN.lines()) {
        assert_eq!(serde_json::to_string(change).unwrap(), line);
        assert_eq!(&serde_json::from_str::<Change>(line).unwrap(), change);
    }
}

#[test]
fn states_and_places_of_logs_are_stored_as_in_version_1() {
    for (state, text) in [
        (IncarnationState::Open, "\"open\""),
        (IncarnationState::Sealing, "\"sealing\""),
        (IncarnationState::Sealed, "\"sealed\""),
        (IncarnationState::Drained, "\"drained\""),
    ] {
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
    }
    let volume = "ab".to_owned();
    for (place, text) in [
        (WalLocation::Object, "{\"kind\":\"object\"}"),
        (
            WalLocation::Disk { volume },
            "{\"kind\":\"disk\",\"volume\":\"ab\"}",
        ),
    ] {
        assert_eq!(serde_json::to_string(&place).unwrap(), text);
        assert_eq!(serde_json::from_str::<WalLocation>(text).unwrap(), place);
    }
}

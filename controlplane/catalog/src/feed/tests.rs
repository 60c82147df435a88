//! Stored text: what is asserted here may only change with the catalog's format version.

use std::sync::Arc;

use firn_runtime::Timestamp;

use super::*;
use crate::access::{Role, RoleSet};
use crate::acl::{Acl, Effect, Operation as AclOperation, PatternType, ResourceType};
use crate::cell::WalLocation;
use crate::commands::User;
use crate::credential::Proof;
use crate::entities::{ClusterLimits, ClusterState};
use crate::ids::{OrganizationId, ScramCredentialId, ServiceAccountId};
use crate::quota::{Named, QuotaKey};
use crate::trust::{CaPoolBody, IdentityProviderBody, NameSource, PrincipalMapping};

/// A line for each kind of change, in the order of the enum.
const GOLDEN: &str = include_str!("../../tests/golden/feed-v1.jsonl");

/// The place of a change among the kinds: whoever adds a kind adds it here, and with it a line to the golden file.
fn place(change: &Change) -> usize {
    match change {
        Change::ClusterCreated { .. } => 0,
        Change::ClusterConfigsChanged { .. } => 1,
        Change::ClusterChanged { .. } => 10,
        Change::ClusterRemoved { .. } => 11,
        Change::CredentialPut { .. } => 12,
        Change::CredentialRemoved { .. } => 13,
        Change::AclsChanged { .. } => 14,
        Change::QuotasChanged { .. } => 15,
        Change::CaPoolPut { .. } => 16,
        Change::CaPoolRemoved { .. } => 17,
        Change::IdentityProviderPut { .. } => 18,
        Change::IdentityProviderRemoved { .. } => 19,
        Change::ClusterNetworksChanged { .. } => 20,
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

fn cluster() -> Cluster {
    Cluster {
        id: ClusterId(1),
        slug: "dev".to_owned(),
        kafka_id: "A".repeat(22),
        organization: OrganizationId(2),
        state: ClusterState::Active,
        delete_at: None,
        limits: ClusterLimits {
            topics: 3,
            partitions: 4,
            groups: 5,
            connections: 6,
            storage_bytes: 7,
            ingress: 8,
            egress: 9,
        },
        configs: ConfigMap::from([("log.retention.ms".to_owned(), "5".to_owned())]),
        networks: Vec::new(),
        version: 1,
    }
}

fn access_changes() -> [Change; 7] {
    let cluster = ClusterId(1);
    let both = QuotaEntity::UserClient(Named::Name("u".to_owned()), Named::Default);
    let values = QuotaValues::from([
        (QuotaKey::ProducerByteRate, 1024.0),
        (QuotaKey::RequestPercentage, 12.5),
    ]);
    [
        Change::AclsChanged {
            cluster,
            added: vec![stored_acl()],
            removed: vec![AclId(36)],
        },
        Change::QuotasChanged {
            cluster,
            quotas: vec![
                (both, values),
                (QuotaEntity::Ip(Named::Default), QuotaValues::new()),
            ],
        },
        Change::CaPoolPut { pool: ca_pool() },
        Change::CaPoolRemoved {
            cluster,
            id: CaPoolId(32),
        },
        Change::IdentityProviderPut {
            provider: identity_provider(),
        },
        Change::IdentityProviderRemoved {
            cluster,
            id: IdentityProviderId(34),
        },
        Change::ClusterNetworksChanged {
            cluster,
            networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        },
    ]
}

fn stored_acl() -> StoredAcl {
    StoredAcl {
        id: AclId(30),
        acl: Acl {
            resource_type: ResourceType::TransactionalId,
            pattern_type: PatternType::Prefixed,
            resource_name: "t".to_owned(),
            principal: "User:u".to_owned(),
            host: "*".to_owned(),
            operation: AclOperation::DescribeConfigs,
            permission: Effect::Deny,
        },
        created_at: Timestamp(31),
    }
}

fn ca_pool() -> CaPool {
    CaPool {
        id: CaPoolId(32),
        cluster: ClusterId(1),
        name: "pool".to_owned(),
        body: CaPoolBody {
            certificates: vec!["c".to_owned()],
            revocation_lists: vec!["r".to_owned()],
            mapping: PrincipalMapping {
                source: NameSource::SanUri,
                rules: "DEFAULT".to_owned(),
            },
        },
        version: 1,
        created_at: Timestamp(33),
    }
}

fn identity_provider() -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId(34),
        cluster: ClusterId(1),
        name: "provider".to_owned(),
        body: IdentityProviderBody {
            issuer: "https://i".to_owned(),
            jwks_url: None,
            audiences: vec!["a".to_owned()],
            principal_claim: "sub".to_owned(),
            mapping_rules: "DEFAULT".to_owned(),
            clock_skew_seconds: 30,
        },
        version: 1,
        created_at: Timestamp(35),
    }
}

/// A cluster is suspended or deleted, and goes.
fn cluster_ends() -> [Change; 2] {
    let cluster = Cluster {
        state: ClusterState::Deleting,
        delete_at: Some(Timestamp(9)),
        version: 2,
        ..cluster()
    };
    let gone = Change::ClusterRemoved { cluster: cluster.id };
    [Change::ClusterChanged { cluster }, gone]
}

fn cluster_changes() -> [Change; 2] {
    let cluster = cluster();
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
            internal: None,
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

fn credential_changes() -> [Change; 2] {
    let id = CredentialId::Scram(ScramCredentialId(12));
    let sha256 = r#"{"salt":"c2FsdA==","iterations":4096,"sealed":"ab"}"#;
    let credential = KafkaCredential {
        id,
        cluster: ClusterId(1),
        username: "alice".into(),
        generated: false,
        service_account: Some(ServiceAccountId(13)),
        user: Arc::new(User {
            cluster: ClusterId(1),
            name: "sa".into(),
            roles: RoleSet::NONE.with(Role::Developer),
        }),
        proof: Proof::Scram {
            sha256: serde_json::from_str(sha256).unwrap(),
            sha512: None,
        },
        created_at: Timestamp(14),
        expires_at: Some(Timestamp(15)),
    };
    [
        Change::CredentialPut { credential },
        Change::CredentialRemoved { id },
    ]
}

#[test]
fn every_kind_of_change_is_stored_as_in_version_1() {
    let changes = [
        &cluster_changes()[..],
        &topic_changes()[..],
        &incarnation_changes()[..],
        &cluster_ends()[..],
        &credential_changes()[..],
        &access_changes()[..],
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
fn a_cluster_that_was_stored_before_it_had_a_state_is_active_and_has_the_highest_limits() {
    let old = r#"{"kind":"cluster_created","cluster":{"id":"00000000000000000000000000000001","slug":"dev","kafka_id":"AAAAAAAAAAAAAAAAAAAAAA","organization":"00000000000000000000000000000002","limits":{"topics":3,"partitions":4},"configs":{"log.retention.ms":"5"}}}"#;
    let limits = ClusterLimits {
        topics: 3,
        partitions: 4,
        ..ClusterLimits::HIGHEST
    };
    let cluster = Cluster { limits, ..cluster() };
    assert_eq!(
        serde_json::from_str::<Change>(old).unwrap(),
        Change::ClusterCreated { cluster }
    );
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

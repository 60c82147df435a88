//! What ACLs allow in commands.

use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::Catalog;
use firn_catalog::access::{Role, RoleSet};
use firn_catalog::acl::{Acl, AclFilter, Effect, Operation, PatternType, ResourceType};
use firn_catalog::cell::{LogCatalog, WalLocation};
use firn_catalog::commands::{
    Actor, AlterClusterConfigs, AlterQuotas, AlterTopicConfigs, CommandError, CreateAcls, CreatePartitions,
    DeleteAcls, DeleteTopic, Principal, RemoveIdentityProvider, TopicRef, User,
};
use firn_catalog::ids::{AclId, ClusterId, IdentityProviderId, IncarnationId, NodeId};
use firn_catalog::image::ImageFollower;
use firn_catalog::topic_config::ConfigAlteration;
use firn_runtime::Env;

use super::acls::{allow, create, deleted, made, reads};
use crate::cell::{Cell, NOW, Sql};

fn on_cluster(principal: &str, operation: Operation) -> Acl {
    allow(principal, operation, (ResourceType::Cluster, "kafka-cluster"))
}

/// A user of the cluster.
fn user(sql: &Sql, name: &str, roles: RoleSet) -> Actor {
    let principal = Principal::User(Arc::new(User {
        cluster: sql.cluster,
        name: name.into(),
        roles,
    }));
    Actor::process(principal, "test")
}

pub async fn acls_are_changed_by_those_who_may_alter_the_cluster_alone(cell: &Cell) {
    let sql = cell.sql();
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let try_it = async |actor: &Actor, cluster| {
        let command = CreateAcls {
            cluster,
            ..create(sql, vec![reads("User:x", "x")])
        };
        let created = sql.catalog.create_acls(actor, command).await.map(|_| ());
        let command = DeleteAcls {
            cluster,
            filters: vec![AclFilter::only(&reads("User:x", "x"))],
            validate_only: false,
        };
        let deleted = sql.catalog.delete_acls(actor, command).await.map(|_| ());
        let by_id = sql
            .catalog
            .delete_acls_by_id(actor, cluster, &[AclId(1)], false)
            .await;
        assert_eq!(created, deleted);
        assert_eq!(created, by_id.map(|_| ()));
        created
    };
    let role = |role| RoleSet::NONE.with(role);
    let denied = Err(CommandError::NotAuthorized);
    for refused in [
        RoleSet::NONE,
        role(Role::Operator),
        role(Role::Developer),
        role(Role::Viewer),
    ] {
        assert_eq!(try_it(&user(sql, "alice", refused), sql.cluster).await, denied);
    }
    assert_eq!(
        try_it(&user(sql, "ada", role(Role::Admin)), sql.cluster).await,
        Ok(())
    );
    // Elsewhere, whether there is such a cluster or not.
    assert_eq!(try_it(&sql.actor, ClusterId(77)).await, denied);
    let (_, sequence) = made(sql, vec![on_cluster("User:alice", Operation::Alter)]).await;
    follower.wait_for(sequence.unwrap()).await;
    assert_eq!(
        try_it(&user(sql, "alice", RoleSet::NONE), sql.cluster).await,
        Ok(())
    );
    assert_eq!(
        try_it(&user(sql, "bob", RoleSet::NONE), sql.cluster).await,
        denied
    );
}

async fn opened(sql: &Sql) {
    let (id, node) = (IncarnationId(1), NodeId(0));
    let opened = sql
        .catalog
        .open_incarnation(id, node, WalLocation::Object, NOW)
        .await;
    opened.unwrap();
}

pub async fn commands_obey_acls_and_an_address_counts(cell: &Cell) {
    let sql = cell.sql();
    opened(sql).await;
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let mut from_home = allow("User:alice", Operation::Create, (ResourceType::Topic, "team."));
    from_home.pattern_type = PatternType::Prefixed;
    from_home.host = "10.0.0.1".to_owned();
    let mut secret = allow("User:*", Operation::All, (ResourceType::Topic, "secret"));
    secret.permission = Effect::Deny;
    let (_, sequence) = made(sql, vec![from_home, secret]).await;
    follower.wait_for(sequence.unwrap()).await;
    let from = |address: Option<&str>| Actor {
        address: address.map(|address| address.parse::<IpAddr>().unwrap()),
        ..user(sql, "alice", RoleSet::NONE)
    };
    let try_it = async |actor: &Actor, name: &str| {
        let made = sql.catalog.create_topic(actor, sql.new_topic(name, 1)).await;
        made.map(|_| ())
    };
    let denied = Err(CommandError::NotAuthorized);
    assert_eq!(try_it(&from(Some("10.0.0.2")), "team.a").await, denied);
    assert_eq!(try_it(&from(None), "team.a").await, denied);
    assert_eq!(try_it(&from(Some("::ffff:10.0.0.1")), "team.a").await, Ok(()));
    assert_eq!(try_it(&from(Some("10.0.0.1")), "other").await, denied);
    // A deny takes from a developer, and nothing from an admin.
    let developer = user(sql, "dora", RoleSet::NONE.with(Role::Developer));
    let admin = user(sql, "ada", RoleSet::NONE.with(Role::Admin));
    assert_eq!(try_it(&admin, "secret").await, Ok(()));
    let delete = async |actor: &Actor| {
        let topic = TopicRef::Name("secret".to_owned());
        let cluster = sql.cluster;
        let gone = sql
            .catalog
            .delete_topic(actor, DeleteTopic { cluster, topic })
            .await;
        gone.map(|_| ())
    };
    assert_eq!(delete(&developer).await, denied);
    assert_eq!(delete(&admin).await, Ok(()));
}

/// Tries to create topic `t`, to widen it, to alter its configs and the cluster's and quotas, and to delete it; what went.
async fn tried(sql: &Sql, actor: &Actor) -> [bool; 6] {
    let (catalog, cluster) = (&sql.catalog, sql.cluster);
    let topic = || TopicRef::Name("t".to_owned());
    let widened = CreatePartitions {
        cluster,
        topic: topic(),
        total: 2,
        validate_only: true,
    };
    let altered = AlterTopicConfigs {
        cluster,
        topic: topic(),
        alteration: ConfigAlteration::Replace(vec![]),
        validate_only: true,
    };
    let broker = AlterClusterConfigs {
        cluster,
        alteration: ConfigAlteration::Replace(vec![]),
        validate_only: true,
    };
    let quotas = AlterQuotas {
        cluster,
        alterations: vec![],
        expected: None,
        validate_only: true,
    };
    let deleted = DeleteTopic {
        cluster,
        topic: topic(),
    };
    [
        catalog.create_topic(actor, sql.new_topic("t", 1)).await.is_ok(),
        catalog.create_partitions(actor, widened).await.is_ok(),
        catalog.alter_topic_configs(actor, altered).await.is_ok(),
        catalog.alter_cluster_configs(actor, broker).await.is_ok(),
        catalog.alter_quotas(actor, quotas).await.is_ok(),
        catalog.delete_topic(actor, deleted).await.is_ok(),
    ]
}

pub async fn a_user_with_acls_only_uses_commands_as_far_as_they_go(cell: &Cell) {
    let sql = cell.sql();
    opened(sql).await;
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let alice = user(sql, "alice", RoleSet::NONE);
    assert_eq!(tried(sql, &alice).await, [false; 6]);
    let (user, topic) = ("User:alice", (ResourceType::Topic, "t"));
    // What is granted beside what was granted before, and what goes with all of it.
    let grants = [
        (
            on_cluster(user, Operation::Create),
            [true, false, false, false, false, false],
        ),
        (
            on_cluster(user, Operation::AlterConfigs),
            [false, false, false, true, true, false],
        ),
        (
            allow(user, Operation::Alter, topic),
            [false, true, false, true, true, false],
        ),
        (
            allow(user, Operation::AlterConfigs, topic),
            [false, true, true, true, true, false],
        ),
        (
            allow(user, Operation::Delete, topic),
            [false, true, true, true, true, true],
        ),
        (allow(user, Operation::Create, topic), [true; 6]),
    ];
    for (acl, expected) in grants {
        let (_, sequence) = made(sql, vec![acl.clone()]).await;
        follower.wait_for(sequence.unwrap()).await;
        assert_eq!(tried(sql, &alice).await, expected, "{acl:?}");
        if acl == on_cluster(user, Operation::Create) {
            let (_, sequence) = deleted(sql, vec![AclFilter::only(&acl)]).await;
            follower.wait_for(sequence.unwrap()).await;
        }
    }
}

/// Another process's catalog of the same cell, that follows nothing.
async fn another(sql: &Sql) -> Arc<Catalog> {
    Catalog::open(&sql.url, Env::system()).await.unwrap()
}

pub async fn what_rules_a_cluster_goes_by_bindings_that_another_process_has_just_written(cell: &Cell) {
    let sql = cell.sql();
    let other = another(sql).await;
    let quotas = || AlterQuotas {
        cluster: sql.cluster,
        alterations: vec![],
        expected: None,
        validate_only: true,
    };
    let operator = user(sql, "oz", RoleSet::NONE.with(Role::Operator));
    let alice = user(sql, "alice", RoleSet::NONE);
    assert!(other.alter_quotas(&operator, quotas()).await.is_ok());
    let mut denying = on_cluster("User:oz", Operation::AlterConfigs);
    denying.permission = Effect::Deny;
    let allowing = ["alice", "oz"].map(|name| on_cluster(&format!("User:{name}"), Operation::Alter));
    made(sql, vec![denying, allowing[0].clone(), allowing[1].clone()]).await;
    let refused = other.alter_quotas(&operator, quotas()).await;
    assert_eq!(refused, Err(CommandError::NotAuthorized));
    let acls = || create(sql, vec![reads("User:x", "x")]);
    assert!(other.create_acls(&alice, acls()).await.is_ok());
    deleted(sql, vec![AclFilter::only(&allowing[0])]).await;
    let refused = other.create_acls(&alice, acls()).await;
    assert_eq!(refused, Err(CommandError::NotAuthorized));
}

pub async fn without_the_image_that_it_had_a_process_obeys_super_users_alone(cell: &Cell) {
    let sql = cell.sql();
    let alter = || AlterClusterConfigs {
        cluster: sql.cluster,
        alteration: ConfigAlteration::Replace(vec![]),
        validate_only: true,
    };
    let operator = user(sql, "oz", RoleSet::NONE.with(Role::Operator));
    assert!(
        sql.catalog
            .alter_cluster_configs(&operator, alter())
            .await
            .is_ok()
    );
    let [first, second] = [0, 1].map(|_| ImageFollower::start(Arc::clone(&sql.catalog)));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    for (follower, may) in [(second, true), (first, false)] {
        let mut changes = follower.changes();
        drop(follower);
        while changes.changed().await.is_ok() {}
        let altered = sql.catalog.alter_cluster_configs(&operator, alter()).await;
        assert_eq!(altered.is_ok(), may, "{altered:?}");
    }
    let admin = user(sql, "ada", RoleSet::NONE.with(Role::Admin));
    for actor in [&admin, &sql.actor] {
        assert!(sql.catalog.alter_cluster_configs(actor, alter()).await.is_ok());
    }
}

pub async fn whom_a_cluster_trusts_is_no_matter_of_acls(cell: &Cell) {
    let sql = cell.sql();
    let follower = ImageFollower::start(Arc::clone(&sql.catalog)).await.unwrap();
    let (_, sequence) = made(sql, vec![on_cluster("User:alice", Operation::All)]).await;
    follower.wait_for(sequence.unwrap()).await;
    let try_it = async |roles| {
        let command = RemoveIdentityProvider {
            cluster: sql.cluster,
            id: IdentityProviderId(1),
            expected: None,
            validate_only: true,
        };
        let alice = user(sql, "alice", roles);
        let removed = sql.catalog.remove_identity_provider(&alice, command).await;
        removed.unwrap_err()
    };
    assert_eq!(try_it(RoleSet::NONE).await, CommandError::NotAuthorized);
    assert_eq!(
        try_it(RoleSet::NONE.with(Role::Operator)).await,
        CommandError::NotAuthorized
    );
    assert_ne!(
        try_it(RoleSet::NONE.with(Role::Admin)).await,
        CommandError::NotAuthorized
    );
}

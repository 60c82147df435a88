//! From where a cluster's Kafka clients may come.

use firn_catalog::access::{Role, RoleSet};
use firn_catalog::commands::{Actor, AlterClusterNetworks, CommandError, Principal, User};
use firn_catalog::ids::ClusterId;
use firn_catalog::networks;

use super::number;
use crate::cell::Cell;

fn command(cluster: ClusterId, texts: &[&str]) -> AlterClusterNetworks {
    AlterClusterNetworks {
        cluster,
        networks: networks::parse(texts).unwrap(),
        expected: None,
        validate_only: false,
    }
}

pub async fn networks_of_a_cluster_change_as_a_whole_and_are_told_with_what_they_were(cell: &Cell) {
    let sql = cell.sql();
    let (catalog, cluster) = (&sql.catalog, sql.cluster);
    let first = command(cluster, &["192.0.2.0/24", "2001:db8::/32"]);
    let trial = AlterClusterNetworks {
        validate_only: true,
        ..first.clone()
    };
    let tried = catalog.alter_cluster_networks(&sql.actor, trial).await.unwrap();
    assert_eq!(tried.sequence, None, "a trial changes nothing");
    let stale = AlterClusterNetworks {
        expected: Some(networks::version(&first.networks)),
        ..first.clone()
    };
    let refused = catalog.alter_cluster_networks(&sql.actor, stale.clone()).await;
    let current = networks::version(&[]);
    assert_eq!(refused, Err(CommandError::VersionMismatch { current }));
    let done = catalog
        .alter_cluster_networks(&sql.actor, first.clone())
        .await
        .unwrap();
    assert!(done.sequence.is_some());
    let again = catalog.alter_cluster_networks(&sql.actor, stale).await.unwrap();
    assert_eq!(again.sequence, None, "it is so already");
    let follower = firn_catalog::image::ImageFollower::start(std::sync::Arc::clone(catalog))
        .await
        .unwrap();
    let image = follower.image();
    assert_eq!(image.cluster(cluster).unwrap().networks, first.networks);
    let told = "SELECT count(*) FROM cell_audit WHERE action = 'alter_cluster_networks' AND detail LIKE '%192.0.2.0/24%' \
                AND detail LIKE '%before%'";
    assert_eq!(number(sql, told).await, 1);
}

pub async fn networks_of_a_cluster_are_changed_by_those_who_say_whom_it_trusts_alone(cell: &Cell) {
    let sql = cell.sql();
    for role in [Role::Viewer, Role::Developer, Role::Operator, Role::Billing] {
        let user = User {
            cluster: sql.cluster,
            name: "somebody".into(),
            roles: RoleSet::NONE.with(role),
        };
        let actor = Actor::process(Principal::User(user.into()), "test");
        let refused = sql
            .catalog
            .alter_cluster_networks(&actor, command(sql.cluster, &["192.0.2.1"]))
            .await;
        assert_eq!(refused, Err(CommandError::NotAuthorized), "{role:?}");
    }
    let elsewhere = command(ClusterId(7), &["192.0.2.1"]);
    let refused = sql.catalog.alter_cluster_networks(&sql.actor, elsewhere).await;
    assert_eq!(refused, Err(CommandError::NotAuthorized));
}

//! A cluster's own limits at the broker, and that the broker tells what of the feed it serves.

use std::time::Duration;

use firn_catalog::commands::{Actor, Principal, WantedCluster};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{FeedSequence, OrganizationId};

use crate::support::Bench;
use crate::support::client::{PATIENCE, batch};

const POLICY_VIOLATION: i16 = 44;

/// Gives the clients' cluster these limits, and waits until the broker has them.
async fn limit(bench: &Bench, version: i64, limits: ClusterLimits) -> FeedSequence {
    let wanted = WantedCluster {
        id: bench.cluster,
        slug: "dev".to_owned(),
        organization: OrganizationId(1),
        state: ClusterState::Active,
        delete_at: None,
        limits,
        version,
    };
    let actor = Actor::process(Principal::Cell, "test");
    let sequence = bench.catalog.apply_cluster(&actor, &wanted).await.unwrap();
    assert!(bench.catalog.applied_everywhere(sequence, PATIENCE).await);
    sequence
}

#[tokio::test]
async fn a_cluster_that_is_full_takes_no_records_until_it_may_hold_more() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    assert_eq!(client.produce("t", 0, batch(&["a"])).await, (0, 0));
    let full = ClusterLimits {
        storage_bytes: 10,
        ..ClusterLimits::HIGHEST
    };
    limit(&bench, 2, full).await;
    let until = async |client: &mut crate::support::client::Client, expected: i16| {
        let reached = async {
            while client.produce("t", 0, batch(&["b"])).await.0 != expected {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.is_ok()
    };
    assert!(until(&mut client, POLICY_VIOLATION).await, "it is refused");
    limit(&bench, 3, ClusterLimits::HIGHEST).await;
    assert!(until(&mut client, 0).await, "it is accepted again");
    bench.stop().await;
}

#[tokio::test]
async fn a_clusters_own_limit_of_groups_holds_where_it_is_smaller() {
    let bench = Bench::start().await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let few = ClusterLimits {
        groups: 1,
        ..ClusterLimits::HIGHEST
    };
    limit(&bench, 2, few).await;
    assert_eq!(client.commit("one", "t", 1).await, 0);
    assert_eq!(client.commit("two", "t", 1).await, POLICY_VIOLATION);
    assert_eq!(client.commit("one", "t", 2).await, 0);
    limit(&bench, 3, ClusterLimits::HIGHEST).await;
    assert_eq!(client.commit("two", "t", 1).await, 0);
    bench.stop().await;
}

#[tokio::test]
async fn a_broker_reports_what_it_serves_and_nothing_when_nothing_changes() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    let sequence = bench.images.image().sequence();
    assert!(bench.catalog.applied_everywhere(sequence, PATIENCE).await);
    let never = FeedSequence(sequence.0 + 1);
    assert!(
        !bench
            .catalog
            .applied_everywhere(never, Duration::from_millis(100))
            .await
    );
    bench.stop().await;
}

//! Connections of certificates that come faster than they may.

use firn_catalog::ids::ClusterId;

use super::super::connection_rate::{MANY, assert_held_back, limit};
use super::{Authority, ONE, World, pool, usual};

#[tokio::test]
async fn certificates_beyond_the_rate_of_connections_wait_and_are_closed_if_that_would_not_do() {
    let world = World::new().await;
    let (authority, elsewhere) = (Authority::new("authority"), Authority::new("elsewhere"));
    world.put(pool(ONE, &[&authority])).await;
    world.put(pool(ClusterId(2), &[&elsewhere])).await;
    limit(&world.bench, ONE).await;
    let alice = authority.client("alice", usual);
    let mut first = world.connect("one.cell.test", Some(&alice)).await;
    assert!(first.cluster().await.is_some());
    let mut callers = Vec::new();
    for _ in 0..MANY {
        callers.extend(world.try_connect("one.cell.test", Some(&alice)).await);
    }
    let bob = elsewhere.client("bob", usual);
    assert!(
        world.lets_in("two.cell.test", &bob).await,
        "another cluster has no such quota"
    );
    assert_held_back(callers).await;
    world.bench.stop().await;
}

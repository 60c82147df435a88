//! What 10,000 clusters in one cell cost: makes them in a SQLite catalog and prints the times.
//!
//! `cargo run -p firn-catalog --example ten_thousand_clusters [NUMBER]`

#![allow(clippy::unwrap_used, reason = "an example may panic")]
#![allow(
    clippy::disallowed_methods,
    reason = "it measures, so it takes the real clock"
)]
#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::{Duration, Instant};

use firn_catalog::Catalog;
use firn_catalog::commands::{Actor, Principal, WantedCluster};
use firn_catalog::entities::{ClusterLimits, ClusterState};
use firn_catalog::ids::{ClusterId, OrganizationId};
use firn_catalog::image::ImageFollower;
use firn_runtime::Env;

#[tokio::main]
async fn main() {
    let number: u32 = std::env::args()
        .nth(1)
        .map_or(10_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
    let catalog = Catalog::open(&url, Env::system()).await.unwrap();
    let follower = ImageFollower::start(catalog.clone()).await.unwrap();
    let actor = Actor::process(Principal::Cell, "example");
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    let mut last = None;
    for place in 0..number {
        let one = Instant::now();
        let wanted = WantedCluster {
            id: ClusterId(catalog_id(place)),
            slug: format!("cluster-{place}"),
            organization: OrganizationId(1),
            state: ClusterState::Active,
            delete_at: None,
            limits: ClusterLimits::USUAL,
            version: 1,
        };
        last = Some(catalog.apply_cluster(&actor, &wanted).await.unwrap());
        longest = longest.max(one.elapsed());
    }
    let made = begin.elapsed();
    println!(
        "{number} clusters made in {made:.1?}: {:.2?} each, {longest:.1?} at most",
        made / number
    );
    let begin = Instant::now();
    follower.wait_for(last.unwrap()).await;
    println!("the image that follows had them {:.1?} later", begin.elapsed());
    let begin = Instant::now();
    let image = ImageFollower::start(catalog.clone()).await.unwrap().image();
    println!(
        "an image of {} clusters was loaded in {:.1?}",
        image.clusters().count(),
        begin.elapsed()
    );
    let begin = Instant::now();
    let known = (0..number)
        .filter(|place| image.cluster(ClusterId(catalog_id(*place))).is_some())
        .count();
    println!(
        "{known} of them found by id, {:.2?} each",
        begin.elapsed() / number
    );
    let begin = Instant::now();
    let done = catalog.reconcile_clusters().await.unwrap();
    println!(
        "a reconciliation with nothing to do took {:.1?}: {done:?}",
        begin.elapsed()
    );
}

/// Ids in no order, as random ones are.
fn catalog_id(place: u32) -> u128 {
    (u128::from(place) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

//! Ends the connections that must end, and tells the catalog which credentials were used.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::ids::FeedSequence;
use firn_catalog::image::ImageFollower;
use tokio::time::Instant;
use tracing::debug;

use super::registry::Registry;

/// How often connections are looked at. What is revoked is closed within a second.
const PERIOD: Duration = Duration::from_millis(250);
/// How often the catalog is told of uses, in such periods.
const TELL_EVERY: u32 = 40;

/// Looks for as long as the broker serves.
pub(crate) async fn watch(registry: Arc<Registry>, images: Arc<ImageFollower>) {
    let mut compared = FeedSequence(-1);
    loop {
        tokio::time::sleep(PERIOD).await;
        registry.expire(Instant::now());
        let image = images.image();
        if image.sequence() != compared || registry.has_newcomers() {
            compared = image.sequence();
            registry.compare(&image);
        }
    }
}

/// Tells of uses for as long as the broker serves. What the catalog does not take is forgotten: there will be others.
pub(crate) async fn tell_uses(registry: Arc<Registry>, catalog: Arc<Catalog>) {
    loop {
        tokio::time::sleep(PERIOD * TELL_EVERY).await;
        let used = registry.take_used();
        if used.is_empty() {
            continue;
        }
        if let Err(error) = catalog.note_credential_use(&used).await {
            debug!(%error, "the catalog could not be told which credentials were used");
        }
    }
}

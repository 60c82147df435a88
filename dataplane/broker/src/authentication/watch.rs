//! Ends the connections that must end, and tells the catalog which credentials were used.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::ids::FeedSequence;
use firn_catalog::image::ImageFollower;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::debug;

use super::registry::Registry;

/// How often it is looked at what ends by itself.
const PERIOD: Duration = Duration::from_millis(250);
/// How often the catalog is told of uses, in such periods.
const TELL_EVERY: u32 = 40;

/// Looks for as long as the broker serves, and tells up to where in the feed all connections are as it says: what is to
/// end because of that has been cut off and asks for nothing more. A login that comes meanwhile looks for itself.
pub(crate) async fn watch(
    registry: Arc<Registry>,
    images: Arc<ImageFollower>,
    compared: Sender<FeedSequence>,
) {
    let mut changes = images.changes();
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut logins_of = None;
    loop {
        let image = Arc::clone(&changes.borrow_and_update());
        if logins_of != Some(image.logins_changed()) {
            logins_of = Some(image.logins_changed());
            let mut from = Some(0);
            while let Some(begin) = from {
                from = registry.compare(begin, || images.image()).await;
            }
        }
        compared.send_replace(image.sequence());
        tokio::select! {
            biased;
            _ = ticks.tick() => registry.expire(Instant::now()),
            changed = changes.changed() => if changed.is_err() {
                return;
            },
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

//! Metering: who used how much, in minute rows of the catalog. What the numbers mean is in `docs/metering.md`.
//!
//! | module | what is in it |
//! |---|---|
//! | `counters` | what connections count with: atomics of a principal, found once for each connection |
//! | `book` | the counters by principal, and the rows that are to be written; pure |
//!
//! Counters only ever grow. A row is the difference between two looks at them, so nothing is counted twice or lost between two
//! minutes, whenever the looks come. Rows are written every ten seconds and at the end of the process with all that was counted
//! in their minute so far, so that a repeat changes nothing. A crash loses what came since the last write.

mod book;
mod counters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::commands::{CELL_CLUSTER, Principal};
use firn_catalog::ids::{ClusterId, OrganizationId, PartitionId};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::usage::UsageRow;
use firn_log::engine::Log;
use firn_runtime::Env;
use parking_lot::Mutex;
use tracing::{debug, warn};

use self::book::{Book, Holding};
use self::counters::ConnectionAccount;
use crate::metrics;
use crate::seams::{Account, Meter};

/// How often rows are written, in ms. A minute is a multiple of it.
const PERIOD_MS: i64 = 10_000;
const MINUTE_MS: i64 = 60_000;
/// A timer may fire so much early or the clock be set back so far, in ms, and the minute is still the one that was waited for.
const EARLY_MS: i64 = 500;
/// How many rows are written in one go. What was written is not written again, whatever happens to the rest.
const WRITE_ROWS: usize = 2_000;
/// How long the end of the process waits for the last rows to be written.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// How often old rows are rolled up, in minutes, and how many minutes at a time.
const ROLL_UP_EVERY: i64 = 10;
const ROLL_UP_MINUTES: usize = 30;
/// After how many partitions a look at their sizes lets others run.
const LOOK_PARTITIONS: usize = 1_000;

/// Keeps account in the catalog.
pub(crate) struct Metering {
    env: Env,
    log: Arc<Log>,
    catalog: Arc<Catalog>,
    images: Arc<ImageFollower>,
    book: Mutex<Book>,
}

impl Metering {
    pub(crate) fn new(
        env: Env,
        log: Arc<Log>,
        catalog: Arc<Catalog>,
        images: Arc<ImageFollower>,
    ) -> Arc<Self> {
        let minute = minute_of(env.now().0);
        Arc::new(Self {
            env,
            log,
            catalog,
            images,
            book: Mutex::new(Book::new(minute)),
        })
    }

    /// Writes every ten seconds, for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let now = self.env.now().0;
            let next = ((now + EARLY_MS).div_euclid(PERIOD_MS) + 1) * PERIOD_MS;
            let pause = u64::try_from(next - now).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let minute = minute_of(self.env.now().0);
            let ended = self.look(minute).await;
            self.write().await;
            if ended && minute % ROLL_UP_EVERY == 0 {
                self.roll_up(minute).await;
            }
        }
    }

    /// Writes what has been counted so far: the last that is done, when no connection is left.
    pub(crate) async fn finish(&self) {
        // Partitions count for whoever leads them at the end of a minute: a successor may be it.
        self.book
            .lock()
            .look(minute_of(self.env.now().0), &BTreeMap::new());
        if tokio::time::timeout(LAST_PATIENCE, self.write()).await.is_err() {
            warn!("the last ten seconds of usage could not be written in time");
        }
    }

    /// Looks at the counters. Whether a minute has ended.
    async fn look(&self, minute: i64) -> bool {
        let ends = self.book.lock().minute() < minute;
        let holdings = match ends {
            true => self.holdings().await,
            false => BTreeMap::new(),
        };
        let dropped = self.book.lock().look(minute, &holdings);
        if dropped > 0 {
            metrics::usage_dropped(dropped);
            warn!(
                rows = dropped,
                "the oldest rows of usage are dropped: the catalog has been away for too long"
            );
        }
        ends
    }

    /// What clusters have on this broker: the partitions that it leads, and the bytes of their records.
    async fn holdings(&self) -> BTreeMap<ClusterId, Holding> {
        let image = self.images.image();
        let own = self.log.incarnation();
        let mut holdings: BTreeMap<ClusterId, Holding> = BTreeMap::new();
        let mut looked = 0_usize;
        for topic in image.topics().filter(|topic| topic.cluster != CELL_CLUSTER) {
            for (index, leader) in (0..).zip(topic.partitions.iter()) {
                if leader.owner != own {
                    continue;
                }
                let id = PartitionId {
                    topic: topic.id,
                    index,
                };
                let Some(partition) = self.log.partition(id) else {
                    continue;
                };
                let sizes = partition.sizes();
                let holding = holdings.entry(topic.cluster).or_insert_with(|| Holding {
                    organization: organization(&image, topic.cluster),
                    partitions: 0,
                    bytes: 0,
                });
                holding.partitions += 1;
                // Records that are local and in objects are the same records.
                let bytes = i64::try_from(sizes.local.max(sizes.cold)).unwrap_or(i64::MAX);
                holding.bytes = holding.bytes.saturating_add(bytes);
                looked += 1;
                if looked.is_multiple_of(LOOK_PARTITIONS) {
                    tokio::task::yield_now().await;
                }
            }
        }
        holdings
    }

    /// Writes the rows that say more than what is written. Those that cannot be written wait for the next time.
    async fn write(&self) {
        let rows: Vec<UsageRow> = self.book.lock().due(self.log.incarnation());
        for part in rows.chunks(WRITE_ROWS) {
            if let Err(error) = self.catalog.record_usage(part).await {
                debug!(%error, rows = rows.len(), "usage could not be written; trying again");
                metrics::usage_unwritten();
                return;
            }
            self.book.lock().written(part);
        }
    }

    async fn roll_up(&self, minute: i64) {
        if let Err(error) = self.catalog.roll_up_usage(minute, ROLL_UP_MINUTES).await {
            debug!(%error, "old usage could not be rolled up; trying again later");
        }
    }
}

impl Meter for Metering {
    fn open(&self, cluster: ClusterId, principal: &Principal) -> Arc<dyn Account> {
        let organization = organization(&self.images.image(), cluster);
        let counters = self
            .book
            .lock()
            .counters(organization, cluster, &principal.to_string());
        Arc::new(ConnectionAccount::open(counters))
    }
}

fn minute_of(now_ms: i64) -> i64 {
    (now_ms + EARLY_MS).div_euclid(MINUTE_MS)
}

/// Whose cluster it is; the number 0, which is nobody's, if the image does not know it.
fn organization(image: &Image, cluster: ClusterId) -> OrganizationId {
    image
        .cluster(cluster)
        .map_or(OrganizationId(0), |cluster| cluster.organization)
}

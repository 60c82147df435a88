//! What a connection knows of its quotas, so that a request need not look for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use firn_catalog::commands::Principal;
use firn_catalog::entities::Cluster;
use firn_catalog::ids::{ClusterId, FeedSequence};
use firn_catalog::image::{ClusterAccess, Image};
use firn_catalog::quota::{QuotaEntity, QuotaKey};
use parking_lot::Mutex;

use super::book::Book;
use super::bucket::{Bucket, Nanos, Rate};

/// One connection's memo of whom it is charged to. It holds for one state of its cluster in the image, one principal and one
/// client id.
pub struct Memo {
    pub(super) known: Mutex<Option<Known>>,
    /// Whether the time that requests take is counted.
    timed: AtomicBool,
    /// Nanoseconds that requests took and nobody has been charged for.
    spent: AtomicU64,
    /// How long the request must wait for what it changed, or may not change; in nanoseconds.
    changed: AtomicU64,
    /// Since when its next request is held back, on the ledger's clock; 0: it is not.
    held_since: AtomicI64,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            // Until it is known whether anybody wants to know.
            timed: AtomicBool::new(true),
            spent: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            held_since: AtomicI64::new(0),
        }
    }
}

/// Where the requests of a client are charged.
pub(super) struct Known {
    /// The image as of which it was last found to hold.
    pub(super) at: FeedSequence,
    pub(super) limits: Option<Arc<Cluster>>,
    pub(super) access: Option<Arc<ClusterAccess>>,
    pub(super) cluster: ClusterId,
    pub(super) principal: Principal,
    /// A hash of the client id.
    pub(super) client_id: u64,
    /// The principal's name.
    pub(super) name: Arc<str>,
    pub(super) book: Arc<Book>,
    pub(super) producing: Option<Held>,
    pub(super) consuming: Option<Held>,
    pub(super) requesting: Option<Held>,
    pub(super) changing: Option<Held>,
}

impl Known {
    /// Whether what the image says of the cluster is what it was found by.
    pub(super) fn holds_in(&mut self, image: &Image) -> bool {
        if self.at == image.sequence() {
            return true;
        }
        fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
        }
        let holds = same(self.limits.as_ref(), image.cluster(self.cluster))
            && same(self.access.as_ref(), image.access(self.cluster));
        if holds {
            self.at = image.sequence();
        }
        holds
    }
}

/// A quota that counts for a client, and the bucket that it shares with those who share it.
pub(super) struct Held {
    pub(super) key: QuotaKey,
    pub(super) value: f64,
    pub(super) entity: QuotaEntity,
    pub(super) rate: Rate,
    pub(super) bucket: Arc<Bucket>,
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl Memo {
    /// Whether the time that this connection's requests take is to be told.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed.load(Ordering::Relaxed)
    }

    /// A request was worked on for so long.
    pub(crate) fn spend(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The request must wait for so long.
    pub(super) fn wait_for_change(&self, wait: Duration) {
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.changed.fetch_max(nanos, Ordering::Relaxed);
    }

    /// How long the request must wait for what it changed; the next one does not.
    pub(super) fn take_changed(&self) -> Duration {
        Duration::from_nanos(self.changed.swap(0, Ordering::Relaxed))
    }

    /// The next request is held back as of now; since when.
    pub(super) fn hold_back(&self, now: Nanos) -> Nanos {
        let held = self
            .held_since
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        held.err().unwrap_or(now)
    }

    /// The next request goes on.
    pub(super) fn let_go(&self) {
        self.held_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn time(&self, timed: bool) {
        self.timed.store(timed, Ordering::Relaxed);
        if !timed {
            self.take_spent();
        }
    }

    /// What was spent since the last call, in nanoseconds.
    pub(super) fn take_spent(&self) -> u64 {
        self.spent.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_connections_first_request_is_counted_until_it_is_known_that_nobody_wants_it() {
        let memo = Memo::default();
        assert!(memo.is_timed());
        memo.spend(Duration::from_nanos(7));
        memo.time(true);
        assert_eq!(memo.take_spent(), 7);
        memo.spend(Duration::from_nanos(7));
        memo.time(false);
        assert_eq!((memo.is_timed(), memo.take_spent()), (false, 0));
    }

    #[test]
    fn a_request_is_held_back_since_the_first_time_until_it_is_let_go() {
        let memo = Memo::default();
        assert_eq!((memo.hold_back(5), memo.hold_back(9)), (5, 5));
        memo.let_go();
        assert_eq!(memo.hold_back(9), 9);
    }
}

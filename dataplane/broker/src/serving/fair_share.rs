//! Fair sharing of the way to the log and of the way back, without any quota.
//!
//! What is on its way into the log is written in turns, and a turn takes the longer the more it holds: whoever keeps the log's room
//! full makes all others wait for it. So while clusters share a broker, each has only so much on its way ([`CONTESTED`]), which
//! keeps the turns short; the rest of what it sends stays in its connections until some of it has become durable. A cluster that is
//! alone is bounded by the log's room only. A request beyond its cluster's part waits; it is never refused.
//!
//! Records are read in turns, too: while clusters share a broker, each has a turn for every second thread ([`Share::turn`]), so that
//! one that reads all that there is leaves the others a thread that is free. A turn lasts until the answer is handed over, but not while
//! anything is waited for: neither clients that read slowly nor cold objects keep their cluster from reading.
//!
//! It costs a few atomic operations for each request, and nothing is kept of clusters without connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use firn_catalog::ids::ClusterId;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What one of several clusters has on its way at most, in bytes.
const CONTESTED: usize = 256 << 10;
/// What a request counts for beside its bytes: handling it takes about as long as writing so many.
const REQUEST: usize = 16 << 10;
/// How long a cluster counts as one that shares the broker after its last request.
const RECENT: Duration = Duration::from_secs(1);

/// The clusters that share a broker.
pub(crate) struct FairShares {
    opened: Instant,
    /// Turns that each has at a time.
    turns: usize,
    clusters: Mutex<HashMap<ClusterId, Weak<Share>>>,
    next: AtomicU32,
    /// Two clusters that have sent or got something, and when: the number of the cluster and milliseconds, 32 bits each.
    recent: [AtomicU64; 2],
}

/// One cluster's part.
pub(crate) struct Share {
    all: Arc<FairShares>,
    number: u32,
    on_its_way: AtomicUsize,
    waiting: AtomicUsize,
    freed: Notify,
    turns: Arc<Semaphore>,
}

/// A turn to read records, until it is dropped.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// What a request has on its way, until it is dropped.
pub(crate) struct Hold {
    share: Arc<Share>,
    size: usize,
}

impl FairShares {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            turns: (Handle::current().metrics().num_workers() / 2).max(1),
            clusters: Mutex::default(),
            next: AtomicU32::new(1),
            recent: [AtomicU64::new(0), AtomicU64::new(0)],
        })
    }

    /// The part of a cluster.
    pub(crate) fn of(self: &Arc<Self>, cluster: ClusterId) -> Arc<Share> {
        let mut clusters = self.clusters.lock();
        if let Some(share) = clusters.get(&cluster).and_then(Weak::upgrade) {
            return share;
        }
        clusters.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Share {
            all: Arc::clone(self),
            number: self.next.fetch_add(1, Ordering::Relaxed),
            on_its_way: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
            turns: Arc::new(Semaphore::new(self.turns)),
        });
        clusters.insert(cluster, Arc::downgrade(&share));
        share
    }

    fn millis(&self, now: Instant) -> u32 {
        // From 1 on: 0 is never. It begins anew after seven weeks, when some second is taken for a quiet one.
        u32::try_from(now.saturating_duration_since(self.opened).as_millis() % u128::from(u32::MAX) + 1)
            .unwrap_or(1)
    }
}

fn of(number: u32, millis: u32) -> u64 {
    u64::from(number) << 32 | u64::from(millis)
}

fn parts(recent: u64) -> (u32, u32) {
    ((recent >> 32) as u32, recent as u32)
}

impl Share {
    /// Notes that the cluster sends or gets something.
    pub(crate) fn touch(&self, now: Instant) {
        let own = of(self.number, self.all.millis(now));
        let [first, second] = self
            .all
            .recent
            .each_ref()
            .map(|slot| parts(slot.load(Ordering::Relaxed)));
        let place = match self.number {
            number if number == first.0 => 0,
            number if number == second.0 => 1,
            // Whoever was there for longer without a word makes way.
            _ => usize::from(second.1 < first.1),
        };
        self.all.recent[place].store(own, Ordering::Relaxed);
    }

    /// Whether another cluster has sent or got something lately.
    fn is_contested(&self, now: Instant) -> bool {
        let now = self.all.millis(now);
        self.all.recent.iter().any(|slot| {
            let (number, millis) = parts(slot.load(Ordering::Relaxed));
            let age = Duration::from_millis(u64::from(now.saturating_sub(millis)));
            number != self.number && number != 0 && age < RECENT
        })
    }

    fn has_room(&self) -> bool {
        self.on_its_way.load(Ordering::SeqCst) < CONTESTED || !self.is_contested(Instant::now())
    }

    /// `None`: another request may be started. Else what to wait for.
    pub(crate) fn room(self: &Arc<Self>) -> Option<BoxFuture<'static, ()>> {
        if self.has_room() {
            return None;
        }
        let waiting = Waiting::of(self);
        Some(Box::pin(async move {
            let share = &waiting.0;
            loop {
                let freed = share.freed.notified();
                // Whoever frees some after this look sees that somebody waits.
                if share.has_room() {
                    return;
                }
                freed.await;
            }
        }))
    }

    /// A turn to read records, in the order in which turns were asked for. `None`: the cluster is alone and needs none.
    pub(crate) async fn turn(&self, now: Instant) -> Option<Turn> {
        if !self.is_contested(now) {
            return None;
        }
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        permit.ok().map(|permit| Turn { _permit: permit })
    }

    fn wake_one(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }

    /// A request of so many bytes is on its way from now on.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize, now: Instant) -> Hold {
        self.touch(now);
        let size = bytes + REQUEST;
        let before = self.on_its_way.fetch_add(size, Ordering::SeqCst);
        if before + size < CONTESTED {
            // Room for one more of those who wait: each is woken by one that was let in or has left.
            self.wake_one();
        }
        Hold {
            share: Arc::clone(self),
            size,
        }
    }
}

/// One that waits for room.
struct Waiting(Arc<Share>);

impl Waiting {
    fn of(share: &Arc<Share>) -> Self {
        share.waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(share))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hold {
    /// Whether another cluster has sent something lately.
    pub(crate) fn is_contested(&self) -> bool {
        self.share.is_contested(Instant::now())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.share.on_its_way.fetch_sub(self.size, Ordering::SeqCst);
        self.share.wake_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_is_alone_is_not_bounded() {
        let shares = FairShares::new();
        let share = shares.of(ClusterId(1));
        let _held: Vec<Hold> = (0..100).map(|_| share.hold(1 << 20, Instant::now())).collect();
        assert!(share.room().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn while_clusters_share_a_broker_each_has_its_part_on_its_way_and_the_rest_waits_for_it() {
        let shares = FairShares::new();
        let (greedy, light) = (shares.of(ClusterId(1)), shares.of(ClusterId(2)));
        drop(light.hold(100, Instant::now()));
        let first = greedy.hold(CONTESTED / 2, Instant::now());
        assert!(greedy.room().is_none());
        let second = greedy.hold(CONTESTED / 2, Instant::now());
        let mut waits = greedy.room().expect("its part is on its way");
        assert!((&mut waits).now_or_never().is_none());
        assert!(light.room().is_none(), "the other one does not wait");
        drop(first);
        waits.await;
        drop(second);
        assert!(greedy.room().is_none());
        // The other has been silent for a while.
        let _held: Vec<Hold> = (0..9).map(|_| greedy.hold(CONTESTED, Instant::now())).collect();
        assert!(greedy.room().is_some());
        tokio::time::advance(RECENT).await;
        assert!(greedy.room().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_who_waits_gets_a_turn_though_some_go_away() {
        let shares = FairShares::new();
        let (greedy, light) = (shares.of(ClusterId(1)), shares.of(ClusterId(2)));
        drop(light.hold(100, Instant::now()));
        let held = greedy.hold(CONTESTED, Instant::now());
        let mut waits: Vec<_> = (0..4).map(|_| greedy.room().expect("no room")).collect();
        for waits in &mut waits {
            assert!(waits.now_or_never().is_none());
        }
        drop(held);
        drop(waits.remove(0));
        for waits in waits {
            waits.await;
            drop(greedy.hold(1, Instant::now()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_is_alone_reads_without_turns() {
        let shares = FairShares::new();
        let share = shares.of(ClusterId(1));
        share.touch(Instant::now());
        assert!(share.turn(Instant::now()).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_to_read_are_of_each_cluster_and_come_back_from_those_who_go_away() {
        let shares = FairShares::new();
        let (greedy, light) = (shares.of(ClusterId(1)), shares.of(ClusterId(2)));
        let now = Instant::now();
        greedy.touch(now);
        light.touch(now);
        let first = greedy.turn(now).await.expect("another one is active");
        let mut waits: Vec<_> = (0..3).map(|_| Box::pin(greedy.turn(now))).collect();
        for waits in &mut waits {
            assert!(waits.now_or_never().is_none());
        }
        assert!(light.turn(now).await.is_some(), "the other one does not wait");
        drop(waits.remove(0));
        drop(first);
        let [second, mut third] = <[_; 2]>::try_from(waits).ok().expect("two are left");
        let second = second.await;
        assert!((&mut third).now_or_never().is_none(), "they come in order");
        drop(second);
        assert!(third.await.is_some());
        // The other has been silent for a while.
        tokio::time::advance(RECENT).await;
        assert!(greedy.turn(Instant::now()).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_clusters_without_connections() {
        let shares = FairShares::new();
        for cluster in 0..1_000 {
            drop(shares.of(ClusterId(cluster)));
        }
        assert_eq!(shares.clusters.lock().len(), 1);
    }
}

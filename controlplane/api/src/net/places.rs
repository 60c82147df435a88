//! A bounded number of places for connections, and of those a bounded number for each address.
//!
//! Connections are kept open between requests only in the first half of the places. Who has more of them than that is
//! served, one request to a connection: so those that are merely open never keep a request out. Closing the longest idle
//! one for each newcomer would do it too, but may cut off a request that is on its way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::network_of;

/// All places.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// How many `all` has.
    count: usize,
    /// How many an address may hold; of an IPv6 one the first 64 bits count.
    share: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// One that is taken, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    network: Option<IpAddr>,
    _place: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(all: usize, share: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            count: all,
            share,
            held: Mutex::default(),
        }
    }

    /// A place, if there is one; `None` for an address that counts for many clients, such as a proxy's.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let place = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let network = address.map(network_of);
        if let Some(network) = network {
            let mut held = self.held.lock();
            let held = held.entry(network).or_default();
            if *held >= self.share {
                return None;
            }
            *held += 1;
        }
        Some(Place {
            places: Arc::clone(self),
            network,
            _place: place,
        })
    }

    /// Waits until nobody holds any of so many places.
    pub(crate) async fn all_free(&self, all: u32) {
        drop(self.all.acquire_many(all).await);
    }
}

impl Place {
    /// Whether half of all places are taken, or half of what its address may have: the connection should end with its
    /// answer.
    pub(crate) fn is_crowded(&self) -> bool {
        let places = &self.places;
        let taken = places.count - places.all.available_permits();
        let held = |network| places.held.lock().get(&network).copied().unwrap_or_default();
        taken * 2 > places.count
            || self
                .network
                .is_some_and(|network| held(network) * 2 > places.share)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut held = self.places.held.lock();
        if let Some(count) = held.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                held.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others() {
        let places = Arc::new(Places::new(8, 3));
        let take = |address: &str| places.take(Some(address.parse().unwrap()));
        let mut mine: Vec<_> = (0..3).map(|_| take("10.0.0.1").unwrap()).collect();
        assert!(take("10.0.0.1").is_none());
        let theirs = (take("2001:db8::1"), take("2001:db8::2"), take("2001:db8::3"));
        assert!(theirs.2.is_some() && take("2001:db8::4").is_none());
        mine.pop();
        assert!(take("10.0.0.1").is_some(), "a place that was given back");
        drop((mine, theirs));
        assert!(places.held.lock().is_empty());
    }

    #[test]
    fn half_of_the_places_are_for_connections_that_stay() {
        let places = Arc::new(Places::new(8, 4));
        let take = |address: &str| places.take(Some(address.parse().unwrap())).unwrap();
        let first = take("10.0.0.1");
        let second = take("10.0.0.1");
        assert!(!first.is_crowded() && !second.is_crowded());
        let third = take("10.0.0.1");
        assert!(first.is_crowded() && third.is_crowded());
        let other = take("10.0.0.2");
        assert!(!other.is_crowded(), "another address has its own share");
        let last = take("10.0.0.3");
        assert!(last.is_crowded() && other.is_crowded(), "five of eight");
        drop((third, last));
        assert!(!first.is_crowded() && !other.is_crowded());
    }

    #[test]
    fn who_speaks_for_many_has_the_room_of_all_and_no_more() {
        let places = Arc::new(Places::new(8, 3));
        let taken: Vec<_> = (0..8).filter_map(|_| places.take(None)).collect();
        assert_eq!(taken.len(), 8);
        assert!(places.take(None).is_none());
    }
}

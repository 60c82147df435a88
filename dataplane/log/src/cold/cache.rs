//! A cache bounded by bytes, and reads of the same thing that wait for one another instead of being repeated.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

/// Values by key; the least recently used go when the bytes exceed the bound.
pub(super) struct Cache<K, V> {
    state: Mutex<State<K, V>>,
    bound: u64,
}

struct State<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    /// Keys by when they were last used.
    uses: BTreeMap<u64, K>,
    clock: u64,
    bytes: u64,
}

struct Entry<V> {
    value: V,
    bytes: u64,
    used: u64,
}

impl<K: Ord + Clone, V: Clone> Cache<K, V> {
    pub fn new(bound: u64) -> Self {
        let state = State {
            entries: BTreeMap::new(),
            uses: BTreeMap::new(),
            clock: 0,
            bytes: 0,
        };
        Self {
            state: Mutex::new(state),
            bound,
        }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.clock += 1;
        let entry = state.entries.get_mut(key)?;
        state.uses.remove(&entry.used);
        entry.used = state.clock;
        state.uses.insert(state.clock, key.clone());
        Some(entry.value.clone())
    }

    /// Keeps a value; one that is larger than the whole cache is not kept.
    pub fn put(&self, key: K, value: V, bytes: u64) {
        if bytes > self.bound {
            return;
        }
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.remove(&key);
        state.clock += 1;
        let used = state.clock;
        state.bytes += bytes;
        state.uses.insert(used, key.clone());
        state.entries.insert(key, Entry { value, bytes, used });
        while state.bytes > self.bound {
            let Some((_, oldest)) = state.uses.first_key_value() else {
                break;
            };
            let oldest = oldest.clone();
            state.remove(&oldest);
        }
    }

    #[cfg(test)]
    fn bytes(&self) -> u64 {
        self.state.lock().bytes
    }
}

impl<K: Ord, V> State<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.uses.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

/// From how many entries on those are looked for whose waiters have all gone away.
const SWEPT_AT: usize = 1024;

/// Work under way, by what it will give.
pub(super) struct Flights<K, T>(Mutex<BTreeMap<K, WeakFlight<T>>>);

type WeakFlight<T> = WeakShared<BoxFuture<'static, T>>;

impl<K: Ord + Clone, T: Clone> Flights<K, T> {
    pub fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The answer of the work for `key` that is under way, or of `start()` if there is none. If everyone who waits
    /// goes away, the work stops.
    pub async fn join(&self, key: K, start: impl FnOnce() -> BoxFuture<'static, T>) -> T {
        let flight: Shared<_> = {
            let mut flights = self.0.lock();
            match flights.get(&key).and_then(WeakShared::upgrade) {
                Some(flight) => flight,
                None => {
                    if flights.len() >= SWEPT_AT {
                        flights.retain(|_, flight| flight.upgrade().is_some());
                    }
                    let flight = start().shared();
                    if let Some(weak) = flight.downgrade() {
                        flights.insert(key.clone(), weak);
                    }
                    flight
                }
            }
        };
        let answer = flight.await;
        let mut flights = self.0.lock();
        // Another one for the same key may have started since; it stays.
        if flights
            .get(&key)
            .is_some_and(|flight| flight.upgrade().is_none_or(|f| f.peek().is_some()))
        {
            flights.remove(&key);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_least_recently_used_goes_first_and_the_bound_holds() {
        let cache = Cache::new(100);
        cache.put(1, 'a', 40);
        cache.put(2, 'b', 40);
        assert_eq!(cache.get(&1), Some('a'));
        cache.put(3, 'c', 40);
        assert_eq!(
            (cache.get(&1), cache.get(&2), cache.get(&3)),
            (Some('a'), None, Some('c'))
        );
        cache.put(4, 'd', 101);
        assert_eq!((cache.get(&4), cache.bytes()), (None, 80));
        cache.put(1, 'e', 10);
        assert_eq!((cache.get(&1), cache.bytes()), (Some('e'), 50));
    }

    #[tokio::test]
    async fn the_same_read_is_done_once_for_all_who_wait() {
        let flights = Flights::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let work = || {
            let runs = Arc::clone(&runs);
            async move {
                tokio::task::yield_now().await;
                runs.fetch_add(1, Ordering::Relaxed)
            }
            .boxed()
        };
        let both = futures::join!(flights.join(7, work), flights.join(7, work));
        assert_eq!(both, (0, 0));
        assert_eq!(flights.join(7, work).await, 1);
    }
}

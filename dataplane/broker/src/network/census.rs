//! Which connections are open, by client address, and which of them are strangers: clients that have yet to say who they
//! are. Strangers are few, so that no silent host takes the places of others: the oldest one goes when there are too many.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::cut::Cut;
use super::{Closing, Limits};
use crate::metrics;

/// The open connections of one listener. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Census(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    total: usize,
    by_address: BTreeMap<IpAddr, OfAddress>,
    /// By the number of the connection, so the oldest first.
    strangers: BTreeMap<u64, Stranger>,
}

#[derive(Default)]
struct OfAddress {
    total: usize,
    strangers: BTreeSet<u64>,
}

struct Stranger {
    address: IpAddr,
    cut: Cut,
}

/// A connection's place in the census; given back on drop.
pub(crate) struct Place {
    census: Census,
    connection: u64,
    address: IpAddr,
    cut: Cut,
    most: MostStrangers,
}

/// How many strangers there may be.
#[derive(Clone, Copy)]
struct MostStrangers {
    total: usize,
    per_address: usize,
}

impl Census {
    /// A place for a connection that is not a stranger yet; `None`: there is none.
    pub(crate) fn place(&self, connection: u64, address: IpAddr, cut: Cut, limits: &Limits) -> Option<Place> {
        let mut locked = self.0.lock();
        let counts = &mut *locked;
        let total = counts.total;
        let of_address = counts.by_address.entry(address).or_default();
        if total >= limits.connections || of_address.total >= limits.connections_per_ip {
            if of_address.total == 0 {
                counts.by_address.remove(&address);
            }
            return None;
        }
        of_address.total += 1;
        counts.total += 1;
        metrics::connection_opened();
        Some(Place {
            census: self.clone(),
            connection,
            address,
            cut,
            most: MostStrangers {
                total: limits.strangers(),
                per_address: limits.strangers_per_ip(),
            },
        })
    }
}

impl Counts {
    fn forget(&mut self, connection: u64) {
        if let Some(stranger) = self.strangers.remove(&connection)
            && let Some(of_address) = self.by_address.get_mut(&stranger.address)
        {
            of_address.strangers.remove(&connection);
        }
    }

    fn cut(&mut self, connection: u64) {
        if let Some(stranger) = self.strangers.get(&connection) {
            stranger.cut.cut(Closing::Crowded);
        }
        self.forget(connection);
    }
}

impl Place {
    /// The client has yet to say who it is. If it is one too many, the oldest of those ends: of its address, or of all.
    pub(crate) fn stranger(&self) {
        let mut locked = self.census.0.lock();
        let counts = &mut *locked;
        let stranger = Stranger {
            address: self.address,
            cut: self.cut.clone(),
        };
        counts.strangers.insert(self.connection, stranger);
        let of_address = counts.by_address.entry(self.address).or_default();
        of_address.strangers.insert(self.connection);
        if of_address.strangers.len() > self.most.per_address
            && let Some(oldest) = of_address.strangers.first().copied()
        {
            counts.cut(oldest);
        }
        if counts.strangers.len() > self.most.total
            && let Some((oldest, _)) = counts.strangers.first_key_value()
        {
            let oldest = *oldest;
            counts.cut(oldest);
        }
    }

    /// The client is somebody.
    pub(crate) fn known(&self) {
        self.census.0.lock().forget(self.connection);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.census.0.lock();
        counts.forget(self.connection);
        counts.total -= 1;
        if let Some(of_address) = counts.by_address.get_mut(&self.address) {
            of_address.total -= 1;
            if of_address.total == 0 {
                counts.by_address.remove(&self.address);
            }
        }
        metrics::connection_closed();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;

    /// A census in which connections are numbered as they come.
    struct Hall {
        census: Census,
        limits: Limits,
        last: u64,
    }

    impl Hall {
        fn new(connections: usize, connections_per_ip: usize) -> Self {
            Self {
                census: Census::default(),
                limits: Limits {
                    connections,
                    connections_per_ip,
                    ..Limits::default()
                },
                last: 0,
            }
        }

        fn enter(&mut self, address: [u8; 4]) -> Option<(Place, Cut)> {
            self.last += 1;
            let cut = Cut::new(&CancellationToken::new());
            let place = self
                .census
                .place(self.last, address.into(), cut.clone(), &self.limits)?;
            Some((place, cut))
        }

        fn stranger(&mut self, address: [u8; 4]) -> (Place, Cut) {
            let (place, cut) = self.enter(address).unwrap();
            place.stranger();
            (place, cut)
        }
    }

    async fn is_cut(cut: &Cut) -> bool {
        let ended = tokio::time::timeout(Duration::ZERO, cut.ended()).await;
        assert!(ended.is_err() || ended == Ok(Closing::Crowded));
        ended.is_ok()
    }

    #[tokio::test]
    async fn the_oldest_stranger_goes_when_there_are_more_than_a_quarter() {
        let mut hall = Hall::new(8, 8);
        let first = hall.stranger([10, 0, 0, 1]);
        let second = hall.stranger([10, 0, 0, 2]);
        first.0.known();
        let third = hall.stranger([10, 0, 0, 1]);
        assert!(!is_cut(&second.1).await);
        let fourth = hall.stranger([10, 0, 0, 3]);
        assert!(is_cut(&second.1).await, "the oldest one");
        first.0.stranger();
        assert!(is_cut(&first.1).await, "it is the oldest again");
        for (_, cut) in [&third, &fourth] {
            assert!(!is_cut(cut).await);
        }
        drop((first, second, third, fourth));
        let counts = hall.census.0.lock();
        assert!(counts.total == 0 && counts.by_address.is_empty() && counts.strangers.is_empty());
    }

    #[tokio::test]
    async fn a_host_with_many_strangers_hurts_none_but_itself() {
        let mut hall = Hall::new(100, 4);
        let honest = hall.stranger([10, 0, 0, 1]);
        let mut silent: Vec<_> = (0..4).map(|_| hall.stranger([10, 0, 0, 2])).collect();
        assert!(
            hall.enter([10, 0, 0, 2]).is_none(),
            "it has all the places that it may"
        );
        silent.remove(0);
        silent.push(hall.stranger([10, 0, 0, 2]));
        assert!(!is_cut(&honest.1).await);
        let many = Hall::new(20_000, 20_000);
        assert_eq!(
            (many.limits.strangers(), many.limits.strangers_per_ip()),
            (5_000, 1_000)
        );
    }

    #[tokio::test]
    async fn beyond_a_thousand_of_one_address_its_oldest_stranger_goes() {
        let mut hall = Hall::new(20_000, 20_000);
        let strangers: Vec<_> = (0..1_001).map(|_| hall.stranger([10, 0, 0, 2])).collect();
        assert!(is_cut(&strangers[0].1).await);
        assert!(!is_cut(&strangers[1].1).await);
        assert!(!is_cut(&hall.stranger([10, 0, 0, 3]).1).await);
    }

    #[tokio::test]
    async fn whoever_is_known_takes_no_place_of_a_stranger() {
        let mut hall = Hall::new(20_000, 20_000);
        let known: Vec<_> = (0..10_000).map(|_| hall.enter([127, 0, 0, 1]).unwrap()).collect();
        assert!(!is_cut(&known[0].1).await);
        assert_eq!(hall.census.0.lock().total, 10_000);
    }
}

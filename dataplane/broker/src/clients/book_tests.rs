//! Connections that come, work and go.

use super::*;
use crate::seams::Usage;
use kafka_protocol::messages::ApiKey;

const CLUSTER: ClusterId = ClusterId(7);
const OTHER: ClusterId = ClusterId(8);

fn client(tally: &Arc<Tally>) -> Client {
    Client {
        principal: "User:a".into(),
        credential: None,
        mechanism: "PLAIN",
        address: IpAddr::from([127, 0, 0, 1]),
        tls: false,
        tally: Arc::clone(tally),
    }
}

fn tally(now: i64) -> Arc<Tally> {
    Arc::new(Tally::new(Instant::now(), Timestamp(now)))
}

fn produce(tally: &Tally, bytes: usize) {
    let usage = Usage {
        api: ApiKey::Produce,
        request_bytes: bytes,
        produced_bytes: bytes,
        fetched_bytes: 0,
        response_bytes: 10,
    };
    tally.answered(&usage, Instant::now());
}

fn numbers(book: &Book, now: i64) -> Vec<(u64, Option<i64>)> {
    let seen = book.seen(CLUSTER, Timestamp(now)).0;
    seen.iter()
        .map(|seen| (seen.connection, seen.closed.map(|at| at.0)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn those_that_went_are_told_of_for_ten_minutes_after_those_that_are_there() {
    let mut book = Book::default();
    for number in 1..=3 {
        book.came(CLUSTER, number, client(&tally(0)), Instant::now());
    }
    book.went(CLUSTER, 2, Timestamp(100), true);
    assert_eq!(numbers(&book, 200), [(3, None), (1, None), (2, Some(100))]);
    assert!(book.seen(OTHER, Timestamp(200)).0.is_empty());
    let late = 100 + 600_000;
    assert_eq!(numbers(&book, late), [(3, None), (1, None)]);
    book.expire(Timestamp(late));
    assert!(book.closed.is_empty() && book.clusters[&CLUSTER].closed.is_empty());
    // One that is somebody else from now on leaves nothing behind.
    book.went(CLUSTER, 3, Timestamp(late), false);
    assert_eq!(numbers(&book, late), [(1, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_keeps_a_hundred_that_went_and_all_together_have_a_bound() {
    let mut book = Book::default();
    let shared = tally(0);
    let come_and_go = |book: &mut Book, cluster, number| {
        book.came(cluster, number, client(&shared), Instant::now());
        book.went(cluster, number, Timestamp(1), true);
    };
    for number in 1..=150 {
        come_and_go(&mut book, CLUSTER, number);
    }
    let (seen, incomplete) = book.seen(CLUSTER, Timestamp(2));
    assert_eq!(
        (seen.len(), seen[0].connection, incomplete),
        (CLOSED_OF_CLUSTER, 150, true)
    );
    assert_eq!(book.closed.len(), CLOSED_OF_CLUSTER);
    for number in 0..CLOSED_IN_ALL as u64 {
        come_and_go(&mut book, ClusterId(100 + u128::from(number) / 90), number);
    }
    assert_eq!(book.closed.len(), CLOSED_IN_ALL);
    assert!(
        book.seen(CLUSTER, Timestamp(2)).0.is_empty(),
        "the oldest went first"
    );
    let kept: usize = book.clusters.values().map(|of| of.closed.len()).sum();
    assert_eq!(kept, CLOSED_IN_ALL);
}

#[tokio::test(start_paused = true)]
async fn rates_are_of_the_last_seconds_and_go_on_when_a_connection_goes() {
    let mut book = Book::default();
    let shared = tally(0);
    book.came(CLUSTER, 1, client(&shared), Instant::now());
    produce(&shared, 500);
    let at = Instant::now();
    assert_eq!(
        book.rates(CLUSTER, at).0.produced_bytes,
        500.0,
        "over a second at least"
    );
    book.went(CLUSTER, 1, Timestamp(0), true);
    for _ in 0..5 {
        tokio::time::advance(Duration::from_secs(2)).await;
        book.sample(CLUSTER, Instant::now());
    }
    let (rates, open) = book.rates(CLUSTER, Instant::now());
    assert_eq!((rates.produced_bytes, rates.requests, open), (50.0, 0.1, 0));
    tokio::time::advance(Duration::from_secs(2)).await;
    book.sample(CLUSTER, Instant::now());
    assert_eq!(book.rates(CLUSTER, Instant::now()).0, Rates::default());
    assert_eq!(book.rates(OTHER, at), (Rates::default(), 0));
}

#[tokio::test(start_paused = true)]
async fn the_firsts_outlive_the_connections_and_end_with_the_cluster() {
    let mut book = Book::default();
    assert_eq!(book.firsts(CLUSTER), Firsts::default());
    let (first, second) = (tally(1_000), tally(5_000));
    book.came(CLUSTER, 1, client(&first), Instant::now());
    book.came(CLUSTER, 2, client(&second), Instant::now());
    let connection = Some(Timestamp(1_000));
    assert_eq!(
        book.firsts(CLUSTER),
        Firsts {
            connection,
            record: None
        }
    );
    produce(&second, 10);
    let record = Some(Timestamp(5_000));
    assert_eq!(book.firsts(CLUSTER), Firsts { connection, record });
    book.went(CLUSTER, 1, Timestamp(6_000), true);
    book.went(CLUSTER, 2, Timestamp(6_000), true);
    book.expire(Timestamp(900_000));
    book.sample(CLUSTER, Instant::now());
    assert!(book.clusters.is_empty(), "there is nothing to tell of it");
    assert_eq!(book.firsts(CLUSTER), Firsts { connection, record });
    book.retain(|cluster| cluster != CLUSTER);
    assert_eq!(book.firsts(CLUSTER), Firsts::default());
}

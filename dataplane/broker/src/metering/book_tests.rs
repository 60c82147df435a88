//! Minutes, one after the other.

use super::*;
use crate::metering::counters::ConnectionAccount;
use crate::seams::{Account, Usage};
use kafka_protocol::messages::ApiKey;

const CLUSTER: ClusterId = ClusterId(7);
const ORGANIZATION: OrganizationId = OrganizationId(3);
const SELF: IncarnationId = IncarnationId(1);

fn none() -> BTreeMap<ClusterId, Holding> {
    BTreeMap::new()
}

fn connect(book: &mut Book, principal: &str) -> ConnectionAccount {
    ConnectionAccount::open(book.counters(ORGANIZATION, CLUSTER, principal))
}

fn request(account: &ConnectionAccount, request_bytes: usize, produced_bytes: usize) {
    account.record(&Usage {
        api: ApiKey::Produce,
        request_bytes,
        produced_bytes,
        fetched_bytes: 0,
        response_bytes: 30,
    });
}

/// Minute, principal, bytes in, requests, peak of what is due, which is written then.
fn written(book: &mut Book) -> Vec<(i64, String, i64, i64, i64)> {
    let due = book.due(SELF);
    book.written(&due);
    let short = |row: UsageRow| {
        let amounts = row.amounts;
        (
            row.minute,
            row.principal,
            amounts.bytes_in,
            amounts.requests,
            amounts.connections_peak,
        )
    };
    due.into_iter().map(short).collect()
}

#[test]
fn a_row_has_all_of_its_minute_and_the_next_begins_at_nothing() {
    let mut book = Book::new(100);
    let account = connect(&mut book, "User:a");
    request(&account, 96, 50);
    book.look(100, &none());
    assert_eq!(written(&mut book), [(100, "User:a".into(), 100, 1, 1)]);
    assert!(book.due(SELF).is_empty(), "it is written, and nothing came");
    request(&account, 196, 150);
    book.look(101, &none());
    let rows = book.due(SELF);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (
            rows[0].minute,
            rows[0].amounts.bytes_in,
            rows[0].amounts.produced_bytes
        ),
        (100, 300, 200)
    );
    assert_eq!(rows[0].amounts.bytes_out, 60);
    book.written(&rows);
    request(&account, 6, 0);
    book.look(101, &none());
    assert_eq!(written(&mut book), [(101, "User:a".into(), 10, 1, 1)]);
}

#[test]
fn what_could_not_be_written_waits_and_is_written_whole() {
    let mut book = Book::new(100);
    let account = connect(&mut book, "User:a");
    for minute in 101..=103 {
        request(&account, 6, 0);
        book.look(minute, &none());
    }
    let minutes: Vec<_> = written(&mut book).iter().map(|row| (row.0, row.2)).collect();
    assert_eq!(minutes, [(100, 10), (101, 10), (102, 10)]);
}

#[test]
fn a_row_that_grew_while_it_was_written_is_written_again() {
    let mut book = Book::new(100);
    let account = connect(&mut book, "User:a");
    request(&account, 6, 0);
    book.look(100, &none());
    let under_way = book.due(SELF);
    request(&account, 6, 0);
    book.look(100, &none());
    book.written(&under_way);
    assert_eq!(written(&mut book), [(100, "User:a".into(), 20, 2, 1)]);
}

#[test]
fn a_clock_that_is_set_back_moves_nothing_to_an_earlier_minute() {
    let mut book = Book::new(100);
    let account = connect(&mut book, "User:a");
    request(&account, 6, 0);
    book.look(40, &none());
    assert_eq!(written(&mut book)[0].0, 100);
    assert_eq!(book.minute(), 100);
}

#[test]
fn the_peak_of_connections_is_of_its_minute() {
    let mut book = Book::new(100);
    let stays = connect(&mut book, "User:a");
    drop((connect(&mut book, "User:a"), connect(&mut book, "User:a")));
    book.look(101, &none());
    assert_eq!(written(&mut book), [(100, "User:a".into(), 0, 0, 3)]);
    book.look(102, &none());
    assert_eq!(written(&mut book), [(101, "User:a".into(), 0, 0, 1)]);
    drop(stays);
    book.look(103, &none());
    book.look(104, &none());
    assert_eq!(written(&mut book), [(102, "User:a".into(), 0, 0, 1)]);
    assert!(book.open.is_empty(), "who has no connection takes no room");
}

#[test]
fn principals_and_clusters_have_rows_of_their_own() {
    let mut book = Book::new(100);
    let (a, b) = (connect(&mut book, "User:a"), connect(&mut book, "User:b"));
    request(&a, 6, 0);
    request(&b, 16, 0);
    let holding = Holding {
        organization: ORGANIZATION,
        partitions: 4,
        bytes: 1000,
    };
    book.look(101, &BTreeMap::from([(CLUSTER, holding)]));
    let rows = book.due(SELF);
    let of = |principal: &str| {
        rows.iter()
            .find(|row| row.principal == principal)
            .unwrap()
            .amounts
    };
    assert_eq!((of("User:a").bytes_in, of("User:b").bytes_in), (10, 20));
    assert_eq!((of("").storage_byte_minutes, of("").partition_minutes), (1000, 4));
    assert_eq!(rows.len(), 3);
}

#[test]
fn only_what_is_too_old_or_too_much_is_dropped() {
    let mut book = Book::new(100);
    book.most_rows = 3;
    let account = connect(&mut book, "User:a");
    for minute in 101..=103 {
        request(&account, 6, 0);
        assert_eq!(book.look(minute, &none()), 0);
    }
    request(&account, 6, 0);
    assert_eq!(book.look(104, &none()), 1);
    assert_eq!(book.due(SELF)[0].minute, 101);
    assert_eq!(book.look(102 + LATEST_MINUTES, &none()), 1, "101 is too old");
}

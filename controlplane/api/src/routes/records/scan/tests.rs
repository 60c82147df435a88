//! What a search makes of what is fetched.

use bytes::Bytes;

use super::*;
use crate::kafka::records::{NewRecord, batch};

fn positions(ends: &[Option<i64>]) -> Positions {
    let span = |(partition, end): (i32, &Option<i64>)| Span {
        partition,
        position: 0,
        end: *end,
    };
    Positions((0..).zip(ends).map(span).collect())
}

/// A chunk of one batch, with records of these timestamps from offset 0 on.
fn chunk(partition: i32, timestamps: &[i64]) -> Chunk {
    let record = |timestamp: &i64| NewRecord {
        value: Some(Bytes::from(timestamp.to_string())),
        timestamp: *timestamp,
        ..NewRecord::default()
    };
    let records: Vec<_> = timestamps.iter().map(record).collect();
    Chunk {
        partition,
        error: 0,
        end: i64::try_from(records.len()).unwrap(),
        aborted: Vec::new(),
        records: match records.is_empty() {
            true => Bytes::new(),
            false => batch(&records),
        },
    }
}

fn scan(ends: &[Option<i64>], items: usize, filter: Option<&str>) -> Scan {
    let limits = Limits { items, shown: 100 };
    let filter = filter.map(|text| Filter::parse(text).unwrap());
    Scan::new(positions(ends), filter, limits)
}

fn timestamps(scan: &Scan) -> Vec<i64> {
    scan.found.iter().map(|shown| shown.timestamp).collect()
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn records_of_several_partitions_come_by_time_and_a_page_knows_where_to_go_on() {
    let mut scan = scan(&[Some(3), Some(2)], 3, None);
    scan.take_in(vec![chunk(0, &[10, 30, 50])], later());
    scan.look(later());
    assert!(
        scan.found.is_empty(),
        "nobody knows yet whether partition 1 has older ones"
    );
    assert_eq!(scan.wanted(), [(1, 0)]);
    scan.take_in(vec![chunk(1, &[20, 40])], later());
    scan.look(later());
    assert_eq!(timestamps(&scan), [10, 20, 30]);
    let next = scan.next().unwrap().0;
    assert_eq!((next[0].position, next[1].position), (2, 1));
}

#[test]
fn what_is_behind_the_end_is_left_out_and_less_than_was_promised_is_the_end() {
    let mut scan = scan(&[Some(2), Some(9)], 10, None);
    scan.take_in(vec![chunk(0, &[1, 2, 3]), chunk(1, &[])], later());
    scan.look(later());
    assert_eq!(timestamps(&scan), [1, 2]);
    assert!(scan.next().is_none() && scan.wanted().is_empty());
}

#[test]
fn a_filter_is_asked_of_every_record_and_a_tail_waits_at_the_end() {
    let mut scan = scan(&[None], 10, Some("offset == 1 && value == \"2\""));
    scan.take_in(vec![chunk(0, &[1, 2, 3])], later());
    scan.look(later());
    assert_eq!((timestamps(&scan), scan.scanned().0), (vec![2], 3));
    assert!(scan.wanted().is_empty() && scan.parts[0].caught_up);
    assert_eq!(scan.next().unwrap().0[0].position, 3);
}

#[test]
fn a_search_that_takes_too_long_stops_behind_a_record() {
    let mut scan = scan(&[Some(3)], 10, None);
    scan.take_in(vec![chunk(0, &[1, 2, 3])], later());
    scan.look(Instant::now());
    assert_eq!((scan.found.len(), scan.next().unwrap().0[0].position), (1, 1));
}

#[test]
fn a_search_that_waits_for_one_partition_comes_further_when_its_time_is_up() {
    let mut scan = scan(&[Some(2), Some(2), Some(5)], 10, None);
    scan.take_in(vec![chunk(0, &[1, 2]), chunk(1, &[3, 4])], later());
    scan.look(later());
    assert!(scan.found.is_empty(), "partition 2 may have older ones");
    scan.look_anyhow(later());
    assert_eq!(timestamps(&scan), [1, 2, 3, 4]);
    let next = scan.next().unwrap().0;
    let positions: Vec<_> = next.iter().map(|span| span.position).collect();
    assert_eq!(positions, [2, 2, 0]);
}

#[test]
fn of_many_partitions_no_more_is_taken_in_than_there_is_room_for() {
    let large = |partition: i32| {
        let record = NewRecord {
            value: Some(vec![0; 1 << 20].into()),
            ..NewRecord::default()
        };
        Chunk {
            records: batch(&vec![record; 8]),
            end: 8,
            ..chunk(partition, &[])
        }
    };
    let mut scan = scan(&[Some(8); 20], 200, None);
    scan.take_in((0..20).map(large).collect(), later());
    assert!(scan.kept() < KEPT + (2 << 20), "{}", scan.kept());
    assert!(scan.wanted().contains(&(19, 0)), "it is fetched again");
    let queued = scan.parts.iter().filter(|part| !part.queue.is_empty());
    assert!(queued.count() >= 5);
    // With no room left they are looked at, and there is room again.
    scan.look(later());
    assert!(!scan.found.is_empty());
}

#[test]
fn when_time_is_up_the_first_chunk_is_taken_in_and_the_others_are_fetched_again() {
    let mut scan = scan(&[Some(1), Some(1)], 10, None);
    scan.take_in(vec![chunk(0, &[1]), chunk(1, &[2])], Instant::now());
    assert_eq!(scan.wanted(), [(1, 0)]);
}

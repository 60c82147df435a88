//! All cases, in the order in which they run.

use super::case::{ALL, ALL_WITH_FLOOR, Case, FIRN, FIRN_OBJECT, KAFKA_AND_FIRN, Sending, WITH_FLOOR, Work};
use crate::load::Pace;

/// What Kafka's producer keeps in flight on a connection unless told otherwise.
const IN_FLIGHT: usize = 5;
const FULL_SPEED: Pace = Pace::FullSpeed { in_flight: IN_FLIGHT };
/// Bytes of a record's value, but for the small ones.
const VALUE: usize = 1024;

/// What is sent unless a case says otherwise: 64 KiB batches to 8 partitions over 4 connections.
const USUAL: Sending = Sending {
    batch: 64 << 10,
    value: VALUE,
    partitions: 8,
    connections: 4,
    pace: FULL_SPEED,
};

fn rate(megabytes: u32) -> Pace {
    Pace::Rate {
        bytes: f64::from(megabytes) * 1e6,
    }
}

/// All cases.
pub fn catalogue() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(produce(4 << 10, "4k", "Produce, 4 KiB batches"));
    cases.extend(produce(64 << 10, "64k", "Produce, 64 KiB batches"));
    cases.extend(produce(1 << 20, "1m", "Produce, 1 MiB batches"));
    cases.extend(small());
    cases.extend(acknowledgements());
    cases.extend(tails());
    cases.extend(catch_up());
    cases.extend(connections());
    cases.extend(groups());
    cases.push(Case {
        id: "partitions-10000".to_owned(),
        title: "10,000 partitions in 10 topics".to_owned(),
        group: "Many partitions",
        kinds: KAFKA_AND_FIRN,
        work: Work::Partitions {
            topics: 10,
            each: 1_000,
        },
    });
    cases.extend(object_log());
    cases
}

fn produce(batch: usize, size: &str, group: &'static str) -> Vec<Case> {
    let mut cases = Vec::new();
    for partitions in [1, 8, 1_000] {
        for connections in [1, 4, 100] {
            let usual = partitions == USUAL.partitions && connections == USUAL.connections;
            cases.push(Case {
                id: format!("produce-{size}-{partitions}p-{connections}c"),
                title: format!("{partitions} partitions, {connections} connections"),
                group,
                kinds: if usual { ALL_WITH_FLOOR } else { WITH_FLOOR },
                work: Work::Produce(Sending {
                    batch,
                    partitions,
                    connections,
                    ..USUAL
                }),
            });
        }
    }
    cases
}

/// One record of 100 bytes in each request, as a producer with linger 0 sends them when it is asked seldom enough.
fn small() -> Vec<Case> {
    let case = |connections: usize| Case {
        id: format!("small-{connections}c"),
        title: format!("one 100 B record in a request, {connections} connections"),
        group: "Small requests (linger 0)",
        kinds: ALL,
        work: Work::Produce(Sending {
            batch: 0,
            value: 100,
            connections,
            ..USUAL
        }),
    };
    vec![case(4), case(100)]
}

fn acknowledgements() -> Vec<Case> {
    let case = |megabytes: u32| Case {
        id: format!("ack-{megabytes}-mb"),
        title: format!("{megabytes} MB/s in 64 KiB batches"),
        group: "Latency of acknowledgements",
        kinds: ALL_WITH_FLOOR,
        work: Work::Produce(Sending {
            pace: rate(megabytes),
            ..USUAL
        }),
    };
    [5, 50, 100].map(case).to_vec()
}

fn tails() -> Vec<Case> {
    let case = |id: &str, title: &str, pace: Pace, tails: usize, catch_up: usize| Case {
        id: id.to_owned(),
        title: title.to_owned(),
        group: "Tail",
        kinds: KAFKA_AND_FIRN,
        work: Work::Mixed {
            sending: Sending { pace, ..USUAL },
            tails,
            catch_up,
        },
    };
    vec![
        case("tail-50-1", "50 MB/s, 1 consumer", rate(50), 1, 0),
        case("tail-50-4", "50 MB/s, 4 consumers", rate(50), 4, 0),
        case("tail-full-1", "full speed, 1 consumer", FULL_SPEED, 1, 0),
        case("tail-full-4", "full speed, 4 consumers", FULL_SPEED, 4, 0),
        case(
            "mixed",
            "50 MB/s, 2 consumers, 1 that reads all again and again",
            rate(50),
            2,
            1,
        ),
    ]
}

fn catch_up() -> Vec<Case> {
    let hot = |readers: usize| Case {
        id: format!("catch-up-hot-{readers}"),
        title: format!("hot, {readers} readers"),
        group: "Catch-up",
        kinds: KAFKA_AND_FIRN,
        work: Work::CatchUp { readers, cold: false },
    };
    let cold = |readers: usize| Case {
        id: format!("catch-up-objects-{readers}"),
        title: format!("from objects in a local folder, {readers} readers"),
        group: "Catch-up from objects",
        kinds: FIRN,
        work: Work::CatchUp { readers, cold: true },
    };
    vec![hot(1), hot(4), cold(1), cold(4)]
}

fn connections() -> Vec<Case> {
    let case = |count: usize| Case {
        id: format!("connections-{count}"),
        title: format!("{count} idle connections"),
        group: "Connections",
        kinds: KAFKA_AND_FIRN,
        work: Work::Connections(count),
    };
    vec![case(1_000), case(10_000)]
}

fn groups() -> Vec<Case> {
    let case = |id: &str, title: &str, work: Work| Case {
        id: id.to_owned(),
        title: title.to_owned(),
        group: "Consumer groups",
        kinds: KAFKA_AND_FIRN,
        work,
    };
    vec![
        case(
            "group-1000-members",
            "1,000 members join a group, send 10,000 heartbeats a second, one leaves",
            Work::OneGroup(1_000),
        ),
        case(
            "groups-1000",
            "1,000 groups commit every second",
            Work::ManyGroups(1_000),
        ),
    ]
}

fn object_log() -> Vec<Case> {
    let case = |id: &str, title: &str, work: Work| Case {
        id: id.to_owned(),
        title: title.to_owned(),
        group: "Log and objects in an S3 server (--wal object)",
        kinds: FIRN_OBJECT,
        work,
    };
    let produce = |pace: Pace| Work::Produce(Sending { pace, ..USUAL });
    vec![
        case(
            "s3-produce",
            "produce, 64 KiB batches, full speed",
            produce(FULL_SPEED),
        ),
        case("s3-ack-5-mb", "produce at 5 MB/s", produce(rate(5))),
        case("s3-ack-50-mb", "produce at 50 MB/s", produce(rate(50))),
        case(
            "s3-catch-up-4",
            "catch-up from objects, 4 readers",
            Work::CatchUp {
                readers: 4,
                cold: true,
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::versus::lines::LINES;

    #[test]
    fn ids_are_unique_and_every_line_has_cases() {
        let ids: Vec<String> = catalogue().into_iter().map(|case| case.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for line in LINES {
            let found = ids.iter().any(|id| id.starts_with(line.cases));
            assert!(found, "no case for {}", line.name);
        }
    }
}

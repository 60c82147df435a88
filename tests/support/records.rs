//! Records of every kind for the client programs, as the lines that they exchange, and the comparison of what was
//! consumed with what was produced.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// How many partitions the records are for.
pub const PARTITIONS: usize = 4;

/// `count` lines to produce: keys and values that are absent, empty, short, long; headers; timestamps that go back
/// now and then. `null_headers`: some header values are null, which not every client can send.
pub fn sample(count: usize, seed: u64, null_headers: bool) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    let start = now_millis() - 3_600_000;
    let mut lines = String::new();
    for index in 0..count {
        let partition = random.random_range(0..PARTITIONS);
        let timestamp = start + index as u64 * 10 + random.random_range(0..100);
        let key = if random.random_ratio(1, 4) {
            None
        } else {
            Some(content(&mut random, 20))
        };
        let value = match random.random_range(0..20) {
            // Not every client can send a record that has neither.
            0 if key.is_some() => None,
            1 => Some(Vec::new()),
            2 => Some(content(&mut random, 2000)),
            _ => Some(content(&mut random, 200)),
        };
        let (key, value) = (hex(key.as_deref()), hex(value.as_deref()));
        let headers = headers(&mut random, null_headers);
        writeln!(lines, "{partition}\t{timestamp}\t{key}\t{value}\t{headers}").unwrap();
    }
    lines
}

/// Milliseconds since 1970.
pub fn now_millis() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A consumed record: what was produced, and where it was found.
#[derive(Debug)]
pub struct Consumed<'a> {
    /// Its offset.
    pub offset: u64,
    /// Timestamp, key, value, headers, as they were in the produced line.
    pub content: &'a str,
}

/// The records of each partition in the order in which a client gave them. Fails the test where offsets have a gap.
pub fn consumed(lines: &str) -> BTreeMap<usize, Vec<Consumed<'_>>> {
    let mut partitions: BTreeMap<usize, Vec<Consumed<'_>>> = BTreeMap::new();
    for line in lines.lines() {
        let mut fields = line.splitn(3, '\t');
        let mut number = || {
            fields
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap_or_else(|_| panic!("a record line: {line}"))
        };
        let (partition, offset) = (usize::try_from(number()).unwrap(), number());
        let records = partitions.entry(partition).or_default();
        let expected = records.last().map_or(offset, |last| last.offset + 1);
        assert_eq!(
            offset, expected,
            "partition {partition}: offsets have no gap and no repetition"
        );
        records.push(Consumed {
            offset,
            content: fields.next().unwrap(),
        });
    }
    partitions
}

/// Fails the test unless `output` holds exactly the records of `input`, in order within each partition, from offset 0.
pub fn assert_same(input: &str, output: &str, what: &str) {
    let mut sent: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for line in input.lines() {
        let (partition, content) = line.split_once('\t').unwrap();
        sent.entry(partition.parse().unwrap()).or_default().push(content);
    }
    let got = consumed(output);
    assert!(
        got.keys().eq(sent.keys()),
        "{what}: partitions {:?} and {:?}",
        got.keys(),
        sent.keys()
    );
    for (partition, records) in &got {
        assert_eq!(records[0].offset, 0, "{what}: partition {partition} starts at 0");
        for (record, sent) in records.iter().zip(&sent[partition]) {
            assert_eq!(
                record.content, *sent,
                "{what}: partition {partition} offset {}",
                record.offset
            );
        }
        assert_eq!(
            records.len(),
            sent[partition].len(),
            "{what}: records in partition {partition}"
        );
    }
}

fn content(random: &mut StdRng, longest: usize) -> Vec<u8> {
    let mut content = vec![0; random.random_range(1..=longest)];
    random.fill_bytes(&mut content);
    // A part that compresses, as real records have.
    let half = content.len() / 2;
    content[half..].fill(b'f');
    content
}

fn headers(random: &mut StdRng, null_headers: bool) -> String {
    let count = random.random_range(0_usize..8).saturating_sub(4);
    let pairs: Vec<_> = (0..count)
        .map(|index| {
            let null = null_headers && random.random_ratio(1, 5);
            let value = if null { None } else { Some(content(random, 12)) };
            format!("header-{index}:{}", hex(value.as_deref()))
        })
        .collect();
    pairs.join(",")
}

fn hex(content: Option<&[u8]>) -> String {
    let Some(content) = content else { return "-".into() };
    content
        .iter()
        .fold(String::with_capacity(content.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

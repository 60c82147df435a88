//! Batches as they are written and read, whole, compressed, damaged and hostile.

use std::io::Write;

use super::batches::Portion;
use super::building::murmur2;
use super::*;

/// Until those that are kept take so much memory.
fn read(batches: Bytes, aborted: &[(i64, i64)], from: i64, memory: u64) -> Portion {
    let bounds = Bounds {
        memory,
        field: 8 << 20,
        until: None,
    };
    super::read(batches, aborted, from, bounds)
}

fn record(key: &str, value: &[u8]) -> NewRecord {
    NewRecord {
        key: Some(Bytes::copy_from_slice(key.as_bytes())),
        value: Some(Bytes::copy_from_slice(value)),
        headers: vec![("h".to_owned(), Some("1".into())), ("h".to_owned(), None)],
        timestamp: 1_000,
    }
}

/// A batch with this base offset, codec and further attributes.
fn stored(records: &[NewRecord], base: i64, codec: i16, attributes: i16) -> Bytes {
    let plain = batch(records);
    let (header, payload) = plain.split_at(61);
    let payload = match codec {
        0 => payload.to_vec(),
        1 => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            writer.write_all(payload).unwrap();
            writer.finish().unwrap()
        }
        2 => snap::raw::Encoder::new().compress_vec(payload).unwrap(),
        3 => {
            let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
            writer.write_all(payload).unwrap();
            writer.finish().unwrap()
        }
        _ => zstd::encode_all(payload, 3).unwrap(),
    };
    let mut whole = header.to_vec();
    whole.extend_from_slice(&payload);
    whole[..8].copy_from_slice(&base.to_be_bytes());
    let length = i32::try_from(whole.len() - 12).unwrap();
    whole[8..12].copy_from_slice(&length.to_be_bytes());
    whole[21..23].copy_from_slice(&(codec | attributes).to_be_bytes());
    whole.into()
}

fn joined(batches: &[Bytes]) -> Bytes {
    batches.concat().into()
}

fn values(portion: &Portion) -> Vec<(i64, String)> {
    let value = |record: &FoundRecord| {
        let value = record.value.as_ref().unwrap();
        String::from_utf8_lossy(&value.bytes).into_owned()
    };
    portion
        .records
        .iter()
        .map(|record| (record.offset, value(record)))
        .collect()
}

#[test]
fn keys_go_to_the_partitions_of_kafkas_clients() {
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
    }
    assert_eq!(partition_of(b"abc", 10), 7);
    assert_eq!(partition_of(b"abc", 1), 0);
}

#[test]
fn records_come_back_in_every_codec_and_from_the_middle_of_a_batch() {
    let records: Vec<_> = (0..5).map(|n| record("k", format!("v{n}").as_bytes())).collect();
    for (codec, name) in ["none", "gzip", "snappy", "lz4", "zstd"].iter().enumerate() {
        let codec = i16::try_from(codec).unwrap();
        let batches = joined(&[stored(&records, 10, codec, 0), stored(&records, 15, codec, 8)]);
        let portion = read(batches, &[], 13, u64::MAX);
        let expected: Vec<_> = (13..20).map(|n| (n, format!("v{}", n % 5))).collect();
        assert_eq!((values(&portion), portion.next), (expected, 20), "{name}");
        let first = &portion.records[0];
        assert_eq!(
            (first.compression, first.append_time, first.timestamp),
            (*name, false, 1_000)
        );
        assert!(portion.records[6].append_time);
        assert_eq!(
            first.headers,
            [("h".into(), Some("1".into())), ("h".into(), None)]
        );
    }
}

#[test]
fn reading_ends_where_it_is_full_and_goes_on_there() {
    let records: Vec<_> = (0..100).map(|_| record("k", &[7; 1_000])).collect();
    let batches = stored(&records, 0, 4, 0);
    let mut from = 0;
    while from < 100 {
        let portion = read(batches.clone(), &[], from, 10_000);
        assert!((5..10).contains(&portion.records.len()) || portion.next == 100);
        assert!(portion.next > from);
        from = portion.next;
    }
}

#[test]
fn records_of_many_empty_headers_count_with_the_memory_that_these_take() {
    const MOST: u64 = 4 << 20;
    let headers = vec![(String::new(), None); 1_000];
    let hollow = NewRecord {
        headers,
        ..NewRecord::default()
    };
    let batches = stored(&vec![hollow; 1_000], 0, 4, 0);
    let portion = read(batches, &[], 0, MOST);
    let taken: usize = portion
        .records
        .iter()
        .map(|record| record.headers.capacity() * size_of::<(Bytes, Option<Bytes>)>())
        .sum();
    assert!(taken as u64 <= MOST + (1 << 20), "{taken}");
    assert!(portion.records.len() < 100, "{}", portion.records.len());
}

#[test]
fn when_time_is_up_reading_ends_behind_what_it_has_come_to() {
    let batches = joined(&[
        stored(&[record("k", b"0")], 0, 0, 0),
        stored(&[record("k", b"1")], 1, 0, 0),
    ]);
    let bounds = Bounds {
        memory: u64::MAX,
        field: 1,
        until: Some(tokio::time::Instant::now()),
    };
    let portion = super::read(batches.clone(), &[], 0, bounds);
    assert_eq!((portion.records.len(), portion.next), (1, 1));
    let portion = super::read(batches, &[], 1, bounds);
    assert_eq!((portion.records.len(), portion.next), (1, 2));
}

#[test]
fn aborted_transactions_and_markers_are_left_out() {
    const TRANSACTIONAL: i16 = 1 << 4;
    const CONTROL: i16 = 1 << 5;
    let of = |producer: i64, base: i64, attributes: i16| {
        let mut batch = stored(&[record("k", b"v")], base, 0, attributes).to_vec();
        batch[43..51].copy_from_slice(&producer.to_be_bytes());
        Bytes::from(batch)
    };
    let batches = joined(&[
        of(1, 0, TRANSACTIONAL),
        of(2, 1, TRANSACTIONAL),
        of(1, 2, TRANSACTIONAL | CONTROL),
        of(1, 3, TRANSACTIONAL),
        of(2, 4, TRANSACTIONAL | CONTROL),
        of(-1, 5, 0),
    ]);
    let portion = read(batches, &[(1, 0)], 0, u64::MAX);
    let offsets: Vec<_> = portion.records.iter().map(|record| record.offset).collect();
    assert_eq!((offsets, portion.next), (vec![1, 3, 5], 6));
}

#[test]
fn a_damaged_batch_is_left_out_and_an_incomplete_one_waits() {
    let good = stored(&[record("k", b"v")], 1, 0, 0);
    let mut damaged = stored(&[record("k", b"v")], 0, 4, 0).to_vec();
    damaged[63] ^= 0xff;
    let half = good.slice(..good.len() - 1);
    let portion = read(joined(&[damaged.into(), good, half]), &[], 0, u64::MAX);
    assert_eq!((portion.records.len(), portion.damaged, portion.next), (1, 1, 2));
}

#[test]
fn numbers_that_lie_take_no_memory() {
    let honest = stored(&[record("key", b"value")], 0, 0, 0);
    for at in 61..honest.len() {
        for byte in [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff] {
            let mut lying = honest.to_vec();
            lying[at] = byte;
            let portion = read(lying.into(), &[], 0, u64::MAX);
            assert!(portion.bytes < 10_000_000_000 && portion.records.len() <= 1);
        }
    }
    let mut many = honest.to_vec();
    many[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(read(many.into(), &[], 0, u64::MAX).damaged, 1);
    let mut unknown = honest.to_vec();
    unknown[22] = 7;
    assert_eq!(read(unknown.into(), &[], 0, u64::MAX).damaged, 1);
    for length in [0, 10, i32::MAX, -1] {
        let mut odd = honest.to_vec();
        odd[8..12].copy_from_slice(&i32::to_be_bytes(length));
        assert!(read(odd.into(), &[], 0, u64::MAX).records.is_empty());
    }
}

#[test]
fn of_a_large_value_the_beginning_is_kept_and_its_size_told() {
    let bomb = stored(&[record("k", &vec![0; 20 << 20]), record("k", b"next")], 0, 4, 0);
    assert!(bomb.len() < 100_000);
    let portion = read(bomb, &[], 0, u64::MAX);
    let value = portion.records[0].value.as_ref().unwrap();
    assert_eq!((value.bytes.len(), value.length), (8 << 20, 20 << 20));
    assert_eq!(portion.records[1].offset, 1);
}

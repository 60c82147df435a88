use bytes::{Bytes, BytesMut};
use firn_catalog::ids::TopicId;

use super::*;
use crate::batch::BatchBuilder;
use crate::partition::producers::ProducerBatch;

fn batch(first: i64, size: usize, timestamp: i64) -> Bytes {
    let mut bytes = BatchBuilder::new()
        .record(timestamp, None, Some(&vec![7; size]))
        .build();
    bytes[..8].copy_from_slice(&first.to_be_bytes());
    bytes.freeze()
}

fn partition(index: i32) -> PartitionId {
    let topic = TopicId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    PartitionId { topic, index }
}

fn producer() -> ProducerSnapshot {
    let batch = ProducerBatch {
        first_sequence: 3,
        last_sequence: 4,
        first: Offset(1),
        last: Offset(2),
    };
    ProducerSnapshot {
        id: 0x0102_0304,
        epoch: 5,
        last_appended_at: Timestamp(1_700_000_000_000),
        batches: vec![batch],
        coordinator_epoch: -1,
        open_transaction_first: None,
    }
}

fn push(builder: &mut ExtentBuilder, batch: Bytes, appended_at: Timestamp) -> Result<(), FormatError> {
    let checksum = crc32c::crc32c(&batch);
    builder.push(batch, checksum, appended_at)
}

fn extent(index: i32, first: i64, sizes: &[usize]) -> FinishedExtent {
    let mut builder = ExtentBuilder::new(partition(index), Offset(first));
    for (size, offset) in sizes.iter().zip(first..) {
        let batch = batch(offset, *size, 1_000 + offset % 3);
        push(&mut builder, batch, Timestamp(5_000 + offset)).unwrap();
    }
    builder.finish(vec![(LeaderEpoch(2), Offset(0))], vec![producer()], Vec::new())
}

fn mux() -> BuiltObject {
    let extents = vec![extent(3, 40, &[20, 30]), extent(1, 7, &[10]), extent(3, 10, &[5])];
    build(
        ObjectId(0xabcd),
        ObjectKind::Mux,
        Timestamp(1_700_000_000_123),
        extents,
    )
    .unwrap()
}

fn whole(object: &BuiltObject) -> Bytes {
    let mut bytes = BytesMut::new();
    for piece in &object.pieces {
        bytes.extend_from_slice(piece);
    }
    bytes.freeze()
}

fn front(object: &BuiltObject) -> Bytes {
    whole(object).slice(..usize::try_from(object.index.index_size).unwrap())
}

/// Compares with the file under `tests/golden`; `FIRN_WRITE_GOLDEN=1` writes it, for a new format version.
fn golden(name: &str, bytes: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("FIRN_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(
        std::fs::read(&path).unwrap(),
        bytes,
        "{name} differs: what is stored can no longer be read"
    );
}

#[test]
fn objects_are_stored_byte_for_byte_as_ever() {
    golden("mux-v1.bin", &whole(&mux()));
    let segment = build(
        ObjectId(0xef),
        ObjectKind::Segment,
        Timestamp(9),
        vec![extent(0, 0, &[9, 9])],
    )
    .unwrap();
    golden("seg-v1.bin", &whole(&segment));
}

#[test]
fn an_index_reads_back_and_tells_where_every_byte_is() {
    let object = mux();
    let index = decode_front(&front(&object)).unwrap();
    assert_eq!(index, object.index);
    assert_eq!(index.row(), object.row);
    let bytes = whole(&object);
    assert_eq!(
        (bytes.len() as u64, declared_index_size(&bytes)),
        (index.size, Ok(index.index_size))
    );
    let places: Vec<_> = index
        .extents
        .iter()
        .map(|extent| (extent.partition.index, extent.first.0))
        .collect();
    assert_eq!(places, vec![(1, 7), (3, 10), (3, 40)]);
    for extent in &index.extents {
        let start = usize::try_from(extent.position).unwrap();
        let data = &bytes[start..start + usize::try_from(extent.length).unwrap()];
        assert_eq!(crc32c::crc32c(data), extent.checksum);
        assert_eq!(extent.producers, vec![producer()]);
    }
    assert_eq!(index.extents_of(partition(3)).len(), 2);
    assert_eq!(index.extents_of(partition(2)).len(), 0);
}

#[test]
fn chunks_are_whole_batches_of_about_64_kib_with_times_and_checksums() {
    let extent = extent(0, 100, &[30_000, 30_000, 30_000, 200_000, 10, 10]);
    let extent = extent.extent();
    let offsets: Vec<_> = extent.points.iter().map(|point| point.offset.0).collect();
    assert_eq!(offsets, vec![100, 103, 104]);
    let mut chunks = [Vec::new(), Vec::new(), Vec::new()];
    for (index, chunk) in [0, 0, 0, 1, 2, 2].into_iter().enumerate() {
        let nth = i64::try_from(index).unwrap();
        let bytes = [30_000, 30_000, 30_000, 200_000, 10, 10][index];
        chunks[chunk].extend_from_slice(&batch(100 + nth, bytes, 1_000 + (100 + nth) % 3));
    }
    let checksums: Vec<_> = extent.points.iter().map(|point| point.checksum).collect();
    assert_eq!(checksums, chunks.each_ref().map(|chunk| crc32c::crc32c(chunk)));
    assert_eq!(extent.checksum, crc32c::crc32c(&chunks.concat()));
    assert_eq!(extent.chunk_of(Offset(102)), Some(0));
    assert_eq!(extent.chunk_of(Offset(105)), Some(2));
    assert_eq!(
        (extent.chunk_of(Offset(99)), extent.chunk_of(Offset(106))),
        (None, None)
    );
    assert_eq!(
        (extent.chunk_end(2), extent.chunk_end_offset(0)),
        (extent.length, Offset(103))
    );
    assert_eq!(
        (extent.max_timestamp, extent.max_timestamp_batch),
        (1_002, Offset(101))
    );
    assert_eq!(
        (extent.first_appended_at, extent.last_appended_at),
        (Timestamp(5_100), Timestamp(5_105))
    );
}

#[test]
fn what_does_not_continue_an_extent_is_refused() {
    let mut builder = ExtentBuilder::new(partition(0), Offset(5));
    assert!(push(&mut builder, batch(6, 1, 1), Timestamp(1)).is_err());
    assert!(push(&mut builder, batch(5, 1, 1).slice(..68), Timestamp(1)).is_err());
    assert!(push(&mut builder, Bytes::from_static(b"short"), Timestamp(1)).is_err());
    assert!(push(&mut builder, batch(5, 1, 1), Timestamp(1)).is_ok());
    let empty = ExtentBuilder::new(partition(0), Offset(5)).finish(vec![], vec![], vec![]);
    assert!(build(ObjectId(1), ObjectKind::Segment, Timestamp(1), vec![empty]).is_err());
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_front_is_detected() {
    let front = front(&mux());
    for bit in 0..front.len() * 8 {
        let mut damaged = front.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_front(&damaged.into()).is_err(), "bit {bit}");
    }
    for length in 0..front.len() {
        assert!(decode_front(&front.slice(..length)).is_err(), "cut at {length}");
    }
}

#[test]
fn counts_that_the_bytes_cannot_hold_cost_no_memory() {
    let front = front(&mux());
    // The header's extent count, and the counts of the first extent.
    for at in [44, 64 + 96, 64 + 100, 64 + 104, 64 + 108] {
        let mut damaged = front.to_vec();
        damaged[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        let checksum = front_checksum(&damaged);
        damaged[12..16].copy_from_slice(&checksum.to_be_bytes());
        let refused = decode_front(&damaged.into());
        assert!(
            matches!(refused, Err(FormatError::Malformed(_))),
            "count at {at}: {refused:?}"
        );
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let mut newer = front(&mux()).to_vec();
    newer[8..12].copy_from_slice(&2u32.to_be_bytes());
    let error = decode_front(&newer.into()).unwrap_err();
    assert_eq!(error, FormatError::NewerVersion(2));
    assert!(error.to_string().contains("version 2 is newer than 1"), "{error}");
}

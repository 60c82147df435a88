use bytes::{Bytes, BytesMut};
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId, Slot, TopicId};
use firn_runtime::{Random, SeededRandom, Timestamp};

use super::*;
use crate::batch::{Marker, ProducerStamp};
use crate::wal::PendingBatch;

const ME: IncarnationId = IncarnationId(0x1111_2222_3333_4444_5555_6666_7777_8888);

fn batch(topic: u128, index: i32, first: i64, body: &'static [u8]) -> PendingBatch {
    let meta = BatchMeta {
        partition: PartitionId {
            topic: TopicId(topic),
            index,
        },
        leader_epoch: LeaderEpoch(3),
        first: Offset(first),
        last: Offset(first + 1),
        length: u32::try_from(body.len()).unwrap(),
        base_timestamp: 1_700_000_000_000,
        max_timestamp: 1_700_000_000_500,
        producer: None,
        transactional: false,
        marker: None,
    };
    PendingBatch {
        meta,
        bytes: Bytes::from_static(body),
    }
}

fn sample() -> Vec<PendingBatch> {
    let mut idempotent = batch(2, 1, 10, b"second batch of topic two");
    idempotent.meta.producer = Some(ProducerStamp {
        id: 77,
        epoch: 5,
        first_sequence: i32::MAX,
        last_sequence: 0,
    });
    idempotent.meta.transactional = true;
    let mut marker = batch(1, 0, 100, b"marker");
    marker.meta.marker = Some(Marker {
        commit: true,
        coordinator_epoch: 9,
    });
    marker.meta.producer = Some(ProducerStamp {
        id: 78,
        epoch: 6,
        first_sequence: -1,
        last_sequence: -1,
    });
    vec![
        batch(2, 1, 8, b"first batch of topic two"),
        marker,
        idempotent,
        batch(2, 0, 0, b"other partition"),
    ]
}

fn sample_slot() -> Bytes {
    let (pieces, _) = encode(ME, Slot(7), Some(Slot(4)), Timestamp(1_764_000_000_000), sample());
    join(&pieces)
}

fn join(pieces: &[Bytes]) -> Bytes {
    pieces.concat().into()
}

#[test]
fn a_slot_reads_back_as_it_was_frozen_grouped_by_partition_in_order() {
    let (pieces, counted) = encode(ME, Slot(7), Some(Slot(4)), Timestamp(99), sample());
    let whole = join(&pieces);
    let Register::Slot(front) = Register::verify_whole(&whole).unwrap() else {
        panic!("a slot")
    };
    assert_eq!((front.incarnation, front.slot), (ME, Slot(7)));
    assert_eq!(
        (front.durable_through, front.appended_at),
        (Some(Slot(4)), Timestamp(99))
    );
    assert_eq!(front.total_length(), whole.len() as u64);
    assert_eq!(counted.data_start, front.data_start);
    let order: Vec<_> = front
        .batches
        .iter()
        .map(|(meta, _)| (meta.partition.topic.0, meta.first.0))
        .collect();
    assert_eq!(order, [(1, 100), (2, 0), (2, 8), (2, 10)]);
    for ((meta, position), counted) in front.batches.iter().zip(&counted.batches) {
        assert_eq!((meta, position), (&counted.meta, &counted.position));
        let start = usize::try_from(*position).unwrap();
        assert_eq!(whole.slice(start..start + meta.length as usize), counted.bytes);
    }
}

#[test]
fn the_front_alone_is_enough_and_says_how_long_it_is() {
    let whole = sample_slot();
    let needed = front_length(&whole[..HEADER_SIZE]).unwrap();
    let front = whole.slice(..usize::try_from(needed).unwrap());
    assert!(matches!(Register::parse_front(&front), Ok(Register::Slot(_))));
    let short = front.slice(..front.len() - 1);
    assert_eq!(
        Register::parse_front(&short),
        Err(FormatError::TooShort {
            needed,
            have: short.len() as u64
        })
    );
}

#[test]
fn no_durable_slot_yet_is_told_apart_from_slot_zero() {
    for through in [None, Some(Slot(0))] {
        let (pieces, _) = encode(ME, Slot(1), through, Timestamp(0), sample());
        let Register::Slot(front) = Register::verify_whole(&join(&pieces)).unwrap() else {
            panic!("a slot")
        };
        assert_eq!(front.durable_through, through);
    }
}

#[test]
fn an_empty_slot_is_a_slot() {
    let (pieces, _) = encode(ME, Slot(1), None, Timestamp(0), Vec::new());
    assert!(
        matches!(Register::verify_whole(&join(&pieces)), Ok(Register::Slot(front)) if front.batches.is_empty())
    );
}

#[test]
fn a_fence_reads_back() {
    let fence = Fence {
        sealer: IncarnationId(5),
        dead: ME,
        slot: Slot(42),
    };
    let register = Register::verify_whole(&fence.encode()).unwrap();
    assert_eq!(register, Register::Fence(fence));
    assert!(register.is_at(ME, Slot(42)) && !register.is_at(ME, Slot(41)));
}

#[test]
fn every_flipped_bit_is_noticed() {
    for whole in [
        sample_slot(),
        Fence {
            sealer: IncarnationId(5),
            dead: ME,
            slot: Slot(42),
        }
        .encode(),
    ] {
        let original = Register::verify_whole(&whole);
        assert!(original.is_ok());
        for bit in 0..whole.len() * 8 {
            let mut bytes = BytesMut::from(&whole[..]);
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Register::verify_whole(&bytes.freeze()).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let whole = sample_slot();
    for length in 0..whole.len() {
        assert!(
            Register::verify_whole(&whole.slice(..length)).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let mut bytes = BytesMut::from(&sample_slot()[..]);
    bytes[11] = 2;
    let error = Register::parse_front(&bytes.freeze()).unwrap_err();
    assert_eq!(
        error,
        FormatError::NewerVersion {
            what: "slot",
            found: 2
        }
    );
    assert!(error.to_string().contains("version 2 is newer than 1"));
}

#[test]
fn huge_counts_under_a_valid_checksum_cost_no_memory() {
    let mut bytes = BytesMut::from(&sample_slot()[..]);
    let end = usize::try_from(front_length(&bytes).unwrap()).unwrap();
    for field in [60, 76, 80 + 20] {
        let mut bytes = bytes.clone();
        bytes[field..field + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        let sum = checksum(&bytes[..end]);
        bytes[CHECKSUM_AT].copy_from_slice(&sum.to_be_bytes());
        assert!(matches!(
            Register::parse_front(&bytes.freeze()),
            Err(FormatError::Malformed(_))
        ));
    }
    bytes[56..60].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(
        Register::parse_front(&bytes.freeze()),
        Err(FormatError::TooShort { .. })
    ));
}

#[test]
fn random_bytes_behind_a_magic_are_refused() {
    let random = SeededRandom::new(17);
    for round in 0..20_000 {
        let mut length = [0u8; 2];
        random.fill(&mut length);
        let mut bytes = vec![0u8; usize::from(u16::from_be_bytes(length)) % 400 + 16];
        random.fill(&mut bytes);
        bytes[..8].copy_from_slice(if round % 2 == 0 { &SLOT_MAGIC } else { &FENCE_MAGIC });
        bytes[8..12].copy_from_slice(&1u32.to_be_bytes());
        assert!(Register::verify_whole(&bytes.into()).is_err());
    }
}

/// The bytes written by format version 1 stay readable, and unchanged as long as the version is 1.
#[test]
fn the_golden_files_are_what_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let fence = Fence {
        sealer: IncarnationId(0xfeed),
        dead: ME,
        slot: Slot(42),
    }
    .encode();
    for (name, bytes) in [("slot-v1.bin", sample_slot()), ("fence-v1.bin", fence)] {
        let path = folder.join(name);
        if std::env::var_os("FIRN_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}
